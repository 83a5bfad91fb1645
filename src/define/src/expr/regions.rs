//! What a condition demands of each of the things that it looks at.
//!
//! A condition is turned into conditions on one thing each, joined by *and* and *or*; `!` is pushed
//! down to them. A region then says of each thing which values it may have where the condition
//! holds. It is never smaller than the truth: an empty region means that the condition never holds,
//! a region that is not empty means nothing.

use std::collections::BTreeMap;

use super::sets::{Point, Set};
use super::typed::{Arithmetic, Comparison, Kind, Node, TimePart, oriented, rescaled};
use propice_model::{Ratio, Type, Value};

/// What conditions are about.
#[derive(Clone, Debug)]
pub(super) enum RegionSubject<'a> {
    /// The value of a part of the expression.
    Value(&'a Node),
    /// How two values compare: -1, 0 or 1.
    Order(&'a Node, &'a Node),
    /// `now` less the sum of these, the marked ones negated.
    SinceNow(Vec<(bool, &'a Node)>),
}

impl<'a> RegionSubject<'a> {
    /// The parts that have to be known for it to have a value.
    pub(super) fn parts(&self) -> Vec<&'a Node> {
        match self {
            RegionSubject::Value(node) => vec![node],
            RegionSubject::Order(left, right) => vec![left, right],
            RegionSubject::SinceNow(terms) => terms.iter().map(|(_, node)| *node).collect(),
        }
    }

    /// The values that it can have at all.
    pub(super) fn universe(&self) -> Set {
        match self {
            RegionSubject::Value(node) => possible(node),
            RegionSubject::Order(..) => between(-1, 1).with_null(true),
            RegionSubject::SinceNow(terms) => Set::known().with_null(!terms.is_empty()),
        }
    }

    /// Whether another is the same; `Some(true)` when it is the same the other way round.
    fn is(&self, other: &RegionSubject<'_>) -> Option<bool> {
        match (self, other) {
            (RegionSubject::Value(a), RegionSubject::Value(b)) => (a == b).then_some(false),
            (RegionSubject::Order(a, b), RegionSubject::Order(c, d)) if a == c && b == d => Some(false),
            (RegionSubject::Order(a, b), RegionSubject::Order(c, d)) => (a == d && b == c).then_some(true),
            (RegionSubject::SinceNow(a), RegionSubject::SinceNow(b)) => {
                let all = |of: &[(bool, &Node)], others: &[(bool, &Node)]| {
                    let count = |list: &[(bool, &Node)], wanted: &(bool, &Node)| {
                        list.iter().filter(|term| *term == wanted).count()
                    };
                    of.iter().all(|term| count(of, term) == count(others, term))
                };
                (a.len() == b.len() && all(a, b)).then_some(false)
            }
            _ => None,
        }
    }
}

/// The things that the conditions of one expression are about.
#[derive(Debug, Default)]
pub(super) struct Subjects<'a>(Vec<RegionSubject<'a>>);

impl<'a> Subjects<'a> {
    /// The one of a number.
    pub(super) fn get(&self, at: usize) -> Option<&RegionSubject<'a>> {
        self.0.get(at)
    }

    /// The values that a thing can have at all.
    pub(super) fn universe(&self, at: usize) -> Set {
        self.get(at).map_or_else(Set::all, RegionSubject::universe)
    }

    /// The number of a thing, and the values as it counts them.
    fn placed(&mut self, subject: RegionSubject<'a>, set: Set) -> (usize, Set) {
        for (at, known) in self.0.iter().enumerate() {
            match known.is(&subject) {
                Some(false) => return (at, set),
                Some(true) => return (at, mirrored(&set)),
                None => {}
            }
        }
        self.0.push(subject);
        (self.0.len() - 1, set)
    }

    /// A condition, or its opposite, as conditions on one thing each.
    pub(super) fn form(&mut self, node: &'a Node, wanted: bool) -> Form {
        match &node.kind {
            Kind::Not(of) => self.form(of, !wanted),
            Kind::All(parts) | Kind::Any(parts) => {
                let forms = parts.iter().map(|part| self.form(part, wanted)).collect();
                if matches!(node.kind, Kind::All(_)) == wanted { Form::All(forms) } else { Form::Any(forms) }
            }
            _ => {
                let (subject, set) = literal(node);
                let set = if wanted { set } else { set.complement() };
                let (at, set) = self.placed(subject, set);
                Form::Is(at, set.intersect(&self.universe(at)))
            }
        }
    }
}

/// A condition without `!`.
pub(super) enum Form {
    /// A thing has one of these values.
    Is(usize, Set),
    /// Each of them.
    All(Vec<Form>),
    /// One of them.
    Any(Vec<Form>),
}

/// The values that each thing may have; what is not there may have any.
pub(super) type Region = BTreeMap<usize, Set>;

