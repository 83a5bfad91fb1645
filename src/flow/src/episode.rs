//! What an episode is called: a hash of what it is, the same in every replay.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use propice_define::Plan;
use propice_model::{Id, KindId, LogicalTime, MomentId};

use super::Transition;

/// How much of the hash makes the id, in bytes.
const ID_BYTES: usize = 16;

/// Which episode of a customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EpisodeKey {
    /// Of which moment.
    pub moment: MomentId,
    /// About what, for a moment about an entity.
    pub entity: Option<(KindId, Id)>,
    /// The logical time at which it opened.
    pub since: LogicalTime,
}

/// The id of the episode that a transition opens or closes: [`episode_hash`] in lower-case
/// hexadecimal.
pub fn episode_id(plan: &Plan, transition: &Transition) -> String {
    let Transition { moment, customer, entity, since, .. } = transition;
    hexadecimal(&episode_hash(plan, customer, *moment, entity.as_ref(), *since))
}

/// The id of an episode of a customer.
pub fn id_of(plan: &Plan, customer: &Id, episode: &EpisodeKey) -> String {
    hexadecimal(&episode_hash(plan, customer, episode.moment, episode.entity.as_ref(), episode.since))
}

/// The first 16 bytes of the BLAKE3 hash over pack, moment, version, customer, kind and id of the
/// entity (for a moment about one) and opening time.
///
/// Every part stands behind its length (8 bytes, little endian), so that no two lists of parts are
/// the same bytes; the time is 8 bytes, little endian, of milliseconds since 1970.
pub fn episode_hash(
    plan: &Plan,
    customer: &Id,
    moment: MomentId,
    entity: Option<&(KindId, Id)>,
    since: LogicalTime,
) -> [u8; ID_BYTES] {
    let moment = &plan.moments[moment.index()];
    let mut hasher = blake3::Hasher::new();
    for text in [&plan.name, &moment.name, &moment.version, &customer.to_string()] {
        part(&mut hasher, text.as_bytes());
    }
    if let Some((kind, id)) = entity {
        part(&mut hasher, plan.entities[kind.index()].name.as_bytes());
        part(&mut hasher, id.to_string().as_bytes());
    }
    part(&mut hasher, &since.to_le_bytes());
    let mut id = [0; ID_BYTES];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..ID_BYTES]);
    id
}

/// Adds a part to what is hashed, behind its length.
pub fn part(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

/// A hash as an id is written.
pub fn hexadecimal(hash: &[u8]) -> String {
    let mut id = String::with_capacity(2 * hash.len());
    for byte in hash {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use propice_define as define;
    use propice_model::{Id, KindId, MomentId};

    const PACK: &str = r#"
[pack]
name = "p"
[stream.s]
time = "at"
about = "a"
fields = { at = "time", a = "id(account)", c = "id(customer)", n = "int" }
[entity.account]
belongs_to = { by = "s", customer = "c" }
[account.feature]
n = { from = "s", sum = "n" }
[customer.feature]
m = { from = "s", sum = "n" }
[moment.one]
when = "m > 1"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
[moment.two]
when = "n > 1"
about = "account"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
"#;

    fn transition(customer: &str, entity: Option<&str>, since: u64) -> Transition {
        Transition {
            time: since,
            customer: Id::parse(customer),
            entity: entity.map(|id| (KindId(1), Id::parse(id))),
            moment: MomentId(u16::from(entity.is_some())),
            opened: true,
            since,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn an_id_tells_episodes_apart_and_nothing_else() {
        let plan = define::load("p.toml", PACK).expect("a pack");
        let of = |transition: &Transition| episode_id(&plan, transition);
        let opened = transition("c1", None, 5);
        let closed = Transition { time: 9, opened: false, ..opened.clone() };
        assert_eq!(of(&opened), of(&closed));
        let others = [
            opened,
            transition("c1", None, 6),
            transition("c2", None, 5),
            transition("c1", Some("a"), 5),
            transition("c", Some("1a"), 5),
        ];
        let ids: BTreeSet<String> = others.iter().map(of).collect();
        assert_eq!(ids.len(), others.len());
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn an_id_never_changes() {
        let plan = define::load("p.toml", PACK).expect("a pack");
        assert_eq!(episode_id(&plan, &transition("c1", Some("7"), 5)), "9bded331ad80ee038cd5b58714cc8dc4");
    }
}
