//! From the values of features to rows: one value per slot, features and attributes, of every
//! entity that exists.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::empty_view::empty_features;
use crate::shard::shard;
use propice_define::Plan;
use propice_define::expr::{Env, Expr};
use propice_model::{KindId, LogicalTime, Value};

use super::machine::{Alarms, Differences, Machine, stepped};
use super::{Collection, Subject};

/// One value per slot.
pub(super) type Slots = Arc<[Value]>;
/// Some slots with their values.
pub(super) type Cells = Vec<(u16, Value)>;

/// The row of every entity that exists.
pub(super) fn rows<'scope>(
    plan: &Arc<Plan>,
    exists: Collection<'scope, Subject>,
    features: Collection<'scope, (Subject, Cells)>,
) -> Collection<'scope, (Subject, Slots)> {
    let over_nothing: Vec<_> = plan.entities.iter().map(empty_features).collect();
    // No cells at all say that the entity exists; they come first.
    let known = exists.map(|subject| (subject, Cells::new())).concat(features);
    let rows = known.reduce(move |(kind, _), known, row| {
        let mut known = known.iter().map(|(cells, _)| *cells);
        if known.next().is_none_or(|cells| !cells.is_empty()) {
            return;
        }
        let mut slots = over_nothing[kind.index()].clone();
        for (slot, value) in known.flatten() {
            slots[usize::from(*slot)] = value.clone();
        }
        row.push((Slots::from(slots), 1));
    });
    stepped(
        "Attributes",
        rows,
        AttributeFiller { plan: Arc::clone(plan), rows: HashMap::new(), alarms: Alarms::default() },
    )
}

/// Sets the attributes of a row. Returns the least instant behind `now` at which one may change by
/// itself.
fn evaluate(plan: &Plan, kind: KindId, slots: &mut [Value], now: LogicalTime) -> Option<LogicalTime> {
    let entity = &plan.entities[kind.index()];
    let mut next = None;
    for &at in &entity.evaluation {
        let expr = &entity.attributes[at].expr;
        let env = Env::of(slots, now);
        next = earliest(next, next_change_point(expr, &env));
        slots[entity.features.len() + at] = expr.eval(&env).unwrap_or_default();
    }
    next
}

/// When an expression is to be looked at again though nothing changes.
pub(super) fn next_change_point(expr: &Expr, env: &Env<'_>) -> Option<LogicalTime> {
    if expr.depends_on_now() { expr.next_change_point(env).filter(|turn| *turn > env.now) } else { None }
}

/// The earlier of two times, if any.
pub(super) fn earliest(left: Option<LogicalTime>, right: Option<LogicalTime>) -> Option<LogicalTime> {
    left.into_iter().chain(right).min()
}

/// Fills in the attributes of rows, again at each instant at which one of them may turn.
struct AttributeFiller {
    plan: Arc<Plan>,
    rows: HashMap<Subject, Slots>,
    alarms: Alarms<Subject>,
}

impl Machine<(Subject, Slots), (Subject, Slots)> for AttributeFiller {
    fn shard((subject, _): &(Subject, Slots)) -> u64 {
        shard(subject)
    }

    fn next(&self) -> Option<LogicalTime> {
        self.alarms.next()
    }

    fn step(
        &mut self,
        now: LogicalTime,
        changes: Vec<((Subject, Slots), isize)>,
        out: &mut Differences<(Subject, Slots)>,
    ) {
        let mut features: HashMap<Subject, Option<Slots>> = HashMap::new();
        for ((subject, slots), diff) in changes {
            let latest = features.entry(subject).or_default();
            if diff > 0 {
                *latest = Some(slots);
            }
        }
        let ringing: BTreeSet<_> = self.alarms.ring(now).into_iter().collect();
        for subject in ringing {
            // Attributes never depend on what they were, so the last row serves as well as its
            // features.
            let row = self.rows.get(&subject).cloned();
            features.entry(subject).or_insert(row);
        }
        for (subject, features) in features {
            let mut next = None;
            let after = features.map(|features| {
                let mut slots = features.to_vec();
                next = evaluate(&self.plan, subject.0, &mut slots, now);
                Slots::from(slots)
            });
            self.alarms.set(subject.clone(), next);
            let before = match &after {
                Some(after) => self.rows.insert(subject.clone(), Arc::clone(after)),
                None => self.rows.remove(&subject),
            };
            if before != after {
                out.extend(before.map(|slots| ((subject.clone(), slots), now, -1)));
                out.extend(after.map(|slots| ((subject, slots), now, 1)));
            }
        }
    }
}
