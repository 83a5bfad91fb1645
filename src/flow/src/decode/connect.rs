//! How Kafka Connect writes values of a database as JSON, as far as its schema says so: days, units
//! of time, and decimals as bytes.
//!
//! A schema that travels with every record is the same text every time, so it is read once and
//! compared from then on.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;

use propice_define::plan::TimeUnit;
use propice_model::{Type, Value};

use super::RecordError;
use super::json::{JsonDecoder, unquoted, value_of};
use super::numbers::{Misfit, time_of};
use super::text::ValueReader;
use super::times::TimeReader;

/// What Debezium writes where the database did not tell a value, as text and as bytes.
const UNAVAILABLE: [&str; 2] = [r#""__debezium_unavailable_value""#, r#""X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==""#];
/// Decimals and zeros that a number of Kafka Connect may have. No field takes as many.
const MOST_SCALE: i32 = 400;

/// How the values of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As its type in JSON says.
    Plain,
    /// Days since 1970.
    Days,
    /// `2026-03-02Z`
    IsoDate,
    /// Units since 1970.
    Instant(TimeUnit),
    /// `2026-03-02T09:00:00Z`
    IsoInstant,
    /// Units since midnight.
    OfDay(TimeUnit),
    /// Units, of a duration.
    Length(TimeUnit),
    /// The bytes of a whole number, to be divided by ten to the power of the scale.
    Decimal(Option<i32>),
    /// The same, each with its scale.
    VariableDecimal,
}

impl Encoding {
    /// By the name of a Connect schema.
    fn named(name: &str, scale: Option<i32>) -> Encoding {
        match name {
            "io.debezium.time.Date" | "org.apache.kafka.connect.data.Date" => Encoding::Days,
            "io.debezium.time.IsoDate" => Encoding::IsoDate,
            "io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp" => {
                Encoding::Instant(TimeUnit::Milliseconds)
            }
            "io.debezium.time.MicroTimestamp" => Encoding::Instant(TimeUnit::Microseconds),
            "io.debezium.time.NanoTimestamp" => Encoding::Instant(TimeUnit::Nanoseconds),
            "io.debezium.time.ZonedTimestamp" | "io.debezium.time.IsoTimestamp" => Encoding::IsoInstant,
            "io.debezium.time.Time" | "org.apache.kafka.connect.data.Time" => Encoding::OfDay(TimeUnit::Milliseconds),
            "io.debezium.time.MicroTime" => Encoding::OfDay(TimeUnit::Microseconds),
            "io.debezium.time.NanoTime" => Encoding::OfDay(TimeUnit::Nanoseconds),
            "io.debezium.time.MicroDuration" => Encoding::Length(TimeUnit::Microseconds),
            "io.debezium.time.NanoDuration" => Encoding::Length(TimeUnit::Nanoseconds),
            "org.apache.kafka.connect.data.Decimal" => Encoding::Decimal(scale),
            "io.debezium.data.VariableScaleDecimal" => Encoding::VariableDecimal,
            _ => Encoding::Plain,
        }
    }
}

/// Reads the values of one column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) encoding: Encoding,
    /// Times as Connect writes them, whatever the pattern of the field.
    times: TimeReader,
    /// The number that is read.
    number: String,
}

impl Column {
    pub(super) fn new(zone: &str, encoding: Encoding) -> Column {
        Column { encoding, times: TimeReader::new(zone, None), number: String::new() }
    }

