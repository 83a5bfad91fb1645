//! The checked tree: every node has its type, every operand the type that its operator needs.

use std::ops::Range;

use regex::Regex;

use super::Ref;
use propice_model::{Ratio, Type, Value};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// The comparison of an operator.
    pub(super) fn of(operator: &str) -> Option<Comparison> {
        Some(match operator {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterEqual,
            _ => return None,
        })
    }

    /// Its operator.
    pub(super) fn name(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
        }
    }

    /// The same with its sides exchanged.
    pub(super) fn mirrored(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessEqual => Comparison::GreaterEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterEqual => Comparison::LessEqual,
            same => same,
        }
    }

    /// Whether it holds between two things.
    #[inline]
    pub(super) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterEqual => left >= right,
        }
    }

    /// Whether it is about order, not only about being the same.
    pub(super) fn is_ordering(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

/// An operator of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    FullYear,
    Month,
    DayOfMonth,
    Date,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A test of a text by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// A number literal, exactly: adapts to what stands next to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExactLiteral {
    /// In units of the scale.
    pub(super) units: i128,
    /// Its decimals, without zeros at the end.
    pub(super) scale: u8,
}

/// A checked part of an expression.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its place in the text.
    pub(super) span: Range<usize>,
    /// Its type.
    pub(super) ty: Type,
    /// What it is.
    pub(super) kind: Kind,
    /// Its exact number, when it is a literal or made of literals.
    pub(super) exact: Option<ExactLiteral>,
    /// The exact number of a constant of type `float` that was computed from literals, such as `2.0
    /// / 3.0`.
    pub(super) ratio: Option<Ratio>,
    /// Whether its value (not only that of a comparison in it) depends on `now`.
    pub(super) moves: bool,
}

/// What a checked part is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A constant. A null is a literal that has no type yet, or a branch of a conditional.
    Constant(Value),
    /// A name.
    Slot {
        reference: Ref,
        never_negative: bool,
    },
    /// The logical time.
    Now,
    Negate(Box<Node>),
    /// Operands: both of the type of the result, except `time ± duration`, `time - time`,
    /// `duration * int`, `duration / int`, `decimal * decimal`, and floats made of decimals.
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// Text behind text.
    Join(Box<Node>, Box<Node>),
    /// Another type: a number of another kind or scale, a text as a number, anything as text. Of a
    /// number as a `float`, what is around it decides whether it is rounded.
    Convert(Box<Node>),
    /// `double(x)` of a number: a float, rounded here.
    Rounded(Box<Node>),
    /// Both of one type.
    Compare(Comparison, Box<Node>, Box<Node>),
    /// `now` compared with the sum of these, the marked ones negated.
    NowCompare(Comparison, Vec<(bool, Node)>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// Condition, both branches.
    Conditional(Box<[Node; 3]>),
    /// A value and a list of its type.
    In(Box<Node>, Box<Node>),
    List(Vec<Node>),
    Has(Box<Node>),
    Size(Box<Node>),
    Test(TextTest, Box<Node>, Box<Node>),
    Matches(Box<Node>, Regex),
    Absolute(Box<Node>),
    /// `min` (`true`) or `max`, of one type.
    Extreme(bool, Box<Node>, Box<Node>),
    Coalesce(Box<Node>, Box<Node>),
    Part(TimePart, Box<Node>, jiff::tz::TimeZone),
}

impl Node {
    /// A node that does not depend on `now`.
    pub(super) fn new(span: Range<usize>, ty: Type, kind: Kind) -> Node {
        Node { span, ty, kind, exact: None, ratio: None, moves: false }
    }

