//! Key ranges as numbers: 0 to 255. Which key is in which one is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How many key ranges there are, for ever.
pub const RANGES: usize = 256;

/// All key ranges, in order.
pub fn all() -> impl Iterator<Item = u8> {
    0..=u8::MAX
}

/// All key ranges, dealt out to so many workers: neighbours together, each as many as the others,
/// or one more.
pub fn dealt(workers: usize) -> Vec<BTreeSet<u8>> {
    let workers = workers.clamp(1, RANGES);
    let of = |worker| all().filter(move |range| usize::from(*range) * workers / RANGES == worker);
    (0..workers).map(|worker| of(worker).collect()).collect()
}

/// What a part holds of a key range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// All that is kept of the range.
    Base,
    /// What changed since the piece before.
    Delta,
}

/// Neighbouring key ranges of which a part holds the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first one.
    pub first: u8,
    /// The last one, included.
    pub last: u8,
    /// What is held of them.
    pub kind: Kind,
}

/// Neighbours of one kind put together.
pub(crate) fn spans(kinds: &BTreeMap<u8, Kind>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (&range, &kind) in kinds {
        match spans.last_mut() {
            Some(span) if span.kind == kind && span.last.checked_add(1) == Some(range) => span.last = range,
            _ => spans.push(Span { first: range, last: range, kind }),
        }
    }
    spans
}

/// Taken apart again; nothing if spans are upside down or overlap.
pub(crate) fn kinds(spans: &[Span]) -> Option<BTreeMap<u8, Kind>> {
    let mut kinds = BTreeMap::new();
    for span in spans {
        if span.first > span.last {
            return None;
        }
        for range in span.first..=span.last {
            if kinds.insert(range, span.kind).is_some() {
                return None;
            }
        }
    }
    Some(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ranges_are_dealt_once() {
        for workers in [1, 2, 3, 7, 256, 1_000] {
            let dealt = dealt(workers);
            assert_eq!(dealt.len(), workers.min(RANGES));
            assert_eq!(dealt.iter().flatten().copied().collect::<Vec<_>>(), all().collect::<Vec<_>>());
            let sizes = dealt.iter().map(BTreeSet::len);
            assert!(sizes.clone().max() <= sizes.min().map(|least| least + 1));
        }
    }

    #[test]
    fn spans_are_the_same_ranges() {
        let kind = |range: u8| if range % 7 < 3 { Kind::Base } else { Kind::Delta };
        let some: BTreeMap<u8, Kind> = all().filter(|range| range % 5 != 0).map(|range| (range, kind(range))).collect();
        assert_eq!(kinds(&spans(&some)), Some(some));
        let whole: BTreeMap<u8, Kind> = all().map(|range| (range, Kind::Base)).collect();
        assert_eq!(spans(&whole), [Span { first: 0, last: 255, kind: Kind::Base }]);
        assert_eq!(kinds(&[Span { first: 2, last: 1, kind: Kind::Base }]), None);
        assert_eq!(kinds(&[spans(&whole)[0], Span { first: 9, last: 9, kind: Kind::Delta }]), None);
    }
}
