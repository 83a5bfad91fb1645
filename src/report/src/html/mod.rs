//! The report as one page: no script, and nothing from elsewhere.
//!
//! Every plot stands beside the table of its numbers, and is drawn in a wide and a narrow form. Everything that comes from the data goes through
//! `svg::escaped`, and the page forbids the browser to load or run anything (a policy in its head), should it ever fail to.
//!
//! Checked by `tests/report.rs`: well-formed, complete in itself, hostile names, and looked at in a browser.

mod columns;
mod plots;
mod rows;
mod svg;

use std::fmt::Write as _;

use super::figures::Report;
use super::sections::{Section, Table, sections};
use super::text::stretch;
use super::words::{NOTHING, counted, grouped, name, percent_of, some_length};
pub use svg::escaped;

const STYLE: &str = include_str!("style.css");

/// By this a page is known as ours.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"propice report\"/>";

/// The whole page.
pub fn page(report: &Report) -> String {
    let pack = report.pack.as_ref().map(|pack| format!("{} {}", name(&pack.name), name(&pack.version)));
    let title = pack.map_or_else(|| "When we spoke".to_owned(), |pack| format!("When we spoke: {pack}"));
    let title = escaped(&title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         {GENERATOR}\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escaped(&stretch(report))
    );
    if report.bad_lines > 0 {
        let lines = counted(report.bad_lines, "line");
        let _ =
            writeln!(out, "<p class=\"warning\" role=\"note\">{lines} could not be read and are not part of this.</p>");
    }
    out.push_str("</header>\n<main>\n");
    key_figures(report, &mut out);
    for section in sections(report) {
        write_section(report, &section, &mut out);
    }
    out.push_str("</main>\n<footer>\n");
    method(&mut out);
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

/// The figures that people look for first.
fn key_figures(report: &Report, out: &mut String) {
    let totals = &report.totals;
    let ratio = report.assistance_to_sales.map_or_else(|| NOTHING.to_owned(), |ratio| format!("{ratio:.1} : 1"));
    let useful = report.moments.iter().map(|of| of.useful.count).sum();
    let rated = report.moments.iter().map(|of| of.useful.of).sum();
    let helped = report.moments.iter().map(|of| of.treated.count).sum();
    let watched = report.moments.iter().map(|of| of.treated.of).sum();
    let silent = totals.episodes.saturating_sub(totals.released + totals.handed_to_human);
    let figures = [
        ("Contacts", grouped(totals.released), format!("to {}", counted(report.customers.contacted, "customer"))),
        ("Silent so far", percent_of(silent, totals.episodes), format!("of {}", counted(totals.episodes, "episode"))),
        ("Assistance to sales", ratio, "contacts".to_owned()),
        (
            "Median deferral",
            some_length(report.deferrals.median_ms),
            format!("of {}", counted(report.deferrals.ended, "deferral")),
        ),
        ("Rated useful", percent_of(useful, rated), format!("of {}", counted(rated, "rating"))),
        ("Helped", percent_of(helped, watched), format!("of {}", counted(watched, "outcome"))),
    ];
    out.push_str("<dl class=\"key\">\n");
    for (what, figure, of) in figures {
        let _ = writeln!(
            out,
            "<div><dt>{}</dt><dd><strong>{}</strong> <span>{}</span></dd></div>",
            escaped(what),
            escaped(&figure),
            escaped(&of)
        );
    }
    out.push_str("</dl>\n");
}

fn write_section(report: &Report, section: &Section, out: &mut String) {
    let plot = plots::plot(report, section);
    let id = section.topic.id();
    let _ = write!(
        out,
        "<section aria-labelledby=\"{id}\"{}>\n<h2 id=\"{id}\">{}</h2>\n<p>{}</p>\n<div class=\"beside\">\n",
        if section.is_broad() { " class=\"broad\"" } else { "" },
        escaped(section.title),
        escaped(&section.says)
    );
    if let Some(plot) = plot {
        let _ = write!(out, "<figure>\n{plot}</figure>\n");
    }
    write_table(id, section, &section.table, out);
    out.push_str("</div>\n</section>\n");
}

fn write_table(id: &str, section: &Section, table: &Table, out: &mut String) {
    if table.rows.is_empty() {
        out.push_str("<p class=\"none\">None.</p>\n");
        return;
    }
    // What is wider than the page scrolls by itself, by keyboard too.
    let _ = write!(
        out,
        "<div class=\"table\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">\n<table>\n<caption>"
    );
    let _ = write!(out, "{}</caption>\n<thead><tr>", escaped(section.title));
    for (at, head) in table.heads.iter().enumerate() {
        let class = if table.is_number(at) { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let text = escaped(cell);
            let nothing = matches!(cell.as_str(), "0" | "0.0%" | NOTHING);
            let _ = match (at, table.is_number(at)) {
                (0, _) => write!(out, "<th scope=\"row\">{text}</th>"),
                (_, true) if nothing => write!(out, "<td class=\"number nothing\">{text}</td>"),
                (_, true) => write!(out, "<td class=\"number\">{text}</td>"),
                (_, false) => write!(out, "<td>{text}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// How the figures came about.
fn method(out: &mut String) {
    out.push_str(
        "<h2>How to read this</h2>\n<p>Everything is counted from the decisions of a run, and from nothing else. A contact is a release; what is \
         handed to a human is none. Shares have Wilson score intervals, differences of shares Newcombe\u{2019}s intervals, both of 95% confidence. They \
         take outcomes as independent of each other: when few customers have many outcomes, they are too narrow. Lengths are rounded by a hundredth \
         at most.</p>\n",
    );
}
