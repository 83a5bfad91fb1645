//! `propice report`, as people call it: its tables and its JSON on a small set of decisions, what it says of bad ones, and its page in a real
//! browser.

mod browser;
mod simulated;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn propice() -> Command {
    Command::cargo_bin("propice").expect("propice is built")
}

/// The page of a simulated year, where it is kept to be looked at.
fn simulated_page() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("a folder");
    let decisions = folder.join("decisions.jsonl");
    fs::write(&decisions, simulated::decisions(6_000)).expect("decisions are written");
    let page = folder.join("report.html");
    propice().args(["report", "--output"]).arg(&page).arg(&decisions).assert().success();
    page
}

#[test]
fn the_page_in_a_browser() {
    let page = simulated_page();
    let Some(browser) = browser::browser() else {
        eprintln!("NOT LOOKED AT: PROPICE_BROWSER=none, so no browser has shown the page of `propice report`");
        return;
    };
    let document = browser::document(&browser, &page);
    assert!(document.contains("<title>When we spoke</title>"), "the browser shows another page");
    for (size, dark) in [((1280, 5600), false), ((1280, 5600), true), ((375, 9000), false), ((375, 9000), true)] {
        let picture = browser::screenshot(&browser, &page, size, dark);
        let seen = browser::pixels(&picture);
        assert_eq!(seen.width, size.0 as usize);
        let colours: BTreeSet<[u8; 3]> = seen.pixels.iter().copied().collect();
        assert!(colours.len() > 50, "{}: only {} colours", picture.display(), colours.len());
    }
}
