//! One value from its text, for every type of field: what JSON and delimited files share.
//!
//! Reads exactly or not at all: nothing is rounded, trimmed or guessed. A value that does not fit
//! is a [`Misfit`]; the caller names the field and shows what was found.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use propice_define::plan::TimeUnit;
use propice_model::time::parse_duration;
use propice_model::{Id, Type, Value};

use super::numbers::{Misfit, decimal, float, is_number, is_whole, time_of, whole};
use super::times::TimeReader;

/// Reads the values of one field.
#[derive(Debug)]
pub(super) struct ValueReader {
    ty: Type,
    times: TimeReader,
    /// What numbers count that stand for a time.
    unit: TimeUnit,
    texts: Interner,
}

impl ValueReader {
    pub(super) fn new(ty: Type, timezone: &str, pattern: Option<&str>) -> ValueReader {
        let times = TimeReader::new(timezone, pattern);
        ValueReader { ty, times, unit: TimeUnit::Milliseconds, texts: Interner::default() }
    }

    /// The same for numbers of this unit.
    pub(super) fn in_unit(self, unit: Option<TimeUnit>) -> ValueReader {
        ValueReader { unit: unit.unwrap_or(TimeUnit::Milliseconds), ..self }
    }

    /// The type of the field.
    pub(super) fn ty(&self) -> &Type {
        &self.ty
    }

    /// As what a text was read that is a time: a number of units, or `None` for a text.
    pub(super) fn unit_of(&self, text: &str) -> Option<TimeUnit> {
        (!self.times.has_pattern() && is_number(text)).then_some(self.unit)
    }

    /// A value of a delimited file, where everything is text and nothing is null.
    pub(super) fn read_text(&mut self, text: &str) -> Result<Value, Misfit> {
        match &self.ty {
            Type::Bool => match text {
                "true" | "1" => Ok(Value::Bool(true)),
                "false" | "0" => Ok(Value::Bool(false)),
                _ => Err(Misfit::TYPE),
            },
            Type::Text => Ok(Value::Text(self.texts.get(text))),
            Type::Time if !self.times.has_pattern() && is_whole(text) => self.read_number(text),
            Type::Time if self.unit == TimeUnit::Seconds && is_number(text) => self.read_number(text),
            Type::Duration if is_whole(text) => self.read_number(text),
            Type::Time | Type::Duration | Type::Id(_) => self.read_json_text(text),
            Type::Int | Type::Float | Type::Decimal(_) => self.read_number(text),
            Type::List(_) => Err(Misfit::TYPE),
        }
    }

    /// A text of JSON, without its quotes.
    pub(super) fn read_json_text(&mut self, text: &str) -> Result<Value, Misfit> {
        match &self.ty {
            Type::Text => Ok(Value::Text(self.texts.get(text))),
            Type::Time => self.times.read(text).map(Value::Time).ok_or(Misfit::TYPE),
            Type::Duration => parse_duration(text).map(Value::Duration).ok_or(Misfit::TYPE),
            Type::Id(_) if text.is_empty() => {
                Err(Misfit { reason: "wrong_type", detail: Some(Cow::Borrowed("an id is not empty")) })
            }
            Type::Id(_) => Ok(Value::Id(self.id(text))),
            Type::Decimal(scale) => decimal(text, *scale).map(Value::Decimal),
            Type::Bool | Type::Int | Type::Float | Type::List(_) => Err(Misfit::TYPE),
        }
    }

    /// A number of JSON, as it is written.
    pub(super) fn read_number(&mut self, text: &str) -> Result<Value, Misfit> {
        match &self.ty {
            Type::Int => whole(text).map(Value::Int),
            Type::Float => float(text),
            Type::Decimal(scale) => decimal(text, *scale).map(Value::Decimal),
            Type::Duration => whole(text).map(Value::Duration),
            Type::Time if self.times.has_pattern() => self.read_json_text(text),
            Type::Time => time_of(text, self.unit).map(Value::Time),
            Type::Id(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Value::Id(self.id(text))),
            Type::Id(_) => whole(text).map(|number| Value::Id(Id::parse(&number.to_string()))),
            Type::Bool | Type::Text | Type::List(_) => Err(Misfit::TYPE),
        }
    }

    /// `true` or `false` of JSON.
    pub(super) fn read_bool(&self, flag: bool) -> Result<Value, Misfit> {
        if self.ty == Type::Bool { Ok(Value::Bool(flag)) } else { Err(Misfit::TYPE) }
    }

    fn id(&mut self, text: &str) -> Id {
        // Only what begins with a digit can be numeric, and only what is not numeric is worth
        // remembering.
        if text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return Id::parse(text);
        }
        Id::Text(self.texts.get(text))
    }
}

/// Remembers short texts, so that a field with few different ones does not allocate for every
/// record.
///
/// A text has one place; another text with the same place takes it over. So memory is bounded, and
/// nothing is ever looked for.
#[derive(Debug, Default)]
struct Interner {
    places: Vec<Option<Arc<str>>>,
}

