//! Exact decimals: a whole number of units of 10⁻ⁿ, where `n` (the scale) is part of the type, not
//! of the value.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::ratio::Ratio;

/// A number of units of 10⁻ⁿ. The scale is known from the [`Type`](super::Type).
///
/// Records hold units of 64 bit, sums of them up to 127 bit. Packed to eight bytes so that a
/// [`Value`](super::Value) stays at 24 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(C, packed(8))]
pub struct Decimal {
    units: i128,
}

impl Decimal {
    /// So many units.
    #[inline]
    pub const fn new(units: i128) -> Decimal {
        Decimal { units }
    }

    /// The number of units.
    #[inline]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// Reads `-12.50` (also `1.25e1`) at a scale. `None` when it is not a number, has more decimals
    /// than the scale (trailing zeros are fine) or does not fit 64 bit.
    pub fn parse(text: &str, scale: u8) -> Option<Decimal> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return None;
        }
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            units = units.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        let shift = i64::from(scale) + i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
        let units = shifted(units, shift)?;
        let units = i64::try_from(if negative { -units } else { units }).ok()?;
        Some(Decimal::new(i128::from(units)))
    }

    /// Appends the number with all the decimals of its scale: `-12.50`.
    pub fn write(self, out: &mut String, scale: u8) {
        let units = self.units;
        let size = 10_u128.pow(u32::from(scale));
        let magnitude = units.unsigned_abs();
        let sign = if units < 0 { "-" } else { "" };
        let _ = if scale == 0 {
            write!(out, "{sign}{magnitude}")
        } else {
            write!(out, "{sign}{}.{:0width$}", magnitude / size, magnitude % size, width = usize::from(scale))
        };
    }

    /// The number with all the decimals of its scale.
    pub fn format(self, scale: u8) -> String {
        let mut out = String::new();
        self.write(&mut out, scale);
        out
    }

    /// The nearest floating-point number, half to even.
    pub fn to_f64(self, scale: u8) -> f64 {
        Ratio::decimal(self.units, scale).to_f64()
    }
}

/// `units` times ten to the `shift`, when that is whole and fits.
fn shifted(mut units: i128, shift: i64) -> Option<i128> {
    if units == 0 {
        return Some(0);
    }
    for _ in 0..shift.max(0) {
        units = units.checked_mul(10)?;
    }
    for _ in 0..(-shift).max(0) {
        if units % 10 != 0 {
            return None;
        }
        units /= 10;
    }
    Some(units)
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.units().cmp(&other.units())
    }
}

impl std::fmt::Debug for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}u", self.units())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exactly_or_not_at_all() {
        let units = |text, scale| Decimal::parse(text, scale).map(Decimal::units);
        assert_eq!(units("12.5", 2), Some(1250));
        assert_eq!(units("-0.01", 2), Some(-1));
        assert_eq!(units("12.500", 2), Some(1250));
        assert_eq!(units("1.25e1", 2), Some(1250));
        assert_eq!(units("0e999999999", 2), Some(0));
        assert_eq!(units("92233720368547758.07", 2), Some(i128::from(i64::MAX)));
        for bad in ["12.505", "92233720368547758.08", "", "-", ".5", "5.", "1e99", "1e-9", "NaN", "+1", "1_0", " 1"] {
            assert_eq!(units(bad, 2), None, "{bad}");
        }
    }

    #[test]
    fn writes_every_decimal_of_its_scale() {
        assert_eq!(Decimal::new(-1250).format(2), "-12.50");
        assert_eq!(Decimal::new(-5).format(2), "-0.05");
        assert_eq!(Decimal::new(7).format(0), "7");
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "what is exact is compared exactly")]
    fn floats_of_it_are_rounded_once() {
        assert_eq!(Decimal::new(8_29).to_f64(2), 8.29);
        assert_eq!(Decimal::new(90_071_992_547_409_935).to_f64(1), 9_007_199_254_740_993.5);
        assert_eq!(Decimal::new(i128::MAX).to_f64(9), 1.701_411_834_604_692_3e29);
    }
}
