//! Histograms of the layout of HdrHistogram: values below 2ᵇ⁺¹ have a bucket each, and every octave above has 2ᵇ.
//!
//! The `hdrhistogram` crate, with which the tests compare, keeps a bucket for every value that may come, which is 250 KB
//! for an hour in nanoseconds; with a few for each of ten thousand functions that is too much. Here few values are a list,
//! and of many only the octaves are kept that they have come from, in a byte for each bucket as long as a byte holds it.

use std::fmt;
use std::iter;

/// Counts values that are not zero, so that a percentile is at most a 2ᴮᴵᵀˢ-th too high.
#[derive(Clone)]
pub(super) enum Histogram<const BITS: u32> {
    /// The buckets of few values, in the order in which these came.
    Few(Vec<u16>),
    /// How many values there are in each bucket.
    Many(Buckets),
}

/// The counts of neighbouring buckets.
#[derive(Clone)]
pub(super) struct Buckets {
    /// What is left of the counts when they are divided by 256. That is all that changes with most values, and so small that
    /// it stays in a cache.
    low: Box<[u8]>,
    /// The rest of the counts, once there is one.
    high: Option<Box<High>>,
    /// The first of the buckets.
    first: u32,
}

/// Counts divided by 256.
#[derive(Clone)]
struct High(Vec<u64>);

impl Buckets {
    /// So many buckets from the first one on, where nothing is counted.
    fn new(first: usize, len: usize) -> Self {
        Self { low: iter::repeat_n(0, len).collect(), high: None, first: first as u32 }
    }

    /// Counts a value; `false` where its bucket is not among these.
    #[inline]
    fn add(&mut self, bucket: usize) -> bool {
        let position = bucket.wrapping_sub(self.first as usize);
        let Some(low) = self.low.get_mut(position) else { return false };
        *low = low.wrapping_add(1);
        if *low == 0 {
            self.carry(position);
        }
        true
    }

    #[cold]
    fn carry(&mut self, position: usize) {
        let High(high) = &mut **self.high.get_or_insert_with(|| Box::new(High(vec![0; self.low.len()])));
        high[position] += 1;
    }

    /// Takes in the buckets before and after, so that there are so many from the first one on.
    fn widen(&mut self, first: usize, len: usize) {
        let before = self.first as usize - first;
        let mut wider = Self::new(first, len);
        wider.low[before..before + self.low.len()].copy_from_slice(&self.low);
        if let Some(High(high)) = self.high.as_deref() {
            let mut wide = vec![0; len];
            wide[before..before + high.len()].copy_from_slice(high);
            wider.high = Some(Box::new(High(wide)));
        }
        *self = wider;
    }

    /// Each bucket and its count.
    fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        let high = self.high.iter().flat_map(|high| high.0.iter().copied()).chain(iter::repeat(0));
        let counts = self.low.iter().zip(high).map(|(low, high)| u64::from(*low) + (high << 8));
        (self.first as usize..).zip(counts)
    }
}

impl<const BITS: u32> Default for Histogram<BITS> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<const BITS: u32> Histogram<BITS> {
    const OCTAVE: usize = 1 << BITS;
    /// So many values are always a list.
    const FEW: usize = 32;

    /// The bucket of a value that is not zero.
    #[inline]
    fn bucket(value: u64) -> usize {
        let shift = value.ilog2().saturating_sub(BITS);
        ((shift as usize) << BITS) + (value >> shift) as usize
    }

    /// The greatest value of a bucket.
    fn greatest(bucket: usize) -> u64 {
        let shift = (bucket >> BITS).saturating_sub(1);
        let leading = (bucket - (shift << BITS)) as u64;
        (leading << shift) + ((1 << shift) - 1)
    }

    /// The first bucket of the octave of the least bucket, and how many there are up to the end of that of the greatest.
    fn octaves(least: usize, greatest: usize) -> (usize, usize) {
        let first = least & !(Self::OCTAVE - 1);
        (first, (greatest | (Self::OCTAVE - 1)) + 1 - first)
    }