impl Form {
    /// Where it holds: `None` when that is nowhere.
    pub(super) fn region(&self) -> Option<Region> {
        match self {
            Form::Is(at, set) => (!set.is_empty()).then(|| Region::from([(*at, set.clone())])),
            Form::All(forms) => forms.iter().try_fold(Region::new(), |region, form| meet(&region, &form.region()?)),
            Form::Any(forms) => forms.iter().filter_map(Form::region).reduce(|region, other| join(region, &other)),
        }
    }
}

/// What is in both; `None` when that is nothing.
pub(super) fn meet(left: &Region, right: &Region) -> Option<Region> {
    let mut region = left.clone();
    for (at, set) in right {
        let both = region.get(at).map_or_else(|| set.clone(), |known| known.intersect(set));
        if both.is_empty() {
            return None;
        }
        region.insert(*at, both);
    }
    Some(region)
}

/// A region that holds both.
fn join(left: Region, right: &Region) -> Region {
    left.into_iter().filter_map(|(at, set)| right.get(&at).map(|other| (at, set.union(other)))).collect()
}

/// What a condition on one thing is about, and the values with which it holds.
pub(super) fn literal(node: &Node) -> (RegionSubject<'_>, Set) {
    let found = match &node.kind {
        Kind::Compare(comparison, left, right) => match oriented(*comparison, left, right) {
            Some((subject, comparison, constant)) => {
                let subject = plain(subject);
                with_constant(subject, comparison, constant).map(|set| (RegionSubject::Value(subject), set))
            }
            None => Some((RegionSubject::Order(left, right), within(*comparison, ConstantPlace::On(0), &Point::Grid))),
        },
        Kind::NowCompare(comparison, terms) => since_now(*comparison, terms),
        Kind::Has(of) => Some((RegionSubject::Value(plain(of)), Set::known())),
        Kind::In(value, list) => one_of(plain(value), list).map(|set| (RegionSubject::Value(plain(value)), set)),
        _ => None,
    };
    // Anything else holds or does not.
    found.unwrap_or_else(|| (RegionSubject::Value(node), Set::only(Point::Grid(1))))
}

/// Without a change to another kind of number that keeps every number.
pub(super) fn plain(node: &Node) -> &Node {
    match (&node.kind, &node.ty) {
        (Kind::Convert(of), Type::Decimal(_)) if matches!(of.ty, Type::Int | Type::Decimal(_)) => plain(of),
        _ => node,
    }
}

/// The values that a part of an expression can have at all.
fn possible(node: &Node) -> Set {
    let known = match (&node.kind, &node.ty) {
        (Kind::Part(part, ..), _) => {
            let (least, most) = bounds_of(*part);
            between(least, most)
        }
        (_, Type::Bool) => between(0, 1),
        (_, Type::Float) if node.is_never_negative() && node.is_exact() => {
            Set::above(Point::Exact(Ratio::whole(0)), true)
        }
        (_, Type::Float) if node.is_never_negative() => Set::above(Point::Dense(Value::float(0.0)), true),
        (_, Type::Int | Type::Decimal(_) | Type::Duration) if node.is_never_negative() => {
            Set::above(Point::Grid(0), true)
        }
        _ => Set::known(),
    };
    known.with_null(true)
}

/// The least and the greatest number of a part of a time.
pub(super) fn bounds_of(part: TimePart) -> (i128, i128) {
    match part {
        TimePart::FullYear => (-9_999, 9_999),
        TimePart::Month => (0, 11),
        TimePart::DayOfMonth => (0, 30),
        TimePart::Date => (1, 31),
        TimePart::DayOfWeek => (0, 6),
        TimePart::DayOfYear => (0, 365),
        TimePart::Hours => (0, 23),
        TimePart::Minutes | TimePart::Seconds => (0, 59),
        TimePart::Milliseconds => (0, 999),
    }
}

fn between(least: i128, most: i128) -> Set {
    Set::above(Point::Grid(least), true).intersect(&Set::below(Point::Grid(most), true))
}

/// Of -1, 0 and 1, the same with the sides exchanged.
fn mirrored(set: &Set) -> Set {
    let numbers = [-1, 0, 1].into_iter().filter(|number| {
        let is_in = set.intersect(&Set::only(Point::Grid(*number)));
        is_in.has_values()
    });
    let sets = numbers.map(|number| Set::only(Point::Grid(-number)));
    let known = sets.reduce(|set, other| set.union(&other)).unwrap_or_else(Set::none);
    known.with_null(set.null)
}

/// Where a constant lies.
enum ConstantPlace<T> {
    /// On a value.
    On(T),
    /// Behind this value of the grid, before the next.
    Behind(T),
}

