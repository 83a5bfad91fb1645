//! What a record is about, without reading all of it: for those who look for one customer among
//! many.
//!
//! Of a record that is plain, and names nobody who is looked for, only the event time is read. Of
//! any other nothing is said: it is to be decoded. So nobody is missed, whatever the record looks
//! like, and what is let go may still turn out to be no record at all: a field that nobody looked
//! at may be wrong.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::FixedState;

use propice_define::plan::Input;
use propice_model::{EventTime, FieldId, Row, Value};

use super::RecordError;

/// Ids that are looked for, as records spell them.
pub type WantedIds = HashSet<Box<str>, FixedState>;
/// Primary keys of a table that are looked for.
pub type WantedKeys = HashSet<Vec<Value>, FixedState>;

/// What a glance at a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// It names somebody who is looked for, or has a key that is.
    Wanted,
    /// It names others only. If it is a record at all, this is its event time.
    Other(EventTime),
    /// It has to be decoded to know.
    Unclear,
}

/// What is looked for in the records of one input, and what was seen of the record at hand.
#[derive(Debug)]
pub struct Glancer {
    /// What each field is looked at for.
    roles: Vec<Role>,
    everything: bool,
    has_time: bool,
    /// The fields of the primary key; none when no key is looked for.
    key: Vec<FieldId>,
    keys: Arc<WantedKeys>,
    seen: Seen,
}

/// What a field is looked at for.
#[derive(Clone, Debug, Default)]
struct Role {
    names: Vec<Arc<WantedIds>>,
    is_time: bool,
    key_at: Option<usize>,
}

/// What was seen of a record.
#[derive(Debug, Default)]
struct Seen {
    wanted: bool,
    time: Option<EventTime>,
    key: Vec<Value>,
}

/// How the value of a field spells an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelt<'t> {
    /// As this text, exactly.
    Text(&'t str),
    /// It is no id.
    None,
    /// Only decoding tells, such as `12.0`.
    Unclear,
}

impl Glancer {
    /// Looks for ids in these fields. Nothing is looked at but them until more is asked for.
    pub fn new(input: &Input, subjects: impl IntoIterator<Item = (FieldId, Arc<WantedIds>)>) -> Glancer {
        let mut roles = vec![Role::default(); input.fields.len()];
        for (field, names) in subjects {
            roles[field.index()].names.push(names);
        }
        let (key, keys) = (Vec::new(), Arc::default());
        Glancer { roles, everything: false, has_time: false, key, keys, seen: Seen::default() }
    }

    /// Reads the event time of others too.
    #[must_use]
    pub fn with_time(mut self, input: &Input) -> Glancer {
        if let Some(field) = input.time {
            self.roles[field.index()].is_time = true;
            self.has_time = true;
        }
        self
    }

    /// Looks for primary keys too.
    #[must_use]
    pub fn with_keys(mut self, input: &Input, keys: &Arc<WantedKeys>) -> Glancer {
        if let Some(table) = input.table.as_ref().filter(|_| !keys.is_empty()) {
            self.key.clone_from(&table.key);
            self.keys = Arc::clone(keys);
            for (position, field) in self.key.iter().enumerate() {
                self.roles[field.index()].key_at = Some(position);
            }
        }
        self
    }

    /// Every record is wanted.
    #[must_use]
    pub fn with_everything(self, everything: bool) -> Glancer {
        Glancer { everything, ..self }
    }

    /// Whether a decoded record names somebody who is looked for, or has a key that is.
    pub fn wants(&self, row: &Row) -> bool {
        let is_named = |(role, value): (&Role, &Value)| match value {
            Value::Id(id) if !role.names.is_empty() => {
                let id = id.to_string();
                role.names.iter().any(|names| names.contains(id.as_str()))
            }
            _ => false,
        };
        let key = || self.key.iter().map(|field| row[field.index()].clone()).collect::<Vec<Value>>();
        self.everything
            || self.roles.iter().zip(row).any(is_named)
            || (!self.key.is_empty() && self.keys.contains(&key()))
    }

