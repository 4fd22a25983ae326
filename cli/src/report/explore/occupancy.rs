//! What the nodes were busy with, in intervals of time: the finest of the levels of detail that the timeline is drawn from when single spans
//! are too many. The page makes the coarser ones from it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::column::Columns;

/// So many intervals there are at most for each phase of a node.
const MOST_BINS: usize = 4096;
/// So many are kept even where nodes are many.
const LEAST_BINS: usize = 256;
/// So many there are of all phases and nodes.
const MOST_CELLS: usize = 600_000;
/// A container that does something all through an interval.
const FULL: u64 = 255;
/// The shortest interval, in nanoseconds.
const FINEST: u64 = 100_000;

/// Time of containers by node, phase and interval.
#[derive(Debug)]
pub struct Occupancy {
    /// The length of an interval in nanoseconds.
    width: u64,
    /// How many intervals there may be now.
    bins: usize,
    /// Nanoseconds in each interval, by node and phase.
    series: BTreeMap<(u32, u8), Vec<u64>>,
    /// The end of the last span.
    end: u64,
}

impl Default for Occupancy {
    fn default() -> Self {
        Self { width: FINEST, bins: MOST_BINS, series: BTreeMap::new(), end: 0 }
    }
}

impl Occupancy {
    /// A container of a node is in a phase for a while.
    pub fn add(&mut self, node: u32, phase: u8, begin: u64, end: u64) {
        if end <= begin {
            return;
        }
        self.end = self.end.max(end);
        while (end - 1) / self.width >= self.bins as u64 {
            self.widen();
        }
        let (width, bins) = (self.width, self.bins);
        let series = self.series.entry((node, phase)).or_default();
        let last = ((end - 1) / width) as usize;
        if series.len() <= last {
            series.resize(last + 1, 0);
        }
        let first = begin / width;
        for (bin, cell) in (first..).zip(&mut series[first as usize..=last]) {
            *cell += end.min((bin + 1) * width) - begin.max(bin * width);
        }
        if self.series.len() * bins > MOST_CELLS && bins > LEAST_BINS {
            self.widen();
            self.bins = bins / 2;
        }
    }

    /// Intervals become twice as long.
    fn widen(&mut self) {
        self.width *= 2;
        for series in self.series.values_mut() {
            *series = series.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
    }

    /// The end of the last span.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// What the page is told.
    pub fn about(&self) -> Value {
        let series: Vec<_> = self.series.keys().map(|(node, phase)| json!([node, phase])).collect();
        json!({"width": self.width, "full": FULL, "series": series})
    }

    /// A column for each node and phase: containers at the same time on average, in parts of [`FULL`].
    pub fn chunk(&self) -> String {
        let mut columns = Columns::default();
        let share =
            |nanos: &u64| ((u128::from(*nanos) * u128::from(FULL) * 2 / u128::from(self.width)).div_ceil(2)) as u64;
        self.series.values().for_each(|series| columns.add(&series.iter().map(share).collect::<Vec<_>>()));
        columns.packed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::column::tests::unpacked;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        /// Each interval against the overlap of every span with it; with so many nodes that intervals become longer, and with few.
        #[test]
        fn intervals_hold_what_overlaps_them(
            nodes in prop_oneof![Just(3_u32), Just(700)],
            spans in proptest::collection::vec((0..700_u32, 0..2_u8, 0..10_000_000_000_u64, 0..3_000_000_000_u64), 1..300),
        ) {
            let mut occupancy = Occupancy::default();
            let mut by_series: BTreeMap<(u32, u8), Vec<(u64, u64)>> = BTreeMap::new();
            for (node, phase, begin, length) in &spans {
                occupancy.add(node % nodes, *phase, *begin, begin + length);
                if *length > 0 {
                    by_series.entry((node % nodes, *phase)).or_default().push((*begin, begin + length));
                }
            }
            let (width, columns) = (occupancy.width, unpacked(&occupancy.chunk()));
            let told: Vec<_> = by_series.keys().map(|(node, phase)| json!([node, phase])).collect();
            prop_assert_eq!(&occupancy.about()["series"], &json!(told));
            for (column, spans) in columns.iter().zip(by_series.values()) {
                prop_assert!(column.len() <= occupancy.bins && column.len() >= spans.iter().map(|(_, end)| end / width).max().unwrap_or(0) as usize);
                for (bin, share) in (0..).zip(column) {
                    let overlap = |(begin, end): &(u64, u64)| (*end).min((bin + 1) * width).saturating_sub((*begin).max(bin * width));
                    let exact = spans.iter().map(overlap).sum::<u64>() as f64 / width as f64;
                    let found = *share as f64 / FULL as f64;
                    prop_assert!((found - exact).abs() <= 0.5001 / FULL as f64, "{found} of {exact}");
                }
            }
        }
    }
}
