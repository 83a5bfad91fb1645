//! Modules of a crate do not name each other in a circle.
//!
//! What counts are siblings: the modules of one folder, each with everything below it. A module and
//! its own children may name each other, since they are one thing in several files. A name that a
//! folder passes on (`pub use child::Name`) leads to the child.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{sources, src};

/// Circles of parts that are being written: crate, folder, and the modules among which they are.
/// Nothing is added here; what is mended goes.
const KNOWN: &[(&str, &str, &[&str])] = &[
    ("define", "deployment", &["print", "types", "desk", "topics", "read", "read_kafka"]),
    ("flow", "", &["fused", "policy", "state"]),
    ("flow", "decode", &["connect", "json", "schema"]),
    ("flow", "fused", &["customer_operator", "customer_state"]),
    ("flow", "fused/features", &["kept", "latest"]),
    ("live", "", &["keeping", "process", "start", "worker"]),
    ("model", "", &["types", "value"]),
    (
        "state",
        "",
        &["checkpointer", "compaction", "garbage", "generation", "manifest", "part", "read", "store", "testing"],
    ),
];

/// The path of a module below its crate.
type Module = Vec<String>;

/// The modules of a crate, with their code.
struct Crate {
    code: BTreeMap<Module, String>,
    /// Names that a module passes on, with the module in which each is.
    passed_on: BTreeMap<Module, Module>,
}

#[test]
fn modules_do_not_go_in_circles() {
    let mut circles = Vec::new();
    for entry in fs::read_dir(src()).expect("the crates") {
        let folder = entry.expect("a crate").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sources = folder.join("src");
        if sources.is_dir() {
            let found = Crate::read(&sources).circles(&name);
            circles.extend(found.into_iter().map(|circle| format!("{name}: {circle}")));
        }
    }
    assert!(circles.is_empty(), "modules that name each other in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let code = [
        ("", "mod a;\npub mod b;\npub use b::Beta;"),
        ("a", "use super::Beta;"),
        ("b", "use super::{c::{Gamma, d::Delta}};\nfn f() { std::fmt::write() }"),
        ("c", "mod d;\nuse std::fmt;\nfn f() { d::f() }"),
        ("c/d", "use super::Gamma;\nfn f() { crate::a::f() }"),
    ];
    let module = |path: &str| path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let made = Crate::of(code.iter().map(|(path, code)| (module(path), (*code).to_owned())).collect());
    assert_eq!(made.circles("a crate"), ["a -> b -> c -> a"]);
}

impl Crate {
    fn read(folder: &Path) -> Crate {
        let mut code = BTreeMap::new();
        for path in sources(folder) {
            let inside = path.strip_prefix(folder).expect("inside").with_extension("");
            let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.iter().any(|part| part == "tests") {
                continue;
            }
            module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
            let text = fs::read_to_string(&path).expect("a source file");
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            code.insert(module, lines.collect::<Vec<_>>().join("\n"));
        }
        Crate::of(code)
    }

    fn of(code: BTreeMap<Module, String>) -> Crate {
        let mut passed_on = BTreeMap::new();
        for (module, text) in &code {
            for path in imports(text) {
                let path: Vec<&str> = path.split("::").filter(|part| *part != "self").collect();
                let [child, .., name] = path.as_slice() else { continue };
                let child = below(module, child);
                if code.contains_key(&child) {
                    passed_on.insert(below(module, name), child);
                }
            }
        }
        Crate { code, passed_on }
    }

    /// The module that a path in another one leads to, if it is of this crate.
    fn target(&self, from: &Module, path: &str) -> Option<Module> {
        let mut parts = path.split("::").peekable();
        let mut at = match *parts.peek()? {
            "crate" => Module::new(),
            "super" | "self" => from.clone(),
            child => Some(from.clone()).filter(|_| self.code.contains_key(&below(from, child)))?,
        };
        for part in parts {
            let next = below(&at, part);
            match part {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                _ if self.code.contains_key(&next) => at = next,
                _ => return Some(self.passed_on.get(&next).cloned().unwrap_or(at)),
            }
        }
        Some(at)
    }

    /// Which of the modules of one folder name which others, by folder.
    fn siblings(&self) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
        let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (module, text) in &self.code {
            for target in imports(text).iter().chain(&paths(text)).filter_map(|path| self.target(module, path)) {
                let shared = module.iter().zip(&target).take_while(|(left, right)| left == right).count();
                if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                    let folder = folders.entry(module[..shared].to_vec()).or_default();
                    folder.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
        folders
    }

    /// The shortest circle of every folder that has one that is not known.
    fn circles(&self, name: &str) -> Vec<String> {
        let shortest = |(folder, mut named): (Module, BTreeMap<String, BTreeSet<String>>)| {
            let path = folder.join("/");
            for (_, _, known) in KNOWN.iter().filter(|(of, at, _)| *of == name && *at == path) {
                for (from, to) in &mut named {
                    to.retain(|to| !(known.contains(&from.as_str()) && known.contains(&to.as_str())));
                }
            }
            let circle = named.keys().filter_map(|start| circle(&named, start)).min_by_key(Vec::len)?;
            let of_folder = |name: &String| below(&folder, name).join("/");
            Some(circle.iter().map(of_folder).collect::<Vec<_>>().join(" -> "))
        };
        self.siblings().into_iter().filter_map(shortest).collect()
    }
}

/// The shortest way from a module back to it.
fn circle(named: &BTreeMap<String, BTreeSet<String>>, start: &String) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| named.get(last)).into_iter().flatten() {
                let way: Vec<String> = way.iter().chain([next]).cloned().collect();
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

fn below(module: &[String], name: &str) -> Module {
    module.iter().map(String::as_str).chain([name]).map(str::to_owned).collect()
}

/// The paths that `use` names, one for each name.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        let Some(at) = statement.rfind("use ") else { continue };
        let before = statement[..at].chars().next_back();
        if before.is_none_or(char::is_whitespace) {
            expand("", &statement[at + "use ".len()..], &mut found);
        }
    }
    found
}

/// A tree of `use` as paths.
fn expand(before: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((path, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        found.extend((!path.is_empty()).then(|| format!("{before}{path}")));
        return;
    };
    let before = format!("{before}{path}");
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let (mut depth, mut from) = (0_i32, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&before, &inner[from..at], found);
                from = at + 1;
            }
            _ => {}
        }
    }
    expand(&before, &inner[from..], found);
}

/// The paths that stand in code by themselves.
fn paths(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c| !is_part(c)).map(|word| word.trim_matches(':'));
    words.filter(|word| word.contains("::")).map(str::to_owned).collect()
}
