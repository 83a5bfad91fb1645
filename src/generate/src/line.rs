//! One record as a line of JSON, written straight into the text of its file: no tree, no
//! allocation.
//!
//! Contract: names and texts come from this module's neighbours and hold nothing that JSON would
//! escape (checked in debug builds, and by the test that decodes everything that is generated).

use super::calendar;

/// A moment: a day since 1970 and a second of it, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayTime {
    pub(super) day: i64,
    pub(super) second: i64,
}

impl DayTime {
    /// A day at an hour and a minute.
    pub(super) fn new(day: i64, hour: i64, minute: i64) -> DayTime {
        DayTime { day, second: hour * 3_600 + minute * 60 }
    }

    /// So many seconds later on the same day.
    pub(super) fn plus(self, seconds: i64) -> DayTime {
        DayTime { day: self.day, second: self.second + seconds }
    }

    /// Seconds since 1970.
    pub(super) fn seconds(self) -> i64 {
        self.day * 86_400 + self.second
    }
}

/// An id: a letter and a number, and perhaps a second number: `a17`, `s17_2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GeneratedId(pub(super) char, pub(super) u32, pub(super) Option<i64>);

/// The customer with this number.
pub(super) fn customer(number: u32) -> GeneratedId {
    GeneratedId('c', number, None)
}

/// Opens a line.
pub(super) fn open(out: &mut String) {
    out.push('{');
}

/// Closes a line.
pub(super) fn close(out: &mut String) {
    out.pop();
    out.push_str("}\n");
}

fn key(out: &mut String, name: &str) {
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

/// `"name":"value",`
pub(super) fn text(out: &mut String, name: &str, value: &str) {
    debug_assert!(!value.contains(['"', '\\']) && !value.contains(char::is_control));
    key(out, name);
    out.push('"');
    out.push_str(value);
    out.push_str("\",");
}

/// `"name":true,`
pub(super) fn truth(out: &mut String, name: &str, value: bool) {
    key(out, name);
    out.push_str(if value { "true," } else { "false," });
}

/// `"name":12,`
pub(super) fn int(out: &mut String, name: &str, value: i64) {
    key(out, name);
    if value < 0 {
        out.push('-');
    }
    digits(out, value.unsigned_abs(), 1);
    out.push(',');
}

/// Cents, as `"name":-12.50,`
pub(super) fn money(out: &mut String, name: &str, cents: i64) {
    key(out, name);
    if cents < 0 {
        out.push('-');
    }
    digits(out, cents.unsigned_abs() / 100, 1);
    out.push('.');
    digits(out, cents.unsigned_abs() % 100, 2);
    out.push(',');
}

/// `"name":"c12",`
pub(super) fn id(out: &mut String, name: &str, value: GeneratedId) {
    key(out, name);
    out.push('"');
    out.push(value.0);
    digits(out, u64::from(value.1), 1);
    if let Some(second) = value.2 {
        out.push('_');
        digits(out, second.unsigned_abs(), 1);
    }
    out.push_str("\",");
}

/// `"name":"2026-03-02T09:00:00Z",`
pub(super) fn time(out: &mut String, name: &str, at: DayTime) {
    key(out, name);
    let date = calendar::date(at.day);
    let parts = [
        (date.year, 4, '-'),
        (date.month, 2, '-'),
        (date.day, 2, 'T'),
        (at.second / 3_600, 2, ':'),
        (at.second / 60 % 60, 2, ':'),
        (at.second % 60, 2, 'Z'),
    ];
    out.push('"');
    for (number, width, behind) in parts {
        digits(out, number.unsigned_abs(), width);
        out.push(behind);
    }
    out.push_str("\",");
}

/// `"name":"2026-03-02",`
pub(super) fn date(out: &mut String, name: &str, day: i64) {
    key(out, name);
    let date = calendar::date(day);
    out.push('"');
    for (number, width, behind) in [(date.year, 4, '-'), (date.month, 2, '-'), (date.day, 2, '"')] {
        digits(out, number.unsigned_abs(), width);
        out.push(behind);
    }
    out.push(',');
}

/// A number in at least so many digits.
fn digits(out: &mut String, mut number: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut from = buffer.len();
    while number > 0 || buffer.len() - from < width {
        from -= 1;
        buffer[from] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend(buffer[from..].iter().map(|&digit| char::from(digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json() {
        let mut out = String::new();
        open(&mut out);
        id(&mut out, "customer_id", customer(7));
        id(&mut out, "subscription_id", GeneratedId('s', 7, Some(2)));
        int(&mut out, "entry_id", -120);
        money(&mut out, "amount", -5);
        money(&mut out, "limit", 123_450);
        time(&mut out, "at", DayTime::new(20_454, 9, 5).plus(7));
        truth(&mut out, "granted", false);
        text(&mut out, "kind", "café");
        close(&mut out);
        let expected = concat!(
            r#"{"customer_id":"c7","subscription_id":"s7_2","entry_id":-120,"amount":-0.05,"limit":1234.50,"#,
            r#""at":"2026-01-01T09:05:07Z","granted":false,"kind":"café"}"#,
            "\n"
        );
        assert_eq!(out, expected);
        assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
    }
}
