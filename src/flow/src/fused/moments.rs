//! Which conditions hold for a customer, since when, and which episodes are open.
//!
//! A condition is looked at once per logical time, after everything that takes effect at that time, and only when
//! something that it uses has changed, or `now` may have turned it; and not while its guard is false ([`Guards`]).
//!
//! ```text
//!           condition turns true                    it has held for `for`
//! (nothing) ────────────────────▶ holds since t ─────────────────────────▶ open since t + for
//!     ▲                                │                                        │
//!     └────────────────────────────────┴──── condition turns false ◀────────────┘  closed
//! ```

use std::sync::Arc;

use crate::Transition;
use crate::nothing::row_over_nothing;
use propice_define::Plan;
use propice_define::expr::{Env, Guard};
use propice_define::plan::Moment;
use propice_model::time::FOREVER;
use propice_model::{Id, KindId, LogicalTime, MomentId, Value};

use super::bits::Bits;
use super::entities::slots_of;
use super::guards::Guards;

/// An entity of a customer, as a moment sees it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub kind: KindId,
    pub id: Id,
    pub slots: Arc<[Value]>,
    /// The logical time at which its slots changed last.
    pub changed_at: LogicalTime,
}

/// A condition that holds.
#[derive(Debug)]
struct Holding {
    moment: MomentId,
    entity: Option<(KindId, Id)>,
    since: LogicalTime,
    opened: Option<LogicalTime>,
}

/// What is known of the conditions of one customer.
#[derive(Default, Debug)]
pub(super) struct Situation {
    holding: Vec<Holding>,
}

impl Situation {
    /// Whether the first of the conditions that hold has held for long enough.
    #[inline]
    pub(super) fn first_is_open(&self) -> bool {
        self.holding.first().is_some_and(|holding| holding.opened.is_some())
    }
}

/// A customer at a logical time.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub time: LogicalTime,
    pub customer: &'a Id,
    pub row: &'a [Value],
    pub parts: &'a [Part],
    /// The slots of the customer that changed at this time.
    pub changed: &'a Bits,
    /// Whether a deadline was reached, so that conditions may have turned by themselves.
    pub woken: bool,
    /// Whether everything has to be looked at: the customer is new.
    pub all: bool,
}

/// The moments of a plan.
pub(super) struct Moments {
    plan: Arc<Plan>,
    guards: Guards,
    /// The slots of the customer that each moment uses.
    uses: Vec<Bits>,
    /// The moments that depend on `now`.
    timed: Bits,
    /// The moments about entities of each kind.
    about: Vec<Vec<MomentId>>,
    /// Those that are looked at; kept for its allocation.
    again: Bits,
}

impl Moments {
    pub(super) fn new(plan: Arc<Plan>) -> Moments {
        let moments = plan.moments.len();
        let uses = plan.moments.iter().map(|moment| slots_of(&moment.when, plan.entities[0].slots())).collect();
        let mut timed = Bits::new(moments);
        let mut about = vec![Vec::new(); plan.entities.len()];
        for (position, moment) in plan.moments.iter().enumerate() {
            if moment.when.depends_on_now() {
                timed.insert(position);
            }
            if let Some(kind) = moment.about {
                about[kind.index()].push(MomentId(position as u16));
            }
        }
        Moments { guards: Guards::new(&plan), uses, timed, about, again: Bits::new(moments), plan }
    }

    /// The next end of a window by which a condition may turn of the customer that was looked at last; `until` tells when one breaks a
    /// guard. Windows each of whose ends may turn one are added to those that are waited for.
    pub(super) fn next_end(
        &self,
        situation: &Situation,
        to: &mut Bits,
        until: impl Fn(&Guard) -> LogicalTime,
    ) -> LogicalTime {
        self.guards.add_turning(to);
        let ends = situation.holding.iter().map(|holding| self.guards.ends_at(holding.moment, to, &until));
        ends.min().unwrap_or(FOREVER)
    }

    /// Looks at a customer that exists. Transitions go to `out`.
    pub(super) fn look(&mut self, situation: &mut Situation, look: &Look<'_>, out: &mut Vec<Transition>) {
        let mut again = std::mem::take(&mut self.again);
        self.guards.read(look.row);
        self.find(situation, look, &mut again);
        for position in again.iter() {
            let (id, moment) = (MomentId(position as u16), &self.plan.moments[position]);
            match moment.about {
                None => {
                    let holds = moment.when.holds(&Env::of(look.row, look.time));
                    self.turn(situation, id, None, holds, look, out);
                }
                Some(kind) => {
                    for part in look.parts.iter().filter(|part| part.kind == kind) {
                        self.look_at_part(situation, id, part, look, out);
                    }
                }
            }
        }
        for part in look.parts.iter().filter(|part| part.changed_at == look.time) {
            for &id in self.about[part.kind.index()].iter().filter(|id| !again.contains(id.index())) {
                self.look_at_part(situation, id, part, look, out);
            }
        }
        again.clear();
        self.again = again;
        self.close_parted(situation, look, out);
        self.open_due(situation, look, out);
    }

    /// Finds the moments whose condition may have turned.
    fn find(&self, situation: &Situation, look: &Look<'_>, again: &mut Bits) {
        let is_concerned = |moment: MomentId| {
            look.all
                || self.uses[moment.index()].intersects(look.changed)
                || (look.woken && self.timed.contains(moment.index()))
        };
        self.guards.awake(|moment| {
            if is_concerned(moment) {
                again.insert(moment.index());
            }
        });
        // What has held may sleep from now on.
        for holding in situation.holding.iter().filter(|holding| is_concerned(holding.moment)) {
            again.insert(holding.moment.index());
        }
    }

