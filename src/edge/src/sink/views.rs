//! The current views, kept from their differences, and the lines of `views.jsonl`.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::source::DeadLetter;
use propice_define::Plan;
use propice_flow::ViewPart;
use propice_model::value::write_json_with;
use propice_model::{Id, KindId, LogicalTime, Value};

use super::{OutgoingDecision, OutgoingTransition, Sink};

/// When lines of views are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewMode {
    /// Never.
    None,
    /// One line per customer that exists at the end.
    Final,
    /// One line per logical time and customer whose view changed.
    Changes,
}

/// The views of all customers.
#[derive(Debug)]
pub struct Views {
    plan: Arc<Plan>,
    customers: BTreeMap<Id, CustomerView>,
}

/// The view of one customer, in parts.
#[derive(Debug, Default)]
struct CustomerView {
    /// `None` when the customer does not exist.
    slots: Option<Arc<[Value]>>,
    entities: BTreeMap<(KindId, Id), Arc<[Value]>>,
}

/// A sink that keeps the current views, and nothing else. Clones keep the same.
#[derive(Clone)]
pub struct LatestViews {
    views: Arc<Mutex<Views>>,
}

impl LatestViews {
    /// No views yet.
    pub fn new(plan: &Arc<Plan>) -> LatestViews {
        LatestViews { views: Arc::new(Mutex::new(Views::new(plan))) }
    }

