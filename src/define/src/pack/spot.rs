//! What stands in a pack, with its place.

use std::ops::Range;

/// Something with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<T> Spot<T> {
    pub(crate) fn new(value: T, span: Range<usize>) -> Spot<T> {
        Spot { value, span }
    }
}

pub(crate) type Text = Spot<String>;
