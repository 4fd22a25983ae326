//! Rows `seconds,name,seconds` without quotes, spaces or exponents, as nearly all rows of large traces are, taken straight
//! from the buffer of the reader, eight bytes at a time. What looks otherwise is left to [`super::rows`], which reads
//! everything and says what is wrong.

/// Bytes that hold no digit have their high bit set.
const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;
/// What a digit more or less is worth, by how many there are; no more than eight are read at once.
const SCALES: [u64; 16] =
    [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 0, 0, 0, 0, 0, 0, 0];

/// A row, and how many bytes it takes with the end of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PlainRow {
    /// In ns.
    pub first: u64,
    pub name: ShortName,
    /// In ns.
    pub second: u64,
    pub length: usize,
}

/// A name of at most seven bytes, packed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ShortName(u64);

impl ShortName {
    /// Packs a name; `None` for one that is empty, too long or has bytes that a plain row cannot hold.
    pub fn new(name: &[u8]) -> Option<Self> {
        let mut padded = [0; 8];
        padded.get_mut(..name.len())?.copy_from_slice(name);
        let is_plain = !name.is_empty() && name.len() < 8 && name.iter().all(|byte| !b"\0,\"\r\n".contains(byte));
        is_plain.then_some(Self(u64::from_le_bytes(padded)))
    }
}

/// No plain row is longer than this less a word.
const WINDOW: usize = 64;

/// Takes the first row of `bytes`; `None` if it is not plain, or so near the end that it may not be all there.
#[inline]
pub(crate) fn plain_row(bytes: &[u8]) -> Option<PlainRow> {
    let window: &[u8; WINDOW] = bytes.first_chunk()?;
    let (first, at) = plain_seconds(window, 0)?;
    let (name, at) = short_name(window, after(window, at, b',')?)?;
    let (second, at) = plain_seconds(window, at)?;
    let at = after(window, at, b'\r').unwrap_or(at);
    Some(PlainRow { first, name, second, length: after(window, at, b'\n')? })
}

/// The position after this byte, if that is what is there.
#[inline(always)]
fn after(window: &[u8; WINDOW], at: usize, byte: u8) -> Option<usize> {
    (*window.get(at)? == byte).then_some(at + 1)
}

/// The eight bytes from a position on.
#[inline(always)]
fn word(window: &[u8; WINDOW], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*window.get(at..)?.first_chunk()?))
}

/// The name up to the comma, and the position after the comma.
#[inline(always)]
fn short_name(window: &[u8; WINDOW], at: usize) -> Option<(ShortName, usize)> {
    let word = word(window, at)?;
    let length = first_of(word, b',')?;
    if length == 0 {
        return None;
    }
    // What must not be in a name shows as an unknown function, and the row is read anew by those who know better.
    Some((ShortName(word & ((1 << (8 * length)) - 1)), at + length + 1))
}

/// The position of the first byte of this value in a word.
fn first_of(word: u64, byte: u8) -> Option<usize> {
    let zeros = word ^ (ONES * u64::from(byte));
    // The lowest mark is exact; those above it may be set by a borrow.
    let marks = zeros.wrapping_sub(ONES) & !zeros & HIGH;
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// Decimal seconds with at most eight digits before the point and nine after it, in ns, and the position after them.
#[inline(always)]
fn plain_seconds(window: &[u8; WINDOW], at: usize) -> Option<(u64, usize)> {
    let (whole, digits) = up_to_eight_digits(word(window, at)?);
    if digits == 0 {
        return None;
    }
    let Some(at) = after(window, at + digits, b'.') else {
        return Some((whole * SCALES[0], at + digits));
    };
    let (parts, digits) = up_to_eight_digits(word(window, at)?);
    let (nanos, at) = (whole * SCALES[0] + parts * SCALES[digits & 15], at + digits);
    // The ninth, which is of nanoseconds.
    let last = window.get(at)?.wrapping_sub(b'0');
    if digits == 8 && last < 10 { Some((nanos + u64::from(last), at + 1)) } else { Some((nanos, at)) }
}

/// The number that a word begins with, and how many digits it has; of more than eight there are others behind it.
#[inline(always)]
fn up_to_eight_digits(word: u64) -> (u64, usize) {
    let digits = word ^ (ONES * u64::from(b'0'));
    // Digits are 0 to 9 now: everything else reaches the high bit with 0x76 added, or has it.
    let others = ((digits & !HIGH).wrapping_add(ONES * 0x76) | digits) & HIGH;
    let count = others.trailing_zeros() as usize / 8;
    // The last digit to the highest byte, zeros before the first; then pairs, fours and eights of digits.
    let aligned = digits.checked_shl(64 - 8 * count as u32).unwrap_or(0);
    let pairs = (aligned * 10 + (aligned >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let number = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    (number, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(number in 0..100_000_000_u64, zeros in 0..8_usize, end in "[^0-9]") {
            let digits = format!("{number:0zeros$}");
            let text = format!("{digits}{end}       ");
            let word = u64::from_le_bytes(*text.as_bytes().first_chunk().unwrap());
            prop_assert_eq!(up_to_eight_digits(word), (number, digits.len()));
        }

        #[test]
        fn a_row_gives_back_what_was_written(
            first in (0..100_000_000_u64, 0..1_000_000_000_u64),
            digits in 1..=9_usize,
            name in "[a-z0-9_]{1,7}",
            second in (0..100_000_000_u64, 0..1000_u64),
            carriage_return in any::<bool>(),
        ) {
            let end = if carriage_return { "\r\n" } else { "\n" };
            let fraction = &format!("{:09}", first.1)[..digits];
            let row = format!("{}.{fraction},{name},{}.{:03}{end}", first.0, second.0, second.1);
            let expected = PlainRow {
                first: first.0 * 1_000_000_000 + fraction.parse::<u64>().unwrap() * 10_u64.pow(9 - digits as u32),
                name: ShortName::new(name.as_bytes()).unwrap(),
                second: second.0 * 1_000_000_000 + second.1 * 1_000_000,
                length: row.len(),
            };
            prop_assert_eq!(plain_row((row + &"next row".repeat(8)).as_bytes()), Some(expected));
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_others() {
        let rows = [
            "1.5,f,2\n",                 // too near the end to be read eight bytes at a time
            "-1,f,2\n        ",          // a sign
            "1e3,f,2\n        ",         // an exponent
            ".5,f,2\n        ",          // no digit before the point
            "123456789,f,2\n        ",   // nine digits
            "1.1234567891,f,2\n       ", // ten digits
            "1,eightlet,2\n        ",    // a long name
            "1,,2\n        ",            // no name
            "1, f ,2 \n        ",        // a space after the number
            "1,f,2,3\n        ",         // another column
            "1,f\n1,f,2\n        ",      // a column too few
            "nan,f,1\n        ",
        ];
        for (position, row) in rows.into_iter().enumerate() {
            let ahead = if position == 0 { row.to_owned() } else { row.to_owned() + &" ".repeat(WINDOW) };
            assert_eq!(plain_row(ahead.as_bytes()), None, "{row:?}");
        }
        assert!(plain_row("1.5,f,2\n".repeat(8).as_bytes()).is_some());
        assert_eq!([&b""[..], b"eightlet", b"a,b", b"a\0"].map(ShortName::new), [None; 4]);
    }
}
