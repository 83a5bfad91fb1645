//! The clauses of a condition, each compiled by itself: what `propice why` evaluates one by one.
//!
//! A plan holds a condition as one expression. Here its text is split at `&&`, `||`, `!` and
//! comparisons, and every part is compiled in the scope of the whole; an attribute that is a
//! condition is followed into its own. A comparison knows both of its sides, and the difference
//! between them where there is one, at a fixed instant.

use super::expr::{self, ConditionPart, Env, Expected, Expr, Name, Names, Ref, Shape};
use super::plan::Plan;
use propice_model::{KindId, LogicalTime, Type};

/// How deep attributes are followed into attributes.
const FOLLOWED: usize = 3;

/// A part of a condition.
#[derive(Debug)]
pub struct Clause {
    /// Compiled; its source is its text.
    pub expr: Expr,
    /// What it is made of.
    pub shape: ClauseShape,
}

/// What a part of a condition is made of.
#[derive(Debug)]
pub enum ClauseShape {
    /// All of them have to hold.
    All(Vec<Clause>),
    /// One of them has to hold.
    Any(Vec<Clause>),
    /// It must not hold.
    Not(Box<Clause>),
    /// A comparison.
    Compare(Box<ClauseComparison>),
    /// Whether a value is known.
    Known(String),
    /// An attribute that is a condition itself, over the slots of this scope alone.
    Attribute(u8, Box<Clause>),
    /// A name that is true or false.
    Flag,
    /// Anything else, with the names that it uses.
    Other(Vec<ComparedSide>),
}

/// A comparison at a fixed instant.
#[derive(Debug)]
pub struct ClauseComparison {
    /// `==`, `!=`, `<`, `<=`, `>`, `>=` or `in`.
    pub operator: &'static str,
    /// What stands before the operator.
    pub left: ComparedSide,
    /// What stands behind it.
    pub right: ComparedSide,
    /// The left side less the right one, where that means something.
    pub difference: Option<Expr>,
}

/// A side of a comparison.
#[derive(Debug)]
pub struct ComparedSide {
    /// As it was written.
    pub text: String,
    /// At the instant; `None` for what has no value by itself.
    pub expr: Option<Expr>,
}

impl ComparedSide {
    /// Whether it is the same for everyone, at any time.
    pub fn is_constant(&self) -> bool {
        self.expr.as_ref().is_none_or(|expr| expr.refs().is_empty() && expr.source() == self.text)
    }
}

/// The clauses of a condition over the slots of the customer and, for a moment about one, of an
/// entity. `None` when it cannot be split; then it is told as a whole.
pub fn clauses(plan: &Plan, about: Option<KindId>, condition: &Expr, now: LogicalTime) -> Option<Clause> {
    let mut scopes = vec![(0, KindId::CUSTOMER)];
    if let Some(kind) = about {
        scopes.insert(0, (1, kind));
    }
    ClauseCompiler { plan, now, scopes, depth: 0 }.condition(condition.source())
}

struct ClauseCompiler<'a> {
    plan: &'a Plan,
    now: LogicalTime,
    scopes: Vec<(u8, KindId)>,
    depth: usize,
}

impl ClauseCompiler<'_> {
    fn condition(&mut self, text: &str) -> Option<Clause> {
        let part = expr::parts(text)?;
        self.clause(&part)
    }

    fn clause(&mut self, part: &ConditionPart) -> Option<Clause> {
        let expr = expr::compile(&part.text, self, &Expected::Condition).ok()?;
        let shape = match &part.shape {
            Shape::All(parts) => ClauseShape::All(self.all(parts)?),
            Shape::Any(parts) => ClauseShape::Any(self.all(parts)?),
            Shape::Not(of) => ClauseShape::Not(Box::new(self.clause(of)?)),
            Shape::Compare { operator, left, right } => self.comparison(operator, left, right),
            Shape::Known(of) => ClauseShape::Known(of.clone()),
            Shape::Name => self.name(&expr),
            Shape::Other => self.other(&expr),
        };
        Some(Clause { expr, shape })
    }

    fn all(&mut self, parts: &[ConditionPart]) -> Option<Vec<Clause>> {
        parts.iter().map(|part| self.clause(part)).collect()
    }

    fn comparison(&mut self, operator: &'static str, left: &str, right: &str) -> ClauseShape {
        let (left_expr, right_expr) = (self.value(left), self.value(right));
        let is_measured = |expr: &Option<Expr>| {
            expr.as_ref().is_some_and(|expr| expr.ty().is_number() || matches!(expr.ty(), Type::Time | Type::Duration))
        };
        let difference = (is_measured(&left_expr) && is_measured(&right_expr))
            .then(|| self.value(&format!("({left}) - ({right})")))
            .flatten();
        ClauseShape::Compare(Box::new(ClauseComparison {
            operator,
            left: ComparedSide { text: left.to_owned(), expr: left_expr },
            right: ComparedSide { text: right.to_owned(), expr: right_expr },
            difference,
        }))
    }

    fn other(&mut self, whole: &Expr) -> ClauseShape {
        let side = |(_, name): &(Ref, String)| ComparedSide { text: name.clone(), expr: self.value(name) };
        ClauseShape::Other(whole.refs().iter().map(side).collect())
    }

    fn value(&mut self, text: &str) -> Option<Expr> {
        let text = expr::at_instant(text, self.now)?;
        expr::compile(&text, self, &Expected::Anything).ok()
    }

    fn name(&mut self, expr: &Expr) -> ClauseShape {
        let [(reference, _)] = expr.refs() else { return ClauseShape::Flag };
        let kind = self.scopes.iter().find(|(scope, _)| *scope == reference.scope).map(|(_, kind)| *kind);
        let Some(kind) = kind.filter(|_| self.depth < FOLLOWED) else { return ClauseShape::Flag };
        let entity = &self.plan.entities[kind.index()];
        let attribute = usize::from(reference.slot).checked_sub(entity.features.len());
        let Some(attribute) = attribute.and_then(|at| entity.attributes.get(at)) else { return ClauseShape::Flag };
        let mut inner =
            ClauseCompiler { plan: self.plan, now: self.now, scopes: vec![(0, kind)], depth: self.depth + 1 };
        match inner.condition(attribute.expr.source()) {
            Some(clause) => ClauseShape::Attribute(reference.scope, Box::new(clause)),
            None => ClauseShape::Flag,
        }
    }
}

