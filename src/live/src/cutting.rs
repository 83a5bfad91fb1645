//! At which logical time all workers of a process are cut.
//!
//! The time is the greatest that any worker was allowed to come to, chosen under the same lock
//! under which workers ask whether they may go on: whoever asks later is told of the cut before it
//! goes past that time.

use std::sync::{Mutex, PoisonError};

use propice_flow::state::Extent;
use propice_model::LogicalTime;

/// A cut that every worker has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Which one, from 1.
    pub number: u64,
    /// As of having gone through everything at or before this time, and nothing later.
    pub at: LogicalTime,
    /// How much of it.
    pub extent: Extent,
}

/// Where workers ask before they go on in time.
#[derive(Debug, Default)]
pub(crate) struct Cutting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    greatest: LogicalTime,
    wanted: Option<Wanted>,
    number: u64,
}

impl Cutting {
    /// Asks to go on to a time. The cut that has to be given before, if `given` is not the number
    /// of the last one.
    pub(crate) fn may_go_on(&self, to: LogicalTime, given: u64) -> Result<(), Wanted> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wanted) = state.wanted.filter(|wanted| wanted.number > given) {
            return Err(wanted);
        }
        state.greatest = state.greatest.max(to);
        Ok(())
    }

    /// Asks all workers for a cut. `begin` is told at which time, and says how much is wanted;
    /// nobody goes on meanwhile.
    pub(crate) fn want<E>(&self, begin: impl FnOnce(LogicalTime) -> Result<Extent, E>) -> Result<Wanted, E> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = state.greatest;
        let extent = begin(at)?;
        state.number += 1;
        let wanted = Wanted { number: state.number, at, extent };
        state.wanted = Some(wanted);
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_goes_past_the_time_of_a_cut_before_it_is_given() {
        let cutting = Cutting::default();
        assert_eq!((cutting.may_go_on(7, 0), cutting.may_go_on(5, 0)), (Ok(()), Ok(())));
        let wanted = cutting.want(|_| Ok::<_, ()>(Extent::Whole)).expect("a cut");
        assert_eq!(wanted, Wanted { number: 1, at: 7, extent: Extent::Whole });
        assert_eq!(cutting.may_go_on(8, 0), Err(wanted));
        assert_eq!(cutting.may_go_on(8, 1), Ok(()));
        assert_eq!(cutting.want(|at| if at == 8 { Err(()) } else { Ok(Extent::Whole) }), Err(()));
        assert_eq!(cutting.may_go_on(9, 1), Ok(()));
    }
}
