//! Only what is plain has a threshold.

use super::*;

fn threshold_of(text: &str, name: &str) -> Option<String> {
    let expr =
        compile(text, &mut names(), &Expected::Condition).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
    let reference = names().resolve(&name.split('.').collect::<Vec<_>>()).expect("a name").reference;
    expr.threshold(reference).map(|threshold| format!("{} {}", threshold.operator, threshold.literal))
}

#[test]
fn a_name_an_operator_and_a_literal_are_a_threshold() {
    let condition = "balance < 50.00 && (n > 1 || count > 2) && type == 'a && é' && wait >= 48h && rate != -0.5 && \
                     account.balance<=7 && ok == true && fine < 2";
    for (name, expected) in [
        ("balance", "< 50.00"),
        ("type", "== 'a && é'"),
        ("wait", ">= 48h"),
        ("rate", "!= -0.5"),
        ("account.balance", "<= 7"),
        ("ok", "== true"),
        ("fine", "< 2"),
    ] {
        assert_eq!(threshold_of(condition, name).as_deref(), Some(expected), "{name}");
    }
    for name in ["n", "count", "seen"] {
        assert_eq!(threshold_of(condition, name), None, "{name}");
    }
}

#[test]
fn what_is_more_involved_has_none() {
    for text in [
        "n >= 1 && n <= 3",
        "n > 1 || count > 2",
        "n > count",
        "n > 1 ? ok : unsure",
        "n > 2 + 3",
        "n + 1 > 3",
        "!(n > 3)",
        "10 > n",
        "n in [1, 2]",
    ] {
        assert_eq!(threshold_of(text, "n"), None, "{text}");
    }
}
