//! The keys of a record that its input does not declare. They are ignored, but none may be given
//! twice: whoever wrote that did not mean one value, and readers of JSON differ in which they take.
//!
//! Nearly all records have none or a few, so a record of plain values compares the few with each
//! other ([`FewKeys`], nothing is allocated or hashed). Any other record hashes them
//! ([`ManyKeys`]), so that what a record costs does not grow faster than its bytes.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use smallvec::SmallVec;

/// The first undeclared keys of a record, as they stand in its bytes.
#[derive(Debug, Default)]
pub(super) struct FewKeys<'t> {
    keys: SmallVec<[&'t str; MOST_FEW]>,
}

/// More are for [`ManyKeys`].
const MOST_FEW: usize = 16;

impl<'t> FewKeys<'t> {
    /// Whether a key is sure to come for the first time.
    #[inline]
    pub(super) fn is_first(&mut self, key: &'t str) -> bool {
        if self.keys.len() == MOST_FEW || self.keys.contains(&key) {
            return false;
        }
        self.keys.push(key);
        true
    }
}

/// The undeclared keys of a record, without their escapes. Kept for the next record, so that it
/// allocates nothing.
#[derive(Debug, Default)]
pub(super) struct ManyKeys {
    /// All keys, one behind the other.
    text: String,
    /// Where each key is.
    spans: HashTable<(usize, usize)>,
}

impl ManyKeys {
    /// A record with more of them leaves nothing behind.
    const KEPT: usize = 256;

    /// Forgets the keys of the record before.
    pub(super) fn clear(&mut self) {
        if self.spans.capacity() > 2 * ManyKeys::KEPT || self.text.capacity() > 64 * ManyKeys::KEPT {
            *self = ManyKeys::default();
        }
        self.text.clear();
        self.spans.clear();
    }

    /// Whether a key comes for the first time.
    pub(super) fn is_first(&mut self, key: &str) -> bool {
        let hash = |key: &str| FixedState::with_seed(0).hash_one(key);
        let ManyKeys { text, spans } = self;
        if spans.find(hash(key), |&(from, until)| text[from..until] == *key).is_some() {
            return false;
        }
        let from = text.len();
        text.push_str(key);
        spans.insert_unique(hash(key), (from, text.len()), |&(from, until)| hash(&text[from..until]));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_keys_are_compared() {
        let mut keys = FewKeys::default();
        assert!(["a", "", "ab", "b"].into_iter().all(|key| keys.is_first(key)));
        assert!(["a", "", "ab", "b"].into_iter().all(|key| !keys.is_first(key)));
        let names: Vec<String> = (0..20).map(|number| format!("key {number}")).collect();
        let mut keys = FewKeys::default();
        let certain = names.iter().filter(|name| keys.is_first(name)).count();
        assert_eq!(certain, MOST_FEW, "of more nothing is said");
    }

    #[test]
    fn many_keys_are_told_apart_and_forgotten() {
        let mut keys = ManyKeys::default();
        for _ in 0..3 {
            keys.clear();
            let names: Vec<String> = (0..10_000).map(|number| format!("key {number}")).collect();
            assert!(names.iter().all(|name| keys.is_first(name)));
            assert!(names.iter().all(|name| !keys.is_first(name)));
        }
        keys.clear();
        assert!(keys.is_first("key 1") && keys.text.capacity() < 1_000);
    }
}
