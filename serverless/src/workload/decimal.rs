//! Times in decimal digits, to the nanosecond: a float would lose the nanoseconds of a date in seconds since 1970.

/// Plain decimal digits that count units of so many nanoseconds, as nanoseconds, to the nearest; `None` for anything else,
/// for more digits than fit, and for what is longer than 2⁶⁴ ns.
pub(crate) fn decimal_nanos(text: &[u8], unit_nanos: u64) -> Option<u64> {
    // With so many digits nothing overflows.
    const DIGITS: usize = 19;
    if text.len() > DIGITS + 1 {
        return None;
    }
    let (mut value, mut decimals) = (0_u64, None);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                // One digit too many wraps, and is refused below.
                value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                decimals = decimals.map(|decimals: u32| decimals + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let digits = text.len() - usize::from(decimals.is_some());
    let decimals = decimals.unwrap_or(0);
    if digits > DIGITS || digits <= decimals as usize {
        return None;
    }
    let scale = 10_u64.pow(decimals);
    if unit_nanos.is_multiple_of(scale) {
        return value.checked_mul(unit_nanos / scale);
    }
    let scale = u128::from(scale);
    u64::try_from((u128::from(value) * u128::from(unit_nanos) + scale / 2) / scale).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    proptest! {
        #[test]
        fn seconds_are_exact(nanos in 0..9_999_999_999_999_999_999_u64) {
            let text = format!("{}.{:09}", nanos / SECOND, nanos % SECOND);
            prop_assert_eq!(decimal_nanos(text.as_bytes(), SECOND), Some(nanos));
        }

        #[test]
        fn other_units_are_exact(nanos in 0..9_999_999_999_999_999_999_u64) {
            let milliseconds = format!("{}.{:06}", nanos / 1_000_000, nanos % 1_000_000);
            prop_assert_eq!(decimal_nanos(milliseconds.as_bytes(), 1_000_000), Some(nanos));
            prop_assert_eq!(decimal_nanos(nanos.to_string().as_bytes(), 1), Some(nanos));
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_left_to_others() {
        for text in ["", ".", ".5", "1e3", "-1", "1.2.3", "nan", "12345678901.123456789"] {
            assert_eq!(decimal_nanos(text.as_bytes(), SECOND), None, "{text}");
        }
        assert_eq!(
            ["7", "0.25", "3.", "0.1234567891", "0.0000000005"].map(|text| decimal_nanos(text.as_bytes(), SECOND)),
            [7 * SECOND, SECOND / 4, 3 * SECOND, 123_456_789, 1].map(Some)
        );
        assert_eq!(decimal_nanos(b"18446744074", SECOND), None, "beyond the clock");
    }
}
