//! From a case that fails to a small one that fails as well.

use crate::generate::{Body, Case};

/// Takes away whatever can be taken away while the case keeps failing.
pub(crate) fn shrink(mut case: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    loop {
        let before = size(&case);
        accept_without_files(&mut case, fails);
        fewer_lines(&mut case, fails);
        smaller_pack(&mut case, fails);
        simpler_texts(&mut case, fails);
        fewer_fields(&mut case, fails);
        if size(&case) == before {
            return case;
        }
    }
}

fn size(case: &Case) -> usize {
    case.pack.text().len() + case.lines.iter().map(|line| line.len() + 1).sum::<usize>()
}

/// Replaces the case by a candidate that still fails.
fn accept(case: &mut Case, candidate: Case, fails: &dyn Fn(&Case) -> bool) -> bool {
    let accepted = fails(&candidate);
    if accepted {
        *case = candidate;
    }
    accepted
}

fn accept_without_files(case: &mut Case, fails: &dyn Fn(&Case) -> bool) {
    let candidate = Case { files: None, ..case.clone() };
    if case.files.is_some() {
        accept(case, candidate, fails);
    }
}

fn fewer_lines(case: &mut Case, fails: &dyn Fn(&Case) -> bool) {
    let mut chunk = case.lines.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < case.lines.len() {
            let mut candidate = case.clone();
            candidate.lines.drain(at..(at + chunk).min(case.lines.len()));
            if !accept(case, candidate, fails) {
                at += chunk;
            }
        }
        chunk /= 2;
    }
}

fn smaller_pack(case: &mut Case, fails: &dyn Fn(&Case) -> bool) {
    let mut at = 0;
    while at < case.pack.declarations.len() {
        let mut candidate = case.clone();
        candidate.pack.declarations.remove(at);
        if accept(case, candidate, fails) {
            continue;
        }
        let mut position = 0;
        while let Body::Keys(keys) = &case.pack.declarations[at].body
            && position < keys.len()
        {
            let mut candidate = case.clone();
            if let Body::Keys(keys) = &mut candidate.pack.declarations[at].body {
                keys.remove(position);
            }
            if !accept(case, candidate, fails) {
                position += 1;
            }
        }
        at += 1;
    }
}

/// Expressions become their parenthesised parts; fields of inputs go.
fn simpler_texts(case: &mut Case, fails: &dyn Fn(&Case) -> bool) {
    for at in 0..case.pack.declarations.len() {
        let mut position = 0;
        loop {
            let texts = texts_of(&case.pack.declarations[at].body);
            let Some(text) = texts.get(position) else { break };
            let simpler = candidates(text).into_iter().any(|text| {
                let mut candidate = case.clone();
                set_text(&mut candidate.pack.declarations[at].body, position, text);
                accept(case, candidate, fails)
            });
            position += usize::from(!simpler);
        }
    }
}

fn texts_of(body: &Body) -> Vec<String> {
    match body {
        Body::Plain(text) | Body::Verbatim(text) => vec![text.clone()],
        Body::Keys(keys) => keys.iter().map(|(_, text)| text.clone()).collect(),
    }
}

fn set_text(body: &mut Body, position: usize, text: String) {
    match body {
        Body::Plain(plain) | Body::Verbatim(plain) => *plain = text,
        Body::Keys(keys) => keys[position].1 = text,
    }
}

/// Of a quoted expression its parts in parentheses; of an inline table, the same without one of its
/// entries.
fn candidates(text: &str) -> Vec<String> {
    if let Some(inner) = text.strip_prefix("{ ").and_then(|text| text.strip_suffix(" }")) {
        let entries: Vec<&str> = inner.split(", ").collect();
        let without = |gone: usize| {
            let kept = entries.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, entry)| *entry);
            format!("{{ {} }}", kept.collect::<Vec<_>>().join(", "))
        };
        return (0..entries.len()).map(without).collect();
    }
    if let Some(inner) = text.strip_prefix("[ ").and_then(|text| text.strip_suffix(" ]")) {
        let entries: Vec<&str> = inner.split_inclusive(" }").map(|entry| entry.trim_start_matches(", ")).collect();
        let mut simpler = Vec::new();
        for at in 0..entries.len() {
            let with = |entry: Option<String>| {
                let mut kept: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
                kept.splice(at..=at, entry);
                format!("[ {} ]", kept.join(", "))
            };
            simpler.push(with(None));
            simpler.extend(candidates(entries[at]).into_iter().map(|entry| with(Some(entry))));
        }
        simpler.retain(|simpler| simpler.len() > 4);
        return simpler;
    }
    let mut parts = Vec::new();
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' => open.push(at),
            ')' => {
                if let Some(start) = open.pop() {
                    let part = format!("\"{}\"", &text[start + 1..at]);
                    parts.push(part);
                    // `x * (y) < z` becomes `x * y < z`, `(a) && b` loses its left side.
                    parts.push(format!("{}{}{}", &text[..start], &text[start + 1..at], &text[at + 1..]));
                }
            }
            _ => {}
        }
    }
    for operator in [" && ", " || ", " + ", " - ", " * "] {
        if let Some((left, right)) = text.split_once(operator) {
            parts.extend([format!("{left}\""), format!("\"{right}")]);
        }
    }
    parts.retain(|part| part.len() < text.len() && part.len() > 2);
    parts
}

/// Fields that do not matter go from the lines.
fn fewer_fields(case: &mut Case, fails: &dyn Fn(&Case) -> bool) {
    for at in 0..case.lines.len() {
        let mut position = 1;
        loop {
            let entries: Vec<String> = case.lines[at].split(",\"").map(str::to_owned).collect();
            if position >= entries.len() {
                break;
            }
            let mut kept = entries.clone();
            kept.remove(position);
            let mut line = kept.join(",\"");
            if !line.ends_with('}') {
                line.push('}');
            }
            let mut candidate = case.clone();
            candidate.lines[at] = line;
            if !accept(case, candidate, fails) {
                position += 1;
            }
        }
    }
}
