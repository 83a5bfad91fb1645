//! Conditions in words: which clauses hold, which do not, and by how much.

use super::answer::Clause;
use propice_define::Plan;
use propice_define::clauses::{self, ClauseComparison, ClauseShape, ComparedSide, of_scope};
use propice_define::expr::{Env, Expr};
use propice_define::plan::{DataKinds, Evidence};
use propice_edge::trigger::language::Teller;
use propice_model::{Decimal, KindId, Type, Value};

/// Tells conditions of one customer.
pub(super) struct Rendered<'a> {
    pub(super) plan: &'a Plan,
    pub(super) teller: &'a Teller,
    /// The kinds of data that the customer does not consent to.
    pub(super) denied: DataKinds,
    /// What the whole condition uses, with the kinds of data that it is of.
    pub(super) evidence: &'a [Evidence],
}

impl Rendered<'_> {
    /// A condition about a kind of entity (or the customer), clause by clause. `wanted`: it should
    /// hold.
    pub(super) fn condition(&self, about: Option<KindId>, condition: &Expr, env: &Env<'_>, wanted: bool) -> Clause {
        match clauses::clauses(self.plan, about, condition, env.now) {
            Some(clause) => self.clause(&clause, env, Some(wanted)),
            None => Clause {
                text: condition.source().to_owned(),
                holds: self.withheld(condition).is_none().then(|| condition.holds(env)),
                told: String::new(),
                parts: Vec::new(),
                joined: None,
            },
        }
    }

    /// `wanted`: how it should be; `None` when that makes no difference, because what it is part of
    /// is as it should be.
    fn clause(&self, clause: &clauses::Clause, env: &Env<'_>, wanted: Option<bool>) -> Clause {
        let text = clause.expr.source().to_owned();
        let withheld = self.withheld(&clause.expr);
        let holds = withheld.is_none().then(|| clause.expr.holds(env));
        let wanted = wanted.filter(|wanted| holds != Some(*wanted));
        let of = |parts: &[clauses::Clause]| parts.iter().map(|part| self.clause(part, env, wanted)).collect();
        let joined = |joined, parts| Clause { text: text.clone(), holds, told: String::new(), parts, joined };
        match &clause.shape {
            ClauseShape::All(parts) => return joined(Some("all"), of(parts)),
            ClauseShape::Any(parts) => return joined(Some("any"), of(parts)),
            _ => {}
        }
        if let Some(kind) = withheld {
            let told = self.teller.language.pick(
                format!("not told: the customer does not consent to the use of {kind}"),
                format!("non dit : le client ne consent pas à l'utilisation de {kind}"),
            );
            return Clause { text, holds, told, parts: Vec::new(), joined: None };
        }
        match &clause.shape {
            ClauseShape::Not(inner) => joined(Some("not"), vec![self.clause(inner, env, wanted.map(|wanted| !wanted))]),
            ClauseShape::Attribute(scope, inner) => {
                // Of an attribute that may be used all parts may be told.
                let open = Rendered { evidence: &[], ..*self };
                let inner = open.clause(inner, &of_scope(env, *scope), wanted);
                // What an attribute joins stands for it.
                if matches!(inner.joined, Some("all" | "any")) {
                    return Clause { text, ..inner };
                }
                joined(Some("is"), vec![inner])
            }
            _ => {
                let told = self.leaf(clause, env, wanted);
                Clause { text, holds, told, parts: Vec::new(), joined: None }
            }
        }
    }

    /// The kind of data for which a part of a condition cannot be told.
    fn withheld(&self, expr: &Expr) -> Option<&str> {
        let of = |scope: u8, slot: u16| {
            self.evidence.iter().find(|known| (known.scope, known.slot) == (scope, slot)).map_or(0, |known| known.data)
        };
        let kinds = expr.refs().iter().fold(0, |kinds, (reference, _)| kinds | of(reference.scope, reference.slot));
        data_name(self.plan, kinds & self.denied)
    }

    fn leaf(&self, clause: &clauses::Clause, env: &Env<'_>, wanted: Option<bool>) -> String {
        let is_so = wanted.is_none();
        let wanted = wanted.unwrap_or_else(|| clause.expr.holds(env));
        let mut told = match &clause.shape {
            ClauseShape::Compare(comparison) => self.comparison(comparison, env, wanted, is_so),
            ClauseShape::Known(of) => {
                let is_known = clause.expr.holds(env);
                let [no, yes] =
                    self.teller.language.pick(["is not known", "is known"], ["n'est pas connu", "est connu"]);
                format!("{of} {}", if is_known { yes } else { no })
            }
            ClauseShape::Flag => self.flag(&clause.expr, env, wanted, is_so),
            ClauseShape::Other(sides) if clause.expr.eval(env).is_ok() => self.values(sides, env),
            _ => self.teller.language.pick("it cannot be computed", "ne peut être calculé").to_owned(),
        };
        if !is_so
            && let Some(turn) =
                clause.expr.next_change_point(env).filter(|turn| holds_at(&clause.expr, env, *turn) == wanted)
        {
            let at = self.teller.time(turn as i64);
            told.push_str(&self.teller.language.pick(
                format!(" (by itself on {at}, if nothing else changes)"),
                format!(" (de soi-même le {at}, si rien d'autre ne change)"),
            ));
        }
        told
    }

    fn flag(&self, expr: &Expr, env: &Env<'_>, wanted: bool, is_so: bool) -> String {
        let name = expr.source();
        let shown = self.shown(&expr.eval(env).unwrap_or_default(), &Type::Bool);
        let is = self.teller.language.pick(format!("{name} is: {shown}"), format!("{name} : {shown}"));
        if is_so {
            return is;
        }
        let value = self.shown(&Value::Bool(wanted), &Type::Bool);
        self.teller
            .language
            .pick(format!("{is}; it would have to be: {value}"), format!("{is} ; il faudrait : {value}"))
    }

    /// The values of what a part uses.
    fn values(&self, sides: &[ComparedSide], env: &Env<'_>) -> String {
        let is = self.teller.language.pick("is", "est");
        let told = |side: &ComparedSide| {
            let (value, ty) = value_of(side, env)?;
            Some(format!("{} {is} {}", side.text, self.shown(&value, &ty)))
        };
        self.teller.list(&sides.iter().filter_map(told).collect::<Vec<_>>())
    }

    fn comparison(&self, comparison: &ClauseComparison, env: &Env<'_>, wanted: bool, is_so: bool) -> String {
        // What is compared stands on the left, what it is compared with on the right.
        let mirror = comparison.left.is_constant() && !comparison.right.is_constant() && comparison.operator != "in";
        let (left, right) =
            if mirror { (&comparison.right, &comparison.left) } else { (&comparison.left, &comparison.right) };
        let operator = if mirror { mirrored(comparison.operator) } else { comparison.operator };
        let pick = |en: String, fr: String| self.teller.language.pick(en, fr);
        let Some(value) = value_of(left, env) else {
            return pick(format!("{} cannot be computed", left.text), format!("{} ne peut être calculé", left.text));
        };
        if value.0.is_null() {
            return pick(format!("{} is not known", left.text), format!("{} n'est pas connu", left.text));
        }
        let is = pick(
            format!("{} is {}", left.text, self.shown(&value.0, &value.1)),
            format!("{} est {}", left.text, self.shown(&value.0, &value.1)),
        );
        let with = match value_of(right, env) {
            Some((Value::Null, _)) => {
                let unknown = pick(format!("{} is not known", right.text), format!("{} n'est pas connu", right.text));
                return format!("{is}, {unknown}");
            }
            Some((with, ty)) if right.is_constant() => self.shown(&like(with, &ty, &value.1), &value.1),
            Some((with, ty)) => format!("{} ({})", right.text, self.shown(&with, &ty)),
            None => right.text.clone(),
        };
        if is_so {
            let is_plain = right.is_constant() || matches!(operator, "==" | "in");
            return if is_plain { is } else { pick(format!("{is}, against {with}"), format!("{is}, contre {with}")) };
        }
        let needed = if wanted { operator } else { negated(operator) };
        let lacks = self.lacks(comparison, env, needed, mirror);
        let words = self.needed(needed, &value.1);
        let words = if words.is_empty() { String::new() } else { format!("{words} ") };
        pick(
            format!("{is}; it would have to be {words}{with}{lacks}"),
            format!("{is} ; il faudrait {words}{with}{lacks}"),
        )
    }

    /// What a comparison asks for, in words.
    fn needed(&self, operator: &str, ty: &Type) -> &'static str {
        let is_time = *ty == Type::Time;
        let (english, french) = match operator {
            "<" if is_time => ("before", "avant le"),
            "<=" if is_time => ("not after", "au plus tard le"),
            ">" if is_time => ("after", "après le"),
            ">=" if is_time => ("not before", "au plus tôt le"),
            "<" => ("below", "moins de"),
            "<=" => ("at most", "au plus"),
            ">" => ("above", "plus de"),
            ">=" => ("at least", "au moins"),
            "!=" => ("anything but", "autre chose que"),
            "in" => ("one of", "une valeur parmi"),
            "not in" => ("none of", "aucune valeur parmi"),
            _ => ("", ""),
        };
        self.teller.language.pick(english, french)
    }

    /// By how much it fails, where that can be said.
    fn lacks(&self, comparison: &ClauseComparison, env: &Env<'_>, needed: &str, mirror: bool) -> String {
        let Some(expr) = &comparison.difference else { return String::new() };
        let Ok(difference) = expr.eval(env) else { return String::new() };
        let is_strict = matches!(needed, "<" | ">");
        if !is_strict && !matches!(needed, "<=" | ">=") {
            return String::new();
        }
        let Some((amount, is_above)) = magnitude(&difference, is_strict) else { return String::new() };
        let is_above = is_above != mirror;
        // What has to be less is above what it may be, or just as great.
        let less = matches!(needed, "<" | "<=");
        if is_above != less && !(is_strict && is_zero(&difference)) {
            return String::new();
        }
        let amount = self.shown(&amount, expr.ty());
        let more_than = is_strict && matches!(expr.ty(), Type::Float | Type::Duration);
        let more_than = if more_than { self.teller.language.pick("over ", "plus de ") } else { "" };
        let which = if less {
            self.teller.language.pick("less", "de moins")
        } else {
            self.teller.language.pick("more", "de plus")
        };
        self.teller.language.pick(format!(": {more_than}{amount} {which}"), format!(" : {more_than}{amount} {which}"))
    }

    /// A value in words; texts in quotes.
    pub(super) fn shown(&self, value: &Value, ty: &Type) -> String {
        match value {
            Value::Text(text) => self.teller.language.pick(format!("“{text}”"), format!("« {text} »")),
            Value::List(values) => {
                let of = if let Type::List(of) = ty { of } else { ty };
                self.teller.list(&values.iter().map(|value| self.shown(value, of)).collect::<Vec<_>>())
            }
            value => self.teller.value(value, ty),
        }
    }
}

