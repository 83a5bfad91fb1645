//! The report as one page: no script, and nothing from elsewhere.
//!
//! Every plot stands beside the table of its numbers, and is drawn in a wide and a narrow form.
//! Everything that comes from the data goes through `svg::escaped`, and the page forbids the
//! browser to load or run anything (a policy in its head), should it ever fail to.
//!
//! Checked by `tests/integrated/report`: well-formed, complete in itself, hostile names, and looked
//! at in a browser.

mod columns;
mod metrics;
mod plots;
mod row_plots;
mod svg;
mod tables;

use std::fmt::Write as _;

use propice_model::Language;

use super::figures::Report;
use super::sections::{ReportSection, sections};
use super::terms::{CUSTOMERS, DEFERRALS, EPISODES};
use super::text::{named_pack, stretch, unread};
use super::words::ReportWords;
pub use svg::escaped;

const STYLE: &str = include_str!("style.css");

/// By this a page is known as ours.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"propice report\"/>";

/// About how wide a table can be that stands beside a plot.
const BESIDE_PX: usize = 480;

/// The whole page in a language.
pub fn page(report: &Report, language: Language) -> String {
    let words = ReportWords(language);
    let sections = sections(report, language);
    let mut out = String::new();
    head(report, words, &sections, &mut out);
    out.push_str("<main>\n");
    key_figures(report, words, &mut out);
    for section in &sections {
        write_section(report, section, words, &mut out);
    }
    out.push_str("</main>\n<footer>\n");
    method(words, &mut out);
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

fn head(report: &Report, words: ReportWords, sections: &[ReportSection], out: &mut String) {
    let mut title = words.pick("When we spoke", "Quand nous avons parlé").to_owned();
    if let Some(pack) = named_pack(report, words) {
        let _ = write!(title, "{} {pack}", words.colon());
    }
    let title = escaped(&title);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         {GENERATOR}\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{}</p>\n",
        words.0.code(),
        tables::style(sections),
        escaped(&stretch(report, words))
    );
    if let Some(unread) = unread(report, words) {
        let _ = writeln!(out, "<p class=\"warning\" role=\"note\">{}.</p>", escaped(&unread));
    }
    out.push_str("</header>\n");
}

/// A figure that people look for first: what it is, the figure, and of what.
type KeyFigure = (&'static str, String, String);

/// The figures that people look for first, where there is one to tell. None of them says whether it
/// helped: that is only told beside the control group, moment by moment.
fn key_figures(report: &Report, words: ReportWords, out: &mut String) {
    let figures = key_figures_of(report, words);
    if figures.is_empty() {
        return;
    }
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

fn key_figures_of(report: &Report, words: ReportWords) -> Vec<KeyFigure> {
    let (totals, deferrals) = (&report.totals, &report.deferrals);
    let mut figures = Vec::new();
    if totals.episodes > 0 {
        let customers = words.counted(report.customers.contacted, &CUSTOMERS);
        let to = format!("{} {customers}", words.pick("to", "à"));
        figures.push((words.pick("Contacts", "Contacts"), words.count(totals.released), to));
        let silent = totals.episodes.saturating_sub(totals.released + totals.handed_to_human);
        let of = format!("{} {}", words.pick("of", "sur"), words.counted(totals.episodes, &EPISODES));
        figures.push((words.pick("Silent so far", "Silence jusqu’ici"), words.percent_of(silent, totals.episodes), of));
    }
    if let Some(ratio) = report.assistance_to_sales {
        let ratio = format!("{}\u{a0}: 1", words.fixed(ratio, 1));
        figures.push((words.pick("Assistance to sales", "Assistance et vente"), ratio, "contacts".to_owned()));
    }
    if let Some(median) = deferrals.median_ms {
        let of = format!("{} {}", words.pick("of", "sur"), words.counted(deferrals.ended, &DEFERRALS));
        figures.push((words.pick("Median deferral", "Attente médiane"), words.length(median), of));
    }
    figures
}

fn write_section(report: &Report, section: &ReportSection, words: ReportWords, out: &mut String) {
    let plot = plots::plot(report, section, words);
    let id = section.topic.id();
    let _ = write!(
        out,
        "<section aria-labelledby=\"{id}\"{}>\n<h2 id=\"{id}\">{}</h2>\n<p>{}</p>\n<div class=\"beside\">\n",
        if is_broad(section) { " class=\"broad\"" } else { "" },
        escaped(section.title),
        escaped(&section.says)
    );
    if let Some(plot) = plot {
        let _ = write!(out, "<figure>\n{plot}</figure>\n");
    }
    tables::write(section, words, out);
    out.push_str("</div>\n</section>\n");
}

/// Whether the table needs the whole width of a page.
fn is_broad(section: &ReportSection) -> bool {
    tables::width_px(&section.table) > BESIDE_PX
}

/// How the figures came about.
fn method(words: ReportWords, out: &mut String) {
    let (title, told) = words.pick(
        (
            "How to read this",
            "Everything is counted from the decisions of a run, and from nothing else. A contact is a release; what is \
             handed to a human is none. Shares have Wilson score intervals, differences of shares Newcombe’s \
             intervals, both of 95% confidence. They take outcomes as independent of each other: when few customers \
             have many outcomes, they are too narrow. Lengths are rounded by a hundredth at most.",
        ),
        (
            "Comment lire cette page",
            "Tout est compté à partir des décisions d’une exécution, et de rien d’autre. Un contact est une \
             émission\u{202f}; ce qui est confié à une personne n’en est pas un. Les parts ont des intervalles de Wilson, \
             les écarts entre parts ceux de Newcombe, avec une confiance de 95\u{202f}%. Ils supposent les résultats \
             indépendants les uns des autres\u{a0}: quand peu de clients ont beaucoup de résultats, ils sont trop \
             étroits. Les durées sont arrondies d’un centième au plus.",
        ),
    );
    let _ = writeln!(out, "<h2>{}</h2>\n<p>{}</p>", escaped(title), escaped(told));
}
