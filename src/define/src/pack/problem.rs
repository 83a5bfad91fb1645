//! Every mistake that a pack can hold, and how it is said: one variant each, with a message, a
//! label and a remedy.
//!
//! `tests/integrated/check_messages.rs` holds a faulty pack for every one of [`CODES`].

use std::ops::Range;

use crate::diagnostic::Severity;

/// Where something stands in the text of the pack, in bytes.
pub(crate) type Span = Range<usize>;

/// The mistakes that were found so far. Nothing stops at the first one.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<(Problem, Span)>,
}

impl Problems {
    /// Notes a mistake.
    pub(crate) fn add(&mut self, problem: Problem, span: &Span) {
        self.found.push((problem, span.clone()));
    }

    /// Whether one of them is more than a warning.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|(problem, _)| problem.severity() == Severity::Error)
    }

    /// Takes over what another step found.
    pub(crate) fn append(&mut self, mut other: Problems) {
        self.found.append(&mut other.found);
    }

    /// Forgets what may only be missing because the text could not be read to its end.
    pub(crate) fn retain_certain(&mut self) {
        self.found.retain(|(problem, _)| matches!(problem, Problem::Syntax { .. } | Problem::WrongType { .. }));
    }

    /// The mistakes in the order of the text.
    pub(crate) fn into_sorted(mut self) -> Vec<(Problem, Span)> {
        self.found.sort_by_key(|(_, span)| (span.start, span.end));
        self.found
    }
}

/// Declares the mistakes that a kind of file can hold, and the list of their stable words beside
/// them.
macro_rules! problems {
    ($($(#[$attribute:meta])* $name:ident $({ $($field:ident: $ty:ty),* $(,)? })? = $code:literal;)*) => {
        /// A mistake in the text.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub(crate) enum Problem {
            $($(#[$attribute])* $name $({ $($field: $ty),* })?,)*
        }

        impl Problem {
            /// A stable word for programs.
            pub(crate) fn code(&self) -> &'static str {
                match self {
                    $(Problem::$name $({ $($field: _),* })? => $code,)*
                }
            }
        }

        impl Problem {
            /// As people are told of it, with its place in the text.
            pub(crate) fn diagnostic(&self, span: std::ops::Range<usize>) -> $crate::diagnostic::Diagnostic {
                $crate::diagnostic::Diagnostic {
                    code: self.code(),
                    severity: self.severity(),
                    message: self.to_string(),
                    label: self.label().to_owned(),
                    help: self.help(),
                    span,
                    line: 0,
                    column: 0,
                }
            }
        }

        /// The stable words of these mistakes.
        pub const CODES: &[&str] = &[$($code),*];
    };
}
pub(crate) use problems;

problems! {
    #[error("this is not TOML: {message}")]
    Syntax { message: String } = "syntax";
    #[error("the pack is larger than 1 MiB")]
    PackTooLarge = "pack_too_large";
    #[error("this is nested more than {limit} deep")]
    TooDeep { limit: usize } = "too_deep";
    #[error("there are more than {limit} {what}")]
    TooMany { what: &'static str, limit: usize } = "too_many";
    #[error("`{column}` is a path, and a column is one key of a record")]
    NestedColumn { column: String } = "nested_column";
    #[error("`{name}` is a path, and {place} has no field of such a name")]
    NestedField { name: String, place: String } = "nested_field";
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
    #[error("`unit` is for fields of type `time`, and this one is `{ty}`")]
    UnitNotTime { ty: String } = "unit_not_time";
    #[error("`format` and `unit` exclude each other")]
    UnitAndPattern = "unit_and_pattern";
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
    #[error("moment `{name}` has no reason: its triggers say in general words why they are there")]
    NoReason { name: String } = "no_reason";
    #[error("the benefit has to be one line")]
    LongBenefit = "benefit_not_one_line";
    #[error("a label has to be one line")]
    LongLabel = "label_not_one_line";
    #[error("{what} is not given in {languages}, in which other words of the pack are")]
    LanguageMissing { what: String, languages: String, example: String } = "language_missing";
    #[error("this brace is never closed")]
    BraceNotClosed = "brace_not_closed";
    #[error("`{found}` is not the name of a feature or an attribute")]
    NotAName { found: String } = "not_a_name";
    #[error("`{name}` is shared, but neither the condition nor the priority nor any words use it")]
    SharesUnused { name: String } = "shares_unused";
    #[error("the {what} tells `{name}`, which `shares` leaves out")]
    ReasonNotShared { what: &'static str, name: String } = "reason_not_shared";
    #[error("moment `{name}` silences nothing")]
    SilencesNothing { name: String } = "silences_nothing";
    #[error("mood is the only criterion of moment `{name}`")]
    MoodOnly { name: String } = "mood_only";
    #[error("sales moment `{name}` has no budget")]
    NoBudget { name: String } = "no_budget";
    #[error("the benefit of sales moment `{name}` says next to nothing")]
    ShortBenefit { name: String } = "short_benefit";
    #[error("sales moment `{name}` is released without asking for consent, of which the pack knows")]
    SalesUnasked { name: String } = "sales_unasked";
    #[error("the priority of sales moment `{name}` depends on mood")]
    MoodSells { name: String } = "mood_sells";
    #[error("moment `{name}` is for safety, and nobody is held out of that")]
    SafetyHoldout { name: String } = "safety_holdout";
    #[error("nobody takes over from moment `{name}`: none of its channels is one of people")]
    NobodyTakesOver { name: String } = "nobody_takes_over";
    #[error("this is always the same, so that the gate is open or closed for good")]
    Constant = "constant_condition";
    #[error("it is quiet the whole week on every channel of moment `{name}`")]
    AlwaysQuiet { name: String } = "always_quiet";
    #[error("this is for no purpose: all are excepted")]
    NoPurposeLeft = "no_purpose_left";
    #[error("no moment is concerned by this {what}")]
    NoMomentFor { what: &'static str } = "no_moment_concerned";
    #[error("a budget of 0 lets nothing through")]
    NothingAllowed = "nothing_allowed";
    #[error("this budget is never used up: {why}")]
    NeverUsedUp { why: &'static str } = "never_used_up";
    #[error("`{key}` is longer than what is remembered, {keep}")]
    Forgotten { key: &'static str, keep: String } = "forgotten";
    #[error("a rating of 0 makes no difference")]
    RatesNothing = "rates_nothing";
    #[error("the mood is never negative: one signal weighs 1 at most, and that is not above the threshold")]
    NeverNegative = "never_negative";
    #[error("`{name}` shows personal data, and leaves with the triggers of moment `{moment}`")]
    PersonalShared { moment: String, name: String } = "personal_shared";
    #[error("`{found}` are not hours")]
    BadHours { found: String } = "bad_hours";
    #[error("`{found}` is not a language")]
    BadLanguage { found: String, nearest: Option<String> } = "bad_language";
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
    /// Whether the pack can be used all the same.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Problem::LanguageMissing { .. }
            | Problem::NobodyTakesOver { .. }
            | Problem::NoMomentFor { .. }
            | Problem::NoReason { .. }
            | Problem::PersonalShared { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What stands under the caret.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Problem::Syntax { .. } | Problem::Expression { .. } => "here",
            Problem::Missing { .. }
            | Problem::NoSource { .. }
            | Problem::NoAggregate { .. }
            | Problem::NoPurpose { .. }
            | Problem::NoValue { .. }
            | Problem::NoReason { .. }
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
}

fn range(least: u64, most: u64) -> String {
    if most == u64::from(u32::MAX) { format!("from {least} on") } else { format!("from {least} to {most}") }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
