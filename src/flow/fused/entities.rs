//! The entities of one kind that live on this worker: their features, attributes and deadlines.
//!
//! Used by the operators of entities and of customers in the same way. At each logical time, in order:
//!
//! 1. [`Entities::wake`]: entities whose deadlines are due are touched: contributions begin to count, others expire;
//! 2. [`Entities::apply`] and [`Entities::column_mut`]: what records change;
//! 3. [`Entities::settle`], once per touched entity: the slots that changed are read again, attributes follow;
//! 4. [`Entities::arm`]: the next time at which the entity has to be looked at.
//!
//! So everything that takes effect at one logical time does so together, whatever order it came in.

use std::sync::Arc;

use crate::define::Plan;
use crate::define::expr::Env;
use crate::define::plan::{Entity, Interval};
use crate::flow::nothing::features_over_nothing;
use crate::model::time::FOREVER;
use crate::model::{Contribution, EntityChange, EventTime, FeatureId, Id, KindId, LogicalTime, Value};

use super::bits::Bits;
use super::deadlines::Deadlines;
use super::features::{Column, Given, column};
use super::index::Index;

/// An entity that was touched at the current logical time.
pub(super) struct Touch {
    pub entity: u32,
    /// The features that have to be read again.
    pub dirty: Bits,
    /// The slots that changed, once the entity is settled.
    pub changed: Bits,
    /// Whether a deadline was reached, so that none is armed.
    pub woken: bool,
}

/// A contribution that does not count yet, with what `first` and `last` order by.
#[derive(Clone, PartialEq)]
struct Coming {
    event_time: EventTime,
    order: Value,
    contribution: Contribution,
}

/// What was touched at the current logical time.
#[derive(Default)]
struct Touched {
    touches: Vec<Touch>,
    /// Where an entity stands in `touches`; `u32::MAX` when it was not touched.
    positions: Vec<u32>,
    /// Touches that can be used again, emptied.
    spare: Vec<Touch>,
}

/// All entities of a kind on this worker.
pub(super) struct Entities {
    plan: Arc<Plan>,
    kind: KindId,
    index: Index,
    /// How many live records name each.
    named: Vec<i64>,
    columns: Vec<Box<dyn Column>>,
    /// The view of each: one value per slot.
    rows: Vec<Vec<Value>>,
    /// The features with a window, and for each entity when the first contribution to each of them expires: side by side, so that
    /// asking all of them reads one place.
    windows: Vec<usize>,
    expiries: Vec<LogicalTime>,
    /// Contributions that do not count yet, by the time at which they begin to.
    coming: Vec<Vec<Coming>>,
    deadlines: Deadlines,
    /// Who is due at the current time; kept for its allocation.
    due: Vec<u32>,
    /// The deadline that is armed for each; `FOREVER` when none is.
    armed: Vec<LogicalTime>,
    /// Whether each was settled before.
    settled: Vec<bool>,
    touched: Touched,
    /// A view over nothing, features only.
    nothing: Vec<Value>,
    /// The slots that each attribute uses.
    dependencies: Vec<Bits>,
    /// The attributes that depend on `now`.
    timed: Vec<usize>,
}

impl Entities {
    pub(super) fn new(plan: Arc<Plan>, kind: KindId) -> Entities {
        let entity = &plan.entities[kind.index()];
        let columns = entity.features.iter().map(column).collect();
        let nothing = features_over_nothing(entity);
        let dependencies = entity.attributes.iter().map(|attribute| dependencies_of(entity, &attribute.expr)).collect();
        let timed = |position: &usize| entity.attributes[*position].expr.depends_on_now();
        Entities {
            timed: (0..entity.attributes.len()).filter(timed).collect(),
            kind,
            index: Index::default(),
            named: Vec::new(),
            columns,
            rows: Vec::new(),
            coming: Vec::new(),
            windows: windows_of(entity),
            expiries: Vec::new(),
            due: Vec::new(),
            deadlines: Deadlines::default(),
            armed: Vec::new(),
            settled: Vec::new(),
            touched: Touched::default(),
            nothing,
            dependencies,
            plan,
        }
    }

    /// The id of an entity.
    pub(super) fn id(&self, entity: u32) -> &Id {
        self.index.id(entity)
    }

    /// How many there are, existing or not.
    pub(super) fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether a live record names it.
    pub(super) fn exists(&self, entity: u32) -> bool {
        self.named[entity as usize] > 0
    }

