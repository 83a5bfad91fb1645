//! Whole histories of a table, and messages that were damaged.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// One change of a row of one of a few keys.
#[derive(Clone, Debug)]
struct Step {
    id: u8,
    /// The text and the cents of the row; `None` when it is deleted.
    row: Option<(String, Option<i64>)>,
    /// What the row itself says, and what the database does.
    at: u64,
    changed_at: u64,
    /// How much the database tells of a row that is gone.
    identity: Identity,
    has_schema: bool,
    has_tombstone: bool,
    is_read: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    Full,
    Key,
    Nothing,
}

fn step() -> impl Strategy<Value = Step> {
    let row = ("[a-zé\\\\\" ]{0,6}", prop::option::of(any::<i64>()));
    let times = (1_000_u64..1_000_000_000_000, 1_000_u64..1_000_000_000_000);
    let identity = prop_oneof![Just(Identity::Full), Just(Identity::Key), Just(Identity::Nothing)];
    (0_u8..4, prop::option::weighted(0.7, row), times, identity, any::<[bool; 3]>()).prop_map(
        |(id, row, (at, changed_at), identity, [has_schema, has_tombstone, is_read])| Step {
            id,
            row,
            at,
            changed_at,
            identity,
            has_schema,
            has_tombstone,
            is_read,
        },
    )
}

/// Bytes in base 64.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| (number << 8) | usize::from(*chunk.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = if at > chunk.len() { b'=' } else { DIGITS[(number >> (18 - 6 * at)) & 63] };
            out.push(char::from(digit));
        }
    }
    out
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("JSON")
}

