//! Columns of numbers as bytes: the first bytes of all numbers, then the second ones, and so on. Bytes that are alike come to stand beside each
//! other, which is what deflating makes use of.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Numbers of a browser are whole up to here.
pub const MOST: u64 = (1 << 53) - 1;

/// The greatest difference of two such, folded.
const MOST_FOLDED: u64 = 1 << 54;

/// Packs columns one after the other.
#[derive(Debug, Default)]
pub struct Columns {
    bytes: Vec<u8>,
}

impl Columns {
    /// Adds a column of numbers, none greater than what a difference of two up to [`MOST`] is folded to: how many there are, how many bytes each has, and these.
    pub fn add(&mut self, values: &[u64]) {
        let greatest = values.iter().copied().max().unwrap_or(0).min(MOST_FOLDED);
        let width = (64 - greatest.leading_zeros()).div_ceil(8);
        self.bytes.extend_from_slice(&(values.len() as u32).to_le_bytes());
        self.bytes.push(width as u8);
        for place in 0..width {
            self.bytes.extend(values.iter().map(|value| (value.min(&MOST_FOLDED) >> (8 * place)) as u8));
        }
    }

    /// The columns as text.
    pub fn packed(&self) -> String {
        packed(&self.bytes)
    }
}

/// A text as a chunk of a page.
pub fn packed_text(text: &str) -> String {
    packed(text.as_bytes())
}

fn packed(bytes: &[u8]) -> String {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::new(6));
    // Writing into memory does not fail.
    let written = deflated.write_all(bytes).and_then(|()| deflated.finish());
    STANDARD.encode(written.unwrap_or_default())
}

/// A number that may be below zero as one that is not: 0, -1, 1, -2, …
pub fn folded(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The difference of two numbers, folded.
pub fn difference(value: u64, before: u64) -> u64 {
    folded(value.wrapping_sub(before) as i64)
}

#[cfg(test)]
pub mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;

    use super::*;

    /// Columns as they were packed: what the script of the page does, too.
    pub fn unpacked(text: &str) -> Vec<Vec<u64>> {
        let mut bytes = Vec::new();
        DeflateDecoder::new(STANDARD.decode(text).unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
        let (mut columns, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let count = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            let width = usize::from(bytes[at + 4]);
            let body = &bytes[at + 5..at + 5 + count * width];
            let value = |row: usize| (0..width).map(|place| u64::from(body[place * count + row]) << (8 * place)).sum();
            columns.push((0..count).map(value).collect());
            at += 5 + count * width;
        }
        columns
    }

    pub fn unfolded(value: u64) -> i64 {
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    proptest! {
        #[test]
        fn columns_come_back_as_they_were(
            columns in proptest::collection::vec(proptest::collection::vec(0..=MOST, 0..50), 0..5),
            small in proptest::collection::vec(0..300_u64, 0..50),
        ) {
            let mut packed = Columns::default();
            columns.iter().chain([&small]).for_each(|column| packed.add(column));
            let expected: Vec<Vec<u64>> = columns.into_iter().chain([small]).collect();
            prop_assert_eq!(unpacked(&packed.packed()), expected);
        }

        #[test]
        fn differences_come_back_as_they_were(value in 0..=MOST, before in 0..=MOST) {
            prop_assert_eq!(before as i64 + unfolded(difference(value, before)), value as i64);
        }
    }
}
