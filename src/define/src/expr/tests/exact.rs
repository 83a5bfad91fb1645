//! Arithmetic of exact numbers: quotients are rounded once, and comparisons not at all.

use super::*;

fn names() -> Table {
    let names = vec![
        ("a", Type::Decimal(2)),
        ("p", Type::Decimal(2)),
        ("total", Type::Decimal(2)),
        ("k", Type::Int),
        ("limit", Type::Decimal(3)),
        ("third", Type::Float),
        ("most", Type::Int),
        ("wide", Type::Decimal(9)),
        ("nothing", Type::Int),
    ];
    Table { names, allows_now: false }
}

fn given(text: &str) -> String {
    let row = [
        Value::decimal(190_260),
        Value::decimal(27_180),
        Value::decimal(24_87),
        Value::Int(3),
        Value::decimal(8_290),
        Value::float(1.0 / 3.0),
        Value::Int(i64::MAX),
        Value::decimal(i128::MAX),
        Value::Null,
    ];
    let compiled = compile(text, &mut names(), &Expected::Anything);
    let expr = compiled.unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
    match expr.eval(&Env::of(&row, 0)) {
        Ok(value) => {
            let mut json = String::new();
            value.write_json(expr.ty(), &mut json);
            format!("{json} {}", expr.ty())
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_exact_stays_exact() {
    let table = [
        // Values: rounded once, at the end.
        ("a / p", "7.0 float"),
        ("a / p * 90.0", "630.0 float"),
        ("int(a / p * 90.0)", "630 int"),
        ("int(-a / p * 90.0)", "-630 int"),
        ("total / k", "8.29 float"),
        ("total / 3", "8.29 float"),
        ("0.29 / 1.00 * 100", "29.0 float"),
        ("int(limit / 100.0 * 10000.0)", "829 int"),
        ("k * 0.1", "0.3 float"),
        ("k / 10.0", "0.3 float"),
        ("k * 0.1 + 0.6", "0.9 float"),
        ("wide / 1.000000001", "1.7014118329032803e+29 float"),
        ("wide / most * most / wide", "1.0 float"),
        ("most / 1.0", "9.223372036854776e+18 float"),
        ("int(most / 1.0)", "9223372036854775807 int"),
        ("int(most / 0.5)", "a number is too large"),
        ("a / (p - 271.80)", "a division by zero"),
        ("a / p / 0.0", "a division by zero"),
        ("a / nothing", "null float"),
        ("nothing / a > 1", "false bool"),
        ("k / 2", "1 int"),
        ("min(total / k, limit)", "8.29 float"),
        ("max(a / p, 7)", "7.0 float"),
        ("abs(-total / k)", "8.29 float"),
        ("p > 0 ? a / p : 0", "7.0 float"),
        ("coalesce(a / nothing, p)", "271.8 float"),
        // Comparisons: not rounded.
        ("total / k > 8.29", "false bool"),
        ("total / k == 8.29", "true bool"),
        ("total / k == limit", "true bool"),
        ("limit < total / k", "false bool"),
        ("8.29 >= total / k", "true bool"),
        ("a / p >= 7", "true bool"),
        ("a / p != 7", "false bool"),
        ("a / p * 90.0 == 630", "true bool"),
        ("a / p > total / k", "false bool"),
        ("k / 9.0 == 1.0 / 3.0", "true bool"),
        ("k / 9.0 > 0.333333333333333333", "true bool"),
        ("k / 9.0 > third", "false bool"),
        ("k / 9.0 == third", "true bool"),
        ("k * 0.1 > 0.3", "false bool"),
        ("total > 74.61 * (1.0 / 3.0)", "false bool"),
        ("total >= 74.61 * (1.0 / 3.0)", "true bool"),
        ("total / k in [8.29, 1]", "true bool"),
        ("k / 9.0 in [0.333333333333333333]", "false bool"),
        ("k / 9.0 in [third]", "true bool"),
        ("(k > 0 ? total / k : 0) > 8.29", "false bool"),
        ("most / (wide * 1.0) * wide > most - 1", "true bool"),
        ("wide / most * most > wide", "false bool"),
        ("wide / most * most == wide", "true bool"),
        // `double(x)` is a float, and computes with floats.
        ("double(total) / 3 > 8.29", "true bool"),
        ("double(a / p)", "7.0 float"),
        ("double(k) * 0.1", "0.30000000000000004 float"),
        ("double(1.0 / 3.0) == k / 9.0", "true bool"),
    ];
    super::compare(&table, given);
}

#[test]
fn what_is_exact_mixes_with_what_is_not_as_before() {
    let table = [
        ("total > third", "[total > third] decimal and float do not mix (`double(x)` makes a float of a decimal)"),
        (
            "total + double(1)",
            "[total + double(1)] decimal and float do not mix (`double(x)` makes a float of a decimal)",
        ),
        ("total / 0.0 > 1", "no mistake: bool"),
        ("k > 0 && 1.0 / 3.0 > 0.3", "[1.0 / 3.0 > 0.3] this comparison is always true (compare with a name)"),
        (
            "a / p > 1.0 / 3.0 && a / p < 0.3333",
            "[a / p < 0.3333] `a / p > 1.0 / 3.0` and `a / p < 0.3333` are never true together (write `||` when one of them is enough)",
        ),
        ("a / p > 1.0 / 3.0 && a / p < 0.333333333333333334", "no mistake: bool"),
        (
            "a / p == a / p",
            "[a / p == a / p] this comparison is always the same (both sides are the same; `has(a / p)` asks whether it is known)",
        ),
    ];
    super::compare(&table, |text| mistakes_of(text, &mut names(), &Expected::Anything));
}
