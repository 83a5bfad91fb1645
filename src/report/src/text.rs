//! The report as tables for a terminal. Without a width every table is as wide as what is in it.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

use propice_model::Language;

use super::figures::Report;
use super::sections::{ReportSection, ReportTable, sections};
use super::terms::{CUSTOMERS, DECISIONS, LINES};
use super::words::ReportWords;

/// Columns of the sentences when there is no width.
const SENTENCE_COLUMNS: usize = 100;

/// The whole report in a language, so many columns wide.
pub fn tables(report: &Report, language: Language, columns: Option<u16>) -> String {
    let words = ReportWords(language);
    let mut out = String::new();
    head(report, words, &mut out);
    for section in sections(report, language) {
        write_section(&section, columns, &mut out);
    }
    out
}

fn head(report: &Report, words: ReportWords, out: &mut String) {
    if let Some(pack) = named_pack(report, words) {
        let _ = write!(out, "{pack}{} ", words.colon());
    }
    let _ = writeln!(out, "{}", stretch(report, words));
    if let Some(unread) = unread(report, words) {
        let _ = writeln!(out, "{unread}");
    }
}

/// The pack with its version.
pub(super) fn named_pack(report: &Report, words: ReportWords) -> Option<String> {
    report.pack.as_ref().map(|pack| format!("{} {}", words.name(&pack.name), words.name(&pack.version)))
}

/// What was read, from when until when.
pub(super) fn stretch(report: &Report, words: ReportWords) -> String {
    let decisions = words.counted(report.decisions, &DECISIONS);
    let customers = words.counted(report.customers.seen, &CUSTOMERS);
    let Some((from, until)) = report.days else { return words.pick("no decisions", "aucune décision").to_owned() };
    let day = |day| words.0.day(day);
    let french =
        if from == until { format!("le {}", day(from)) } else { format!("du {} au {}", day(from), day(until)) };
    words.pick(
        format!("{decisions} on {customers}, {from} to {until}"),
        format!("{decisions} sur {customers}, {french}"),
    )
}

/// That lines could not be read, where there were any.
pub(super) fn unread(report: &Report, words: ReportWords) -> Option<String> {
    let bad = report.bad_lines;
    let lines = words.counted(bad, &LINES);
    let are = words.of_many(bad, ["is", "are"]);
    let french = words.of_many(bad, ["n’a pas pu être lue et n’en fait", "n’ont pas pu être lues et n’en font"]);
    let told = words
        .pick(format!("{lines} could not be read and {are} not part of it"), format!("{lines} {french} pas partie"));
    (bad > 0).then_some(told)
}

fn write_section(section: &ReportSection, columns: Option<u16>, out: &mut String) {
    let _ = write!(out, "\n{}\n", section.title);
    let width = columns.map_or(SENTENCE_COLUMNS, usize::from).max(20);
    wrap(&section.says, width, out);
    // Lines are cut behind the last character, so that the text is the same wherever it is copied
    // to.
    for line in laid_out(&section.table, columns).lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn laid_out(table: &ReportTable, columns: Option<u16>) -> String {
    let mut shown = comfy_table::Table::new();
    shown.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    match columns {
        Some(columns) => shown.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns),
        None => shown.set_content_arrangement(ContentArrangement::Disabled),
    };
    shown.set_header(&table.heads);
    shown.add_rows(&table.rows);
    for (at, column) in shown.column_iter_mut().enumerate() {
        if table.is_number(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    shown.to_string()
}

/// A text in lines of so many columns. A space that does not break stays in its line.
fn wrap(text: &str, columns: usize, out: &mut String) {
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            out.push('\n');
            used = 0;
        }
        if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
}
