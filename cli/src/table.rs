//! Tables for people.

use std::fmt::Write;

use hearth_serverless::experiment::{PolicyTime, Results};
use hearth_serverless::results::{DEFINITIONS, Definition, Numbers, Part, Section, Shape, Summary, Unit};

use crate::result_files::Took;

/// What the table tells in a form of its own. All else has a line with its title and unit, among those of its section.
const OWN_FORM: &[&str] = &[
    "invocations",
    "outcomes.completed",
    "outcomes.failed",
    "outcomes.lost",
    "outcomes.rejected",
    "outcomes.timed_out",
    "outcomes.unfinished",
    "cold_starts",
    "warm_starts",
    "latency",
    "waiting",
    "faults.count",
    "workflows.runs",
    "workflows.completed",
    "workflows.failed",
    "workflows.unfinished",
    "workflows.within_deadline",
    "workflows.makespan",
    "workflows.critical_path_s.waiting",
    "workflows.critical_path_s.starting",
    "workflows.critical_path_s.transfer",
    "workflows.critical_path_s.running",
    "events",
];

/// What the table leaves to the summary, so that it stays short: what follows from others, what is for comparisons, and details.
const LEFT_OUT: &[&str] = &[
    "cold_start_ratio",
    "cold_start_ratio_of_functions",
    "slowdown",
    "cold_start_delay",
    "makespan_s",
    "measured.from_s",
    "measured.to_s",
    "drain.length_s",
    "drain.memory_byte_seconds.used",
    "drain.memory_byte_seconds.idle",
    "drain.joules",
    "service_level.within_deadline",
    "service_level.goodput",
    "faults.unrecovered",
    "faults.replications",
    "workflows.data",
    "cost.billed_requests",
    "cost.billed_gib_seconds",
];

/// The summary of a run as text, with how long it took.
pub fn of_summary(results: &Results, summary: &Summary, took: &Took) -> String {
    let nodes = results.about.nodes.len();
    let name = if summary.scenario.is_empty() { "unnamed scenario" } else { &summary.scenario };
    let simulated = Unit::Seconds.shown(results.ended_at.as_secs_f64());
    let nodes = format!("{nodes} node{}", if nodes == 1 { "" } else { "s" });
    let head = format!("{name}: {simulated} simulated on {nodes}, seed {}\n\n", summary.seed);
    let numbers = Numbers::of(summary);
    let events = numbers.shown("events");
    let events = format!("\n{events} events in {}{}\n", Unit::Seconds.shown(took.wall_s), of_policies(&took.policies));
    format!("{head}{}{}{events}", of_numbers(&numbers, summary), policies(summary))
}

/// How much real time the policies took, the slowest first, as the line before goes on.
fn of_policies(policies: &[PolicyTime]) -> String {
    let mut policies: Vec<&PolicyTime> = policies.iter().collect();
    policies.sort_by_key(|of| std::cmp::Reverse(of.time));
    let mut text = String::new();
    for PolicyTime { slot, calls, time } in policies {
        let seconds = time.as_secs_f64();
        let (all, each) = (Unit::Seconds.shown(seconds), Unit::Seconds.shown(seconds / *calls as f64));
        let head = if text.is_empty() { ", of which policies took" } else { "" };
        let _ = write!(
            text,
            "{head}\n    {:<25}{all:>9} in {} calls, {each} each",
            slot.path(),
            Unit::Count.shown(*calls as f64)
        );
    }
    text
}

// Writing to a string cannot fail, so the results of `writeln!` are passed over in this file.

/// The numbers of a summary, with the words in it that belong to them.
fn of_numbers(numbers: &Numbers, summary: &Summary) -> String {
    let currency = summary.cost.as_ref().map_or("", |cost| cost.currency.as_str());
    let mut table = Table { numbers, currency, text: String::new() };
    table.requests();
    table.times();
    table.gap();
    [Section::Images, Section::Containers, Section::Nodes, Section::Memory, Section::Processors]
        .into_iter()
        .for_each(|section| table.lines(section));
    table.faults();
    table.workflows();
    if summary.cost.is_some() || summary.energy.is_some() {
        table.gap();
    }
    if let Some(cost) = &summary.cost {
        let _ = writeln!(table.text, "  cost ({})", cost.prices);
    }
    [Section::Cost, Section::Energy, Section::Simulation].into_iter().for_each(|section| table.lines(section));
    table.text
}

