//! Numbers as text, quickly.

use std::fmt::Write as _;

/// Digits behind the point up to which the quick way goes: nanoseconds of a second.
const DIGITS: usize = 9;
const SCALE: f64 = 1e9;
/// Below this, a whole number of billionths is the same number of at most 15 digits, which is what `Display` finds.
const EXACT: f64 = 1e15;

/// Writes what `Display` would write. Times, counts and shares have few digits, and those need no search for the
/// shortest text that means the same number.
pub(crate) fn push(text: &mut String, value: f64) {
    let scaled = (value * SCALE).round();
    if !(0.0..EXACT).contains(&scaled) || scaled / SCALE != value || value.is_sign_negative() {
        let _ = write!(text, "{value}"); // writing to a string does not fail
        return;
    }
    let billionths = scaled as u64;
    let mut digits = itoa::Buffer::new();
    text.push_str(digits.format(billionths / 1_000_000_000));
    let mut rest = billionths % 1_000_000_000;
    if rest == 0 {
        return;
    }
    let mut fraction = [b'0'; DIGITS];
    for digit in fraction.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let length = fraction
        .iter()
        .rposition(|d| *d != b'0')
        .map_or(0, |p| p + 1);
    text.push('.');
    text.extend(fraction[..length].iter().map(|digit| char::from(*digit)));
}

/// Writes bytes as two hexadecimal digits each.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.extend(bytes.iter().flat_map(|byte| {
        let (high, low) = (byte >> 4, byte & 15);
        [high, low].map(|digit| char::from(DIGITS[usize::from(digit)]))
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pushed(value: f64) -> String {
        let mut text = String::new();
        push(&mut text, value);
        text
    }

    proptest! {
        #[test]
        fn any_number_is_written_as_display_writes_it(value: f64) {
            prop_assert_eq!(pushed(value), value.to_string());
        }

        #[test]
        fn times_are_written_as_display_writes_them(ns in 0..4_000_000_000_000_u64, digits in 0..10_u32) {
            let ns = ns / 10_u64.pow(digits) * 10_u64.pow(digits);
            let value = std::time::Duration::from_nanos(ns).as_secs_f64();
            prop_assert_eq!(pushed(value), value.to_string());
            prop_assert_eq!(pushed(value * 1e3), (value * 1e3).to_string());
        }

        #[test]
        fn hex_is_what_formatting_makes_of_it(number: u128) {
            let mut text = String::new();
            push_hex(&mut text, &number.to_be_bytes());
            prop_assert_eq!(text, format!("{number:032x}"));
        }
    }

    #[test]
    fn odd_numbers_are_written_as_display_writes_them() {
        for value in [
            0.0,
            -0.0,
            -1.5,
            1.0,
            999.0,
            0.1 + 0.2,
            1e-9,
            1e-10,
            1e6,
            123456.789,
            1e15,
            1e16,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert_eq!(pushed(value), value.to_string());
        }
    }
}
