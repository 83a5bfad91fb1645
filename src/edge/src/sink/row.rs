//! A row for a terminal: cells one beside the other as long as they fit, the others below them.

use std::fmt::Write as _;

use super::columns::{cut, shown, width, wrapped};

/// How far what stands below is moved to the right.
pub(super) const INDENT: usize = 4;
/// Between two cells.
const GAP: usize = 2;
/// Fewer columns are too few for a text over several lines.
const LEAST: usize = 24;
const RESET: &str = "\x1b[0m";

/// A row that is being written.
pub(super) struct TerminalRow<'a> {
    out: &'a mut String,
    columns: usize,
    /// Columns of the line that are written.
    used: usize,
    /// Where the cell ends that was written last.
    end: usize,
}

impl<'a> TerminalRow<'a> {
    pub(super) fn new(out: &'a mut String, columns: usize) -> TerminalRow<'a> {
        TerminalRow { out, columns, used: 0, end: 0 }
    }

    /// A text in a cell of at least so many columns.
    pub(super) fn cell(&mut self, text: &str, least: usize, colour: &str) {
        let text = cut(&shown(text), self.columns.saturating_sub(INDENT));
        let wide = width(&text);
        let mut start = self.next();
        if self.used > 0 && !text.is_empty() && start + wide > self.columns {
            self.below();
            start = self.used;
        }
        if !text.is_empty() {
            self.write(start, &text, colour);
        }
        self.end = start + wide.max(least);
    }

    /// A text over as many lines as it needs, the second one below the first.
    pub(super) fn flow(&mut self, text: &str, colour: &str) {
        let text = shown(text);
        let mut start = self.next();
        let left = self.columns.saturating_sub(start);
        if start > INDENT && left < LEAST && width(&text) > left {
            self.below();
            start = self.used;
        }
        for (at, line) in wrapped(&text, self.columns.saturating_sub(start)).iter().enumerate() {
            if at > 0 {
                self.out.push('\n');
                self.used = 0;
            }
            self.write(start, line, colour);
        }
        self.end = self.columns;
    }

    /// Goes on below.
    pub(super) fn below(&mut self) {
        let _ = write!(self.out, "\n{:INDENT$}", "");
        (self.used, self.end) = (INDENT, INDENT - GAP);
    }

    pub(super) fn finish(self) {
        self.out.push('\n');
    }

    fn next(&self) -> usize {
        if self.used == 0 { 0 } else { self.end + GAP }
    }

    fn write(&mut self, start: usize, text: &str, colour: &str) {
        let reset = if colour.is_empty() { "" } else { RESET };
        let _ = write!(self.out, "{:1$}{colour}{text}{reset}", "", start.saturating_sub(self.used));
        self.used = start + width(text);
    }
}

/// Words below a row, in as many lines as they need.
pub(super) fn words(out: &mut String, columns: usize, text: &str, colour: &str) {
    let reset = if colour.is_empty() { "" } else { RESET };
    for line in wrapped(&shown(text), columns.saturating_sub(INDENT)) {
        let _ = writeln!(out, "{:INDENT$}{colour}{line}{reset}", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: usize) -> String {
        let mut out = String::new();
        let mut row = TerminalRow::new(&mut out, columns);
        row.cell("one", 6, "");
        row.cell("", 4, "");
        row.cell("three", 5, "");
        row.flow("a text over several lines of any length whatever", "");
        row.finish();
        out
    }

    #[test]
    fn what_does_not_fit_stands_below() {
        assert_eq!(row(80), "one           three  a text over several lines of any length whatever\n");
        assert_eq!(
            row(46),
            "one           three  a text over several lines\n                     of any length whatever\n"
        );
        assert_eq!(row(30), "one           three\n    a text over several lines\n    of any length whatever\n");
    }
}