    /// Whether the bytes of something that is no record may name somebody who is looked for.
    pub fn may_name(&self, bytes: &[u8]) -> bool {
        // Behind an escape anything may stand.
        self.everything
            || memchr::memchr(b'\\', bytes).is_some()
            || (self.roles.iter().flat_map(|role| &role.names).flat_map(|names| names.iter()))
                .any(|name| memchr::memmem::find(bytes, name.as_bytes()).is_some())
    }

    /// Begins with a record; whether anything of it has to be looked at.
    pub(super) fn begin(&mut self) -> bool {
        self.seen.wanted = self.everything;
        self.seen.time = None;
        self.seen.key.clear();
        self.seen.key.resize(self.key.len(), Value::Null);
        !self.everything
    }

    /// Whether a field has to be looked at.
    pub(super) fn looks_at(&self, field: usize) -> bool {
        let role = &self.roles[field];
        role.is_time || role.key_at.is_some() || !role.names.is_empty()
    }

    /// Looks at the value of a field. `false` when nothing more has to be looked at.
    pub(super) fn look(
        &mut self,
        field: usize,
        spelt: Spelt<'_>,
        read: impl FnOnce() -> Result<Value, RecordError>,
    ) -> bool {
        let role = &self.roles[field];
        if !role.names.is_empty() {
            match spelt {
                Spelt::Text(text) => self.seen.wanted |= role.names.iter().any(|names| names.contains(text)),
                Spelt::None => {}
                Spelt::Unclear => return false,
            }
        }
        if self.seen.wanted || (!role.is_time && role.key_at.is_none()) {
            return !self.seen.wanted;
        }
        let Ok(value) = read() else { return false };
        if let (true, Value::Time(time_ms)) = (role.is_time, &value) {
            self.seen.time = EventTime::try_from(*time_ms).ok();
        }
        if let Some(position) = role.key_at {
            self.seen.key[position] = value;
        }
        true
    }

