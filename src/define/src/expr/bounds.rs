//! Conditions that are always the same: comparisons that can never be true, alone or together with
//! the others of one `&&` chain, and parts of an `||` chain one of which is always true.

use std::cmp::Ordering;
use std::ops::Range;

use super::check::Checker;
use super::regions::{Form, Region, RegionSubject, Subjects, bounds_of, literal, meet, plain};
use super::typed::{Comparison, Kind, Node, oriented};
use propice_model::{Type, Value};

impl Checker<'_> {
    /// Refuses a comparison that can never be true because of what is compared.
    pub(super) fn never(
        &mut self,
        comparison: Comparison,
        left: &Node,
        right: &Node,
        span: &Range<usize>,
    ) -> Option<()> {
        let Some((subject, comparison, constant)) = oriented(comparison, left, right) else { return Some(()) };
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if let (Some(most), Some(exact)) = (decimals(subject), constant.exact)
            && exact.scale > most
            && is_equality
        {
            let message = if comparison == Comparison::Equal { "can never be true" } else { "is always true" };
            let has = if most == 0 { "is whole".to_owned() } else { format!("has at most {most} decimals") };
            let help = format!("`{}` {has}", self.spelled(subject));
            return self.wrong(span.clone(), format!("this comparison {message}"), &help);
        }
        let Some(sign) = constant.constant().and_then(sign).filter(|_| subject.is_never_negative()) else {
            return Some(());
        };
        let never = match comparison {
            Comparison::Less => sign != Ordering::Greater,
            Comparison::LessEqual | Comparison::Equal => sign == Ordering::Less,
            _ => false,
        };
        if never {
            let help = format!("`{}` is never negative", self.spelled(subject));
            return self.wrong(span.clone(), "this comparison can never be true", &help);
        }
        Some(())
    }

    /// Refuses a condition on a part of a time that no time fulfils: `x.getMonth() == 12`.
    pub(super) fn out_of_range(&mut self, condition: &Node) -> Option<()> {
        let (subject, set) = literal(condition);
        let RegionSubject::Value(node) = &subject else { return Some(()) };
        if !set.intersect(&subject.universe()).is_empty() {
            return Some(());
        }
        let help = match &plain(node).kind {
            Kind::Part(part, ..) => {
                let (least, most) = bounds_of(*part);
                format!("`{}` is from {least} to {most}", self.spelled(node))
            }
            _ if node.is_never_negative() => format!("`{}` is never negative", self.spelled(node)),
            _ => format!("`{}` is never one of these", self.spelled(node)),
        };
        let what = if matches!(condition.kind, Kind::In(..)) { "this" } else { "this comparison" };
        self.wrong(condition.span.clone(), format!("{what} can never be true"), &help)
    }

    /// Refuses what is never, or always, in a chain of conditions: `&&` when `all`, else `||`.
    ///
    /// The parts of `||` are always true together when their opposites never are, so that both are
    /// looked at in the same way.
    pub(super) fn chain(&mut self, parts: &[Node], all: bool) {
        let mut subjects = Subjects::default();
        let forms: Vec<Form> = parts.iter().map(|part| subjects.form(part, all)).collect();
        let regions: Option<Vec<Region>> = forms.iter().map(Form::region).collect();
        // What is nothing by itself has been refused where it stands.
        let Some(regions) = regions else { return };
        let before = self.mistakes.len();
        let mut together = Region::new();
        for (at, region) in regions.iter().enumerate() {
            let Some(both) = meet(&together, region) else {
                let clash = (0..at).find(|&other| meet(&regions[other], region).is_none());
                self.clash(parts, (clash, at), all);
                continue;
            };
            if let Some(subject) = unknown_only(&subjects, &together, region, &both) {
                let clash = (0..at).find(|&other| {
                    meet(&regions[other], region)
                        .is_some_and(|both| unknown_only(&subjects, &regions[other], region, &both).is_some())
                });
                let known = subjects.get(subject).map_or_else(Vec::new, RegionSubject::parts);
                self.unknown(parts, (clash, at), &known, all);
                continue;
            }
            together = both;
        }
        if all && self.mistakes.len() == before {
            self.dead_branches(parts, &regions, &mut subjects);
        }
    }

    /// `B` excludes what stands before it in `&&`, or makes it complete in `||`.
    fn clash(&mut self, parts: &[Node], (other, at): (Option<usize>, usize), all: bool) {
        let part = &parts[at];
        let said = self.spelled(part).to_owned();
        let (span, message, help) = match (other.map(|other| &parts[other]), all) {
            (Some(other), true) => (
                part.span.clone(),
                format!("`{}` and `{said}` are never true together", self.spelled(other)),
                "write `||` when one of them is enough".to_owned(),
            ),
            (None, true) => (
                part.span.clone(),
                format!("`{said}` is never true together with what stands before it"),
                "write `||` when one of them is enough".to_owned(),
            ),
            (Some(other), false) => (
                other.span.start..part.span.end,
                format!("one of `{}` and `{said}` is always true", self.spelled(other)),
                format!("leave it out{}", both(parts, (Some(other), part))),
            ),
            (None, false) => (
                parts[0].span.start..part.span.end,
                "one of these is always true".to_owned(),
                format!("leave it out{}", both(&parts[..at], (None, part))),
            ),
        };
        self.wrong::<()>(span, message, &help);
    }

    /// Together they ask no more than whether something is known, or is not.
    fn unknown(&mut self, parts: &[Node], (other, at): (Option<usize>, usize), known: &[&Node], all: bool) {
        let part = &parts[at];
        let first = other.map_or(&parts[0], |other| &parts[other]);
        let mut names: Vec<String> = known.iter().map(|node| self.spelled(node).to_owned()).collect();
        names.dedup();
        let asked: Vec<String> = names.iter().map(|name| format!("has({name})")).collect();
        let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let are = if names.len() == 1 { "is" } else { "are" };
        let both_said = match other {
            Some(other) => format!("`{}` and `{}`", self.spelled(&parts[other]), self.spelled(part)),
            None => "these".to_owned(),
        };
        let (message, help) = if all {
            let asked = if asked.len() == 1 { format!("!{}", asked[0]) } else { format!("!({})", asked.join(" && ")) };
            (format!("{both_said} are true together only where {listed} {are} not known"), format!("write `{asked}`"))
        } else {
            let others = both(&parts[..at], (other.map(|other| &parts[other]), part));
            let asked = asked.join(" && ");
            (
                format!("one of {both_said} is always true, wherever {listed} {are} known"),
                format!("write `{asked}` when that is what is asked{others}"),
            )
        };
        self.wrong::<()>(first.span.start.min(part.span.start)..part.span.end.max(first.span.end), message, &help);
    }

    /// Refuses a part of `||` that the other conditions around it exclude: `n > 10 && (n < 5 ||
    /// ok)`.
    fn dead_branches<'n>(&mut self, parts: &'n [Node], regions: &[Region], subjects: &mut Subjects<'n>) {
        for (at, part) in parts.iter().enumerate() {
            let Kind::Any(branches) = &part.kind else { continue };
            let others = regions.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, region)| region);
            let Some(others) = others.into_iter().try_fold(Region::new(), |all, region| meet(&all, region)) else {
                return;
            };
            for branch in branches {
                let Some(region) = subjects.form(branch, true).region() else { continue };
                if meet(&others, &region).is_some() {
                    continue;
                }
                let excludes = |other: &usize| *other != at && meet(&regions[*other], &region).is_none();
                let said = match (0..parts.len()).find(excludes) {
                    Some(other) => format!("`{}`", self.spelled(&parts[other])),
                    None => "the rest of the condition".to_owned(),
                };
                let message = format!("`{}` is never true together with {said}", self.spelled(branch));
                self.wrong::<()>(branch.span.clone(), message, "leave it out, or change one of them");
            }
        }
    }
}

