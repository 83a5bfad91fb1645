//! The tables of the page. Where there is no room for all columns side by side, each row becomes a
//! card with a line per column, so that no column is cut off, and none has to be looked for beside
//! the page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::sections::{ReportSection, ReportTable};
use super::super::words::ReportWords;
use super::escaped;
use super::metrics::text_ems;

/// The style of cards, with `WIDTH` for the width below which they are needed.
const CARDS: &str = include_str!("cards.css");

/// How large the font of tables is, as the style has it.
const FONT_PX: f64 = 13.8;
/// What is around the text of a cell, and where the table is narrower than `TIGHT_PX`, as the style
/// has it.
const AROUND_PX: usize = 20;
const AROUND_TIGHTLY_PX: usize = 12;
const TIGHT_PX: usize = 860;
/// The least width of a column with its head, as the style has it.
const HEAD_PX: usize = 63;
/// Widths at which tables change are multiples of this one.
const STEP_PX: usize = 4;
/// What is written longer takes a line of a card for itself.
const SHORT: usize = 11;
/// Names of rows that are longer break; they are given so much room.
const NAME: usize = 28;
const NAME_PX: usize = 210;

/// About how wide a text is in a table.
fn text_px(text: &str) -> usize {
    (text_ems(text) * FONT_PX).ceil() as usize
}

/// About how wide the table has to be: words are not broken, and of what is behind the first column
/// only the heads are.
pub(super) fn width_px(table: &ReportTable) -> usize {
    width_around_px(table, AROUND_PX)
}

fn width_around_px(table: &ReportTable, around_px: usize) -> usize {
    let longest_word = |text: &str| text.split(' ').map(text_px).max().unwrap_or(0);
    let column = |(at, head): (usize, &&str)| {
        let cells = table.rows.iter().map(|row| row[at].as_str());
        // Heads are in bold type.
        let head = longest_word(head) * 107 / 100;
        if at == 0 {
            cells.map(longest_word).max().unwrap_or(0).min(NAME_PX).max(head) + around_px / 2
        } else {
            (cells.map(text_px).max().unwrap_or(0).max(head) + around_px).max(HEAD_PX)
        }
    };
    table.heads.iter().enumerate().map(column).sum()
}

/// The width below which a table is shown as cards.
fn threshold_px(table: &ReportTable) -> usize {
    let (needed, tightly) = (width_px(table), width_around_px(table, AROUND_TIGHTLY_PX));
    let needed = if needed <= TIGHT_PX { tightly } else { needed };
    needed.div_ceil(STEP_PX) * STEP_PX
}

/// The style of the cards of these tables.
pub(super) fn style(sections: &[ReportSection]) -> String {
    let widths: BTreeSet<usize> = sections.iter().map(|section| threshold_px(&section.table)).collect();
    widths.iter().map(|width| CARDS.replace("WIDTH", &width.to_string())).collect()
}

pub(super) fn write(section: &ReportSection, words: ReportWords, out: &mut String) {
    let table = &section.table;
    let _ = write!(
        out,
        "<div class=\"table\">\n<div class=\"below-{}\">\n<table>\n<caption>{}</caption>\n<thead><tr>",
        threshold_px(table),
        escaped(section.title)
    );
    for (at, head) in table.heads.iter().enumerate() {
        let class = if table.is_number(at) { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    let long: Vec<bool> = (0..table.heads.len()).map(|at| table.longest(at) > SHORT).collect();
    for row in &table.rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            if at == 0 {
                let class = if cell.chars().count() > NAME { " class=\"long\"" } else { "" };
                let _ = write!(out, "<th scope=\"row\"{class}>{}</th>", escaped(cell));
            } else {
                write_cell(table, at, cell, long[at], words, out);
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n</div>\n");
}

fn write_cell(table: &ReportTable, at: usize, cell: &str, long: bool, words: ReportWords, out: &mut String) {
    let nothing = words.is_nothing(cell);
    let classes = [("number", table.is_number(at)), ("nothing", nothing && table.is_number(at)), ("long", long)];
    let classes: Vec<&str> = classes.into_iter().filter(|(_, applies)| *applies).map(|(class, _)| class).collect();
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
    // The head of the column stands in the cell for where the row is a card.
    let (head, value) = (escaped(table.heads[at]), escaped(cell));
    let _ = write!(out, "<td{class}><span class=\"head\">{head}</span> <span class=\"value\">{value}</span></td>");
}
