//! What to do about a mistake.

use super::problem::Problem;
use super::scope::nested;
use super::words::join_or;

impl Problem {
    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
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
            Problem::NestedField { name, .. } => nested(name),
            Problem::NestedColumn { column } => format!(
                "{}; if a CSV has a column of that very name, say that it is one: `format = {{ delimiter = \",\" }}`",
                nested(column)
            ),
            Problem::SeveralIdFields { key, .. } => format!("say which one with `{key}`"),
            Problem::SeveralAggregates { .. } => "keep one, and write a feature for each of the others".to_owned(),
            Problem::WhichEntity { .. } => "add `entity = \"…\"` with the id of the entity".to_owned(),
            Problem::UselessWithout { key, with } if !matches!(*key, "pane" | "at_most") => {
                format!("add `{with}`, or remove `{key}`")
            }
            Problem::CannotAggregate { aggregate, .. } => format!("it takes {}", takes(aggregate)),
            Problem::BadLanguage { nearest, .. } => {
                meant(nearest.as_deref(), "languages are written \"fr\" or \"fr-FR\"")
            }
            Problem::LanguageMissing { example, .. } => format!("add `{example} = \"…\"`"),
            other => return other.fixed_help().map(str::to_owned),
        })
    }

    /// Remedies that are the same wherever the mistake is made.
    #[expect(clippy::too_many_lines, reason = "a line or two for each mistake")]
    fn fixed_help(&self) -> Option<&'static str> {
        Some(match self {
            Problem::PackTooLarge => {
                "records belong into files beside the pack; tests can name them with `given = \"PATH\"`"
            }
            Problem::BadName { .. } => "names are a-z, 0-9 and _, begin with a letter, and have at most 64 characters",
            Problem::Missing { key: "from", place, .. } if !place.ends_with("mood`") => "from = \"NAME\"",
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
            Problem::UnitNotTime { .. } => "remove `unit`, or give the field the type `time`",
            Problem::UnitAndPattern => {
                "keep `format` for times that are text, `unit` for times that are a number since 1970"
            }
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
            Problem::NoReason { .. } => {
                "add `reason = { en = \"You have {balance}\" }`, in each language that your customers are spoken to in"
            }
            Problem::NoBenefit { .. } => "say in one line, in the customer's terms, what they gain by it",
            Problem::MoodOnly { .. } => "add a fact to the condition: nobody is contacted for their mood alone",
            Problem::NoBudget { .. } => {
                "add an entry to `policy.pressure`: { purpose = \"sales\", at_most = 1, per = \"90d\" }"
            }
            Problem::BadHours { .. } => "hours are written \"20:00-08:00\", and begin and end at different times",
            Problem::QuietNever => "add `hours = \"20:00-08:00\"`, `days = [\"sunday\"]` or `holidays = true`",
            Problem::ShortBenefit { .. } => "say in a few words, in the customer's terms, what they gain by it",
            Problem::SalesUnasked { .. } => "add `sales` to `policy.consent.purposes`",
            Problem::MoodSells { .. } => "leave mood out of it: how somebody feels is no reason to sell",
            Problem::SafetyHoldout { .. } => "remove `holdout`",
            Problem::NobodyTakesOver { .. } => {
                "give a channel of the moment `human = true`, or name one in `policy.human`"
            }
            Problem::Constant => "write a condition over the customer, or leave it out",
            Problem::AlwaysQuiet { .. } => "leave it an hour, or except its purpose",
            Problem::NoPurposeLeft => "take a purpose out of `except`, or leave it all out",
            Problem::NoMomentFor { .. } => "leave it out, or change its purposes or channels",
            Problem::NothingAllowed => "take the channel out of the moments, or remove the moments",
            Problem::NeverUsedUp { .. } => "leave it out, or make it stricter",
            Problem::Forgotten { .. } => "make it shorter, or `keep` of `policy.receipts` longer",
            Problem::RatesNothing => "leave it out",
            Problem::NeverNegative => "make `threshold` less than 1",
            Problem::PersonalShared { .. } => "say with `shares` what leaves with a trigger, without it",
            Problem::BraceNotClosed => "add `}`, or write `{{` for a brace",
            Problem::NotAName { .. } => "write a name as in the condition, such as `balance`; `{{` is a brace",
            Problem::SharesUnused { .. } => "leave it out: what is not needed does not leave",
            Problem::ReasonNotShared { .. } => "add it to `shares`, or take it out of the words",
            Problem::SilencesNothing { .. } => "name `purposes` or `moments` that are in the pack, or remove `silence`",
            Problem::BothMoods { .. } => "keep it in one of the lists",
            Problem::MoodNotLast { .. } => {
                "name a feature such as { from = \"contacts\", last = \"mood\" }, or remove `half_life`: then it counts until another replaces it"
            }
            Problem::NotAboutCustomer { .. } => "add `about` with its field of type `id(customer)`",
            Problem::NoTime { .. } => "add `time` with its field of type `time`",
            Problem::NotATable { .. } => "declare it as [table.NAME]",
            Problem::LongLabel => "a label is a name in a few words",
            Problem::FromAndSignals => {
                "keep `from` for the latest mood of one source, `signals` to fuse those of several"
            }
            Problem::TransitionAndVerdict => "write an entry for each of them",
            Problem::ExpectsNothing => {
                "add `expect` with transitions or verdicts, `silent` or `unreleased` with moments, or `dead_letters`"
            }
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
        "transition" => "transition = \"opened\" or \"closed\", or verdict = \"released\"",
        "of" => "of = [\"dismissed\"]",
        "for" => "for = \"90d\"",
        "allowed" => "allowed = \"people.agrees\"",
        "inputs" => "inputs = [\"NAME\"]",
        "table" => "table = \"holidays\"",
        "day" => "day = \"day\"",
        "label" => "label = \"mood\"",
        "after" => "after = 3",
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
    const FEW: usize = 30;
    match nearest {
        Some(nearest) => Some(format!("did you mean `{nearest}`?")),
        None if known.is_empty() || known.len() > FEW => None,
        None => Some(format!("known here: {}", join_or(known))),
    }
}
