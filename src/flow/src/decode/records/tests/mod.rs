mod databases;
mod histories;

use propice_define::load;
use propice_model::Id;

use super::*;

/// Customers whose rows say when they became so, and such whose do not; accounts with a key of two
/// fields; logins, which only come.
const PACK: &str = r#"
[pack]
name     = "shop"
timezone = "Europe/Paris"

[table.customers]
about  = "id"
key    = ["id"]
fields = { id = "id(customer)", email = "text?", balance = "decimal(2)?" }

[table.dated]
about  = "id"
key    = ["id"]
time   = "at"
fields = { id = "id(customer)", at = "time", email = "text", balance = "decimal(2)?" }

[table.shares]
about  = "customer"
key    = ["customer", "account"]
delete = "role == 'none'"
fields = { customer = "id(customer)", account = "int", role = "text" }

[stream.logins]
about  = "customer"
time   = "at"
fields = { customer = "id(customer)", at = "time" }

[customer.feature]
email   = { from = "customers", last = "email" }
balance = { from = "customers", sum = "balance" }
mail    = { from = "dated", last = "email" }
money   = { from = "dated", sum = "balance" }
held    = { from = "shares", count = true }
logins  = { from = "logins", count = true }
"#;

const JSON: RecordFormat = RecordFormat::Json;
const DEBEZIUM: RecordFormat = RecordFormat::Debezium;

fn decoder(input: &str, format: RecordFormat, key: KeyFrom) -> RecordDecoder {
    let plan = Arc::new(load("shop.toml", PACK).unwrap_or_else(|errors| panic!("{errors:?}")));
    let input = plan.inputs.iter().position(|declared| declared.name == input).expect("an input");
    RecordDecoder::new(&plan, InputId(input as u16), format, key)
}

/// What a record says that the broker dates half a second behind the last change of the database.
const WRITTEN_MS: i64 = 1_559_033_905_500;

