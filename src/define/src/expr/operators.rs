//! Types of operators: which operands go together, and what both become.

use std::ops::Range;

use super::check::{Checker, with_article};
use super::typed::{Arithmetic, Comparison, ExactLiteral, Kind, Node, rescaled};
use super::{Env, compile};
use propice_model::{Id, Type, Value, limits};

impl Checker<'_> {
    /// Computes what is made of constants only.
    pub(super) fn folded(&mut self, node: Node) -> Option<Node> {
        let children = node.children();
        if node.moves || children.is_empty() || !children.iter().all(|child| child.constant().is_some()) {
            return Some(node);
        }
        let ratio = (node.ty == Type::Float && node.is_exact()).then(|| compile::exact::ratio(&node)(&Env::of(&[], 0)));
        match compile::constant(&node) {
            Ok(value) => {
                Some(Node { kind: Kind::Constant(value), ratio: ratio.and_then(Result::ok).flatten(), ..node })
            }
            Err(error) => self.wrong(node.span, format!("this cannot be computed: {error}"), ""),
        }
    }

    /// `-x`
    pub(super) fn negate(&mut self, operand: Node, span: Range<usize>) -> Option<Node> {
        if !operand.ty.is_number() && operand.ty != Type::Duration {
            let message = format!("`-` takes a number or a duration, not {}", with_article(&self.spell(&operand.ty)));
            return self.wrong(span, message, "");
        }
        let exact = operand.exact.map(|exact| ExactLiteral { units: -exact.units, ..exact });
        let (ty, moves) = (operand.ty.clone(), operand.moves);
        self.folded(Node { exact, moves, ..Node::new(span, ty, Kind::Negate(Box::new(operand))) })
    }

    /// `a + b`
    pub(super) fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: Node,
        right: Node,
        span: Range<usize>,
    ) -> Option<Node> {
        use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
        use Type::{Duration, Int, Text, Time};
        let moves = left.moves || right.moves;
        let ty = match (operator, &left.ty, &right.ty) {
            (Add, Text, Text) => {
                return self.folded(Node::new(span, Text, Kind::Join(Box::new(left), Box::new(right))));
            }
            (Add | Subtract, Time, Duration) | (Add, Duration, Time) => Time,
            (Subtract, Time, Time)
            | (Add | Subtract, Duration, Duration)
            | (Multiply | Divide, Duration, Int)
            | (Multiply, Int, Duration) => Duration,
            (Remainder, Int, Int) => Int,
            (Add | Subtract | Multiply | Divide, l, r) if l.is_number() && r.is_number() => {
                return self.numbers(operator, left, right, span);
            }
            _ => return self.no_arithmetic(operator, &left, &right, span),
        };
        if moves && !matches!(operator, Add | Subtract) {
            return self.still(Node { moves, ..Node::new(span, ty, Kind::Now) });
        }
        let exact = if operator == Remainder { exact_of(operator, &left, &right) } else { None };
        let kind = Kind::Arithmetic(operator, Box::new(left), Box::new(right));
        self.folded(Node { exact, moves, ..Node::new(span, ty, kind) })
    }

    fn no_arithmetic<T>(&mut self, operator: Arithmetic, left: &Node, right: &Node, span: Range<usize>) -> Option<T> {
        let sign = sign(operator);
        let (l, r) = (self.spell(&left.ty), self.spell(&right.ty));
        let help = match (operator, &left.ty, &right.ty) {
            (Arithmetic::Add, Type::Text, _) | (Arithmetic::Add, _, Type::Text) => {
                "`string(x)` makes a text of a value"
            }
            (Arithmetic::Add, Type::Time, Type::Time) => "times can be subtracted, not added",
            (_, Type::Time | Type::Duration, Type::Int) | (_, Type::Int, Type::Time) => {
                "durations are written `7d`, `48h`, `10m`"
            }
            (Arithmetic::Remainder, ..) => "it takes two ints",
            _ => "",
        };
        self.wrong(span, format!("`{l} {sign} {r}` means nothing"), help)
    }

    /// Arithmetic of numbers.
    fn numbers(&mut self, operator: Arithmetic, left: Node, right: Node, span: Range<usize>) -> Option<Node> {
        let exact = exact_of(operator, &left, &right);
        let (left, right) = self.numeric(left, right, &span)?;
        let (left, right, ty) = match (&left.ty, &right.ty) {
            (Type::Decimal(_), Type::Decimal(_) | Type::Int) | (Type::Int, Type::Decimal(_)) => {
                let (l, r) = (scale(&left.ty), scale(&right.ty));
                match operator {
                    Arithmetic::Divide => {
                        let left = self.converted(left, &Type::Float)?;
                        (left, self.converted(right, &Type::Float)?, Type::Float)
                    }
                    Arithmetic::Multiply => {
                        let ty = Type::Decimal(l + r);
                        if l + r > limits::RESULT_SCALE {
                            let help = format!(
                                "a decimal has at most {}; `double(x)` computes with floats",
                                limits::RESULT_SCALE
                            );
                            return self.wrong(span, format!("the product would have {} decimals", l + r), &help);
                        }
                        let left = self.converted(left, &Type::Decimal(l))?;
                        (left, self.converted(right, &Type::Decimal(r))?, ty)
                    }
                    _ => {
                        let ty = Type::Decimal(l.max(r));
                        (self.converted(left, &ty)?, self.converted(right, &ty)?, ty)
                    }
                }
            }
            _ => {
                let ty = if left.ty == Type::Int && right.ty == Type::Int { Type::Int } else { Type::Float };
                (self.converted(left, &ty)?, self.converted(right, &ty)?, ty)
            }
        };
        let kind = Kind::Arithmetic(operator, Box::new(left), Box::new(right));
        let node = self.folded(Node { exact, ..Node::new(span, ty, kind) })?;
        // What is made of literals stays as exact as they are.
        let Some(exact) = exact.filter(|_| node.ty == Type::Float) else { return Some(node) };
        let number = propice_model::Decimal::new(exact.units).to_f64(exact.scale);
        Some(Node { kind: Kind::Constant(Value::float(number)), ..node })
    }

    /// Lets a literal next to a decimal become one; refuses decimals next to floats, unless those
    /// are exact (quotients).
    fn numeric(&mut self, left: Node, right: Node, span: &Range<usize>) -> Option<(Node, Node)> {
        match (&left.ty, &right.ty) {
            (Type::Decimal(_), Type::Float) => {
                let right = self.exactly(right, span)?;
                Some((left, right))
            }
            (Type::Float, Type::Decimal(_)) => {
                let left = self.exactly(left, span)?;
                Some((left, right))
            }
            _ => Some((left, right)),
        }
    }

    /// A float literal as a decimal; any other exact number as it is.
    fn exactly(&mut self, node: Node, span: &Range<usize>) -> Option<Node> {
        if let Some(exact) = node.exact {
            let kind = Kind::Constant(Value::decimal(exact.units));
            return Some(Node { ty: Type::Decimal(exact.scale), kind, ratio: None, ..node });
        }
        if node.is_exact() {
            return Some(node);
        }
        self.wrong(span.clone(), "decimal and float do not mix", "`double(x)` makes a float of a decimal")
    }

    /// Both as one type, for branches, `min`, `coalesce`, …
    pub(super) fn unified(&mut self, left: Node, right: Node, span: &Range<usize>, what: &str) -> Option<(Node, Node)> {
        if left.ty.is_number() && right.ty.is_number() {
            let (left, right) = self.numeric(left, right, span)?;
            let ty = wider(&left.ty, &right.ty);
            return Some((self.converted(left, &ty)?, self.converted(right, &ty)?));
        }
        if left.ty == right.ty {
            return Some((left, right));
        }
        let message = format!("{what} of two types, {} and {}", self.spell(&left.ty), self.spell(&right.ty));
        self.wrong(span.clone(), message, "")
    }

    /// Both as one type, for comparisons: ids also with literals, ints exactly with `1.5`.
    pub(super) fn comparable(&mut self, left: Node, right: Node, span: &Range<usize>) -> Option<(Node, Node)> {
        let (left, right) = match (&left.ty, &right.ty) {
            (Type::Id(kind), Type::Text | Type::Int) if right.constant().is_some() => {
                let ty = Type::Id(*kind);
                let right = self.converted(right, &ty)?;
                (left, right)
            }
            (Type::Text | Type::Int, Type::Id(kind)) if left.constant().is_some() => {
                let ty = Type::Id(*kind);
                (self.converted(left, &ty)?, right)
            }
            (Type::Int | Type::Decimal(_), Type::Float) if right.exact.is_some() => {
                let right = self.exactly(right, span)?;
                (left, right)
            }
            (Type::Float, Type::Int | Type::Decimal(_)) if left.exact.is_some() => (self.exactly(left, span)?, right),
            _ => (left, right),
        };
        if left.ty == right.ty || left.ty.is_number() && right.ty.is_number() {
            return self.unified(left, right, span, "");
        }
        let (l, r) = (self.spell(&left.ty), self.spell(&right.ty));
        let help = match (&left.ty, &right.ty) {
            (Type::Time, Type::Text) | (Type::Text, Type::Time) => {
                "times are written `timestamp('2026-03-02T09:00:00Z')`"
            }
            (Type::Time, Type::Duration) | (Type::Duration, Type::Time) => {
                "a span of time is the difference of two times, as in `now - x < 7d`"
            }
            (Type::Duration, Type::Int | Type::Text) | (Type::Int | Type::Text, Type::Duration) => {
                "durations are written `7d`, `48h`, `10m`"
            }
            (Type::Text, ty) if ty.is_number() && left.constant().is_some() => "numbers are written without quotes",
            (ty, Type::Text) if ty.is_number() && right.constant().is_some() => "numbers are written without quotes",
            (Type::Text, ty) if ty.is_number() && right.constant().is_some() => "texts are written in quotes",
            (ty, Type::Text) if ty.is_number() && left.constant().is_some() => "texts are written in quotes",
            (Type::Bool, _) | (_, Type::Bool) => "use the condition itself, or `!` before it",
            (Type::List(_), _) | (_, Type::List(_)) => "`x in list` asks whether a list has a value",
            (Type::Id(_), Type::Id(_)) => "they are ids of different kinds",
            _ => "",
        };
        self.wrong(span.clone(), format!("{} cannot be compared with {}", with_article(&l), with_article(&r)), help)
    }

    /// The same value as another type, where that is exact or the type is a float.
    pub(super) fn converted(&mut self, node: Node, ty: &Type) -> Option<Node> {
        if node.ty == *ty {
            return Some(node);
        }
        let id = match (ty, node.constant()) {
            (Type::Id(_), Some(Value::Text(text))) => Some(Id::parse(text)),
            (Type::Id(_), Some(Value::Int(number))) => Some(Id::parse(&number.to_string())),
            _ => None,
        };
        if let Some(id) = id {
            return Some(Node { ty: ty.clone(), kind: Kind::Constant(Value::Id(id)), exact: None, ..node });
        }
        if let (Some(exact), Type::Decimal(scale)) = (node.exact, ty) {
            let Some(units) = exact.at_scale(*scale) else {
                return self.wrong(node.span, "the number is too large", "");
            };
            let kind = Kind::Constant(Value::decimal(units));
            return Some(Node { ty: ty.clone(), kind, ratio: None, ..node });
        }
        let (span, exact) = (node.span.clone(), node.exact);
        self.folded(Node { exact, ..Node::new(span, ty.clone(), Kind::Convert(Box::new(node))) })
    }

    /// `a < b`
    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: Node,
        right: Node,
        span: Range<usize>,
    ) -> Option<Node> {
        let (left, right) = self.comparable(left, right, &span)?;
        if comparison.is_ordering() && matches!(left.ty, Type::List(_)) {
            return self.wrong(span, "lists have no order", "`size(x)` is how many values a list has");
        }
        if left.moves || right.moves {
            return self.compare_now(comparison, left, right, span);
        }
        if left.constant().is_some() && right.constant().is_some() {
            let node = Node::new(span, Type::Bool, Kind::Compare(comparison, Box::new(left), Box::new(right)));
            let always = matches!(compile::constant(&node), Ok(Value::Bool(true)));
            return self.wrong(node.span, format!("this comparison is always {always}"), "compare with a name");
        }
        if left == right {
            let help = format!("both sides are the same; `has({})` asks whether it is known", self.spelled(&left));
            return self.wrong(span, "this comparison is always the same", &help);
        }
        self.never(comparison, &left, &right, &span)?;
        let node = Node::new(span, Type::Bool, Kind::Compare(comparison, Box::new(left), Box::new(right)));
        self.out_of_range(&node)?;
        Some(node)
    }

    /// `x in [a, b]`
    pub(super) fn one_of(&mut self, value: Node, elements: Vec<Node>, span: Range<usize>) -> Option<Node> {
        if elements.is_empty() {
            return self.wrong(span, "nothing is in an empty list", "");
        }
        if value.constant().is_some() && elements.iter().all(|element| element.constant().is_some()) {
            return self.wrong(span, "this is always the same", "the value has to be a name");
        }
        let mut widest = value.clone();
        let before = self.mistakes.len();
        for element in &elements {
            if let Some((wider, _)) = self.comparable(widest.clone(), element.clone(), &element.span) {
                widest = wider;
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        let ty = widest.ty;
        let value = self.converted(value, &ty)?;
        let elements = elements.into_iter().map(|element| self.converted(element, &ty)).collect::<Option<Vec<_>>>()?;
        let list = Node::new(span.clone(), Type::List(Box::new(ty)), Kind::List(elements));
        let node = Node::new(span, Type::Bool, Kind::In(Box::new(value), Box::new(list)));
        self.out_of_range(&node)?;
        Some(node)
    }

    /// `x in list`
    pub(super) fn membership(&mut self, value: Node, list: Node, span: Range<usize>) -> Option<Node> {
        let Type::List(of) = list.ty.clone() else {
            let help = if list.ty == Type::Text {
                "`x.contains(y)` asks whether a text contains another"
            } else {
                "a list is written `[1, 2]`"
            };
            let message = format!("`in` needs a list, not {}", with_article(&self.spell(&list.ty)));
            return self.wrong(list.span, message, help);
        };
        // Stands for any element: what the value has to become in order to be compared with one.
        let element = Node::new(list.span.clone(), *of.clone(), Kind::List(Vec::new()));
        let (value, element) = self.comparable(value, element, &span)?;
        if element.ty != *of {
            let message =
                format!("{} is never in {}", with_article(&self.spell(&value.ty)), with_article(&self.spell(&list.ty)));
            return self.wrong(span, message, "");
        }
        Some(Node::new(span, Type::Bool, Kind::In(Box::new(value), Box::new(list))))
    }
}

/// How an operator is spelled.
fn sign(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
        Arithmetic::Remainder => "%",
    }
}

