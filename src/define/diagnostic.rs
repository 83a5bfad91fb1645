//! Mistakes in a pack, as people read them: file, line, caret, what was expected, the nearest name.

/// One mistake.
#[derive(Debug)]
pub struct Diagnostic {}

/// All the mistakes of a pack.
#[derive(Debug)]
pub struct PackErrors {
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}