    /// What was seen of a record that was looked at to its end, or not.
    pub(super) fn end(&self, complete: bool) -> Glance {
        let Seen { wanted, time, key } = &self.seen;
        match time {
            _ if *wanted => Glance::Wanted,
            _ if !complete || key.iter().any(Value::is_null) => Glance::Unclear,
            _ if !key.is_empty() && self.keys.contains(key) => Glance::Wanted,
            Some(time) => Glance::Other(*time),
            None if self.has_time => Glance::Unclear,
            None => Glance::Other(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::delimited::{DelimitedDecoder, Values};
    use super::super::json::JsonDecoder;
    use super::*;
    use propice_define::{Plan, load};
    use propice_model::InputId;

    const PACK: &str = r#"
[pack]
name = "small"

[entity.account]
belongs_to = { customer = "customer", by = "owners" }

[table.owners]
key    = ["number"]
time   = "at"
fields = { number = "int", customer = "id(customer)", account = "id(account)", at = "time" }

[account.feature]
holders = { from = "owners", by = "account", count = true }
"#;

    fn plan() -> Arc<Plan> {
        Arc::new(load("small.toml", PACK).unwrap_or_else(|errors| panic!("{errors:?}")))
    }

    fn glancer(plan: &Plan, keys: &[i64]) -> Glancer {
        let input = &plan.inputs[0];
        let names = |all: &[&str]| Arc::new(all.iter().map(|name| Box::from(*name)).collect::<WantedIds>());
        let keys = keys.iter().map(|key| vec![Value::Int(*key)]).collect();
        Glancer::new(input, [(FieldId(1), names(&["12", "c é"])), (FieldId(2), names(&["a1"]))])
            .with_time(input)
            .with_keys(input, &Arc::new(keys))
    }

    #[test]
    fn nobody_is_missed_whatever_the_line_looks_like() {
        let plan = plan();
        let mut decoder = JsonDecoder::new(&plan, InputId(0));
        let mut glancer = glancer(&plan, &[7]);
        for (line, expected) in [
            (r#"{"number":1,"customer":12,"account":"a2","at":5}"#, Glance::Wanted),
            (r#"{"number":1,"customer":"12","account":"a2","at":5}"#, Glance::Wanted),
            (r#"{"number":1,"customer":"c é","account":null,"at":5}"#, Glance::Wanted),
            (r#"{"number":1,"customer":112,"account":"a1","at":"no time"}"#, Glance::Wanted),
            (r#"{"number":1,"customer":112,"account":"12","at":5}"#, Glance::Other(5)),
            (r#"{"number":1,"customer":"012","account":"a11","at":"1970-01-01T00:00:00.006Z"}"#, Glance::Other(6)),
            (r#"{"number":7,"customer":3,"account":"a2","at":5}"#, Glance::Wanted),
            (r#"{"number":7.0,"customer":3,"account":"a2","at":5}"#, Glance::Wanted),
            (r#"{"number":7,"at":5}"#, Glance::Wanted),
            (r#"{"number":1,"customer":12.0,"account":"a2","at":5}"#, Glance::Unclear),
            (r#"{"number":1,"customer":1.2e1,"account":"a2","at":5}"#, Glance::Unclear),
            (r#"{"number":1,"customer":"\u0031\u0032","account":"a2","at":5}"#, Glance::Unclear),
            (r#"{"number":1,"customer":3,"account":"a2","at":"soon"}"#, Glance::Unclear),
            (r#"{"number":1,"customer":3,"account":"a2"}"#, Glance::Unclear),
            (r#"{"customer":3,"account":"a2","at":5}"#, Glance::Unclear),
            (r#"{"number":1,"customer":3,"account":"a2","at":5"#, Glance::Unclear),
            (r#"{"number":1,"x":1,"customer":3,"x":1,"account":"a2","at":5}"#, Glance::Unclear),
            (r#"{"number":1,"x":1,"customer":3,"y":1,"account":"a2","at":5}"#, Glance::Other(5)),
            (r#"{"number":1,"customer":3,"more":{"customer":12},"account":"a2","at":5}"#, Glance::Unclear),
            ("", Glance::Unclear),
        ] {
            assert_eq!(decoder.glance(line.as_bytes(), &mut glancer), expected, "{line}");
        }
        assert_eq!(decoder.glance(b"{\"number\":1,\"customer\":\"\xff\"}", &mut glancer), Glance::Unclear);
    }

    #[test]
    fn delimited_values_are_texts() {
        let plan = plan();
        let mut decoder = DelimitedDecoder::without_header(&plan, InputId(0));
        let mut glancer = glancer(&plan, &[7]);
        for (values, expected) in [
            (["1", "12", "a2", "5"], Glance::Wanted),
            (["1", "012", "a2", "5"], Glance::Other(5)),
            (["1", "3", "a1", "5"], Glance::Wanted),
            (["7", "3", "", "5"], Glance::Wanted),
            (["1", "", "", "1970-01-01"], Glance::Other(0)),
            (["1", "3", "a2", ""], Glance::Unclear),
            (["x", "3", "a2", "5"], Glance::Unclear),
        ] {
            let mut ends: Vec<usize> = Vec::new();
            for value in values {
                ends.push(ends.last().unwrap_or(&0) + value.len());
            }
            let bytes = values.concat();
            let found = decoder.glance(Values { bytes: bytes.as_bytes(), ends: &ends }, &mut glancer);
            assert_eq!(found, expected, "{values:?}");
        }
        assert_eq!(decoder.glance(Values { bytes: b"12", ends: &[1, 2] }, &mut glancer), Glance::Unclear);
    }

    #[test]
    fn a_row_is_wanted_as_its_bytes_are() {
        let plan = plan();
        let glancer = glancer(&plan, &[7]);
        let row = |number: i64, customer: &str, account: &str| {
            let id = |text: &str| Value::Id(propice_model::Id::parse(text));
            vec![Value::Int(number), id(customer), id(account), Value::Time(5)]
        };
        assert!(glancer.wants(&row(1, "12", "a2")) && glancer.wants(&row(1, "3", "a1")));
        assert!(glancer.wants(&row(7, "3", "a2")) && !glancer.wants(&row(1, "3", "a2")));
        assert!(glancer.may_name(b"{\"customer\":12,") && glancer.may_name(br"{\u0061") && !glancer.may_name(b"{3"));
    }
}