/// The name of the first of some kinds of data.
pub(super) fn data_name(plan: &Plan, kinds: DataKinds) -> Option<&str> {
    plan.policy.kinds(kinds).next().map(|data| data.name.as_str())
}

/// The first clauses because of which a condition is not as it should be, in words.
pub(super) fn fails(clause: &Clause, wanted: bool) -> Vec<String> {
    if clause.holds == Some(wanted) {
        return Vec::new();
    }
    match (clause.joined, wanted) {
        (Some("all"), true) | (Some("any"), false) => {
            // What is known to fail goes before what may not be told.
            let (told, withheld): (Vec<&Clause>, Vec<&Clause>) =
                clause.parts.iter().partition(|part| part.holds.is_some());
            let mut parts = told.into_iter().chain(withheld).map(|part| fails(part, wanted));
            parts.find(|fails| !fails.is_empty()).unwrap_or_default()
        }
        (Some("all" | "any" | "is"), _) => clause.parts.iter().flat_map(|part| fails(part, wanted)).collect(),
        (Some("not"), _) => clause.parts.iter().flat_map(|part| fails(part, !wanted)).collect(),
        _ if clause.told.is_empty() => vec![clause.text.clone()],
        _ => vec![clause.told.clone()],
    }
}

fn holds_at(expr: &Expr, env: &Env<'_>, now: u64) -> bool {
    expr.holds(&Env { now, ..*env })
}