    /// A value as it is written. It is not null.
    pub(super) fn read(&mut self, values: &mut ValueReader, raw: &str) -> Result<Value, Misfit> {
        if UNAVAILABLE.contains(&raw) {
            let detail = "the database did not tell it, since it did not change; in PostgreSQL \
                          `ALTER TABLE … REPLICA IDENTITY FULL` makes it tell";
            return Err(Misfit { reason: "missing_field", detail: Some(Cow::Borrowed(detail)) });
        }
        match (self.encoding, values.ty()) {
            (Encoding::Decimal(None), _) => Err(misfit("its schema gives no scale")),
            (Encoding::Decimal(Some(scale)), _) => {
                let bytes = unquoted(raw).ok_or(Misfit::TYPE)?;
                self.decimal(values, &bytes, scale)
            }
            (Encoding::VariableDecimal, _) => {
                let VariableDecimal { scale, value } =
                    serde_json::from_str(raw).map_err(|_| misfit("no object of `scale` and `value`"))?;
                self.decimal(values, &value, scale)
            }
            (Encoding::Days, Type::Time) => {
                let days: i64 = raw.parse().map_err(|_| misfit("no whole number of days"))?;
                self.times.midnight(days).map(Value::Time).ok_or(Misfit::range("such a day is in no calendar"))
            }
            (Encoding::IsoDate | Encoding::IsoInstant, Type::Time) => {
                let text = unquoted(raw).ok_or(Misfit::TYPE)?;
                let text = if self.encoding == Encoding::IsoDate { text.trim_end_matches('Z') } else { &text };
                self.times.read(text).map(Value::Time).ok_or(Misfit::TYPE)
            }
            (Encoding::Instant(unit), Type::Time) => time_of(raw, unit).map(Value::Time),
            (Encoding::OfDay(_), Type::Time) => Err(misfit("a time of day without a day; a field of it is a duration")),
            (Encoding::Length(_), Type::Time) => Err(misfit("a duration")),
            (Encoding::OfDay(unit) | Encoding::Length(unit), Type::Duration) => time_of(raw, unit).map(Value::Duration),
            (Encoding::Plain, Type::Int | Type::Float | Type::Decimal(_)) if raw.starts_with('"') => {
                number(values, raw)
            }
            _ => value_of(values, raw),
        }
    }

    /// A decimal from the bytes of its whole number.
    fn decimal(&mut self, values: &mut ValueReader, bytes: &str, scale: i32) -> Result<Value, Misfit> {
        let unscaled = unscaled(bytes)?;
        if scale.checked_abs().is_none_or(|scale| scale > MOST_SCALE) {
            return Err(Misfit::range("its scale is beyond all numbers"));
        }
        write_decimal(&mut self.number, unscaled, scale);
        match values.ty() {
            Type::Text => values.read_json_text(&self.number),
            _ => values.read_number(&self.number),
        }
    }
}

/// A number in quotes, as `decimal.handling.mode = string` has it.
fn number(values: &mut ValueReader, raw: &str) -> Result<Value, Misfit> {
    let text = unquoted(raw).ok_or(Misfit::TYPE)?;
    values.read_number(&text).map_err(|error| match error.detail {
        Some(_) => error,
        None => misfit(
            "if these are the bytes of a decimal: set `decimal.handling.mode` of the connector to \
             `string`, or `schemas.enable` of the converter to true",
        ),
    })
}

fn misfit(detail: &'static str) -> Misfit {
    Misfit { detail: Some(Cow::Borrowed(detail)), ..Misfit::TYPE }
}

#[derive(Deserialize)]
struct VariableDecimal<'a> {
    scale: i32,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

/// The whole number of a decimal: its bytes by two's complement, the greatest first, in base 64.
fn unscaled(text: &str) -> Result<i128, Misfit> {
    const BYTES: &str = "not the bytes of a decimal in base 64";
    let digits = text.trim_end_matches('=');
    if digits.is_empty() || !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return Err(misfit(BYTES));
    }
    let (mut number, mut pending, mut bits, mut bytes) = (0_i128, 0_u32, 0, 0);
    for digit in digits.bytes() {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(misfit(BYTES)),
        };
        pending = (pending << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let byte = (pending >> bits) as u8;
            pending &= (1 << bits) - 1;
            number = if bytes == 0 { i128::from(byte.cast_signed()) } else { (number << 8) | i128::from(byte) };
            bytes += 1;
        }
    }
    if bytes > size_of::<i128>() { Err(Misfit::range("it does not fit 64 bit")) } else { Ok(number) }
}

/// `unscaled` divided by ten to the power of `scale`, without zeros at the end.
fn write_decimal(out: &mut String, unscaled: i128, scale: i32) {
    out.clear();
    if unscaled < 0 {
        out.push('-');
    }
    let decimals = usize::try_from(scale).unwrap_or(0);
    // Writing to a text does not fail.
    let _ = write!(out, "{:0>width$}", unscaled.unsigned_abs(), width = decimals + 1);
    if decimals > 0 {
        out.insert(out.len() - decimals, '.');
        out.truncate(out.trim_end_matches('0').trim_end_matches('.').len());
    } else if unscaled != 0 {
        out.extend(std::iter::repeat_n('0', scale.unsigned_abs() as usize));
    }
}

