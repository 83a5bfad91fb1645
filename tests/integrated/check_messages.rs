//! What `propice check` says: every message with its whole text, and that no text whatsoever makes
//! it fall over.
//!
//! `tests/check/NAME.toml` is a faulty pack, or one that is warned of, `NAME.txt` what is said of
//! it. `UPDATE_EXPECT=1` writes the texts anew. `tests/sound/*.toml` are packs without a mistake,
//! which the mutations begin with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use propice_define::pack::CODES;
use propice_define::{self as define, PackErrors, Plan, plan_text};

fn folder(name: &str) -> PathBuf {
    Path::new(crate::ROOT).join("tests").join(name)
}

/// The packs of a folder: the names of their files, and their texts.
fn packs(name: &str) -> Vec<(String, String)> {
    let mut packs: Vec<(String, String)> = fs::read_dir(folder(name))
        .expect("a folder of packs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a pack"))
        })
        .collect();
    packs.sort();
    assert!(!packs.is_empty(), "no packs in tests/{name}");
    packs
}

/// Packs whose mistake is their size.
fn large_packs() -> Vec<(String, String)> {
    let head = "[pack]\nname = \"large\"\n";
    let stream = |at: usize| format!("[stream.s{at}]\ntime = \"at\"\nfields = {{ at = \"time\" }}\n");
    let streams = (0..1025).map(stream).collect::<Vec<_>>().concat();
    vec![
        ("large.toml".to_owned(), format!("{head}{}", "# a line that says nothing\n".repeat(45_000))),
        ("many.toml".to_owned(), format!("{head}{streams}")),
    ]
}

fn faulty() -> Vec<(String, String)> {
    packs("check").into_iter().chain(large_packs()).collect()
}

fn errors(name: &str, text: &str) -> PackErrors {
    match define::load(name, text) {
        Ok(plan) if plan.warnings.is_empty() => panic!("{name} is said to be sound"),
        Ok(plan) => PackErrors::new(name, text, plan.warnings),
        Err(errors) => errors,
    }
}

fn sound(name: &str, text: &str) -> Plan {
    define::load(name, text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_message_reads_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    for (name, text) in faulty() {
        let said = errors(&name, &text).to_string();
        let path = folder("check").join(&name).with_extension("txt");
        if update {
            fs::write(&path, &said).expect("the text can be written");
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            said == expected,
            "tests/check/{name}: the messages differ (UPDATE_EXPECT=1 writes them anew)\n\nexpected:\n{expected}\nsaid:\n{said}"
        );
    }
}

#[test]
fn every_mistake_has_a_message_that_is_shown() {
    let mut shown = BTreeSet::new();
    for (name, text) in faulty() {
        shown.extend(errors(&name, &text).diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    let all: BTreeSet<&str> = CODES.iter().copied().collect();
    let missing: Vec<_> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "no pack in tests/check makes these mistakes: {missing:?}");
    assert_eq!(all.len(), CODES.len(), "two mistakes have one code");
}

#[test]
fn mistakes_stand_in_the_order_of_the_text_and_inside_of_it() {
    for (name, text) in faulty() {
        let errors = errors(&name, &text);
        let mut before = 0;
        for diagnostic in &errors.diagnostics {
            assert!(diagnostic.span.start >= before, "{name}: {} is out of order", diagnostic.message);
            before = diagnostic.span.start;
            assert!(text.get(diagnostic.span.clone()).is_some(), "{name}: {} is outside", diagnostic.message);
            let line = text.lines().nth(diagnostic.line - 1).unwrap_or_default();
            assert!(diagnostic.column <= line.chars().count() + 1, "{name}: {} has no place", diagnostic.message);
        }
        let lines = errors.to_json_lines();
        assert_eq!(lines.lines().count(), errors.diagnostics.len());
        for line in lines.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("an object per line");
            for key in ["file", "line", "column", "severity", "code", "message"] {
                assert!(!value[key].is_null(), "{line} has no {key}");
            }
        }
    }
}

#[test]
fn an_expression_is_pointed_at_where_it_stands() {
    let text = &packs("check").into_iter().find(|(name, _)| name == "attributes.toml").expect("the pack").1;
    let found = errors("attributes.toml", text);
    let pointed: Vec<&str> = found.diagnostics.iter().map(|diagnostic| &text[diagnostic.span.clone()]).collect();
    for name in ["balanse", "missing_one"] {
        assert!(pointed.contains(&name), "nothing points at `{name}`: {pointed:?}");
    }
}

#[test]
fn sound_packs_load_and_their_plans_read_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    for (name, text) in packs("sound") {
        let plan = sound(&name, &text);
        for (extension, said) in
            [("txt", plan_text::text(&plan)), ("dot", plan_text::dot(&plan)), ("mmd", plan_text::mermaid(&plan))]
        {
            let path = folder("sound").join(&name).with_extension(extension);
            if update {
                fs::write(&path, &said).expect("the text can be written");
            } else {
                let expected = fs::read_to_string(&path).unwrap_or_default();
                assert!(said == expected, "the plan of {name} differs:\n\nexpected:\n{expected}\nsaid:\n{said}");
            }
        }
    }
}

