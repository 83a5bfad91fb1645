//! Sets of the values that one thing may have: null or not, and ranges of its type.
//!
//! Whole numbers, decimals, times and durations lie on a grid: between two neighbours there is
//! nothing, so that `n > 5 && n < 6` is seen to be empty. Texts, ids and floats are taken to be
//! dense. A set may be larger than the truth for these, never smaller.

use propice_model::{Ratio, Value};

/// A value of a thing: its number on the grid of its type, or as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Point {
    /// Units of a scale, milliseconds, 0 and 1 for a `bool`.
    Grid(i128),
    /// A text, an id, a float.
    Dense(Value),
    /// An exact quotient.
    Exact(Ratio),
}

/// A place between two values, where a range begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Boundary {
    /// Before everything.
    Start,
    /// Before a value, or behind it.
    At(Point, bool),
    /// Behind everything.
    End,
}

impl Boundary {
    fn before(point: Point) -> Boundary {
        Boundary::At(point, false)
    }

    /// Behind a value is before its neighbour, where it has one.
    fn behind(point: Point) -> Boundary {
        match point {
            Point::Grid(number) => {
                number.checked_add(1).map_or(Boundary::End, |next| Boundary::At(Point::Grid(next), false))
            }
            dense @ (Point::Dense(_) | Point::Exact(_)) => Boundary::At(dense, true),
        }
    }
}

/// A set of values, with or without null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// Whether null is in it.
    pub(super) null: bool,
    /// In order, with something between each and the next.
    ranges: Vec<(Boundary, Boundary)>,
}

impl Set {
    /// Every value, and null.
    pub(super) fn all() -> Set {
        Set { null: true, ..Set::known() }
    }

    /// Every value.
    pub(super) fn known() -> Set {
        Set { null: false, ranges: vec![(Boundary::Start, Boundary::End)] }
    }

    /// Nothing.
    pub(super) fn none() -> Set {
        Set { null: false, ranges: Vec::new() }
    }

    /// One value.
    pub(super) fn only(point: Point) -> Set {
        Set { null: false, ranges: vec![(Boundary::before(point.clone()), Boundary::behind(point))] }
    }

    /// What is less than a value; with it when `inclusive`.
    pub(super) fn below(point: Point, inclusive: bool) -> Set {
        let end = if inclusive { Boundary::behind(point) } else { Boundary::before(point) };
        Set { null: false, ranges: vec![(Boundary::Start, end)] }
    }

    /// What is greater than a value; with it when `inclusive`.
    pub(super) fn above(point: Point, inclusive: bool) -> Set {
        let begin = if inclusive { Boundary::before(point) } else { Boundary::behind(point) };
        Set { null: false, ranges: vec![(begin, Boundary::End)] }
    }

    /// The same values, with null or without.
    pub(super) fn with_null(self, null: bool) -> Set {
        Set { null, ..self }
    }

    /// Everything else.
    pub(super) fn complement(&self) -> Set {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut from = Boundary::Start;
        for (begin, end) in &self.ranges {
            if from < *begin {
                ranges.push((from, begin.clone()));
            }
            from = end.clone();
        }
        if from < Boundary::End {
            ranges.push((from, Boundary::End));
        }
        Set { null: !self.null, ranges }
    }

    /// What is in both.
    pub(super) fn intersect(&self, other: &Set) -> Set {
        let mut ranges = Vec::new();
        let (mut left, mut right) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        while let (Some((a, b)), Some((c, d))) = (left.peek(), right.peek()) {
            let (begin, end) = (a.max(c), b.min(d));
            if begin < end {
                ranges.push((begin.clone(), end.clone()));
            }
            if b <= d {
                left.next()
            } else {
                right.next()
            };
        }
        Set { null: self.null && other.null, ranges }
    }

    /// What is in one of them.
    pub(super) fn union(&self, other: &Set) -> Set {
        self.complement().intersect(&other.complement()).complement()
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        !self.null && !self.has_values()
    }

    /// Whether anything but null is in it.
    pub(super) fn has_values(&self) -> bool {
        !self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: i128) -> Point {
        Point::Grid(number)
    }

    #[test]
    fn on_a_grid_neighbours_touch() {
        let above = Set::above(at(5), false);
        assert!(above.intersect(&Set::below(at(6), false)).is_empty());
        assert_eq!(above.intersect(&Set::below(at(7), false)), Set::only(at(6)));
        assert_eq!(Set::below(at(5), true).union(&above), Set::known());
        assert_eq!(Set::only(at(1)).union(&Set::only(at(2))).union(&Set::only(at(3))).ranges.len(), 1);
    }

    #[test]
    fn what_is_dense_has_something_between() {
        let text = |text: &str| Point::Dense(Value::text(text));
        let between = Set::above(text("a"), false).intersect(&Set::below(text("b"), false));
        assert!(between.has_values());
        assert!(between.intersect(&Set::only(text("a"))).is_empty());
        assert_eq!(Set::only(text("a")).union(&Set::only(text("a")).complement()), Set::all());
    }

    #[test]
    fn null_is_a_value_of_its_own() {
        assert!(Set::known().complement().null && !Set::known().complement().has_values());
        assert!(!Set::known().complement().is_empty() && Set::none().is_empty());
        assert!(Set::below(at(1), false).complement().null);
    }
}
