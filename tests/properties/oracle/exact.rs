//! Exact numbers: fractions of whole numbers of any size, and the floats that are nearest to them.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_rational::BigRational;

/// A fraction.
pub(crate) type Fraction = BigRational;

pub(crate) fn whole(number: i128) -> Fraction {
    Fraction::from_integer(BigInt::from(number))
}

/// So many units of 10 to the minus `scale`.
pub(crate) fn of_decimal(units: i128, scale: u8) -> Fraction {
    Fraction::new(BigInt::from(units), BigInt::from(10).pow(u32::from(scale)))
}

/// A float, exactly.
pub(crate) fn of_float(number: f64) -> Fraction {
    Fraction::from_float(number).expect("finite")
}

pub(crate) fn is_zero(number: &Fraction) -> bool {
    *number == whole(0)
}

/// The nearest float, of two equally near ones the even one; `None` when it is too large.
pub(crate) fn nearest(number: &Fraction) -> Option<f64> {
    let magnitude = if *number < whole(0) { -number } else { number.clone() };
    let guess = float_of(magnitude.numer())? / float_of(magnitude.denom())?;
    let found = walked(guess, &|other| other.cmp(&magnitude))?;
    Some(if *number < whole(0) { -found } else { found })
}

/// The float nearest to the square root.
pub(crate) fn nearest_root(square: &Fraction) -> Option<f64> {
    let guess = (float_of(square.numer())? / float_of(square.denom())?).sqrt();
    walked(guess, &|other| (other * other).cmp(square))
}

/// Near enough to begin with.
fn float_of(number: &BigInt) -> Option<f64> {
    number.to_string().parse().ok().filter(|number: &f64| number.is_finite())
}

/// The float nearest to a number that is not negative, from one that is near. `order` says on which
/// side of it another number is.
fn walked(mut guess: f64, order: &dyn Fn(&Fraction) -> Ordering) -> Option<f64> {
    let is_even = |number: f64| number.to_bits().is_multiple_of(2);
    loop {
        if !guess.is_finite() {
            return None;
        }
        let half_way = |other: f64| (of_float(guess) + of_float(other)) / whole(2);
        let above = if guess < f64::MAX { order(&half_way(guess.next_up())) } else { Ordering::Greater };
        let below = if guess > 0.0 { order(&half_way(guess.next_down())) } else { Ordering::Less };
        match (above, below) {
            (Ordering::Less, _) => guess = guess.next_up(),
            (_, Ordering::Greater) => guess = guess.next_down(),
            (Ordering::Equal, _) if !is_even(guess) => return Some(guess.next_up()),
            (_, Ordering::Equal) if !is_even(guess) => return Some(guess.next_down()),
            _ => return Some(guess),
        }
    }
}

#[test]
fn nearest_floats() {
    let third = whole(1) / whole(3);
    assert_eq!(nearest(&third), Some(1.0 / 3.0));
    assert_eq!(nearest(&of_decimal(-8_29, 2)), Some(-8.29));
    assert_eq!(nearest(&(whole(190_260) / whole(27_180))), Some(7.0));
    assert_eq!(nearest(&whole((1 << 53) + 1)), Some(9_007_199_254_740_992.0));
    assert_eq!(nearest(&whole((1 << 53) + 3)), Some(9_007_199_254_740_996.0));
    assert_eq!(nearest(&whole(0)), Some(0.0));
    assert_eq!(nearest_root(&whole(2)), Some(std::f64::consts::SQRT_2));
    assert_eq!(nearest_root(&of_decimal(25, 2)), Some(0.5));
}
