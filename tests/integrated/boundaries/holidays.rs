//! A table of holidays: what it says now counts, and what it said before counts no more.

use super::{decided, moment, s};

const DAY: u64 = 86_400_000;

fn pack(region: &str) -> String {
    format!(
        "{}{}\
         [table.people]\nkey = ['c']\nabout = 'c'\ntime = 'at'\n\
         fields = {{ c = 'id(customer)', at = 'time', region = 'text?' }}\n\
         [table.days]\nkey = ['id']\ntime = 'at'\n\
         fields = {{ id = 'int', at = 'time', day = 'text', region = 'text?' }}\n\
         [policy]\narbitration = '0s'\nquiet = {{ holidays = true }}\n\
         holidays = {{ table = 'days', day = 'day', region = 'region' }}\n{region}",
        super::INPUTS,
        moment("m", "a > 0", "")
    )
}

/// The first days of 1970, by their numbers.
fn holiday(at: u64, id: u64, day: u64, region: &str) -> String {
    let region = if region.is_empty() { String::new() } else { format!(",\"region\":\"{region}\"") };
    format!("{{\"stream\":\"days\",\"id\":{id},\"at\":{at},\"day\":\"1970-01-{:02}\"{region}}}", day + 1)
}

fn deleted(at: u64, id: u64) -> String {
    format!("{{\"stream\":\"days\",\"id\":{id},\"at\":{at},\"_deleted\":true}}")
}

/// What is decided of an episode that opens at 10, on the first day.
fn with(days: &[String]) -> Vec<String> {
    let mut lines = vec![s(10, "a", 1)];
    // Those from 20 on come behind it.
    for day in days {
        let at = |line: &String| {
            line.split_once("\"at\":")
                .and_then(|(_, rest)| rest.split_once([',', '}']))
                .map(|(at, _)| at.parse::<u64>().expect("a time"))
        };
        let place = lines.iter().position(|line| at(line) > at(day)).unwrap_or(lines.len());
        lines.insert(place, day.clone());
    }
    decided(&pack(""), &lines, 5 * DAY)
}

fn deferred(at: u64, until: u64) -> String {
    format!("{at} m deferred quiet(-|{until})")
}

fn released(at: u64) -> String {
    format!("{at} m released")
}

#[test]
fn a_holiday_is_over_at_midnight() {
    assert_eq!(with(&[holiday(1, 1, 0, "")]), [deferred(10, DAY), released(DAY)]);
    assert_eq!(with(&[holiday(1, 1, 0, ""), holiday(1, 2, 1, "")]), [deferred(10, 2 * DAY), released(2 * DAY)]);
    assert_eq!(with(&[holiday(1, 1, 1, "")]), [released(10)]);
}

#[test]
fn a_row_that_is_replaced_says_nothing_any_more() {
    // Before anything waits for it, and while something does: nobody else wakes the customer.
    assert_eq!(with(&[holiday(1, 1, 0, ""), holiday(5, 1, 3, "")]), [released(10)]);
    assert_eq!(with(&[holiday(1, 1, 0, ""), holiday(20, 1, 3, "")]), [deferred(10, DAY), released(20)]);
    // Another day, and back.
    let moved = [holiday(1, 1, 0, ""), holiday(5, 1, 3, ""), holiday(7, 1, 0, "")];
    assert_eq!(with(&moved), [deferred(10, DAY), released(DAY)]);
    // The next day is one too: what is waited for changes.
    let longer = [holiday(1, 1, 0, ""), holiday(20, 2, 1, ""), holiday(30, 2, 3, "")];
    assert_eq!(with(&longer), [deferred(10, DAY), deferred(20, 2 * DAY), deferred(30, DAY), released(DAY)]);
}

#[test]
fn a_row_that_is_deleted_says_nothing_any_more() {
    assert_eq!(with(&[holiday(1, 1, 0, ""), deleted(5, 1)]), [released(10)]);
    assert_eq!(with(&[holiday(1, 1, 0, ""), deleted(20, 1)]), [deferred(10, DAY), released(20)]);
    // Of two rows that say the same, one is left; then none.
    let both = [holiday(1, 1, 0, ""), holiday(1, 2, 0, ""), deleted(20, 1), deleted(30, 2)];
    assert_eq!(with(&both), [deferred(10, DAY), released(30)]);
    let again = [holiday(1, 1, 0, ""), deleted(5, 1), holiday(7, 1, 0, "")];
    assert_eq!(with(&again), [deferred(10, DAY), released(DAY)]);
}

#[test]
fn an_older_row_that_comes_late_changes_nothing() {
    let late = |older: String| [s(9, "b", 1), holiday(8, 1, 0, ""), older, s(10, "a", 1)];
    assert_eq!(decided(&pack(""), &late(holiday(3, 1, 3, "")), 2 * DAY), [deferred(10, DAY), released(DAY)]);
    assert_eq!(decided(&pack(""), &late(deleted(3, 1)), 2 * DAY), [deferred(10, DAY), released(DAY)]);
}

#[test]
fn a_row_of_another_region_is_for_others() {
    let pack = pack("region = 'people.region'\n");
    let lives =
        |at: u64, region: &str| format!("{{\"stream\":\"people\",\"c\":\"x\",\"at\":{at},\"region\":\"{region}\"}}");
    let of = |rows: &[String]| {
        let lines = [vec![lives(1, "south"), rows[0].clone(), s(10, "a", 1)], rows[1..].to_vec()].concat();
        decided(&pack, &lines, 2 * DAY)
    };
    assert_eq!(of(&[holiday(2, 1, 0, "north")]), [released(10)]);
    assert_eq!(of(&[holiday(2, 1, 0, "south"), holiday(20, 1, 0, "north")]), [deferred(10, DAY), released(20)]);
    assert_eq!(of(&[holiday(2, 1, 0, ""), holiday(20, 1, 0, "north")]), [deferred(10, DAY), released(20)]);
    // The customer moves.
    assert_eq!(of(&[holiday(2, 1, 0, "south"), lives(20, "north")]), [deferred(10, DAY), released(20)]);
}
