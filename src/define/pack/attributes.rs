//! Checking attributes: each is compiled after those it uses, and those that use each other in a circle are refused.

use super::problem::{Problem, Problems};
use super::raw;
use super::scope::{Ground, Lookup, SlotState, View, ViewScope, compile};
use crate::define::expr::Expected;
use crate::define::plan::Attribute;
use crate::model::KindId;

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

/// Compiles the attributes of a kind. Their slots begin at `first` and are pending; afterwards they are known or broken.
pub(super) fn compile_all(
    ground: &Ground<'_>,
    raw: &[&raw::Attribute],
    views: &mut [View],
    (kind, first): (KindId, usize),
    requests: &mut Vec<Lookup>,
    problems: &mut Problems,
) -> Attributes {
    let mut done = Attributes { compiled: raw.iter().map(|_| None).collect(), evaluation: Vec::new() };
    for root in 0..raw.len() {
        let mut stack = vec![Frame { attribute: root, waits_for: Vec::new() }];
        while let Some(frame) = stack.last_mut() {
            let attribute = frame.attribute;
            let is_pending =
                |views: &[View], slot: usize| matches!(views[kind.index()].slots[first + slot].1, SlotState::Pending);
            if !is_pending(views, attribute) {
                stack.pop();
                continue;
            }
            if let Some(next) = frame.waits_for.pop() {
                if is_pending(views, next) {
                    match stack.iter().position(|frame| frame.attribute == next) {
                        Some(begin) => break_circle(&stack[begin..], raw, &mut views[kind.index()], first, problems),
                        None => stack.push(Frame { attribute: next, waits_for: Vec::new() }),
                    }
                }
                continue;
            }
            let mut scope = ViewScope::of(ground, views, kind, true);
            let mut found = Problems::default();
            let compiled = compile(ground, &raw[attribute].expression, &mut scope, &Expected::Anything, &mut found);
            requests.append(&mut scope.requests);
            let mut pending = std::mem::take(&mut scope.pending);
            if compiled.is_none() && !pending.is_empty() {
                pending.reverse();
                frame.waits_for = pending.into_iter().map(|slot| slot - first).collect();
                continue;
            }
            problems.append(found);
            let state = match &compiled {
                Some(expr) => SlotState::Known { ty: expr.ty().clone(), never_negative: false },
                None => SlotState::Broken,
            };
            views[kind.index()].slots[first + attribute].1 = state;
            if compiled.is_some() {
                done.evaluation.push(attribute);
            }
            done.compiled[attribute] =
                compiled.map(|expr| Attribute { name: raw[attribute].name.value.clone(), ty: expr.ty().clone(), expr });
            stack.pop();
        }
    }
    done
}

/// Reports attributes that use each other in a circle; none of them can be understood.
fn break_circle(circle: &[Frame], raw: &[&raw::Attribute], view: &mut View, first: usize, problems: &mut Problems) {
    const SHOWN: usize = 12;
    let mut path: Vec<String> =
        circle.iter().take(SHOWN).map(|frame| raw[frame.attribute].name.value.clone()).collect();
    if circle.len() > SHOWN {
        path.push("…".to_owned());
    }
    path.extend(path.first().cloned());
    problems.add(Problem::AttributeCycle { path }, &raw[circle[0].attribute].name.span);
    for frame in circle {
        view.slots[first + frame.attribute].1 = SlotState::Broken;
    }
}
