//! The order of the transactions of a process: one chain, two producers that take turns.
//!
//! ```text
//! producer A   fill 1 ─ flush ─────── commit 1          fill 3 ─ flush ── commit 3
//! producer B                 fill 2 ─ flush ── (wait) ── commit 2      fill 4 …
//! ```
//!
//! A transaction is filled when what is before it is acknowledged, and committed when what is
//! before it is committed: what is visible is always a prefix of the chain, and records of a
//! customer stay in order. While one producer waits for the answer to its commit the other one
//! fills.

/// The number of a transaction in its chain, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionNumber(pub u64);

impl TransactionNumber {
    /// Which of the two producers it belongs to.
    pub fn producer(self) -> usize {
        (self.0 % 2) as usize
    }
}

/// How far a chain has come. In a chain `committed ≤ flushed ≤ begun ≤ committed + 2` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    begun: u64,
    flushed: u64,
    committed: u64,
}

impl Chain {
    /// The next transaction, if it may be filled now.
    pub fn next(&self) -> Option<TransactionNumber> {
        let free = self.begun < self.committed + 2;
        (free && self.begun == self.flushed).then_some(TransactionNumber(self.begun + 1))
    }

    /// It is begun: from now on its producer sends.
    pub fn begin(&mut self, number: TransactionNumber) {
        assert_eq!(self.next(), Some(number), "a transaction is begun in its turn");
        self.begun = number.0;
    }

    /// All of it is acknowledged.
    pub fn flushed(&mut self, number: TransactionNumber) {
        assert!(number.0 == self.begun && self.flushed + 1 == number.0, "what is flushed was begun last");
        self.flushed = number.0;
    }

    /// Whether its commit may be asked for.
    pub fn may_commit(&self, number: TransactionNumber) -> bool {
        self.flushed >= number.0 && self.committed + 1 == number.0
    }

    /// It is committed.
    pub fn committed(&mut self, number: TransactionNumber) {
        assert!(self.may_commit(number), "commits are asked for in order");
        self.committed = number.0;
    }

    /// Whether nothing is on its way.
    pub fn is_quiet(&self) -> bool {
        self.committed == self.begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_filled_while_the_one_before_commits() {
        let mut chain = Chain::default();
        let [one, two, three] = [1, 2, 3].map(TransactionNumber);
        assert_eq!((chain.next(), chain.is_quiet()), (Some(one), true));
        chain.begin(one);
        assert_eq!((chain.next(), chain.may_commit(one)), (None, false));
        chain.flushed(one);
        assert_eq!((chain.next(), chain.may_commit(one), chain.is_quiet()), (Some(two), true, false));
        chain.begin(two);
        chain.flushed(two);
        // The third belongs to the producer of the first, which still commits.
        assert_eq!((chain.next(), chain.may_commit(two)), (None, false));
        chain.committed(one);
        assert_eq!((chain.next(), chain.may_commit(two)), (Some(three), true));
        assert_eq!((one.producer(), two.producer(), three.producer()), (1, 0, 1));
    }

    #[test]
    #[should_panic(expected = "commits are asked for in order")]
    fn a_commit_out_of_turn_is_a_fault() {
        let mut chain = Chain::default();
        for number in [1, 2].map(TransactionNumber) {
            chain.begin(number);
            chain.flushed(number);
        }
        chain.committed(TransactionNumber(2));
    }
}
