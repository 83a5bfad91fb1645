//! What a moment is about for a customer, and names that are nearly right.

use std::collections::BTreeSet;

use super::Problem;
use super::answer::State;
use super::history::MomentSubject;
use super::timeline::Timelines;
use propice_define::Plan;
use propice_model::nearest::did_you_mean;
use propice_model::{Id, MomentId};

/// How many are told in full when none is named.
const IN_FULL: usize = 3;

/// The moment of a name.
pub(super) fn moment_named(plan: &Plan, name: &str) -> Result<MomentId, Problem> {
    match plan.moments.iter().position(|moment| moment.name == name) {
        Some(at) => Ok(MomentId(at as u16)),
        None => {
            let known: Vec<&str> = plan.moments.iter().map(|moment| moment.name.as_str()).collect();
            let nearest = did_you_mean(name, known.iter().copied());
            let text = format!("the pack has no moment `{name}`{nearest}; it has {}", known.join(", "));
            Err(Problem::Unknown(text))
        }
    }
}

/// Everything that a moment is or was about: the entities of today, and those of its episodes.
pub(super) fn all(stories: &Timelines<'_>, id: MomentId) -> Vec<MomentSubject> {
    let Some(kind) = stories.plan.moments[id.index()].about else { return vec![None] };
    let mut subjects: BTreeSet<MomentSubject> =
        stories.life.of_kind(kind).map(|entity| Some((kind, entity.clone()))).collect();
    let transitions = stories.life.transitions.iter().filter(|transition| transition.moment == id);
    subjects.extend(transitions.map(|transition| transition.entity.clone()));
    subjects.into_iter().collect()
}

/// What is told in full, and what in short: the entity that is named, or else those that the moment
/// concerns most.
pub(super) fn of(
    stories: &Timelines<'_>,
    id: MomentId,
    entity: Option<&Id>,
) -> Result<(Vec<MomentSubject>, Vec<MomentSubject>), Problem> {
    let moment = &stories.plan.moments[id.index()];
    let known = all(stories, id);
    let Some(kind) = moment.about else {
        return match entity {
            None => Ok((known, Vec::new())),
            Some(_) => Err(Problem::Unknown(format!("{} is about the customer, not about an entity", moment.name))),
        };
    };
    let kind = &stories.plan.entities[kind.index()].name;
    if let Some(entity) = entity {
        let is_it = |subject: &&MomentSubject| subject.as_ref().is_some_and(|(_, id)| id == entity);
        return match known.iter().find(is_it) {
            Some(subject) => Ok((vec![subject.clone()], Vec::new())),
            None => {
                let ids: Vec<String> = known.iter().flatten().map(|(_, id)| id.to_string()).collect();
                let nearest = did_you_mean(&entity.to_string(), ids.iter().map(String::as_str));
                let customer = stories.customer;
                let text = format!("customer `{customer}` has no {kind} `{entity}`{nearest}; there is {}", some(&ids));
                Err(Problem::Unknown(text))
            }
        };
    }
    if known.is_empty() {
        let text =
            format!("{} is about entities of kind {kind}, and customer `{}` has none", moment.name, stories.customer);
        return Err(Problem::Unknown(text));
    }
    let concern = |subject: &MomentSubject| match stories.state(id, subject) {
        State::Open { .. } => 0,
        State::Holding { .. } => 1,
        _ if stories.life.transitions.iter().any(|known| known.moment == id && known.entity == *subject) => 2,
        State::Silent { .. } => 3,
        State::Gone => 4,
    };
    let mut ranked: Vec<(u8, MomentSubject)> = known.into_iter().map(|subject| (concern(&subject), subject)).collect();
    ranked.sort();
    let concerned = ranked.iter().filter(|(concern, _)| *concern < 3).count();
    let full = if concerned == 0 { ranked.len().min(IN_FULL) } else { concerned.min(IN_FULL) };
    let mut subjects: Vec<MomentSubject> = ranked.into_iter().map(|(_, subject)| subject).collect();
    let short = subjects.split_off(full);
    Ok((subjects, short))
}

fn some(ids: &[String]) -> String {
    const SHOWN: usize = 8;
    match ids {
        [] => "none".to_owned(),
        ids if ids.len() <= SHOWN => ids.join(", "),
        ids => format!("{}, …", ids[..SHOWN].join(", ")),
    }
}
