//! Personal data that leaves with a trigger: fields that inputs call personal, as far as what is
//! computed of them shows them.

use super::Lint;
use crate::pack::problem::{Problem, Problems};
use crate::plan::{Aggregate, Feature, FeatureSource};
use propice_model::{KindId, Type};

/// Which slots show a personal value, by kind.
type Shows = Vec<Vec<bool>>;

/// Warns of every personal value that a moment shares.
pub(super) fn check(lint: &Lint<'_>, problems: &mut Problems) {
    if lint.ground.inputs.iter().all(|shape| shape.personal.is_empty()) {
        return;
    }
    let shows = shows(lint);
    for (raw, moment) in lint.moments {
        let Some(moment) = moment else { continue };
        let of = |scope: u8| if scope == 0 { KindId::CUSTOMER } else { moment.about.unwrap_or(KindId::CUSTOMER) };
        for (position, share) in moment.shares.iter().enumerate() {
            let is_personal = shows[of(share.scope).index()].get(usize::from(share.slot)).copied().unwrap_or(false);
            if !is_personal {
                continue;
            }
            let spelled = raw.shares.as_ref().and_then(|shares| shares.get(position)).or(raw.when.as_ref());
            let span = spelled.map_or(&raw.name.span, |text| &text.span);
            let (moment, name) = (raw.name.value.clone(), share.name.clone());
            problems.add(Problem::PersonalShared { moment, name }, span);
        }
    }
}

fn shows(lint: &Lint<'_>) -> Shows {
    let slots = |position: usize| lint.kinds[position].features.len() + lint.kinds[position].attributes.len();
    let mut shows: Shows = (0..lint.kinds.len()).map(|position| vec![false; slots(position)]).collect();
    // The customer comes last: its rollups look at the slots of its entities.
    for position in (1..lint.kinds.len()).chain(0..lint.kinds.len().min(1)) {
        let kind = &lint.kinds[position];
        for (slot, feature) in kind.features.iter().enumerate() {
            shows[position][slot] = feature.as_ref().is_some_and(|feature| feature_shows(lint, feature, &shows));
        }
        for &attribute in &kind.evaluation {
            let Some(compiled) = &kind.attributes[attribute] else { continue };
            let mut refs = compiled.expr.refs().iter();
            let uses = refs.any(|(reference, _)| shows[position].get(usize::from(reference.slot)) == Some(&true));
            // Whether something is so does not show it.
            shows[position][kind.features.len() + attribute] = uses && compiled.ty != Type::Bool;
        }
    }
    shows
}

/// Whether a feature shows values of its argument, one of them personal.
fn feature_shows(lint: &Lint<'_>, feature: &Feature, shows: &Shows) -> bool {
    let shows_values = match feature.aggregate {
        Aggregate::First
        | Aggregate::Last
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Set(_)
        | Aggregate::Top
        | Aggregate::TopList(_) => true,
        Aggregate::Count | Aggregate::Sum | Aggregate::Avg | Aggregate::Stddev | Aggregate::Distinct => false,
    };
    let Some(argument) = feature.argument.as_ref().filter(|argument| shows_values && *argument.ty() != Type::Bool)
    else {
        return false;
    };
    argument.refs().iter().any(|(reference, _)| match feature.source {
        FeatureSource::Records { input, .. } => {
            lint.ground.inputs[input.index()].personal.iter().any(|field| field.0 == reference.slot)
        }
        FeatureSource::Entities(of) => shows[of.index()].get(usize::from(reference.slot)) == Some(&true),
    })
}
