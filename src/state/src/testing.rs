//! What the tests of this crate share: keys and entries as `flow` might have them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::generation::{self, Generation, Starter};
use crate::part::{Head, PartRef, PartWriter};
use crate::ranges::Kind;
use crate::store::{Memory, Shared};

pub(crate) const CLUSTER: &str = "bank";
pub(crate) const PLAN: &str = "plan-1";

/// A key of some collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Key {
    Number(u64),
    Text(String),
}

/// What is kept under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) amount: i128,
    pub(crate) since: Option<i64>,
    pub(crate) words: Vec<String>,
    pub(crate) share: f64,
}

impl Kept {
    pub(crate) fn of(number: u64) -> Kept {
        let since = (!number.is_multiple_of(3)).then_some(number as i64 - 7);
        Kept {
            amount: i128::from(number) - 50,
            since,
            words: vec![format!("w{number}"); (number % 4) as usize],
            share: number as f64 / 3.0,
        }
    }
}

pub(crate) fn head(generation: u64, time: u64, writer: u32) -> Head {
    Head { cluster: CLUSTER.to_owned(), generation, time, writer, plan: PLAN.to_owned() }
}

pub(crate) fn memory() -> (Memory, Shared) {
    let memory = Memory::new();
    let store: Shared = memory.client();
    (memory, store)
}

pub(crate) fn kinds(ranges: impl IntoIterator<Item = u8>, kind: Kind) -> BTreeMap<u8, Kind> {
    ranges.into_iter().map(|range| (range, kind)).collect()
}

/// A part with a handful of entries.
pub(crate) fn small_part(store: &Shared, head: Head) -> Result<PartRef, Error> {
    let mut writer =
        PartWriter::new(store, head, BTreeMap::from([(3, Kind::Base), (4, Kind::Base), (9, Kind::Delta)]))?;
    for number in 0..6 {
        let (range, collection) = ([3, 4, 9][number as usize % 3], ["rows", "owners"][number as usize % 2]);
        writer.push(collection, range, &Key::Number(number), Some(&Kept::of(number)))?;
    }
    writer.push::<_, Kept>("rows", 9, &Key::Text("gone".to_owned()), None)?;
    Ok(writer.finish()?.expect("a part with entries"))
}

pub(crate) fn starter(nonce: u64) -> Starter {
    Starter {
        cluster: CLUSTER.to_owned(),
        slots: 2,
        plan: PLAN.to_owned(),
        started_at_ms: 1_000,
        nonce,
        assume_slots: None,
    }
}

pub(crate) fn begun(store: &Shared, nonce: u64) -> Generation {
    generation::begin(store.as_ref(), &starter(nonce)).expect("a generation")
}

pub(crate) fn everything() -> BTreeSet<u8> {
    crate::ranges::all().collect()
}

/// A generator of numbers, the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }
}

/// The store as somebody else's process would open it.
pub(crate) fn shared(memory: &Memory) -> Shared {
    let store: Arc<dyn crate::store::Store> = memory.client();
    store
}