impl Interner {
    /// Texts that are remembered, a power of two.
    const PLACES: usize = 1_024;
    /// Longer ones are not.
    const LONGEST_BYTES: usize = 40;

    fn get(&mut self, text: &str) -> Arc<str> {
        if text.len() > Interner::LONGEST_BYTES {
            return Arc::from(text);
        }
        if self.places.is_empty() {
            self.places.resize(Interner::PLACES, None);
        }
        let hash = FixedState::with_seed(0).hash_one(text);
        let place = &mut self.places[hash as usize % Interner::PLACES];
        match place {
            Some(known) if known.as_ref() == text => Arc::clone(known),
            _ => Arc::clone(place.insert(Arc::from(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_model::KindId;

    fn reader(ty: Type) -> ValueReader {
        ValueReader::new(ty, "UTC", None)
    }

    #[test]
    fn whole_numbers_are_exact() {
        let mut int = reader(Type::Int);
        for (text, number) in [
            ("0", 0),
            ("-5", -5),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("12.0", 12),
            ("1e3", 1_000),
            ("4503599627370497.00", 4_503_599_627_370_497),
        ] {
            assert_eq!(int.read_number(text), Ok(Value::Int(number)), "{text}");
        }
        for (text, reason) in [
            ("9223372036854775808", "out_of_range"),
            ("99999999999999999999999999999999999999999", "out_of_range"),
            ("1e400", "out_of_range"),
            ("12.5", "wrong_type"),
            ("1.00000000000000000001", "wrong_type"),
            ("1e-1", "wrong_type"),
            ("", "wrong_type"),
            ("-", "wrong_type"),
            ("+1", "wrong_type"),
            (" 1", "wrong_type"),
            ("١", "wrong_type"),
        ] {
            assert_eq!(int.read_text(text).map_err(|misfit| misfit.reason), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_misfit_says_what_is_wrong_with_a_decimal() {
        let mut money = reader(Type::Decimal(2));
        assert_eq!(money.read_text("-12.500"), Ok(Value::decimal(-1250)));
        let detail = |text| reader(Type::Decimal(2)).read_text(text).unwrap_err().detail.unwrap_or_default();
        assert_eq!(detail("12.505"), "it has more than 2 decimals");
        assert_eq!(detail("92233720368547758.08"), "it does not fit 64 bit");
        assert_eq!(detail("12,50"), "");
    }

    #[test]
    fn floats_are_finite_numbers() {
        let mut float = reader(Type::Float);
        assert_eq!(float.read_number("-1.5e2"), Ok(Value::float(-150.0)));
        for bad in ["1e999", "NaN", "inf", "infinity", ".5", "5.", "+1", "0x1"] {
            assert!(float.read_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bools_of_delimited_files() {
        let mut bool = reader(Type::Bool);
        for (text, flag) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            assert_eq!(bool.read_text(text), Ok(Value::Bool(flag)));
        }
        for bad in ["TRUE", "yes", "2", " true"] {
            assert_eq!(bool.read_text(bad), Err(Misfit::TYPE), "{bad}");
        }
    }

    #[test]
    fn a_numeric_id_is_the_same_however_it_is_written() {
        let mut id = reader(Type::Id(KindId::CUSTOMER));
        let twelve = Value::Id(Id::Number(12));
        assert_eq!(id.read_number("12"), Ok(twelve.clone()));
        assert_eq!(id.read_number("12.0"), Ok(twelve.clone()));
        assert_eq!(id.read_json_text("12"), Ok(twelve));
        assert_eq!(id.read_json_text("012"), Ok(Value::Id(Id::Text(Arc::from("012")))));
        assert_eq!(id.read_number("-5"), id.read_json_text("-5"));
        assert_eq!(id.read_number("99999999999999999999"), id.read_json_text("99999999999999999999"));
        assert!(id.read_json_text("").is_err());
        assert!(id.read_number("1.5").is_err());
    }

    #[test]
    fn times_and_durations_as_numbers() {
        assert_eq!(reader(Type::Time).read_text("1772442000000"), Ok(Value::Time(1_772_442_000_000)));
        assert_eq!(reader(Type::Time).read_number("-1"), Ok(Value::Time(-1)));
        assert!(reader(Type::Time).read_json_text("1772442000000").is_err());
        assert_eq!(reader(Type::Duration).read_text("48h"), Ok(Value::Duration(172_800_000)));
        assert_eq!(reader(Type::Duration).read_text("90"), Ok(Value::Duration(90)));
        let mut dates = ValueReader::new(Type::Time, "UTC", Some("%y%m%d"));
        assert_eq!(dates.read_number("930101"), Ok(Value::Time(725_846_400_000)));
    }

    #[test]
    fn short_texts_are_shared_and_memory_is_bounded() {
        let mut texts = Interner::default();
        let first = texts.get("card");
        assert!(Arc::ptr_eq(&first, &texts.get("card")));
        for number in 0..100_000 {
            assert_eq!(texts.get(&number.to_string()).as_ref(), number.to_string());
        }
        assert_eq!(texts.places.len(), Interner::PLACES);
    }
}
