//! Counts that forget.

/// Several counts in which what was added weighs half as much after every half-life.
///
/// Additions grow instead of the past shrinking (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009), so an
/// addition costs one exponential however many counts there are.
///
/// ```
/// use hearth_policy_toolbox::DecayedCounts;
/// const HOUR: u64 = 3_600_000_000_000;
/// let mut counts = DecayedCounts::new(2, HOUR);
/// counts.add(0, 0);
/// counts.add(0, HOUR);
/// counts.add(1, HOUR);
/// assert_eq!(counts.value(0, HOUR), 1.5);
/// assert_eq!(counts.value(0, 2 * HOUR), 0.75);
/// assert_eq!(counts.weights(), [3.0, 2.0], "in proportion");
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct DecayedCounts {
    /// By count, with what was added at the landmark weighing 1.
    weights: Vec<f64>,
    /// In ns.
    landmark: u64,
    half_life: u64,
}

/// Half-lives after which the weights are brought back to small numbers.
const RESCALE_AFTER: f64 = 512.0;

impl DecayedCounts {
    /// So many counts, all zero; the half-life in ns.
    pub fn new(counts: usize, half_life: u64) -> Self {
        Self { weights: vec![0.0; counts], landmark: 0, half_life: half_life.max(1) }
    }

    /// Half-lives since the landmark.
    fn age(&self, now: u64) -> f64 {
        now.saturating_sub(self.landmark) as f64 / self.half_life as f64
    }

    /// Adds one to a count at a date in ns; dates must not go back. A count that does not exist is left alone.
    pub fn add(&mut self, count: usize, now: u64) {
        if self.age(now) > RESCALE_AFTER {
            // The functions of `libm` give the same bits on every machine.
            let kept = libm::exp2(-self.age(now));
            self.weights.iter_mut().for_each(|weight| *weight *= kept);
            self.landmark = now;
        }
        let amount = libm::exp2(self.age(now));
        if let Some(weight) = self.weights.get_mut(count) {
            *weight += amount;
        }
    }

    /// What is left of a count at a date.
    pub fn value(&self, count: usize, now: u64) -> f64 {
        self.weights.get(count).map_or(0.0, |weight| weight * libm::exp2(-self.age(now)))
    }

    /// The counts up to a factor, the same for all.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_past_is_forgotten_without_overflow() {
        let mut counts = DecayedCounts::new(1, 1);
        counts.add(0, 0);
        counts.add(0, 600);
        assert_eq!(counts.value(0, 601), 0.5);
        counts.add(0, u64::MAX);
        assert_eq!(counts.value(0, u64::MAX), 1.0);
        assert_eq!(counts.weights(), [1.0]);
    }
}
