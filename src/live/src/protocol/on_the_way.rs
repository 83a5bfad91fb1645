//! What was sent without a transaction and is not acknowledged yet: through which time everything
//! has arrived.

use std::collections::VecDeque;

use propice_model::LogicalTime;

/// Parcels that are not acknowledged as a whole, in order: how much of each is missing, and through
/// which time it goes.
#[derive(Clone, Debug, Default)]
pub struct OnTheWay {
    parcels: VecDeque<(usize, LogicalTime)>,
    /// The number of the first of them.
    first: u64,
}

impl OnTheWay {
    /// A parcel of so many records is sent, after which all is said through a time. Returns its
    /// number.
    pub fn push(&mut self, records: usize, through: LogicalTime) -> u64 {
        self.parcels.push_back((records, through));
        self.first + self.parcels.len() as u64 - 1
    }

    /// A record of a parcel is acknowledged.
    pub fn acknowledged(&mut self, number: u64) {
        if let Some(at) = number.checked_sub(self.first)
            && let Some((missing, _)) = self.parcels.get_mut(at as usize)
        {
            *missing = missing.saturating_sub(1);
        }
    }

    /// Whether everything is acknowledged and was taken.
    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Through which time all is acknowledged, if that moved.
    pub fn take_whole(&mut self) -> Option<LogicalTime> {
        let mut whole = None;
        while let Some((_, through)) = self.parcels.pop_front_if(|(missing, _)| *missing == 0) {
            self.first += 1;
            whole = Some(through);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_waits_for_every_parcel_before() {
        let mut on_the_way = OnTheWay::default();
        assert_eq!((on_the_way.push(2, 5), on_the_way.push(1, 8)), (0, 1));
        on_the_way.acknowledged(1);
        on_the_way.acknowledged(0);
        assert_eq!(on_the_way.take_whole(), None);
        on_the_way.acknowledged(0);
        assert_eq!((on_the_way.take_whole(), on_the_way.is_empty()), (Some(8), true));
        assert_eq!(on_the_way.push(0, 9), 2);
        assert_eq!(on_the_way.take_whole(), Some(9));
    }
}