fn value_of(side: &ComparedSide, env: &Env<'_>) -> Option<(Value, Type)> {
    let expr = side.expr.as_ref()?;
    Some((expr.eval(env).ok()?, expr.ty().clone()))
}

/// A number literal as one of the type that it is compared with, so that it has as many decimals.
fn like(literal: Value, ty: &Type, other: &Type) -> Value {
    match (&literal, ty, other) {
        (Value::Int(number), _, Type::Decimal(scale)) => {
            Value::Decimal(Decimal::new(i128::from(*number) * 10_i128.pow(u32::from(*scale))))
        }
        (Value::Float(number), _, Type::Decimal(scale)) => {
            Decimal::parse(&number.get().to_string(), *scale).map_or(literal, Value::Decimal)
        }
        (Value::Decimal(units), Type::Decimal(from), Type::Decimal(to)) if from <= to => {
            Value::Decimal(Decimal::new(units.units() * 10_i128.pow(u32::from(to - from))))
        }
        _ => literal,
    }
}

fn is_zero(difference: &Value) -> bool {
    match difference {
        Value::Int(number) | Value::Duration(number) => *number == 0,
        Value::Decimal(number) => number.units() == 0,
        Value::Float(number) => number.get() == 0.0,
        _ => false,
    }
}

/// How great a difference is, and whether it is above zero; of whole units one more, when it has to
/// be more than that.
fn magnitude(difference: &Value, is_strict: bool) -> Option<(Value, bool)> {
    let one = i64::from(is_strict);
    Some(match difference {
        Value::Int(number) => (Value::Int(number.checked_abs()?.checked_add(one)?), *number > 0),
        Value::Decimal(number) => {
            let units = number.units();
            (Value::Decimal(Decimal::new(units.checked_abs()?.checked_add(i128::from(one))?)), units > 0)
        }
        Value::Float(number) => (Value::float(number.get().abs()), number.get() > 0.0),
        Value::Duration(ms) => (Value::Duration(ms.checked_abs()?), *ms > 0),
        _ => return None,
    })
}

fn mirrored(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

fn negated(operator: &str) -> &'static str {
    match operator {
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        ">=" => "<",
        "==" => "!=",
        "!=" => "==",
        _ => "not in",
    }
}
