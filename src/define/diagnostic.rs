//! Mistakes in a pack, as people read them: file, line, caret, what was expected, the nearest name.
//!
//! `Display` gives the full text of all of them without colours; [`PackErrors::render`] fits it to a terminal;
//! [`Diagnostic`] has everything a program needs.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan};

/// Mistakes that are shown in full; a file that is no pack at all has thousands.
const SHOWN: usize = 100;
/// Columns of a rendered mistake.
const WIDTH: usize = 120;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where: bytes of the text.
    pub span: Range<usize>,
    /// What stands under the caret.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line of the start, from 1.
    pub line: usize,
    /// The column of the start in characters, from 1.
    pub column: usize,
}

/// All the mistakes of a pack.
#[derive(Debug)]
pub struct PackErrors {
    path: String,
    text: Arc<str>,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl PackErrors {
    /// The mistakes of a text, in its order, without their lines and columns.
    pub(crate) fn new(path: &str, text: &str, mut diagnostics: Vec<Diagnostic>) -> PackErrors {
        let lines: Vec<usize> = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
            .collect();
        for diagnostic in &mut diagnostics {
            let start = boundary(text, diagnostic.span.start);
            diagnostic.span = start..boundary(text, diagnostic.span.end).max(start);
            let line = lines.partition_point(|&begin| begin <= start);
            let begin = lines.get(line - 1).copied().unwrap_or(0);
            diagnostic.line = line;
            diagnostic.column = text[begin..start].chars().count() + 1;
        }
        PackErrors { path: path.to_owned(), text: Arc::from(text), diagnostics }
    }

    /// The file as it was named.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The full text of all mistakes, with the lines they stand in.
    pub fn render(&self, theme: GraphicalTheme) -> String {
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(WIDTH);
        let source = NamedSource::new(&self.path, Arc::clone(&self.text));
        let mut out = String::new();
        for diagnostic in self.diagnostics.iter().take(SHOWN) {
            let report = Report { diagnostic, source: &source };
            // Writing into a text does not fail; should a report not be drawn, its message is still said.
            if handler.render_report(&mut out, &report).is_err() {
                out.push_str(&diagnostic.message);
            }
            out.push('\n');
        }
        let count = self.diagnostics.len();
        if count > SHOWN {
            out.push_str(&format!("{} more mistakes are not shown.\n", count - SHOWN));
        }
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        out.push_str(&format!("{}: {count} {noun}\n", self.path));
        out
    }

    /// One JSON object per mistake and line: `file`, `line`, `column`, `code`, `message`, `help`.
    pub fn to_json_lines(&self) -> String {
        let mut out = String::new();
        for diagnostic in &self.diagnostics {
            let line = serde_json::json!({
                "file": self.path,
                "line": diagnostic.line,
                "column": diagnostic.column,
                "code": diagnostic.code,
                "message": diagnostic.message,
                "help": diagnostic.help,
            });
            out.push_str(&line.to_string());
            out.push('\n');
        }
        out
    }
}

impl fmt::Display for PackErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(GraphicalTheme::unicode_nocolor()))
    }
}

impl std::error::Error for PackErrors {}

/// The nearest place at or before `at` where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One mistake, as miette takes it.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a NamedSource<Arc<str>>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = SourceSpan::from(self.diagnostic.span.clone());
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(self.diagnostic.label.clone()), span))))
    }
}
