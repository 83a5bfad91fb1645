//! The parts of a condition, as text: what an explanation tells one by one.
//!
//! Nothing is checked here. The text of a part can be compiled like that of the whole; where the
//! text of a part cannot be told from its surroundings, the part is left out by whoever compiles
//! it.

use super::source::SourceText;
use super::syntax::{Syntax, SyntaxKind, parse};
use super::token::TokenKind;
use propice_model::LogicalTime;
use propice_model::time::format_time;

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionPart {
    /// As it was written.
    pub text: String,
    /// What it is made of.
    pub shape: Shape,
}

/// What a condition is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `a && b`
    All(Vec<ConditionPart>),
    /// `a || b`
    Any(Vec<ConditionPart>),
    /// `!a`
    Not(Box<ConditionPart>),
    /// `a < b`, `a in b`
    Compare {
        /// As it is spelled.
        operator: &'static str,
        /// The text of what stands before it.
        left: String,
        /// The text of what stands behind it.
        right: String,
    },
    /// `has(a)`
    Known(String),
    /// A name.
    Name,
    /// Anything else.
    Other,
}

/// The parts of a condition; `None` for a text that is no expression.
pub fn parts(text: &str) -> Option<ConditionPart> {
    let source = SourceText::read(text).ok()?;
    let syntax = parse(&source).ok()?;
    let mut part = part(text, &syntax);
    text.trim().clone_into(&mut part.text);
    Some(part)
}

fn part(text: &str, syntax: &Syntax) -> ConditionPart {
    let spelled = |syntax: &Syntax| text.get(syntax.span.clone()).unwrap_or_default().to_owned();
    let all = |parts: &[Syntax]| parts.iter().map(|syntax| part(text, syntax)).collect();
    let shape = match &syntax.kind {
        SyntaxKind::All(parts) => Shape::All(all(parts)),
        SyntaxKind::Any(parts) => Shape::Any(all(parts)),
        SyntaxKind::Not(of) => Shape::Not(Box::new(part(text, of))),
        SyntaxKind::Binary(operator @ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in"), left, right) => {
            Shape::Compare { operator, left: spelled(left), right: spelled(right) }
        }
        SyntaxKind::Call { function, arguments, target: None, .. } if function == "has" => {
            Shape::Known(arguments.first().map(spelled).unwrap_or_default())
        }
        SyntaxKind::Path(_) => Shape::Name,
        _ => Shape::Other,
    };
    ConditionPart { text: spelled(syntax), shape }
}

/// A text with `now` as a fixed instant, so that what moves with it has a value like anything else.
pub fn at_instant(text: &str, now: LogicalTime) -> Option<String> {
    let source = SourceText::read(text).ok()?;
    let instant = format!("timestamp('{}')", format_time(i64::try_from(now).ok()?));
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (position, token) in source.tokens.iter().enumerate() {
        let is_selected = position > 0 && source.spelled(position - 1) == ".";
        if token.kind == TokenKind::Name && source.spelled(position) == "now" && !is_selected {
            out.push_str(text.get(end..token.span.start)?);
            out.push_str(&instant);
            end = token.span.end;
        }
    }
    out.push_str(text.get(end..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(part: &ConditionPart) -> String {
        let all = |parts: &[ConditionPart], between: &str| parts.iter().map(shown).collect::<Vec<_>>().join(between);
        match &part.shape {
            Shape::All(parts) => format!("all({})", all(parts, "; ")),
            Shape::Any(parts) => format!("any({})", all(parts, "; ")),
            Shape::Not(of) => format!("not({})", shown(of)),
            Shape::Compare { operator, left, right } => format!("[{left}] {operator} [{right}]"),
            Shape::Known(of) => format!("known({of})"),
            Shape::Name => format!("name({})", part.text),
            Shape::Other => format!("other({})", part.text),
        }
    }

    #[test]
    fn a_condition_is_split_where_it_is_joined() {
        for (text, expected) in [
            ("free_cash < 0.00 && balance >= 0.00", "all([free_cash] < [0.00]; [balance] >= [0.00])"),
            (
                "a == 'x' && (b >= 1 || c >= 1) && d * 10 >= t.e * 8",
                "all([a] == ['x']; any([b] >= [1]; [c] >= [1]); [d * 10] >= [t.e * 8])",
            ),
            ("!(x > now && (x + 1d) < y) || fragile", "any(not(all([x] > [now]; [x + 1d] < [y])); name(fragile))"),
            ("has(a) && now - a >= 30d", "all(known(a); [now - a] >= [30d])"),
            ("k in ['a', 'b'] && (a + b) * 2 > -c", "all([k] in [['a', 'b']]; [(a + b) * 2] > [-c])"),
            ("size(signs) >= 2", "[size(signs)] >= [2]"),
            ("t.startsWith('x')", "other(t.startsWith('x'))"),
            (" a ? b : c ", "other(a ? b : c)"),
        ] {
            assert_eq!(parts(text).map(|part| shown(&part)).as_deref(), Some(expected));
        }
        assert_eq!(parts("a &&"), None);
    }

    #[test]
    fn now_becomes_an_instant_and_nothing_else_does() {
        let text = at_instant("now - t.now >= 30d && a == 'now'", 1_772_442_000_000);
        let expected = "timestamp('2026-03-02T09:00:00Z') - t.now >= 30d && a == 'now'";
        assert_eq!(text.as_deref(), Some(expected));
    }
}
