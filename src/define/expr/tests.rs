//! Tables of expressions: what they give, which mistakes they have and where, when they turn.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::{Id, KindId};

/// Names in the order of their slots; those with a point in front of `.` belong to the account, scope 1.
struct Table {
    names: Vec<(&'static str, Type)>,
    allows_now: bool,
}

impl Names for Table {
    fn resolve(&mut self, path: &[&str]) -> Option<Name> {
        let spelled = path.join(".");
        let slot = self.names.iter().position(|(name, _)| *name == spelled)?;
        let scope = u8::from(spelled.starts_with("account."));
        let reference = Ref { scope, slot: u16::try_from(slot).ok()? };
        Some(Name { reference, ty: self.names[slot].1.clone(), never_negative: spelled == "count" })
    }
    fn candidates(&self) -> Vec<String> {
        self.names.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
    fn kind_name(&self, kind: KindId) -> String {
        ["customer", "account"][kind.index()].to_owned()
    }
    fn allows_now(&self) -> bool {
        self.allows_now
    }
}

fn names() -> Table {
    let names = vec![
        ("n", Type::Int),
        ("count", Type::Int),
        ("balance", Type::Decimal(2)),
        ("rate", Type::Float),
        ("ok", Type::Bool),
        ("type", Type::Text),
        ("due", Type::Time),
        ("seen", Type::Time),
        ("wait", Type::Duration),
        ("who", Type::Id(KindId(0))),
        ("tags", Type::List(Box::new(Type::Text))),
        ("nothing", Type::Int),
        ("fine", Type::Decimal(4)),
        ("account.balance", Type::Decimal(2)),
        ("account.id", Type::Id(KindId(1))),
        ("package", Type::Int),
        ("unsure", Type::Bool),
        ("amounts", Type::List(Box::new(Type::Decimal(2)))),
    ];
    Table { names, allows_now: true }
}

fn row() -> Vec<Value> {
    vec![
        Value::Int(7),
        Value::Int(3),
        Value::decimal(12_50),
        Value::float(0.5),
        Value::Bool(true),
        Value::text("OWNER"),
        Value::Time(1_772_442_000_123),
        Value::Time(1_000),
        Value::Duration(90_000),
        Value::Id(Id::Number(12)),
        Value::List(Arc::from([Value::text("a"), Value::text("b")])),
        Value::Null,
        Value::decimal(1_2345),
        Value::decimal(-1_00),
        Value::Id(Id::parse("a1")),
        Value::Int(1),
        Value::Null,
        Value::List(Arc::from([Value::decimal(5_00)])),
    ]
}

fn compiled(text: &str) -> Expr {
    compile(text, &mut names(), &Expected::Anything).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"))
}

fn given(text: &str) -> String {
    let expr = compiled(text);
    let row = row();
    let env = Env { row: &row, entity: &row, now: 100_000 };
    match expr.eval(&env) {
        Ok(value) => {
            let mut json = String::new();
            value.write_json(expr.ty(), &mut json);
            if *expr.ty() == Type::Bool {
                assert_eq!(expr.holds(&env), json == "true", "{text}");
            }
            format!("{json} {}", expr.ty())
        }
        Err(error) => {
            assert!(!expr.holds(&env));
            format!("{error}")
        }
    }
}

#[test]
fn values() {
    let table = [
        // Numbers and how they adapt.
        ("n + 1", "8 int"),
        ("n / 2", "3 int"),
        ("-n / 2", "-3 int"),
        ("n % 4", "3 int"),
        ("-n % 4", "-3 int"),
        ("2 + 3 * n", "23 int"),
        ("(2 + 3) * n", "35 int"),
        ("0x10 + n", "23 int"),
        ("n - 1 - 1", "5 int"),
        ("n -1", "6 int"),
        ("- (n + 1)", "-8 int"),
        ("-9223372036854775808 + n", "-9223372036854775801 int"),
        ("balance", "12.50 decimal(2)"),
        ("-balance", "-12.50 decimal(2)"),
        ("balance + 1", "13.50 decimal(2)"),
        ("balance + 1.5", "14.00 decimal(2)"),
        ("balance + 1.005", "13.505 decimal(3)"),
        ("balance * 1.1", "13.750 decimal(3)"),
        ("balance * (1.05 + 0.05)", "13.7500 decimal(4)"),
        ("balance * 2", "25.00 decimal(2)"),
        ("2 * balance", "25.00 decimal(2)"),
        ("balance * balance", "156.2500 decimal(4)"),
        ("balance + fine", "13.7345 decimal(4)"),
        ("balance - account.balance", "13.50 decimal(2)"),
        ("balance / 2", "6.25 float"),
        ("balance / 1.25", "10.0 float"),
        ("balance / balance", "1.0 float"),
        ("rate * 2", "1.0 float"),
        ("n * 1.5", "10.5 float"),
        ("1.5 + 1.25", "2.75 float"),
        ("1.0 / 2.0", "0.5 float"),
        ("rate * double(balance)", "6.25 float"),
        // Errors.
        ("n / (n - 7)", "a division by zero"),
        ("n % (n - 7)", "a division by zero"),
        ("rate / (rate - 0.5)", "a division by zero"),
        ("balance / (n - 7)", "a division by zero"),
        ("n + 9223372036854775807", "a number is too large"),
        ("rate * 1e308 * 1e10", "a number is too large"),
        ("int(type)", "a text cannot be converted"),
        ("n / (n - 7) > 1", "a division by zero"),
        ("ok || n / (n - 7) > 1", "true bool"),
        ("n / (n - 7) > 1 || ok", "a division by zero"),
        ("!ok && n / (n - 7) > 1", "false bool"),
        // Null.
        ("nothing + 1", "null int"),
        ("1 + nothing", "null int"),
        ("-nothing", "null int"),
        ("nothing > 1", "false bool"),
        ("nothing != 1", "false bool"),
        ("nothing <= n", "false bool"),
        ("n != nothing", "false bool"),
        ("!(nothing > 1)", "true bool"),
        ("!unsure", "true bool"),
        ("unsure || ok", "true bool"),
        ("unsure", "null bool"),
        ("unsure ? 1 : 2", "2 int"),
        ("has(nothing)", "false bool"),
        ("has(n)", "true bool"),
        ("has(account.balance) && has(balance)", "true bool"),
        ("coalesce(nothing, 5)", "5 int"),
        ("coalesce(nothing, n) + 1", "8 int"),
        ("coalesce(n, 5)", "7 int"),
        ("nothing in [1, 2]", "false bool"),
        ("ok ? null : n", "null int"),
        ("ok ? n : null", "7 int"),
        ("min(n, nothing)", "null int"),
        ("unsure == true", "false bool"),
        ("string(nothing)", "null text"),
        // Comparisons.
        ("balance > 12", "true bool"),
        ("balance == 12.5", "true bool"),
        ("12.50 == balance", "true bool"),
        ("balance < 12.505", "true bool"),
        ("balance < fine", "false bool"),
        ("n > 6.9", "true bool"),
        ("n < 7.0", "false bool"),
        ("rate == 0.5", "true bool"),
        ("rate < n", "true bool"),
        ("type == 'OWNER'", "true bool"),
        ("'OWNER' == type", "true bool"),
        ("type != \"OWNER\"", "false bool"),
        ("type < 'P'", "true bool"),
        ("'P' < type", "false bool"),
        ("ok == true", "true bool"),
        ("who == 12", "true bool"),
        ("who == '12'", "true bool"),
        ("who == '012'", "false bool"),
        ("account.id == 'a1'", "true bool"),
        ("who in [11, 12]", "true bool"),
        ("due > timestamp('2026-03-02T09:00:00Z')", "true bool"),
        ("wait == 90s", "true bool"),
        ("due - seen > 7d", "true bool"),
        // Lists.
        ("type in ['OWNER', 'USER']", "true bool"),
        ("type in ['USER']", "false bool"),
        ("balance in [1, 12.5]", "true bool"),
        ("n in [1, 7.0]", "true bool"),
        ("n in [nothing, n]", "true bool"),
        ("'a' in tags", "true bool"),
        ("type in tags", "false bool"),
        ("5 in amounts", "true bool"),
        ("5.5 in amounts", "false bool"),
        ("size(tags)", "2 int"),
        ("tags.size()", "2 int"),
        ("[n, 2]", "[7,2] list of int"),
        // Texts.
        ("type + '!'", "\"OWNER!\" text"),
        ("size('héé') + n", "10 int"),
        ("type.startsWith('OW')", "true bool"),
        ("type.endsWith('ER')", "true bool"),
        ("type.contains('WN')", "true bool"),
        ("type.matches('^O.*R$')", "true bool"),
        ("type.matches(r'\\d')", "false bool"),
        ("string(balance) + type", "\"12.50OWNER\" text"),
        ("string(due)", "\"2026-03-02T09:00:00.123Z\" text"),
        ("string(wait)", "\"1m30s\" text"),
        ("string(who)", "\"12\" text"),
        ("string(rate)", "\"0.5\" text"),
        ("string(ok)", "\"true\" text"),
        ("int(string(n)) + 1", "8 int"),
        ("double('1.5') + rate", "2.0 float"),
        ("int(balance)", "12 int"),
        ("int(-balance)", "-12 int"),
        ("int(rate * 5)", "2 int"),
        // Times.
        ("due - seen", "\"20514d9h59m59s123ms\" duration"),
        ("seen + 1d12h", "\"1970-01-02T12:00:01Z\" time"),
        ("seen - 500ms", "\"1970-01-01T00:00:00.500Z\" time"),
        ("wait * 2 + 1s", "\"3m1s\" duration"),
        ("wait / 2", "\"45s\" duration"),
        ("abs(-wait)", "\"1m30s\" duration"),
        ("due.getFullYear()", "2026 int"),
        ("due.getMonth()", "2 int"),
        ("due.getDayOfMonth()", "1 int"),
        ("due.getDate()", "2 int"),
        ("due.getDayOfWeek()", "1 int"),
        ("due.getDayOfYear()", "60 int"),
        ("due.getHours()", "9 int"),
        ("due.getHours('Europe/Paris')", "10 int"),
        ("due.getMinutes()", "0 int"),
        ("due.getSeconds()", "0 int"),
        ("due.getMilliseconds()", "123 int"),
        // Others.
        ("min(n, 3)", "3 int"),
        ("max(balance, 20)", "20.00 decimal(2)"),
        ("max(type, 'Z')", "\"Z\" text"),
        ("abs(account.balance)", "1.00 decimal(2)"),
        ("n > 5 ? balance : 1", "12.50 decimal(2)"),
        ("n > 5 ? 1 : 2.5", "1.0 float"),
        ("ok ? 'a' : 'b'", "\"a\" text"),
        ("package + 1", "2 int"),
        ("n > 5 && n < 10 && balance > 0 && ok", "true bool"),
        ("n < 5 || n > 10 || balance < 0.0", "false bool"),
        ("!(n > 5) || ok", "true bool"),
        ("n > 5 // a remark", "true bool"),
        ("now - seen >= 99s", "true bool"),
        ("now - seen > 99s", "false bool"),
        ("due - now < 7d", "false bool"),
        ("now == seen + 99s", "true bool"),
        ("-(seen - now) > wait", "true bool"),
    ];
    compare(&table, given);
}

/// Compares what every text gives with what is expected; shows all that differ, as lines of the table.
fn compare(table: &[(&str, &str)], given: impl Fn(&str) -> String) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, expected)| (text, expected, given(text)))
        .filter(|(_, expected, given)| *expected != given)
        .map(|(text, expected, given)| format!("        ({text:?}, {given:?}),   // not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The mistakes of a text: `[what the caret shows] message (help)`.
fn mistakes_of(text: &str, names: &mut Table, expected: &Expected) -> String {
    match compile(text, names, expected) {
        Ok(expr) => format!("no mistake: {}", expr.ty()),
        Err(mistakes) => mistakes
            .iter()
            .map(|Mistake { span, message, help }| {
                let help = help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
                format!("[{}] {message}{help}", &text[span.clone()])
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}

#[test]
fn mistakes() {
    let table = [
        // Texts that are no expressions.
        ("", ""),
        ("  ", ""),
        ("n >", ""),
        ("n > > 1", ""),
        ("n = 1", ""),
        ("n > 1 & ok", ""),
        ("n > 1 and ok", ""),
        ("not ok", ""),
        ("n <> 1", ""),
        ("(n > 1", ""),
        ("n > 1)", ""),
        ("[n)", ""),
        ("type == 'OWNER", ""),
        ("type == ‘OWNER’", ""),
        ("type == 'a\\q'", ""),
        ("n > 5x", ""),
        ("n > 5u", ""),
        ("wait > 500y", ""),
        ("wait > 101000w", ""),
        ("n > 99999999999999999999", ""),
        ("n # 1", ""),
        ("n ok", ""),
        ("n ? 1", ""),
        ("1.5.5", ""),
        ("type == b'x'", ""),
        ("{'a': 1}", ""),
        ("Thing{a: 1}", ""),
        ("tags[0] == 'a'", ""),
        ("tags.exists(t, t == 'a')", ""),
        ("tags.map(t, t)", ""),
        ("account.?balance > 1", ""),
        ("min(n, )", ""),
        // Names.
        ("blance > 0", ""),
        ("acount.balance > 0.00", ""),
        ("zzz > 0", ""),
        ("n.x > 0", ""),
        ("(n + 1).x > 0", ""),
        ("type.startswith('a')", ""),
        ("absolute(n) > 1", ""),
        ("frobnicate(n) > 1", ""),
        ("startsWith(type, 'a')", ""),
        ("n.abs() > 1", ""),
        ("min(n) > 1", ""),
        ("blance > 0 && tipe == 'x'", ""),
        // Types.
        ("n == 'x'", ""),
        ("type > 5", ""),
        ("balance > rate", ""),
        ("balance + rate", ""),
        ("due > '2026-03-02'", ""),
        ("wait > 5", ""),
        ("due - seen > 5", ""),
        ("due > 7d", ""),
        ("ok == 1", ""),
        ("who == account.id", ""),
        ("who == type", ""),
        ("tags == 'a'", ""),
        ("tags > tags", ""),
        ("tags < amounts", ""),
        ("ok + 1", ""),
        ("type + 1", ""),
        ("due + due", ""),
        ("due + 1", ""),
        ("rate % 2", ""),
        ("-type", ""),
        ("!n", ""),
        ("n && ok", ""),
        ("type || ok", ""),
        ("n ? 1 : 2", ""),
        ("ok ? 1 : 'a'", ""),
        ("ok ? null : null", ""),
        ("null", ""),
        ("n + null", ""),
        ("n in 'abc'", ""),
        ("type in 'abc'", ""),
        ("n in ['a', 1]", ""),
        ("n in tags", ""),
        ("fine in amounts", ""),
        ("[n, 'a']", ""),
        ("[[n]]", ""),
        ("[]", ""),
        ("tags.contains('a')", ""),
        ("n.contains('a')", ""),
        ("size(n)", ""),
        ("abs(type)", ""),
        ("min(n, type)", ""),
        ("min(tags, tags)", ""),
        ("int(ok)", ""),
        ("string(tags)", ""),
        ("type.matches(type)", ""),
        ("type.matches('(')", ""),
        ("type.matches('.{1000}{1000}')", ""),
        ("duration('x') > wait", ""),
        ("duration(type) > wait", ""),
        ("timestamp('yesterday') > due", ""),
        ("due.getHours('Europe/Pariss') > 1", ""),
        ("due.getHours(type) > 1", ""),
        ("n.getHours() > 1", ""),
        ("fine * fine * fine * fine * fine", ""),
        // Never, or always.
        ("n == null", ""),
        ("null != n", ""),
        ("n < null", ""),
        ("1 < 2", ""),
        ("'a' == 'b'", ""),
        ("1 + 1 == 2 && ok", ""),
        ("true && ok", ""),
        ("ok || !true", ""),
        ("true ? 1 : 2", ""),
        ("n == n", ""),
        ("n + 1 < n + 1", ""),
        ("has(1)", ""),
        ("coalesce(1, n)", ""),
        ("1 in [1, 2]", ""),
        ("n in []", ""),
        ("1 / 0 > n", ""),
        ("9223372036854775807 + 1 > n", ""),
        ("count < 0", ""),
        ("0 > count", ""),
        ("count <= -1", ""),
        ("count == -1", ""),
        ("count < 0.0", ""),
        ("size(tags) < 0", ""),
        ("n == 1.5", ""),
        ("balance != 1.005", ""),
        ("n > 5 && n < 3", ""),
        ("n < 3 && ok && 5 <= n", ""),
        ("n > 5 && n <= 5", ""),
        ("type == 'a' && type == 'b'", ""),
        ("type == 'a' && type != 'a'", ""),
        ("balance > 10 && balance < 9.99", ""),
        ("who == 1 && who == 'a'", ""),
        ("size(tags) > 3 && (ok && size(tags) == 2)", ""),
        // now
        ("now", ""),
        ("now - seen", ""),
        ("now.getHours() > 8", ""),
        ("min(now, seen) > due", ""),
        ("now - seen > now - due", ""),
        ("now - (seen - now) > due", ""),
        ("(now - seen) * 2 > wait", ""),
        ("(now - seen) / 2 > wait", ""),
        ("(ok ? now : due) > seen", ""),
        ("now + now > due", ""),
        ("now - seen > 5", ""),
        ("now > 7d", ""),
        ("now == null", ""),
        ("now == now", ""),
        ("now in [seen]", ""),
        ("has(now)", ""),
        ("now.x > 1", ""),
    ];
    compare(&table, |text| mistakes_of(text, &mut names(), &Expected::Anything));
}

#[test]
fn no_mistakes() {
    for text in [
        "!(n > 5) && n < 3",
        "n > 5 || n < 3",
        "n > 5 && (n < 3 || ok)",
        "n >= 5 && n <= 5",
        "n > 3 && n > 5 && n != 4",
        "count >= 0 && count > -1",
        "n > 5 && count < 3",
        "balance == 12.50",
    ] {
        compiled(text);
    }
}

#[test]
fn what_is_expected() {
    let table = [
        (Expected::Condition, "n", "[n] a condition is expected here, not an int (compare it: `n > 0`)"),
        (Expected::Condition, "type", "[type] a condition is expected here, not a text (compare it: `type == '…'`)"),
        (Expected::Number, "ok", "[ok] a number is expected here, not a bool"),
        (Expected::Summable, "due", "[due] a number or a duration is expected here, not a time"),
        (Expected::Averageable, "who", "[who] a number, a duration or a time is expected here, not an id(customer)"),
        (Expected::Time, "wait", "[wait] a time is expected here, not a duration"),
        (Expected::Condition, "ok", "no mistake: bool"),
        (Expected::Number, "balance", "no mistake: decimal(2)"),
        (Expected::Summable, "wait", "no mistake: duration"),
        (Expected::Averageable, "due", "no mistake: time"),
        (Expected::Time, "due - 7d", "no mistake: time"),
    ];
    for (expected, text, mistake) in table {
        assert_eq!(mistakes_of(text, &mut names(), &expected), mistake);
    }
    let mut records = Table { allows_now: false, ..names() };
    assert_eq!(
        mistakes_of("now - seen > 7d", &mut records, &Expected::Condition),
        "[now] `now` cannot be used here (records do not change when time passes; use it in attributes and moments)"
    );
}

#[test]
fn names_are_given_in_order_of_first_use() {
    let expr = compiled("balance > 0 && (account.balance < balance || type == 'x') && account.balance < 1");
    let refs: Vec<&str> = expr.refs().iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(refs, ["balance", "account.balance", "type"]);
    assert_eq!(expr.refs()[1].0, Ref { scope: 1, slot: 13 });
    assert!(!expr.depends_on_now());
}

#[test]
fn turns_are_never_missed() {
    let conditions = [
        "now >= seen",
        "now > seen",
        "now < seen",
        "now <= seen",
        "now == seen",
        "now != seen",
        "seen >= now",
        "seen > now",
        "now - seen >= 5ms",
        "seen - now < 5ms",
        "now > seen + 3ms",
        "now - seen > due - seen",
        "-(seen - now) < wait",
        "now - seen >= 5ms && now - seen < 9ms",
        "now - seen >= 5ms || due - now <= 2ms",
        "!(now - seen >= 5ms) && due > now",
        "now - 3ms - seen < wait - 1ms",
        "(now >= seen ? 1 : 2) == 1",
        "now >= seen + 1ms * n",
    ];
    for text in conditions {
        let expr = compiled(text);
        assert!(expr.depends_on_now());
        for (seen, due, wait) in [(10, 20, 5), (0, 0, 0), (-7, 3, 30), (12, 11, -4)] {
            let mut row = row();
            (row[6], row[7], row[8]) = (Value::Time(due), Value::Time(seen), Value::Duration(wait));
            let at = |now| expr.holds(&Env::of(&row, now));
            for now in 0..60 {
                let next = expr.next_turn(&Env::of(&row, now));
                assert!(next.is_none_or(|next| next > now), "{text}");
                let changes = (now + 1..60).find(|&later| at(later) != at(now));
                if let Some(changes) = changes {
                    assert!(next.is_some_and(|next| next <= changes), "{text}: {next:?}, {changes}");
                }
            }
            assert_eq!(expr.next_turn(&Env::of(&row, 100)), None, "{text}");
        }
        let nulls = vec![Value::Null; 18];
        assert_eq!(expr.next_turn(&Env::of(&nulls, 0)), None, "{text}");
        assert!(!expr.holds(&Env::of(&nulls, 0)) || text.contains('!') || text.contains('?'), "{text}");
    }
}

#[test]
fn instants_beyond_what_a_time_can_hold_do_not_overflow() {
    let expr = compiled("now - seen >= wait");
    let mut row = row();
    (row[7], row[8]) = (Value::Time(i64::MAX), Value::Duration(i64::MAX));
    assert_eq!(expr.next_turn(&Env::of(&row, 5)), Some(u64::MAX - 1));
    (row[7], row[8]) = (Value::Time(i64::MIN), Value::Duration(i64::MIN));
    assert_eq!(expr.next_turn(&Env::of(&row, 5)), None);
    assert!(expr.holds(&Env::of(&row, 5)));
}

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
            let _ = (expr.eval(&env), expr.next_turn(&env));
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
