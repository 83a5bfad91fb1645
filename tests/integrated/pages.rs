//! The pages on what is written are executed: their files are written, their commands are run, and
//! what they print is what the page shows.
//!
//! A block ` ```KIND FILE ` is a file; ` ```console ` holds commands behind `$ `, each followed by
//! what it prints on standard output; ` ```json FILE:LINE ` is a line of an output, as a value.
//! `UPDATE_EXPECT=1` writes outputs into the page.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The page with every output as it is.
fn executed(page: &str, folder: &Path) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out += line;
        out.push('\n');
        let Some(tag) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match tag.split_once(' ') {
            None if tag == "console" => out += &run(&block, folder),
            Some(("json", place)) => out += &value_at(place, folder),
            Some((_, name)) => {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, block.join("\n") + "\n").expect("a file");
                out += &(block.join("\n") + "\n");
            }
            None => out += &(block.join("\n") + "\n"),
        }
        out += "```\n";
    }
    out
}

/// Commands with what they print.
fn run(block: &[&str], folder: &Path) -> String {
    let mut out = String::new();
    for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
        let mut words = command.split_whitespace();
        let _ = writeln!(out, "$ {command}");
        match words.next() {
            Some("propice") => {
                let mut propice = Command::new(env!("CARGO_BIN_EXE_propice"));
                let output = propice.current_dir(folder).args(words).output().expect("propice runs");
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{command}:\n{said}");
                out += &String::from_utf8(output.stdout).expect("UTF-8");
            }
            Some("cat") => {
                let file = words.next().expect("a file");
                out += &fs::read_to_string(folder.join(file)).expect("a file");
            }
            other => panic!("{other:?} is no command of a page"),
        }
    }
    out
}

/// A line of a file, as JSON that people can read.
fn value_at(place: &str, folder: &Path) -> String {
    let (file, line) = place.split_once(':').expect("FILE:LINE");
    let text = fs::read_to_string(folder.join(file)).expect("an output");
    let line = text.lines().nth(line.parse::<usize>().expect("a number") - 1).expect("a line");
    indented(line)
}

/// JSON as it stands, each object of the first two levels over several lines; numbers keep their
/// decimals, and keys their order.
fn indented(json: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for c in json.chars() {
        let in_text = quoted;
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else {
            quoted = c == '"';
        }
        match c {
            '{' | '[' if !in_text => {
                depth += 1;
                out.push(c);
                if depth <= 2 {
                    out += &line_break(depth);
                }
            }
            '}' | ']' if !in_text => {
                if depth <= 2 {
                    out += &line_break(depth - 1);
                }
                depth -= 1;
                out.push(c);
            }
            ',' if !in_text && depth <= 2 => {
                out.push(c);
                out += &line_break(depth);
            }
            ',' if !in_text => out += ", ",
            ':' if !in_text => out += ": ",
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn line_break(depth: usize) -> String {
    format!("\n{:1$}", "", 2 * depth)
}

fn page(name: &str) {
    let path: PathBuf = Path::new(crate::ROOT).join("docs").join(name);
    let page = fs::read_to_string(&path).expect("a page");
    let folder = tempfile::tempdir().expect("a folder");
    let now = executed(&page, folder.path());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, now).expect("a page");
        return;
    }
    for (shown, is) in page.lines().zip(now.lines()) {
        assert_eq!(shown, is, "docs/{name} shows what is not so: UPDATE_EXPECT=1 cargo test --test integrated pages");
    }
    assert_eq!(page.lines().count(), now.lines().count(), "docs/{name}");
}

#[test]
fn what_docs_triggers_shows_is_so() {
    page("triggers.md");
}

#[test]
fn what_docs_output_shows_is_so() {
    page("output.md");
}
