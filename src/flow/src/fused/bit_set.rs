//! Sets of slots and of moments.

/// A set of small numbers, of a size that is fixed when it is made. Up to 64 it takes no
/// allocation, and no more than a word is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BitSet {
    first: u64,
    /// Those from 64 on; nowhere for a set that has none.
    rest: Option<Box<[u64]>>,
}

impl BitSet {
    /// Empty, for numbers below `size`.
    pub(super) fn new(size: usize) -> BitSet {
        let more = size.div_ceil(64).saturating_sub(1);
        BitSet { first: 0, rest: (more > 0).then(|| vec![0; more].into_boxed_slice()) }
    }

    /// These numbers, all below `size`.
    pub(super) fn of(size: usize, numbers: impl IntoIterator<Item = usize>) -> BitSet {
        let mut bits = BitSet::new(size);
        for number in numbers {
            bits.insert(number);
        }
        bits
    }

    #[inline]
    fn rest(&self) -> &[u64] {
        self.rest.as_deref().unwrap_or_default()
    }

    /// Adds a number. Says whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let word = match &mut self.rest {
            Some(rest) if number >= 64 => &mut rest[number / 64 - 1],
            _ => &mut self.first,
        };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Adds what is in another set of the same size.
    #[inline]
    pub(super) fn union(&mut self, other: &BitSet) {
        self.first |= other.first;
        if let (Some(mine), Some(theirs)) = (&mut self.rest, &other.rest) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine |= theirs);
        }
    }

    /// Whether a number is in it.
    #[inline]
    pub(super) fn contains(&self, number: usize) -> bool {
        let word = if number < 64 { self.first } else { self.rest()[number / 64 - 1] };
        word & (1 << (number % 64)) != 0
    }

    /// Whether both have a number in common.
    #[inline]
    pub(super) fn intersects(&self, other: &BitSet) -> bool {
        if self.first & other.first != 0 {
            return true;
        }
        match (&self.rest, &other.rest) {
            (Some(mine), Some(theirs)) => mine.iter().zip(theirs).any(|(mine, theirs)| mine & theirs != 0),
            _ => false,
        }
    }

    /// Whether it is empty.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == 0 && self.rest().iter().all(|&word| word == 0)
    }

    /// Removes everything.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.first = 0;
        if let Some(rest) = &mut self.rest {
            rest.fill(0);
        }
    }

    /// Its numbers, in order.
    #[inline]
    pub(super) fn iter(&self) -> Numbers<'_> {
        Numbers { word: self.first, from: 0, rest: self.rest().iter() }
    }
}

/// The numbers of a set, in order.
pub(super) struct Numbers<'a> {
    /// What is left of the current word.
    word: u64,
    /// The least number of the current word.
    from: usize,
    rest: std::slice::Iter<'a, u64>,
}

impl Iterator for Numbers<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            self.word = *self.rest.next()?;
            self.from += 64;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.from + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut bits = BitSet::new(130);
        assert!(bits.is_empty());
        for number in [0, 63, 64, 129] {
            assert!(bits.insert(number));
            assert!(!bits.insert(number));
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        let mut other = BitSet::new(130);
        other.insert(1);
        assert!(!bits.intersects(&other));
        other.insert(129);
        assert!(bits.intersects(&other));
        bits.union(&other);
        assert!(bits.contains(1) && !bits.contains(2));
        bits.clear();
        assert!(bits.is_empty());
    }

    #[test]
    fn a_small_set_is_two_words() {
        let mut bits = BitSet::new(64);
        bits.insert(63);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [63]);
        assert!(bits.rest.is_none());
    }
}
