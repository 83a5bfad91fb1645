//! The view of a customer as a table for people: a line per feature and attribute, and those of its
//! entities nested below.

use std::fmt::Write as _;

use propice_define::Plan;
use propice_edge::sink::Views;
use propice_edge::sink::columns::{cut, shown, width, wrapped};
use propice_edge::trigger::Telling;
use propice_model::{Id, KindId, LogicalTime, Value};

/// Deeper by one.
const STEP: usize = 2;
/// Between a name and its value.
const GAP: usize = 2;

/// A table that is being written.
struct ViewTable<'a> {
    telling: Telling<'a>,
    columns: usize,
    /// Columns of the names, with what they are moved to the right.
    names: usize,
    out: &'a mut String,
}

/// Appends the view of a customer, so many columns wide; whether the customer exists.
pub(super) fn write(views: &Views, plan: &Plan, id: &Id, time: LogicalTime, columns: usize, out: &mut String) -> bool {
    let Some(slots) = views.slots(id) else { return false };
    let telling = Telling::of(plan);
    let names = names(&telling).min(columns / 2);
    let mut table = ViewTable { telling, columns, names, out };
    table.head(id, time);
    table.slots(KindId::CUSTOMER, slots, STEP);
    let entities: Vec<(KindId, &Id, &[Value])> = views.entities(id).collect();
    for (kind, id, slots) in entities {
        let head = format!("{} {id}", table.telling.kind(kind));
        table.line(STEP, &head);
        table.slots(kind, slots, 2 * STEP);
    }
    true
}

/// The widest name with what it is moved to the right.
fn names(telling: &Telling<'_>) -> usize {
    let of_kind = |(kind, entity): (usize, &propice_define::plan::Entity)| {
        let depth = if kind == 0 { STEP } else { 2 * STEP };
        let kind = KindId(kind as u16);
        (0..entity.slots())
            .filter(|slot| is_shown(telling.plan, kind, *slot))
            .map(move |slot| (kind, slot, depth))
            .collect()
    };
    let all = telling.plan.entities.iter().enumerate().filter(|(_, entity)| !entity.implied);
    let all = all.flat_map(|kind| -> Vec<(KindId, usize, usize)> { of_kind(kind) });
    all.map(|(kind, slot, depth)| depth + width(telling.slot(kind, slot))).max().unwrap_or(0)
}

/// Fields of tables that are only read along are no part of a view.
fn is_shown(plan: &Plan, kind: KindId, slot: usize) -> bool {
    !plan.entities[kind.index()].features.get(slot).is_some_and(|feature| feature.implied)
}

impl ViewTable<'_> {
    fn head(&mut self, id: &Id, time: LogicalTime) {
        let telling = &self.telling;
        let (who, at, zone) = (telling.kind(KindId::CUSTOMER), telling.time(time), &telling.plan.timezone);
        let head = telling.pick(format!("{who} {id}, {at} ({zone})"), format!("{who} {id}, {at} ({zone})"));
        self.line(0, &head);
    }

    fn slots(&mut self, kind: KindId, slots: &[Value], depth: usize) {
        let plan = self.telling.plan;
        for (slot, value) in slots.iter().enumerate().filter(|(slot, _)| is_shown(plan, kind, *slot)) {
            let (_, ty) = plan.entities[kind.index()].slot(slot);
            let value = self.telling.value(value, ty);
            let name = self.telling.slot(kind, slot);
            self.row(depth, name, &value);
        }
    }

    /// A name and its value, over as many lines as it needs.
    fn row(&mut self, depth: usize, name: &str, value: &str) {
        let start = self.names + GAP;
        let name = cut(&shown(name), self.names - depth.min(self.names));
        let mut used = depth + width(&name);
        let _ = write!(self.out, "{:depth$}{name}", "");
        let lines = wrapped(&shown(value), self.columns - start);
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                self.out.push('\n');
                used = 0;
            }
            let _ = write!(self.out, "{:1$}{line}", "", start - used);
        }
        self.out.push('\n');
    }

    fn line(&mut self, depth: usize, text: &str) {
        for line in wrapped(&shown(text), self.columns - depth) {
            let _ = writeln!(self.out, "{:depth$}{line}", "");
        }
    }
}
