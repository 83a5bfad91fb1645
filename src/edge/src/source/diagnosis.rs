//! Why all records of a file are refused: what was expected, what the first one looks like, and
//! what is most likely to be done about it.

use std::fmt::Write as _;

use propice_define::Plan;
use propice_define::plan::{Field, TimeUnit};
use propice_flow::decode::time_units;
use propice_model::Type;

use super::DeadLetter;
use super::counts::RecordCounts;
use super::cut::Cut;
use super::files::InputFile;

/// How much of a record is shown, in characters.
const SHOWN_CHARS: usize = 120;
/// What values are delimited by.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// What begins a file of another kind than text, and what to do about it.
const MAGIC: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "it is packed with gzip: let its name end with .gz"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd: let its name end with .zst"),
    (b"PAR1", "it is Parquet, which is not read: write it as CSV or JSON Lines"),
    (b"PK\x03\x04", "it is a ZIP archive or a spreadsheet: write it as CSV or JSON Lines"),
    (b"\x00\x00\x00", "it is not text"),
];

/// What is expected of the records of a file.
#[derive(Clone, Debug)]
pub(super) struct ExpectedRecords {
    /// The file as it was named.
    pub(super) file: String,
    /// The input whose records it holds.
    pub(super) input: String,
    fields: Vec<WantedField>,
    delimited: Option<Delimited>,
}

/// A field that records need.
#[derive(Clone, Debug)]
struct WantedField {
    column: String,
    ty: Type,
    required: bool,
    /// Whether the pack says how it is written.
    described: bool,
}

#[derive(Clone, Debug)]
struct Delimited {
    delimiter: u8,
    encoding: String,
    header: bool,
}

impl ExpectedRecords {
    /// Of a file; `delimited` tells how it is read.
    pub(super) fn new(plan: &Plan, file: &InputFile, delimited: bool) -> ExpectedRecords {
        let input = &plan.inputs[file.input.index()];
        let wanted = |field: &Field| WantedField {
            column: field.column.clone(),
            ty: field.ty.clone(),
            required: !field.optional,
            described: field.format.is_some() || field.unit.is_some(),
        };
        let format = &input.format;
        let delimited = delimited.then(|| Delimited {
            delimiter: format.delimiter,
            encoding: format.encoding.clone(),
            header: format.header,
        });
        ExpectedRecords {
            file: file.name(),
            input: input.name.clone(),
            fields: input.fields.iter().map(wanted).collect(),
            delimited,
        }
    }

    /// Every record of the file is refused, as far as it was read, or to its end.
    pub(super) fn all_refused(&self, tally: &RecordCounts, at_end: bool) -> Cut {
        let how_many = match tally.read() {
            1 => "its only record is".to_owned(),
            all if at_end && tally.taken == 0 => format!("every one of its {all} records is"),
            all if at_end => format!("{} of its {all} lines are", tally.refused),
            all => format!("every one of its first {all} records is"),
        };
        self.refused(format!("{}: {how_many} refused, as records of `{}`", self.file, self.input), tally)
    }

    /// Too many records of the file are refused; the first of them is told.
    pub(super) fn refused(&self, mut text: String, tally: &RecordCounts) -> Cut {
        if let Some(first) = &tally.first {
            let DeadLetter { line, record, error, .. } = first;
            let (expected, found) = (self.expected(), excerpt(record));
            let _ = write!(text, "\n  expected  {expected}\n  found     line {line}: {found}\n  why       {error}");
            if let Some(remedy) = self.remedy(first) {
                let _ = write!(text, "\n  remedy    {remedy}");
            }
        }
        text += "\nwhat was read until there is decided, published and counted; --max-dead-letters N or N% says how many are let pass";
        Cut::Refused(text)
    }

    /// What stands behind the message about a header, for what is most likely wrong with it.
    pub(super) fn remedy_of_header(&self, header: &[u8]) -> String {
        let of_kind = not_text(header).or_else(|| looks_like_json(header));
        let remedy = of_kind.or_else(|| self.other_delimiter(header)).or_else(|| self.values_not_names(header));
        remedy.map_or_else(String::new, |remedy| format!("\n  remedy    {remedy}"))
    }

    fn expected(&self) -> String {
        let required = self.fields.iter().filter(|field| field.required);
        let names: Vec<String> = required.map(|field| format!("`{}`", field.column)).collect();
        match &self.delimited {
            None => format!("one JSON object per line, with {}", names.join(", ")),
            Some(Delimited { delimiter, encoding, header: true }) => format!(
                "a record per line in {encoding}, values separated by {}, with {}",
                shown(*delimiter),
                names.join(", ")
            ),
            Some(Delimited { delimiter, encoding, header: false }) => {
                let names: Vec<&str> = self.fields.iter().map(|field| field.column.as_str()).collect();
                format!(
                    "a record per line in {encoding}, the values of {} in this order, separated by {}",
                    names.join(", "),
                    shown(*delimiter)
                )
            }
        }
    }

    fn remedy(&self, first: &DeadLetter) -> Option<String> {
        let record = first.record.as_slice();
        let of_bytes = if first.line == 1 { not_text(record) } else { None };
        of_bytes.or_else(|| if self.delimited.is_some() { self.of_values(first) } else { self.of_json(first) })
    }

