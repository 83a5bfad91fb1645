//! Checking the policy: what is said over the customer, who consents to what, what receipts do.
//!
//! What the policy reads of records becomes features of the kind of entity that is implied; see
//! [`super::implied`].

use super::customer::{CustomerScope, PolicyGround};
use super::implied::Implied;
use super::moments::channel_named;
use super::problem::{Problem, Problems};
use super::scope::Lookup;
use super::{contact, mood};
use crate::expr::Expected;
use crate::plan::{Arbitration, DataConsent, DataKinds, Feature, Policy};
use propice_model::time::DAY_MS;
use propice_model::{InputId, KindId};

/// What is understood of a policy.
#[derive(Default)]
pub(super) struct PolicyDone {
    pub policy: Policy,
    /// The features of the kind that it implies.
    pub implied: Vec<Option<Feature>>,
    /// Fields that are about mood.
    pub mood_fields: Vec<(InputId, u16)>,
}

/// The policy of a pack.
pub(super) fn policy(against: &PolicyGround<'_>, requests: &mut Vec<Lookup>, problems: &mut Problems) -> PolicyDone {
    let raw = &against.raw.policy;
    let mut customer = CustomerScope { against, requests, problems };
    let mut policy = Policy {
        refusal: customer.over(raw.refusal.as_ref(), &Expected::Condition),
        zone: customer.over(raw.zone.as_ref(), &Expected::Text),
        region: customer.over(raw.region.as_ref(), &Expected::Text),
        locale: customer.over(raw.locale.as_ref(), &Expected::Text),
        data: customer.data(),
        ..Policy::default()
    };
    for (purpose, condition) in &raw.purposes {
        policy.purposes[purpose.index()] = customer.over(Some(condition), &Expected::Condition);
    }
    let mut implied = Implied::new(against.ground);
    if let Some(raw) = &raw.mood {
        policy.mood = mood::mood(&mut customer, raw, &mut implied);
    }
    if let Some(raw) = &raw.receipts {
        policy.keep_ms = raw.keep.as_ref().map_or(400 * DAY_MS, |keep| keep.value);
        policy.receipts = implied.receipts(raw, policy.keep_ms, customer.problems);
    } else {
        policy.keep_ms = 400 * DAY_MS;
    }
    policy.holidays = raw.holidays.as_ref().and_then(|raw| contact::holidays(against.ground, raw, problems));
    policy.quiet = raw.quiet.iter().map(|raw| contact::quiet(raw, against.channels, problems)).collect();
    policy.pressure = raw.pressure.iter().map(|raw| contact::budget(raw, against.channels, problems)).collect();
    if let Some(raw) = &raw.arbitration {
        policy.arbitration = Arbitration { window_ms: raw.window_ms, except: raw.except.clone() };
    }
    policy.rest = raw.rest.iter().map(|spot| spot.value.clone()).collect();
    policy.snooze_ms = raw.snooze.as_ref().map_or(7 * DAY_MS, |spot| spot.value);
    policy.rating = raw.rating.iter().map(|(kind, number)| (kind.value, *number)).collect();
    policy.human = raw.human.as_ref().and_then(|text| channel_named(text, against.channels, problems));
    if !implied.features.is_empty() {
        policy.kind = Some(KindId(against.ground.kinds.len() as u16));
    }
    PolicyDone { policy, implied: implied.features, mood_fields: implied.mood_fields }
}

impl CustomerScope<'_> {
    /// The kinds of data that need consent, in the order of their names. One that could not be
    /// understood is left out, and reported.
    fn data(&mut self) -> Vec<DataConsent> {
        let mut raw: Vec<&super::raw_policy::Data> = self.against.raw.policy.data.iter().collect();
        raw.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        let limit = DataKinds::BITS as usize;
        if let Some(data) = raw.get(limit) {
            self.problems.add(Problem::TooMany { what: "kinds of data", limit }, &data.name.span);
            raw.truncate(limit);
        }
        let one = |data: &super::raw_policy::Data| {
            let allowed = self.over(data.allowed.as_ref(), &Expected::Condition)?;
            Some(DataConsent { name: data.name.value.clone(), allowed })
        };
        raw.into_iter().filter_map(one).collect()
    }
}