/// The thing of which two regions leave nothing but null together, though neither does alone.
fn unknown_only(subjects: &Subjects<'_>, left: &Region, right: &Region, both: &Region) -> Option<usize> {
    let has_values = |region: &Region, at: &usize| match region.get(at) {
        Some(set) => set.has_values(),
        None => subjects.universe(*at).has_values(),
    };
    right.keys().find(|at| !has_values(both, at) && has_values(left, at) && has_values(right, at)).copied()
}

/// ` or write `&&` …`, where the conditions can hold together.
fn both(parts: &[Node], (other, part): (Option<&Node>, &Node)) -> String {
    let mut subjects = Subjects::default();
    let others: Vec<&Node> = other.map_or_else(|| parts.iter().collect(), |other| vec![other]);
    let mut regions = others.into_iter().chain([part]).map(|node| subjects.form(node, true).region());
    let possible = regions.try_fold(Region::new(), |all, region| meet(&all, &region?)).is_some();
    if possible { ", or `&&` when both have to hold".to_owned() } else { String::new() }
}

/// How many decimals a number can have.
fn decimals(node: &Node) -> Option<u8> {
    match plain(node).ty {
        Type::Int => Some(0),
        Type::Decimal(scale) => Some(scale),
        _ => None,
    }
}

/// Whether a number or a duration is below, at or above zero. `None` for other values.
pub(super) fn sign(value: &Value) -> Option<Ordering> {
    match value {
        Value::Int(number) | Value::Duration(number) => Some(number.cmp(&0)),
        Value::Decimal(number) => Some(number.units().cmp(&0)),
        Value::Float(number) => number.get().partial_cmp(&0.0),
        _ => None,
    }
}
