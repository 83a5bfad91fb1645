//! Reading words for people: `reason`, `ended`, `benefit`, `label`, each a text or a table by
//! language.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw::Said;
use super::section::{Section, TomlItem, text_of, wrong_type};
use super::spot::Text;
use super::words::shortened;
use crate::plan::Ending;
use propice_model::language::primary;
use propice_model::nearest::nearest as nearest_name;

/// The languages of ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da \
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is \
    it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb \
    nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss \
    st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// `KEY = "…"` or `KEY = { en = "…", fr = "…" }`
pub(super) fn said(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Said {
    let place = format!("the {key} of {}", section.place);
    section.get(key).map_or_else(Vec::new, |item| said_of(place, key, item, problems))
}

/// Likewise, of one line each.
pub(super) fn line(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Said {
    let place = format!("the {key} of {}", section.place);
    section.get(key).map_or_else(Vec::new, |item| line_of(place, key, item, problems))
}

/// The value of a key, likewise.
pub(super) fn line_of(place: String, key: &str, item: TomlItem<'_>, problems: &mut Problems) -> Said {
    let mut said = said_of(place, key, item, problems);
    for (_, text) in &mut said {
        text.value = text.value.trim().to_owned();
        if text.value.contains(['\n', '\r']) {
            problems.add(Problem::LongLabel, &text.span);
        }
    }
    said
}

fn said_of(place: String, key: &str, item: TomlItem<'_>, problems: &mut Problems) -> Said {
    match item.get_ref() {
        DeValue::String(_) => filled(key, item, problems).into_iter().map(|text| (String::new(), text)).collect(),
        DeValue::Table(table) => {
            let entries = Section::new(place, item.span(), table).entries();
            let said = by_language(entries, &[], problems);
            if table.is_empty() {
                problems.add(Problem::Empty { key: key.to_owned() }, &item.span());
            }
            said
        }
        other => {
            problems.add(wrong_type(key, "a text or a table by language", other), &item.span());
            Vec::new()
        }
    }
}

/// Texts by language; `others` are keys that may have been meant as well.
fn by_language<'s>(
    entries: impl Iterator<Item = (Text, TomlItem<'s>)>,
    others: &[&str],
    problems: &mut Problems,
) -> Said {
    let mut said = Said::new();
    for (language, item) in entries {
        report_language(&language, others, problems);
        said.extend(filled(&language.value, item, problems).map(|text| (language.value, text)));
    }
    said
}

fn filled(key: &str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Text> {
    let text = text_of(key, item, problems)?;
    if text.value.trim().is_empty() {
        problems.add(Problem::Empty { key: key.to_owned() }, &text.span);
        return None;
    }
    Some(text)
}

/// `ended = …`: a text or by language; and beside the languages what is said of a kind of ending,
/// likewise.
pub(super) fn ended(section: &mut Section<'_>, problems: &mut Problems) -> Vec<(Option<Ending>, Said)> {
    let place = format!("the ended of {}", section.place);
    let Some(item) = section.get("ended") else { return Vec::new() };
    let DeValue::Table(table) = item.get_ref() else {
        return vec![(None, said_of(place, "ended", item, problems))];
    };
    let of = |name: &str| Ending::ALL.iter().find(|(known, _)| *known == name).map(|(_, ending)| *ending);
    let entries: Vec<_> = Section::new(place.clone(), item.span(), table).entries().collect();
    if entries.is_empty() {
        problems.add(Problem::Empty { key: "ended".to_owned() }, &item.span());
    }
    let (kinds, languages): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(name, _)| of(&name.value).is_some());
    let mut ended = vec![(None, by_language(languages.into_iter(), &Ending::ALL.map(|(name, _)| name), problems))];
    for (name, item) in kinds {
        let place = format!("{} of {place}", name.value);
        ended.push((of(&name.value), said_of(place, &name.value, item, problems)));
    }
    ended
}

/// The benefit, of one line in each language.
pub(super) fn benefit(section: &mut Section<'_>, moment: &str, problems: &mut Problems) -> Option<Said> {
    let no_benefit = || Problem::NoBenefit { name: moment.to_owned() };
    let Some(item) = section.get("benefit") else {
        problems.add(no_benefit(), &section.span);
        return None;
    };
    let mut said = match item.get_ref() {
        DeValue::String(text) => vec![(String::new(), Text::new(text.to_string(), item.span()))],
        DeValue::Table(table) if table.is_empty() => {
            problems.add(no_benefit(), &item.span());
            return None;
        }
        DeValue::Table(table) => {
            let entries = Section::new("the benefit".to_owned(), item.span(), table).entries();
            let mut said = Said::new();
            for (language, item) in entries {
                check_language(&language, problems);
                said.extend(text_of(&language.value, item, problems).map(|text| (language.value, text)));
            }
            said
        }
        other => {
            problems.add(wrong_type("benefit", "a text or a table by language", other), &item.span());
            return None;
        }
    };
    for (_, text) in &mut said {
        text.value = text.value.trim().to_owned();
        if text.value.is_empty() {
            problems.add(no_benefit(), &text.span);
        } else if text.value.contains(['\n', '\r']) {
            problems.add(Problem::LongBenefit, &text.span);
        }
    }
    (!said.is_empty()).then_some(said)
}

/// Reports what is no language; `others` may have been meant as well.
pub(super) fn check_language(text: &Text, problems: &mut Problems) {
    report_language(text, &[], problems);
}

fn report_language(text: &Text, others: &[&str], problems: &mut Problems) {
    if is_language(&text.value) {
        return;
    }
    let lower = primary(&text.value);
    let nearest = LANGUAGES.split_ascii_whitespace().find(|known| *known == lower).map(str::to_owned);
    let nearest = nearest.or_else(|| nearest_name(&text.value, others.iter().copied()));
    problems.add(Problem::BadLanguage { found: shortened(&text.value), nearest }, &text.span);
}

/// `fr` or `fr-FR`; a language of two letters is one that there is.
pub(super) fn is_language(text: &str) -> bool {
    let (language, rest) = text.split_once('-').unwrap_or((text, "XX"));
    let is_known = match language.len() {
        2 => LANGUAGES.split_ascii_whitespace().any(|known| known == language),
        3 => language.bytes().all(|byte| byte.is_ascii_lowercase()),
        _ => false,
    };
    is_known && !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
