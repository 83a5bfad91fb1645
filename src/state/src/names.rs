//! What the objects of a store are called. Numbers are padded with zeros, so that the order of
//! names is the order of numbers.

/// Folder of the generations.
pub const GENERATIONS: &str = "generations";
/// Folder of the manifests.
pub const CHECKPOINTS: &str = "checkpoints";
/// Folder of the parts.
pub const PARTS: &str = "parts";

/// The name of a checkpoint's manifest, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckpointName {
    /// The logical time of its cut.
    pub time: u64,
    /// The generation that wrote it.
    pub generation: u64,
}

/// The name of a part, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartName {
    /// The generation that wrote it.
    pub generation: u64,
    /// The logical time of its cut.
    pub time: u64,
    /// Which of the writers of that cut.
    pub writer: u32,
}

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A generation.
    Generation(u64),
    /// The mark that a generation has put a checkpoint.
    Mark(u64),
    /// A manifest.
    Checkpoint(CheckpointName),
    /// A part.
    Part(PartName),
    /// Something that is not ours.
    Other,
}

/// The name of a generation.
pub fn generation(number: u64) -> String {
    format!("{GENERATIONS}/{number:020}")
}

/// The name of the mark that a generation has put a checkpoint.
pub fn mark(number: u64) -> String {
    format!("{GENERATIONS}/{number:020}-checkpointed")
}

impl CheckpointName {
    /// The name as it is stored.
    pub fn path(&self) -> String {
        format!("{CHECKPOINTS}/{:020}-{:020}", self.time, self.generation)
    }
}

impl PartName {
    /// The name as it is stored.
    pub fn path(&self) -> String {
        format!("{PARTS}/{:020}-{:020}-{:010}", self.generation, self.time, self.writer)
    }
}

/// Reads a name. What was not spelled by this module is [`Name::Other`].
pub fn parse(name: &str) -> Name {
    let Some((folder, rest)) = name.split_once('/') else { return Name::Other };
    let numbers: Option<Vec<u64>> = rest.split('-').map(number).collect();
    let read = match (folder, numbers.as_deref()) {
        (GENERATIONS, Some(&[number])) => Name::Generation(number),
        (GENERATIONS, None) => match rest.strip_suffix("-checkpointed").and_then(number) {
            Some(number) => Name::Mark(number),
            None => Name::Other,
        },
        (CHECKPOINTS, Some(&[time, generation])) => Name::Checkpoint(CheckpointName { time, generation }),
        (PARTS, Some(&[generation, time, writer])) => match u32::try_from(writer) {
            Ok(writer) => Name::Part(PartName { generation, time, writer }),
            Err(_) => Name::Other,
        },
        _ => Name::Other,
    };
    if spell(&read).as_deref() == Some(name) { read } else { Name::Other }
}

/// The number that digits spell; `parse` would take a sign too.
fn number(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn spell(name: &Name) -> Option<String> {
    Some(match name {
        Name::Generation(number) => generation(*number),
        Name::Mark(number) => mark(*number),
        Name::Checkpoint(name) => name.path(),
        Name::Part(name) => name.path(),
        Name::Other => return None,
    })
}

/// All names of a store, read and sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Generations, by number.
    pub generations: Vec<u64>,
    /// Generations that have put a checkpoint.
    pub marks: Vec<u64>,
    /// Manifests, oldest first.
    pub checkpoints: Vec<CheckpointName>,
    /// Parts, with their sizes.
    pub parts: Vec<(PartName, u64)>,
    /// What a process that was killed left half written.
    pub leftovers: Vec<String>,
    /// What is not ours.
    pub others: Vec<String>,
}

impl Listing {
    /// Sorts names by what they say.
    pub fn of(found: impl IntoIterator<Item = (String, u64)>, leftovers: Vec<String>) -> Listing {
        let mut listing = Listing { leftovers, ..Listing::default() };
        for (name, size) in found {
            match parse(&name) {
                Name::Generation(number) => listing.generations.push(number),
                Name::Mark(number) => listing.marks.push(number),
                Name::Checkpoint(name) => listing.checkpoints.push(name),
                Name::Part(name) => listing.parts.push((name, size)),
                Name::Other => listing.others.push(name),
            }
        }
        listing.generations.sort_unstable();
        listing.marks.sort_unstable();
        listing.checkpoints.sort_unstable();
        listing.parts.sort_unstable();
        listing.others.sort_unstable();
        listing
    }

    /// The greatest number of a generation that any name speaks of.
    pub fn greatest_generation(&self) -> Option<u64> {
        let generations = self.generations.iter().chain(&self.marks).copied();
        let checkpoints = self.checkpoints.iter().map(|name| name.generation);
        let parts = self.parts.iter().map(|(name, _)| name.generation);
        generations.chain(checkpoints).chain(parts).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_spelled_and_in_order() {
        assert_eq!(generation(12), "generations/00000000000000000012");
        let checkpoint = CheckpointName { time: 1_700_000_000_000, generation: u64::MAX };
        let part = PartName { generation: 1, time: u64::MAX, writer: u32::MAX };
        for name in [Name::Generation(7), Name::Mark(7), Name::Checkpoint(checkpoint), Name::Part(part)] {
            assert_eq!(parse(&spell(&name).expect("a name")), name);
        }
        assert!(generation(9) < generation(10));
        let earlier = CheckpointName { time: 999, generation: 50 };
        assert!(earlier.path() < CheckpointName { time: 1_000, generation: 3 }.path());
    }

    #[test]
    fn what_was_not_spelled_here_is_somebody_elses() {
        for name in [
            "generations/12",
            "generations/+0000000000000000012",
            "generations/99999999999999999999",
            "checkpoints/00000000000000000012",
            "parts/00000000000000000001-00000000000000000001-99999999999",
            "notes.txt",
            "",
            "parts/",
        ] {
            assert_eq!(parse(name), Name::Other, "{name}");
        }
    }
}
