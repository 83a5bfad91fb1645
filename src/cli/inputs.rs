//! `--input`, as `run` and `views` take it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A folder in which the files of inputs are found by name.
    Folder(PathBuf),
    /// The file of one stream or table.
    File {
        /// The stream or table.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// Standard input, with the records of one stream or table.
    Stdin {
        /// The stream or table.
        name: String,
    },
}

impl FromStr for Input {
    type Err = Infallible;

    /// `NAME=PATH` and `NAME=-` when what stands before the sign can be a name; a folder otherwise.
    fn from_str(text: &str) -> Result<Input, Infallible> {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        Ok(match text.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, "-")) => Input::Stdin { name: name.to_owned() },
            Some((name, path)) => Input::File { name: name.to_owned(), path: PathBuf::from(path) },
            None => Input::Folder(PathBuf::from(text)),
        })
    }
}

/// The inputs of a command.
#[derive(Debug, clap::Args)]
pub(crate) struct Inputs {
    /// Where records are: a folder with NAME.{jsonl,csv,asc}[.gz|.zst] for each stream and table, or the file of one of
    /// them, or `-` for standard input. May be given several times. Without it: fixtures/<name of the pack>, beside the
    /// folder of the pack
    #[arg(long = "input", short = 'i', value_name = "DIR|NAME=PATH|NAME=-")]
    pub(crate) inputs: Vec<Input>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_before_the_sign_names_an_input() {
        let parse = |text: &str| text.parse::<Input>().expect("every text is an input");
        assert_eq!(parse("data"), Input::Folder("data".into()));
        assert_eq!(parse("trans=a=b.csv"), Input::File { name: "trans".into(), path: "a=b.csv".into() });
        assert_eq!(parse("trans=-"), Input::Stdin { name: "trans".into() });
        assert_eq!(parse("./a=b"), Input::Folder("./a=b".into()));
    }
}
