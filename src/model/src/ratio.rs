//! Exact quotients: what `/` gives between exact numbers, until it is needed as a float.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use super::rounding;

/// A quotient of two whole numbers, of any size. Computing with it and comparing it is exact;
/// [`Ratio::to_f64`] rounds, once.
#[derive(Clone, Debug)]
pub struct Ratio(RatioForm);

/// The denominator is greater than zero. Not reduced: most are made, compared once and forgotten.
#[derive(Clone, Debug)]
enum RatioForm {
    /// What fits, so that nothing is allocated.
    Small(i128, i128),
    Big(Box<(BigInt, BigInt)>),
}

impl Ratio {
    /// A whole number.
    #[inline]
    pub fn whole(number: i64) -> Ratio {
        Ratio(RatioForm::Small(i128::from(number), 1))
    }

    /// So many units of 10 to the minus `scale`.
    #[inline]
    pub fn decimal(units: i128, scale: u8) -> Ratio {
        Ratio(RatioForm::Small(units, 10_i128.pow(u32::from(scale))))
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Ratio) -> Ratio {
        if let (RatioForm::Small(a, b), RatioForm::Small(c, d)) = (&self.0, &other.0) {
            let sum = if b == d { a.checked_add(*c).map(|sum| (sum, *b)) } else { crosswise_sum(*a, *b, *c, *d) };
            if let Some((numerator, denominator)) = sum {
                return Ratio(RatioForm::Small(numerator, denominator));
            }
        }
        let ((a, b), (c, d)) = (self.big(), other.big());
        Ratio::of_big(a * &d + c * &b, b * d)
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Ratio) -> Ratio {
        self.plus(&other.negated())
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Ratio) -> Ratio {
        if let (RatioForm::Small(a, b), RatioForm::Small(c, d)) = (&self.0, &other.0)
            && let (Some(numerator), Some(denominator)) = (a.checked_mul(*c), b.checked_mul(*d))
        {
            return Ratio(RatioForm::Small(numerator, denominator));
        }
        let ((a, b), (c, d)) = (self.big(), other.big());
        Ratio::of_big(a * c, b * d)
    }

    /// The quotient; `None` when the other one is zero.
    pub fn over(&self, other: &Ratio) -> Option<Ratio> {
        if other.sign() == Ordering::Equal {
            return None;
        }
        if let (RatioForm::Small(a, b), RatioForm::Small(c, d)) = (&self.0, &other.0) {
            let quotient = if b == d { Some((*a, *c)) } else { a.checked_mul(*d).zip(b.checked_mul(*c)) };
            let quotient = match quotient {
                Some((numerator, denominator)) if denominator < 0 => {
                    numerator.checked_neg().zip(denominator.checked_neg())
                }
                quotient => quotient,
            };
            if let Some((numerator, denominator)) = quotient {
                return Some(Ratio(RatioForm::Small(numerator, denominator)));
            }
        }
        let ((a, b), (c, d)) = (self.big(), other.big());
        let (numerator, denominator) = (a * d, b * c);
        let is_negative = denominator.sign() == Sign::Minus;
        Some(if is_negative { Ratio::of_big(-numerator, -denominator) } else { Ratio::of_big(numerator, denominator) })
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(&self) -> Ratio {
        if let RatioForm::Small(numerator, denominator) = &self.0
            && let Some(numerator) = numerator.checked_neg()
        {
            return Ratio(RatioForm::Small(numerator, *denominator));
        }
        let (numerator, denominator) = self.big();
        Ratio::of_big(-numerator, denominator)
    }

    /// Without its sign.
    #[must_use]
    pub fn absolute(&self) -> Ratio {
        if self.sign().is_lt() { self.negated() } else { self.clone() }
    }

    /// The nearest float, half to even; infinite when it is too large.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            RatioForm::Small(numerator, denominator) => {
                rounding::quotient(*numerator < 0, numerator.unsigned_abs(), denominator.unsigned_abs(), 0)
            }
            RatioForm::Big(parts) => {
                let (numerator, denominator) = &**parts;
                let is_negative = numerator.sign() == Sign::Minus;
                rounding::big_quotient(is_negative, numerator.magnitude(), denominator.magnitude(), 0)
            }
        }
    }

    /// Without what is behind the point; `None` when that does not fit 64 bit.
    pub fn truncated(&self) -> Option<i64> {
        match &self.0 {
            RatioForm::Small(numerator, denominator) => i64::try_from(numerator / denominator).ok(),
            RatioForm::Big(parts) => i64::try_from(&parts.0 / &parts.1).ok(),
        }
    }

    /// On which side of zero it is.
    fn sign(&self) -> Ordering {
        match &self.0 {
            RatioForm::Small(numerator, _) => numerator.cmp(&0),
            RatioForm::Big(parts) => parts.0.sign().cmp(&Sign::NoSign),
        }
    }

    fn big(&self) -> (BigInt, BigInt) {
        match &self.0 {
            RatioForm::Small(numerator, denominator) => (BigInt::from(*numerator), BigInt::from(*denominator)),
            RatioForm::Big(parts) => (**parts).clone(),
        }
    }

    fn of_big(numerator: BigInt, denominator: BigInt) -> Ratio {
        Ratio(RatioForm::Big(Box::new((numerator, denominator))))
    }
}

