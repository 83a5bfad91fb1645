//! What a condition compares a name with, where it does so plainly: `balance < 50.00 && …` compares
//! `balance` with `< 50.00`.
//!
//! A part of the `&&` chain that is a name, an operator and a literal has a threshold. Anything
//! that is more involved has none: it would take the whole condition to say it.

use super::Ref;
use super::source::SourceText;
use super::token::TokenKind;
use super::typed::{Kind, Node};

/// A comparison of a name with a literal that has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The name.
    pub(super) reference: Ref,
    /// `<`, `<=`, `>`, `>=`, `==` or `!=`.
    pub operator: &'static str,
    /// As the condition spells it.
    pub literal: String,
}

/// The thresholds of a condition, in the order in which it is written.
pub(super) fn thresholds(source: &SourceText<'_>, node: &Node) -> Vec<Threshold> {
    match &node.kind {
        Kind::All(parts) => parts.iter().flat_map(|part| thresholds(source, part)).collect(),
        Kind::Compare(comparison, left, right) => {
            let Kind::Slot { reference, .. } = left.kind else { return Vec::new() };
            let literal = literal(source, right);
            literal.map(|literal| Threshold { reference, operator: comparison.name(), literal }).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The spelling of a constant that is a single token, with a sign or without.
fn literal(source: &SourceText<'_>, node: &Node) -> Option<String> {
    node.constant().filter(|constant| !constant.is_null())?;
    let inside = |token: &usize| {
        let span = &source.tokens[*token].span;
        node.span.start <= span.start && span.end <= node.span.end
    };
    let tokens: Vec<usize> = (0..source.tokens.len()).filter(inside).collect();
    let literal = match tokens.as_slice() {
        [literal] => *literal,
        [sign, literal] if source.spelled(*sign) == "-" => *literal,
        _ => return None,
    };
    let is_literal = !matches!(source.tokens[literal].kind, TokenKind::Open | TokenKind::Close | TokenKind::Operator);
    is_literal.then(|| source.text[node.span.clone()].to_owned())
}
