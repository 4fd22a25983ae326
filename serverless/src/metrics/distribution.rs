//! Distributions of times and ratios.

use hearth_simcore::time::SimDuration;

use super::histogram::Histogram;

const ONE: u64 = 1_000_000_000;

/// A distribution of times in seconds, or of ratios: exact count, sum and maximum; percentiles that are at most one part
/// in 2ᴮᴵᵀˢ above the true value, and never below.
///
/// ```
/// use hearth_serverless::metrics::Distribution;
/// use hearth_simcore::time::SimDuration;
/// let mut times = Distribution::<10>::default();
/// (1..=100).for_each(|seconds| times.add(SimDuration::from_secs(seconds)));
/// assert_eq!((times.count(), times.mean(), times.max()), (100, 50.5, 100.0));
/// assert!((90.0..90.1).contains(&times.percentile(0.9)));
/// ```
#[derive(Clone, Debug, Default)]
// What changes with a value is together in 64 bytes.
#[repr(C)]
pub struct Distribution<const BITS: u32> {
    sum: u128,
    max: u64,
    count: u64,
    histogram: Histogram<BITS>,
    /// What is counted is by how much values are above this, in billionths like everything here. Zeros cost least, in
    /// time and memory, and most slowdowns are exactly 1.
    least: u64,
}

/// Of all invocations: percentiles within 0.1 %.
pub type Precise = Distribution<10>;

/// Of the invocations of one function: percentiles within 3.2 %, in a few hundred bytes.
pub type Coarse = Distribution<5>;

impl<const BITS: u32> Distribution<BITS> {
    /// An empty distribution of ratios, none of which is below 1.
    pub(super) fn from_one() -> Self {
        Self { least: ONE, ..Self::default() }
    }

    /// Counts a time.
    #[inline]
    pub fn add(&mut self, time: SimDuration) {
        self.add_above(time.as_nanos());
    }

    /// Counts a ratio, in billionths.
    #[inline]
    pub fn add_billionths(&mut self, value: u64) {
        self.add_above(value.saturating_sub(self.least));
    }

    #[inline]
    fn add_above(&mut self, above: u64) {
        self.count += 1;
        if above > 0 {
            self.histogram.add(above);
            self.sum += u128::from(above);
            self.max = self.max.max(above);
        }
    }

    /// Counts values that are the least possible.
    pub(super) fn add_least(&mut self, count: u64) {
        self.count += count;
    }

    /// Takes a time into the histogram alone. Count, sum and maximum come with [`Self::take_totals`].
    #[inline]
    pub(super) fn place(&mut self, time: SimDuration) {
        self.place_above(time.as_nanos());
    }

    /// Likewise a ratio, in billionths.
    #[inline]
    pub(super) fn place_billionths(&mut self, value: u64) {
        self.place_above(value.saturating_sub(self.least));
    }

    #[inline]
    fn place_above(&mut self, above: u64) {
        if above > 0 {
            self.histogram.add(above);
        }
    }

    /// Takes over count, sum and maximum of the distributions of the parts of what is counted here.
    pub(super) fn take_totals<'a, const OTHER: u32>(&mut self, parts: impl Iterator<Item = &'a Distribution<OTHER>>) {
        (self.count, self.sum, self.max) =
            parts.fold((0, 0, 0), |(count, sum, max), part| (count + part.count, sum + part.sum, max.max(part.max)));
    }

    fn shown(&self, above: f64) -> f64 {
        if self.count() == 0 { 0.0 } else { (self.least as f64 + above) / ONE as f64 }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 when nothing was counted.
    pub fn mean(&self) -> f64 {
        self.shown(self.sum as f64 / self.count() as f64)
    }

    /// The greatest value.
    pub fn max(&self) -> f64 {
        self.shown(self.max as f64)
    }

    /// The value that a share of all values does not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        self.shown(self.histogram.percentile(share, self.count).min(self.max) as f64)
    }

    /// The same of many shares; none if there are no values.
    pub(crate) fn percentiles(&self, shares: &[f64]) -> Vec<f64> {
        if self.count == 0 {
            return Vec::new();
        }
        let found = self.histogram.percentiles(shares, self.count).into_iter();
        found.map(|value| self.shown(value.min(self.max) as f64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check<const BITS: u32>(times: &mut [u64], share: f64) -> Result<(), TestCaseError> {
        let mut distribution = Distribution::<BITS>::default();
        times.iter().for_each(|time| distribution.add(SimDuration::from_nanos(*time)));
        times.sort_unstable();
        let rank = ((share * times.len() as f64).ceil() as usize).max(1);
        let exact = times[rank - 1] as f64 / 1e9;
        let told = distribution.percentile(share);
        let bound = exact * (1.0 + 1.0 / f64::from(1 << BITS)) + 1e-15;
        prop_assert!((exact..=bound).contains(&told), "{told} for {exact}");
        Ok(())
    }

    #[test]
    fn what_changes_with_a_value_is_in_one_cache_line() {
        assert_eq!(std::mem::offset_of!(Coarse, least), 64);
    }

    proptest! {
        /// Nearest-rank percentiles, from above and within the stated accuracy.
        #[test]
        fn percentiles_are_as_accurate_as_stated(
            mut times in proptest::collection::vec(prop_oneof![Just(0), 0..10_000_000_000_000_u64], 1..300),
            share in 0.0..=1.0,
        ) {
            check::<10>(&mut times, share)?;
            check::<5>(&mut times, share)?;
        }
    }
}
