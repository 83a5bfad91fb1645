//! What conditions cannot hold without.

use super::*;

fn guards_of(text: &str) -> Vec<String> {
    let expr = compile(text, &mut names(), &Expected::Condition).expect("an expression");
    let spelled = |predicate: &Predicate| {
        let sign = match (predicate.side, predicate.inclusive) {
            (Side::Above, false) => ">",
            (Side::Above, true) => ">=",
            (Side::Below, false) => "<",
            (Side::Below, true) => "<=",
        };
        format!("{} {sign} {:?}", predicate.slot, predicate.constant)
    };
    expr.predicates().map(spelled).collect()
}

#[test]
fn a_chain_is_guarded_by_its_comparisons_with_constants() {
    assert_eq!(guards_of("n > 3"), ["0 > Int(3)"]);
    assert_eq!(guards_of("3 >= n && (ok && count > 2)"), ["0 <= Int(3)", "1 > Int(2)"]);
    assert_eq!(guards_of("balance < 10.50 && wait >= 2h"), ["2 < Decimal(1050u)", "8 >= Duration(7200000)"]);
}

#[test]
fn what_may_hold_otherwise_is_no_guard() {
    for text in [
        "n > 3 || ok",
        "!(n > 3)",
        "n == 3",
        "n > count",
        "n + 1 > 3",
        "account.balance > 3.0",
        "now > due",
        "ok ? n > 3 : ok",
    ] {
        assert_eq!(guards_of(text), [""; 0], "{text}");
    }
}

#[test]
fn a_chain_tells_what_its_parts_use() {
    let expr = compile("n > 3 && (ok || count + n > 2) && account.balance > 1.0", &mut names(), &Expected::Condition);
    let slots = |link: &Link| {
        let mut slots = link.slots.clone();
        slots.sort_unstable();
        slots
    };
    let used: Vec<Vec<u16>> = expr.expect("an expression").chain().iter().map(slots).collect();
    assert_eq!(used, [vec![0], vec![0, 1, 4], vec![]]);
}

#[test]
fn a_guard_holds_where_its_comparison_does() {
    for text in ["n > 3", "n >= 3", "n < 3", "n <= 3", "3 > n"] {
        let expr = compile(text, &mut names(), &Expected::Condition).expect("an expression");
        for value in [Value::Null, Value::Int(2), Value::Int(3), Value::Int(4)] {
            let row = [value];
            assert_eq!(
                expr.predicates().all(|predicate| predicate.holds(&row[0])),
                expr.holds(&Env::of(&row, 0)),
                "{text} over {row:?}"
            );
        }
    }
}

#[test]
fn what_is_summed_may_be_known_not_to_be_negative() {
    let of = |text, filter: &str| {
        let compiled = |text, expected| compile(text, &mut names(), &expected).expect("an expression");
        compiled(text, Expected::Summable).is_never_negative(Some(&compiled(filter, Expected::Condition)))
    };
    for (text, filter) in [
        ("-n", "n < 0"),
        ("-n", "ok && n <= -5"),
        ("balance", "balance > 10.0"),
        ("wait", "wait >= 0s"),
        ("count", "ok"),
        ("-(-n)", "n >= 0"),
    ] {
        assert!(of(text, filter), "{text} where {filter}");
    }
    for (text, filter) in
        [("n", "n < 0"), ("-n", "n < 1"), ("n", "n > -1"), ("n", "count > 0"), ("n", "n > 0 || ok"), ("n + 1", "n > 0")]
    {
        assert!(!of(text, filter), "{text} where {filter}");
    }
}
