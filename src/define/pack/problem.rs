//! Every mistake that a pack can hold, and how it is said: one variant each, with a message, a label and a remedy.
//!
//! `tests/check_messages.rs` holds a faulty pack for every one of [`CODES`].

use std::ops::Range;

use super::words::join_or;

/// Where something stands in the text of the pack, in bytes.
pub(super) type Span = Range<usize>;

/// The mistakes that were found so far. Nothing stops at the first one.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<(Problem, Span)>,
}

impl Problems {
    /// Notes a mistake.
    pub(super) fn add(&mut self, problem: Problem, span: &Span) {
        self.found.push((problem, span.clone()));
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Takes over what another step found.
    pub(super) fn append(&mut self, mut other: Problems) {
        self.found.append(&mut other.found);
    }

    /// Forgets what may only be missing because the text could not be read to its end.
    pub(super) fn retain_certain(&mut self) {
        self.found.retain(|(problem, _)| matches!(problem, Problem::Syntax { .. } | Problem::WrongType { .. }));
    }

    /// The mistakes in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<(Problem, Span)> {
        self.found.sort_by_key(|(_, span)| (span.start, span.end));
        self.found
    }
}

/// Declares the mistakes, and the list of their stable words beside them.
macro_rules! problems {
    ($($(#[$attribute:meta])* $name:ident $({ $($field:ident: $ty:ty),* $(,)? })? = $code:literal;)*) => {
        /// A mistake in a pack.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub(super) enum Problem {
            $($(#[$attribute])* $name $({ $($field: $ty),* })?,)*
        }

        impl Problem {
            /// A stable word for programs.
            pub(super) fn code(&self) -> &'static str {
                match self {
                    $(Problem::$name $({ $($field: _),* })? => $code,)*
                }
            }
        }

        /// The stable words of all mistakes that a pack can hold.
        pub const CODES: &[&str] = &[$($code),*];
    };
}

problems! {
    #[error("this is not TOML: {message}")]
    Syntax { message: String } = "syntax";
    #[error("the pack is larger than 1 MiB")]
    PackTooLarge = "pack_too_large";
    #[error("this is nested more than {limit} deep")]
    TooDeep { limit: usize } = "too_deep";
    #[error("there are more than {limit} {what}")]
    TooMany { what: &'static str, limit: usize } = "too_many";
    #[error("unknown key `{key}` in {place}")]
    UnknownKey { key: String, place: String, nearest: Option<String>, known: Vec<String> } = "unknown_key";
    #[error("`{key}` is for tables; {place} is a stream")]
    OnlyForTables { key: &'static str, place: String } = "only_for_tables";
    #[error("{place} needs `{key}`: {what}")]
    Missing { place: String, key: &'static str, what: &'static str } = "missing_key";
    #[error("`{key}` has to be {expected}, not {found}")]
    WrongType { key: String, expected: &'static str, found: &'static str } = "wrong_type";
    #[error("`{key}` must not be empty")]
    Empty { key: String } = "empty";
    #[error("`{name}` cannot be the name of {what}")]
    BadName { what: &'static str, name: String } = "bad_name";
    #[error("`{name}` cannot be the name of {what}: {why}")]
    ReservedName { what: &'static str, name: String, why: &'static str, remedy: &'static str } = "reserved_name";
    #[error("{what} `{name}` is there twice")]
    Duplicate { what: &'static str, name: String } = "duplicate";
    #[error("there is no {what} `{name}`{place}")]
    Unknown { what: &'static str, name: String, place: String, nearest: Option<String>, known: Vec<String> } = "unknown_name";
    #[error("entity `{name}` is not declared")]
    UndeclaredEntity { name: String, nearest: Option<String> } = "undeclared_entity";
    #[error("`{found}` is not a {what}")]
    UnknownWord { what: &'static str, found: String, known: Vec<String>, nearest: Option<String> } = "unknown_word";
    #[error("`{found}` is not a duration")]
    BadDuration { found: String } = "bad_duration";
    #[error("`{key}` has to be longer than nothing")]
    DurationNotPositive { key: String } = "duration_not_positive";
    #[error("`{key}` cannot be negative")]
    DurationNegative { key: String } = "duration_negative";
    #[error("`{key}` is longer than 100 years")]
    DurationTooLong { key: String } = "duration_too_long";
    #[error("`{key}` has to be a whole number {}", range(*.least, *.most))]
    OutOfRange { key: String, least: u64, most: u64 } = "out_of_range";
    #[error("`{key}` has to be a number {bounds}")]
    OutOfBounds { key: &'static str, bounds: &'static str } = "out_of_bounds";
    #[error("`{key}` has to be a finite number")]
    NotFinite { key: String } = "not_finite";
    #[error("`{found}` is not a time")]
    BadTime { found: String } = "bad_time";
    #[error("`{found}` is not a type")]
    BadType { found: String, nearest: Option<String> } = "bad_type";
    #[error("a decimal has from 0 to {most} decimals, not {found}")]
    BadScale { found: String, most: u8 } = "bad_scale";
    #[error("the zone `{found}` is not known")]
    UnknownZone { found: String, nearest: Option<String> } = "unknown_zone";
    #[error("the encoding `{found}` is not known")]
    UnknownEncoding { found: String, nearest: Option<String> } = "unknown_encoding";
    #[error("`{key}` has to be one ASCII character that is not the end of a line")]
    OneCharacter { key: &'static str } = "one_character";
    #[error("`delimiter` and `quote` are the same character")]
    SameCharacter = "same_character";
    #[error("`format` is for fields of type `time`, and this one is `{ty}`")]
    PatternNotTime { ty: String } = "pattern_not_time";
    #[error("`{found}` is not a pattern of a time: {reason}")]
    BadPattern { found: String, reason: String } = "bad_pattern";
    #[error("`{key}` has to name a field of type {expected}; `{field}` is `{found}`")]
    FieldType { key: &'static str, field: String, expected: String, found: String } = "field_type";
    #[error("`{key}` has to name a feature or attribute of type {expected}; `{field}` is `{found}`")]
    SlotType { key: &'static str, field: String, expected: String, found: String } = "slot_type";
    #[error("`{field}` is optional, and `{key}` needs a field that is always there")]
    FieldOptional { key: &'static str, field: String } = "field_optional";
    #[error("the customer is always there and belongs to nobody")]
    CustomerDeclared = "customer_declared";
    #[error("{input} has no field of type `id({entity})`")]
    NoIdField { input: String, entity: String } = "no_id_field";
    #[error("{input} has several fields of type `id({entity})`: {}", quoted(.fields))]
    SeveralIdFields { input: String, entity: String, fields: Vec<String>, key: &'static str } = "several_id_fields";
    #[error("feature `{name}` says neither what it is `from` nor what it is `over`")]
    NoSource { name: String } = "no_source";
    #[error("feature `{name}` is both `from` records and `over` entities")]
    FromAndOver { name: String } = "from_and_over";
    #[error("feature `{name}` has no aggregate")]
    NoAggregate { name: String } = "no_aggregate";
    #[error("feature `{name}` has several aggregates: {}", quoted(.found))]
    SeveralAggregates { name: String, found: Vec<String> } = "several_aggregates";
    #[error("`{key}` cannot stand with `over`: {why}")]
    NotWithOver { key: String, why: &'static str } = "not_with_over";
    #[error("`{key}` is of no use without `{with}`")]
    UselessWithout { key: &'static str, with: &'static str } = "useless_without";
    #[error("`window` and `during` exclude each other")]
    WindowAndDuring = "window_and_during";
    #[error("`during` has to be two expressions, not {found}")]
    DuringNotTwo { found: usize } = "during_not_two";
    #[error("`count = false` counts nothing")]
    CountFalse = "count_false";
    #[error("only customers have rollups; `{entity}` has no entities of its own")]
    RollupOfEntity { entity: String } = "rollup_of_entity";
    #[error("a rollup is over an entity that belongs to customers, not over customers")]
    RollupOfCustomers = "rollup_of_customers";
    #[error("`{aggregate}` cannot take a {ty}")]
    CannotAggregate { aggregate: &'static str, ty: String } = "cannot_aggregate";
    #[error("attributes use each other in a circle: {}", .path.join(" → "))]
    AttributeCycle { path: Vec<String> } = "attribute_cycle";
    #[error("{message}")]
    Expression { message: String, help: Option<String> } = "expression";
    #[error("moment `{name}` has no purpose")]
    NoPurpose { name: String } = "no_purpose";
    #[error("moment `{name}` does not say what it is worth to the customer")]
    NoValue { name: String } = "no_value";
    #[error("moment `{name}` has no benefit for the customer")]
    NoBenefit { name: String } = "no_benefit";
    #[error("the benefit has to be one line")]
    LongBenefit = "benefit_not_one_line";
    #[error("this brace is never closed")]
    BraceNotClosed = "brace_not_closed";
    #[error("`{found}` is not the name of a feature or an attribute")]
    NotAName { found: String } = "not_a_name";
    #[error("`{name}` is shared, but neither the condition nor the reason nor the priority uses it")]
    SharesUnused { name: String } = "shares_unused";
    #[error("the reason tells `{name}`, which `shares` leaves out")]
    ReasonNotShared { name: String } = "reason_not_shared";
    #[error("moment `{name}` silences nothing")]
    SilencesNothing { name: String } = "silences_nothing";
    #[error("mood is the only criterion of moment `{name}`")]
    MoodOnly { name: String } = "mood_only";
    #[error("sales moment `{name}` has no budget")]
    NoBudget { name: String } = "no_budget";
    #[error("`{found}` are not hours")]
    BadHours { found: String } = "bad_hours";
    #[error("`{found}` is not a language")]
    BadLanguage { found: String } = "bad_language";
    #[error("`{label}` is both negative and positive")]
    BothMoods { label: String } = "both_moods";
    #[error("`{name}` is not a `last` of records, so that nobody knows when it was said")]
    MoodNotLast { name: String } = "mood_not_last";
    #[error("{input} is not about the customer")]
    NotAboutCustomer { input: String } = "not_about_customer";
    #[error("{input} has no `time`")]
    NoTime { input: String } = "no_time";
    #[error("`{name}` is a stream, and a table is wanted")]
    NotATable { name: String } = "not_a_table";
    #[error("`from` and `signals` exclude each other")]
    FromAndSignals = "from_and_signals";
    #[error("`quiet` says neither `hours` nor `days` nor `holidays`")]
    QuietNever = "quiet_never";
    #[error("`transition` and `verdict` exclude each other")]
    TransitionAndVerdict = "transition_and_verdict";
    #[error("the test expects nothing")]
    ExpectsNothing = "expects_nothing";
    #[error("moment `{moment}` is about {entity}: the test has to say which")]
    WhichEntity { moment: String, entity: String } = "which_entity";
    #[error("moment `{moment}` is about the customer, not about an entity")]
    NoEntity { moment: String } = "no_entity";
}

impl Problem {
    /// What stands under the caret.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Problem::Syntax { .. } | Problem::Expression { .. } => "here",
            Problem::Missing { .. }
            | Problem::NoSource { .. }
            | Problem::NoAggregate { .. }
            | Problem::NoPurpose { .. }
            | Problem::NoValue { .. }
            | Problem::NoBudget { .. } => "declared here",
            Problem::UnknownKey { .. }
            | Problem::Unknown { .. }
            | Problem::UnknownWord { .. }
            | Problem::UnknownZone { .. }
            | Problem::UnknownEncoding { .. } => "not known",
            Problem::UndeclaredEntity { .. } => "not declared",
            Problem::Duplicate { .. } => "again",
            Problem::TooMany { .. } => "one too many",
            _ => "this",
        }
    }

    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Problem::Syntax { .. } => return None,
            Problem::Expression { help, .. } => return help.clone(),
            Problem::UnknownKey { nearest, known, .. }
            | Problem::Unknown { nearest, known, .. }
            | Problem::UnknownWord { nearest, known, .. } => return suggestion(nearest.as_deref(), known),
            Problem::UnknownZone { nearest, .. } => {
                meant(nearest.as_deref(), "an IANA zone is wanted, such as \"Europe/Paris\" or \"UTC\"")
            }
            Problem::UnknownEncoding { nearest, .. } => {
                meant(nearest.as_deref(), "a label of the WHATWG Encoding Standard is wanted, such as \"latin1\"")
            }
            Problem::BadType { nearest, .. } => meant(nearest.as_deref(), TYPES),
            Problem::UndeclaredEntity { name, nearest: None } => {
                format!("declare it: [entity.{name}] with `belongs_to`")
            }
            Problem::UndeclaredEntity { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Problem::ReservedName { remedy, .. } => (*remedy).to_owned(),
            Problem::SeveralIdFields { key, .. } => format!("say which one with `{key}`"),
            Problem::SeveralAggregates { .. } => "keep one, and write a feature for each of the others".to_owned(),
            Problem::WhichEntity { .. } => "add `entity = \"…\"` with the id of the entity".to_owned(),
            Problem::UselessWithout { key, with } if !matches!(*key, "pane" | "at_most") => {
                format!("add `{with}`, or remove `{key}`")
            }
            Problem::CannotAggregate { aggregate, .. } => format!("it takes {}", takes(aggregate)),
            other => return other.fixed_help().map(str::to_owned),
        })
    }

    /// Remedies that are the same wherever the mistake is made.
    fn fixed_help(&self) -> Option<&'static str> {
        Some(match self {
            Problem::PackTooLarge => {
                "records belong into files beside the pack; tests can name them with `given = \"PATH\"`"
            }
            Problem::BadName { .. } => "names are a-z, 0-9 and _, begin with a letter, and have at most 64 characters",
            Problem::Missing { key, .. } => return example(key),
            Problem::OnlyForTables { .. } => "declare it as [table.NAME] if later records replace earlier ones",
            Problem::BadScale { .. } => "money is written decimal(2)",
            Problem::AttributeCycle { .. } => "compute one of them from features only",
            Problem::BadDuration { .. } => {
                "durations are written \"500ms\", \"30s\", \"10m\", \"48h\", \"7d\", \"2w\", or joined: \"1d12h\""
            }
            Problem::BadTime { .. } => {
                "times are written \"2026-03-02T09:00:00Z\", or without an offset in the zone of the pack"
            }
            Problem::BadPattern { .. } => {
                "patterns are written with strftime directives, such as \"%Y-%m-%d %H:%M:%S\""
            }
            Problem::PatternNotTime { .. } => "remove `format`, or give the field the type `time`",
            Problem::FieldOptional { .. } => "take the `?` off its type: a record without it becomes a dead letter",
            Problem::CustomerDeclared => "write [customer.feature] and [customer.attribute] without declaring it",
            Problem::NoIdField { .. } => "give the field that names the entity that type",
            Problem::NoSource { .. } => {
                "add `from` with the name of a stream or a table, or `over` with the name of an entity"
            }
            Problem::FromAndOver { .. } => {
                "keep `from` to aggregate records, `over` to aggregate the entities of the customer"
            }
            Problem::NoAggregate { .. } => {
                "add one of count, sum, avg, stddev, min, max, first, last, distinct, set, top"
            }
            Problem::UselessWithout { key: "pane", .. } => "add `window`, or remove `pane`",
            Problem::UselessWithout { key: "at_most", .. } => "only `set` and `top` show several values",
            Problem::WindowAndDuring => {
                "`window` counts from the event time on, `during` says from when until when: keep one"
            }
            Problem::DuringNotTwo { .. } => {
                "write from when until when a record counts: `during = [\"due_at - 7d\", \"due_at\"]`"
            }
            Problem::CountFalse => "write `count = true`, or `count = \"x\"` to count where x is not null",
            Problem::RollupOfEntity { .. } => "use `from` to aggregate records",
            Problem::RollupOfCustomers => "name another entity, or use `from` to aggregate records",
            Problem::NoPurpose { .. } => "add `purpose`: safety, assistance, service, relationship or sales",
            Problem::NoValue { .. } => {
                "add `value = { kind = \"economic\", benefit = \"…\" }`; kind is economic, functional, experiential or symbolic"
            }
            Problem::NoBenefit { .. } => "say in one line, in the customer's terms, what they gain by it",
            Problem::MoodOnly { .. } => "add a fact to the condition: nobody is contacted for their mood alone",
            Problem::NoBudget { .. } => {
                "add an entry to `policy.pressure`: { purpose = \"sales\", at_most = 1, per = \"90d\" }"
            }
            Problem::BadHours { .. } => "hours are written \"20:00-08:00\", and begin and end at different times",
            Problem::QuietNever => "add `hours = \"20:00-08:00\"`, `days = [\"sunday\"]` or `holidays = true`",
            Problem::BraceNotClosed => "add `}`, or write `{{` for a brace",
            Problem::NotAName { .. } => "write a name as in the condition, such as `balance`; `{{` is a brace",
            Problem::SharesUnused { .. } => "leave it out: what is not needed does not leave",
            Problem::ReasonNotShared { .. } => "add it to `shares`, or take it out of the reason",
            Problem::SilencesNothing { .. } => "name `purposes` or `moments` that are in the pack, or remove `silence`",
            Problem::BothMoods { .. } => "keep it in one of the lists",
            Problem::MoodNotLast { .. } => {
                "name a feature such as { from = \"contacts\", last = \"mood\" }, or remove `half_life`: then it counts until another replaces it"
            }
            Problem::NotAboutCustomer { .. } => "add `about` with its field of type `id(customer)`",
            Problem::NoTime { .. } => "add `time` with its field of type `time`",
            Problem::NotATable { .. } => "declare it as [table.NAME]",
            Problem::BadLanguage { .. } => "languages are written \"fr\" or \"fr-FR\"",
            Problem::FromAndSignals => {
                "keep `from` for the latest mood of one source, `signals` to fuse those of several"
            }
            Problem::TransitionAndVerdict => "write an entry for each of them",
            Problem::ExpectsNothing => "add `expect` with transitions, or `silent` with moments that must not open",
            Problem::NoEntity { .. } => "remove `entity`",
            _ => return None,
        })
    }
}

const TYPES: &str =
    "types are int, decimal(n), float, bool, text, time, duration and id(ENTITY), with a `?` behind if optional";

/// How a key that is needed is written.
fn example(key: &str) -> Option<&'static str> {
    Some(match key {
        "fields" => "fields = { at = \"time\", amount = \"decimal(2)\", note = \"text?\" }",
        "key" => "key = [\"FIELD\"]",
        "belongs_to" => "belongs_to = { customer = \"FIELD\", by = \"TABLE\" }",
        "given" => "given = \"FILE.jsonl\", or given = [ { stream = \"NAME\", … } ]",
        "transition" => "transition = \"opened\" or transition = \"closed\"",
        "time" => "time = \"FIELD\", a field of type time",
        "type" => "type = \"text\", or another type",
        "half_life" => "half_life = \"6h\"",
        "per" => "per = \"90d\"",
        "at_most" => "at_most = 1",
        "when" => "when = \"balance < 0.00\"",
        "by" => "by = \"TABLE\"",
        "customer" => "customer = \"…\"",
        "name" => "name = \"…\"",
        "stream" => "stream = \"NAME\"",
        "moment" => "moment = \"NAME\"",
        "at" => "at = \"2026-03-02T09:00:00Z\"",
        "kind" => "kind = \"economic\"",
        "from" => "from = \"last_mood\"",
        "negative" => "negative = [\"anger\", \"anxiety\"]",
        "[pack]" => "begin with [pack] and name = \"…\"",
        _ => return None,
    })
}

/// What an aggregate takes.
fn takes(aggregate: &str) -> &'static str {
    match aggregate {
        "sum" => "an int, a decimal, a float or a duration",
        "avg" => "an int, a decimal, a float, a duration or a time",
        "stddev" => "an int, a decimal or a float",
        _ => "anything but a list",
    }
}

fn meant(nearest: Option<&str>, otherwise: &str) -> String {
    nearest.map_or_else(|| otherwise.to_owned(), |nearest| format!("did you mean `{nearest}`?"))
}

/// The nearest name, or all of them as long as they are few.
fn suggestion(nearest: Option<&str>, known: &[String]) -> Option<String> {
    const FEW: usize = 20;
    match nearest {
        Some(nearest) => Some(format!("did you mean `{nearest}`?")),
        None if known.is_empty() || known.len() > FEW => None,
        None => Some(format!("known here: {}", join_or(known))),
    }
}

fn range(least: u64, most: u64) -> String {
    if most == u64::from(u32::MAX) { format!("from {least} on") } else { format!("from {least} to {most}") }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
