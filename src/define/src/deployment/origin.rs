//! Where the values of a deployment came from.

use std::collections::BTreeMap;
use std::fmt;

/// What stands between `${` and `}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// `${NAME}`: of the environment.
    Environment(String),
    /// `${file:PATH}`: what stands in a file; always a secret.
    File(String),
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Variable::Environment(name) => write!(f, "${{{name}}}"),
            Variable::File(path) => write!(f, "${{file:{path}}}"),
        }
    }
}

/// A variable as it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Which.
    pub variable: Variable,
    /// Whether it is not there, so that its default was taken.
    pub is_default: bool,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The pack says so.
    Pack,
    /// The command line says so: with this option.
    CommandLine(String),
    /// The file says so.
    File {
        /// In this line, from 1.
        line: usize,
        /// With these variables.
        variables: Vec<Used>,
    },
}

/// Where each value came from, by its path: `kafka.bootstrap`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// The file as it was named.
    pub file: String,
    of: BTreeMap<String, Origin>,
}

impl Origins {
    /// Nothing yet of a file.
    pub fn new(file: &str) -> Origins {
        Origins { file: file.to_owned(), of: BTreeMap::new() }
    }

    /// Notes where a value came from; what was noted before is replaced.
    pub fn note(&mut self, path: impl Into<String>, origin: Origin) {
        self.of.insert(path.into(), origin);
    }

    /// Where a value came from.
    pub fn of(&self, path: &str) -> &Origin {
        self.of.get(path).unwrap_or(&Origin::Default)
    }

    /// The same for people: `live.toml:12, ${KAFKA_PASSWORD}`.
    pub fn said(&self, path: &str) -> String {
        let said = match self.of(path) {
            Origin::Default => "default".to_owned(),
            Origin::Pack => "the pack".to_owned(),
            Origin::CommandLine(option) => option.clone(),
            Origin::File { line, variables } => {
                let used = variables
                    .iter()
                    .map(|used| format!(", {}{}", used.variable, if used.is_default { " is not set" } else { "" }));
                format!("{}:{line}{}", self.file, used.collect::<String>())
            }
        };
        said.replace(char::is_control, "?")
    }
}
