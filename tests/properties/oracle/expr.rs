//! Expressions: text → the `cel` crate's tree → a typed tree, which is walked for every value.

use cel::common::ast::{Expr as Cel, IdedExpr, LiteralValue};

use super::value::{Ty, V, read_decimal, read_duration};

/// A typed expression.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) ty: Ty,
    pub(crate) op: Op,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Const(V),
    Now,
    /// Scope (0: record, customer or entity; 1: the entity of a moment) and position.
    Slot(usize, usize),
    /// An operator or function by its CEL name.
    Call(String, Vec<Node>),
    List(Vec<Node>),
}

/// What a path stands for: scope, position, type.
pub(crate) type Resolve<'a> = &'a dyn Fn(&[&str]) -> Option<(usize, usize, Ty)>;

/// Every slot that a text uses, once, in order of first use, as it spells it.
pub(crate) type Uses = Vec<(String, usize, usize)>;

/// Reads an expression. `Err` names what it cannot resolve.
pub(crate) fn read(text: &str, resolve: Resolve<'_>) -> Result<(Node, Uses), String> {
    let tree = cel::parser::Parser::new().parse(&rewritten(text)).map_err(|error| format!("{text}: {error}"))?;
    let mut uses = Uses::new();
    let node = elaborate(&tree, resolve, &mut uses)?;
    Ok((node, uses))
}

/// CEL's parser knows neither `7d` nor exact `1.50`, and wants a selection in `has`: these become
/// calls.
fn rewritten(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let start = at;
        if c == '\'' || c == '"' {
            at += 1;
            while chars[at] != c {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
            out.extend(&chars[start..at]);
        } else if c.is_ascii_digit() {
            while at < chars.len() && (chars[at].is_ascii_alphanumeric() || chars[at] == '.') {
                at += 1;
            }
            let token: String = chars[start..at].iter().collect();
            if token.ends_with(|c: char| c.is_ascii_alphabetic()) {
                out.push_str(&format!("duration('{token}')"));
            } else if token.contains('.') {
                out.push_str(&format!("exact('{token}')"));
            } else {
                out.push_str(&token);
            }
        } else if c.is_ascii_alphabetic() || c == '_' {
            while at < chars.len() && (chars[at].is_ascii_alphanumeric() || chars[at] == '_') {
                at += 1;
            }
            let word: String = chars[start..at].iter().collect();
            out.push_str(if word == "has" { "present" } else { &word });
        } else {
            out.push(c);
            at += 1;
        }
    }
    out
}

fn path_of(tree: &IdedExpr) -> Option<Vec<&str>> {
    match &tree.expr {
        Cel::Ident(name) => Some(vec![name]),
        Cel::Select(select) if !select.test => {
            let mut path = path_of(&select.operand)?;
            path.push(&select.field);
            Some(path)
        }
        _ => None,
    }
}

fn elaborate(tree: &IdedExpr, resolve: Resolve<'_>, uses: &mut Uses) -> Result<Node, String> {
    if let Some(path) = path_of(tree) {
        if path == ["now"] {
            return Ok(Node { ty: Ty::Time, op: Op::Now });
        }
        let (scope, slot, ty) = resolve(&path).ok_or_else(|| format!("unknown: {}", path.join(".")))?;
        if !uses.iter().any(|(_, s, p)| (*s, *p) == (scope, slot)) {
            uses.push((path.join("."), scope, slot));
        }
        return Ok(Node { ty, op: Op::Slot(scope, slot) });
    }
    match &tree.expr {
        Cel::Literal(literal) => Ok(constant(literal)),
        Cel::List(list) => {
            let items =
                list.elements.iter().map(|item| elaborate(item, resolve, uses)).collect::<Result<Vec<_>, _>>()?;
            let ty = items.iter().map(|item| item.ty.clone()).reduce(|a, b| unified(&a, &b)).expect("not empty");
            Ok(Node { ty: Ty::List(Box::new(ty)), op: Op::List(items) })
        }
        Cel::Call(call) => {
            let name = call.func_name.as_str();
            let arguments = call.target.as_deref().into_iter().chain(&call.args);
            let arguments =
                arguments.map(|argument| elaborate(argument, resolve, uses)).collect::<Result<Vec<_>, _>>()?;
            Ok(called(name, arguments))
        }
        other => Err(format!("not in the language: {other:?}")),
    }
}