/// The decimals of a number that is not a float.
fn scale(ty: &Type) -> u8 {
    if let Type::Decimal(scale) = ty { *scale } else { 0 }
}

/// The type that holds two numbers of which none, or both, are floats, or one an int.
fn wider(left: &Type, right: &Type) -> Type {
    match (left, right) {
        (Type::Float, _) | (_, Type::Float) => Type::Float,
        (Type::Int, Type::Int) => Type::Int,
        (left, right) => Type::Decimal(scale(left).max(scale(right))),
    }
}

/// What an operator makes of two literals, exactly.
fn exact_of(operator: Arithmetic, left: &Node, right: &Node) -> Option<ExactLiteral> {
    let ints = left.ty == Type::Int && right.ty == Type::Int;
    let (left, right) = (left.exact?, right.exact?);
    let scale = left.scale.max(right.scale);
    let at_scale = |exact: ExactLiteral| rescaled(exact.units, exact.scale, scale);
    match operator {
        Arithmetic::Add => Some(ExactLiteral { units: at_scale(left)?.checked_add(at_scale(right)?)?, scale }),
        Arithmetic::Subtract => Some(ExactLiteral { units: at_scale(left)?.checked_sub(at_scale(right)?)?, scale }),
        Arithmetic::Multiply => {
            let scale = left.scale.checked_add(right.scale).filter(|scale| *scale <= limits::RESULT_SCALE)?;
            Some(ExactLiteral { units: left.units.checked_mul(right.units)?, scale })
        }
        // Of ints only; what is not whole is no literal any more.
        Arithmetic::Divide | Arithmetic::Remainder if ints && right.units != 0 => {
            let units =
                if operator == Arithmetic::Divide { left.units / right.units } else { left.units % right.units };
            Some(ExactLiteral { units, scale: 0 })
        }
        Arithmetic::Divide | Arithmetic::Remainder => None,
    }
}
