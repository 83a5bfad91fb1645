//! Which key ranges get a new base. A pure function of what the latest checkpoint consists of.
//!
//! Deltas make a restart slower and keep old parts alive; bases cost writing. A base is due when
//! the deltas outgrow it or are too many, when the part that it lies in is mostly dead, or when
//! there is none that still counts. Of what is merely due only so much is written at once, the most
//! overdue first, so that no checkpoint is much larger than the one before.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest;
use crate::names::PartName;
use crate::part::PartRef;
use crate::ranges::{self, Kind};

/// When a base is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Deltas of a key range past which its base is due.
    pub deltas: usize,
    /// Deltas of a key range past which it gets a base whatever else is written.
    pub deltas_most: usize,
    /// Bases that are written at once because they are due.
    pub bases_at_once: usize,
    /// Bytes below which deltas are small, however small their base is.
    pub small_bytes: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { deltas: 8, deltas_most: 24, bases_at_once: 32, small_bytes: 4 << 10 }
    }
}

/// What the next part of each of these key ranges is: all of them, since any may have changed.
///
/// `without` are key ranges whose chain is broken: changes since its last piece were lost with a
/// part that failed, or another plan wrote it.
pub fn next_kinds(
    parts: &[PartRef],
    wanted: &BTreeSet<u8>,
    without: &BTreeSet<u8>,
    policy: &Policy,
) -> BTreeMap<u8, Kind> {
    let chains = manifest::chains(parts);
    let wasted = wasted(parts);
    let mut kinds = BTreeMap::new();
    let mut due: Vec<(u64, u8)> = Vec::new();
    for &range in wanted {
        kinds.insert(range, Kind::Delta);
        let chain = chains.get(&range).filter(|_| !without.contains(&range));
        let Some(((base_part, base), deltas)) =
            chain.and_then(|chain| chain.split_first()).filter(|((_, base), _)| base.kind == Kind::Base)
        else {
            kinds.insert(range, Kind::Base);
            continue;
        };
        if deltas.len() >= policy.deltas_most {
            kinds.insert(range, Kind::Base);
            continue;
        }
        let grown: u64 = deltas.iter().map(|(_, section)| section.stored).sum();
        let outgrown = grown > base.stored.max(policy.small_bytes);
        let many = deltas.len() >= policy.deltas;
        let old = wasted.contains(&base_part.name());
        if outgrown || many || old {
            // How overdue it is, in millionths of the base, or of the deltas that it may have.
            let by_size = grown.saturating_mul(1_000_000) / base.stored.max(policy.small_bytes).max(1);
            let by_count = deltas.len() as u64 * 1_000_000 / policy.deltas.max(1) as u64;
            due.push((by_size.max(by_count), range));
        }
    }
    due.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    for (_, range) in due.into_iter().take(policy.bases_at_once) {
        kinds.insert(range, Kind::Base);
    }
    kinds
}

/// Parts of which less than half still counts: their last bases are worth writing anew, so that the
/// rest can go.
fn wasted(parts: &[PartRef]) -> BTreeSet<PartName> {
    let mut living: BTreeMap<PartName, u64> = BTreeMap::new();
    for (part, section) in manifest::chains(parts).values().flatten() {
        *living.entry(part.name()).or_default() += section.stored;
    }
    let mostly_dead = parts.iter().filter(|part| {
        let all: u64 = part.sections.iter().map(|section| section.stored).sum();
        living.get(&part.name()).is_some_and(|living| living.saturating_mul(2) < all)
    });
    mostly_dead.map(PartRef::name).collect()
}

/// All key ranges.
pub fn all_ranges() -> BTreeSet<u8> {
    ranges::all().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::Section;

    fn part(time: u64, sections: &[(u8, Kind, u64)]) -> PartRef {
        let sections = sections.iter().map(|&(range, kind, stored)| Section { range, kind, kept: 1, gone: 0, stored });
        PartRef {
            generation: 1,
            time,
            writer: 0,
            size: 0,
            checksum: String::new(),
            plan: String::new(),
            sections: sections.collect(),
        }
    }

    fn kind_of(parts: &[PartRef], range: u8, policy: &Policy) -> Kind {
        next_kinds(parts, &all_ranges(), &BTreeSet::new(), policy)[&range]
    }

    #[test]
    fn what_was_never_stored_or_is_broken_gets_a_base() {
        let policy = Policy::default();
        assert!(next_kinds(&[], &all_ranges(), &BTreeSet::new(), &policy).values().all(|kind| *kind == Kind::Base));
        let parts = [part(1, &[(3, Kind::Base, 1_000)])];
        assert_eq!(kind_of(&parts, 3, &policy), Kind::Delta);
        assert_eq!(kind_of(&parts, 4, &policy), Kind::Base);
        assert_eq!(
            next_kinds(&parts, &BTreeSet::from([3]), &BTreeSet::from([3]), &policy),
            BTreeMap::from([(3, Kind::Base)])
        );
    }

    #[test]
    fn deltas_that_outgrow_their_base_or_are_many_end_in_a_base() {
        let policy = Policy { deltas: 3, ..Policy::default() };
        let mut parts = vec![part(1, &[(3, Kind::Base, 100_000)])];
        for time in 2..5 {
            assert_eq!(kind_of(&parts, 3, &policy), Kind::Delta, "before {time}");
            parts.push(part(time, &[(3, Kind::Delta, 10)]));
        }
        assert_eq!(kind_of(&parts, 3, &policy), Kind::Base);
        parts.push(part(5, &[(3, Kind::Base, 100_000)]));
        assert_eq!(kind_of(&parts, 3, &policy), Kind::Delta);
        parts.push(part(6, &[(3, Kind::Delta, 100_001)]));
        assert_eq!(kind_of(&parts, 3, &policy), Kind::Base);
    }

    #[test]
    fn only_so_many_are_written_at_once_the_most_overdue_first() {
        let policy = Policy { bases_at_once: 2, ..Policy::default() };
        let base: Vec<_> = ranges::all().map(|range| (range, Kind::Base, 10_000)).collect();
        let delta: Vec<_> = ranges::all().map(|range| (range, Kind::Delta, 20_000 + u64::from(range))).collect();
        let mut parts = vec![part(1, &base), part(2, &delta)];
        let kinds = next_kinds(&parts, &all_ranges(), &BTreeSet::new(), &policy);
        let bases = |kinds: &BTreeMap<u8, Kind>| {
            kinds.iter().filter(|(_, kind)| **kind == Kind::Base).map(|(range, _)| *range).collect::<Vec<_>>()
        };
        assert_eq!(bases(&kinds), [254, 255]);
        // Past the greatest number of deltas nothing waits its turn.
        for time in 3..30 {
            parts.push(part(time, &[(7, Kind::Delta, 1)]));
        }
        assert!(bases(&next_kinds(&parts, &all_ranges(), &BTreeSet::new(), &policy)).contains(&7));
    }

    #[test]
    fn a_part_that_is_mostly_dead_is_left() {
        let policy = Policy::default();
        let mut parts = vec![part(1, &[(1, Kind::Base, 10_000), (2, Kind::Base, 10_000), (3, Kind::Base, 10_000)])];
        parts.push(part(2, &[(1, Kind::Base, 10_000)]));
        assert_eq!(kind_of(&parts, 3, &policy), Kind::Delta);
        parts.push(part(3, &[(2, Kind::Base, 10_000)]));
        assert_eq!(kind_of(&parts, 3, &policy), Kind::Base);
        assert_eq!(kind_of(&parts, 1, &policy), Kind::Delta);
    }
}
