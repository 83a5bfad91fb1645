//! Tables of expressions: what they give, which mistakes they have and where, when they turn.

mod chains;
mod change_points;
mod exact;
mod foreign;
mod limits;
mod mistakes;
mod predicates;
mod thresholds;
mod values;

use std::sync::Arc;

use super::*;
use propice_model::{Id, KindId};

/// Names in the order of their slots; those with a point in front of `.` belong to the account,
/// scope 1.
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

/// Compares what every text gives with what is expected; shows all that differ, as lines of the
/// table.
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
fn names_are_given_in_order_of_first_use() {
    let expr = compiled("balance > 0 && (account.balance < balance || type == 'x') && account.balance < 1");
    let refs: Vec<&str> = expr.refs().iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(refs, ["balance", "account.balance", "type"]);
    assert_eq!(expr.refs()[1].0, Ref { scope: 1, slot: 13 });
    assert!(!expr.depends_on_now());
}
