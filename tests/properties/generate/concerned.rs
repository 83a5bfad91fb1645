//! Which moments a rule of the policy concerns: one that concerns none is refused.

use super::policy::CHANNELS;
use super::{Body, Declaration, PackText, Rng};

/// The moments that rules may concern: a rule that concerns none is refused.
pub(super) struct Concerned(Vec<Vec<(String, String)>>);

impl Concerned {
    pub(super) fn of(pack: &PackText) -> Concerned {
        let moments = pack.declarations.iter().filter(|declaration| declaration.section.starts_with("moment."));
        let keys = |declaration: &Declaration| match &declaration.body {
            Body::Keys(keys) => keys.clone(),
            _ => Vec::new(),
        };
        Concerned(moments.map(keys).collect())
    }

    /// A rule that concerns some of them, if one is found.
    pub(super) fn by(&self, rng: &mut Rng, rule: &dyn Fn(&mut Rng) -> String) -> Option<String> {
        (0..20).map(|_| rule(rng)).find(|rule| self.0.iter().any(|moment| is_about(rule, moment)))
    }

    /// Whether something may be handed to a person, and there may be none in its channels.
    pub(super) fn needs_person(&self, adviser: bool) -> bool {
        let has = |moment: &Vec<(String, String)>, key: &str, part: &str| {
            moment.iter().any(|(name, value)| name == key && value.contains(part))
        };
        self.0.iter().any(|moment| {
            let hands_over = has(moment, "on_expiry", "human") || has(moment, "on_negative_mood", "human");
            hands_over && !(adviser && has(moment, "channels", "adviser"))
        })
    }
}

/// Whether a rule of quiet hours or a budget is about a moment, both as they are written.
fn is_about(rule: &str, moment: &[(String, String)]) -> bool {
    let said = |key: &str| {
        let (_, behind) = rule.split_once(&format!("{key} = "))?;
        Some(behind.split_once(['\n', '=']).map_or(behind, |(value, _)| value).to_owned())
    };
    let value = |key: &str| moment.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
    let purpose = value("purpose");
    let channels: Vec<&str> = CHANNELS.into_iter().filter(|channel| value("channels").contains(channel)).collect();
    let for_purpose = said("purposes").or_else(|| said("purpose")).is_none_or(|said| said.contains(purpose));
    let on_channel = (said("channels").or_else(|| said("channel")))
        .is_none_or(|said| channels.iter().any(|channel| said.contains(channel)));
    for_purpose && on_channel && !said("except").is_some_and(|said| said.contains(purpose))
}