/// Which part of a schema describes the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: of a key.
    Whole,
    /// `after` or `before`, which have the same: of a change.
    Rows,
}

/// The schema that a decoder last heard of.
#[derive(Debug, Default)]
pub(super) struct Encodings {
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Described {
    field: Option<String>,
    name: Option<String>,
    fields: Option<Vec<Described>>,
    parameters: Option<Parameters>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    scale: Option<String>,
}

impl Encodings {
    /// Tells the decoder how values are written, if that is not what it knows already.
    ///
    /// # Errors
    /// When this is not the schema of Kafka Connect.
    pub(super) fn learn(
        &mut self,
        schema: Option<&str>,
        part: Part,
        decoder: &mut JsonDecoder,
    ) -> Result<(), RecordError> {
        let schema = schema.filter(|schema| *schema != "null").unwrap_or_default();
        if schema == self.text {
            return Ok(());
        }
        self.text.clear();
        decoder.encode(|_| Encoding::Plain);
        if schema.is_empty() {
            return Ok(());
        }
        let described: Described = serde_json::from_str(schema).map_err(|error| RecordError {
            reason: "unreadable",
            message: format!("`schema` is not one of Kafka Connect: {error}"),
        })?;
        match (part, &described.fields) {
            (Part::Rows, _) => {
                let rows = described.field("after").or_else(|| described.field("before"));
                let known = rows.and_then(|rows| rows.fields.as_deref()).map(encodings).unwrap_or_default();
                decoder.encode(|column| of(&known, column));
            }
            (Part::Whole, Some(fields)) => {
                let known = encodings(fields);
                decoder.encode(|column| of(&known, column));
            }
            (Part::Whole, None) => decoder.encode(|_| described.encoding()),
        }
        schema.clone_into(&mut self.text);
        Ok(())
    }
}

impl Described {
    fn field(&self, name: &str) -> Option<&Described> {
        self.fields.iter().flatten().find(|field| field.field.as_deref() == Some(name))
    }

    fn encoding(&self) -> Encoding {
        let scale = self.parameters.as_ref().and_then(|parameters| parameters.scale.as_ref());
        let scale = scale.and_then(|scale| scale.parse().ok());
        self.name.as_ref().map_or(Encoding::Plain, |name| Encoding::named(name, scale))
    }
}

fn encodings(fields: &[Described]) -> Vec<(&str, Encoding)> {
    fields.iter().filter_map(|field| Some((field.field.as_deref()?, field.encoding()))).collect()
}

fn of(known: &[(&str, Encoding)], column: &str) -> Encoding {
    known.iter().find(|(name, _)| *name == column).map_or(Encoding::Plain, |(_, encoding)| *encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: Encoding, ty: Type, raw: &str) -> Result<Value, &'static str> {
        let zone = "Europe/Paris";
        let mut values = ValueReader::new(ty, zone, None);
        Column::new(zone, encoding).read(&mut values, raw).map_err(|misfit| misfit.reason)
    }

    #[test]
    fn decimals_from_bytes() {
        for (bytes, scale, written) in [
            ("AA==", 0, "0"),
            ("AA==", 2, "0"),
            ("AA==", -2, "0"),
            ("e/8=", 2, "317.43"),
            ("/w==", 2, "-0.01"),
            ("gA==", 0, "-128"),
            ("AIA=", 0, "128"),
            ("MDk=", -2, "1234500"),
            ("BAA=", 3, "1.024"),
            ("A+g=", 3, "1"),
            ("f/////////8=", 0, "9223372036854775807"),
            ("gAAAAAAAAAAAAAAAAAAAAA==", 0, "-170141183460469231731687303715884105728"),
        ] {
            let mut out = String::from("before");
            write_decimal(&mut out, unscaled(bytes).expect("bytes"), scale);
            assert_eq!(out, written, "{bytes} {scale}");
        }
        for bytes in ["", "=", "====", "A", "AB", "AA=A", "A===", "1.50", "-12=", "é==", "AAAAAAAAAAAAAAAAAAAAAAA="] {
            assert!(unscaled(bytes).is_err(), "{bytes}");
        }
    }

