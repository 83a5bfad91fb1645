//! From syntax to the checked tree: names, types, `null` and `now` in their places.
//!
//! A mistake is noted and its node given up (`None`); what does not depend on it is checked all the
//! same, so that one look finds every independent mistake. Operators are in
//! [`operators`](super::operators), functions in [`functions`](super::functions), conditions that
//! cannot hold in [`bounds`](super::bounds), `now` in [`moving`](super::moving).

use std::ops::Range;

use super::syntax::{Syntax, SyntaxKind};
use super::typed::{Arithmetic, Comparison, ExactLiteral, Kind, Node};
use super::{Expected, Mistake, Names, Ref, foreign};
use propice_model::nearest::nearest;
use propice_model::{Type, Value};

/// Checks one expression.
pub(super) struct Checker<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a mut dyn Names,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) refs: Vec<(Ref, String)>,
}

const HAS_HELP: &str = "`has(x)` asks whether `x` is known";

impl Checker<'_> {
    /// Notes a mistake.
    pub(super) fn wrong<T>(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) -> Option<T> {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.mistakes.push(Mistake { span, message: message.into(), help });
        None
    }

    /// The text of a node.
    pub(super) fn spelled(&self, node: &Node) -> &str {
        self.text.get(node.span.clone()).unwrap_or("")
    }

    /// A type as packs spell it.
    pub(super) fn spell(&self, ty: &Type) -> String {
        match ty {
            Type::Id(kind) => format!("id({})", self.names.kind_name(*kind)),
            Type::List(of) => format!("list of {}", self.spell(of)),
            plain => plain.to_string(),
        }
    }

    /// A value: neither the literal `null` nor something that moves with `now`.
    pub(super) fn value(&mut self, syntax: &Syntax) -> Option<Node> {
        let node = self.typed(syntax)?;
        self.still(node)
    }

    /// Refuses what moves with `now`.
    pub(super) fn still(&mut self, node: Node) -> Option<Node> {
        if node.moves {
            let help = "it can be compared only, as in `now - last_contact >= 48h`";
            return self.wrong(node.span, "`now` cannot be used like this", help);
        }
        Some(node)
    }

    /// A value that may move with `now`.
    pub(super) fn typed(&mut self, syntax: &Syntax) -> Option<Node> {
        let node = self.any(syntax)?;
        if node.is_null() {
            return self.wrong(node.span, "`null` cannot be used like this", HAS_HELP);
        }
        Some(node)
    }

    /// A condition.
    pub(super) fn condition(&mut self, syntax: &Syntax) -> Option<Node> {
        let node = self.value(syntax)?;
        self.is_condition(node)
    }

    /// Refuses what is no condition.
    pub(super) fn is_condition(&mut self, node: Node) -> Option<Node> {
        if node.ty == Type::Bool {
            return Some(node);
        }
        let message = format!("a condition is expected here, not {}", with_article(&self.spell(&node.ty)));
        let help = match &node.ty {
            Type::Int | Type::Float | Type::Decimal(_) => format!("compare it: `{} > 0`", self.spelled(&node)),
            Type::Text => format!("compare it: `{} == '…'`", self.spelled(&node)),
            _ => "compare it, or ask with `has(x)` whether it is known".to_owned(),
        };
        self.wrong(node.span, message, &help)
    }

    /// Refuses what is not expected.
    pub(super) fn expect(&mut self, node: Node, expected: &Expected) -> Option<Node> {
        let ty = &node.ty;
        let (fits, wanted) = match expected {
            Expected::Anything => (true, ""),
            Expected::Condition => return self.is_condition(node),
            Expected::Number => (ty.is_number(), "a number"),
            Expected::Summable => (ty.is_number() || *ty == Type::Duration, "a number or a duration"),
            Expected::Averageable => {
                (ty.is_number() || matches!(ty, Type::Duration | Type::Time), "a number, a duration or a time")
            }
            Expected::Time => (*ty == Type::Time, "a time"),
            Expected::Text => (*ty == Type::Text, "a text"),
        };
        if fits {
            return Some(node);
        }
        let message = format!("{wanted} is expected here, not {}", with_article(&self.spell(ty)));
        self.wrong(node.span, message, "")
    }

    /// Anything, also the literal `null`.
    pub(super) fn any(&mut self, syntax: &Syntax) -> Option<Node> {
        let span = syntax.span.clone();
        match &syntax.kind {
            SyntaxKind::Null => Some(Node::new(span, Type::Bool, Kind::Constant(Value::Null))),
            SyntaxKind::Bool(flag) => Some(Node::new(span, Type::Bool, Kind::Constant(Value::Bool(*flag)))),
            SyntaxKind::Int(number) => Some(integer(span, *number)),
            SyntaxKind::Real(number, spelled) => {
                let exact = ExactLiteral::parse(spelled);
                Some(Node { exact, ..Node::new(span, Type::Float, Kind::Constant(Value::float(*number))) })
            }
            SyntaxKind::Text(text) => Some(Node::new(span, Type::Text, Kind::Constant(Value::text(text)))),
            SyntaxKind::Duration(ms) => Some(Node::new(span, Type::Duration, Kind::Constant(Value::Duration(*ms)))),
            SyntaxKind::Path(path) => self.path(path, span),
            SyntaxKind::List(elements) => self.list(elements, span),
            SyntaxKind::Negate(operand) => {
                let operand = self.typed(operand)?;
                self.negate(operand, span)
            }
            SyntaxKind::Not(operand) => {
                let operand = self.condition(operand)?;
                Some(not(operand, span))
            }
            SyntaxKind::Binary(operator, left, right) => self.binary(operator, left, right, span),
            SyntaxKind::All(parts) => {
                let before = self.mistakes.len();
                let parts = self.conditions(parts);
                if self.mistakes.len() == before {
                    self.chain(&parts, true);
                }
                (self.mistakes.len() == before).then(|| Node::new(span, Type::Bool, Kind::All(parts)))
            }
            SyntaxKind::Any(parts) => {
                let before = self.mistakes.len();
                let parts = self.conditions(parts);
                if self.mistakes.len() == before {
                    self.chain(&parts, false);
                }
                (self.mistakes.len() == before).then(|| Node::new(span, Type::Bool, Kind::Any(parts)))
            }
            SyntaxKind::Conditional(parts) => self.conditional(parts, span),
            SyntaxKind::Call { function, name, target, arguments } => {
                self.call(function, name, target.as_deref(), arguments, span)
            }
            SyntaxKind::Unsupported(what) => {
                self.wrong(span, format!("{what} is not supported in expressions"), "docs/packs.md lists what is")
            }
        }
    }

    /// The parts of a chain. A part that is a constant decides the chain or is idle.
    fn conditions(&mut self, parts: &[Syntax]) -> Vec<Node> {
        let mut conditions = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(condition) = self.condition(part) else { continue };
            if let Some(Value::Bool(flag)) = condition.constant() {
                let message = format!("this is always {flag}");
                self.wrong::<()>(condition.span, message, "leave it out");
                continue;
            }
            conditions.push(condition);
        }
        conditions
    }

    /// A name.
    fn path(&mut self, path: &[String], span: Range<usize>) -> Option<Node> {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let spelled = parts.join(".");
        if spelled == "now" && self.names.allows_now() {
            return Some(Node { moves: true, ..Node::new(span, Type::Time, Kind::Now) });
        }
        if let Some(name) = self.names.resolve(&parts) {
            if !self.refs.iter().any(|(reference, _)| *reference == name.reference) {
                self.refs.push((name.reference, spelled));
            }
            let kind = Kind::Slot { reference: name.reference, never_negative: name.never_negative };
            return Some(Node::new(span, name.ty, kind));
        }
        if parts.first() == Some(&"now") {
            let help = if spelled == "now" {
                "records do not change when time passes; use it in attributes and moments"
            } else {
                ""
            };
            return self.wrong(span, "`now` cannot be used here", help);
        }
        let candidates = self.names.candidates();
        if let Some(help) = self.names.remedy(&parts).or_else(|| foreign::word(&spelled)) {
            return self.wrong(span, format!("unknown name `{spelled}`"), &help);
        }
        let help = match nearest(&spelled, candidates.iter().map(String::as_str)) {
            Some(name) => format!("did you mean `{name}`?"),
            None if candidates.is_empty() => String::new(),
            None => format!("known are {}", some_of(&candidates)),
        };
        self.wrong(span, format!("unknown name `{spelled}`"), &help)
    }

    fn binary(&mut self, operator: &str, left: &Syntax, right: &Syntax, span: Range<usize>) -> Option<Node> {
        if operator == "in" {
            let value = self.value(left);
            if let SyntaxKind::List(elements) = &right.kind {
                let elements: Vec<Option<Node>> = elements.iter().map(|element| self.value(element)).collect();
                return self.one_of(value?, elements.into_iter().collect::<Option<_>>()?, span);
            }
            let list = self.value(right);
            return self.membership(value?, list?, span);
        }
        if let Some(comparison) = Comparison::of(operator) {
            let (left, right) = (self.any(left), self.any(right));
            let (left, right) = (left?, right?);
            if left.is_null() || right.is_null() {
                let other = if left.is_null() { &right } else { &left };
                let asked = self.spelled(other);
                let help = match comparison {
                    _ if other.moves => "`now` is always known".to_owned(),
                    Comparison::Equal => format!("write `!has({asked})`"),
                    Comparison::NotEqual => format!("write `has({asked})`"),
                    _ => HAS_HELP.to_owned(),
                };
                return self.wrong(span, "a comparison with `null` is always false", &help);
            }
            return self.compare(comparison, left, right, span);
        }
        let arithmetic = match operator {
            "+" => Arithmetic::Add,
            "-" => Arithmetic::Subtract,
            "*" => Arithmetic::Multiply,
            "/" => Arithmetic::Divide,
            _ => Arithmetic::Remainder,
        };
        let (left, right) = (self.typed(left), self.typed(right));
        self.arithmetic(arithmetic, left?, right?, span)
    }

    fn conditional(&mut self, parts: &[Syntax; 3], span: Range<usize>) -> Option<Node> {
        let [condition, yes, no] = parts;
        let (condition, yes, no) = (self.condition(condition), self.any(yes), self.any(no));
        let (condition, yes, no) = (condition?, yes?, no?);
        let (yes, no) = (self.still(yes), self.still(no));
        let (mut yes, mut no) = (yes?, no?);
        if condition.constant().is_some() {
            return self.wrong(condition.span, "this condition is always the same", "leave the conditional out");
        }
        match (yes.is_null(), no.is_null()) {
            (true, true) => return self.wrong(span, "both branches are `null`", ""),
            (true, false) => yes.ty = no.ty.clone(),
            (false, true) => no.ty = yes.ty.clone(),
            (false, false) => (yes, no) = self.unified(yes, no, &span, "the branches are")?,
        }
        let ty = yes.ty.clone();
        Some(Node::new(span, ty, Kind::Conditional(Box::new([condition, yes, no]))))
    }

    /// A list of one type.
    fn list(&mut self, elements: &[Syntax], span: Range<usize>) -> Option<Node> {
        let checked: Vec<Option<Node>> = elements.iter().map(|element| self.value(element)).collect();
        let mut nodes: Vec<Node> = checked.into_iter().collect::<Option<_>>()?;
        let Some(mut widest) = nodes.first().cloned() else {
            return self.wrong(span, "an empty list has no type", "");
        };
        for node in &nodes {
            widest = self.unified(widest, node.clone(), &node.span, "the elements are")?.0;
        }
        if matches!(widest.ty, Type::List(_)) {
            return self.wrong(span, "a list of lists is not supported", "");
        }
        for node in &mut nodes {
            let plain = node.clone();
            *node = self.converted(plain, &widest.ty)?;
        }
        let ty = Type::List(Box::new(widest.ty));
        Some(Node::new(span, ty, Kind::List(nodes)))
    }
}

/// `!x`
fn not(operand: Node, span: Range<usize>) -> Node {
    match operand.constant() {
        Some(Value::Bool(flag)) => Node::new(span, Type::Bool, Kind::Constant(Value::Bool(!flag))),
        _ => Node::new(span, Type::Bool, Kind::Not(Box::new(operand))),
    }
}

/// An int literal.
pub(super) fn integer(span: Range<usize>, number: i64) -> Node {
    let exact = Some(ExactLiteral { units: i128::from(number), scale: 0 });
    Node { exact, ..Node::new(span, Type::Int, Kind::Constant(Value::Int(number))) }
}

/// `a text`, `an int`.
pub(super) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// A few names, for a help.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