    /// Whether it is the literal `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Constant(Value::Null))
    }

    /// Its value, when it is a constant.
    pub(super) fn constant(&self) -> Option<&Value> {
        if let Kind::Constant(value) = &self.kind { Some(value) } else { None }
    }

    /// What it is made of.
    pub(super) fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Constant(_) | Kind::Slot { .. } | Kind::Now => Vec::new(),
            Kind::Negate(of)
            | Kind::Convert(of)
            | Kind::Rounded(of)
            | Kind::Not(of)
            | Kind::Has(of)
            | Kind::Size(of)
            | Kind::Matches(of, _)
            | Kind::Absolute(of)
            | Kind::Part(_, of, _) => vec![of],
            Kind::Arithmetic(_, left, right)
            | Kind::Join(left, right)
            | Kind::Compare(_, left, right)
            | Kind::In(left, right)
            | Kind::Test(_, left, right)
            | Kind::Extreme(_, left, right)
            | Kind::Coalesce(left, right) => vec![left, right],
            Kind::NowCompare(_, terms) => terms.iter().map(|(_, term)| term).collect(),
            Kind::All(parts) | Kind::Any(parts) | Kind::List(parts) => parts.iter().collect(),
            Kind::Conditional(parts) => parts.iter().collect(),
        }
    }

    /// The node itself and everything that it is made of.
    pub(super) fn all(&self) -> impl Iterator<Item = &Node> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let node = waiting.pop()?;
            waiting.extend(node.children());
            Some(node)
        })
    }

    /// Whether it can be told to be never negative.
    pub(super) fn is_never_negative(&self) -> bool {
        match &self.kind {
            Kind::Slot { never_negative, .. } => *never_negative,
            Kind::Convert(of) | Kind::Rounded(of) if of.ty.is_number() && self.ty.is_number() => of.is_never_negative(),
            Kind::Size(_) | Kind::Absolute(_) => true,
            _ => false,
        }
    }
}

impl ExactLiteral {
    /// The number that a literal spells (`-1.50`, `2e3`), when it fits.
    pub(super) fn parse(text: &str) -> Option<ExactLiteral> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.trim_end_matches('0').bytes()) {
            units =
                units.checked_mul(10)?.checked_add(i128::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?))?;
        }
        let mut scale = i32::try_from(fraction.trim_end_matches('0').len()).ok()?.checked_sub(exponent)?;
        if !(-40..=60).contains(&scale) && units != 0 {
            return None;
        }
        while scale > 0 && units % 10 == 0 {
            (units, scale) = if units == 0 { (0, 0) } else { (units / 10, scale - 1) };
        }
        while scale < 0 {
            (units, scale) = if units == 0 { (0, 0) } else { (units.checked_mul(10)?, scale + 1) };
        }
        let scale = u8::try_from(scale).ok().filter(|scale| *scale <= propice_model::limits::RESULT_SCALE)?;
        Some(ExactLiteral { units: if negative { -units } else { units }, scale })
    }

    /// Its units at a greater scale.
    pub(super) fn at_scale(self, scale: u8) -> Option<i128> {
        rescaled(self.units, self.scale, scale)
    }
}

/// Units of one scale as units of a greater one.
#[inline]
pub(super) fn rescaled(units: i128, from: u8, to: u8) -> Option<i128> {
    units.checked_mul(10_i128.pow(u32::from(to.checked_sub(from)?)))
}

/// Without the places: two nodes are equal when they always have the same value.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (Kind::Constant(a), Kind::Constant(b)) => a == b,
            (Kind::Slot { reference: a, .. }, Kind::Slot { reference: b, .. }) => a == b,
            (Kind::Arithmetic(a, ..), Kind::Arithmetic(b, ..)) => a == b,
            (Kind::Compare(a, ..), Kind::Compare(b, ..)) => a == b,
            (Kind::NowCompare(a, x), Kind::NowCompare(b, y)) => {
                a == b && x.iter().map(|(negated, _)| negated).eq(y.iter().map(|(negated, _)| negated))
            }
            (Kind::Test(a, ..), Kind::Test(b, ..)) => a == b,
            (Kind::Matches(_, a), Kind::Matches(_, b)) => a.as_str() == b.as_str(),
            (Kind::Extreme(a, ..), Kind::Extreme(b, ..)) => a == b,
            (Kind::Part(a, _, x), Kind::Part(b, _, y)) => a == b && x == y,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        self.ty == other.ty && same_kind && self.ratio == other.ratio && self.children() == other.children()
    }
}

/// A comparison with its constant on the right.
pub(super) fn oriented<'a>(
    comparison: Comparison,
    left: &'a Node,
    right: &'a Node,
) -> Option<(&'a Node, Comparison, &'a Node)> {
    match (left.constant(), right.constant()) {
        (None, Some(_)) => Some((left, comparison, right)),
        (Some(_), None) => Some((right, comparison.mirrored(), left)),
        _ => None,
    }
}