/// What compares with a constant like this.
fn within<T>(comparison: Comparison, place: ConstantPlace<T>, point: &dyn Fn(T) -> Point) -> Set {
    match place {
        ConstantPlace::On(at) => match comparison {
            Comparison::Equal => Set::only(point(at)),
            Comparison::NotEqual => Set::only(point(at)).complement().with_null(false),
            Comparison::Less => Set::below(point(at), false),
            Comparison::LessEqual => Set::below(point(at), true),
            Comparison::Greater => Set::above(point(at), false),
            Comparison::GreaterEqual => Set::above(point(at), true),
        },
        ConstantPlace::Behind(at) => match comparison {
            Comparison::Equal => Set::none(),
            Comparison::NotEqual => Set::known(),
            Comparison::Less | Comparison::LessEqual => Set::below(point(at), true),
            Comparison::Greater | Comparison::GreaterEqual => Set::above(point(at), false),
        },
    }
}

/// The values of a thing that compare with a constant like this. `None` when that cannot be told.
pub(super) fn with_constant(subject: &Node, comparison: Comparison, constant: &Node) -> Option<Set> {
    let scale = match subject.ty {
        Type::Int => Some(0),
        Type::Decimal(scale) => Some(scale),
        _ => None,
    };
    if let Some(scale) = scale {
        let (units, of) = exactly(constant)?;
        let place = match rescaled_down(units, of, scale)? {
            (number, true) => ConstantPlace::On(number),
            (number, false) => ConstantPlace::Behind(number),
        };
        return Some(within(comparison, place, &Point::Grid));
    }
    if subject.ty == Type::Float && subject.is_exact() {
        // Compared as what they are, however close; with a float, rounded before.
        constant.constant()?;
        return Some(within(comparison, ConstantPlace::On(Point::Exact(constant.number()?)), &|point| point));
    }
    let point = match (&subject.ty, constant.constant()?) {
        (Type::Bool, Value::Bool(flag)) => Point::Grid(i128::from(*flag)),
        (Type::Time, Value::Time(ms)) | (Type::Duration, Value::Duration(ms)) => Point::Grid(i128::from(*ms)),
        (Type::Float, value @ Value::Float(_))
        | (Type::Text, value @ Value::Text(_))
        | (Type::Id(_), value @ Value::Id(_)) => Point::Dense(value.clone()),
        _ => return None,
    };
    Some(within(comparison, ConstantPlace::On(point), &|point| point))
}

/// A constant number in units of a scale.
fn exactly(constant: &Node) -> Option<(i128, u8)> {
    match (constant.constant()?, &constant.ty) {
        (Value::Int(number), _) => Some((i128::from(*number), 0)),
        (Value::Decimal(number), Type::Decimal(scale)) => Some((number.units(), *scale)),
        _ => None,
    }
}

/// Units of one scale as whole units of another, rounded down; and whether they are exactly that.
fn rescaled_down(units: i128, from: u8, to: u8) -> Option<(i128, bool)> {
    if from <= to {
        return Some((rescaled(units, from, to)?, true));
    }
    let divisor = 10_i128.checked_pow(u32::from(from - to))?;
    Some((units.div_euclid(divisor), units.rem_euclid(divisor) == 0))
}

/// `x in [1, 2]`
fn one_of(value: &Node, list: &Node) -> Option<Set> {
    let Kind::List(elements) = &list.kind else { return None };
    let mut sets = elements.iter().map(|element| {
        element.constant()?;
        with_constant(value, Comparison::Equal, element)
    });
    sets.try_fold(Set::none(), |set, other| Some(set.union(&other?)))
}

/// `now` compared with a sum: what is constant in it goes to the other side.
fn since_now(comparison: Comparison, terms: &[(bool, Node)]) -> Option<(RegionSubject<'_>, Set)> {
    let (mut constant, mut others) = (0_i128, Vec::new());
    for (negative, term) in terms {
        collect(term, *negative, &mut constant, &mut others)?;
    }
    let set = within(comparison, ConstantPlace::On(constant), &Point::Grid);
    Some((RegionSubject::SinceNow(others), set))
}

/// Adds what a term is made of, in milliseconds.
fn collect<'a>(term: &'a Node, negative: bool, constant: &mut i128, others: &mut Vec<(bool, &'a Node)>) -> Option<()> {
    match &term.kind {
        Kind::Constant(Value::Time(ms) | Value::Duration(ms)) => {
            let ms = i128::from(*ms);
            *constant = constant.checked_add(if negative { -ms } else { ms })?;
        }
        Kind::Negate(of) => collect(of, !negative, constant, others)?,
        Kind::Arithmetic(operator @ (Arithmetic::Add | Arithmetic::Subtract), left, right) => {
            collect(left, negative, constant, others)?;
            collect(right, negative != (*operator == Arithmetic::Subtract), constant, others)?;
        }
        _ => others.push((negative, term)),
    }
    Some(())
}