    /// Its view.
    pub(super) fn row(&self, entity: u32) -> &[Value] {
        &self.rows[entity as usize]
    }

    /// The position of an entity, made when it is new.
    pub(super) fn resolve(&mut self, id: &Id) -> u32 {
        let (entity, new) = self.index.resolve(id);
        if new {
            self.named.push(0);
            self.columns.iter_mut().for_each(|column| column.grow());
            self.rows.push(self.nothing.clone());
            self.expiries.extend(std::iter::repeat_n(FOREVER, self.windows.len()));
            self.coming.push(Vec::new());
            self.armed.push(FOREVER);
            self.settled.push(false);
            self.touched.positions.push(u32::MAX);
            self.touch(entity);
        }
        entity
    }

    /// Marks an entity as touched at the current time.
    pub(super) fn touch(&mut self, entity: u32) -> &mut Touch {
        let touched = &mut self.touched;
        let mut position = touched.positions[entity as usize] as usize;
        if position == u32::MAX as usize {
            position = touched.touches.len();
            touched.positions[entity as usize] = position as u32;
            let slots = self.nothing.len();
            let spare = touched.spare.pop();
            touched.touches.push(match spare {
                Some(touch) => Touch { entity, ..touch },
                None => Touch { entity, dirty: Bits::new(slots), changed: Bits::new(slots), woken: false },
            });
        }
        &mut touched.touches[position]
    }

    /// The next time at which anything is due.
    pub(super) fn next_deadline(&self) -> Option<LogicalTime> {
        self.deadlines.next()
    }

    /// Touches the entities that are due at `time`, and lets their contributions begin and expire.
    pub(super) fn wake(&mut self, time: LogicalTime) {
        let mut due = std::mem::take(&mut self.due);
        let armed = &mut self.armed;
        self.deadlines.pop_until(time, |entity| {
            // An entry is stale when the entity was armed for another time since.
            if armed[entity as usize] <= time {
                armed[entity as usize] = FOREVER;
                due.push(entity);
            }
        });
        for entity in due.drain(..) {
            self.touch(entity).woken = true;
            self.let_expire(entity, time);
            self.let_begin(entity, time);
        }
        self.due = due;
    }

    /// When the first contribution to each window of an entity expires.
    fn expiries(&self, entity: u32) -> &[LogicalTime] {
        let count = self.windows.len();
        &self.expiries[entity as usize * count..][..count]
    }

    fn let_expire(&mut self, entity: u32, time: LogicalTime) {
        for window in 0..self.windows.len() {
            if self.expiries(entity)[window] <= time {
                let feature = self.windows[window];
                self.columns[feature].expire(entity, time);
                self.touch(entity).dirty.insert(feature);
            }
        }
    }

    fn let_begin(&mut self, entity: u32, time: LogicalTime) {
        if self.coming[entity as usize].is_empty() {
            return;
        }
        let beginning: Vec<Coming> =
            self.coming[entity as usize].extract_if(.., |coming| coming.contribution.from <= time).collect();
        for Coming { event_time, order, contribution } in beginning {
            self.give(entity, (event_time, &order), &contribution, time);
        }
    }

    /// Applies what a record says of an entity, or takes it back. Says which entity it is.
    pub(super) fn apply(&mut self, change: &EntityChange, time: LogicalTime, diff: isize) -> u32 {
        let entity = self.resolve(&change.id);
        self.touch(entity);
        if change.names {
            self.named[entity as usize] += diff as i64;
        }
        let when = (change.event_time, &change.order);
        for contribution in &change.contributions {
            if diff > 0 {
                self.give(entity, when, contribution, time);
            } else {
                self.take(entity, when, contribution, time);
            }
        }
        entity
    }

    fn give(&mut self, entity: u32, when: When<'_>, contribution: &Contribution, time: LogicalTime) {
        if contribution.until <= time {
            return;
        }
        if contribution.from > time {
            self.coming[entity as usize].push(coming(when, contribution));
            return;
        }
        self.column_mut(entity, contribution.feature).give(entity, &given(when, contribution));
    }

    fn take(&mut self, entity: u32, when: When<'_>, contribution: &Contribution, time: LogicalTime) {
        if contribution.until <= time {
            return;
        }
        if contribution.from > time {
            let (taken, waiting) = (coming(when, contribution), &mut self.coming[entity as usize]);
            if let Some(position) = waiting.iter().position(|waiting| *waiting == taken) {
                waiting.swap_remove(position);
            }
            return;
        }
        self.column_mut(entity, contribution.feature).take(entity, &given(when, contribution));
    }