    /// Where JSON Lines are expected.
    fn of_json(&self, first: &DeadLetter) -> Option<String> {
        let record = first.record.trim_ascii();
        if record.starts_with(b"[") {
            return looks_like_json(record);
        }
        if std::str::from_utf8(record).is_err() {
            return Some(
                "JSON is UTF-8, and this is not: convert it, for example with iconv -f latin1 -t utf-8".to_owned(),
            );
        }
        if first.reason != "unreadable" {
            return self.of_field(first, &keys_of(record));
        }
        if record.starts_with(b"{") {
            return Some("write one whole JSON object per line, for example with jq -c .".to_owned());
        }
        let delimiter = DELIMITERS.into_iter().max_by_key(|delimiter| count(record, *delimiter))?;
        (count(record, delimiter) > 0).then(|| {
            let format =
                if delimiter == b',' { String::new() } else { format!(", with {} in the pack", format_of(delimiter)) };
            format!("it looks like delimited text: let its name end with .csv{format}")
        })
    }

    /// Where delimited values are expected.
    fn of_values(&self, first: &DeadLetter) -> Option<String> {
        let record = first.record.trim_ascii();
        if let Some(remedy) = looks_like_json(record).filter(|_| !first.error.starts_with('`')) {
            return Some(remedy);
        }
        if std::str::from_utf8(record).is_err() || first.error.contains("UTF-8") {
            return Some(
                "it is in another encoding: name it in the pack, such as format = { encoding = \"latin1\" } or \"windows-1252\""
                    .to_owned(),
            );
        }
        if first.reason == "unreadable" {
            return self.other_delimiter(record);
        }
        self.of_field(first, &[])
    }

    /// A value that does not fit, or is not there.
    fn of_field(&self, first: &DeadLetter, keys: &[String]) -> Option<String> {
        let name = first.error.split('`').nth(1)?;
        if first.reason == "missing_field" {
            let unknown: Vec<String> = (keys.iter())
                .filter(|key| self.fields.iter().all(|field| field.column != **key))
                .map(|key| format!("\"{key}\""))
                .collect();
            return (!unknown.is_empty()).then(|| {
                format!(
                    "the pack names the key of a field with `column`; in the record there are also {}",
                    unknown.join(", ")
                )
            });
        }
        let value = first.error.split_once(": ").map_or("", |(_, value)| value).trim_matches('"');
        let is_time = |field: &&WantedField| field.ty == Type::Time && first.error.contains("is not time");
        let field = self.fields.iter().find(|field| field.column == name);
        match field.or_else(|| self.fields.iter().find(is_time)) {
            Some(WantedField { ty: Type::Time, described: true, .. }) => {
                Some(format!("see how the pack says that `{name}` is written"))
            }
            Some(WantedField { ty: Type::Time, .. }) => {
                let number = value.split(' ').next().unwrap_or_default();
                let unit = time_units(number).into_iter().find(|(unit, _)| *unit != TimeUnit::Milliseconds);
                Some(match unit {
                    Some((unit, time)) => format!(
                        "as {} it is {time}: {name} = {{ type = \"time\", unit = \"{}\" }} in the pack",
                        unit.words(),
                        unit.name()
                    ),
                    None => format!(
                        "say in the pack how it is written, such as {name} = {{ type = \"time\", format = \"%d/%m/%Y %H:%M\" }}"
                    ),
                })
            }
            Some(WantedField { ty: Type::Decimal(_) | Type::Float, .. }) if value.contains(',') => {
                Some("numbers are written with a point, such as 12.50".to_owned())
            }
            _ => Some(format!("see whether the type of `{name}` in the pack is that of the records")),
        }
    }

    /// Another delimiter by which there are more values.
    fn other_delimiter(&self, record: &[u8]) -> Option<String> {
        let own = self.delimited.as_ref()?.delimiter;
        let best = DELIMITERS.into_iter().filter(|other| *other != own).max_by_key(|other| count(record, *other))?;
        let is_better = count(record, best) > count(record, own);
        is_better.then(|| format!("its values look separated by {}: {} in the pack", shown(best), format_of(best)))
    }

    /// A first line that holds numbers holds no names.
    fn values_not_names(&self, header: &[u8]) -> Option<String> {
        let delimiter = self.delimited.as_ref()?.delimiter;
        let mut values = header.split(|byte| *byte == delimiter).map(<[u8]>::trim_ascii);
        values.any(|value| value.first().is_some_and(u8::is_ascii_digit)).then(|| {
            "its first line looks like a record: format = { header = false } takes the columns in the order of `fields`".to_owned()
        })
    }
}

/// What bytes are that are no text.
fn not_text(start: &[u8]) -> Option<String> {
    if let Some((_, remedy)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some((*remedy).to_owned());
    }
    let is_wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || start.get(1) == Some(&0);
    is_wide.then(|| "it is UTF-16: convert it, for example with iconv -f utf-16 -t utf-8".to_owned())
}

/// What JSON is that is not JSON Lines, or is read as something else.
fn looks_like_json(record: &[u8]) -> Option<String> {
    match record.trim_ascii_start().first() {
        Some(b'[') => Some("it is a JSON array: write one object per line, for example with jq -c '.[]'".to_owned()),
        Some(b'{') => Some("it looks like JSON: let its name end with .jsonl, with one object per line".to_owned()),
        _ => None,
    }
}

/// The keys of an object.
fn keys_of(record: &[u8]) -> Vec<String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(record).unwrap_or_default();
    object.keys().map(|key| key.escape_debug().to_string()).take(20).collect()
}

fn count(record: &[u8], delimiter: u8) -> usize {
    memchr::memchr_iter(delimiter, record).count()
}

fn shown(delimiter: u8) -> String {
    format!("`{}`", char::from(delimiter).escape_default())
}

fn format_of(delimiter: u8) -> String {
    format!("format = {{ delimiter = \"{}\" }}", char::from(delimiter).escape_default())
}

/// The start of a record, on one line.
fn excerpt(record: &[u8]) -> String {
    let text = String::from_utf8_lossy(record);
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(escaped).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}
