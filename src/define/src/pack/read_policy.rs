//! Reading `[policy]`; mood, and what is said of time and channels, have files of their own.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw_policy::{Arbitration, Data, Policy, Receipts};
use super::section::{Section, TomlItem, filled_of, number_of, word_of, wrong_type};
use super::spot::{Spot, Text};
use super::words::{check_name, shortened};
use super::{read_contact, read_mood};
use crate::plan::{Purpose, ReceiptKind, Rest};
use propice_model::Real;

/// `[policy]`
pub(super) fn policy(item: TomlItem<'_>, problems: &mut Problems) -> Policy {
    let mut policy = Policy::default();
    let Some(mut section) = Section::of("[policy]".to_owned(), "policy", item, problems) else { return policy };
    policy.refusal = section.filled("refusal", problems);
    if let Some(item) = section.get("consent") {
        consent(item, &mut policy, problems);
    }
    policy.mood = section.get("mood").and_then(|item| read_mood::mood(item, problems));
    policy.zone = section.filled("zone", problems);
    policy.region = section.filled("region", problems);
    policy.locale = section.filled("locale", problems);
    policy.holidays = section.get("holidays").and_then(|item| read_contact::holidays(item, problems));
    policy.quiet = read_contact::quiet(&mut section, problems);
    if let Some(list) = section.list("pressure", problems) {
        policy.pressure = list.value.iter().filter_map(|item| read_contact::pressure(item, problems)).collect();
    }
    policy.arbitration = arbitration(&mut section, problems);
    if let Some(list) = section.list("rest", problems) {
        policy.rest = list.value.iter().filter_map(|item| rest(item, problems)).collect();
    }
    policy.snooze = section.duration("snooze", false, problems);
    if let Some(item) = section.get("rating") {
        policy.rating = rating(item, problems);
    }
    policy.human = section.filled("human", problems);
    policy.receipts = section.get("receipts").and_then(|item| receipts(item, problems));
    section.leave_views();
    section.finish(problems);
    policy
}

/// `[policy.consent]`
fn consent(item: TomlItem<'_>, policy: &mut Policy, problems: &mut Problems) {
    policy.consent = Some(item.span());
    let Some(mut section) = Section::of("`policy.consent`".to_owned(), "consent", item, problems) else { return };
    if let Some(item) = section.get("purposes") {
        let inner = Section::of("`policy.consent.purposes`".to_owned(), "purposes", item, problems);
        for (name, item) in inner.iter().flat_map(Section::entries) {
            let purpose = word_of(&name, "purpose", &Purpose::ALL, problems);
            let condition = filled_of(&name.value, item, problems);
            policy.purposes.extend(purpose.zip(condition));
        }
    }
    if let Some(item) = section.get("data") {
        let inner = Section::of("`policy.consent.data`".to_owned(), "data", item, problems);
        for (name, item) in inner.iter().flat_map(Section::entries) {
            policy.data.extend(data(name, item, problems));
        }
    }
    if !section.has("purposes") && !section.has("data") {
        let (key, with) = ("consent", "purposes` or `data");
        problems.add(Problem::UselessWithout { key, with }, &item.span());
    }
    section.finish(problems);
}

/// `[policy.consent.data.NAME]`
fn data(name: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<Data> {
    check_name("a kind of data", &name, problems);
    let place = format!("the kind of data `{}`", shortened(&name.value));
    let mut section = Section::of(place, &name.value, item, problems)?;
    section.span = name.span.clone();
    let data = Data {
        allowed: section.needed("allowed", "the condition under which it may be used", problems),
        inputs: section.filled_texts("inputs", problems),
        features: section.filled_texts("features", problems),
        name,
    };
    if !section.has("inputs") && !section.has("features") {
        section.missing("inputs", "what is of this kind, or `features`", problems);
    }
    section.finish(problems);
    Some(data)
}

/// `arbitration = "1h"` or `arbitration = { per = "1h", except = […] }`
fn arbitration(section: &mut Section<'_>, problems: &mut Problems) -> Option<Arbitration> {
    let item = section.get("arbitration")?;
    match item.get_ref() {
        DeValue::String(_) => {
            let window_ms = section.duration("arbitration", true, problems)?.value;
            Some(Arbitration { window_ms, except: Vec::new() })
        }
        DeValue::Table(table) => {
            let mut inner = Section::new("`policy.arbitration`".to_owned(), item.span(), table);
            if !inner.has("per") {
                inner.missing("per", "in which time", problems);
            }
            let window = inner.duration("per", true, problems);
            let except = inner.words("except", "purpose", &Purpose::ALL, problems);
            inner.finish(problems);
            Some(Arbitration { window_ms: window?.value, except })
        }
        other => {
            problems.add(wrong_type("arbitration", "a duration or a table", other), &item.span());
            None
        }
    }
}

/// `{ after = 3, of = ["dismissed"], within = "180d", for = "90d" }`
fn rest(item: TomlItem<'_>, problems: &mut Problems) -> Option<Spot<Rest>> {
    let mut section = Section::of("an entry of `policy.rest`".to_owned(), "rest", item, problems)?;
    for (key, what) in [("after", "from which receipt on"), ("of", "kinds of receipts"), ("for", "how long it rests")] {
        if !section.has(key) {
            section.missing(key, what, problems);
        }
    }
    let after = section.number("after", (1, 1_000), problems);
    let of = section.words("of", "kind of receipt", &ReceiptKind::ALL, problems);
    let within_ms = section.duration("within", false, problems).map(|spot| spot.value);
    let for_ms = section.duration("for", false, problems);
    if let Some(list) = section.get("of").filter(|list| list.get_ref().as_array().is_some_and(|list| list.is_empty())) {
        problems.add(Problem::Empty { key: "of".to_owned() }, &list.span());
    }
    section.finish(problems);
    let rest = Rest { after: after?.value as u32, of, within_ms, for_ms: for_ms?.value };
    Some(Spot::new(rest, item.span()))
}

/// `rating = { useful = 2.0, … }`
fn rating(item: TomlItem<'_>, problems: &mut Problems) -> Vec<(Spot<ReceiptKind>, Real)> {
    let Some(section) = Section::of("`policy.rating`".to_owned(), "rating", item, problems) else { return Vec::new() };
    let mut rating = Vec::new();
    for (name, item) in section.entries() {
        let kind = word_of(&name, "kind of receipt", &ReceiptKind::ALL, problems);
        let number = number_of(&name.value, item, problems).and_then(Real::new);
        rating.extend(kind.map(|kind| Spot::new(kind, name.span)).zip(number));
    }
    rating
}

/// `[policy.receipts]`
fn receipts(item: TomlItem<'_>, problems: &mut Problems) -> Option<Receipts> {
    let mut section = Section::of("`policy.receipts`".to_owned(), "receipts", item, problems)?;
    let receipts = Receipts {
        from: section.needed("from", "the stream or table with the receipts", problems),
        kind: section.filled("kind", problems),
        trigger: section.filled("trigger", problems),
        channel: section.filled("channel", problems),
        purpose: section.filled("purpose", problems),
        until: section.filled("until", problems),
        keep: section.duration("keep", false, problems),
    };
    section.finish(problems);
    Some(receipts)
}