struct Table<'a> {
    numbers: &'a Numbers,
    currency: &'a str,
    text: String,
}

impl Table<'_> {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn number(&self, name: &str) -> f64 {
        self.numbers.get(name).unwrap_or(0.0)
    }

    /// A line for each number of a section that has no other form.
    fn lines(&mut self, section: Section) {
        let has_other = |definition: &&Definition| OWN_FORM.iter().chain(LEFT_OUT).any(|path| *path == definition.path);
        DEFINITIONS
            .iter()
            .filter(|definition| definition.section == section && !has_other(definition))
            .for_each(|definition| self.line(definition));
    }

    /// A number with its unit; a count only if there is something to count.
    fn line(&mut self, definition: &Definition) {
        let part = definition.shape.main_part();
        let Some(number) = self.numbers.part(definition, part) else { return };
        let (label, shown) = (definition.label(), definition.unit.shown(number));
        let _ = match (definition.shape, definition.unit) {
            (Shape::Moved, _) => match self.numbers.part(definition, Part::Count) {
                Some(count) if count > 0.0 => {
                    writeln!(self.text, "  {label:<30}{:>6}  {shown:>9}", Unit::Count.shown(count))
                }
                _ => Ok(()),
            },
            (Shape::Number, Unit::Count) if number == 0.0 => Ok(()),
            (Shape::Number, Unit::Count) => writeln!(self.text, "  {label:<30}{shown:>6}"),
            (Shape::Number, Unit::Money) => {
                writeln!(self.text, "    {label:<32}{:>13}", format!("{shown} {}", self.currency))
            }
            (Shape::Number, _) => writeln!(self.text, "  {}", row(label, &shown)),
            (Shape::Distribution, _) => writeln!(self.text, "  {}", row(&format!("{label}, mean"), &shown)),
            (Shape::OfFunctions, _) => writeln!(self.text, "  {}", row(&format!("{label}, median function"), &shown)),
        };
    }

    /// How many there are of something, and of which kinds, with their shares.
    fn kinds(&mut self, label: &str, whole: f64, kinds: &[&str]) {
        let _ = writeln!(self.text, "  {label:<13}{:>9}", Unit::Count.shown(whole));
        for definition in kinds.iter().filter_map(|path| Definition::at(path)) {
            let number = self.numbers.part(definition, Part::Itself).unwrap_or(0.0);
            // Of starts there are two kinds, and that there is none of one says as much as the other.
            if number > 0.0 || definition.section == Section::Starts {
                let share = if whole == 0.0 { String::new() } else { Unit::Share.remarked(number / whole) };
                let number = Unit::Count.shown(number);
                let _ = writeln!(self.text, "    {:<11}{number:>9}  {share:>6}", definition.label());
            }
        }
    }

    fn requests(&mut self) {
        self.kinds("invocations", self.number("invocations"), &OWN_FORM[1..7]);
        self.lines(Section::Requests);
        let starts = self.number("cold_starts") + self.number("warm_starts");
        self.kinds("starts", starts, &["cold_starts", "warm_starts"]);
        self.lines(Section::Starts);
    }

    fn times(&mut self) {
        let _ = writeln!(self.text, "\n  {:<11}{:>11}{:>11}{:>11}{:>11}{:>11}", "", "mean", "p50", "p90", "p99", "max");
        ["latency", "waiting"].iter().for_each(|path| self.distribution(path));
        self.lines(Section::Times);
    }

    /// Mean, percentiles and maximum; dashes where there is nothing.
    fn distribution(&mut self, path: &str) {
        let Some(definition) = Definition::at(path) else { return };
        let parts = [Part::Mean, Part::P50, Part::P90, Part::P99, Part::Max];
        let columns = parts.map(|part| format!("{:>11}", self.numbers.shown(&definition.name_of(part))));
        let _ = writeln!(self.text, "  {:<11}{}", definition.label(), columns.concat());
    }

    fn faults(&mut self) {
        if let Some(count) = self.numbers.get("faults_count") {
            let _ = writeln!(self.text, "\n  {:<30}{:>6}", "faults", Unit::Count.shown(count));
            self.lines(Section::Faults);
        }
    }

    fn workflows(&mut self) {
        let Some(runs) = self.numbers.get("workflows_runs") else { return };
        self.gap();
        self.kinds("workflows", runs, &["workflows.completed", "workflows.failed", "workflows.unfinished"]);
        if let Some(within) = self.numbers.get("workflows_within_deadline") {
            let _ = writeln!(self.text, "    {:<21}{:>7}", "within deadline", Unit::Share.remarked(within));
        }
        self.distribution("workflows.makespan");
        let path: Vec<(&str, f64)> = DEFINITIONS
            .iter()
            .filter(|definition| definition.path.starts_with("workflows.critical_path_s."))
            .map(|definition| (definition.label(), self.numbers.part(definition, Part::Itself).unwrap_or(0.0)))
            .collect();
        let all: f64 = path.iter().map(|(_, seconds)| seconds).sum();
        let share = |seconds: f64| Unit::Share.remarked(if all > 0.0 { seconds / all } else { 0.0 });
        let parts: Vec<String> = path.iter().map(|(label, seconds)| format!("{label} {}", share(*seconds))).collect();
        let _ = writeln!(self.text, "  of which {}", parts.join(", "));
        self.lines(Section::Workflows);
    }
}

