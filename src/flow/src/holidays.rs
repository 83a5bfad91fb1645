//! The facts of the table of holidays leave the flow of the others: they are about no entity, and
//! every worker needs all of them.

use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::{Broadcast as _, Filter as _, Map as _};

use propice_define::Plan;
use propice_model::{Fact, KindId};

use super::Updates;

/// The facts without what they say of the calendar; and what they say of it, on every worker, if
/// there are holidays at all.
pub(super) fn split<'scope>(
    plan: &Plan,
    facts: Updates<'scope, Fact>,
) -> (Updates<'scope, Fact>, Option<Updates<'scope, Fact>>) {
    let Some(table) = plan.policy.holidays.map(|holidays| holidays.input) else { return (facts, None) };
    let of_table = facts.clone().filter(move |(fact, _, _)| fact.input == table);
    let others = facts.filter(move |(fact, _, _)| fact.input != table);
    let keep = |is_kept: fn(KindId) -> bool| {
        move |(mut fact, time, diff): (Fact, _, _)| {
            fact.changes.retain(|change| is_kept(change.kind));
            (fact, time, diff)
        }
    };
    let of_entities = of_table.clone().map(keep(|kind| kind != KindId::CALENDAR));
    let of_calendar = of_table.map(keep(|kind| kind == KindId::CALENDAR)).broadcast();
    (others.concat(of_entities), Some(of_calendar))
}
