//! The page on a telephone: nothing of it is beside the screen, cut off or without its heading, in
//! either language, whatever is in it.

use std::fs;

use super::{browser, kept, propice, simulated, small_decisions};

/// Says what is wrong with a page, line by line, behind the numbers of cells and of texts in plots
/// that were looked at.
const LOOK: &str = r"function () {
  var wrong = [], width = window.innerWidth, cells = 0, texts = 0;
  var shown = function (e) { return e.getClientRects().length > 0; };
  var page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) wrong.push('the page scrolls: ' + page.scrollWidth);
  document.querySelectorAll('.table').forEach(function (table) {
    var name = table.querySelector('caption').textContent;
    if (table.scrollWidth > table.clientWidth) wrong.push(name + ' scrolls: ' + table.scrollWidth + ' of ' + table.clientWidth);
    var heads = table.querySelectorAll('thead th');
    table.querySelectorAll('tbody tr').forEach(function (row) {
      if (row.children.length != heads.length) wrong.push(name + ' has a row of ' + row.children.length);
      Array.prototype.forEach.call(row.children, function (cell, at) {
        cells += 1;
        var own = cell.querySelector('.head');
        if (!shown(cell)) wrong.push(name + ' hides ' + cell.textContent);
        if (cell.scrollWidth > cell.clientWidth + 1) wrong.push(name + ' cuts ' + cell.textContent);
        if (at > 0 && shown(heads[at]) === shown(own)) wrong.push(name + ' has not one heading at ' + cell.textContent);
        if (at > 0 && own.textContent !== heads[at].textContent) wrong.push(name + ' has another heading at ' + cell.textContent);
      });
    });
  });
  document.querySelectorAll('th, td, .value, p, h1, h2, dt, dd, li, svg text').forEach(function (e) {
    if (!shown(e)) return;
    if (e.tagName === 'text') texts += 1;
    var box = e.getBoundingClientRect();
    if (box.left < -0.5 || box.right > width + 0.5) wrong.push(e.tagName + ' is at ' + box.left + ' to ' + box.right + ': ' + e.textContent);
  });
  return width + ' ' + cells + ' ' + texts + '\n' + wrong.join('\n');
}";

/// Decisions with names as long as names can be, of wide letters, of another script, and of
/// squares.
fn long_names() -> String {
    small_decisions()
        .replace("\"moment\":\"trip_ahead\"", &format!("\"moment\":\"{}\"", "a_moment_that_never_ends_".repeat(4)))
        .replace("\"moment\":\"fraud_alert\"", &format!("\"moment\":\"{}\"", "漢字".repeat(40)))
        .replace("\"moment\":\"rate_change\"", &format!("\"moment\":\"when the rate has changed {}\"", "W".repeat(40)))
        .replace("\"channel\":\"push\"", &format!("\"channel\":\"{}\"", "Канал".repeat(20)))
        .replace("\"channel\":\"mail\"", &format!("\"channel\":\"{}\"", "M".repeat(100)))
}

#[test]
fn no_column_is_lost_at_390_pixels_in_either_language() {
    let Some(browser) = browser::browser() else { return };
    let reports = [
        ("empty", String::new(), &[390][..]),
        ("small", small_decisions(), &[320, 390][..]),
        ("long", long_names(), &[320, 390, 800, 1280][..]),
        ("year", simulated::decisions(6_000), &[390, 560, 800, 1280][..]),
    ];
    for (name, decisions, widths) in reports {
        for language in ["en", "fr"] {
            let page = kept().join(format!("narrow.{name}.{language}.html"));
            let _ = fs::remove_file(&page);
            let arguments = ["report", "-", "--language", language, "--output"];
            propice().args(arguments).arg(&page).write_stdin(decisions.clone()).assert().success();
            for width in widths {
                let told = browser.measured(&page, *width, LOOK);
                let (looked_at, wrong) = told.split_once('\n').expect("numbers, then what is wrong");
                let numbers: Vec<u64> = looked_at.split(' ').map(|number| number.parse().expect("a number")).collect();
                assert_eq!(numbers[0], u64::from(*width), "the window is of another width");
                let (cells, texts) = if name == "empty" { (0, 0) } else { (200, 100) };
                assert!(numbers[1] >= cells && numbers[2] >= texts, "{name}: too little was looked at: {looked_at}");
                assert!(wrong.trim().is_empty(), "{} at {width} pixels:\n{wrong}", page.display());
            }
        }
    }
}

/// What stands in a card is what stands in the table: nothing is left out.
#[test]
fn broad_tables_are_cards_on_a_telephone_and_tables_on_a_desk() {
    let Some(browser) = browser::browser() else { return };
    let page = kept().join("cards.html");
    let _ = fs::remove_file(&page);
    propice().args(["report", "fixtures/report", "--output"]).arg(&page).assert().success();
    let cards = r"function () {
      var cards = [];
      document.querySelectorAll('.table').forEach(function (table) {
        if (getComputedStyle(table.querySelector('thead')).display === 'none') cards.push(table.querySelector('caption').textContent);
      });
      return cards.join('|');
    }";
    let narrow = browser.measured(&page, 390, cards);
    assert!(narrow.contains("Moments|") && narrow.contains("Over time"), "{narrow}");
    assert!(!narrow.contains("What became of episodes"), "{narrow}");
    assert_eq!(browser.measured(&page, 1_280, cards), "");
}