    fn look_at_part(
        &self,
        situation: &mut Situation,
        id: MomentId,
        part: &Part,
        look: &Look<'_>,
        out: &mut Vec<Transition>,
    ) {
        let env = Env { row: look.row, entity: &part.slots, now: look.time };
        self.turn(situation, id, Some(part), self.moment(id).when.holds(&env), look, out);
    }

    /// Closes everything of a customer that ceased to exist.
    pub(super) fn close_all(
        &self,
        situation: &mut Situation,
        customer: &Id,
        time: LogicalTime,
        out: &mut Vec<Transition>,
    ) {
        let row = row_over_nothing(&self.plan, KindId::CUSTOMER, time);
        let changed = Bits::default();
        let look = Look { time, customer, row: &row, parts: &[], changed: &changed, woken: false, all: true };
        for holding in situation.holding.drain(..) {
            self.close(&holding, &look, out);
        }
    }

    /// Notes that a condition holds or does not.
    fn turn(
        &self,
        situation: &mut Situation,
        moment: MomentId,
        part: Option<&Part>,
        holds: bool,
        look: &Look<'_>,
        out: &mut Vec<Transition>,
    ) {
        let known = situation.holding.iter().position(|holding| {
            holding.moment == moment
                && match (&holding.entity, part) {
                    (None, None) => true,
                    (Some((kind, id)), Some(part)) => *kind == part.kind && *id == part.id,
                    _ => false,
                }
        });
        match (known, holds) {
            (None, true) => {
                let entity = part.map(|part| (part.kind, part.id.clone()));
                situation.holding.push(Holding { moment, entity, since: look.time, opened: None });
            }
            (Some(position), false) => {
                let holding = situation.holding.swap_remove(position);
                self.close(&holding, look, out);
            }
            _ => {}
        }
    }

    /// Closes what is about an entity that belongs to the customer no more.
    fn close_parted(&self, situation: &mut Situation, look: &Look<'_>, out: &mut Vec<Transition>) {
        if situation.holding.is_empty() {
            return;
        }
        let parted = |holding: &mut Holding| match &holding.entity {
            None => false,
            Some((kind, id)) => !look.parts.iter().any(|part| part.kind == *kind && part.id == *id),
        };
        for holding in situation.holding.extract_if(.., parted) {
            self.close(&holding, look, out);
        }
    }

    /// Opens what has held for long enough.
    fn open_due(&self, situation: &mut Situation, look: &Look<'_>, out: &mut Vec<Transition>) {
        for holding in situation.holding.iter_mut().filter(|holding| holding.opened.is_none()) {
            if self.opens_at(holding) <= look.time {
                holding.opened = Some(look.time);
                out.push(self.transition(holding, true, look.time, look));
            }
        }
    }

    fn close(&self, holding: &Holding, look: &Look<'_>, out: &mut Vec<Transition>) {
        if let Some(since) = holding.opened {
            out.push(self.transition(holding, false, since, look));
        }
    }

    fn opens_at(&self, holding: &Holding) -> LogicalTime {
        holding.since.saturating_add(self.moment(holding.moment).for_ms.unsigned_abs())
    }

    fn moment(&self, moment: MomentId) -> &Moment {
        &self.plan.moments[moment.index()]
    }

    fn transition(&self, holding: &Holding, opened: bool, since: LogicalTime, look: &Look<'_>) -> Transition {
        let nothing;
        let entity: &[Value] = match &holding.entity {
            None => &[],
            Some((kind, id)) => match look.parts.iter().find(|part| part.kind == *kind && part.id == *id) {
                Some(part) => &part.slots,
                None => {
                    nothing = row_over_nothing(&self.plan, *kind, look.time);
                    &nothing
                }
            },
        };
        let evidence = self.moment(holding.moment).evidence.iter().map(|evidence| {
            let row = if evidence.scope == 0 { look.row } else { entity };
            row[usize::from(evidence.slot)].clone()
        });
        Transition {
            time: look.time,
            customer: look.customer.clone(),
            entity: holding.entity.clone(),
            moment: holding.moment,
            opened,
            since,
            evidence: evidence.collect(),
        }
    }

    /// The next time after `look.time` at which a condition may turn by itself, or has held for long enough.
    pub(super) fn next_look(&self, situation: &Situation, look: &Look<'_>) -> LogicalTime {
        let waiting = situation.holding.iter().filter(|holding| holding.opened.is_none());
        let mut next = waiting.map(|holding| self.opens_at(holding)).min().unwrap_or(FOREVER);
        if self.timed.is_empty() {
            return next;
        }
        self.guards.awake(|id| {
            if !self.timed.contains(id.index()) {
                return;
            }
            let moment = self.moment(id);
            let mut turns = |entity: &[Value]| {
                let env = Env { row: look.row, entity, now: look.time };
                next = next.min(moment.when.next_turn(&env).unwrap_or(FOREVER));
            };
            match moment.about {
                None => turns(&[]),
                Some(kind) => look.parts.iter().filter(|part| part.kind == kind).for_each(|part| turns(&part.slots)),
            }
        });
        next
    }
}
