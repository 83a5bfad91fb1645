//! What goes out to sinks: transitions and decisions, with what is made of them. The id of an
//! episode and the trigger of a decision are made when the first sink asks for them, and shared by
//! all.

use std::cell::OnceCell;

use crate::trigger::{self, Trigger};
use propice_define::Plan;
use propice_flow::Transition;
use propice_flow::episode::{episode_id, id_of};
use propice_flow::policy::Decision;
use propice_model::{Id, LogicalTime};

/// A transition on its way to the sinks.
#[derive(Debug)]
pub struct OutgoingTransition<'a> {
    /// The transition.
    pub transition: &'a Transition,
    plan: &'a Plan,
    episode: OnceCell<String>,
}

impl<'a> OutgoingTransition<'a> {
    /// The transitions of a plan, in their order.
    pub fn all(plan: &'a Plan, transitions: &'a [Transition]) -> Vec<OutgoingTransition<'a>> {
        let outgoing = |transition| OutgoingTransition { transition, plan, episode: OnceCell::new() };
        transitions.iter().map(outgoing).collect()
    }

    /// The id of the episode that opens or closes.
    pub fn episode_id(&self) -> &str {
        self.episode.get_or_init(|| episode_id(self.plan, self.transition))
    }
}

/// A decision on its way to the sinks.
#[derive(Debug)]
pub struct OutgoingDecision<'a> {
    /// The decision.
    pub decision: &'a Decision,
    plan: &'a Plan,
    /// Of what is published: its position among what is published of the same customer at the same
    /// time.
    position: Option<u32>,
    episode: OnceCell<String>,
    trigger: OnceCell<Option<Trigger>>,
}

impl<'a> OutgoingDecision<'a> {
    /// The decisions of a plan, in their order. Decisions of one logical time come in one slice:
    /// their positions in it are part of the sequence of their triggers.
    pub fn all(plan: &'a Plan, decisions: &'a [Decision]) -> Vec<OutgoingDecision<'a>> {
        let mut before: Option<(LogicalTime, &Id)> = None;
        let mut last = 0_u32;
        let outgoing = |decision: &'a Decision| {
            let position = trigger::is_published(decision).then(|| {
                let here = Some((decision.time, &decision.customer));
                last = if before == here { last + 1 } else { 0 };
                before = here;
                last
            });
            OutgoingDecision { decision, plan, position, episode: OnceCell::new(), trigger: OnceCell::new() }
        };
        decisions.iter().map(outgoing).collect()
    }

    /// The id of its episode; `None` for a receipt that answers no release.
    pub fn episode_id(&self) -> Option<&str> {
        let episode = self.decision.episode.as_ref()?;
        Some(self.episode.get_or_init(|| id_of(self.plan, &self.decision.customer, episode)))
    }

    /// Its trigger, when it is published.
    pub fn trigger(&self) -> Option<&Trigger> {
        let made = || trigger::trigger(self.plan, self.decision, self.episode_id()?, self.position?);
        self.trigger.get_or_init(made).as_ref()
    }

    /// The channel (position in `Plan::channels`) of what is published.
    pub fn channel(&self) -> Option<u16> {
        self.decision.judgement().and_then(|judgement| judgement.channel)
    }
}
