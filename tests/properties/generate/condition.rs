//! Random expressions over typed names. Each is valid, and none is always true or never true by its
//! form.

use super::{Name, Rng, Ty};

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) names: &'a [Name],
    pub(crate) now: bool,
    /// How many ms durations are multiples of.
    pub(crate) grain: i64,
}

const TEXTS: [&str; 4] = ["a", "b", "c", "ab"];
/// Amounts whose quotients and means floats get wrong.
pub(super) const AMOUNTS: [&str; 6] = ["8.29", "24.87", "271.80", "1902.60", "0.29", "0.07"];
/// Floats that sum to what is no multiple of them.
pub(super) const SHARES: [&str; 6] = ["0.1", "0.2", "0.3", "0.7", "1.1", "8.29"];

impl Place<'_> {
    fn of_type(&self, rng: &mut Rng, ty: &Ty) -> Option<Name> {
        let fitting: Vec<&Name> = self.names.iter().filter(|name| name.ty == *ty && !name.huge).collect();
        if fitting.is_empty() { None } else { Some((*rng.pick(&fitting)).clone()) }
    }

    /// A condition.
    pub(crate) fn condition(&self, rng: &mut Rng, depth: usize) -> String {
        if depth > 0 && rng.chance(45) {
            let first = self.condition(rng, depth - 1);
            return match rng.below(5) {
                0 => format!("!({first})"),
                1 => format!("({first}) ? ({}) : ({})", self.condition(rng, 0), self.condition(rng, 0)),
                2 | 3 => {
                    let second = self.condition(rng, depth - 1);
                    // `x < 1 && x > 2` is never true, and a mistake.
                    let apart = !self.shares(&first, &second) || rng.chance(25);
                    format!("({first}) {} ({second})", if apart { "&&" } else { "||" })
                }
                _ => {
                    // `x < 2 || x > 1` is always true, and a mistake as well: it is drawn rarely.
                    let mut second = self.condition(rng, depth - 1);
                    for _ in 0..3 {
                        if self.shares(&first, &second) {
                            second = self.condition(rng, depth - 1);
                        }
                    }
                    format!("({first}) || ({second})")
                }
            };
        }
        if self.now
            && rng.chance(45)
            && let Some(comparison) = self.with_now(rng)
        {
            return comparison;
        }
        for _ in 0..20 {
            let name = rng.pick(self.names).clone();
            if let Some(atom) = self.atom(rng, &name) {
                return atom;
            }
        }
        format!("has({})", self.names[0].text)
    }

    /// Whether two conditions use the same name.
    fn shares(&self, first: &str, second: &str) -> bool {
        self.names.iter().any(|name| first.contains(&name.text) && second.contains(&name.text))
    }

    fn atom(&self, rng: &mut Rng, name: &Name) -> Option<String> {
        let text = &name.text;
        if rng.chance(12) {
            return Some(format!("has({text})"));
        }
        let operator = *rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
        if matches!(name.ty, Ty::Int | Ty::Decimal(_))
            && rng.chance(30)
            && let Some(comparison) = self.of_quotients(rng, name)
        {
            return Some(comparison);
        }
        Some(match &name.ty {
            Ty::Bool => match rng.below(4) {
                0 => format!("!{text}"),
                1 => format!("{text} == {}", rng.chance(50)),
                _ => text.clone(),
            },
            Ty::Text => match rng.below(6) {
                0 => format!("{text} in ['a', 'ab']"),
                1 => format!("{text}.startsWith('a')"),
                2 => format!("{text}.contains('b')"),
                3 => format!("size({text}) > 1"),
                4 => format!("{text} {operator} '{}'", rng.pick(&TEXTS)),
                _ => format!("{text} == '{}'", rng.pick(&TEXTS)),
            },
            Ty::Int if name.never_negative => {
                let operator = *rng.pick(&[">", "==", "!=", ">="]);
                format!("{text} {operator} {}", rng.between(1, 4))
            }
            Ty::Int | Ty::Decimal(_) | Ty::Float | Ty::Duration => {
                let left = if name.huge || rng.chance(60) { text.clone() } else { self.value(rng, &name.ty, 1)? };
                let other = self.of_type(rng, &name.ty).filter(|other| other.text != *text && !name.huge);
                match other {
                    Some(other) if rng.chance(25) && left == *text => format!("{left} {operator} {}", other.text),
                    _ => format!("{left} {operator} {}", self.literal(rng, &name.ty)),
                }
            }
            Ty::Time => {
                let other = self.of_type(rng, &Ty::Time).filter(|other| other.text != *text)?;
                match rng.below(3) {
                    0 => format!("{text} - {} {operator} {}", other.text, self.literal(rng, &Ty::Duration)),
                    _ => format!("{text} {operator} {}", other.text),
                }
            }
            Ty::List(of) => match **of {
                Ty::Text if rng.chance(60) => format!("'{}' in {text}", rng.pick(&TEXTS)),
                Ty::Int if rng.chance(60) => format!("{} in {text}", rng.between(0, 4)),
                _ => format!("size({text}) > {}", rng.between(1, 2)),
            },
            Ty::Id(0) => match rng.below(3) {
                0 => format!("{text} in {}", rng.pick(&["['c1', '07']", "[7, 10]"])),
                _ => format!("{text} {} {}", rng.pick(&["==", "!="]), rng.pick(&["'c1'", "7", "'7'", "10"])),
            },
            Ty::Id(_) => format!("{text} {} {}", rng.pick(&["==", "!="]), rng.pick(&["'a1'", "3", "'k1'"])),
        })
    }

    /// A comparison that is linear in `now`.
    fn with_now(&self, rng: &mut Rng) -> Option<String> {
        let time = self.value(rng, &Ty::Time, 1)?;
        let operator = *rng.pick(&["<", "<=", ">", ">=", "<", ">", "==", "!="]);
        let span = match self.of_type(rng, &Ty::Duration) {
            Some(name) if rng.chance(30) => name.text,
            _ => format!("{}ms", self.grain * rng.between(0, 60)),
        };
        Some(match rng.below(8) {
            0 | 1 => format!("now - {time} {operator} {span}"),
            2 | 3 => format!("{time} - now {operator} {span}"),
            4 => format!("now {operator} {time}"),
            5 => format!("{time} {operator} now"),
            6 => format!("now - {span} {operator} {time}"),
            _ => format!("{time} + {span} {operator} now"),
        })
    }

    /// An expression of a type; `None` without a name of that type.
    pub(crate) fn value(&self, rng: &mut Rng, ty: &Ty, depth: usize) -> Option<String> {
        let name = self.of_type(rng, ty)?.text;
        if depth == 0 || rng.chance(45) {
            return Some(name);
        }
        if rng.chance(25)
            && let Some(mixed) = self.mixed(rng, ty, &name)
        {
            return Some(mixed);
        }
        let other = self.value(rng, ty, depth - 1)?;
        let plain = |rng: &mut Rng| self.literal(rng, ty);
        Some(match (ty, rng.below(7)) {
            (Ty::List(_) | Ty::Id(_) | Ty::Bool, _) => name,
            (_, 0) => {
                let condition = Place { now: false, ..*self }.condition(rng, 0);
                format!("(({condition}) ? {name} : {other})")
            }
            (Ty::Time, 1..=3) => {
                format!("({name} {} {})", rng.pick(&["+", "-"]), self.literal(rng, &Ty::Duration))
            }
            (Ty::Time | Ty::Text, 4) => format!("coalesce({name}, {other})"),
            (Ty::Time, _) => format!("{}({name}, {other})", rng.pick(&["min", "max"])),
            (Ty::Text, _) => format!("coalesce({name}, '{}')", rng.pick(&TEXTS)),
            (_, 1) => format!("coalesce({name}, {})", plain(rng)),
            (_, 2) => format!("({name} {} {other})", rng.pick(&["+", "-"])),
            (_, 3) => format!("{}({name}, {other})", rng.pick(&["min", "max"])),
            (Ty::Int, 4) => format!("({name} {} {})", rng.pick(&["*", "%", "/"]), rng.between(2, 4)),
            (Ty::Duration, 4) => {
                let operator = if self.grain == 1 { *rng.pick(&["*", "/"]) } else { "*" };
                format!("({name} {operator} {})", rng.between(2, 4))
            }
            (Ty::Decimal(_), 4) => format!("({name} * {})", rng.between(2, 4)),
            (Ty::Float, 4) => format!("({name} * {})", rng.pick(&["0.5", "2.0", "2"])),
            (Ty::Duration, _) => format!("({name} + {})", plain(rng)),
            (_, 5) => format!("-{name}"),
            _ => format!("abs({name})"),
        })
    }
}