/// The names of a plan, as [`ViewScope`](super::pack) resolves them while it is loaded.
impl Names for ClauseCompiler<'_> {
    fn resolve(&mut self, path: &[&str]) -> Option<Name> {
        let slot_of = |kind: KindId, name: &str| {
            let entity = &self.plan.entities[kind.index()];
            (0..entity.slots()).find(|slot| entity.slot(*slot).0 == name)
        };
        let found = match path {
            [name] => self.scopes.iter().find_map(|&(scope, kind)| Some((scope, kind, slot_of(kind, name)?))),
            [qualifier, name] => {
                let of_kind =
                    self.scopes.iter().filter(|(_, kind)| self.plan.entities[kind.index()].name == *qualifier);
                let field = format!("{qualifier}.{name}");
                of_kind.map(|&(scope, kind)| Some((scope, kind, slot_of(kind, name)?))).find_map(|found| found).or_else(
                    || self.scopes.iter().find_map(|&(scope, kind)| Some((scope, kind, slot_of(kind, &field)?))),
                )
            }
            _ => None,
        };
        let (scope, kind, slot) = found?;
        let (_, ty) = self.plan.entities[kind.index()].slot(slot);
        let reference = Ref { scope, slot: u16::try_from(slot).ok()? };
        // What can never be true was found when the whole was compiled.
        Some(Name { reference, ty: ty.clone(), never_negative: false })
    }

    fn candidates(&self) -> Vec<String> {
        Vec::new()
    }

    fn kind_name(&self, kind: KindId) -> String {
        self.plan.entities.get(kind.index()).map(|entity| entity.name.clone()).unwrap_or_default()
    }

    fn allows_now(&self) -> bool {
        true
    }
}

/// What an attribute is evaluated over: the row of its scope alone.
pub fn of_scope<'a>(env: &Env<'a>, scope: u8) -> Env<'a> {
    Env::of(if scope == 0 { env.row } else { env.entity }, env.now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_model::Value;

    const PACK: &str = r#"
[pack]
name = "p"
[table.owners]
key = ["a"]
fields = { a = "id(account)", c = "id(customer)", limit = "decimal(2)" }
[stream.s]
time = "at"
about = "a"
fields = { at = "time", a = "id(account)", n = "decimal(2)" }
[entity.account]
belongs_to = { by = "owners", customer = "c" }
[account.feature]
balance = { from = "s", sum = "n" }
last = { from = "s", last = "at" }
[customer.feature]
balance = { over = "account", sum = "balance" }
[customer.attribute]
poor = "balance < 10.00"
[moment.m]
about = "account"
when = "balance < owners.limit && (customer.balance >= 1.00 || !poor) && now - last >= 2d"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
"#;

    #[test]
    fn every_clause_is_compiled_where_the_whole_is() {
        let plan = crate::load("p.toml", PACK).unwrap_or_else(|errors| panic!("{errors}"));
        let day = 86_400_000;
        let moment = &plan.moments[0];
        let whole = clauses(&plan, moment.about, &moment.when, 5 * day as u64).expect("it can be split");
        let decimal = |units: i128| Value::decimal(units);
        // The account: balance, last, owners.limit. The customer: balance, poor.
        let entity = [decimal(700), Value::Time(4 * day), decimal(500)];
        let row = [decimal(1200), Value::Bool(false)];
        let env = Env { row: &row, entity: &entity, now: 5 * day as u64 };
        let ClauseShape::All(parts) = &whole.shape else { panic!("three clauses") };
        let holds: Vec<bool> = parts.iter().map(|part| part.expr.holds(&env)).collect();
        assert_eq!(holds, [false, true, false]);
        assert_eq!(whole.expr.holds(&env), moment.when.holds(&env));
        let difference = |clause: &Clause| match &clause.shape {
            ClauseShape::Compare(comparison) => comparison.difference.as_ref().and_then(|expr| expr.eval(&env).ok()),
            _ => None,
        };
        assert_eq!(difference(&parts[0]), Some(decimal(200)));
        assert_eq!(difference(&parts[2]), Some(Value::Duration(-day)));
        let ClauseShape::Any(either) = &parts[1].shape else { panic!("one of two") };
        let ClauseShape::Not(poor) = &either[1].shape else { panic!("a negation") };
        let ClauseShape::Attribute(0, inner) = &poor.shape else { panic!("an attribute: {poor:?}") };
        assert!(!inner.expr.holds(&of_scope(&env, 0)));
    }
}