    /// Looks at the current views.
    pub fn look<T>(&self, look: impl FnOnce(&mut Views) -> T) -> T {
        // A difference is applied whole or not at all, so what a failed thread held is still good.
        look(&mut self.views.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for LatestViews {
    fn transitions(&mut self, _transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        Ok(())
    }

    fn decisions(&mut self, _decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        Ok(())
    }

    fn views(&mut self, updates: &[ViewUpdate]) -> io::Result<()> {
        self.look(|views| views.apply(updates));
        Ok(())
    }

    fn dead_letters(&mut self, _letters: &[DeadLetter]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _through: LogicalTime) -> io::Result<()> {
        Ok(())
    }
}

/// One difference of one part.
type ViewUpdate = (ViewPart, LogicalTime, isize);

impl Views {
    /// No views yet.
    pub fn new(plan: &Arc<Plan>) -> Views {
        Views { plan: Arc::clone(plan), customers: BTreeMap::new() }
    }

    /// Applies differences that are sorted by time and part, whole logical times of them.
    pub fn apply(&mut self, updates: &[ViewUpdate]) {
        for group in updates.chunk_by(|a, b| (a.1, &a.0.customer) == (b.1, &b.0.customer)) {
            self.apply_to_customer(group);
        }
    }

    /// Applies differences likewise, and appends one line per logical time and customer whose view
    /// changed.
    pub fn apply_and_write(&mut self, updates: &[ViewUpdate], out: &mut String) {
        for group in updates.chunk_by(|a, b| (a.1, &a.0.customer) == (b.1, &b.0.customer)) {
            let [(part, time, _), ..] = group else { continue };
            let changed = self.changes(group);
            self.apply_to_customer(group);
            if !changed {
                continue;
            }
            if !self.write_customer(&part.customer, *time, out) {
                out.push_str("{\"customer\":");
                write_json_with(out, &part.customer.to_string());
                let _ = writeln!(out, ",\"logical_time_ms\":{time},\"exists\":false}}");
            }
        }
    }

    /// Appends one line per customer that exists, by id.
    pub fn write(&self, time: LogicalTime, out: &mut String) {
        for customer in self.customers.keys() {
            self.write_customer(customer, time, out);
        }
    }

    /// Appends the line of one customer; whether it exists.
    pub fn write_customer(&self, customer: &Id, time: LogicalTime, out: &mut String) -> bool {
        let Some(CustomerView { slots: Some(slots), entities }) = self.customers.get(customer) else { return false };
        self.write_line(customer, time, slots, entities, out);
        true
    }

    /// The customers that have parts of a view, by id.
    pub fn customers(&self) -> impl Iterator<Item = &Id> {
        self.customers.keys()
    }

    /// The slots of a customer that exists.
    pub fn slots(&self, customer: &Id) -> Option<&[Value]> {
        self.customers.get(customer)?.slots.as_deref()
    }

    /// The entities of a customer with their slots, by kind and id.
    pub fn entities(&self, customer: &Id) -> impl Iterator<Item = (KindId, &Id, &[Value])> {
        let entities = self.customers.get(customer).into_iter().flat_map(|view| &view.entities);
        entities.map(|((kind, id), slots)| (*kind, id, slots.as_ref()))
    }

    fn apply_to_customer(&mut self, group: &[ViewUpdate]) {
        let Some((first, _, _)) = group.first() else { return };
        let view = self.customers.entry(first.customer.clone()).or_default();
        let shown = || group.iter().filter(|(part, _, _)| is_shown(&self.plan, part));
        // What goes first, so that a part that is replaced is there in the end.
        for (part, _, _) in shown().filter(|(_, _, diff)| *diff < 0) {
            match &part.entity {
                None => view.slots = None,
                Some(entity) => drop(view.entities.remove(entity)),
            }
        }
        for (part, _, _) in shown().filter(|(_, _, diff)| *diff > 0) {
            match &part.entity {
                None => view.slots = Some(Arc::clone(&part.slots)),
                Some(entity) => drop(view.entities.insert(entity.clone(), Arc::clone(&part.slots))),
            }
        }
        if let Entry::Occupied(entry) = self.customers.entry(first.customer.clone())
            && entry.get().slots.is_none()
            && entry.get().entities.is_empty()
        {
            entry.remove();
        }
    }

    /// Whether differences of one customer at one time change what is shown of it.
    fn changes(&self, group: &[ViewUpdate]) -> bool {
        let view = group.first().and_then(|(part, _, _)| self.customers.get(&part.customer));
        let existed = view.is_some_and(|view| view.slots.is_some());
        let removes =
            |entity: &Option<(KindId, Id)>| group.iter().any(|(part, _, diff)| *diff < 0 && part.entity == *entity);
        let adds =
            |entity: &Option<(KindId, Id)>| group.iter().any(|(part, _, diff)| *diff > 0 && part.entity == *entity);
        let exists = adds(&None) || (existed && !removes(&None));
        if !existed || !exists {
            return existed != exists;
        }
        group.iter().filter(|(part, _, _)| is_shown(&self.plan, part)).any(|(part, _, diff)| {
            let before = view.and_then(|view| match &part.entity {
                None => view.slots.as_ref(),
                Some(entity) => view.entities.get(entity),
            });
            match before {
                Some(before) if *diff > 0 => self.differ(part.entity.as_ref(), before, &part.slots),
                Some(_) => !adds(&part.entity),
                None => *diff > 0,
            }
        })
    }

    /// Whether two states of a part differ in a slot that is shown.
    fn differ(&self, entity: Option<&(KindId, Id)>, before: &[Value], after: &[Value]) -> bool {
        let kind = &self.plan.entities[entity.map_or(KindId::CUSTOMER, |(kind, _)| *kind).index()];
        let implied = |slot: usize| kind.features.get(slot).is_some_and(|feature| feature.implied);
        before.iter().zip(after).enumerate().any(|(slot, (before, after))| before != after && !implied(slot))
    }

    fn write_line(
        &self,
        customer: &Id,
        time: LogicalTime,
        slots: &[Value],
        entities: &BTreeMap<(KindId, Id), Arc<[Value]>>,
        out: &mut String,
    ) {
        out.push_str("{\"customer\":");
        write_json_with(out, &customer.to_string());
        let _ = write!(out, ",\"logical_time_ms\":{time}");
        self.write_slots(KindId::CUSTOMER, slots, true, out);
        out.push_str(",\"entities\":{");
        let mut last: Option<KindId> = None;
        for ((kind, id), slots) in entities {
            if last == Some(*kind) {
                out.push(',');
            } else {
                out.push_str(if last.is_some() { "},\"" } else { "\"" });
                out.push_str(&self.plan.entities[kind.index()].name);
                out.push_str("\":{");
                last = Some(*kind);
            }
            write_json_with(out, &id.to_string());
            out.push_str(":{");
            self.write_slots(*kind, slots, false, out);
            out.push('}');
        }
        out.push_str(if last.is_some() { "}}}\n" } else { "}}\n" });
    }

    /// Features and attributes by name; `behind` something else.
    fn write_slots(&self, kind: KindId, slots: &[Value], mut behind: bool, out: &mut String) {
        for (name, value) in shown(&self.plan, kind, slots) {
            if std::mem::replace(&mut behind, true) {
                out.push(',');
            }
            let _ = write!(out, "\"{name}\":{value}");
        }
    }
}

/// Whether a part is one of a view: what the policy keeps for itself is none.
fn is_shown(plan: &Plan, part: &ViewPart) -> bool {
    part.entity.as_ref().is_none_or(|(kind, _)| !plan.entities[kind.index()].implied)
}

/// The names of the slots that are shown, with their values as JSON, in order.
pub fn shown<'a>(plan: &'a Plan, kind: KindId, slots: &'a [Value]) -> impl Iterator<Item = (&'a str, String)> {
    let entity = &plan.entities[kind.index()];
    slots.iter().enumerate().filter_map(move |(slot, value)| {
        if entity.features.get(slot).is_some_and(|feature| feature.implied) {
            return None;
        }
        let (name, ty) = entity.slot(slot);
        let mut json = String::new();
        value.write_json(ty, &mut json);
        Some((name, json))
    })
}