impl Place<'_> {
    /// An expression of a type with parts of other types, or that may fail.
    fn mixed(&self, rng: &mut Rng, ty: &Ty, name: &str) -> Option<String> {
        let sign = *rng.pick(&["+", "-"]);
        let of = |rng: &mut Rng, ty: Ty| self.of_type(rng, &ty).map(|name| name.text);
        let huge = self.names.iter().find(|name| name.huge && name.ty == *ty);
        if let Some(huge) = huge.filter(|_| rng.chance(40)) {
            return Some(format!("({} {sign} {name})", huge.text));
        }
        Some(match ty {
            Ty::Int => match rng.below(6) {
                0 => format!("size({})", of(rng, Ty::Text)?),
                1 => format!("{}.getMilliseconds()", of(rng, Ty::Time)?),
                2 => format!("int({})", of(rng, Ty::Decimal(2))?),
                3 => {
                    let amount = self.of_type(rng, &Ty::Decimal(2))?;
                    format!("int({} * {})", self.quotient(rng, &amount)?, rng.pick(&["90.0", "100", "1000.0"]))
                }
                operator => format!("({name} {} {})", ["/", "%"][operator % 2], of(rng, Ty::Int)?),
            },
            Ty::Decimal(scale) => {
                let smaller = Ty::Decimal(rng.below(usize::from(*scale) + 1) as u8);
                match rng.below(3) {
                    0 => format!("({name} {sign} {})", of(rng, smaller)?),
                    1 => format!("({name} * {})", of(rng, Ty::Int)?),
                    _ => format!("({name} {sign} {})", of(rng, Ty::Int)?),
                }
            }
            Ty::Float if rng.chance(60) => {
                let amount = rng.pick(&[Ty::Decimal(1), Ty::Decimal(2), Ty::Decimal(3), Ty::Int]).clone();
                let amount = self.of_type(rng, &amount)?;
                self.quotient(rng, &amount)?
            }
            Ty::Float => format!("({name} {sign} {})", of(rng, Ty::Int)?),
            Ty::Duration => format!("({} - {})", of(rng, Ty::Time)?, of(rng, Ty::Time)?),
            Ty::Text => format!("({name} + {})", of(rng, Ty::Text)?),
            _ => return None,
        })
    }

    /// A quotient of exact numbers, or a product that is no decimal. Its dividend is an int or a
    /// decimal.
    fn quotient(&self, rng: &mut Rng, dividend: &Name) -> Option<String> {
        if dividend.huge {
            return None;
        }
        let text = &dividend.text;
        if dividend.ty == Ty::Int && rng.chance(30) {
            return Some(format!("({text} {})", rng.pick(&["* 0.1", "/ 10.0 * 3", "* (1.0 / 3.0)"])));
        }
        let divisors: Vec<&Name> = self.amounts().filter(|other| other.text != *text).collect();
        let divisor = if divisors.is_empty() || rng.chance(25) {
            rng.pick(&["3.0", "100.0", "0.7", "271.80"]).to_string()
        } else {
            rng.pick(&divisors).text.clone()
        };
        // Between ints, `/` gives a whole number.
        let point = if dividend.ty == Ty::Int { " * 1.1" } else { "" };
        Some(match rng.below(5) {
            0 | 1 => format!("({text}{point} / {divisor} * 90.0)"),
            2 => format!("({text}{point} / {divisor} - 0.1)"),
            _ => format!("({text}{point} / {divisor})"),
        })
    }

    /// The names of exact numbers.
    fn amounts(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().filter(|name| matches!(name.ty, Ty::Int | Ty::Decimal(_)) && !name.huge)
    }

    /// A comparison that floats get wrong.
    fn of_quotients(&self, rng: &mut Rng, name: &Name) -> Option<String> {
        let left = self.quotient(rng, name)?;
        let operator = *rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
        let amounts: Vec<&Name> = self.amounts().filter(|other| other.text != name.text).collect();
        let right = match rng.below(4) {
            0 if !amounts.is_empty() => rng.pick(&amounts).text.clone(),
            1 if !amounts.is_empty() => {
                let dividend = (*rng.pick(&amounts)).clone();
                self.quotient(rng, &dividend)?
            }
            _ => {
                rng.pick(&["8.29", "7", "630", "0.1", "0.3", "0.6", "1", "0.29", "1.0 / 3.0", "2.0 / 3.0"]).to_string()
            }
        };
        Some(if rng.chance(50) { format!("{left} {operator} {right}") } else { format!("{right} {operator} {left}") })
    }

    /// A literal of a type.
    fn literal(&self, rng: &mut Rng, ty: &Ty) -> String {
        match ty {
            Ty::Int | Ty::Decimal(0) => rng.between(-2, 6).to_string(),
            Ty::Decimal(2..) if rng.chance(30) => rng.pick(&AMOUNTS).to_string(),
            Ty::Decimal(_) => format!("{}.{}", rng.between(-3, 20), rng.between(0, 9)),
            Ty::Float if rng.chance(40) => rng.pick(&SHARES).to_string(),
            Ty::Float => format!("{}.{}", rng.between(-3, 20), rng.pick(&["0", "5", "25", "7131"])),
            Ty::Duration => format!("{}ms", self.grain * rng.between(1, 50)),
            Ty::Bool => rng.chance(50).to_string(),
            _ => format!("'{}'", rng.pick(&TEXTS)),
        }
    }
}