/// A label, and a number at the end of the line: apart, however long they are.
fn row(label: &str, shown: &str) -> String {
    let width = 47_usize.saturating_sub(label.chars().count()).max(shown.chars().count() + 1);
    format!("{label}{shown:>width$}")
}

fn policies(summary: &Summary) -> String {
    let mut text = String::from("\n  policies\n");
    for (slot, policy) in &summary.policies {
        let parameters: Vec<String> = policy.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = format!("    {slot:<25}{:<20}{}", policy.name, parameters.join(" "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use hearth_serverless::experiment::Experiment;
    use hearth_serverless::policy::Catalog;
    use hearth_serverless::results::Metric;
    use hearth_serverless::scenario::Scenario;
    use serde_json::Value;

    use super::*;

    /// A summary with everything that one may have.
    fn full() -> Summary {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/workflows.json");
        let scenario = Scenario::read(file.as_ref(), &[]).unwrap();
        let mut results =
            Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
        results.skipped_rows = 3;
        Summary::new(&results)
    }

    /// A summary as JSON with another number at a place.
    fn with(summary: &Value, metric: &Metric, number: f64) -> Value {
        let path = format!("{}.{}", metric.definition.path, metric.part.name());
        let mut changed = summary.clone();
        let mut place = &mut changed;
        for field in path.split('.').filter(|field| !field.is_empty()) {
            place = &mut place[field];
        }
        *place = number.into();
        changed
    }

    #[test]
    fn every_number_is_in_the_table_or_left_out_on_purpose() {
        let summary = full();
        let json = serde_json::to_value(&summary).unwrap();
        // The events stand under the policies.
        let text = |json: &Value| {
            let numbers = Numbers::read(json);
            of_numbers(&numbers, &summary) + &numbers.shown("events")
        };
        let table = text(&json);
        for definition in DEFINITIONS {
            let is_told = |metric: Metric| text(&with(&json, &metric, 7_654_321.0)) != table;
            let is_in_the_table = definition.metrics().any(is_told);
            assert_ne!(is_in_the_table, LEFT_OUT.contains(&definition.path), "{}", definition.path);
        }
    }

    #[test]
    fn a_number_that_nobody_has_placed_has_a_line_in_its_section() {
        let numbers = Numbers::of(&full());
        let line = |path: &str| {
            let mut table = Table { numbers: &numbers, currency: "USD", text: String::new() };
            table.line(Definition::at(path).unwrap());
            table.text
        };
        assert_eq!(line("service_level.goodput"), "  requests completed within the deadline  9.874/s\n");
        assert!(line("cost.billed_gib_seconds").contains("  billed memory "), "{}", line("cost.billed_gib_seconds"));
        assert!(line("slowdown").starts_with("  slowdown, mean  "), "{}", line("slowdown"));
    }

    #[test]
    fn a_long_label_does_not_run_into_its_number() {
        assert_eq!(row("utilisation", "0.00 %"), format!("{:<41}0.00 %", "utilisation"));
        let label = "processors used after the last invocation";
        assert_eq!(row(label, "0.00 core·s"), format!("{label} 0.00 core·s"));
    }

    #[test]
    fn what_is_placed_is_a_number() {
        for path in OWN_FORM.iter().chain(LEFT_OUT) {
            assert!(Definition::at(path).is_some(), "{path}");
        }
    }
}
