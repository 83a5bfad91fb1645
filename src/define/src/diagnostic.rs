//! Mistakes in a pack, as people read them: file, line, caret, what was expected, the nearest name.
//!
//! `Display` gives the full text of all of them without colours; [`PackErrors::render`] fits it to
//! a terminal; [`Diagnostic`] has everything a program needs.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan};

/// Mistakes that are shown in full; a file that is no pack at all has thousands.
const SHOWN: usize = 100;
/// Lines of the text that are drawn for one mistake.
const MOST_LINES: usize = 6;
/// A line of the text that is still drawn, in bytes.
const LONGEST_LINE: usize = 400;
/// Columns of a rendered mistake.
const WIDTH: usize = 120;

/// Whether a pack can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but most likely it does not say what is meant.
    Warning,
}

/// One mistake, or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable word for programs.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
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

/// All the mistakes and warnings of a pack.
#[derive(Debug)]
pub struct PackErrors {
    path: String,
    text: Arc<str>,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl PackErrors {
    /// The mistakes of a text, which come in its order; their lines and columns are found here.
    pub fn new(path: &str, text: &str, mut diagnostics: Vec<Diagnostic>) -> PackErrors {
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
            let report = MietteReport { diagnostic, source: &source, drawn: self.drawn(diagnostic) };
            // Writing into a text does not fail; should a report not be drawn, its message is still
            // said.
            if handler.render_report(&mut out, &report).is_err() {
                out.push_str(&diagnostic.message);
            }
            out.push('\n');
        }
        let count = self.diagnostics.len();
        if count > SHOWN {
            let _ = writeln!(out, "{} more mistakes are not shown.", count - SHOWN);
        }
        let _ = writeln!(out, "{}: {}", self.path, self.counts());
        out
    }

    /// `2 mistakes, 1 warning`
    fn counts(&self) -> String {
        let is_warning = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Warning;
        let warnings = self.diagnostics.iter().filter(is_warning).count();
        let counts = [(self.diagnostics.len() - warnings, "mistake"), (warnings, "warning")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counted = counts.map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }));
        counted.collect::<Vec<_>>().join(", ")
    }

    /// The part of the text that is drawn for a mistake: not more than a few lines of it, and
    /// nothing where a line is too long to be read.
    fn drawn(&self, diagnostic: &Diagnostic) -> Option<Range<usize>> {
        let span = &diagnostic.span;
        let within = &self.text[span.clone()];
        let end = match within.match_indices('\n').nth(MOST_LINES) {
            Some(_) => span.start + within.find('\n').unwrap_or(within.len()),
            None => span.end,
        };
        let begin = self.text[..span.start].rmatch_indices('\n').nth(1).map_or(0, |(at, _)| at + 1);
        let behind = self.text[end..].match_indices('\n').nth(1).map_or(self.text.len(), |(at, _)| end + at);
        let readable = self.text[begin..behind].lines().all(|line| line.len() <= LONGEST_LINE);
        readable.then_some(span.start..end)
    }

    /// One JSON object per mistake and line: `file`, `line`, `column`, `severity`, `code`,
    /// `message`, `help`.
    pub fn to_json_lines(&self) -> String {
        let mut out = String::new();
        for diagnostic in &self.diagnostics {
            let line = serde_json::json!({
                "file": self.path,
                "line": diagnostic.line,
                "column": diagnostic.column,
                "severity": match diagnostic.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
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
struct MietteReport<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a NamedSource<Arc<str>>,
    /// `None`: the place is only named.
    drawn: Option<Range<usize>>,
}

impl fmt::Display for MietteReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)?;
        match self.drawn {
            Some(_) => Ok(()),
            None => {
                write!(f, " ({}, line {}, column {})", self.source.name(), self.diagnostic.line, self.diagnostic.column)
            }
        }
    }
}

impl std::error::Error for MietteReport<'_> {}

impl miette::Diagnostic for MietteReport<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.drawn.is_some().then_some(self.source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = SourceSpan::from(self.drawn.clone()?);
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(self.diagnostic.label.clone()), span))))
    }
}
