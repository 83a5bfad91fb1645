//! Bindings: which records take effect when. Made durable before anything computed from them is
//! published.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use propice_model::LogicalTime;

use super::GenerationNumber;

/// Offsets by topic and number of the partition.
pub type Offsets = BTreeMap<String, BTreeMap<i32, i64>>;

/// Records of these partitions below these offsets, that no earlier binding names, take effect at
/// `time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Who bound them.
    pub generation: GenerationNumber,
    /// When they take effect.
    pub time: LogicalTime,
    /// The first offset that is not bound.
    pub uppers: Offsets,
    /// Of partitions that were never read before: the offset at which reading began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub starts: Offsets,
}

/// What stands in the topic of bindings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingRecord {
    /// Records are bound.
    Binding(Binding),
    /// A generation begins: what earlier ones write behind this is void.
    Begins(GenerationNumber),
}

impl BindingRecord {
    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers and texts have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The record that bytes spell.
    ///
    /// # Errors
    /// When they spell none.
    pub fn parse(bytes: &[u8]) -> Result<BindingRecord, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// The bindings that count, read in the order of their topic.
#[derive(Clone, Debug, Default)]
pub struct BindingLog {
    /// The newest generation that has begun.
    mark: GenerationNumber,
    bindings: Vec<Binding>,
    /// Bindings of a generation that was over.
    void: u64,
    /// A generation that has begun twice.
    again: Option<GenerationNumber>,
}

impl BindingLog {
    /// For records behind the position of a checkpoint that this generation has cut: its mark, and
    /// those before, stand in front of that position, and are not read again.
    pub fn since(generation: GenerationNumber) -> BindingLog {
        BindingLog { mark: generation, ..BindingLog::default() }
    }

    /// Takes the next record.
    pub fn push(&mut self, record: BindingRecord) {
        match record {
            BindingRecord::Begins(generation) => {
                if generation == self.mark {
                    self.again = Some(generation);
                }
                self.mark = self.mark.max(generation);
            }
            BindingRecord::Binding(binding) if binding.generation < self.mark => self.void += 1,
            BindingRecord::Binding(binding) => {
                // Nobody binds who has not begun; where bindings travel in transactions there are
                // no marks.
                self.mark = binding.generation;
                self.bindings.push(binding);
            }
        }
    }

    /// The newest generation that has begun.
    pub fn mark(&self) -> GenerationNumber {
        self.mark
    }

    /// A generation that has begun twice, most lately: numbers were given anew.
    pub fn again(&self) -> Option<GenerationNumber> {
        self.again
    }

    /// How many bindings do not count.
    pub fn void(&self) -> u64 {
        self.void
    }

    /// The greatest time that was bound.
    pub fn greatest(&self) -> LogicalTime {
        self.bindings.iter().map(|binding| binding.time).max().unwrap_or_default()
    }

    /// All that count, in order.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(generation: u64, time: LogicalTime) -> BindingRecord {
        let uppers = BTreeMap::from([("t".to_owned(), BTreeMap::from([(0, 7)]))]);
        BindingRecord::Binding(Binding {
            generation: GenerationNumber(generation),
            time,
            uppers,
            starts: Offsets::new(),
        })
    }

    #[test]
    fn what_a_generation_binds_behind_the_mark_of_the_next_one_is_void() {
        let mut log = BindingLog::default();
        let mark = |generation| BindingRecord::Begins(GenerationNumber(generation));
        for record in [mark(1), binding(1, 5), mark(2), binding(1, 6), binding(2, 7), mark(1), binding(1, 9)] {
            log.push(record);
        }
        let times: Vec<_> = log.bindings().iter().map(|binding| binding.time).collect();
        assert_eq!((times, log.void(), log.mark(), log.greatest()), (vec![5, 7], 2, GenerationNumber(2), 7));
    }

    #[test]
    fn behind_a_checkpoint_what_was_over_then_stays_void() {
        let mut log = BindingLog::since(GenerationNumber(2));
        for record in [binding(1, 6), binding(2, 7), binding(3, 8), binding(2, 9)] {
            log.push(record);
        }
        assert_eq!((log.void(), log.greatest(), log.mark()), (2, 8, GenerationNumber(3)));
    }

    #[test]
    fn a_number_that_is_given_twice_is_noticed() {
        let begins = |generation| BindingRecord::Begins(GenerationNumber(generation));
        let mut log = BindingLog::default();
        for (record, again) in [(begins(1), None), (begins(2), None), (begins(1), None), (begins(2), Some(2))] {
            log.push(record);
            assert_eq!(log.again(), again.map(GenerationNumber));
        }
    }

    #[test]
    fn a_record_is_what_its_bytes_spell() {
        for record in [binding(3, 9), BindingRecord::Begins(GenerationNumber(4))] {
            assert_eq!(BindingRecord::parse(&record.to_bytes()).expect("a record"), record);
        }
        assert!(BindingRecord::parse(b"{}").is_err());
    }

    /// What stands in topics is read by later versions.
    #[test]
    fn the_bytes_of_a_binding_never_change() {
        let bytes = String::from_utf8(binding(3, 9).to_bytes()).expect("text");
        assert_eq!(bytes, r#"{"binding":{"generation":3,"time":9,"uppers":{"t":{"0":7}}}}"#);
        let bytes = String::from_utf8(BindingRecord::Begins(GenerationNumber(4)).to_bytes()).expect("text");
        assert_eq!(bytes, r#"{"begins":4}"#);
    }
}
