//! How far the flows of a bottleneck have come: its level, summed over time.

use std::cmp::Ordering;

/// Level times nanoseconds, as the unevaluated sum of two floating-point numbers (106 bits): it grows as long as a
/// bottleneck holds anybody, and the little that a short flow needs must not be lost in it.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(super) struct LevelTime {
    high: f64,
    low: f64,
}

impl LevelTime {
    /// What it is after a level has stood for so many nanoseconds more.
    pub fn after(self, level: f64, nanos: f64) -> Self {
        let (product, error) = two_product(level, nanos);
        self.plus_two(product, error)
    }

    /// What it is `more` later.
    pub fn plus(self, more: f64) -> Self {
        self.plus_two(more, 0.0)
    }

    /// From an earlier one to this.
    pub fn since(self, earlier: Self) -> f64 {
        let (sum, error) = two_sum(self.high, -earlier.high);
        sum + (error + (self.low - earlier.low))
    }

    fn plus_two(self, high: f64, low: f64) -> Self {
        let (sum, error) = two_sum(self.high, high);
        let rest = error + (self.low + low);
        let high = sum + rest;
        Self { high, low: rest - (high - sum) }
    }
}

impl Eq for LevelTime {}
impl PartialOrd for LevelTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for LevelTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.high.total_cmp(&other.high).then_with(|| self.low.total_cmp(&other.low))
    }
}

/// A sum and its rounding error (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// A product and its rounding error (Dekker; not every processor has a fused multiply-add).
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let split = |x: f64| {
        let scaled = 134_217_729.0 * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    (product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_step_is_not_lost_in_a_large_sum() {
        // Nothing that is added to 10¹⁸ as a floating-point number is seen if it is less than 64.
        let long = LevelTime::default().after(1e9, 1e9);
        let step = long.after(0.125, 3.0);
        assert_eq!(step.since(long), 0.375);
        assert!(step > long && long.plus(0.25) < step);
    }

    #[test]
    fn a_thousand_levels_sum_up_as_whole_numbers_do() {
        // Levels of 53 bits times spans of 30 bits: 83 bits, and ten more for the sum.
        let mut sum = LevelTime::default();
        let mut exact = 0_i128;
        for number in 0..1000_u64 {
            let (level, nanos) = ((1_u64 << 52) + number * 7_919, 1_000_000_007 - number * 104_729);
            sum = sum.after(level as f64, nanos as f64);
            exact += i128::from(level) * i128::from(nanos);
        }
        assert_eq!(sum.high as i128 + sum.low as i128, exact);
    }
}
