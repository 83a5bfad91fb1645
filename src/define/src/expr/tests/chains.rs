//! Conditions that are always the same, and those that only look so.

use super::*;

#[test]
fn what_is_never_true() {
    let table = [
        (
            "n > 5 && n < 6",
            "[n < 6] `n > 5` and `n < 6` are never true together (write `||` when one of them is enough)",
        ),
        (
            "balance > 1.00 && balance < 1.01",
            "[balance < 1.01] `balance > 1.00` and `balance < 1.01` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n >= 1 && n <= 2 && n != 1 && n != 2",
            "[n != 2] `n != 2` is never true together with what stands before it (write `||` when one of them is enough)",
        ),
        (
            "n in [1, 2] && n == 3",
            "[n == 3] `n in [1, 2]` and `n == 3` are never true together (write `||` when one of them is enough)",
        ),
        ("ok && !ok", "[!ok] `ok` and `!ok` are never true together (write `||` when one of them is enough)"),
        (
            "n > 5 && !has(n)",
            "[!has(n)] `n > 5` and `!has(n)` are never true together (write `||` when one of them is enough)",
        ),
        (
            "due < seen && seen < due",
            "[seen < due] `due < seen` and `seen < due` are never true together (write `||` when one of them is enough)",
        ),
        (
            "now - seen >= 30d && now - seen < 7d",
            "[now - seen < 7d] `now - seen >= 30d` and `now - seen < 7d` are never true together (write `||` when one of them is enough)",
        ),
        (
            "now >= seen + 30d && seen > now - 7d",
            "[seen > now - 7d] `now >= seen + 30d` and `seen > now - 7d` are never true together (write `||` when one of them is enough)",
        ),
        (
            "n > 10 && (n < 5 || ok)",
            "[n < 5] `n < 5` is never true together with `n > 10` (leave it out, or change one of them)",
        ),
        (
            "n > 10 && (n < 5 || n == 7)",
            "[n < 5 || n == 7] `n > 10` and `n < 5 || n == 7` are never true together (write `||` when one of them is enough)",
        ),
        (
            "count < 1 && count != 0",
            "[count != 0] `count < 1` and `count != 0` are never true together (write `||` when one of them is enough)",
        ),
        (
            "due.getMonth() == 12",
            "[due.getMonth() == 12] this comparison can never be true (`due.getMonth()` is from 0 to 11)",
        ),
        (
            "due.getDayOfWeek() > 6",
            "[due.getDayOfWeek() > 6] this comparison can never be true (`due.getDayOfWeek()` is from 0 to 6)",
        ),
        ("n in [1.5, 2.5]", "[n in [1.5, 2.5]] this can never be true (`n` is never one of these)"),
        (
            "!(n > 5) && !(n <= 5)",
            "[!(n > 5) && !(n <= 5)] `!(n > 5)` and `!(n <= 5)` are true together only where `n` is not known (write `!has(n)`)",
        ),
    ];
    compare(&table, |text| mistakes_of(text, &mut names(), &Expected::Condition));
}

#[test]
fn what_is_always_true() {
    let table = [
        (
            "n > 10 || n <= 10",
            "[n > 10 || n <= 10] one of `n > 10` and `n <= 10` is always true, wherever `n` is known (write `has(n)` when that is what is asked)",
        ),
        (
            "10 < n || ok || 10 >= n",
            "[10 < n || ok || 10 >= n] one of `10 < n` and `10 >= n` is always true, wherever `n` is known (write `has(n)` when that is what is asked)",
        ),
        (
            "n != 1 || n != 2",
            "[n != 1 || n != 2] one of `n != 1` and `n != 2` is always true, wherever `n` is known (write `has(n)` when that is what is asked, or `&&` when both have to hold)",
        ),
        (
            "n > 3 || n < 6",
            "[n > 3 || n < 6] one of `n > 3` and `n < 6` is always true, wherever `n` is known (write `has(n)` when that is what is asked, or `&&` when both have to hold)",
        ),
        (
            "n < 1 || n == 1 || n > 1",
            "[n < 1 || n == 1 || n > 1] one of these is always true, wherever `n` is known (write `has(n)` when that is what is asked)",
        ),
        (
            "balance < 1.00 || balance >= 1.0",
            "[balance < 1.00 || balance >= 1.0] one of `balance < 1.00` and `balance >= 1.0` is always true, wherever `balance` is known (write `has(balance)` when that is what is asked)",
        ),
        (
            "type == 'a' || type != 'a'",
            "[type == 'a' || type != 'a'] one of `type == 'a'` and `type != 'a'` is always true, wherever `type` is known (write `has(type)` when that is what is asked)",
        ),
        (
            "due < seen || due >= seen",
            "[due < seen || due >= seen] one of `due < seen` and `due >= seen` is always true, wherever `due` and `seen` are known (write `has(due) && has(seen)` when that is what is asked)",
        ),
        (
            "now - seen < 7d || now - seen >= 7d",
            "[now - seen < 7d || now - seen >= 7d] one of `now - seen < 7d` and `now - seen >= 7d` is always true, wherever `seen` is known (write `has(seen)` when that is what is asked)",
        ),
        ("ok || !ok", "[ok || !ok] one of `ok` and `!ok` is always true (leave it out)"),
        ("!(n > 5) || n > 5", "[!(n > 5) || n > 5] one of `!(n > 5)` and `n > 5` is always true (leave it out)"),
        (
            "!(n > 5) || n > 3",
            "[!(n > 5) || n > 3] one of `!(n > 5)` and `n > 3` is always true (leave it out, or `&&` when both have to hold)",
        ),
        ("has(n) || !has(n)", "[has(n) || !has(n)] one of `has(n)` and `!has(n)` is always true (leave it out)"),
        (
            "count == 0 || count > 0",
            "[count == 0 || count > 0] one of `count == 0` and `count > 0` is always true, wherever `count` is known (write `has(count)` when that is what is asked)",
        ),
        (
            "type.startsWith('a') || !type.startsWith('a')",
            "[type.startsWith('a') || !type.startsWith('a')] one of `type.startsWith('a')` and `!type.startsWith('a')` is always true (leave it out)",
        ),
    ];
    compare(&table, |text| mistakes_of(text, &mut names(), &Expected::Condition));
}

