//! Counts that forget.

/// A count that halves in every half-life.
///
/// ```
/// use hearth_policy_toolbox::DecayedCounter;
/// const HOUR: u64 = 3_600_000_000_000;
/// let mut counter = DecayedCounter::default();
/// counter.add(1.0, 0, HOUR);
/// counter.add(1.0, HOUR, HOUR);
/// assert_eq!(counter.value(HOUR, HOUR), 1.5);
/// assert_eq!(counter.value(2 * HOUR, HOUR), 0.75);
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct DecayedCounter {
    value: f64,
    /// When that was its value, in ns.
    at: u64,
}

impl DecayedCounter {
    /// Adds something at a date. Dates and half-life are in ns; dates must not go back.
    pub fn add(&mut self, amount: f64, now: u64, half_life: u64) {
        self.value = self.value(now, half_life) + amount;
        self.at = now;
    }

    /// What is left of it at a date.
    pub fn value(&self, now: u64, half_life: u64) -> f64 {
        let half_lives = now.saturating_sub(self.at) as f64 / half_life.max(1) as f64;
        // The functions of `libm` give the same bits on every machine.
        self.value * libm::exp2(-half_lives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_past_is_forgotten_without_overflow() {
        let mut counter = DecayedCounter::default();
        counter.add(1e9, 0, 1);
        assert_eq!(counter.value(u64::MAX, 1), 0.0);
        counter.add(2.0, u64::MAX, 1);
        assert_eq!(counter.value(u64::MAX, 1), 2.0);
    }
}
