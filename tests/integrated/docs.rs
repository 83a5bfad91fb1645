//! The examples of the documentation are executed: those of `docs/packs.md` are one pack, piece by
//! piece.

use std::path::Path;
use std::process::Command;

/// The code blocks of a language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<(bool, String)> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(tag)) => block = Some((tag == language, String::new())),
            (Some(_), Some(_)) => {
                if let Some((true, text)) = block.take() {
                    found.push(text);
                }
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

fn page(path: &str) -> String {
    std::fs::read_to_string(Path::new(crate::ROOT).join(path)).expect("a page")
}

fn propice(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_propice")).args(arguments).output().expect("propice runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_examples_of_the_pack_language_are_a_sound_pack_whose_cases_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("guide.toml");
    let pieces = blocks(&page("docs/packs.md"), "toml");
    assert!(pieces.len() >= 6, "docs/packs.md has lost its examples");
    std::fs::write(&path, pieces.concat()).expect("the pack is written");
    let path = path.to_str().expect("a path in UTF-8");
    for command in ["check", "plan", "test"] {
        let (passed, said) = propice(&[command, path]);
        assert!(passed, "propice {command}, on the examples of docs/packs.md put together:\n{said}");
    }
}

/// The pieces of a page as one pack: what stands under a header anywhere on the page is put under
/// one header, and the cases come last. A piece ` ```toml instead ` replaces, in a copy of the
/// pack, what the page says of the same keys.
fn put_together(pieces: &[String], instead: Option<&str>) -> String {
    let (mut sections, mut cases): (Vec<(String, String)>, String) = (Vec::new(), String::new());
    let mut add = |piece: &str, replaces: bool| {
        let mut section = None;
        for line in piece.lines() {
            if line == "[[test]]" {
                section = None;
            } else if line.starts_with('[') && line.ends_with(']') {
                let known = sections.iter().position(|(header, _)| header == line);
                section = Some(known.unwrap_or_else(|| {
                    sections.push((line.to_owned(), String::new()));
                    sections.len() - 1
                }));
                continue;
            }
            let Some(section) = section else {
                cases.extend([line, "\n"]);
                continue;
            };
            let text = &mut sections[section].1;
            if let Some(key) = line.split(" =").next().map(str::trim_end).filter(|_| replaces) {
                let kept = text.lines().filter(|known| known.split('=').next().map(str::trim_end) != Some(key));
                *text = kept.flat_map(|line| [line, "\n"]).collect();
            }
            text.extend([line, "\n"]);
        }
    };
    pieces.iter().for_each(|piece| add(piece, false));
    if let Some(piece) = instead {
        add(piece, true);
    }
    let parts = sections.iter().flat_map(|(header, text)| [header.as_str(), "\n", text.as_str()]);
    parts.chain([cases.as_str()]).collect()
}

#[test]
fn the_examples_of_the_policy_are_a_sound_pack_whose_cases_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.toml");
    let name = path.to_str().expect("a path in UTF-8");
    let page = page("docs/policy.md");
    let pieces = blocks(&page, "toml");
    assert!(pieces.len() >= 10, "docs/policy.md has lost its examples");
    std::fs::write(&path, put_together(&pieces, None)).expect("the pack is written");
    for command in ["check", "plan", "test"] {
        let (passed, said) = propice(&[command, name]);
        assert!(passed, "propice {command}, on the examples of docs/policy.md put together:\n{said}");
    }
    let others = blocks(&page, "toml instead");
    assert!(others.len() >= 2, "docs/policy.md has lost its other ways");
    for other in others {
        // The other way to tell the mood takes the place of a whole section.
        let pieces: Vec<String> = pieces
            .iter()
            .filter(|piece| !(other.contains("mood =") && piece.contains("[policy.mood]")))
            .cloned()
            .collect();
        std::fs::write(&path, put_together(&pieces, Some(&other))).expect("the pack is written");
        let (passed, said) = propice(&["check", name]);
        assert!(passed, "propice check, with {other}:\n{said}");
    }
}

#[test]
fn the_packs_that_ship_are_sound_and_their_cases_pass() {
    for pack in ["bank", "berka", "cold_calls_fr"] {
        let path = Path::new(crate::ROOT).join(format!("dataflows/{pack}.toml"));
        let path = path.to_str().expect("a path in UTF-8");
        for command in ["check", "test", "plan"] {
            let (passed, said) = propice(&[command, path]);
            assert!(passed, "propice {command} dataflows/{pack}.toml:\n{said}");
        }
    }
}

/// Every key of every section that the reference lists, with a value that is wrong for it: a key
/// that the reader does not know would be called unknown.
#[test]
fn every_key_of_the_reference_is_known() {
    let text = page("docs/packs.md");
    let heading = |title: &str| text.find(&format!("\n## {title}")).unwrap_or_else(|| panic!("a section {title}"));
    let sections = [
        ("`[pack]`", "[pack]\nKEY = []\n"),
        ("Features", "[stream.s]\ntime = \"t\"\nfields = { t = \"time\" }\n[customer.feature]\nf = { KEY = [] }\n"),
        ("Moments", "[moment.m]\nKEY = []\n"),
        ("Tests", "[[test]]\nKEY = 1\n"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for (title, template) in sections {
        let from = heading(title);
        let to = text[from + 4..].find("\n## ").map_or(text.len(), |to| from + 4 + to);
        let table = text[from..to].split("\n| aggregate |").next().unwrap_or_default();
        let keys: Vec<&str> = table
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|line| line.split('`').next())
            .filter(|key| key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'))
            .collect();
        assert!(keys.len() >= 4, "{title}: only {keys:?}");
        for key in keys {
            let path = folder.path().join("pack.toml");
            std::fs::write(&path, template.replace("KEY", key)).expect("the pack is written");
            let (passed, said) = propice(&["check", path.to_str().expect("a path in UTF-8")]);
            assert!(!passed, "{title}: `{key}` takes anything");
            let unknown = said.lines().any(|line| line.contains("unknown") && line.contains(&format!("`{key}`")));
            assert!(!unknown, "{title}: `{key}` is documented and not known:\n{said}");
        }
    }
}
