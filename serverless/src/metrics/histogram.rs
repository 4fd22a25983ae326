//! Histograms of the layout of HdrHistogram: values below 2ᵇ⁺¹ have a bucket each, and every octave above has 2ᵇ.
//!
//! The `hdrhistogram` crate, with which the tests compare, keeps a bucket for every value that may come, which is 250 KB
//! for an hour in nanoseconds; with a few for each of ten thousand functions that is too much. Here only the octaves are
//! kept that values have come from.

/// Counts values, so that a percentile is at most a 2ᴮᴵᵀˢ-th too high.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram<const BITS: u32> {
    /// Zeros, which would be far from everything else.
    zeros: u64,
    count: u64,
    /// Of bucket `first` and those after it.
    buckets: Vec<u64>,
    first: usize,
}

impl<const BITS: u32> Histogram<BITS> {
    const OCTAVE: usize = 1 << BITS;

    /// The bucket of a value that is not zero.
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

    /// Counts a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        if value == 0 {
            self.zeros += 1;
            return;
        }
        let bucket = Self::bucket(value);
        match self.buckets.get_mut(bucket.wrapping_sub(self.first)) {
            Some(held) => *held += 1,
            None => self.grow_and_add(bucket),
        }
    }

    #[cold]
    fn grow_and_add(&mut self, bucket: usize) {
        let octave = bucket & !(Self::OCTAVE - 1);
        if self.buckets.is_empty() {
            self.first = octave;
        }
        if octave < self.first {
            self.buckets.splice(0..0, std::iter::repeat_n(0, self.first - octave));
            self.first = octave;
        }
        let needed = octave + Self::OCTAVE - self.first;
        if self.buckets.len() < needed {
            self.buckets.reserve_exact(needed - self.buckets.len());
            self.buckets.resize(needed, 0);
        }
        self.buckets[bucket - self.first] += 1;
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A value that this share of all values does not exceed: the least of which that can be told, or 0 if there are no
    /// values.
    pub fn percentile(&self, share: f64) -> u64 {
        let wanted = (share * self.count as f64).ceil() as u64;
        let mut seen = self.zeros;
        if seen >= wanted.max(1) {
            return 0;
        }
        for (position, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return Self::greatest(self.first + position);
            }
        }
        0
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

    proptest! {
        #[test]
        fn percentiles_are_those_of_hdrhistogram(values in proptest::collection::vec(value(), 1..200), share in 0.001..1.0) {
            let mut ours = Histogram::<10>::default();
            // Three significant digits: 1 024 buckets an octave.
            let mut theirs = hdrhistogram::Histogram::<u64>::new(3).unwrap();
            for value in values {
                ours.add(value);
                theirs.record(value).unwrap();
            }
            prop_assert_eq!(ours.count(), theirs.len());
            for share in [share, 0.5, 1.0] {
                prop_assert_eq!(ours.percentile(share), theirs.value_at_quantile(share));
            }
        }

        #[test]
        fn a_value_is_in_its_bucket_and_the_bucket_is_narrow(value in value().prop_filter("not zero", |value| *value > 0)) {
            let greatest = Histogram::<5>::greatest(Histogram::<5>::bucket(value));
            prop_assert!(value <= greatest && greatest - value <= value / 32, "{value} and {greatest}");
        }
    }

    #[test]
    fn only_octaves_with_values_and_those_between_take_memory() {
        let mut histogram = Histogram::<5>::default();
        (0..100).for_each(|_| histogram.add(1_000_000_000));
        assert_eq!(histogram.buckets.len(), 32);
        histogram.add(250_000_000);
        assert_eq!(histogram.buckets.len(), 96);
        assert_eq!(Histogram::<5>::default().percentile(0.5), 0);
    }
}