    /// Counts a value that is not zero.
    #[inline]
    pub fn add(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        let has_room = match self {
            Self::Many(buckets) => buckets.add(bucket),
            Self::Few(values) => {
                let has_room = values.len() < values.capacity();
                if has_room {
                    values.push(bucket as u16);
                }
                has_room
            }
        };
        if !has_room {
            self.grow_and_add(bucket);
        }
    }

    #[cold]
    fn grow_and_add(&mut self, bucket: usize) {
        match self {
            Self::Few(values) => {
                let least = values.iter().min().map_or(bucket, |least| bucket.min((*least).into()));
                let greatest = values.iter().max().map_or(bucket, |greatest| bucket.max((*greatest).into()));
                let (first, len) = Self::octaves(least, greatest);
                // A list twice as long, or buckets: what takes less memory.
                if values.len() < Self::FEW || 4 * values.len() <= len {
                    values.reserve_exact(values.len().max(4));
                    values.push(bucket as u16);
                    return;
                }
                let mut buckets = Buckets::new(first, len);
                for bucket in values.iter().map(|value| usize::from(*value)).chain([bucket]) {
                    buckets.add(bucket);
                }
                *self = Self::Many(buckets);
            }
            Self::Many(buckets) => {
                let last = buckets.first as usize + buckets.low.len() - 1;
                let (first, len) = Self::octaves(bucket.min(buckets.first as usize), bucket.max(last));
                buckets.widen(first, len);
                buckets.add(bucket);
            }
        }
    }

    /// Buckets in ascending order, with how many values each has; a bucket may come several times, or with none.
    fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        let (few, many) = match self {
            Self::Few(values) => {
                let mut values = values.clone();
                values.sort_unstable();
                (values, None)
            }
            Self::Many(buckets) => (Vec::new(), Some(buckets)),
        };
        few.into_iter().map(|bucket| (bucket.into(), 1)).chain(many.into_iter().flat_map(Buckets::counts))
    }

    /// Where so many values were counted, and those that are not here were zeros: a value that this share of all does not
    /// exceed, the least of which that can be told; 0 if there are no values.
    pub fn percentile(&self, share: f64, count: u64) -> u64 {
        let wanted = ((share * count as f64).ceil() as u64).max(1);
        if let Self::Few(values) = self {
            // Who draws a distribution asks for hundreds: one value is found sooner than all are sorted.
            let rank = (wanted + values.len() as u64).checked_sub(count + 1);
            let mut values = values.clone();
            let last = values.len().saturating_sub(1);
            let found = rank
                .filter(|_| !values.is_empty())
                .map(|rank| *values.select_nth_unstable(usize::try_from(rank).map_or(last, |rank| rank.min(last))).1);
            return found.map_or(0, |bucket| Self::greatest(bucket.into()));
        }
        let above_zero: u64 = self.counts().map(|(_, count)| count).sum();
        let mut seen = count - above_zero;
        if seen >= wanted {
            return 0;
        }
        let mut counts = self.counts();
        let found = counts.find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        found.map_or(0, |(bucket, _)| Self::greatest(bucket))
    }

    /// The same of many shares: what was counted is put in order once.
    pub fn percentiles(&self, shares: &[f64], count: u64) -> Vec<u64> {
        let mut counts: Vec<_> = self.counts().collect();
        let above_zero: u64 = counts.iter().map(|(_, count)| count).sum();
        let zeros = count - above_zero;
        let mut seen = zeros;
        for (_, count) in &mut counts {
            seen += *count;
            *count = seen;
        }
        let percentile = |share: &f64| {
            let wanted = ((share * count as f64).ceil() as u64).max(1);
            if wanted <= zeros {
                return 0;
            }
            let found = counts.get(counts.partition_point(|(_, seen)| *seen < wanted));
            found.map_or(0, |(bucket, _)| Self::greatest(*bucket))
        };
        shares.iter().map(percentile).collect()
    }
}