/// Random numbers that are the same everywhere (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("below the limit")
    }
}

/// What mutations put in: what is near to the syntax goes deeper than noise.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "#",
    "\\",
    "\0",
    "é",
    "\u{feff}",
    "0",
    "-1",
    "99999999999999999999",
    "1e999",
    "nan",
    "1979-05-27",
    "true",
    "\"\"",
    "[]",
    "{}",
    "now",
    "customer",
    "account",
    "account.",
    "decimal(99)",
    "id(id)",
    "id(",
    "?",
    "7d",
    "-7d",
    "1000000w",
    "(",
    ")",
    "((((((((",
    "!",
    "-",
    "*",
    "/ 0",
    "% 0",
    "in",
    "null",
    "has(",
    ".matches('(')",
    "[moment.x]",
    "[account.feature]",
    "window = \"1d\"",
    "from",
    "over",
    "'%'",
    "\u{202e}",
    "a.b.c.d.e.f",
];

fn mutated(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(4) {
        let at = random.below(lines.len());
        let other = random.below(lines.len());
        match random.below(6) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.swap(at, other),
            _ => {
                let mut line: Vec<char> = lines[at].chars().collect();
                let place = random.below(line.len() + 1);
                let end = (place + random.below(6)).min(line.len());
                let piece = PIECES[random.below(PIECES.len())];
                line.splice(place..if random.below(2) == 0 { place } else { end }, piece.chars());
                lines[at] = line.into_iter().collect();
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

#[test]
fn mutated_packs_never_make_it_fall_over() {
    let cases: u64 = std::env::var("MUTATED_PACKS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let mut texts = packs("sound");
    texts.extend(packs("check"));
    let (mut sound, mut faulty) = (0, 0);
    for seed in 0..cases {
        let mut random = Random(seed);
        let (_, text) = &texts[random.below(texts.len())];
        let text = mutated(text, &mut random);
        // A panic names the test; the seed is what is needed to see it again.
        let loaded = std::panic::catch_unwind(|| match define::load("mutated.toml", &text) {
            Ok(plan) => {
                plan_text::text(&plan);
                plan_text::dot(&plan);
                plan_text::mermaid(&plan);
                true
            }
            Err(errors) => {
                assert!(!errors.diagnostics.is_empty(), "no plan, and no mistake either");
                errors.to_string();
                errors.to_json_lines();
                false
            }
        });
        match loaded {
            Ok(true) => sound += 1,
            Ok(false) => faulty += 1,
            Err(panic) => panic!("{panic:?}: seed {seed} makes it panic; the pack is\n{text}"),
        }
    }
    assert!(faulty > 0 && sound > 0, "the mutations are too tame or too wild: {sound} sound, {faulty} faulty");
}

#[test]
fn absurd_texts_are_refused() {
    let deep_lists = format!("[pack]\nname = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let deep_tables = format!("[pack]\nname = {}1{}", "{a=".repeat(50_000), "}".repeat(50_000));
    let deep_keys = format!("[{}a]\nx = 1", "a.".repeat(200_000));
    let deep_expression = format!(
        "[pack]\nname = \"x\"\n[customer.attribute]\na = \"{}1{}\"\nb = \"{}1\"",
        "(".repeat(50_000),
        ")".repeat(50_000),
        "-".repeat(50_000)
    );
    let link = |at: usize| format!("a{at} = \"a{} + 1\"\n", at + 1);
    let chain = (0..4_000).map(link).collect::<Vec<_>>().concat();
    let circle = format!("[pack]\nname = \"x\"\n[customer.attribute]\n{chain}a4000 = \"a0\"\n");
    let long_chain = format!("[pack]\nname = \"x\"\n[customer.attribute]\n{chain}a4000 = \"1 + \"\n");
    for text in ["", "\0", "\u{feff}", &deep_lists, &deep_tables, &deep_keys, &deep_expression, &circle, &long_chain] {
        let errors = errors("absurd.toml", text);
        assert!(!errors.to_string().is_empty());
    }
    let whole = format!("[pack]\nname = \"x\"\n[customer.attribute]\n{chain}a4000 = \"1\"\n");
    let plan = sound("chain.toml", &whole);
    assert_eq!(plan.entities[0].evaluation.first(), Some(&4_000));
}

fn propice(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = assert_cmd::Command::cargo_bin("propice")
        .expect("the command is built")
        .current_dir(folder(""))
        .args(arguments)
        .output()
        .expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_says_it_all_and_ends_as_it_says() {
    let (code, out, err) = propice(&["check", "sound/rich.toml"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("pack rich is sound: 2 streams, 3 tables, 1 entity, 20 features"), "{out}");

    let (code, out, err) = propice(&["check", "sound/rich.toml", "check/syntax.toml", "check/depth.toml"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("rich is sound") && err.contains("this is not TOML") && err.contains("16 deep"), "{out}{err}");

    let (code, out, err) = propice(&["check", "--format", "json", "check/depth.toml"]);
    assert_eq!((code, err.as_str()), (Some(1), ""));
    assert!(out.starts_with("{\"code\":\"too_deep\""), "{out}");

    let (code, out, err) = propice(&["check", "check/no_such_pack.toml"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("cannot read check/no_such_pack.toml"), "{err}");

    let (code, out, err) = propice(&["check", "check/warnings.toml"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("pack warnings is sound") && err.contains("check/warnings.toml: 8 warnings"), "{out}{err}");
    let (code, out, err) = propice(&["check", "--deny-warnings", "check/warnings.toml", "sound/rich.toml"]);
    assert_eq!(code, Some(1));
    assert!(!out.contains("pack warnings") && out.contains("pack rich is sound"), "{out}");
    assert!(err.contains("shows personal data"), "{err}");
    let (code, out, _) = propice(&["check", "--format", "json", "check/warnings.toml"]);
    assert_eq!(code, Some(0));
    assert!(out.lines().all(|line| line.contains("\"severity\":\"warning\"")), "{out}");

    assert_eq!(propice(&["check"]).0, Some(2));
    assert_eq!(propice(&["plan", "check/depth.toml"]).0, Some(1));
    assert_eq!(
        propice(&["plan", "sound/rich.toml"]).1,
        fs::read_to_string(folder("sound/rich.txt")).expect("the plan")
    );
    assert!(propice(&["completions", "bash"]).1.contains("_propice"));
    let help = propice(&["check", "--help"]).1;
    assert!(help.contains("Exit codes:") && help.contains("Examples:"), "{help}");
}