#[test]
fn what_only_looks_so() {
    for text in [
        "n > 10 || n < 10",
        "n > 10 || n <= 9",
        "balance > 10 || balance <= 9.99",
        "rate > 1.0 || rate < 1.0",
        "type > 'a' || type < 'a'",
        "!has(n) || n > 5",
        "has(n) || n > 5",
        "n > 5 || !has(n)",
        "!(n > 5) && n < 3",
        "!(n > 5) || n > 10",
        "n > 5 || balance <= 5",
        "n >= 5 && n <= 5",
        "n > 4 && n < 6",
        "rate > 1.0 && rate < 1.0000001",
        "type > 'a' && type < 'b'",
        "n in [1, 2, 3] && n != 2",
        "ok == true && !(ok == false)",
        "!(n > 5 && n < 9) || n == 7",
        "due <= seen && due >= seen",
        "now - seen >= 7d && now - seen < 30d",
        "now - seen >= 7d && now - due < 1d",
        "n > 10 && (n < 15 || ok)",
        "n > 10 || (n <= 10 && ok)",
        "(n > 10 && ok) || (n <= 10 && !ok)",
        "int(balance) == 3 && balance > 3.5",
        "n % 2 == 0 || n % 2 == 1",
        "10 / n > 1 || 10 / n < 0",
        "min(n, 5) > 3 && n < 9",
        "size(tags) > 0 && !('a' in tags)",
        "due.getMonth() == 11 || due.getMonth() == 0",
        "has(n) && !(n > 5)",
        "who == 'a' || who == 'b'",
    ] {
        compiled(text);
    }
}

const ATOMS: [&str; 12] = [
    "n > 1",
    "n <= 1",
    "n == 2",
    "n != 2",
    "!(n > 1)",
    "!(n == 2)",
    "has(n)",
    "!has(n)",
    "n in [0, 2]",
    "ok",
    "!ok",
    "ok == false",
];

/// Rows that meet the constants of the atoms from both sides, null among them.
fn rows() -> Vec<Vec<Value>> {
    let numbers = [Value::Null, Value::Int(0), Value::Int(1), Value::Int(2), Value::Int(3)];
    let flags = [Value::Null, Value::Bool(false), Value::Bool(true)];
    let pairs = numbers.iter().flat_map(|number| flags.iter().map(move |flag| (number, flag)));
    let row = |(number, flag): (&Value, &Value)| {
        let mut row = row();
        (row[0], row[4]) = (number.clone(), flag.clone());
        row
    };
    pairs.map(row).collect()
}

/// Whether what is said of a condition is so; and whether it is refused.
fn is_so(said: &str, rows: &[Vec<Value>], holds: &[bool]) -> (bool, bool) {
    let is_known = |row: &[Value], name: &str| !row[if name == "n" { 0 } else { 4 }].is_null();
    let told_of = |what: &str| ["n", "ok"].into_iter().find(|name| said.contains(&format!("`{name}` is {what}")));
    let each = || rows.iter().zip(holds);
    let (never, always) = (!holds.contains(&true), !holds.contains(&false));
    if said.contains("never true together") {
        return (never, true);
    }
    if let Some(name) = told_of("not known") {
        return (each().all(|(row, holds)| !holds || !is_known(row, name)), true);
    }
    if let Some(name) = told_of("known") {
        return (each().all(|(row, holds)| *holds || !is_known(row, name)), true);
    }
    if said.contains("is always true (") {
        return (always, true);
    }
    (said == "no mistake: bool" && !never && !always, false)
}

/// What is said of a condition is held against its value over every row.
#[test]
fn what_is_said_is_true() {
    let rows = rows();
    let held = |text: &str| -> Vec<bool> {
        let expr = compiled(text);
        rows.iter().map(|row| expr.holds(&Env::of(row, 0))).collect()
    };
    let atoms = ATOMS.map(held);
    let (mut refused, mut accepted) = (0, 0);
    for (a, b, c) in (0..12 * 12 * 12).map(|at| (at / 144, at / 12 % 12, at % 12)) {
        for (operator, is_all) in [(" && ", true), (" || ", false)] {
            let text = [ATOMS[a], ATOMS[b], ATOMS[c]].join(operator);
            let said = mistakes_of(&text, &mut names(), &Expected::Condition);
            let holds: Vec<bool> = (0..rows.len())
                .map(|row| {
                    let parts = [atoms[a][row], atoms[b][row], atoms[c][row]];
                    if is_all { !parts.contains(&false) } else { parts.contains(&true) }
                })
                .collect();
            let (is_so, is_refused) = is_so(&said, &rows, &holds);
            assert!(is_so, "{text}: {said}");
            *(if is_refused { &mut refused } else { &mut accepted }) += 1;
        }
    }
    assert!(refused > 500 && accepted > 500, "{refused} refused, {accepted} accepted");
}
