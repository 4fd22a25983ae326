//! Branches side by side: their numbers, and which invocations won or lost.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

use super::engine::{Ended, Outcome};
use super::text;

/// So many that won, and so many that lost, are named.
const MOST_NAMED: usize = 5;

/// Of those that have ended in two branches, and what became of the others.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Differences {
    /// By how much, in ns, in the order of the difference: those that won first.
    by: Vec<(i128, Ended)>,
    same: u64,
    /// Completed in one of the two alone.
    in_first: u64,
    in_other: u64,
}

impl Differences {
    fn of(first: &[Ended], other: &[Ended]) -> Self {
        let by_number = |ended: &[Ended]| -> BTreeMap<u64, Ended> {
            let completed = ended.iter().filter(|of| of.latency.is_some());
            completed.map(|of| (of.invocation, *of)).collect()
        };
        let (first, mut other) = (by_number(first), by_number(other));
        let mut differences = Self::default();
        for (invocation, before) in first {
            let Some(after) = other.remove(&invocation) else {
                differences.in_first += 1;
                continue;
            };
            let nanos = |of: &Ended| i128::from(of.latency.unwrap_or_default());
            match nanos(&after) - nanos(&before) {
                0 => differences.same += 1,
                by => differences.by.push((by, after)),
            }
        }
        differences.in_other = other.len() as u64;
        differences.by.sort_by_key(|(by, of)| (*by, of.invocation));
        differences
    }

    fn lines(&self, (first, other): (&str, &str), functions: &[String]) -> Vec<String> {
        let won = self.by.iter().filter(|(by, _)| *by < 0);
        let (won, all) = (won.count(), self.by.len());
        let both = all as u64 + self.same;
        let mut lines = vec![format!(
            "{other} against {first}: of {} that completed in both, {won} won, {} lost, {} took the same time",
            both,
            all - won,
            self.same
        )];
        if both > 0 {
            let total: i128 = self.by.iter().map(|(by, _)| by).sum();
            lines.push(format!("  mean difference {}", difference(total / i128::from(both))));
        }
        if self.in_first + self.in_other > 0 {
            lines.push(format!("  completed in {first} alone: {}, in {other} alone: {}", self.in_first, self.in_other));
        }
        let name = |of: &Ended| functions.get(of.function as usize).cloned().unwrap_or_default();
        let line = |what: &str, (by, of): &(i128, Ended)| {
            format!("  {what}  invocation {} of {}: {}", of.invocation, name(of), difference(*by))
        };
        lines.extend(self.by.iter().take(won.min(MOST_NAMED)).map(|of| line("won ", of)));
        lines.extend(self.by.iter().rev().take((all - won).min(MOST_NAMED)).map(|of| line("lost", of)));
        lines
    }
}

/// A difference of times, with its sign.
fn difference(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "+" };
    let size = u64::try_from(nanos.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", text::seconds(size))
}

/// The branches side by side, and each against the first.
pub fn compare(branches: &[(String, Outcome)]) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([""].into_iter().chain(branches.iter().map(|(name, _)| name.as_str())));
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in branches.iter().flat_map(|(_, outcome)| &outcome.cells) {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    for label in labels {
        let cell = |outcome: &Outcome| {
            let found = outcome.cells.iter().find(|(of, _)| of == label);
            found.map_or_else(|| "–".to_owned(), |(_, shown)| shown.clone())
        };
        let cells: Vec<String> = branches.iter().map(|(_, outcome)| cell(outcome)).collect();
        // Of policies those that differ say something.
        let is_number = cells.iter().any(|cell| cell.starts_with(|first: char| first.is_ascii_digit() || first == '–'));
        if is_number || cells.iter().any(|cell| Some(cell) != cells.first()) {
            table.add_row([label.to_owned()].into_iter().chain(cells));
        }
    }
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if position > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    if let Some(((first, of_first), others)) = branches.split_first() {
        for (other, of_other) in others {
            lines.push(String::new());
            let differences = Differences::of(&of_first.ended, &of_other.ended);
            lines.extend(differences.lines((first, other), &of_first.functions));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(latencies: &[(u64, Option<u64>)]) -> Vec<Ended> {
        latencies
            .iter()
            .map(|(invocation, latency)| Ended { invocation: *invocation, function: 0, latency: *latency })
            .collect()
    }

    #[test]
    fn who_won_and_who_lost_is_told_of_those_that_completed_in_both() {
        let first = ended(&[(0, Some(5)), (1, Some(5)), (2, Some(5)), (3, None), (4, Some(1))]);
        let other = ended(&[(0, Some(5)), (1, Some(9)), (2, Some(3)), (3, Some(1)), (5, Some(1))]);
        let differences = Differences::of(&first, &other);
        assert_eq!((differences.same, differences.in_first, differences.in_other), (1, 1, 2));
        let by: Vec<(i128, u64)> = differences.by.iter().map(|(by, of)| (*by, of.invocation)).collect();
        assert_eq!(by, [(-2, 2), (4, 1)]);
        let lines = differences.lines(("a", "b"), &["f".to_owned()]);
        let expected = [
            "b against a: of 3 that completed in both, 1 won, 1 lost, 1 took the same time",
            "  mean difference +0 s",
            "  completed in a alone: 1, in b alone: 2",
            "  won   invocation 2 of f: -0.000000002 s",
            "  lost  invocation 1 of f: +0.000000004 s",
        ];
        assert_eq!(lines, expected);
    }
}
