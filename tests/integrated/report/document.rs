//! What a page has to be, whatever it is about.

use std::collections::BTreeSet;

/// What a page is made of. Nothing of it runs, and but for `style` nothing of it could load
/// anything.
const ELEMENTS: &str = " html head meta title style body header main footer section h1 h2 p dl div dt dd strong span figure ul li i table caption \
                        thead tbody tr th td svg desc text line rect circle path ";
const ATTRIBUTES: &str = " lang charset content http-equiv name class id role scope tabindex aria-labelledby viewBox x y x1 x2 y1 y2 cx cy r d width \
                          height text-anchor ";

/// Checks a page, and gives the number of its plots.
pub(crate) fn check(page: &str) -> usize {
    well_formed(page);
    complete(page);
    accessible(page)
}

/// Every element is closed, in order, and every `&` begins a reference. The page is written so that
/// it is XML too.
fn well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        text_is_sound(&rest[..at], open.last() == Some(&"style"));
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "an element is closed that is not open");
        } else {
            attributes_are_sound(tag);
            let name = tag.split([' ', '/']).next().expect("a name");
            assert!(ELEMENTS.contains(&format!(" {name} ")), "<{tag}>");
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty() && rest == "\n", "left open: {open:?}, {rest:?}");
}

fn text_is_sound(text: &str, is_style: bool) {
    assert!(is_style || !text.contains('>'), "{text:?}");
    for behind in text.split('&').skip(1) {
        let reference = behind.split(';').next().unwrap_or_default();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&reference), "&{reference}");
    }
}

/// Each attribute has a value in quotes, once, and is one that a page is made of.
fn attributes_are_sound(tag: &str) {
    let mut names = BTreeSet::new();
    let parts: Vec<&str> = tag.split('"').collect();
    assert!(parts.len() % 2 == 1, "<{tag}>");
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 {
            text_is_sound(part, false);
        } else if let Some(name) = part.trim().strip_suffix('=') {
            let name = name.rsplit(' ').next().expect("a name");
            assert!(ATTRIBUTES.contains(&format!(" {name} ")), "<{tag}>: {name}");
            assert!(names.insert(name), "<{tag}> says {name} twice");
        }
    }
}

/// Nothing is loaded from anywhere, and nothing runs.
fn complete(page: &str) {
    let style = page.split("<style>").nth(1).and_then(|behind| behind.split("</style>").next()).expect("a style");
    for wrong in ["url", "@import", "//", "image("] {
        assert!(!style.contains(wrong), "the style has {wrong}");
    }
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\""));
}

/// Every plot has a name and a description and stands beside a table; ids are there once, and what
/// is named is there.
fn accessible(page: &str) -> usize {
    let attribute = |name: &str| -> Vec<String> {
        let start = format!(" {name}=\"");
        page.split(&start).skip(1).filter_map(|behind| behind.split('"').next()).map(str::to_owned).collect()
    };
    let ids = attribute("id");
    let known: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(known.len(), ids.len(), "an id is there twice");
    for named in attribute("aria-labelledby") {
        for id in named.split(' ') {
            assert!(known.contains(&id.to_owned()), "{id} names nothing");
        }
    }
    let svgs = page.matches("<svg ").count();
    assert_eq!(page.matches("role=\"img\"").count(), svgs);
    assert_eq!(page.matches("</title><desc ").count(), svgs, "a plot has no name or no description");
    let mut plots = 0;
    for section in page.split("<section ").skip(1) {
        let section = section.split("</section>").next().expect("a section");
        if section.contains("<figure>") {
            plots += 1;
            assert!(section.contains("<table>") && section.contains("<caption>"), "a plot without a table");
            assert!(section.contains("class=\"wide\"") && section.contains("class=\"narrow\""), "a plot of one size");
        }
    }
    plots
}
