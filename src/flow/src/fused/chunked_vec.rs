//! A vector that grows without moving what it holds.
//!
//! State of a million entities in one vector would be copied as a whole when it grows, all vectors
//! of a worker at the same entity: tens of milliseconds for whoever comes next, and half of the
//! memory empty afterwards. Here it grows by a page.

use std::ops::{Index, IndexMut};

/// Elements by dense position.
#[derive(Debug)]
pub(super) struct ChunkedVec<T> {
    /// All full but the last one.
    pages: Vec<Vec<T>>,
}

impl<T> ChunkedVec<T> {
    const BITS: u32 = 8;
    const PAGE: usize = 1 << ChunkedVec::<T>::BITS;

    pub(super) fn new() -> ChunkedVec<T> {
        ChunkedVec { pages: Vec::new() }
    }

    /// How many there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.pages.last().map_or(0, |last| (self.pages.len() - 1) * ChunkedVec::<T>::PAGE + last.len())
    }

    pub(super) fn push(&mut self, element: T) {
        match self.pages.last_mut() {
            Some(last) if last.len() < ChunkedVec::<T>::PAGE => last.push(element),
            _ => {
                let mut page = Vec::with_capacity(ChunkedVec::<T>::PAGE);
                page.push(element);
                self.pages.push(page);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }
}

impl<T> Default for ChunkedVec<T> {
    fn default() -> Self {
        ChunkedVec::new()
    }
}

impl<T> Index<u32> for ChunkedVec<T> {
    type Output = T;

    #[inline]
    fn index(&self, position: u32) -> &T {
        &self.pages[(position >> ChunkedVec::<T>::BITS) as usize][position as usize % ChunkedVec::<T>::PAGE]
    }
}

impl<T> IndexMut<u32> for ChunkedVec<T> {
    #[inline]
    fn index_mut(&mut self, position: u32) -> &mut T {
        &mut self.pages[(position >> ChunkedVec::<T>::BITS) as usize][position as usize % ChunkedVec::<T>::PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_stays_where_it_is() {
        let mut paged = ChunkedVec::new();
        assert_eq!(paged.len(), 0);
        for number in 0..1_000_u32 {
            paged.push(number);
            assert_eq!((paged.len(), paged[number]), (number as usize + 1, number));
        }
        let first: *const u32 = &raw const paged[0];
        paged[256] = 7;
        (0..1_000).for_each(|number| paged.push(number));
        assert!(std::ptr::eq(first, &raw const paged[0]));
        assert_eq!((paged[255], paged[256], paged.iter().count()), (255, 7, 2_000));
    }
}
