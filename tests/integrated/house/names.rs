//! One meaning, one name: no type of the tree is called like another one.

use std::collections::BTreeMap;
use std::fs;

use super::{sources, src};

/// Files whose types may be called like others, and why.
const FILES: &[(&str, &str)] = &[
    ("define/src/pack/raw.rs", "what a pack writes; the plan calls what it means alike, and code says `raw::Moment`"),
    ("define/src/pack/raw_policy.rs", "likewise of the policy"),
    ("edge/src/trigger/payload.rs", "the types of a trigger have the names that its schema shows"),
    ("edge/src/sink/decision.rs", "the types of a line of decisions.jsonl have the names that its schema shows"),
    ("explain/src/answer.rs", "the types of an answer of `propice why --format json`, as it calls them"),
];

/// Names that stand more than once in other files, and why.
const NAMES: &[(&str, &str)] = &[
    ("Args", "every command has its own, in its module"),
    ("Format", "how a pack's files are written; every command with a choice of formats has its own"),
    ("Policy", "plan::Policy is what a pack says, policy::Policy applies it to customers"),
];

/// Names that came twice with parts that are being written. Nothing is added here; what is mended
/// goes.
const PENDING: &str = "\
    Amount Answer Chain Change Collection Column Comparison Count Cut Decision Desk Doing Done \
    Entry Envelope Extent Failure Fault Found Given Head Input InputShape Item Judged Kept Key Kind Known Lane Lines Wanted \
    Life Lookup Machine Mark Message Name Names Options Origin Outbox Output Part Pending Phase \
    Place Placement Progress Random Read Reader Reading Received Records Release Report Section \
    Settings Shape Shared Source Span Start State Step Summary Topic Topics Values Views";

#[test]
fn a_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources(&src()) {
        let file = path.strip_prefix(src()).expect("inside of src").display().to_string();
        let is_test = path.components().any(|part| part.as_os_str() == "tests");
        if is_test || FILES.iter().any(|(allowed, _)| *allowed == file) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let is_free = |name: &&str| {
            NAMES.iter().all(|(known, _)| known != name) && !PENDING.split(' ').any(|known| known == *name)
        };
        for name in text.lines().filter_map(declared).filter(is_free) {
            places.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    let twice = places.iter().filter(|(_, files)| files.len() > 1);
    let twice: Vec<String> = twice.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect();
    assert!(twice.is_empty(), "types of one name:\n{}", twice.join("\n"));
}

/// The type that a line declares at the top of a file.
fn declared(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => line,
    };
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn declarations_are_seen() {
    for (line, name) in [
        ("pub struct Plan {", Some("Plan")),
        ("pub(in crate::fused) enum Pane<I> {", Some("Pane")),
        ("type Slots = Arc<[Value]>;", Some("Slots")),
        ("    struct Inner;", None),
        ("structure(1);", None),
    ] {
        assert_eq!(declared(line), name, "{line}");
    }
}