/// The same for the same values, in whatever order they came.
impl<const BITS: u32> fmt::Debug for Histogram<BITS> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.counts().filter(|(_, count)| *count > 0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            Just(0),
            1..5000_u64,
            (0..62_u32, any::<u64>()).prop_map(|(octave, low)| (1 << octave) | (low >> (63 - octave))),
        ]
    }

    /// Values, each so many times.
    fn values() -> impl Strategy<Value = Vec<(u64, u64)>> {
        let times = prop_oneof![Just(1), 1..40_u64, Just(255), Just(256), 250..2000_u64];
        proptest::collection::vec((value(), times), 1..200)
    }

    fn percentiles_are_those_of_hdrhistogram<const BITS: u32>(
        digits: u8,
        values: &[(u64, u64)],
        share: f64,
    ) -> Result<(), TestCaseError> {
        let (mut ours, mut count) = (Histogram::<BITS>::default(), 0);
        let mut theirs = hdrhistogram::Histogram::<u64>::new(digits).unwrap();
        // One after the other, so that what is counted in one bucket lies apart.
        for round in 0..values.iter().map(|(_, times)| *times).max().unwrap_or(0) {
            for (value, _) in values.iter().filter(|(_, times)| *times > round) {
                count += 1;
                if *value > 0 {
                    ours.add(*value);
                }
            }
        }
        for (value, times) in values {
            theirs.record_n(*value, *times).unwrap();
        }
        for share in [share, 0.5, 1.0] {
            prop_assert_eq!(ours.percentile(share, count), theirs.value_at_quantile(share));
        }
        let shares: Vec<f64> = (0..=10).map(|step| f64::from(step) / 10.0).chain([share]).collect();
        let one_by_one: Vec<u64> = shares.iter().map(|share| ours.percentile(*share, count)).collect();
        prop_assert_eq!(ours.percentiles(&shares, count), one_by_one);
        Ok(())
    }

    proptest! {
        /// Three significant digits are 1 024 buckets an octave, one is 16.
        #[test]
        fn percentiles_are_those_of_hdrhistogram_whatever_they_are_kept_in(values in values(), share in 0.001..1.0) {
            percentiles_are_those_of_hdrhistogram::<10>(3, &values, share)?;
            percentiles_are_those_of_hdrhistogram::<4>(1, &values, share)?;
        }

        #[test]
        fn a_value_is_in_its_bucket_and_the_bucket_is_narrow(value in value().prop_filter("not zero", |value| *value > 0)) {
            let greatest = Histogram::<5>::greatest(Histogram::<5>::bucket(value));
            prop_assert!(value <= greatest && greatest - value <= value / 32, "{value} and {greatest}");
            prop_assert!(Histogram::<10>::bucket(u64::MAX) <= u16::MAX.into());
        }
    }

    /// Bytes of what the buckets or the list take.
    fn memory(histogram: &Histogram<5>) -> usize {
        match histogram {
            Histogram::Few(values) => 2 * values.capacity(),
            Histogram::Many(buckets) => {
                buckets.low.len() + buckets.high.as_ref().map_or(0, |high| 8 * high.0.capacity())
            }
        }
    }

    #[test]
    fn only_octaves_with_values_and_those_between_take_memory() {
        let mut histogram = Histogram::<5>::default();
        assert_eq!((histogram.percentile(0.5, 0), memory(&histogram)), (0, 0));
        (0..32).for_each(|_| histogram.add(1_000_000_000));
        assert_eq!(memory(&histogram), 64);
        histogram.add(1_000_000_000);
        assert_eq!(memory(&histogram), 32);
        histogram.add(250_000_000);
        assert_eq!(memory(&histogram), 96);
        // Buckets that count beyond a byte take more, and go on counting.
        (0..1_000).for_each(|_| histogram.add(1_000_000_000));
        assert_eq!(memory(&histogram), 96 + 8 * 96);
        histogram.add(1 << 40);
        assert_eq!(histogram.counts().map(|(_, count)| count).max(), Some(1_033));
    }

    #[test]
    fn few_values_of_many_octaves_are_a_list_for_longer() {
        let mut histogram = Histogram::<5>::default();
        (0..128).for_each(|number| histogram.add(1 << (10 + number % 20)));
        assert_eq!(memory(&histogram), 256);
        (0..129).for_each(|number| histogram.add(1 << (10 + number % 20)));
        assert_eq!(memory(&histogram), 20 * 32);
    }
}
