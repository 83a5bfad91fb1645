//! The report in French: every word, number, length and day, in tables, on the page and in its
//! plots; and where the language comes from.

use std::collections::BTreeSet;
use std::fs;

use super::{expect, propice, report, report_on, simulated, small_decisions};

/// Words that both languages have, and names.
const SHARED: &str = " moment moments contact contacts assistance service silence part page verdicts situation points min ms an wilson newcombe utc ";

/// Words of a page that are shown or read to somebody, and those of the names of elements.
fn words(page: &str) -> BTreeSet<String> {
    let mut shown = String::new();
    let body = page.split("</style>").nth(1).expect("a body");
    let title = page.split("<title>").nth(1).and_then(|behind| behind.split("</title>").next()).expect("a title");
    for part in [title].into_iter().chain(body.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)))
    {
        shown.push_str(part);
        shown.push(' ');
    }
    words_of(&shown)
}

/// Words of at least two letters; what is written with underscores is a name.
fn words_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .filter(|word| word.chars().count() > 1 && word.chars().all(char::is_alphabetic))
        .map(str::to_lowercase)
        .collect()
}

/// Names of the data: of moments and channels.
fn names(decisions: &str) -> BTreeSet<String> {
    let named = |key: &str| -> Vec<String> {
        let key = format!("\"{key}\":\"");
        decisions.split(&key).skip(1).filter_map(|behind| behind.split('"').next()).map(str::to_owned).collect()
    };
    [named("moment"), named("channel")].concat().iter().flat_map(|name| words_of(name)).collect()
}

/// Whatever has a word in both languages is said in the wrong one, unless both have the word.
#[test]
fn no_english_word_is_left_in_a_french_report() {
    let year = simulated::decisions(3_000);
    let unreadable = format!("{}{{}}\n{{}}\n", small_decisions());
    for (decisions, more) in [
        (String::new(), vec![]),
        (small_decisions(), vec![]),
        (small_decisions(), vec!["--by", "month"]),
        (unreadable, vec!["--by", "year"]),
        (year, vec![]),
    ] {
        let page = |language: &str, format: &str| {
            let arguments = [&["--language", language, "--format", format][..], &more[..]].concat();
            let (fine, out, said) = report_on(&decisions, &arguments);
            assert!(fine, "{said}");
            out
        };
        let names = names(&decisions);
        for (english, french) in [
            (words(&page("en", "html")), words(&page("fr", "html"))),
            (words_of(&page("en", "table")), words_of(&page("fr", "table"))),
        ] {
            let both: Vec<&String> = english.intersection(&french).filter(|word| !names.contains(*word)).collect();
            let left: Vec<&&String> = both.iter().filter(|word| !SHARED.contains(&format!(" {word} "))).collect();
            assert!(left.is_empty(), "in both languages: {left:?}");
            for word in ["the", "of", "released", "deferred", "week", "median", "none", "and", "to"] {
                assert!(!french.contains(word), "{word}");
            }
        }
    }
}

#[test]
fn tables_of_a_few_decisions_in_french() {
    expect("report.fr.txt", &report(&["fixtures/report", "--language", "fr"]));
}

#[test]
fn a_french_page_says_so_and_writes_numbers_lengths_and_days_as_french_does() {
    let page = report(&["fixtures/report", "--language", "fr", "--format", "html"]);
    super::document::check(&page);
    assert!(page.contains("<html lang=\"fr\">") && page.contains("<title>Quand nous avons parlé</title>"));
    for told in
        ["du 5 janvier 2026 au 7 mars 2026", "54,5\u{202f}%", "9\u{a0}h\u{a0}30\u{a0}min", "8\u{a0}j", "05/01/2026"]
    {
        assert!(page.contains(told), "{told}");
    }
    let body = page.split("</style>").nth(1).expect("a body");
    let texts: Vec<&str> = body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    for text in texts {
        let digits = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        for (at, point) in text.char_indices().filter(|(_, c)| ".,-".contains(*c)) {
            let within = digits(text[..at].chars().next_back()) && digits(text[at + 1..].chars().next());
            assert!(!within || point == ',', "{text}");
        }
    }
    let english = report(&["fixtures/report", "--format", "html"]);
    assert!(english.contains("<html lang=\"en\">") && english.contains(">54.5%<") && english.contains("9h 30m"));
    // Great numbers are grouped, which in English is by commas.
    let (_, year, _) = report_on(&simulated::decisions(3_000), &["--language", "fr"]);
    assert!(year.contains("3\u{202f}000 épisodes de 9 moments"), "{year}");
    let one = small_decisions().lines().next().expect("a decision").to_owned();
    let (_, one, _) = report_on(&one, &["--language", "fr"]);
    assert!(one.starts_with("1 décision sur 1 client, le 5 janvier 2026\n"), "{one}");
}

