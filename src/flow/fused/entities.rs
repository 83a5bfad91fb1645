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
use crate::define::plan::Entity;
use crate::flow::aggregate::null_or_zero;
use crate::model::time::FOREVER;
use crate::model::{Contribution, EntityChange, FeatureId, Id, KindId, LogicalTime, Value};

use super::bits::Bits;
use super::deadlines::Deadlines;
use super::features::{Column, Given, column};
use super::index::Index;

/// What was touched at the current logical time.
#[derive(Default)]
struct Touched {
    entities: Vec<u32>,
    /// The features of each that have to be read again; parallel to `entities`.
    dirty: Vec<Bits>,
    /// Where an entity stands in `entities`; `u32::MAX` when it was not touched.
    positions: Vec<u32>,
    /// Sets that can be used again.
    spare: Vec<Bits>,
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
    /// Contributions that do not count yet, by the time at which they begin to.
    coming: Vec<Vec<Contribution>>,
    deadlines: Deadlines,
    /// The deadline that is armed for each; `FOREVER` when none is.
    armed: Vec<LogicalTime>,
    /// Whether each was settled before.
    settled: Vec<bool>,
    touched: Touched,
    /// A view over nothing, features only.
    nothing: Vec<Value>,
    /// The slots that each attribute uses.
    dependencies: Vec<Bits>,
}

impl Entities {
    pub(super) fn new(plan: Arc<Plan>, kind: KindId) -> Entities {
        let entity = &plan.entities[kind.index()];
        let columns = entity.features.iter().map(column).collect();
        let nothing = nothing_of(entity);
        let dependencies = entity.attributes.iter().map(|attribute| dependencies_of(entity, &attribute.expr)).collect();
        Entities {
            kind,
            index: Index::default(),
            named: Vec::new(),
            columns,
            rows: Vec::new(),
            coming: Vec::new(),
            deadlines: Deadlines::default(),
            armed: Vec::new(),
            settled: Vec::new(),
            touched: Touched::default(),
            nothing,
            dependencies,
            plan,
        }
    }

