//! Checking attributes: each is compiled after those it uses, and those that use each other in a
//! circle are refused.

use super::problem::{Problem, Problems};
use super::raw;
use super::scope::{Ground, KindView, Lookup, SlotState, ViewScope, compile};
use crate::expr::Expected;
use crate::plan::Attribute;
use propice_model::KindId;

/// The attributes of an entity, and an order in which each comes after those it uses.
pub(super) struct Attributes {
    pub compiled: Vec<Option<Attribute>>,
    pub evaluation: Vec<usize>,
}

/// An attribute that is being compiled, with those it waits for.
struct Frame {
    attribute: usize,
    waits_for: Vec<usize>,
}

/// Compiles the attributes of a kind. Their slots begin at `first` and are pending; afterwards they
/// are known or broken.
pub(super) fn compile_all(
    ground: &Ground<'_>,
    raw: &[raw::Attribute],
    views: &mut [KindView],
    (kind, first): (KindId, usize),
    requests: &mut Vec<Lookup>,
    problems: &mut Problems,
) -> Attributes {
    let done = Attributes { compiled: raw.iter().map(|_| None).collect(), evaluation: Vec::new() };
    let mut compiler = AttributeCompiler { ground, raw, views, kind, first, requests, problems, done };
    for root in 0..raw.len() {
        compiler.compile_from(root);
    }
    compiler.done
}

struct AttributeCompiler<'a> {
    ground: &'a Ground<'a>,
    raw: &'a [raw::Attribute],
    views: &'a mut [KindView],
    kind: KindId,
    /// The slot of the first attribute.
    first: usize,
    requests: &'a mut Vec<Lookup>,
    problems: &'a mut Problems,
    done: Attributes,
}

impl AttributeCompiler<'_> {
    fn state(&mut self, attribute: usize) -> &mut SlotState {
        &mut self.views[self.kind.index()].slots[self.first + attribute].1
    }

    fn is_pending(&mut self, attribute: usize) -> bool {
        matches!(self.state(attribute), SlotState::Pending)
    }

    /// Compiles an attribute after all that it uses; a stack of our own, since chains may be long.
    fn compile_from(&mut self, root: usize) {
        let mut stack = vec![Frame { attribute: root, waits_for: Vec::new() }];
        while let Some(frame) = stack.last_mut() {
            let attribute = frame.attribute;
            if !self.is_pending(attribute) {
                stack.pop();
                continue;
            }
            let Some(next) = frame.waits_for.pop() else {
                frame.waits_for = self.compile(attribute);
                continue;
            };
            if !self.is_pending(next) {
                continue;
            }
            match stack.iter().position(|frame| frame.attribute == next) {
                Some(begin) => self.break_circle(&stack[begin..]),
                None => stack.push(Frame { attribute: next, waits_for: Vec::new() }),
            }
        }
    }

    /// Compiles an attribute, or gives those that have to be compiled before it.
    fn compile(&mut self, attribute: usize) -> Vec<usize> {
        let raw = &self.raw[attribute];
        let mut scope = ViewScope::of(self.ground, self.views, self.kind, true);
        let mut found = Problems::default();
        let compiled = compile(self.ground, &raw.expression, &mut scope, &Expected::Anything, &mut found);
        self.requests.append(&mut scope.requests);
        let pending = std::mem::take(&mut scope.pending);
        if compiled.is_none() && !pending.is_empty() {
            return pending.into_iter().rev().map(|slot| slot - self.first).collect();
        }
        self.problems.append(found);
        *self.state(attribute) = match &compiled {
            Some(expr) => SlotState::Known { ty: expr.ty().clone(), never_negative: false },
            None => SlotState::Broken,
        };
        if let Some(expr) = compiled {
            self.done.evaluation.push(attribute);
            let (name, ty) = (raw.name.value.clone(), expr.ty().clone());
            self.done.compiled[attribute] = Some(Attribute { name, ty, expr });
        }
        Vec::new()
    }

    /// Reports attributes that use each other in a circle; none of them can be understood.
    fn break_circle(&mut self, circle: &[Frame]) {
        const SHOWN: usize = 12;
        let mut path: Vec<String> =
            circle.iter().take(SHOWN).map(|frame| self.raw[frame.attribute].name.value.clone()).collect();
        if circle.len() > SHOWN {
            path.push("…".to_owned());
        }
        path.extend(path.first().cloned());
        self.problems.add(Problem::AttributeCycle { path }, &self.raw[circle[0].attribute].name.span);
        for frame in circle {
            *self.state(frame.attribute) = SlotState::Broken;
        }
    }
}