#[test]
fn json_is_in_no_language() {
    let json = |more: &[&str]| report(&[&["fixtures/report", "--format", "json"][..], more].concat());
    assert_eq!(json(&["--language", "fr"]), json(&[]));
}

/// A pack of a shop whose customers are spoken to when they come.
fn pack(header: &str, policy: &str, reason: &str) -> String {
    format!(
        "[pack]\nname = \"shop\"\n{header}\n[stream.visits]\nabout = \"customer_id\"\ntime = \"at\"\n\
         fields = {{ customer_id = \"id(customer)\", at = \"time\" }}\n[customer.feature]\nvisits = {{ from = \"visits\", count = true }}\n\
         [moment.greeting]\nwhen = \"visits >= 1\"\npurpose = \"service\"\nreason = {reason}\nchannels = [\"mail\"]\n\
         value = {{ kind = \"experiential\", benefit = \"x\" }}\n[policy]\n{policy}\n"
    )
}

#[test]
fn the_language_is_that_of_the_pack_unless_another_is_asked_for() {
    let shop = tempfile::tempdir().expect("a folder");
    fs::create_dir(shop.path().join("in")).expect("a folder");
    fs::write(shop.path().join("in/visits.jsonl"), "{\"customer_id\":\"c1\",\"at\":\"2026-01-05T09:00:00Z\"}\n")
        .expect("written");
    let both = "{ en = \"Welcome\", fr = \"Bienvenue\" }";
    for (text, french) in [
        (pack("language = \"fr\"", "", both), true),
        (pack("language = \"fr-FR\"", "locale = \"'en'\"", both), true),
        (pack("language = \"en\"", "locale = \"'fr'\"", both), false),
        (pack("", "locale = \"'fr_CA'\"", both), true),
        (pack("", "", "{ fr = \"Bienvenue\" }"), true),
        (pack("", "", both), false),
        (pack("", "", "\"Bienvenue\""), false),
    ] {
        let file = shop.path().join("shop.toml");
        fs::write(&file, &text).expect("the pack is written");
        let out = shop.path().join("out");
        let run = ["run", "shop.toml", "--input", "in", "--output", "out", "--quiet", "--format", "none"];
        propice().current_dir(shop.path()).args(run).assert().success();
        let told = |decisions: &str, more: &[&str]| {
            let arguments = [&["report", decisions][..], more].concat();
            let output = propice().current_dir(shop.path()).args(arguments).output().expect("propice runs");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).expect("text")
        };
        let is_french = |told: &str| {
            assert!(told.contains("décision") != told.contains("decision"), "{told}");
            told.contains("décision")
        };
        // The output of a run remembers it, as a folder and as a file in it, and a copy elsewhere
        // does not.
        for (decisions, more, expected) in [
            ("out", &["--pack", "shop.toml"][..], french),
            ("out", &[], french),
            ("out/decisions.jsonl", &[], french),
            ("out", &["--language", "fr"], true),
            ("out", &["--pack", "shop.toml", "--language", "en"], false),
        ] {
            assert_eq!(is_french(&told(decisions, more)), expected, "{decisions} {more:?}, with\n{text}");
        }
        fs::copy(out.join("decisions.jsonl"), shop.path().join("decisions.jsonl")).expect("a copy");
        assert!(!is_french(&told("decisions.jsonl", &[])));
    }
    fs::write(shop.path().join("shop.toml"), pack("language = \"cs\"", "", both)).expect("the pack is written");
    let arguments = ["report", "decisions.jsonl", "--pack", "shop.toml"];
    let output = propice().current_dir(shop.path()).args(arguments).output().expect("propice runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("there is no report in `cs`"), "{said}");
    fs::write(shop.path().join("shop.toml"), pack("language = \"Français\"", "", both)).expect("the pack is written");
    propice().current_dir(shop.path()).args(arguments).assert().code(1);
}
