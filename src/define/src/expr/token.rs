//! The tokens of an expression.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or a word such as `true` or `in`.
    Name,
    /// `12`, `1.5`.
    Number,
    /// `7d`.
    Duration,
    /// `'text'`.
    Text,
    /// `(` or `[`.
    Open,
    /// `)` or `]`.
    Close,
    /// Anything else.
    Operator,
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Where it stands.
    pub(super) span: Range<usize>,
}
