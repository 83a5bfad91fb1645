//! The report as tables for a terminal. Without a width every table is as wide as what is in it.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

use super::figures::Report;
use super::sections::{Section, Table, sections};
use super::words::{counted, name};

/// Columns of the sentences when there is no width.
const SENTENCE_COLUMNS: usize = 100;

/// The whole report, so many columns wide.
pub fn tables(report: &Report, columns: Option<u16>) -> String {
    let mut out = String::new();
    head(report, &mut out);
    for section in sections(report) {
        write_section(&section, columns, &mut out);
    }
    out
}

fn head(report: &Report, out: &mut String) {
    let pack = report.pack.as_ref().map(|pack| format!("{} {}: ", name(&pack.name), name(&pack.version)));
    let _ = writeln!(out, "{}{}", pack.unwrap_or_default(), stretch(report));
    if report.bad_lines > 0 {
        let _ = writeln!(out, "{} could not be read and are not part of it", counted(report.bad_lines, "line"));
    }
}

/// What was read, from when until when.
pub(super) fn stretch(report: &Report) -> String {
    let decisions = counted(report.decisions, "decision");
    let customers = counted(report.customers.seen, "customer");
    match &report.days {
        Some((from, until)) => format!("{decisions} on {customers}, {from} to {until}"),
        None => "no decisions".to_owned(),
    }
}

fn write_section(section: &Section, columns: Option<u16>, out: &mut String) {
    let _ = write!(out, "\n{}\n", section.title);
    let width = columns.map_or(SENTENCE_COLUMNS, usize::from).max(20);
    wrap(&section.says, width, out);
    if section.table.rows.is_empty() {
        out.push_str("  none\n");
        return;
    }
    // Lines are cut behind the last character, so that the text is the same wherever it is copied to.
    for line in laid_out(&section.table, columns).lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn laid_out(table: &Table, columns: Option<u16>) -> String {
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

/// A text in lines of so many columns.
fn wrap(text: &str, columns: usize, out: &mut String) {
    let mut used = 0;
    for word in text.split_whitespace() {
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
