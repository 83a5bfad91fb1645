//! How values are told to people, in English and in French: numbers, times, durations, lists. The
//! words of both languages stand side by side, so that neither is forgotten.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use propice_define::Plan;
pub use propice_model::Language;
use propice_model::time::format_time;
use propice_model::{LogicalTime, Type, Value};

/// The language that is spoken to somebody of a locale: theirs, or that of the pack.
pub fn spoken(plan: &Plan, locale: Option<&str>) -> Language {
    let own = locale.and_then(Language::of_locale);
    own.or_else(|| plan.language.as_deref().and_then(Language::of_locale)).unwrap_or_default()
}

/// Tells values in a language, times in a zone.
#[derive(Clone, Debug)]
pub struct Teller {
    /// The language.
    pub language: Language,
    zone: TimeZone,
}

impl Teller {
    /// In a language and in a zone that [`zone_of`] found.
    pub fn new(language: Language, zone: TimeZone) -> Teller {
        Teller { language, zone }
    }

    /// A value in words.
    pub fn value(&self, value: &Value, ty: &Type) -> String {
        match value {
            Value::Null => self.language.pick("unknown", "inconnu").to_owned(),
            Value::Bool(flag) => self.language.pick(["no", "yes"], ["non", "oui"])[usize::from(*flag)].to_owned(),
            Value::Int(number) => self.number(&number.to_string()),
            Value::Float(number) => self.number(rounded(number.get()).as_str()),
            Value::Decimal(number) => {
                let scale = if let Type::Decimal(scale) = ty { *scale } else { 0 };
                self.number(&number.format(scale))
            }
            Value::Text(text) => text.to_string(),
            Value::Time(time_ms) => self.time(*time_ms),
            Value::Duration(ms) => self.duration(*ms),
            Value::Id(id) => id.to_string(),
            Value::List(values) => {
                let of = if let Type::List(of) = ty { of } else { ty };
                self.list(&values.iter().map(|value| self.value(value, of)).collect::<Vec<_>>())
            }
        }
    }

    /// A number that is written as `-1234.50`, see [`Language::number`].
    pub fn number(&self, plain: &str) -> String {
        self.language.number(plain)
    }

    /// A time on the wall clock of the zone: `2 March 2026, 10:00`; at midnight the day alone.
    pub fn time(&self, time_ms: i64) -> String {
        let Ok(timestamp) = Timestamp::from_millisecond(time_ms) else { return format_time(time_ms) };
        let at = timestamp.to_zoned(self.zone.clone());
        let day = self.language.day(at.date());
        if (at.hour(), at.minute()) == (0, 0) {
            return day;
        }
        format!("{day}{}{:02}:{:02}", self.language.pick(", ", " à "), at.hour(), at.minute())
    }

    /// A logical time, likewise.
    pub fn logical(&self, time: LogicalTime) -> String {
        self.time(i64::try_from(time).unwrap_or(i64::MAX))
    }

    /// A duration by its two largest units: `2 days 3 hours`.
    pub fn duration(&self, duration_ms: i64) -> String {
        const UNITS: [(u64, [&str; 2], [&str; 2]); 5] = [
            (86_400_000, ["day", "days"], ["jour", "jours"]),
            (3_600_000, ["hour", "hours"], ["heure", "heures"]),
            (60_000, ["minute", "minutes"], ["minute", "minutes"]),
            (1_000, ["second", "seconds"], ["seconde", "secondes"]),
            (1, ["ms", "ms"], ["ms", "ms"]),
        ];
        let mut rest = duration_ms.unsigned_abs();
        let mut parts = Vec::new();
        for (size, english, french) in UNITS {
            let count = rest / size;
            rest %= size;
            if count > 0 && parts.len() < 2 {
                let [one, many] = self.language.pick(english, french);
                parts.push(format!("{} {}", self.number(&count.to_string()), if count == 1 { one } else { many }));
            } else if !parts.is_empty() {
                break;
            }
        }
        if parts.is_empty() {
            return self.language.pick("no time", "aucun délai").to_owned();
        }
        format!("{}{}", if duration_ms < 0 { "-" } else { "" }, parts.join(" "))
    }

    /// `a, b and c`
    pub fn list(&self, parts: &[String]) -> String {
        let and = self.language.pick(" and ", " et ");
        match parts {
            [] => self.language.pick("none", "aucun").to_owned(),
            [one] => one.clone(),
            [others @ .., last] => format!("{}{and}{last}", others.join(", ")),
        }
    }
}

/// The zone of a customer, or that of the pack, where the customer has none or one that nobody
/// knows; with its name.
pub fn zone_of(plan: &Plan, customer: Option<&str>) -> (String, TimeZone) {
    let named = |name: &str| TimeZone::get(name).ok().map(|zone| (name.to_owned(), zone));
    customer.and_then(named).or_else(|| named(&plan.timezone)).unwrap_or_else(|| ("UTC".to_owned(), TimeZone::UTC))
}

/// At most two decimals, and none that are not needed.
fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tellers() -> [Teller; 2] {
        let zone = TimeZone::get("Europe/Paris").expect("a zone");
        [Language::English, Language::French].map(|language| Teller::new(language, zone.clone()))
    }

    #[test]
    fn numbers_and_lists() {
        let [en, fr] = tellers();
        let money = Value::decimal(-123_456_750);
        assert_eq!(en.value(&money, &Type::Decimal(2)), "-1,234,567.50");
        assert_eq!(fr.value(&money, &Type::Decimal(2)), "-1\u{202f}234\u{202f}567,50");
        assert_eq!(fr.value(&Value::float(0.333), &Type::Float), "0,33");
        assert_eq!(en.value(&Value::float(-0.001), &Type::Float), "0");
        let list = Value::List(["a", "b", "c"].map(Value::text).to_vec().into());
        assert_eq!(fr.value(&list, &Type::List(Box::new(Type::Text))), "a, b et c");
    }

    #[test]
    fn times_are_those_of_the_wall_clock() {
        let [en, fr] = tellers();
        // Ten to midnight UTC is the next day in Paris.
        assert_eq!(en.time(1_772_322_600_000), "1 March 2026, 00:50");
        assert_eq!(fr.time(1_772_322_600_000), "1er mars 2026 à 00:50");
        assert_eq!(fr.time(1_772_319_600_000), "1er mars 2026");
    }

    #[test]
    fn durations_have_two_units() {
        let [en, _] = tellers();
        assert_eq!(en.duration(183_600_000), "2 days 3 hours");
        assert_eq!(en.duration(86_400_000 + 1_000), "1 day");
    }
}
