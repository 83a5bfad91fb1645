//! Chance that is the same everywhere.
//!
//! `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014):
//! a counter and a mixing function. It needs no state that outlives a day: what happens to one
//! customer on one day is drawn from the seed, the customer and the day, so that nobody's life
//! depends on how many others there are. Integers only.

/// What a draw is for: draws for different ends do not depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Profile = 1,
    Story,
    Day,
    Bill,
    Request,
    Application,
    Joint,
    Arrival,
    Answers,
}

/// A sequence of draws.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The draws for an end, about one thing (a customer, a file), at one place (a day, a month).
    pub(super) fn of(seed: u64, end: End, about: u64, at: i64) -> Random {
        let mut state = mixed(seed ^ ((end as u64) << 56));
        state = mixed(state.wrapping_add(about));
        Random(mixed(state.wrapping_add(at as u64)))
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `least` to `most`, both included.
    pub(super) fn within(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as u64) as i64
    }

    /// True so many times in a million.
    pub(super) fn happens(&mut self, parts_per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(parts_per_million)
    }

    /// One of them.
    pub(super) fn one_of<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[self.below(things.len() as u64) as usize]
    }
}

/// The finaliser of `SplitMix64`: every bit of the result depends on every bit of `z`.
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The first outputs of the reference implementation for the state 1234567.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(random.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_them() {
        let mut random = Random::of(1, End::Day, 2, 3);
        let draws: Vec<i64> = (0..1_000).map(|_| random.within(-2, 2)).collect();
        for wanted in -2..=2 {
            assert!(draws.contains(&wanted));
        }
        assert!(draws.iter().all(|draw| (-2..=2).contains(draw)));
    }

    #[test]
    fn ends_customers_and_days_draw_apart() {
        let first = |end, about, at| Random::of(7, end, about, at).next();
        let all = [first(End::Day, 1, 1), first(End::Bill, 1, 1), first(End::Day, 2, 1), first(End::Day, 1, 2)];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other != one));
        }
    }
}
