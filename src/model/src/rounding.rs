//! From an exact number to the nearest float: rounded once, half to even, infinite when it is too
//! large.
//!
//! What fits 128 bit is rounded without an allocation, everything else with big numbers. Both give
//! the same.

use num_bigint::BigUint;

/// Bits of a quotient that are more than a float needs, so that one more bit can tell what is cut
/// off behind them.
const ENOUGH: u32 = 66;

/// The float nearest to `numerator / denominator · 2^exponent`. The denominator is not zero and at
/// most 2¹²⁷.
pub fn quotient(negative: bool, numerator: u128, denominator: u128, exponent: i64) -> f64 {
    const EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
    if exponent == 0 && numerator <= EXACT && denominator <= EXACT {
        // Both are floats, and a division of floats is rounded once.
        return signed(negative, numerator as f64 / denominator as f64);
    }
    if numerator == 0 {
        return 0.0;
    }
    let shift = numerator.leading_zeros();
    let (numerator, mut exponent) = (numerator << shift, exponent - i64::from(shift));
    let (mut bits, mut rest) = (numerator / denominator, numerator % denominator);
    while u128::BITS - bits.leading_zeros() < ENOUGH {
        rest <<= 1;
        bits = (bits << 1) | u128::from(rest >= denominator);
        rest -= if rest >= denominator { denominator } else { 0 };
        exponent -= 1;
    }
    signed(negative, nearest(bits, exponent, rest != 0))
}

/// As [`quotient`], of numbers of any size.
pub fn big_quotient(negative: bool, numerator: &BigUint, denominator: &BigUint, exponent: i64) -> f64 {
    let wanted = i64::from(ENOUGH) + 1;
    let shift = wanted + denominator.bits() as i64 - numerator.bits() as i64;
    let (numerator, denominator) = balanced(numerator, denominator, shift);
    let bits = &numerator / &denominator;
    let is_cut = &bits * &denominator != numerator;
    signed(negative, nearest(low_bits(&bits), exponent - shift, is_cut))
}

/// The float nearest to the square root of `numerator`, times `2^exponent`, over `denominator`,
/// which is not zero.
pub fn root(numerator: u128, denominator: u64, exponent: i64) -> f64 {
    if numerator == 0 {
        return 0.0;
    }
    // An even shift, so that it can be taken out of the root.
    let shift = numerator.leading_zeros() & !1;
    let scaled = numerator << shift;
    let root = scaled.isqrt();
    let rounded = |root| quotient(false, root, u128::from(denominator), exponent - i64::from(shift / 2));
    let low = rounded(root);
    // Most roots lie between two numbers that round to the same.
    if root * root == scaled || low.to_bits() == rounded(root + 1).to_bits() {
        return low;
    }
    let denominator = BigUint::from(denominator);
    big_root(&BigUint::from(numerator), &(&denominator * &denominator), exponent)
}

/// The float nearest to the square root of `numerator / denominator`, times `2^exponent`. The
/// denominator is not zero.
pub fn big_root(numerator: &BigUint, denominator: &BigUint, exponent: i64) -> f64 {
    let wanted = 2 * (i64::from(ENOUGH) + 1);
    let shift = (wanted + denominator.bits() as i64 - numerator.bits() as i64) & !1;
    let (numerator, denominator) = balanced(numerator, denominator, shift);
    let square = &numerator / &denominator;
    let bits = square.sqrt();
    let is_cut = &bits * &bits * &denominator != numerator;
    nearest(low_bits(&bits), exponent - shift / 2, is_cut)
}

/// A numerator and a denominator, the quotient made `2^shift` times as large.
fn balanced(numerator: &BigUint, denominator: &BigUint, shift: i64) -> (BigUint, BigUint) {
    let by = shift.unsigned_abs();
    if shift >= 0 { (numerator << by, denominator.clone()) } else { (numerator.clone(), denominator << by) }
}

/// Of a number that is known to be small enough.
fn low_bits(bits: &BigUint) -> u128 {
    let digits = bits.iter_u64_digits().take(2).enumerate();
    digits.map(|(at, digit)| u128::from(digit) << (64 * at)).sum()
}

fn signed(negative: bool, magnitude: f64) -> f64 {
    if negative { -magnitude } else { magnitude }
}

/// The float nearest to `bits · 2^exponent`. When something is cut off behind the bits, they are
/// more than a float has.
fn nearest(bits: u128, exponent: i64, is_cut: bool) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let top = i64::from(u128::BITS - 1 - bits.leading_zeros()) + exponent;
    if top > i64::from(f64::MAX_EXP) {
        return f64::INFINITY;
    }
    // The last bit that a float of this size has, and how many of the bits stand behind it.
    let last = (top - 52).max(-1074);
    let Some(behind) = u32::try_from(last - exponent).ok().filter(|behind| *behind > 0) else {
        return bits as f64 * power_of_two(exponent);
    };
    let kept = bits.checked_shr(behind).unwrap_or(0);
    let half = bits.checked_shr(behind - 1).unwrap_or(0) & 1 == 1;
    let is_more = is_cut || bits.trailing_zeros() < behind - 1;
    let is_up = half && (is_more || kept & 1 == 1);
    (kept + u128::from(is_up)) as f64 * power_of_two(last)
}

