//! Every mistake that only a deployment file can hold, and how it is said. What packs can hold too,
//! such as an unknown key, is said as there.
//!
//! `tests/integrated/deployment.rs` holds a faulty file for every one of [`CODES`].

use super::origin::Variable;
use super::secret::HIDDEN;
use crate::diagnostic::Severity;
use crate::pack::problem::{Span, problems};

/// The mistakes that were found so far. Nothing stops at the first one.
#[derive(Debug, Default)]
pub(super) struct Found(pub Vec<(Problem, Span)>);

impl Found {
    /// Notes a mistake.
    pub(super) fn add(&mut self, problem: Problem, span: &Span) {
        self.0.push((problem, span.clone()));
    }
}

problems! {
    #[error("the deployment file is larger than 1 MiB")]
    TooLarge = "deployment_too_large";
    #[error("{place} needs `{key}`: {what}")]
    Missing { place: &'static str, key: &'static str, what: &'static str, example: &'static str } = "missing_setting";
    #[error("the environment variable `{name}` is not set")]
    NotSet { name: String } = "variable_not_set";
    #[error("there is no file `{path}`")]
    NoFile { path: String } = "variable_no_file";
    #[error("{variable} cannot be read: {reason}")]
    Unreadable { variable: Variable, reason: String } = "variable_unreadable";
    #[error("what {variable} stands for is larger than {limit} bytes")]
    VariableTooLarge { variable: Variable, limit: usize } = "variable_too_large";
    #[error("this is not a variable")]
    BadVariable = "bad_variable";
    #[error("`{key}` is shown in logs and metrics, and what stands in a file of `${{file:…}}` is a secret")]
    SecretShown { key: String } = "secret_shown";
    #[error("`{HIDDEN}` only stands for a secret that is not shown")]
    HiddenSecret = "hidden_secret";
    #[error("`{key}` has to be a whole number, not `{found}`")]
    NotANumber { key: String, found: String } = "not_a_number";
    #[error("`{key}` has to be from {least} to {most}")]
    DurationOutOfRange { key: &'static str, least: String, most: String } = "duration_out_of_range";
    #[error("`{found}` cannot be the name of a cluster")]
    BadCluster { found: String } = "bad_cluster_name";
    #[error("`{found}` is neither `earliest` nor `latest` nor a time")]
    BadStart { found: String } = "bad_start";
    #[error("these are no brokers: {why}")]
    BadBootstrap { why: &'static str } = "bad_bootstrap";
    #[error("`{found}` is not an address: {why}")]
    BadAddress { found: String, why: &'static str } = "bad_address";
    #[error("state cannot be kept at `{scheme}:`")]
    BadScheme { scheme: String, nearest: Option<String> } = "bad_scheme";
    #[error("`{topic}` cannot be the name of a topic{of}: {why}")]
    BadTopic { topic: String, of: String, why: &'static str } = "bad_topic";
    #[error("`{one}` and `{other}` exclude each other")]
    Either { one: &'static str, other: &'static str } = "either_or";
    #[error("{input} has no topic")]
    NoTopic { input: String } = "no_topic";
    #[error("`{value}` is for tables, and `{input}` is a stream")]
    ForTables { value: &'static str, input: String } = "for_tables";
    #[error("topic `{topic}` has the records of several inputs, and `{input}` does not say which are its own: {}", .inputs.join(", "))]
    NotSelected { topic: String, input: String, inputs: Vec<String> } = "not_selected";
    #[error("nothing tells the records of `{one}` and `{other}` on topic `{topic}` apart")]
    SelectsOverlap { topic: String, one: String, other: String } = "selects_overlap";
    #[error("{one} and {other} are in one topic, `{topic}`")]
    SharedTopic { topic: String, one: String, other: String } = "shared_topic";
    #[error("Kafka takes the topics `{topic}` of {one} and `{other_topic}` of {other} for one")]
    TopicsCollide { topic: String, one: String, other_topic: String, other: String } = "topics_collide";
    #[error("what is written to topic `{topic}`, {output}, would be read again by input `{input}`")]
    Loop { topic: String, output: String, input: String } = "output_is_input";
    #[error("a record that is refused is never dropped: dead letters always have a topic")]
    NoDeadLetters = "no_dead_letters";
    #[error("the option `{name}` is not taken: {reason}")]
    OptionRefused { name: String, reason: &'static str, instead: Option<&'static str> } = "option_refused";
    #[error("librdkafka has no option `{name}`")]
    UnknownOption { name: String, nearest: Option<String> } = "unknown_option";
    #[error("`{name}` cannot be `{found}`: {why}")]
    OptionValue { name: String, found: String, why: &'static str, instead: &'static str } = "option_value";
    #[error("the password is sent as it is, over a connection that everybody can read")]
    PasswordInClear = "password_in_clear";
}

impl Problem {
    /// Whether the file can be used all the same.
    pub(super) fn severity(&self) -> Severity {
        match self {
            Problem::PasswordInClear => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What stands under the caret.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Problem::Missing { .. } => "here",
            Problem::NotSet { .. } => "not set",
            Problem::NoFile { .. } | Problem::Unreadable { .. } => "not read",
            Problem::UnknownOption { .. } => "not known",
            Problem::OptionRefused { .. } => "not taken",
            Problem::SharedTopic { .. } | Problem::TopicsCollide { .. } => "again",
            _ => "this",
        }
    }

    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Problem::Missing { example, .. } => (*example).to_owned(),
            Problem::NotSet { name } => format!("set it, or give a default: ${{{name}:-…}}"),
            Problem::OptionRefused { instead, .. } => (*instead)?.to_owned(),
            Problem::OptionValue { instead, .. } => (*instead).to_owned(),
            Problem::UnknownOption { nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "its options are listed in its CONFIGURATION.md".to_owned(),
            },
            Problem::BadScheme { nearest: Some(nearest), .. } => format!("did you mean `{nearest}:`?"),
            Problem::NotSelected { input, .. } => {
                format!("add `select = {{ header = \"…\", equals = \"{input}\" }}`, or `field` for `header`")
            }
            Problem::NoTopic { .. } => "name one, or declare the input with `optional = true` in the pack".to_owned(),
            other => other.fixed_help()?.to_owned(),
        })
    }

    fn fixed_help(&self) -> Option<&'static str> {
        Some(match self {
            Problem::NoFile { .. } => "paths are relative to the folder in which propice is started",
            Problem::VariableTooLarge { .. } => "certificates and keys are named by their paths: `kafka.tls`",
            Problem::BadVariable => {
                "variables are ${NAME}, ${NAME:-default} and ${file:/run/secrets/NAME}; a dollar is written $$"
            }
            Problem::SecretShown { .. } => "take it from the environment: ${NAME}",
            Problem::HiddenSecret => "write where it comes from: ${NAME} or ${file:/run/secrets/NAME}",
            Problem::BadCluster { .. } => {
                "names are a-z, 0-9, `.`, `_` and `-`, begin with a letter or a digit, and have at most 64 characters"
            }
            Problem::BadStart { .. } => {
                "times are written \"2026-03-02T09:00:00Z\", or without an offset in the zone of the pack"
            }
            Problem::BadBootstrap { .. } => "brokers are written \"host:9092\", several with commas between",
            Problem::BadAddress { .. } => "addresses are written \"127.0.0.1:9464\"; `false` listens nowhere",
            Problem::BadScheme { .. } => "a folder is wanted, or a URL that begins with file:, s3:, gs:, az: or https:",
            Problem::BadTopic { .. } => "names of topics are a-z, A-Z, 0-9, `.`, `_` and `-`, at most 249 characters",
            Problem::Either { one: "topic", .. } => "keep `topics`: a list of one is fine",
            Problem::Either { .. } => "keep one",
            Problem::ForTables { .. } => "leave it out, or declare the input in the pack as [table.NAME]",
            Problem::SelectsOverlap { .. } => "select them by the same header or field, with different values",
            Problem::SharedTopic { .. } => "give each a topic of its own",
            Problem::TopicsCollide { .. } => "`.` and `_` are the same to its metrics: change another character",
            Problem::Loop { .. } => "give it another topic",
            Problem::NoDeadLetters => "name a topic, or leave it out",
            Problem::PasswordInClear => "add `tls = true`, or use SCRAM-SHA-512",
            _ => return None,
        })
    }
}
