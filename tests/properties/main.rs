//! Properties of the whole: on random packs and random streams both engines, at every worker count,
//! give at every logical time what a naive recomputation gives; and the order of arrival does not
//! matter in the end.
//!
//! `PROPICE_CASES` says how many cases are tried (1,000 or 300 without it), `PROPICE_SEED` with
//! which seed they begin (without it a twentieth as many fresh ones are tried too, and their seed is
//! printed), and `PROPICE_REFUSED=1` shows why packs are refused. What must never happen to a
//! customer is in `contact`. A case that fails is made small, shown, and written to the target's
//! `tmp`; copied to `regressions`, it is tried for ever.

#![allow(
    clippy::pedantic,
    clippy::type_complexity,
    clippy::needless_range_loop,
    reason = "a recomputation is to be plain before it is polished"
)]

mod compare;
mod contact;
mod files;
mod generate;
mod happened;
mod kept;
mod oracle;
mod restore;
mod shrink;
mod tried;

/// The top of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

use std::collections::BTreeMap;
use std::path::Path;

use generate::{Case, Rng};
use happened::{EXERCISED, Share};
use propice_run::LineTexts;
use tried::{Tried, run_one};

#[test]
fn both_engines_give_what_a_recomputation_gives() {
    tried::at_least(1_000, "recomputation", HAPPENS, &generate::case, &tried::against_the_oracle);
}

/// What has to happen in the cases that CI tries, in so many of a hundred.
const HAPPENS: &[Share] = &[
    ("gates fail", 34),
    ("receipts answer", 34),
    ("`for` elapses", 34),
    ("everything together", 25),
    ("everything together, with releases and receipts", 10),
    ("policy on several workers", 45),
    ("late records", 50),
    ("files", 25),
    ("CSV", 20),
    ("several files of an input", 10),
    ("a zone of the pack", 30),
    ("a version of the pack", 20),
    ("holidays by region", 10),
    ("undeclared keys", 50),
    ("an undeclared key twice", 5),
    ("unreadable", 30),
    ("missing_field", 3),
    ("wrong_type", 20),
    ("out_of_range", 2),
    ("unknown_input", 5),
    ("expression", 1),
];

/// Such facts go to the customers as they are, and rows of tables are kept there.
#[test]
fn facts_about_customers_alone_mean_the_same() {
    tried::at_least(300, "customers alone", &[], &case_of_customers, &tried::against_the_oracle);
}

/// The first of some random cases whose facts are each about one customer.
fn case_of_customers(seed: u64) -> Case {
    // Of the multiples of four: packs with a policy keep more of a customer than its own facts.
    let mut cases = (0..1_000).map(|number| generate::case(4 * (seed + (number << 32))));
    cases.find(is_of_customers).expect("one of a thousand cases")
}

fn is_of_customers(case: &Case) -> bool {
    let Some(plan) = tried::load(case) else { return false };
    plan.entities.len() == 1
        && plan.inputs.iter().any(|input| input.is_table())
        && plan.inputs.iter().all(|input| match (&input.table, input.about) {
            (Some(table), Some((customer, _))) => table.key.contains(&customer),
            (None, about) => about.is_some(),
            _ => false,
        })
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    tried::at_least(1_000, "arrival", &[(EXERCISED, 60)], &generate::orderly_case, &|seed, case| {
        let mut shuffled = case.clone();
        Rng::new(!seed).shuffle(&mut shuffled.lines);
        same_final_views(case, &shuffled)
    });
}

#[test]
fn what_failed_once_does_not_fail_again() {
    for (path, case) in tried::regressions() {
        for seed in 0..8 {
            one_that_failed(&path, seed, &case);
        }
    }
}

fn one_that_failed(path: &Path, seed: u64, case: &Case) {
    match tried::against_the_oracle(seed, case) {
        Tried::Fine(_) => {}
        Tried::Refused => panic!("{} is refused", path.display()),
        Tried::Wrong(error) => panic!("{}: {error}", path.display()),
    }
}

fn same_final_views(case: &Case, shuffled: &Case) -> Tried {
    let Some(plan) = tried::load(case) else { return Tried::Refused };
    let [one, other] =
        [case, shuffled].map(|case| run_one(&plan, case, tried::PLAIN).map(|(texts, _)| final_views(&texts)));
    match (one, other) {
        (Ok(one), Ok(other)) if one == other => {
            let is_other = case.lines != shuffled.lines && !one.is_empty();
            Tried::Fine(if is_other { vec![EXERCISED] } else { Vec::new() })
        }
        (Ok(one), Ok(other)) => {
            let lines = shuffled.lines.join("\n");
            Tried::Wrong(format!("final views:\n{one:#?}\nbut for\n{lines}\n{other:#?}"))
        }
        (Err(error), _) | (_, Err(error)) => Tried::Wrong(error),
    }
}

/// The last view of each customer that exists in the end, without its time.
fn final_views(texts: &LineTexts) -> BTreeMap<String, String> {
    let mut views = BTreeMap::new();
    for line in texts.view_changes.lines() {
        let (head, view) = line.split_once(",\"logical_time_ms\":").expect("a view");
        let view = view.trim_start_matches(|c: char| c.is_ascii_digit());
        if view == ",\"exists\":false}" {
            views.remove(head);
        } else {
            views.insert(head.to_owned(), view.to_owned());
        }
    }
    views
}

/// Nothing is shown by cases in which nothing happens.
#[test]
fn the_random_cases_are_not_trivial() {
    let (mut opened, mut closed, mut about, mut gone, mut dead, mut views) = (0, 0, 0, 0, 0, 0);
    let mut packs = String::new();
    for seed in 1..=150 {
        let case = generate::case(seed);
        packs += &case.pack.text();
        let given = oracle::run(&case.pack.text(), &case.lines, case.until, case.grain);
        let has = |text: &str, part: &str| usize::from(text.contains(part));
        opened += has(&given.episodes, "\"opened\"");
        closed += has(&given.episodes, "\"closed\"");
        about += has(&given.episodes, "\"kind\"");
        gone += has(&given.views, "\"exists\":false");
        dead += usize::from(!given.dead.is_empty());
        views += given.views.lines().count();
    }
    println!("opened {opened}, closed {closed}, about {about}, gone {gone}, dead {dead}, views {views}");
    assert!(opened > 90 && closed > 50 && about > 40 && gone > 15 && dead > 50 && views > 2_500);
    let words = "count sum avg stddev min max first last distinct set top over where window pane during for about now - < delete order column";
    for word in words.split(' ') {
        assert!(packs.matches(word).count() > 10, "`{word}` is rare in the random packs");
    }
    for word in ["* 90.0", "/ 3.0", "* 0.1", "8.29", "1.0 / 3.0"] {
        assert!(packs.matches(word).count() > 2, "`{word}` is rare in the random packs");
    }
}
