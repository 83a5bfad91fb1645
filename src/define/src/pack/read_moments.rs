//! Reading `[moment.NAME]`.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw::{Moment, Said, Silence};
use super::read_words;
use super::section::{Section, TomlItem};
use super::spot::{Spot, Text};
use super::words::{check_name, shortened};
use crate::plan::{OnExpiry, OnNegativeMood, OnSuppressed, Purpose, ValueKind};

const VALUE_KINDS: [(&str, ValueKind); 4] = [
    ("economic", ValueKind::Economic),
    ("functional", ValueKind::Functional),
    ("experiential", ValueKind::Experiential),
    ("symbolic", ValueKind::Symbolic),
];
const ON_NEGATIVE_MOOD: [(&str, OnNegativeMood); 4] = [
    ("defer", OnNegativeMood::Defer),
    ("cancel", OnNegativeMood::Cancel),
    ("human", OnNegativeMood::Human),
    ("ignore", OnNegativeMood::Ignore),
];
const ON_SUPPRESSED: [(&str, OnSuppressed); 2] = [("wait", OnSuppressed::Wait), ("drop", OnSuppressed::Drop)];
const ON_EXPIRY: [(&str, OnExpiry); 2] = [("expire", OnExpiry::Expire), ("human", OnExpiry::Human)];

/// `[moment.NAME]`
pub(super) fn moment(name: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<Moment> {
    check_name("a moment", &name, problems);
    let mut section = Section::of(format!("moment `{}`", shortened(&name.value)), &name.value, item, problems)?;
    section.span = name.span.clone();
    if !section.has("purpose") {
        problems.add(Problem::NoPurpose { name: shortened(&name.value) }, &name.span);
    }
    let moment = Moment {
        when: section.needed("when", "the condition", problems),
        about: section.filled("about", problems),
        for_ms: section.duration("for", true, problems).map_or(0, |spot| spot.value),
        version: section.filled("version", problems).map(|text| text.value),
        purpose: section.word("purpose", "purpose", &Purpose::ALL, problems),
        value: value(&mut section, &name, problems),
        effort: section.number("effort", (0, u64::from(u32::MAX)), problems).map_or(0, |spot| spot.value as u32),
        priority: priority(&mut section, problems),
        valid_for_ms: section.duration("valid_for", false, problems).map(|spot| spot.value),
        cooldown_ms: section.duration("cooldown", false, problems).map(|spot| spot.value),
        channels: section.texts("channels", problems).map_or_else(Vec::new, |texts| texts.value),
        on_negative_mood: section
            .word("on_negative_mood", "reaction to a negative mood", &ON_NEGATIVE_MOOD, problems)
            .unwrap_or(OnNegativeMood::Defer),
        success: section.filled("success", problems),
        success_within_ms: section.duration("success_within", false, problems).map(|spot| spot.value),
        evidence: section.filled_texts("evidence", problems),
        silence: silence(&mut section, problems),
        holdout: section.real("holdout", "from 0 to less than 1", |share| (0.0..1.0).contains(&share), problems),
        on_suppressed: section
            .word("on_suppressed", "way to treat what is suppressed", &ON_SUPPRESSED, problems)
            .unwrap_or_default(),
        on_expiry: on_expiry(&mut section, problems),
        label: read_words::line(&mut section, "label", problems),
        reason: read_words::said(&mut section, "reason", problems),
        ended: read_words::ended(&mut section, problems),
        tone: section.filled("tone", problems).map(|text| text.value),
        shares: section.has("shares").then(|| section.filled_texts("shares", problems)),
        description: section.text("description", problems).map(|text| text.value),
        name,
    };
    section.finish(problems);
    Some(moment)
}

/// `value = { kind = "…", benefit = "…" }`
fn value(section: &mut Section<'_>, moment: &Text, problems: &mut Problems) -> Option<(ValueKind, Said)> {
    let name = shortened(&moment.value);
    let place = format!("the value of moment `{name}`");
    let Some(item) = section.get("value") else {
        problems.add(Problem::NoValue { name }, &moment.span);
        return None;
    };
    let mut inner = Section::of(place, "value", item, problems)?;
    if inner.span.is_empty() {
        inner.span = moment.span.clone();
    }
    if !inner.has("kind") {
        inner.missing("kind", "economic, functional, experiential or symbolic", problems);
    }
    let kind = inner.word("kind", "kind of value", &VALUE_KINDS, problems);
    let benefit = read_words::benefit(&mut inner, &name, problems);
    inner.finish(problems);
    Some((kind?, benefit?))
}

/// An expression; a bare number is one too.
fn priority(section: &mut Section<'_>, problems: &mut Problems) -> Option<Text> {
    if let Some(item) = section.get("priority") {
        match item.get_ref() {
            DeValue::Integer(number) => return Some(Spot::new(number.to_string(), item.span())),
            DeValue::Float(number) => return Some(Spot::new(number.as_str().to_owned(), item.span())),
            _ => {}
        }
    }
    section.filled("priority", problems)
}

/// `silence = { purposes = […], moments = […], except = […], after = "…" }`
fn silence(section: &mut Section<'_>, problems: &mut Problems) -> Option<Silence> {
    let place = format!("the silence of {}", section.place);
    let item = section.get("silence")?;
    let mut inner = Section::of(place, "silence", item, problems)?;
    let silence = Silence {
        span: item.span(),
        purposes: inner.words("purposes", "purpose", &Purpose::ALL, problems),
        moments: inner.filled_texts("moments", problems),
        except: inner.words("except", "purpose", &Purpose::ALL, problems),
        after_ms: inner.duration("after", true, problems).map_or(0, |spot| spot.value),
    };
    inner.finish(problems);
    Some(silence)
}

fn on_expiry(section: &mut Section<'_>, problems: &mut Problems) -> Option<Spot<OnExpiry>> {
    let on_expiry = section.word("on_expiry", "way to expire", &ON_EXPIRY, problems)?;
    let span = section.get("on_expiry")?.span();
    Some(Spot::new(on_expiry, span))
}