/// 2 to the `exponent`, which is at least −1074; infinite when it is too large.
fn power_of_two(exponent: i64) -> f64 {
    match exponent {
        ..-1022 => f64::from_bits(1 << (exponent + 1074).max(0)),
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        1024.. => f64::INFINITY,
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "what is exact is compared exactly")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(negative: bool, numerator: u128, denominator: u128, exponent: i64) -> f64 {
        let small = quotient(negative, numerator, denominator, exponent);
        let big = big_quotient(negative, &BigUint::from(numerator), &BigUint::from(denominator), exponent);
        assert_eq!(small, big, "{numerator} / {denominator} · 2^{exponent}");
        small
    }

    #[test]
    fn quotients_are_rounded_once() {
        assert_eq!(both(false, 190_260, 27_180, 0), 7.0);
        assert_eq!(both(true, 2_487, 300, 0), -8.29);
        assert_eq!(both(false, 0, 3, 0), 0.0);
        // Half way between two floats: to the even one, unless there is more.
        assert_eq!(both(false, (1 << 53) + 1, 1, 0), 9_007_199_254_740_992.0);
        assert_eq!(both(false, (1 << 53) + 3, 1, 0), 9_007_199_254_740_996.0);
        assert_eq!(both(false, ((1 << 53) + 1) * 3 + 1, 3, 0), 9_007_199_254_740_994.0);
        assert_eq!(both(false, ((1 << 53) + 1) << 60, 1, -60), 9_007_199_254_740_992.0);
        // 10²¹ / 10³⁸ with more digits than a float has.
        assert_eq!(both(false, 123_456_789_012_345_678_901, 10_u128.pow(38), 0), 1.234_567_890_123_456_8e-18);
        assert_eq!(both(false, 1, i128::MAX as u128, 0), 5.877_471_754_111_438e-39);
        assert_eq!(both(false, u128::MAX, 1, 0), 340_282_366_920_938_463_463_374_607_431_768_211_456.0);
    }

    #[test]
    fn the_largest_and_the_smallest() {
        assert_eq!(both(false, 1, 1, 1024), f64::INFINITY);
        assert_eq!(both(false, (1 << 53) - 1, 1, 971), f64::MAX);
        assert_eq!(both(false, (1 << 54) - 1, 1, 970), f64::INFINITY);
        assert_eq!(both(false, 1, 1, -1074), 5e-324);
        assert_eq!(both(false, 1, 1, -1075), 0.0);
        assert_eq!(both(false, 3, 1, -1076), 5e-324);
        assert_eq!(both(false, 3, 1, -1075), 1e-323);
        assert_eq!(both(false, 1, 3, -2_000), 0.0);
        assert_eq!(both(false, u128::MAX, 1, -1_300), 0.0);
    }

    #[test]
    fn roots_are_rounded_once() {
        assert_eq!(root(4, 1, 0), 2.0);
        assert_eq!(root(2, 1, 0), std::f64::consts::SQRT_2);
        assert_eq!(root(0, 7, 0), 0.0);
        assert_eq!(root(6, 3, 0), 0.816_496_580_927_726);
        assert_eq!(root(u128::MAX, 1, 0), 18_446_744_073_709_551_616.0);
        assert_eq!(big_root(&BigUint::from(2_u8), &BigUint::from(8_u8), 3), 4.0);
    }

    proptest! {
        #[test]
        fn a_quotient_lies_between_its_neighbours(numerator in 1..u128::MAX, denominator in 1..i128::MAX as u128) {
            let found = both(false, numerator, denominator, 0);
            // The distances to what lies half way to the neighbours, in whole numbers.
            let (numerator, denominator) = (BigUint::from(numerator), BigUint::from(denominator));
            for (neighbour, is_above) in [(found.next_up(), true), (found.next_down(), false)] {
                let half = (integer(found) + integer(neighbour)) * &denominator;
                let target = &numerator << 129_u32;
                let is_near = if is_above { target <= half } else { target >= half };
                prop_assert!(is_near, "{} is nearer", neighbour);
            }
        }

        #[test]
        fn short_and_long_roots_are_the_same(numerator in any::<u128>(), less in 0..120_u32, denominator in 1..u64::MAX) {
            let numerator = numerator >> less;
            let square = BigUint::from(denominator) * BigUint::from(denominator);
            prop_assert_eq!(root(numerator, denominator, 0), big_root(&BigUint::from(numerator), &square, 0));
        }
    }

    /// A float of the quotients above, in units of 2⁻¹²⁸.
    fn integer(number: f64) -> BigUint {
        let bits = number.to_bits();
        let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
        let shift = exponent - 1_075 + 128;
        let mantissa = BigUint::from(fraction | (1 << 52));
        if shift >= 0 { mantissa << shift } else { mantissa >> -shift }
    }
}
