//! Reading `policy.mood`.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw_policy::{Mood, MoodSource, Signal};
use super::section::{Section, TomlItem, filled_of};
use super::spot::Text;
use propice_model::Real;

/// `policy.mood`, in both of its forms.
pub(super) fn mood(item: TomlItem<'_>, problems: &mut Problems) -> Option<Mood> {
    let mut section = Section::of("`policy.mood`".to_owned(), "mood", item, problems)?;
    if !section.has("negative") {
        section.missing("negative", "the moods that are negative", problems);
    }
    let negative = section.filled_texts("negative", problems);
    let positive = section.filled_texts("positive", problems);
    let half_life = section.duration("half_life", false, problems);
    let threshold = section.real("threshold", "from 0 on", |threshold| threshold >= 0.0, problems);
    let map = pairs(&mut section, "map", problems, filled_of);
    let modalities = pairs(&mut section, "modalities", problems, |name, item, problems| {
        let condition = filled_of(name, item, problems)?;
        Some((condition.value != "off").then_some(condition))
    });
    let mood = Mood {
        source: source(&mut section, problems),
        negative,
        positive,
        half_life,
        threshold: threshold.and_then(|spot| Real::new(spot.value)),
        map,
        modalities,
    };
    section.finish(problems);
    Some(mood)
}

/// The entries of a table within.
fn pairs<'s, T>(
    section: &mut Section<'s>,
    key: &'static str,
    problems: &mut Problems,
    read: impl Fn(&str, TomlItem<'s>, &mut Problems) -> Option<T>,
) -> Vec<(Text, T)> {
    let Some(item) = section.get(key) else { return Vec::new() };
    let inner = Section::of(format!("`{key}` of {}", section.place), key, item, problems);
    let entries: Vec<_> = inner.iter().flat_map(Section::entries).collect();
    let read = |(name, item): (Text, TomlItem<'s>)| read(&name.value, item, problems).map(|value| (name, value));
    entries.into_iter().filter_map(read).collect()
}

/// `from = "last_mood"`, or `signals = [ … ]`.
fn source(section: &mut Section<'_>, problems: &mut Problems) -> Option<MoodSource> {
    match (section.get("from"), section.get("signals")) {
        (Some(_), Some(signals)) => {
            problems.add(Problem::FromAndSignals, &signals.span());
            None
        }
        (Some(_), None) => section.filled("from", problems).map(MoodSource::From),
        (None, None) => {
            section.missing(
                "from",
                "the feature or attribute of the customer with the latest mood, or `signals`",
                problems,
            );
            None
        }
        (None, Some(item)) => {
            if matches!(item.get_ref(), DeValue::Array(list) if list.is_empty()) {
                problems.add(Problem::Empty { key: "signals".to_owned() }, &item.span());
            }
            if !section.has("half_life") {
                section.missing("half_life", "after how long a mood counts half", problems);
            }
            let list = section.list("signals", problems)?;
            Some(MoodSource::Signals(list.value.iter().filter_map(|item| signal(item, problems)).collect()))
        }
    }
}

/// `{ from = "contacts", label = "mood", … }`
fn signal(item: TomlItem<'_>, problems: &mut Problems) -> Option<Signal> {
    let mut section = Section::of("an entry of `policy.mood.signals`".to_owned(), "signals", item, problems)?;
    let signal = Signal {
        from: section.needed("from", "the stream or table with the signals", problems),
        label: section.needed("label", "the mood", problems),
        intensity: section.filled("intensity", problems),
        confidence: section.filled("confidence", problems),
        modality: section.filled("modality", problems),
        source: section.filled("source", problems),
        filter: section.filled("where", problems),
    };
    section.finish(problems);
    Some(signal)
}