    #[test]
    fn decimals_of_every_field() {
        let scale_2 = Encoding::Decimal(Some(2));
        assert_eq!(read(scale_2, Type::Decimal(2), r#""e/8=""#), Ok(Value::decimal(31_743)));
        assert_eq!(read(scale_2, Type::Decimal(1), r#""e/8=""#), Err("wrong_type"));
        assert_eq!(read(scale_2, Type::Float, r#""e/8=""#), Ok(Value::float(317.43)));
        assert_eq!(read(scale_2, Type::Text, r#""e/8=""#), Ok(Value::text("317.43")));
        assert_eq!(read(Encoding::Decimal(Some(0)), Type::Int, r#""e/8=""#), Ok(Value::Int(31_743)));
        assert_eq!(read(Encoding::Decimal(Some(401)), Type::Int, r#""e/8=""#), Err("out_of_range"));
        assert_eq!(read(Encoding::Decimal(Some(i32::MIN)), Type::Int, r#""e/8=""#), Err("out_of_range"));
        assert_eq!(read(Encoding::Decimal(None), Type::Int, r#""e/8=""#), Err("wrong_type"));
        assert_eq!(read(scale_2, Type::Int, "12"), Err("wrong_type"));
        let variable = r#"{"scale":2,"value":"e/8="}"#;
        assert_eq!(read(Encoding::VariableDecimal, Type::Decimal(2), variable), Ok(Value::decimal(31_743)));
        assert_eq!(read(Encoding::VariableDecimal, Type::Decimal(2), "{}"), Err("wrong_type"));
        // `decimal.handling.mode`: string, double.
        assert_eq!(read(Encoding::Plain, Type::Decimal(2), r#""317.43""#), Ok(Value::decimal(31_743)));
        assert_eq!(read(Encoding::Plain, Type::Decimal(2), "317.43"), Ok(Value::decimal(31_743)));
        assert_eq!(read(Encoding::Plain, Type::Int, r#""317""#), Ok(Value::Int(317)));
        assert_eq!(read(Encoding::Plain, Type::Decimal(2), r#""e/8=""#), Err("wrong_type"));
    }

    #[test]
    fn times_of_every_precision() {
        let noon = Ok(Value::Time(1_772_442_000_123));
        let midnight = Ok(Value::Time(1_772_406_000_000));
        for (encoding, raw, time) in [
            (Encoding::Instant(TimeUnit::Milliseconds), "1772442000123", &noon),
            (Encoding::Instant(TimeUnit::Microseconds), "1772442000123999", &noon),
            (Encoding::Instant(TimeUnit::Nanoseconds), "1772442000123999999", &noon),
            (Encoding::IsoInstant, r#""2026-03-02T09:00:00.123456Z""#, &noon),
            (Encoding::IsoInstant, r#""2026-03-02T10:00:00.123+01:00""#, &noon),
            (Encoding::Plain, "1772442000123", &noon),
            (Encoding::Days, "20514", &midnight),
            (Encoding::IsoDate, r#""2026-03-02Z""#, &midnight),
            (Encoding::OfDay(TimeUnit::Milliseconds), "1000", &Err("wrong_type")),
            (Encoding::Length(TimeUnit::Microseconds), "1000", &Err("wrong_type")),
            (Encoding::Days, "1.5", &Err("wrong_type")),
            (Encoding::Days, "99999999999", &Err("out_of_range")),
            (Encoding::IsoInstant, "1772442000123", &Err("wrong_type")),
        ] {
            assert_eq!(&read(encoding, Type::Time, raw), time, "{encoding:?} {raw}");
        }
        let micro = Encoding::OfDay(TimeUnit::Microseconds);
        assert_eq!(read(micro, Type::Duration, "3600000000"), Ok(Value::Duration(3_600_000)));
        assert_eq!(read(Encoding::Length(TimeUnit::Nanoseconds), Type::Duration, "5000000"), Ok(Value::Duration(5)));
    }

    #[test]
    fn what_the_database_did_not_tell_is_no_value() {
        for ty in [Type::Text, Type::Decimal(2), Type::Id(propice_model::KindId::CUSTOMER)] {
            for raw in UNAVAILABLE {
                assert_eq!(read(Encoding::Plain, ty.clone(), raw), Err("missing_field"), "{ty}");
            }
        }
    }
}