    /// The column of a feature, which is about to change for an entity that was touched.
    pub(super) fn column_mut(&mut self, entity: u32, feature: FeatureId) -> &mut dyn Column {
        self.touch(entity).dirty.insert(feature.index());
        &mut *self.columns[feature.index()]
    }

    /// The entities touched at the current time, in order of first touch. Ends the current time.
    pub(super) fn take_touched(&mut self, into: &mut Vec<Touch>) {
        for touch in self.touched.touches.drain(..) {
            self.touched.positions[touch.entity as usize] = u32::MAX;
            into.push(touch);
        }
    }

    /// Gives a touch back for use by another entity.
    pub(super) fn recycle(&mut self, mut touch: Touch) {
        touch.dirty.clear();
        touch.changed.clear();
        touch.woken = false;
        self.touched.spare.push(touch);
    }

    /// Reads the dirty features and the attributes that follow from them, and notes which slots changed.
    pub(super) fn settle(&mut self, touch: &mut Touch, time: LogicalTime) {
        // The attributes of a view over nothing have values too: the first settling evaluates all of them.
        let fresh = !std::mem::replace(&mut self.settled[touch.entity as usize], true);
        let row = &mut self.rows[touch.entity as usize];
        for feature in touch.dirty.iter() {
            let value = self.columns[feature].value(touch.entity);
            if row[feature] != value {
                row[feature] = value;
                touch.changed.insert(feature);
            }
        }
        let first = touch.entity as usize * self.windows.len();
        for (window, &feature) in self.windows.iter().enumerate() {
            if touch.dirty.contains(feature) {
                self.expiries[first + window] = self.columns[feature].deadline(touch.entity);
            }
        }
        let kind = &self.plan.entities[self.kind.index()];
        for &position in &kind.evaluation {
            let attribute = &kind.attributes[position];
            let turned = touch.woken && attribute.expr.depends_on_now();
            if fresh || turned || touch.changed.intersects(&self.dependencies[position]) {
                let slot = kind.features.len() + position;
                let value = attribute.expr.eval(&Env::of(row, time)).unwrap_or_default();
                if row[slot] != value {
                    row[slot] = value;
                    touch.changed.insert(slot);
                }
            }
        }
    }

    /// Arms the deadline of an entity: the least of its features', its attributes' and `other`.
    ///
    /// What is armed is never later than what is due.
    pub(super) fn arm(&mut self, touch: &Touch, time: LogicalTime, other: LogicalTime) {
        let entity = touch.entity;
        let mut next = self.expiries(entity).iter().copied().fold(other, LogicalTime::min);
        for coming in &self.coming[entity as usize] {
            next = next.min(coming.contribution.from);
        }
        let env = Env::of(&self.rows[entity as usize], time);
        for &position in &self.timed {
            let attribute = &self.plan.entities[self.kind.index()].attributes[position];
            next = next.min(attribute.expr.next_turn(&env).unwrap_or(FOREVER));
        }
        if next != FOREVER && next < self.armed[entity as usize] {
            self.armed[entity as usize] = next;
            self.deadlines.push(next, entity);
        }
    }
}

/// What `first` and `last` order by: event time, and the input's `order`.
type When<'a> = (EventTime, &'a Value);

fn given<'a>((event_time, order): When<'a>, contribution: &'a Contribution) -> Given<'a> {
    Given { until: contribution.until, event_time, order, value: &contribution.value }
}

fn coming((event_time, order): When<'_>, contribution: &Contribution) -> Coming {
    Coming { event_time, order: order.clone(), contribution: contribution.clone() }
}

/// The features of an entity from which contributions go by themselves.
fn windows_of(entity: &Entity) -> Vec<usize> {
    let features = entity.features.iter().enumerate();
    features
        .filter(|(_, feature)| !matches!(feature.interval, Interval::Always))
        .map(|(position, _)| position)
        .collect()
}

/// The slots of scope 0 that an expression uses.
fn dependencies_of(entity: &Entity, expr: &crate::define::expr::Expr) -> Bits {
    let mut slots = Bits::new(entity.slots());
    for (reference, _) in expr.refs() {
        slots.insert(usize::from(reference.slot));
    }
    slots
}
