//! Expressions: CEL text, parsed by the `cel` crate, type-checked against a scope, compiled once.
//!
//! ```text
//! text ──literals (7d → duration('7d'))──▶ CEL parser ──▶ typed tree ──▶ closures over slots
//! ```
//!
//! An expression reads an [`Env`]: one or two rows of values and `now`. `now` only ever stands in
//! comparisons that are linear in it, so an expression knows the next instant at which it turns by
//! itself ([`Expr::next_change_point`]).

mod bounds;
mod change_points;
mod check;
mod compile;
mod foreign;
mod functions;
mod moving;
mod nesting;
mod operand;
mod operators;
mod parts;
mod predicate;
mod record;
mod regions;
mod sets;
mod source;
mod syntax;
mod threshold;
mod token;
mod typed;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use propice_model::{LogicalTime, Type, Value};

pub use parts::{ConditionPart, Shape, at_instant, parts};
pub use predicate::{Link, Predicate, Side};
pub use threshold::Threshold;

/// What an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Scope 0: the fields of a record, or the slots of a customer or of an entity.
    pub row: &'a [Value],
    /// Scope 1: the slots of the entity that a moment is about. Empty otherwise.
    pub entity: &'a [Value],
    /// The logical time. 0 for expressions over records, which cannot use it.
    pub now: LogicalTime,
}

impl<'a> Env<'a> {
    /// Over one row.
    pub fn of(row: &'a [Value], now: LogicalTime) -> Env<'a> {
        Env { row, entity: &[], now }
    }
}

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A number or a time does not fit.
    #[error("a number is too large")]
    Overflow,
    /// A division by zero.
    #[error("a division by zero")]
    DivisionByZero,
    /// A text that is not what a conversion needs.
    #[error("a text cannot be converted")]
    Conversion,
}

/// A name that an expression uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref {
    /// 0 or 1, see [`Env`].
    pub scope: u8,
    /// Field or slot.
    pub slot: u16,
}

/// A compiled expression.
pub struct Expr {
    source: String,
    ty: Type,
    refs: Vec<(Ref, String)>,
    /// Of a `bool`.
    condition: Option<operand::Eval<bool>>,
    value: operand::Whole,
    turns: Vec<change_points::ChangePoint>,
    chain: Vec<Link>,
    thresholds: Vec<Threshold>,
    sign: predicate::Sign,
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.source())
    }
}

impl Expr {
    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type of its value.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The names it uses, each once, in order of first use, as it spells them.
    pub fn refs(&self) -> &[(Ref, String)] {
        &self.refs
    }

    /// Whether it depends on `now`.
    pub fn depends_on_now(&self) -> bool {
        !self.turns.is_empty()
    }

    /// As a condition: the parts without all of which it does not hold.
    pub fn chain(&self) -> &[Link] {
        &self.chain
    }

    /// Those of its chain that compare a slot with a constant.
    pub fn predicates(&self) -> impl Iterator<Item = &Predicate> {
        self.chain.iter().filter_map(|link| link.predicate.as_ref())
    }

    /// As a condition: what a name is compared with. `None` when it is compared with nothing, or
    /// more than once.
    pub fn threshold(&self, reference: Ref) -> Option<&Threshold> {
        let mut found = self.thresholds.iter().filter(|threshold| threshold.reference == reference);
        found.next().filter(|_| found.next().is_none())
    }

    /// Whether its value is a number or a duration that is not negative wherever a condition over
    /// the same row holds.
    pub fn is_never_negative(&self, wherever: Option<&Expr>) -> bool {
        self.sign.is_never_negative(wherever.into_iter().flat_map(Expr::predicates))
    }

    /// Its value.
    ///
    /// Operands are evaluated from left to right. `&&`, `||` and `? :` evaluate no more than they
    /// need, everything else evaluates all of its operands; an error of one that is evaluated is
    /// the error of the whole.
    ///
    /// # Errors
    /// When a number does not fit, a text cannot be converted, or on a division by zero.
    pub fn eval(&self, env: &Env<'_>) -> Result<Value, EvalError> {
        self.value.get(env)
    }

    /// Its value as a text: `None` for null, for an error, and for what is no text.
    pub fn text(&self, env: &Env<'_>) -> Option<Arc<str>> {
        if let Ok(Value::Text(text)) = self.eval(env) { Some(text) } else { None }
    }

    /// Its value as a condition: null and errors are false, also what is no `bool`.
    #[inline]
    pub fn holds(&self, env: &Env<'_>) -> bool {
        self.condition.as_ref().is_some_and(|condition| condition(env).unwrap_or(false))
    }

    /// The least instant after `env.now` at which its value may change while the row stays as it
    /// is.
    pub fn next_change_point(&self, env: &Env<'_>) -> Option<LogicalTime> {
        self.turns.iter().filter_map(|turn| turn.next(env)).min()
    }
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Where its value is found.
    pub reference: Ref,
    /// Its type.
    pub ty: Type,
    /// Whether its value is never negative (`count`, `distinct`), so that `x < 0` can never be
    /// true.
    pub never_negative: bool,
}

/// The names an expression may use.
pub trait Names {
    /// What a name (`["balance"]`) or a path (`["account", "balance"]`) stands for.
    fn resolve(&mut self, path: &[&str]) -> Option<Name>;
    /// Every name that could have been meant, for suggestions.
    fn candidates(&self) -> Vec<String>;
    /// What to do about a path that stands for nothing, where that is more than another spelling.
    fn remedy(&self, _path: &[&str]) -> Option<String> {
        None
    }
    /// The name of a kind of entity, for messages about ids.
    fn kind_name(&self, kind: propice_model::KindId) -> String;
    /// Whether `now` may be used.
    fn allows_now(&self) -> bool;
}

/// What an expression has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A value of any type.
    Anything,
    /// A condition.
    Condition,
    /// An `int`, `decimal` or `float`.
    Number,
    /// Something that can be summed: a number or a duration.
    Summable,
    /// A number, a duration or a time.
    Averageable,
    /// A time.
    Time,
    /// A text.
    Text,
}

/// A mistake in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the text.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Mistake {
    fn new(span: std::ops::Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake { span, message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Mistake {
        Mistake { help: Some(help.into()), ..self }
    }
}

/// Compiles an expression.
///
/// # Errors
/// All the mistakes that were found.
pub fn compile(text: &str, names: &mut dyn Names, expected: &Expected) -> Result<Expr, Vec<Mistake>> {
    let source = source::SourceText::read(text)?;
    let syntax = syntax::parse(&source)?;
    let mut checker = check::Checker { text, names, mistakes: Vec::new(), refs: Vec::new() };
    let node = checker.value(&syntax).and_then(|node| checker.expect(node, expected));
    let check::Checker { mut mistakes, refs, .. } = checker;
    let Some(node) = node.filter(|_| mistakes.is_empty()) else {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        return Err(mistakes);
    };
    Ok(Expr {
        source: text.to_owned(),
        condition: (node.ty == Type::Bool).then(|| compile::condition(&node)),
        value: compile::value(&node),
        turns: change_points::turns(&node),
        chain: predicate::chain(&node),
        thresholds: threshold::thresholds(&source, &node),
        sign: predicate::Sign::of(&node),
        ty: node.ty,
        refs,
    })
}
