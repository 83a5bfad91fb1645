//! A customer at one logical time, as the policy sees it.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::empty_view::empty_row;
use propice_define::expr::{Env, Expr};
use propice_define::plan::{DataKinds, Evidence, Moment, ReceiptKind};
use propice_model::{EventTime, Id, KindId, LogicalTime, Value};

use super::calendar::HolidayTable;
use super::{EpisodeKey, Policy, Shown};

/// The views of the entities of a customer.
pub trait EntityViews {
    /// The slots of an entity that belongs to the customer.
    fn slots(&self, kind: KindId, id: &Id) -> Option<&[Value]>;
}

/// A customer at one logical time.
pub struct Snapshot<'a> {
    /// The logical time.
    pub time: LogicalTime,
    /// Who.
    pub customer: &'a Id,
    /// Whether the customer exists.
    pub exists: bool,
    /// Its slots; those over nothing when it does not exist.
    pub row: &'a [Value],
    /// Its entities.
    pub parts: &'a dyn EntityViews,
    /// The holidays at this time.
    pub holidays: &'a HolidayTable,
}

/// The next time at which something may be decided though nothing changes.
pub(super) struct Wake {
    now: LogicalTime,
    next: Cell<LogicalTime>,
}

impl Wake {
    pub(super) fn new(now: LogicalTime) -> Wake {
        Wake { now, next: Cell::new(LogicalTime::MAX) }
    }

    /// Asks to be called at a time, if that is to come.
    pub(super) fn at(&self, time: LogicalTime) {
        if time > self.now && time < self.next.get() {
            self.next.set(time);
        }
    }

    pub(super) fn next(&self) -> Option<LogicalTime> {
        Some(self.next.get()).filter(|next| *next != LogicalTime::MAX)
    }
}

/// The state of mind at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mood {
    pub is_negative: bool,
    /// When it is not any more, if that is known.
    pub until: Option<LogicalTime>,
}

/// A receipt that counts.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub at: EventTime,
    pub kind: Option<ReceiptKind>,
    pub trigger: Option<Arc<str>>,
    pub channel: Option<Arc<str>>,
    pub purpose: Option<Arc<str>>,
    pub until: Option<LogicalTime>,
}

/// A snapshot with what the gates ask of it, each computed once and only when it is asked for.
pub(super) struct EvaluationContext<'a> {
    pub policy: &'a Policy,
    pub snapshot: &'a Snapshot<'a>,
    pub wake: &'a Wake,
    denied: OnceCell<DataKinds>,
    mood: OnceCell<Mood>,
    zone: OnceCell<TimeZone>,
    heard: OnceCell<Vec<Heard>>,
}

impl<'a> EvaluationContext<'a> {
    pub(super) fn new(policy: &'a Policy, snapshot: &'a Snapshot<'a>, wake: &'a Wake) -> EvaluationContext<'a> {
        EvaluationContext {
            policy,
            snapshot,
            wake,
            denied: OnceCell::new(),
            mood: OnceCell::new(),
            zone: OnceCell::new(),
            heard: OnceCell::new(),
        }
    }

    pub(super) fn now(&self) -> LogicalTime {
        self.snapshot.time
    }

    /// What conditions and texts over the customer are evaluated over. They do not know of `now`,
    /// and never turn by themselves.
    fn customer(&self) -> Env<'_> {
        Env::of(self.snapshot.row, self.now())
    }

    /// Whether a condition over the customer holds.
    pub(super) fn holds(&self, condition: &Expr) -> bool {
        condition.holds(&self.customer())
    }

    /// Whether a condition holds. Asks to be called again when it turns by itself.
    pub(super) fn holds_in(&self, condition: &Expr, env: &Env<'_>) -> bool {
        if condition.depends_on_now()
            && let Some(turn) = condition.next_change_point(env)
        {
            self.wake.at(turn);
        }
        condition.holds(env)
    }

    /// A text over the customer; `None` when it is null, or none is declared.
    pub(super) fn text(&self, expr: Option<&Expr>) -> Option<Arc<str>> {
        expr?.text(&self.customer())
    }

    /// The kinds of data that the customer does not consent to.
    pub(super) fn denied(&self) -> DataKinds {
        *self.denied.get_or_init(|| self.policy.plan.policy.denied(&self.customer()))
    }

    pub(super) fn mood(&self) -> Mood {
        *self.mood.get_or_init(|| self.policy.mood(self))
    }

    pub(super) fn zone(&self) -> &TimeZone {
        self.zone.get_or_init(|| {
            let name = self.text(self.policy.plan.policy.zone.as_ref());
            self.policy.zones.named(name.as_deref())
        })
    }

    pub(super) fn heard(&self) -> &[Heard] {
        self.heard.get_or_init(|| self.policy.heard(self))
    }

    /// What the policy reads of the customer beyond its view.
    pub(super) fn own_slots(&self) -> Option<&[Value]> {
        self.snapshot.parts.slots(self.policy.plan.policy.kind?, self.snapshot.customer)
    }

    /// The slots of the entity that an episode is about; over nothing when it is the customer's no
    /// more.
    pub(super) fn with_env<T>(&self, key: &EpisodeKey, then: impl FnOnce(&Env<'_>) -> T) -> T {
        let nothing;
        let entity: &[Value] = match &key.entity {
            None => &[],
            Some((kind, id)) => match self.snapshot.parts.slots(*kind, id) {
                Some(slots) => slots,
                None => {
                    nothing = empty_row(&self.policy.plan, *kind, self.now());
                    &nothing
                }
            },
        };
        then(&Env { row: self.snapshot.row, entity, now: self.now() })
    }

    /// The values of some names of a moment, but for what is withheld.
    pub(super) fn shown(&self, key: &EpisodeKey, names: &[Evidence]) -> Vec<Shown> {
        let denied = self.denied();
        self.with_env(key, |env| {
            let shown = names.iter().map(|name| match name.data & denied {
                0 => {
                    let row = if name.scope == 0 { env.row } else { env.entity };
                    Shown::Value(row.get(usize::from(name.slot)).cloned().unwrap_or_default())
                }
                withheld => Shown::Withheld(withheld.trailing_zeros() as u8),
            });
            shown.collect()
        })
    }

    pub(super) fn moment(&self, key: &EpisodeKey) -> &'a Moment {
        self.policy.moment(key.moment)
    }
}
