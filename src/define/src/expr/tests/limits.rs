//! Texts that are too long, too deep, or no expressions at all.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_too_long_or_too_deep_is_a_mistake() {
    let long = format!("n > {}", "1".repeat(5_000));
    let deep = [
        format!("{}n{}", "(".repeat(2_000), ")".repeat(2_000)),
        format!("{}n", "abs(".repeat(70)) + &")".repeat(70),
        format!("n{}", " + n".repeat(1_000)),
        format!("{}n", "ok ? n : ".repeat(100)),
        format!("[{}n{}]", "[".repeat(100), "]".repeat(100)),
        format!("{}n", "-".repeat(3_000)),
        format!("n{}", ".n".repeat(2_000)),
    ];
    let mistake = |text: &str| compile(text, &mut names(), &Expected::Anything).unwrap_err().remove(0).message;
    assert_eq!(mistake(&long), "the expression is too long");
    for text in deep {
        assert_eq!(mistake(&text), "the expression is nested too deep", "{text}");
    }
    for fits in [
        format!("{}n{}", "(".repeat(63), ")".repeat(63)),
        format!("n{}", " + n".repeat(63)),
        format!("n > 0{}", " && n > 0".repeat(400)),
        format!("{}n", "ok ? n : ".repeat(60)),
        format!("{}ok{}", "(ok && ok || ".repeat(60), ")".repeat(60)),
        format!("{}n{}", "min(n + n, ".repeat(60), ")".repeat(60)),
    ] {
        compiled(&fits);
    }
}

const PIECES: [&str; 60] = [
    "n",
    "balance",
    "rate",
    "ok",
    "type",
    "due",
    "now",
    "wait",
    "who",
    "tags",
    "account.balance",
    "null",
    "true",
    "1",
    "2.5",
    "7d",
    "'a'",
    "\"b\"",
    "r'c'",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "?",
    ":",
    "in",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "has",
    "size(",
    "min(",
    ".matches('x')",
    ".getHours()",
    "int(",
    "string(",
    "coalesce(",
    "{",
    "}",
    "=",
    "é",
    "'",
    "\\",
    "0x",
    "1e",
    "for",
    "//",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_text_is_an_expression_or_a_mistake(text in "\\PC{0,40}") {
        spans_are_sound(&text);
    }

    #[test]
    fn any_pieces_are_an_expression_or_a_mistake(pieces in proptest::collection::vec(0..PIECES.len(), 0..16), spaced: bool) {
        let pieces: Vec<&str> = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        spans_are_sound(&pieces.join(if spaced { " " } else { "" }));
    }
}

fn spans_are_sound(text: &str) {
    match compile(text, &mut names(), &Expected::Anything) {
        Ok(expr) => {
            let row = row();
            let env = Env { row: &row, entity: &row, now: 5 };
            let _ = (expr.eval(&env), expr.next_change_point(&env));
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(text.get(mistake.span.clone()).is_some(), "{text:?}: {mistake:?}");
                assert!(!mistake.message.contains("cannot be understood"), "{text:?}: {mistake:?}");
            }
        }
    }
}