/// Cents as a decimal, as JSON lines have it.
fn decimal(cents: i64) -> String {
    let mut out = if cents < 0 { "-".to_owned() } else { String::new() };
    let _ = write!(out, "{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    out
}

const COLUMNS: &str = r#"[{"field":"id","type":"int32"},{"field":"email","type":"string"},{"field":"balance","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},{"field":"at","type":"int64","name":"io.debezium.time.MicroTimestamp"}]"#;

impl Step {
    /// As Debezium writes rows.
    fn row_of(&self, email: &str, cents: Option<i64>) -> String {
        let balance = match cents {
            None => "null".to_owned(),
            Some(cents) if self.has_schema => quoted(&base64(&cents.to_be_bytes())),
            Some(cents) => quoted(&decimal(cents)),
        };
        let at = if self.has_schema { self.at * 1_000 + 999 } else { self.at };
        format!(r#"{{"id":{},"email":{},"balance":{balance},"at":{at}}}"#, self.id, quoted(email))
    }

    /// As Debezium writes changes.
    fn change(&self) -> String {
        let (op, before, after) = match &self.row {
            Some((email, cents)) => {
                (if self.is_read { "r" } else { "u" }, "null".to_owned(), self.row_of(email, *cents))
            }
            None => {
                let before = match self.identity {
                    Identity::Full => self.row_of("old", Some(1)),
                    Identity::Key => format!(r#"{{"id":{},"email":null,"balance":null}}"#, self.id),
                    Identity::Nothing => "null".to_owned(),
                };
                ("d", before, "null".to_owned())
            }
        };
        let change = format!(
            r#"{{"before":{before},"after":{after},"source":{{"ts_ms":{},"snapshot":"{}"}},"op":"{op}","ts_ms":1}}"#,
            self.changed_at, self.is_read
        );
        if !self.has_schema {
            return change;
        }
        format!(
            r#"{{"schema":{{"type":"struct","fields":[{{"field":"before","fields":{COLUMNS}}},{{"field":"after","fields":{COLUMNS}}}]}},"payload":{change}}}"#
        )
    }

    /// As a line of a file, with the time that it says.
    fn line(&self) -> String {
        match &self.row {
            Some((email, cents)) => {
                let balance = cents.map_or_else(|| "null".to_owned(), decimal);
                format!(r#"{{"id":{},"email":{},"balance":{balance},"at":{}}}"#, self.id, quoted(email), self.at)
            }
            None => format!(r#"{{"id":{},"at":{},"_deleted":true}}"#, self.id, self.gone_at()),
        }
    }

    /// When a row is gone whose times count.
    fn gone_at(&self) -> u64 {
        if self.identity == Identity::Full { self.changed_at.max(self.at) } else { self.changed_at }
    }
}

fn said(decoder: &mut RecordDecoder, key: &str, value: Option<&str>, line: u64) -> Fact {
    let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
    let record = RawRecord { key, value, timestamp_ms: Some(2_000_000_000_000) };
    decoder.fact(&record, Origin { file: 0, line }).expect("a record").expect("a fact")
}

/// The same at another time.
fn at(mut fact: Fact, event_time: EventTime) -> Fact {
    fact.rank.event_time = event_time;
    fact.changes.iter_mut().for_each(|change| change.event_time = event_time);
    fact
}

proptest! {
    #[test]
    fn changes_say_what_lines_say(steps in prop::collection::vec(step(), 1..12), is_keyed: bool, is_dated: bool) {
        let input = if is_dated { "dated" } else { "customers" };
        let key = if is_keyed { KeyFrom::Record } else { KeyFrom::Value };
        let (mut lines, mut changes) = (decoder(input, JSON, KeyFrom::Value), decoder(input, DEBEZIUM, key));
        for (number, step) in steps.iter().enumerate() {
            let number = 2 * number as u64;
            let of_record = format!(r#"{{"id":{}}}"#, step.id);
            let of_line = said(&mut lines, "", Some(&step.line()), number);
            // Rows without times have that of the database.
            let of_line = if is_dated { of_line } else { at(of_line, step.changed_at) };
            let of_change = said(&mut changes, &of_record, Some(&step.change()), number);
            prop_assert_eq!(&of_change, &of_line);
            prop_assert_eq!(step.row.is_none(), of_change.changes.is_empty());
            if step.row.is_none() && step.has_tombstone {
                let mut again = said(&mut changes, &of_record, None, number + 1);
                prop_assert!(again.rank > of_change.rank);
                again.rank.origin.line -= 1;
                prop_assert_eq!(again, of_change);
            }
        }
    }
}

/// Numbers that look like chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    /// Damages bytes in one of the ways in which bytes are damaged.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        const BYTES: &[u8] = b"{}[]\",:.-\\/09eEntfau=+ \n\x00\x7f\x80\xff\xc3";
        let (from, to) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 24));
        let piece = bytes[from..to].to_vec();
        match self.below(5) {
            0 => bytes.truncate(from),
            1 => drop(bytes.drain(from..to)),
            2 => drop(bytes.splice(from..from, piece)),
            3 => bytes.insert(from, BYTES[self.below(BYTES.len())]),
            _ if from < bytes.len() => bytes[from] = BYTES[self.below(BYTES.len())],
            _ => {}
        }
    }
}

const REASONS: [&str; 6] = ["unreadable", "missing_field", "wrong_type", "out_of_range", "too_long", "expression"];

#[test]
fn damaged_messages_are_facts_or_dead_letters() {
    const MESSAGES: usize = 100_000;
    let mut decoders: Vec<RecordDecoder> = Vec::new();
    for input in ["customers", "dated", "shares", "logins"] {
        for key in [KeyFrom::Value, KeyFrom::Record] {
            decoders.extend([JSON, DEBEZIUM].map(|format| decoder(input, format, key)));
        }
    }
    let mut messages: Vec<(String, String)> = Vec::new();
    for number in 0..64_u8 {
        let step = Step {
            id: number % 4,
            row: (number % 3 != 0).then(|| ("é\"".to_owned(), (number % 5 != 0).then_some(-31_743))),
            at: 1_559_033_904_000,
            changed_at: 1_559_033_904_863,
            identity: [Identity::Full, Identity::Key, Identity::Nothing][usize::from(number / 3 % 3)],
            has_schema: number & 1 == 0,
            has_tombstone: false,
            is_read: number & 2 == 0,
        };
        let key = match number % 4 {
            0 => format!(r#"{{"id":{},"customer":1,"account":2}}"#, step.id),
            1 => format!(
                r#"{{"schema":{{"type":"struct","fields":[{{"type":"int32","field":"id"}}]}},"payload":{{"id":{}}}}}"#,
                step.id
            ),
            2 => step.id.to_string(),
            _ => format!(r#"{{"schema":{{"type":"int32"}},"payload":{}}}"#, step.id),
        };
        let value = if number % 7 == 0 { step.line() } else { step.change() };
        messages.push((key, value));
    }
    let mut chance = Chance(1);
    let (mut facts, mut refused) = (0, 0);
    for number in 0..MESSAGES {
        let (key, value) = &messages[chance.below(messages.len())];
        let (mut key, mut value) = (key.clone().into_bytes(), value.clone().into_bytes());
        for _ in 0..=chance.below(3) {
            let part = if chance.below(4) == 0 { &mut key } else { &mut value };
            chance.damage(part);
        }
        let record = RawRecord {
            key: (chance.below(8) != 0).then_some(key.as_slice()),
            value: (chance.below(8) != 0).then_some(value.as_slice()),
            timestamp_ms: (chance.below(8) != 0).then_some(1_559_033_905_500),
        };
        let decoder = chance.below(decoders.len());
        match decoders[decoder].fact(&record, Origin { file: 0, line: number as u64 }) {
            Ok(said) => facts += usize::from(said.is_some()),
            Err(RecordError { reason, message }) => {
                assert!(REASONS.contains(&reason) && message.len() > 10, "{reason}: {message}");
                refused += 1;
            }
        }
    }
    assert!(facts > 2_000 && refused > 20_000, "{facts} facts, {refused} refused");
}