fn crosswise_sum(a: i128, b: i128, c: i128, d: i128) -> Option<(i128, i128)> {
    Some((a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?, b.checked_mul(d)?))
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (RatioForm::Small(a, b), RatioForm::Small(c, d)) = (&self.0, &other.0) {
            if b == d {
                return a.cmp(c);
            }
            if let (Some(left), Some(right)) = (a.checked_mul(*d), c.checked_mul(*b)) {
                return left.cmp(&right);
            }
        }
        let ((a, b), (c, d)) = (self.big(), other.big());
        (a * d).cmp(&(c * b))
    }
}

impl PartialOrd for Ratio {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ratio {}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "what is exact is compared exactly")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quotient(a: i128, b: i128) -> Ratio {
        Ratio::decimal(a, 2).over(&Ratio::decimal(b, 2)).expect("not by zero")
    }

    #[test]
    fn what_floats_get_wrong() {
        let seven = quotient(190_260, 27_180);
        assert_eq!(seven, Ratio::whole(7));
        assert_eq!(seven.to_f64(), 7.0);
        assert_eq!(seven.times(&Ratio::whole(90)).truncated(), Some(630));
        let mean = Ratio::decimal(24_87, 2).over(&Ratio::whole(3)).expect("not by zero");
        assert_eq!(mean, Ratio::decimal(8_29, 2));
        assert_eq!(mean.to_f64(), 8.29);
        assert!(quotient(1, 3) > Ratio::decimal(333_333_333_333_333_333, 18));
        assert!(quotient(-1, 3) < quotient(-333_333_333_333_333_333, 1_000_000_000_000_000_000));
        assert_eq!(quotient(5, -2).truncated(), Some(-2));
        assert!(Ratio::whole(1).over(&Ratio::whole(0)).is_none());
    }

    proptest! {
        #[test]
        fn small_and_big_are_the_same(a in any::<i128>(), b in 1..i128::MAX, c in any::<i128>(), d in 1..i128::MAX, less in 0..127_u32) {
            let (small, other) = (Ratio(RatioForm::Small(a >> less, (b >> less).max(1))), Ratio(RatioForm::Small(c >> less, d)));
            let big = |ratio: &Ratio| Ratio(RatioForm::Big(Box::new(ratio.big())));
            prop_assert_eq!(small.plus(&other), big(&small).plus(&big(&other)));
            prop_assert_eq!(small.minus(&other), big(&small).minus(&big(&other)));
            prop_assert_eq!(small.times(&other), big(&small).times(&big(&other)));
            prop_assert_eq!(small.over(&other), big(&small).over(&big(&other)));
            prop_assert_eq!(small.cmp(&other), big(&small).cmp(&big(&other)));
            prop_assert_eq!(small.truncated(), big(&small).truncated());
            prop_assert_eq!(small.to_f64(), big(&small).to_f64());
            prop_assert_eq!(small.absolute(), big(&small).absolute());
        }
    }
}
