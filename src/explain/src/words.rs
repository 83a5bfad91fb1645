//! How features, records and states are told, in English and in French, side by side.

use propice_define::Plan;
use propice_define::plan::{Aggregate, Budget, Feature, FeatureSource, Interval, Per, Period};
use propice_edge::trigger::language::{Language, Teller};
use propice_model::Id;

/// How a feature is computed.
pub(super) fn feature(teller: &Teller, plan: &Plan, feature: &Feature) -> String {
    if feature.implied {
        return implied(teller, plan, feature);
    }
    let argument = feature.argument.as_ref().map(propice_define::expr::Expr::source);
    let pick = |en: &str, fr: &str| teller.language.pick(en, fr).to_owned();
    let (what, of) = match feature.aggregate {
        Aggregate::Count => (pick("how many", "nombre"), argument),
        Aggregate::Sum => (pick("sum of", "somme de"), argument),
        Aggregate::Avg => (pick("mean of", "moyenne de"), argument),
        Aggregate::Stddev => (pick("standard deviation of", "écart-type de"), argument),
        Aggregate::Min => (pick("least", "minimum de"), argument),
        Aggregate::Max => (pick("greatest", "maximum de"), argument),
        Aggregate::First => (pick("first", "premier"), argument),
        Aggregate::Last => (pick("latest", "dernier"), argument),
        Aggregate::Distinct => (pick("how many different", "nombre de valeurs différentes de"), argument),
        Aggregate::Set(_) => (pick("which values of", "valeurs de"), argument),
        Aggregate::Top | Aggregate::TopList(_) => (pick("most frequent", "le plus fréquent :"), argument),
    };
    let from = match feature.source {
        FeatureSource::Records { input, .. } => plan.inputs[input.index()].name.clone(),
        FeatureSource::Entities(kind) => {
            let name = &plan.entities[kind.index()].name;
            teller.language.pick(format!("all of kind {name}"), format!("tous les {name}"))
        }
    };
    let between = if feature.aggregate == Aggregate::Count && of.is_none() {
        teller.language.pick(" in", " dans")
    } else {
        teller.language.pick(" of", " de")
    };
    let of = of.map_or(String::new(), |of| format!(" {of}"));
    let filter = feature
        .filter
        .as_ref()
        .map_or(String::new(), |filter| format!(" {} {}", teller.language.pick("where", "où"), filter.source()));
    format!("{what}{of}{between} {from}{filter}{}", window(teller, &feature.interval))
}

/// A field of a table, or what the policy keeps.
fn implied(teller: &Teller, plan: &Plan, feature: &Feature) -> String {
    let FeatureSource::Records { input, .. } = feature.source else { return String::new() };
    let name = &plan.inputs[input.index()].name;
    if feature.aggregate == Aggregate::Last {
        return teller.language.pick(format!("the current row of {name}"), format!("la ligne actuelle de {name}"));
    }
    teller.language.pick(format!("what {name} tell"), format!("ce que dit {name}"))
}

fn window(teller: &Teller, interval: &Interval) -> String {
    let pick = |en: String, fr: String| teller.language.pick(en, fr);
    match interval {
        Interval::Always => String::new(),
        Interval::Window { length_ms, pane_ms } => {
            let length = teller.duration(*length_ms);
            let pane = pane_ms.map_or(String::new(), |pane| {
                let pane = teller.duration(pane);
                pick(format!(" (to the end of {pane})"), format!(" (par pas de {pane})"))
            });
            pick(format!(", of the last {length}{pane}"), format!(", sur {length}{pane}"))
        }
        Interval::During { from, until } => {
            let (from, until) = (from.source(), until.source());
            pick(format!(", from {from} until {until}"), format!(", de {from} à {until}"))
        }
    }
}

pub(super) fn told_above(teller: &Teller) -> String {
    teller.language.pick("told above", "dit plus haut").to_owned()
}

pub(super) fn no_record(teller: &Teller) -> String {
    teller.language.pick("no record counts", "aucun enregistrement ne compte").to_owned()
}

/// What is not shown of the records.
pub(super) fn more(teller: &Teller, aggregate: Aggregate, more: usize) -> String {
    let count = teller.number(&more.to_string());
    let (english, french) = match aggregate {
        Aggregate::Last => ("earlier", "plus anciens"),
        Aggregate::First => ("later", "plus récents"),
        Aggregate::Min => ("greater", "plus grands"),
        Aggregate::Max => ("smaller", "plus petits"),
        _ => ("more", "de plus"),
    };
    teller.language.pick(format!("and {count} {english}"), format!("et {count} {french}"))
}

/// Entities that are rolled up.
pub(super) fn entities(teller: &Teller, kind: &str, ids: &[Id], shown: usize) -> String {
    let pick = |en: String, fr: String| teller.language.pick(en, fr);
    if ids.is_empty() {
        return pick(format!("there is no {kind}"), format!("il n'y a pas de {kind}"));
    }
    let names: Vec<String> = ids.iter().take(shown).map(ToString::to_string).collect();
    let names = names.join(", ");
    match ids.len().saturating_sub(shown) {
        0 => format!("{kind} {names}"),
        more => pick(format!("{kind} {names}, and {more} more"), format!("{kind} {names}, et {more} de plus")),
    }
}

/// A budget: `at most 1 sales contact per 90 days`.
pub(super) fn budget(teller: &Teller, plan: &Plan, budget: &Budget) -> String {
    let purpose = budget.purpose.map_or("", propice_define::plan::Purpose::name);
    let channel = budget.channel.and_then(|at| plan.channels.get(at)).map(|channel| channel.name.as_str());
    let count = budget.at_most;
    match teller.language {
        Language::English => {
            let contacts = if count == 1 { "contact" } else { "contacts" };
            let on = channel.map_or(String::new(), |name| format!(" on {name}"));
            let purpose = if purpose.is_empty() { String::new() } else { format!("{purpose} ") };
            format!("{count} {purpose}{contacts}{on} per {}", per(teller, budget.per))
        }
        Language::French => {
            let contacts = if count == 1 { "contact" } else { "contacts" };
            let on = channel.map_or(String::new(), |name| format!(" sur {name}"));
            let purpose = if purpose.is_empty() { String::new() } else { format!(" « {purpose} »") };
            format!("{count} {contacts}{purpose}{on} par {}", per(teller, budget.per))
        }
    }
}

fn per(teller: &Teller, per: Per) -> String {
    match per {
        Per::Rolling(ms) => teller.duration(ms),
        Per::Days(days) => teller.duration(i64::from(days) * propice_model::time::DAY_MS),
        Per::Current(period) => {
            let (english, french) = match period {
                Period::Day => ("day", "jour"),
                Period::Week => ("week", "semaine"),
                Period::Month => ("month", "mois"),
                Period::Quarter => ("quarter", "trimestre"),
                Period::Year => ("year", "an"),
            };
            teller.language.pick(english, french).to_owned()
        }
    }
}
