//! How what is withdrawn ended.

use std::collections::BTreeSet;

use super::super::pack::Moment;
use super::super::value::json_of;
use super::decide::{Memory, Subject};
use super::gates::Client;

impl Memory {
    /// How it ended: as the line of its verdict says it.
    pub(super) fn ending(
        &self,
        client: &Client<'_>,
        subject: &Subject,
        transitions: &[&(Subject, i64, bool)],
    ) -> String {
        let moment = &client.pack.moments[subject.2];
        if client.succeeds(subject) {
            return "\"ended\":\"succeeded\",".to_owned();
        }
        let kind_of = |moment: &Moment, scope: usize| if scope == 0 { 0 } else { moment.about.expect("an entity") };
        let slots = |moment: &Moment| -> BTreeSet<(usize, usize)> {
            moment.uses.iter().map(|(_, scope, slot)| (kind_of(moment, *scope), *slot)).collect()
        };
        let others = client.pack.moments.iter().enumerate().filter(|(number, _)| *number != subject.2);
        let by: Vec<&str> = others
            .filter(|(number, other)| {
                let silences = other.rules.silence.as_ref().is_some_and(|silence| silence.concerns(moment));
                let is_open = self.open.keys().any(|open| open.0 == subject.0 && open.2 == *number);
                let follows = transitions.iter().any(|(of, _, opens)| {
                    let other_entity = of.1.as_ref().zip(subject.1.as_ref()).is_some_and(|(a, b)| a.0 == b.0 && a != b);
                    *opens && of.2 == *number && !other_entity
                });
                (silences && is_open) || (follows && !slots(other).is_disjoint(&slots(moment)))
            })
            .map(|(_, other)| other.name.as_str())
            .collect();
        if by.is_empty() {
            return "\"ended\":\"no_longer_so\",".to_owned();
        }
        format!("\"ended\":\"overtaken\",\"overtaken_by\":{},", json_of(&by))
    }
}
