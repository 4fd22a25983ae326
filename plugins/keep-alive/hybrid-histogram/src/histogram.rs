//! How often each length of idle time was seen.

/// Counts by bin, up to the last that has one: what never runs again costs no memory, and many bins cost what is used.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    within: u64,
    /// The sum of the squares of the counts, from which their variation follows at once.
    squares: u64,
    beyond: u64,
}

impl Histogram {
    /// Counts an idle time in a bin; those from `bins` on are beyond.
    pub(crate) fn add(&mut self, bin: u64, bins: u32) {
        if bin >= u64::from(bins) {
            self.beyond += 1;
            return;
        }
        if self.counts.len() as u64 <= bin {
            self.counts.resize(bin as usize + 1, 0);
        }
        let count = &mut self.counts[bin as usize];
        self.squares += 2 * u64::from(*count) + 1;
        self.within += 1;
        *count += 1;
    }

    /// How many idle times are in bins.
    pub(crate) fn within(&self) -> u64 {
        self.within
    }

    /// How many are beyond.
    pub(crate) fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Of the counts of the bins; 0 without any.
    pub(crate) fn coefficient_of_variation(&self, bins: u32) -> f64 {
        let mean = self.within as f64 / f64::from(bins);
        let variance = self.squares as f64 / f64::from(bins) - mean * mean;
        if mean > 0.0 { variance.max(0.0).sqrt() / mean } else { 0.0 }
    }

    /// The first bin up to which a part of the idle times in bins lies.
    pub(crate) fn percentile(&self, part: f64) -> u64 {
        let needed = ((part * self.within as f64).ceil() as u64).max(1);
        let mut so_far = 0;
        let reached = self.counts.iter().position(|count| {
            so_far += u64::from(*count);
            so_far >= needed
        });
        reached.unwrap_or(self.counts.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_beyond_the_last_that_is_used_take_no_memory() {
        let mut histogram = Histogram::default();
        histogram.add(3, 100_000);
        assert_eq!(histogram.counts.len(), 4);
        assert_eq!(histogram.percentile(1.0), 3);
    }

    #[test]
    fn a_worked_example() {
        let mut histogram = Histogram::default();
        for bin in [0, 2, 2, 2, 3, 9] {
            histogram.add(bin, 4);
        }
        assert_eq!((histogram.within(), histogram.beyond()), (5, 1));
        assert_eq!([0.0, 0.2, 0.21, 0.8, 0.81, 1.0].map(|part| histogram.percentile(part)), [0, 0, 2, 2, 3, 3]);
        // Counts 1, 0, 3, 1: mean 1.25, variance 11/4 - 25/16.
        assert_eq!(histogram.coefficient_of_variation(4), (11.0_f64 / 4.0 - 25.0 / 16.0).sqrt() / 1.25);
        assert_eq!(Histogram::default().coefficient_of_variation(4), 0.0);
    }
}
