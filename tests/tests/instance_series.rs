//! The columns of `timeseries.csv` about instances, against a recount of `instances.csv` and of invocations at the end of each interval.

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::InvocationRecord;
use hearth_serverless::policy::Catalog;
use hearth_serverless::prelude::*;
use hearth_serverless::scenario::Scenario;
use hearth_tests::Text;
use serde_json::{Value, json};

/// A table as text by its columns.
struct Table(Vec<(String, Vec<String>)>);

impl Table {
    fn of(text: &Text) -> Self {
        let written = text.written();
        let mut reader = csv::Reader::from_reader(written.as_bytes());
        let mut columns: Vec<_> = reader.headers().unwrap().iter().map(|name| (name.to_owned(), Vec::new())).collect();
        for row in reader.records() {
            columns.iter_mut().zip(&row.unwrap()).for_each(|((_, column), field)| column.push(field.to_owned()));
        }
        Self(columns)
    }

    fn text(&self, name: &str) -> &[String] {
        &self.0.iter().find(|(column, _)| column == name).unwrap_or_else(|| panic!("no column {name}")).1
    }

    fn counts(&self, name: &str) -> Vec<u64> {
        self.text(name).iter().map(|field| field.parse().unwrap()).collect()
    }

    /// In nanoseconds.
    fn dates(&self, name: &str) -> Vec<Option<u64>> {
        let date = |field: &String| (!field.is_empty()).then(|| field.replace('.', "").parse().unwrap());
        self.text(name).iter().map(date).collect()
    }
}

/// Three functions whose instances take one request, ten or any number, on a node that fails and one that does not.
fn scenario(queue_at_instance: u32) -> Value {
    let instances = |concurrency: Value| {
        json!({"concurrency": concurrency, "queue_at_instance": queue_at_instance, "removal": {"constant": 0.4},
               "start": [{"phase": "pod", "time": {"uniform": {"min": 0.2, "max": 3}}}]})
    };
    let function = |name: &str, concurrency: Value| json!({"name": name, "ram_limit": "512MB", "instances": instances(concurrency)});
    json!({
        "format": "hearth-scenario/1", "seed": 3,
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf"},
            {"name": "node", "count": 2, "cores": 8, "speed": "1Gf", "ram": "8GB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"],
                    "control_plane": {"creation": {"time": {"exponential": {"mean": 0.1}}}}},
        "functions": [function("one", json!(1)), function("ten", json!(10)), function("any", json!("unlimited"))],
        "policies": {"node_allocation": {"use": "least-loaded"},
                     "autoscaling": {"use": "kpa", "parameters": {"initial_scale": 0, "stable_window": "10s"}}},
        "faults": {"scripted": [{"at": 90.25, "host": "node-0", "for": "20s"}]},
        "workload": {"generate": {
            "arrivals": {"mmpp": {"rates": [2, 14], "mean_times": [20, 10]}},
            "run_time": {"lognormal": {"median": 0.8, "sigma": 0.9}}, "duration_s": 240}},
    })
}

fn run(scenario: &Value, interval: f64) -> (Results, Table, Table) {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    let (series, instances) = (Text::default(), Text::default());
    let interval = SimDuration::from_secs_f64(interval);
    let experiment = experiment.write_time_series(interval, 10_000, Box::new(series.clone())).unwrap();
    let results = experiment.write_instances(Box::new(instances.clone())).unwrap().run().unwrap();
    (results, Table::of(&series), Table::of(&instances))
}

/// What happens at the end of an interval comes into the next, but for the last.
fn recount(queue_at_instance: u32) {
    let (results, series, instances) = run(&scenario(queue_at_instance), 0.5);
    let column = |name: &str| instances.dates(name);
    let [wanted, ready, stopped, ended] = ["wanted_at", "ready_at", "stopped_at", "ended_at"].map(column);
    let ends = series.dates("time_s");
    let mut seen = [0; 4];
    for (row, end) in ends.iter().enumerate() {
        let is_last = row + 1 == ends.len();
        let by_then =
            |date: Option<u64>| date.is_some_and(|date| date < end.unwrap() || is_last && date == end.unwrap());
        let count = |is_it: &dyn Fn(usize) -> bool| (0..wanted.len()).filter(|row| is_it(*row)).count() as u64;
        let is_over = |row: usize| by_then(stopped[row]) || by_then(ended[row]);
        let is_ready = count(&|row| by_then(ready[row]) && !is_over(row));
        let is_starting = count(&|row| by_then(wanted[row]) && !by_then(ready[row]) && !is_over(row));

        let nanos = |date: Option<SimTime>| date.map(SimTime::as_nanos);
        let is_under_way =
            |record: &&InvocationRecord| by_then(nanos(record.submitted_at)) && !by_then(nanos(record.finished_at));
        let under_way: Vec<&InvocationRecord> = results.records.iter().filter(is_under_way).collect();
        let of = |function: u32| under_way.iter().filter(|record| record.function.number() == function).count() as u64;
        let needed = of(0) + of(1).div_ceil(10) + of(2).min(1);
        let served = under_way.iter().filter(|record| by_then(nanos(record.started_at))).count() as u64;

        let shown = |name: &str| series.counts(name)[row];
        let (inside, awaiting) = (shown("requests_in_instances"), shown("requests_awaiting_instance"));
        assert_eq!(shown("instances_ready"), is_ready, "row {row}");
        assert_eq!(shown("instances_starting"), is_starting, "row {row}");
        assert_eq!(shown("instances_wanted"), is_ready + is_starting, "row {row}");
        assert_eq!(shown("instances_needed"), needed, "row {row}");
        assert_eq!(inside + awaiting, under_way.len() as u64, "row {row}");
        // Those that wait at an instance are in it, and have not begun.
        assert!(if queue_at_instance == 0 { inside == served } else { inside >= served }, "row {row}");
        let at_instances = inside - served;
        for (most, now) in seen.iter_mut().zip([is_ready, is_starting, awaiting, at_instances]) {
            *most = now.max(*most);
        }
    }
    assert!(ends.len() > 400 && seen[..3].iter().all(|most| *most > 3), "{seen:?}");
    assert_eq!(seen[3] > 0, queue_at_instance > 0, "{seen:?}");
}

#[test]
fn instances_and_their_requests_are_those_of_a_recount() {
    recount(0);
}

#[test]
fn requests_that_wait_at_an_instance_are_in_it() {
    recount(2);
}

#[test]
fn without_instances_there_are_no_such_columns() {
    let mut scenario = scenario(0);
    for function in scenario["functions"].as_array_mut().unwrap() {
        function.as_object_mut().unwrap().remove("instances");
    }
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    let series = Text::default();
    experiment.write_time_series(SimDuration::from_secs(1), 10_000, Box::new(series.clone())).unwrap().run().unwrap();
    let names: Vec<String> = Table::of(&series).0.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.last().map(String::as_str), Some("idle_memory_bytes"), "{names:?}");
}
