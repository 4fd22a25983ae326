//! How often keys were used lately, in a few bits each.

use hearth_policy_toolbox::mix;

/// A count-min sketch of counters of four bits (Cormode and Muthukrishnan 2005) with minimal increment, that ages: after a sample
/// of additions all counters are halved.
#[derive(Clone, Debug)]
pub struct FrequencySketch {
    /// Rows one after the other, sixteen counters in a word.
    words: Vec<u64>,
    /// Counters in a row, a power of two.
    width: usize,
    additions: u64,
}

const ROWS: usize = 4;
const COUNTERS_IN_A_WORD: usize = 16;
const BITS: usize = 4;
const GREATEST: u64 = 15;
/// All bits but the highest of each counter.
const HALVES: u64 = 0x7777_7777_7777_7777;
/// Half a kilobyte in all: it does not pay to begin with less.
const LEAST_WIDTH: usize = 256;
/// Counters in a row for each entry, so that few share theirs.
const COUNTERS_OF_AN_ENTRY: usize = 4;

impl FrequencySketch {
    /// A sketch in which nothing was counted.
    pub fn new() -> Self {
        let width = LEAST_WIDTH;
        Self { words: vec![0; ROWS * width / COUNTERS_IN_A_WORD], width, additions: 0 }
    }

    /// Makes it as wide as so many entries need. What was counted stays as it was: a key finds in each half what it found before.
    pub fn widen(&mut self, entries: usize) {
        while self.width < entries.saturating_mul(COUNTERS_OF_AN_ENTRY) {
            let row = self.width / COUNTERS_IN_A_WORD;
            self.words = self.words.chunks(row).flat_map(|row| [row, row].concat()).collect();
            self.width *= 2;
        }
    }

    /// Counts a use of a key, and ages if that completes a sample of so many.
    pub fn add(&mut self, key: u32, sample: u64) {
        let least = self.frequency(key);
        if least < GREATEST {
            for (word, shift) in self.places(key) {
                // Only the least counters say something of this key; what the others hold more is of other keys.
                if let Some(word) = self.words.get_mut(word)
                    && (*word >> shift) & GREATEST == least
                {
                    *word += 1 << shift;
                }
            }
        }
        self.additions += 1;
        if self.additions >= sample {
            self.words.iter_mut().for_each(|word| *word = (*word >> 1) & HALVES);
            self.additions /= 2;
        }
    }

    /// How often a key was used lately, 15 at the most: never less than it was, and more where it shares all its counters.
    pub fn frequency(&self, key: u32) -> u64 {
        let counter = |(word, shift)| self.words.get(word).map_or(0, |word: &u64| (word >> shift) & GREATEST);
        self.places(key).into_iter().map(counter).min().unwrap_or(0)
    }

    /// Where the counters of a key are: a word of each row, and the first bit in it.
    fn places(&self, key: u32) -> [(usize, usize); ROWS] {
        [0, 1, 2, 3].map(|row| {
            let column = mix(u64::from(key) << 2 | row as u64) as usize & (self.width - 1);
            ((row * self.width + column) / COUNTERS_IN_A_WORD, column % COUNTERS_IN_A_WORD * BITS)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counters_end_at_15_and_are_halved_after_a_sample() {
        let mut sketch = FrequencySketch::new();
        (0..3).for_each(|_| sketch.add(7, 100));
        (0..40).for_each(|_| sketch.add(8, 100));
        assert_eq!([7, 8, 9].map(|key| sketch.frequency(key)), [3, 15, 0]);
        sketch.add(9, 44);
        assert_eq!([7, 8, 9].map(|key| sketch.frequency(key)), [1, 7, 0]);
        assert_eq!(sketch.additions, 22, "a sample of 44 is complete after 22 more");
    }

    #[test]
    fn only_the_least_counters_of_a_key_are_raised() {
        let mut sketch = FrequencySketch::new();
        let of_seven = sketch.places(7);
        let shared =
            |key: u32| sketch.places(key).into_iter().filter(|place| of_seven.contains(place)).collect::<Vec<_>>();
        let neighbour = (8..).find(|key| shared(*key).len() == 1).unwrap();
        let (word, shift) = shared(neighbour)[0];
        (0..5).for_each(|_| sketch.add(7, 100));
        sketch.add(neighbour, 100);
        assert_eq!((sketch.words[word] >> shift) & GREATEST, 5, "the one it shares is not its least");
        assert_eq!((sketch.frequency(7), sketch.frequency(neighbour)), (5, 1));
    }

    #[test]
    fn a_few_keys_do_not_share_all_their_counters() {
        let sketch = FrequencySketch::new();
        let has_its_own = |key: u32| {
            let is_own =
                |row: usize| (0..24).all(|other| other == key || sketch.places(other)[row] != sketch.places(key)[row]);
            (0..ROWS).any(is_own)
        };
        assert!((0..24).all(has_its_own), "the test against exact counts needs that");
    }

    proptest! {
        /// Never less than exact counts that are halved at the same times, and exactly that where few keys are; width changes nothing.
        #[test]
        fn it_counts_no_less_than_there_was(
            few in any::<bool>(),
            keys in proptest::collection::vec(0..2000_u32, 0..2000),
            sample in 1..1000_u64,
        ) {
            let mut sketch = FrequencySketch::new();
            let (mut exact, mut additions) = (vec![0_u64; 2000], 0);
            for key in keys.into_iter().map(|key| if few { key % 24 } else { key }) {
                sketch.add(key, sample);
                exact[key as usize] = (exact[key as usize] + 1).min(15);
                additions += 1;
                if additions >= sample {
                    exact.iter_mut().for_each(|count| *count /= 2);
                    additions /= 2;
                }
            }
            let mut wide = sketch.clone();
            wide.widen(1000);
            prop_assert_eq!(wide.width, 4096);
            for (key, exact) in (0..).zip(exact) {
                let counted = sketch.frequency(key);
                prop_assert!(counted >= exact && !(few && key < 24 && counted > exact), "{}: {} of {}", key, counted, exact);
                prop_assert_eq!(wide.frequency(key), counted);
            }
        }
    }
}
