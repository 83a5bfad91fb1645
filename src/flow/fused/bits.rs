//! Sets of slots.

/// A set of small numbers, of a size that is fixed when it is made. Up to 64 it takes no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    first: u64,
    /// Those from 64 on.
    rest: Vec<u64>,
}

impl Bits {
    /// Empty, for numbers below `size`.
    pub(super) fn new(size: usize) -> Bits {
        Bits { first: 0, rest: vec![0; size.div_ceil(64).saturating_sub(1)] }
    }

    #[inline]
    fn word(&mut self, number: usize) -> &mut u64 {
        if number < 64 { &mut self.first } else { &mut self.rest[number / 64 - 1] }
    }

    /// Adds a number.
    #[inline]
    pub(super) fn insert(&mut self, number: usize) {
        *self.word(number) |= 1 << (number % 64);
    }

    /// Adds all numbers below `size`.
    pub(super) fn fill(&mut self, size: usize) {
        (0..size).for_each(|number| self.insert(number));
    }

    /// Adds what is in another set of the same size.
    #[inline]
    pub(super) fn union(&mut self, other: &Bits) {
        self.first |= other.first;
        for (mine, theirs) in self.rest.iter_mut().zip(&other.rest) {
            *mine |= theirs;
        }
    }

    /// Whether a number is in it.
    #[inline]
    pub(super) fn contains(&self, number: usize) -> bool {
        let word = if number < 64 { self.first } else { self.rest[number / 64 - 1] };
        word & (1 << (number % 64)) != 0
    }

    /// Whether both have a number in common.
    #[inline]
    pub(super) fn intersects(&self, other: &Bits) -> bool {
        self.first & other.first != 0 || self.rest.iter().zip(&other.rest).any(|(mine, theirs)| mine & theirs != 0)
    }

    /// Whether it is empty.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == 0 && self.rest.iter().all(|&word| word == 0)
    }

    /// Removes everything.
    pub(super) fn clear(&mut self) {
        self.first = 0;
        self.rest.fill(0);
    }

    /// Its numbers, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied()).enumerate().flat_map(|(position, word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    position * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut bits = Bits::new(130);
        assert!(bits.is_empty());
        for number in [0, 63, 64, 129] {
            bits.insert(number);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        let mut other = Bits::new(130);
        other.insert(1);
        assert!(!bits.intersects(&other));
        other.insert(129);
        assert!(bits.intersects(&other));
        bits.clear();
        assert!(bits.is_empty());
    }
}
