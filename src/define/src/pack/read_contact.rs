//! Reading what the policy says of time and channels: quiet hours, holidays, budgets.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw_policy::{Holidays, Pressure, Quiet};
use super::section::{Section, TomlItem, text_of, wrong_type};
use super::spot::{Spot, Text};
use super::words::shortened;
use crate::plan::{Per, Period, Purpose};

const DAYS: [(&str, u8); 7] =
    [("sunday", 0), ("monday", 1), ("tuesday", 2), ("wednesday", 3), ("thursday", 4), ("friday", 5), ("saturday", 6)];
const PERIODS: [(&str, Period); 5] = [
    ("day", Period::Day),
    ("week", Period::Week),
    ("month", Period::Month),
    ("quarter", Period::Quarter),
    ("year", Period::Year),
];

/// `quiet = { … }` or `quiet = [ { … }, … ]`
pub(super) fn quiet(section: &mut Section<'_>, problems: &mut Problems) -> Vec<Quiet> {
    let Some(item) = section.get("quiet") else { return Vec::new() };
    match item.get_ref() {
        DeValue::Table(_) => quiet_rule("`policy.quiet`", item, problems).into_iter().collect(),
        DeValue::Array(list) => {
            let rule = |item| quiet_rule("an entry of `policy.quiet`", item, problems);
            list.iter().filter_map(rule).collect()
        }
        other => {
            problems.add(wrong_type("quiet", "a table or a list of tables", other), &item.span());
            Vec::new()
        }
    }
}

fn quiet_rule(place: &str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Quiet> {
    let mut section = Section::of(place.to_owned(), "quiet", item, problems)?;
    let hours = hour_texts(&mut section, problems).iter().filter_map(|text| hours(text, problems)).collect();
    let days = section.words("days", "day", &DAYS, problems);
    let holidays = section.flag("holidays", problems);
    let holidays = section.get("holidays").and_then(|item| holidays.map(|flag| Spot::new(flag, item.span())));
    if !["hours", "days", "holidays"].iter().any(|key| section.has(key)) {
        problems.add(Problem::QuietNever, &section.span);
    }
    let quiet = Quiet {
        span: item.span(),
        hours,
        days,
        holidays,
        channels: section.filled_texts("channels", problems),
        purposes: section.words("purposes", "purpose", &Purpose::ALL, problems),
        except: section.words("except", "purpose", &Purpose::ALL, problems),
    };
    section.finish(problems);
    Some(quiet)
}

/// `hours = "…"` or `hours = ["…", …]`
fn hour_texts(section: &mut Section<'_>, problems: &mut Problems) -> Vec<Text> {
    let Some(item) = section.get("hours") else { return Vec::new() };
    match item.get_ref() {
        DeValue::String(_) => text_of("hours", item, problems).into_iter().collect(),
        DeValue::Array(_) => section.filled_texts("hours", problems),
        other => {
            problems.add(wrong_type("hours", "a text or a list of texts", other), &item.span());
            Vec::new()
        }
    }
}

/// `20:00-08:00`, in minutes of the day.
fn hours(text: &Text, problems: &mut Problems) -> Option<(u16, u16)> {
    let hours = text.value.split_once('-').and_then(|(from, until)| {
        let (from, until) = (minutes(from.trim())?, minutes(until.trim())?);
        (from != until && from < 1440).then_some((from, until))
    });
    if hours.is_none() {
        problems.add(Problem::BadHours { found: shortened(&text.value) }, &text.span);
    }
    hours
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= 1440).then_some(total)
}

/// `holidays = { table = "holidays", day = "day", region = "region" }`
pub(super) fn holidays(item: TomlItem<'_>, problems: &mut Problems) -> Option<Holidays> {
    let mut section = Section::of("`policy.holidays`".to_owned(), "holidays", item, problems)?;
    let holidays = Holidays {
        table: section.needed("table", "the table of holidays", problems),
        day: section.needed("day", "its field with the day", problems),
        region: section.filled("region", problems),
    };
    section.finish(problems);
    Some(holidays)
}

/// An entry of `policy.pressure`.
pub(super) fn pressure(item: TomlItem<'_>, problems: &mut Problems) -> Option<Pressure> {
    let mut section = Section::of("an entry of `policy.pressure`".to_owned(), "pressure", item, problems)?;
    if !section.has("at_most") {
        section.missing("at_most", "how many contacts", problems);
    }
    if !section.has("per") {
        section.missing("per", "in which time", problems);
    }
    let purpose = section.word("purpose", "purpose", &Purpose::ALL, problems);
    let channel = section.filled("channel", problems);
    let at_most = section.number("at_most", (0, u64::from(u32::MAX)), problems);
    let per = per(&mut section, problems);
    let except = section.words("except", "purpose", &Purpose::ALL, problems);
    section.finish(problems);
    let at_most = at_most.map(|spot| Spot::new(spot.value as u32, spot.span))?;
    Some(Pressure { span: item.span(), purpose, channel, at_most, per: per?, except })
}

/// `week`: the current one. `7d`, `2w`: days of the calendar. Anything else: back from now.
fn per(section: &mut Section<'_>, problems: &mut Problems) -> Option<Per> {
    let text = section.get("per")?.get_ref().as_str().unwrap_or("").trim();
    if let Some((_, period)) = PERIODS.iter().find(|(name, _)| *name == text) {
        return Some(Per::Current(*period));
    }
    let days = [("d", 1), ("w", 7)].into_iter().find_map(|(unit, days)| {
        let number = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        number.parse::<u32>().ok()?.checked_mul(days)
    });
    // Read as a duration in any case: it has to be one, and not too long.
    let duration = section.duration("per", false, problems)?;
    Some(days.map_or(Per::Rolling(duration.value), Per::Days))
}
