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
        ("balance * (1.05 + 0.05)", "13.750 decimal(3)"),
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
    for (text, expected) in table {
        assert_eq!(given(text), expected, "{text}");
    }
}