fn constant(literal: &LiteralValue) -> Node {
    let (ty, value) = match literal {
        LiteralValue::Boolean(flag) => (Ty::Bool, V::Bool(*flag.inner())),
        LiteralValue::Int(number) => (Ty::Int, V::Int(*number.inner())),
        LiteralValue::String(text) => (Ty::Text, V::Text(text.inner().to_owned())),
        other => panic!("not in the language: {other:?}"),
    };
    Node { ty, op: Op::Const(value) }
}

fn literal_text(node: &Node) -> &str {
    match &node.op {
        Op::Const(V::Text(text)) => text,
        other => panic!("not a literal: {other:?}"),
    }
}

/// The type of both branches, both sides.
pub(crate) fn unified(a: &Ty, b: &Ty) -> Ty {
    match (a, b) {
        (Ty::Decimal(m), Ty::Decimal(n) | Ty::Literal(n)) | (Ty::Literal(m), Ty::Decimal(n)) => Ty::Decimal(*m.max(n)),
        (Ty::Decimal(n), Ty::Int) | (Ty::Int, Ty::Decimal(n)) => Ty::Decimal(*n),
        (Ty::Literal(m), Ty::Literal(n)) if m == n => Ty::Literal(*m),
        (a, b) if *a != Ty::Int && a == b => a.clone(),
        (a, b) if a.is_exact() && b.is_exact() && *a != *b => Ty::Fraction,
        (Ty::Float, b) if b.is_exact() => Ty::Float,
        (a, Ty::Float) if a.is_exact() => Ty::Float,
        (Ty::Id(kind), Ty::Text | Ty::Int) | (Ty::Text | Ty::Int, Ty::Id(kind)) => Ty::Id(*kind),
        (a, b) => {
            assert_eq!(a, b, "types that do not mix");
            a.clone()
        }
    }
}

fn called(name: &str, arguments: Vec<Node>) -> Node {
    match name {
        "duration" => {
            let ms = read_duration(literal_text(&arguments[0])).expect("a duration");
            return Node { ty: Ty::Duration, op: Op::Const(V::Duration(ms)) };
        }
        "exact" => {
            let (units, scale) = read_decimal(literal_text(&arguments[0])).expect("a number");
            return Node { ty: Ty::Literal(scale), op: Op::Const(V::Decimal(units, scale)) };
        }
        "timestamp" => {
            let at: jiff::Timestamp = literal_text(&arguments[0]).parse().expect("a time");
            return Node { ty: Ty::Time, op: Op::Const(V::Time(at.as_millisecond())) };
        }
        _ => {}
    }
    let ty = result(name, &arguments);
    Node { ty, op: Op::Call(name.to_owned(), arguments) }
}

fn result(name: &str, arguments: &[Node]) -> Ty {
    let ty = |at: usize| &arguments[at].ty;
    match name {
        "_&&_" | "_||_" | "!_" | "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" | "@in" | "present"
        | "startsWith" | "endsWith" | "contains" => Ty::Bool,
        "_?_:_" => unified(ty(1), ty(2)),
        "coalesce" | "min" | "max" => unified(ty(0), ty(1)),
        "-_" | "abs" => ty(0).clone(),
        "size" | "int" | "getMilliseconds" | "getSeconds" => Ty::Int,
        "string" => Ty::Text,
        "double" => Ty::Float,
        "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => arithmetic(name, ty(0), ty(1)),
        other => panic!("not a function of the language: {other}"),
    }
}

fn arithmetic(name: &str, a: &Ty, b: &Ty) -> Ty {
    match (name, a, b) {
        ("_-_", Ty::Time, Ty::Time) => Ty::Duration,
        ("_+_" | "_-_", Ty::Time, Ty::Duration) => Ty::Time,
        ("_*_" | "_/_", Ty::Duration, Ty::Int) => Ty::Duration,
        ("_*_", Ty::Decimal(m), Ty::Decimal(n) | Ty::Literal(n)) | ("_*_", Ty::Literal(m), Ty::Decimal(n)) => {
            Ty::Decimal(m + n)
        }
        ("_/_", _, _) if a.is_exact() && b.is_exact() && (a, b) != (&Ty::Int, &Ty::Int) => Ty::Fraction,
        ("_+_" | "_-_" | "_*_", Ty::Literal(_), Ty::Literal(_)) => Ty::Fraction,
        _ => unified(a, b),
    }
}
