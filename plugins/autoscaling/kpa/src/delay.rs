//! The most that was wanted within a window of time: instances end only once fewer were wanted for so long.

use std::collections::VecDeque;

/// The greatest of the values of the last intervals, by their numbers.
#[derive(Clone, Debug)]
pub(crate) struct MostOfWindow {
    /// What no later value reaches, the oldest first: the values go down.
    kept: VecDeque<(u64, u32)>,
    intervals: u64,
}

impl MostOfWindow {
    /// Of so many intervals.
    pub fn new(intervals: u64) -> Self {
        Self { kept: VecDeque::new(), intervals: intervals.max(1) }
    }

    /// Adds a value to an interval, none of which comes before the last one, and gives the greatest of the window that ends with it.
    pub fn record(&mut self, interval: u64, value: u32) -> u32 {
        while self.kept.back().is_some_and(|(_, before)| *before <= value) {
            self.kept.pop_back();
        }
        while self.kept.front().is_some_and(|(then, _)| interval.saturating_sub(*then) >= self.intervals) {
            self.kept.pop_front();
        }
        // The greatest of an interval counts.
        if self.kept.back().is_none_or(|(then, _)| *then != interval) {
            self.kept.push_back((interval, value));
        }
        self.kept.front().map_or(value, |(_, most)| *most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(window: u64, steps: impl IntoIterator<Item = (u64, u32)>) -> Vec<u32> {
        let mut most = MostOfWindow::new(window);
        steps.into_iter().map(|(interval, value)| most.record(interval, value)).collect()
    }

    /// Knative's `pkg/autoscaler/aggregation/max/window_test.go`: values of a window of five, and the greatest after each.
    #[test]
    fn the_greatest_of_a_window_is_knatives() {
        let tables: &[(&str, &[u32], &[u32])] = &[
            ("single value", &[1], &[1]),
            ("ascending values", &[1, 2], &[1, 2]),
            ("descending values", &[2, 1], &[2, 2]),
            ("up, down, up", &[1, 2, 1], &[1, 2, 2]),
            ("windowing out", &[5, 6, 5, 5, 5, 5, 5], &[5, 6, 6, 6, 6, 6, 5]),
            ("windowing out 2", &[5, 6, 5, 7, 5, 5, 1], &[5, 6, 6, 7, 7, 7, 7]),
            ("windowing out 3", &[5, 8, 5, 7, 5, 5], &[5, 8, 8, 8, 8, 8]),
            ("windowing out 4", &[5, 8, 5, 7, 5, 5, 1], &[5, 8, 8, 8, 8, 8, 7]),
            ("windowing out 5", &[5, 8, 5, 7, 5, 5, 1, 4, 4, 4], &[5, 8, 8, 8, 8, 8, 7, 7, 5, 5]),
            ("windowing out 6", &[5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4], &[5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4]),
            ("windowing out 7", &[5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4, 9], &[5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4, 9]),
            (
                "windowing out 8",
                &[5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4, 9, 3, 4, 2, 1, 0],
                &[5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4, 9, 9, 9, 9, 9, 4],
            ),
        ];
        for (name, values, wanted) in tables {
            assert_eq!(played(5, (0..).zip(values.iter().copied())), *wanted, "{name}");
        }
        let gaps = [(0, 6), (1, 5), (2, 2), (6, 1)];
        assert_eq!(played(5, gaps), [6, 6, 6, 2], "windowing out with gaps");
        assert_eq!(played(5, (1..=7).map(|value| (1, value))), [1, 2, 3, 4, 5, 6, 7], "same index, ascending");
        assert_eq!(played(5, (1..=7).rev().map(|value| (1, value))), [7; 7], "same index, descending");
    }

    /// Knative's `timewindow_test.go`: a window of 5 s, by seconds.
    #[test]
    fn the_greatest_of_a_time_is_knatives() {
        assert_eq!(played(5, [(0, 5)]), [5], "single value");
        assert_eq!(played(5, [(0, 6), (0, 5)]), [6, 6], "two values in same second");
        assert_eq!(played(5, [(0, 5), (1, 8)]), [5, 8], "two values");
        assert_eq!(played(5, [(0, 5), (6, 4)]), [5, 4], "time gap");
    }
}