    fn entity(&self) -> &Entity {
        &self.plan.entities[self.kind.index()]
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
            self.coming.push(Vec::new());
            self.armed.push(FOREVER);
            self.settled.push(false);
            self.touched.positions.push(u32::MAX);
            self.touch(entity);
        }
        entity
    }

    /// Marks an entity as touched at the current time.
    pub(super) fn touch(&mut self, entity: u32) -> usize {
        let position = self.touched.positions[entity as usize];
        if position != u32::MAX {
            return position as usize;
        }
        let position = self.touched.entities.len();
        self.touched.positions[entity as usize] = position as u32;
        self.touched.entities.push(entity);
        let slots = self.nothing.len();
        let dirty = self.touched.spare.pop().unwrap_or_else(|| Bits::new(slots));
        self.touched.dirty.push(dirty);
        position
    }

    /// The next time at which anything is due.
    pub(super) fn next_deadline(&self) -> Option<LogicalTime> {
        self.deadlines.next()
    }

    /// Touches the entities that are due at `time`, and lets their contributions begin and expire.
    pub(super) fn wake(&mut self, time: LogicalTime) {
        let mut due = Vec::new();
        let armed = &mut self.armed;
        self.deadlines.pop_until(time, |entity| {
            // An entry is stale when the entity was armed for another time since.
            if armed[entity as usize] <= time {
                armed[entity as usize] = FOREVER;
                due.push(entity);
            }
        });
        for entity in due {
            self.touch(entity);
            self.let_expire(entity, time);
            self.let_begin(entity, time);
        }
    }

    fn let_expire(&mut self, entity: u32, time: LogicalTime) {
        let position = self.touch(entity);
        for (feature, column) in self.columns.iter_mut().enumerate() {
            if column.deadline(entity) <= time {
                column.expire(entity, time);
                self.touched.dirty[position].insert(feature);
            }
        }
    }

    fn let_begin(&mut self, entity: u32, time: LogicalTime) {
        let beginning: Vec<Contribution> =
            self.coming[entity as usize].extract_if(.., |contribution| contribution.from <= time).collect();
        for contribution in beginning {
            self.give(entity, &contribution, time);
        }
    }

    /// Applies what a record says of an entity, or takes it back. Says which entity it is.
    pub(super) fn apply(&mut self, change: &EntityChange, time: LogicalTime, diff: isize) -> u32 {
        let entity = self.resolve(&change.id);
        self.touch(entity);
        if change.names {
            self.named[entity as usize] += diff as i64;
        }
        for contribution in &change.contributions {
            if diff > 0 {
                self.give(entity, contribution, time);
            } else {
                self.take(entity, contribution, time);
            }
        }
        entity
    }

    fn give(&mut self, entity: u32, contribution: &Contribution, time: LogicalTime) {
        if contribution.until <= time {
            return;
        }
        if contribution.from > time {
            self.coming[entity as usize].push(contribution.clone());
            return;
        }
        self.column_mut(entity, contribution.feature).give(entity, &given(contribution));
    }

    fn take(&mut self, entity: u32, contribution: &Contribution, time: LogicalTime) {
        if contribution.until <= time {
            return;
        }
        if contribution.from > time {
            let coming = &mut self.coming[entity as usize];
            if let Some(position) = coming.iter().position(|waiting| waiting == contribution) {
                coming.swap_remove(position);
            }
            return;
        }
        self.column_mut(entity, contribution.feature).take(entity, &given(contribution));
    }

    /// The column of a feature, which is about to change for an entity that was touched.
    pub(super) fn column_mut(&mut self, entity: u32, feature: FeatureId) -> &mut dyn Column {
        let position = self.touch(entity);
        self.touched.dirty[position].insert(feature.index());
        &mut *self.columns[feature.index()]
    }

    /// The entities touched at the current time, in order of first touch. Ends the current time.
    pub(super) fn take_touched(&mut self, into: &mut Vec<(u32, Bits)>) {
        for (entity, dirty) in self.touched.entities.drain(..).zip(self.touched.dirty.drain(..)) {
            self.touched.positions[entity as usize] = u32::MAX;
            into.push((entity, dirty));
        }
    }

    /// Gives a set back for use by another entity.
    pub(super) fn recycle(&mut self, mut bits: Bits) {
        bits.clear();
        self.touched.spare.push(bits);
    }

    /// Reads the dirty features and the attributes that follow from them. Turns `slots` (dirty on entry) into the slots that
    /// changed.
    pub(super) fn settle(&mut self, entity: u32, slots: &mut Bits, time: LogicalTime) {
        // The attributes of a view over nothing have values too: the first settling evaluates all of them.
        let fresh = !std::mem::replace(&mut self.settled[entity as usize], true);
        let mut changed = Bits::new(self.nothing.len());
        let row = &mut self.rows[entity as usize];
        for feature in slots.iter() {
            let value = self.columns[feature].value(entity);
            if row[feature] != value {
                row[feature] = value;
                changed.insert(feature);
            }
        }
        let kind = &self.plan.entities[self.kind.index()];
        for &position in &kind.evaluation {
            let attribute = &kind.attributes[position];
            if fresh || attribute.expr.depends_on_now() || changed.intersects(&self.dependencies[position]) {
                let slot = kind.features.len() + position;
                let value = attribute.expr.eval(&Env::of(row, time)).unwrap_or_default();
                if row[slot] != value {
                    row[slot] = value;
                    changed.insert(slot);
                }
            }
        }
        *slots = changed;
    }

    /// Arms the deadline of an entity: the least of its features', its attributes' and `other`.
    pub(super) fn arm(&mut self, entity: u32, time: LogicalTime, other: LogicalTime) {
        let features = self.columns.iter().map(|column| column.deadline(entity));
        let coming = self.coming[entity as usize].iter().map(|contribution| contribution.from);
        let row = &self.rows[entity as usize];
        let env = Env::of(row, time);
        let attributes =
            self.entity().attributes.iter().filter_map(|attribute| {
                attribute.expr.depends_on_now().then(|| attribute.expr.next_turn(&env)).flatten()
            });
        let next = features.chain(coming).chain(attributes).fold(other, LogicalTime::min);
        if next != FOREVER && next < self.armed[entity as usize] {
            self.armed[entity as usize] = next;
            self.deadlines.push(next, entity);
        }
    }
}

fn given(contribution: &Contribution) -> Given<'_> {
    Given {
        until: contribution.until,
        event_time: contribution.event_time,
        order: &contribution.order,
        value: &contribution.value,
    }
}

/// The features of a view over nothing, and null for the attributes.
fn nothing_of(entity: &Entity) -> Vec<Value> {
    let features = entity.features.iter().map(|feature| null_or_zero(feature.aggregate, &feature.ty));
    features.chain(entity.attributes.iter().map(|_| Value::Null)).collect()
}

/// A view over nothing at `time`, with its attributes.
pub(super) fn row_over_nothing(plan: &Plan, kind: KindId, time: LogicalTime) -> Vec<Value> {
    let entity = &plan.entities[kind.index()];
    let mut row = nothing_of(entity);
    for &position in &entity.evaluation {
        let value = entity.attributes[position].expr.eval(&Env::of(&row, time)).unwrap_or_default();
        row[entity.features.len() + position] = value;
    }
    row
}

/// The slots of scope 0 that an expression uses.
fn dependencies_of(entity: &Entity, expr: &crate::define::expr::Expr) -> Bits {
    let mut slots = Bits::new(entity.slots());
    for (reference, _) in expr.refs() {
        slots.insert(usize::from(reference.slot));
    }
    slots
}
