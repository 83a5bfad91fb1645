//! The dataflow: facts in, transitions and views out, as differences. Pure: no I/O, no wall clock.

pub mod aggregate;
pub mod clock;
pub mod decode;
pub mod empty_view;
pub mod episode;
pub mod exact_sum;
pub mod fused;
mod holidays;
mod invariant;
pub mod policy;
pub mod reference;
pub mod shard;
pub mod state;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use timely::dataflow::Stream;

use propice_define::Plan;
use propice_model::{Fact, Id, KindId, LogicalTime, MomentId, Value};

use policy::{Decision, EpisodeKey};
use state::StateHandle;

/// Differences of `D` at logical times.
pub type Updates<'scope, D> = Stream<'scope, LogicalTime, Vec<(D, LogicalTime, isize)>>;

/// An episode opens or closes. Sorted as it is published: by time, customer, entity, moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub time: LogicalTime,
    /// Of whom.
    pub customer: Id,
    /// About what, for a moment about an entity.
    pub entity: Option<(KindId, Id)>,
    /// Which moment; moments of a plan are in the order of their names.
    pub moment: MomentId,
    /// `true` when the episode opens, `false` when it closes.
    pub opened: bool,
    /// The logical time at which the episode opened (also for `opened`).
    pub since: LogicalTime,
    /// The values of the moment's evidence, at this time. All as over nothing when the customer or
    /// entity ceased to exist.
    pub evidence: Vec<Value>,
}

impl Transition {
    /// The episode that opens or closes.
    pub fn episode(&self) -> EpisodeKey {
        EpisodeKey { moment: self.moment, entity: self.entity.clone(), since: self.since }
    }
}

/// A part of a customer's view: the slots of the customer (`entity` is `None`) or of one of its
/// entities.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewPart {
    /// Whose view.
    pub customer: Id,
    /// Which part.
    pub entity: Option<(KindId, Id)>,
    /// One value per slot: features, then attributes.
    pub slots: Arc<[Value]>,
}

/// What happens in a dataflow, each once, with difference 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Event {
    /// An episode opens or closes.
    Transition(Transition),
    /// What the policy decides of one.
    Decision(Decision),
}

/// What a dataflow gives.
pub struct Flow<'scope> {
    /// Episodes that open and close, and what is decided of them: one stream, since each is a
    /// station of every epoch.
    pub events: Updates<'scope, Event>,
    /// The parts of all views, as differences, when they are asked for.
    pub views: Option<Updates<'scope, ViewPart>>,
}

/// Which of the two dataflows runs a plan. Both mean the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Stateful operators that keep their state in place.
    #[default]
    Fused,
    /// Ordinary differential operators: the executable meaning.
    Reference,
}

/// How a dataflow is built.
#[derive(Clone, Default)]
pub struct BuildOptions {
    /// Whether views are asked for.
    pub with_views: bool,
    /// What asks the operators for what they hold, and gives it back; without one nothing of it
    /// costs anything. Only [`Engine::Fused`] answers, and only of a plan that
    /// [keeps rows](Plan::keeps_rows) are rows complete.
    pub state: Option<StateHandle>,
}

impl From<bool> for BuildOptions {
    /// With views or without, and no more.
    fn from(with_views: bool) -> BuildOptions {
        BuildOptions { with_views, state: None }
    }
}

/// Builds the dataflow of a plan.
pub fn build<'scope>(
    engine: Engine,
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    options: &BuildOptions,
) -> Flow<'scope> {
    let (facts, holidays) = holidays::split(plan, facts);
    match engine {
        Engine::Fused => fused::build(plan, facts, holidays, options),
        Engine::Reference => reference::build(plan, facts, holidays, options.with_views),
    }
}