type Said = Result<Option<Fact>, (&'static str, String)>;

fn fact(decoder: &mut RecordDecoder, key: Option<&str>, value: Option<&str>) -> Said {
    let record =
        RawRecord { key: key.map(str::as_bytes), value: value.map(str::as_bytes), timestamp_ms: Some(WRITTEN_MS) };
    decoder.fact(&record, Origin { file: 0, line: 1 }).map_err(|error| (error.reason, error.message))
}

/// A fact in short: its key, its time, and what it contributes; nothing for a deletion.
fn short(said: Said) -> (String, u64, Vec<String>) {
    let fact = said.expect("a record").expect("a fact");
    let words = |value: &Value| match value {
        Value::Id(Id::Number(number)) => number.to_string(),
        Value::Id(Id::Text(text)) | Value::Text(text) => text.to_string(),
        Value::Decimal(number) => number.units().to_string(),
        Value::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let key: Vec<String> = fact.key.iter().map(words).collect();
    let contributions = fact.changes.iter().flat_map(|change| &change.contributions);
    (key.join("/"), fact.rank.event_time, contributions.map(|given| words(&given.value)).collect())
}

fn row(key: &str, time: u64, contributions: &[&str]) -> (String, u64, Vec<String>) {
    (key.to_owned(), time, contributions.iter().map(|&value| value.to_owned()).collect())
}

fn reason(said: Said) -> &'static str {
    said.expect_err("a dead letter").0
}

#[test]
fn a_key_of_one_field_is_an_object_or_its_value() {
    let mut decoder = decoder("customers", JSON, KeyFrom::Record);
    let value = Some(r#"{"email":"a@b"}"#);
    for (key, id) in [
        (r#"{"id":7}"#, "7"),
        (r#" {"id" : "7", "more": [1]}"#, "7"),
        ("7", "7"),
        (r#""7""#, "7"),
        ("K-7", "K-7"),
        (r#""é\u0041""#, "éA"),
        ("true", "true"),
        (r#"{"schema":{"type":"struct","fields":[{"type":"int32","field":"id"}]},"payload":{"id":7}}"#, "7"),
        (r#"{"schema":{"type":"string","optional":false},"payload":"K-7"}"#, "K-7"),
    ] {
        assert_eq!(short(fact(&mut decoder, Some(key), value)), row(id, 0, &["a@b"]), "{key}");
        assert_eq!(short(fact(&mut decoder, Some(key), None)), row(id, 0, &[]), "{key}");
    }
    for (key, reason_word) in [
        ("", "missing_field"),
        ("null", "missing_field"),
        ("{}", "missing_field"),
        (r#"{"id":null}"#, "missing_field"),
        (r#"{"schema":null,"payload":null}"#, "missing_field"),
        (r#"{"id":true}"#, "wrong_type"),
        (r#""""#, "wrong_type"),
        (r#""7"#, "unreadable"),
        (r#"{"id":7"#, "unreadable"),
        ("Struct{id=7}", "unreadable"),
    ] {
        assert_eq!(reason(fact(&mut decoder, Some(key), value)), reason_word, "{key}");
        assert_eq!(reason(fact(&mut decoder, Some(key), None)), reason_word, "{key}");
    }
    assert_eq!(reason(fact(&mut decoder, None, value)), "missing_field");
    let binary = RawRecord { key: Some(&[0, 0, 0, 0xe9]), value: None, timestamp_ms: None };
    assert_eq!(decoder.fact(&binary, Origin { file: 0, line: 1 }).unwrap_err().reason, "unreadable");
}

#[test]
fn a_key_of_two_fields_is_an_object() {
    let mut decoder = decoder("shares", JSON, KeyFrom::Record);
    let key = Some(r#"{"customer":1,"account":2}"#);
    assert_eq!(short(fact(&mut decoder, key, Some(r#"{"role":"owner"}"#))), row("1/2", 0, &["Bool(true)"]));
    assert_eq!(short(fact(&mut decoder, key, None)), row("1/2", 0, &[]));
    // By the condition of the pack, and by having nothing but its key.
    assert_eq!(short(fact(&mut decoder, key, Some(r#"{"role":"none"}"#))), row("1/2", 0, &[]));
    assert_eq!(short(fact(&mut decoder, key, Some("{}"))), row("1/2", 0, &[]));
    // What the key lacks the value may have.
    let half = Some(r#"{"customer":1}"#);
    assert_eq!(short(fact(&mut decoder, half, Some(r#"{"account":2,"role":"none"}"#))), row("1/2", 0, &[]));
    let (reason, message) = fact(&mut decoder, half, None).unwrap_err();
    assert_eq!((reason, message.contains("`account`")), ("missing_field", true), "{message}");
    let (reason, message) = fact(&mut decoder, Some("1"), None).unwrap_err();
    assert_eq!((reason, message.contains("`customer`, `account`")), ("unreadable", true), "{message}");
}

#[test]
fn the_value_does_not_say_another_key() {
    let mut decoder = decoder("customers", JSON, KeyFrom::Record);
    assert_eq!(short(fact(&mut decoder, Some("7"), Some(r#"{"id":"7","email":"a"}"#))), row("7", 0, &["a"]));
    let (reason, message) = fact(&mut decoder, Some("7"), Some(r#"{"id":8,"email":"a"}"#)).unwrap_err();
    assert_eq!((reason, message.starts_with("`id` is another one")), ("wrong_type", true), "{message}");
    assert_eq!(super::tests::reason(fact(&mut decoder, Some("7"), Some(r#"{"id":[]}"#))), "wrong_type");
}

#[test]
fn a_tombstone_is_a_deletion_where_the_key_tells_of_what() {
    let mut by_value = decoder("customers", JSON, KeyFrom::Value);
    let (reason, message) = fact(&mut by_value, Some("7"), None).unwrap_err();
    assert_eq!((reason, message.contains("key = \"record\"")), ("unreadable", true), "{message}");
    // Of a table whose rows have times it has the one at which it was written.
    let mut dated = decoder("dated", JSON, KeyFrom::Record);
    assert_eq!(short(fact(&mut dated, Some("7"), None)), row("7", WRITTEN_MS.unsigned_abs(), &[]));
    let undated = RawRecord { key: Some(b"7"), value: None, timestamp_ms: None };
    assert_eq!(dated.fact(&undated, Origin { file: 0, line: 1 }).unwrap_err().reason, "missing_field");
    let mut logins = decoder("logins", JSON, KeyFrom::Value);
    assert_eq!(fact(&mut logins, Some("7"), None), Ok(None));
}

#[test]
fn what_is_too_long_is_not_read() {
    let mut decoder = decoder("customers", JSON, KeyFrom::Record);
    let long = "7".repeat(RECORD_BYTES + 1);
    assert_eq!(reason(fact(&mut decoder, Some("7"), Some(&long))), "too_long");
    assert_eq!(reason(fact(&mut decoder, Some(&long), None)), "too_long");
}
