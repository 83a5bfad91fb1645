//! How the tokens of an expression are nested: which brackets belong together, and how deep it
//! goes.
//!
//! Counted before the text is parsed, because the parser and everything behind it recurse as deep
//! as this.

use super::Mistake;
use super::token::{Token, TokenKind};

/// Pairs the brackets.
pub(super) fn brackets(text: &str, tokens: &[Token]) -> Result<Vec<(usize, usize)>, Mistake> {
    let (mut open, mut pairs) = (Vec::new(), Vec::new());
    for (position, token) in tokens.iter().enumerate() {
        let spelled = &text[token.span.clone()];
        match token.kind {
            TokenKind::Open => open.push((position, if spelled == "(" { ")" } else { "]" })),
            TokenKind::Close => match open.pop() {
                Some((start, close)) if close == spelled => pairs.push((start, position)),
                Some((_, close)) => {
                    return Err(Mistake::new(
                        token.span.clone(),
                        format!("`{close}` is expected here, not `{spelled}`"),
                    ));
                }
                None => return Err(Mistake::new(token.span.clone(), format!("`{spelled}` closes nothing"))),
            },
            _ => {}
        }
    }
    match open.pop() {
        None => Ok(pairs),
        Some((start, close)) => {
            let span = tokens[start].span.clone();
            let spelled = &text[span.clone()];
            Err(Mistake::new(span, format!("`{spelled}` is never closed")).help(format!("add `{close}`")))
        }
    }
}

/// How deep the operators and brackets between two brackets are nested.
#[derive(Default)]
struct Level {
    /// The deepest argument before the last comma.
    arguments: usize,
    /// The deepest part of the argument before the last `&&`, `||`, `?` or `:`.
    parts: usize,
    /// Conditionals of the argument.
    conditionals: usize,
    /// The deepest operand of the part.
    operands: usize,
    /// Operators of the part: they group to the left.
    operators: usize,
}

impl Level {
    fn end_part(&mut self) {
        self.parts = self.parts.max(self.operands + self.operators);
        (self.operands, self.operators) = (0, 0);
    }

    fn end_argument(&mut self) {
        self.end_part();
        self.arguments = self.arguments.max(self.parts + self.conditionals);
        (self.parts, self.conditionals) = (0, 0);
    }
}

/// How deep an expression is nested, at most. Chains of `&&` and of `||` do not count, they are not
/// nested.
pub(super) fn depth(text: &str, tokens: &[Token]) -> usize {
    let mut levels = vec![Level::default()];
    for token in tokens {
        if token.kind == TokenKind::Open {
            levels.push(Level::default());
            continue;
        }
        let closed = if token.kind == TokenKind::Close { levels.pop() } else { None };
        let Some(level) = levels.last_mut() else { return usize::MAX };
        if let Some(mut closed) = closed {
            closed.end_argument();
            level.operands = level.operands.max(closed.arguments + 1);
            continue;
        }
        match &text[token.span.clone()] {
            "," => level.end_argument(),
            "?" => {
                level.end_part();
                level.conditionals += 1;
            }
            ":" | "&&" | "||" => level.end_part(),
            "in" => level.operators += 1,
            _ if token.kind == TokenKind::Operator => level.operators += 1,
            _ => {}
        }
    }
    levels.first_mut().map_or(usize::MAX, |level| {
        level.end_argument();
        level.arguments
    })
}
