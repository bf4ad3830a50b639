//! An exact fraction. Verdicts, budgets and burn rates are computed with it, so that no
//! rounding can turn a miss into a pass: `1 - 0.98` is not 0.02 in binary floating point.

use std::cmp::Ordering;
use std::fmt;

/// An exact fraction in lowest terms with a positive denominator.
///
/// Values come from event counts (at most 2^64) and targets (denominator 10^8), so the parts
/// stay far inside 128 bits. Comparison never multiplies and so cannot overflow.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: i128,
    den: i128,
}

/// How [`Ratio::to_decimal`] ends the digits it prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves away from zero: for budgets ("percent is rounded").
    Nearest,
    /// Cut towards zero: for SLIs, where 99.996 % must not be shown as 100.00 %.
    Truncate,
}

impl Ratio {
    /// `num / den`, or `None` where `den` is zero or a part is out of range.
    #[must_use]
    pub fn new(num: i128, den: i128) -> Option<Self> {
        if den == 0 || num == i128::MIN || den == i128::MIN {
            return None;
        }
        let sign = if den < 0 { -1 } else { 1 };
        let divisor = gcd(num.unsigned_abs(), den.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()?;
        Some(Self {
            num: sign * (num / divisor),
            den: sign * (den / divisor),
        })
    }

    /// The whole number `value`.
    #[must_use]
    pub fn whole(value: u64) -> Self {
        Self {
            num: i128::from(value),
            den: 1,
        }
    }

    /// Parses a plain decimal such as `16.8` exactly; at most six digits after the point.
    #[must_use]
    pub fn parse_decimal(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || fraction.len() > 6 {
            return None;
        }
        if !digits(whole) || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
            return None;
        }
        let num: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        Self::new(num, scale)
    }

    /// The sign: -1, 0 or 1.
    #[must_use]
    pub fn signum(self) -> i128 {
        self.num.signum()
    }

    /// The nearest float, for charts and gauges only: never compare it with a target.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for display only")]
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// `self x factor` as a whole number cut towards zero, saturating.
    ///
    /// Where the product does not fit 128 bits, low bits of both parts are dropped: the result
    /// is for display, and is then still good to more than 60 bits.
    #[must_use]
    pub fn scale_truncated(self, factor: u128) -> i128 {
        let factor = i128::try_from(factor).unwrap_or(i128::MAX);
        let (mut num, mut den) = (self.num, self.den);
        loop {
            if let Some(product) = num.checked_mul(factor) {
                return product.checked_div(den).unwrap_or(i128::MAX);
            }
            num /= 2;
            den = (den / 2).max(1);
        }
    }

    /// Decimal digits of `self x 10^shift` with `places` after the point: `shift` 2 prints a
    /// percentage. A value that rounds to zero keeps its minus, so that an overspent budget
    /// never looks untouched.
    #[must_use]
    pub fn to_decimal(self, shift: u32, places: u32, rounding: Rounding) -> String {
        let mut whole = self.num.unsigned_abs() / self.den.unsigned_abs();
        let mut rest = self.num.unsigned_abs() % self.den.unsigned_abs();
        let den = self.den.unsigned_abs();
        for _ in 0..shift + places {
            let (digit, next) = next_digit(rest, den);
            whole = whole.saturating_mul(10).saturating_add(digit);
            rest = next;
        }
        if rounding == Rounding::Nearest && rest >= den - rest {
            whole = whole.saturating_add(1);
        }
        let digits = format!("{whole:0>width$}", width = places as usize + 1);
        let (head, tail) = digits.split_at(digits.len() - places as usize);
        let sign = if self.num < 0 { "-" } else { "" };
        if tail.is_empty() {
            format!("{sign}{head}")
        } else {
            format!("{sign}{head}.{tail}")
        }
    }
}

/// The next decimal digit of `rest / den` and what remains, without overflow.
fn next_digit(rest: u128, den: u128) -> (u128, u128) {
    let mut digit = 0;
    let mut sum = 0_u128;
    // Ten times `rest`, modulo `den`, by addition: `rest < den < 2^127`, so no sum overflows.
    for _ in 0..10 {
        sum += rest;
        if sum >= den {
            sum -= den;
            digit += 1;
        }
    }
    (digit, sum)
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl Ord for Ratio {
    /// Exact, by comparing continued fractions: cross products of 91-bit parts would overflow.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.num, self.den);
        let (mut c, mut d) = (other.num, other.den);
        let mut flipped = false;
        loop {
            let order = a.div_euclid(b).cmp(&c.div_euclid(d));
            let order = if order == Ordering::Equal {
                match (a.rem_euclid(b), c.rem_euclid(d)) {
                    (0, 0) => return Ordering::Equal,
                    (0, _) => Ordering::Less,
                    (_, 0) => Ordering::Greater,
                    (left, right) => {
                        // left/b against right/d is d/right against b/left, turned round.
                        (a, b, c, d) = (b, left, d, right);
                        flipped = !flipped;
                        continue;
                    }
                }
            } else {
                order
            };
            return if flipped { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// Decimal digits, as many as needed up to three: `16.8`, `50`, `0.333`.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_decimal(0, 3, Rounding::Nearest);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}
