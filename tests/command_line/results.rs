//! The tables that `hearth run --output` writes, and how they belong together.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use serde_json::{Value, json};

use super::{good_scenario, hearth, project_path};

/// A generated workload of some thousand requests, some of which are rejected.
fn scenario(folder: &Path) -> String {
    let mut scenario = good_scenario();
    (scenario["functions"], scenario["seed"], scenario["images"]) = (json!([]), json!(5), json!([]));
    scenario["workload"] = json!({"generate": {
        "arrivals": {"poisson": {"rate": 4}}, "duration_s": 900,
        "functions": {"count": 12, "zipf": 1, "ram": {"constant": 256e6}, "cold_start": {"constant": 0.5}},
        "run_time": {"exponential": {"mean": 0.6}},
    }});
    scenario["policies"] = json!({"admission": {"use": "queue-limit", "parameters": {"limit": 3}},
        "node_allocation": {"use": "first-fit"}});
    let file = folder.join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    file.display().to_string()
}

fn run(scenario: &str, output: &Path, more: &[&str]) {
    let output = output.display().to_string();
    hearth().args(["run", scenario, "--output", &output]).args(more).assert().success();
}

/// The rows of a table, by name of column.
fn table(file: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    lines.map(|row| header.iter().cloned().zip(row).collect()).collect()
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> u64 {
    rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
}

fn summary(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn tables_and_summary_agree() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    run(&scenario(folder.path()), &output, &[]);
    let summary = summary(&output);
    let invocations = table(&output.join("invocations.csv"));
    let functions = table(&output.join("functions.csv"));
    let series = table(&output.join("timeseries.csv"));
    let number = |pointer: &str| summary.pointer(pointer).and_then(Value::as_u64).unwrap();
    assert!(number("/outcomes/rejected") > 10 && number("/outcomes/completed") > 2000, "{summary}");
    for (column, pointer) in [
        ("invocations", "/invocations"),
        ("completed", "/outcomes/completed"),
        ("rejected", "/outcomes/rejected"),
        ("cold_starts", "/cold_starts"),
        ("warm_starts", "/warm_starts"),
    ] {
        assert_eq!(sum(&functions, column), number(pointer), "{column} of functions");
    }
    for (column, pointer) in [
        ("requests", "/invocations"),
        ("completed", "/outcomes/completed"),
        ("cold_starts", "/cold_starts"),
        ("warm_starts", "/warm_starts"),
    ] {
        assert_eq!(sum(&series, column), number(pointer), "{column} of the time series");
    }
    assert_eq!(invocations.len() as u64, number("/invocations"));
    // The distributions of one function, worked out anew from its invocations.
    let date = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().unwrap();
    let of_function = |row: &&BTreeMap<String, String>| row["function"] == "3" && row["outcome"] == "completed";
    let rows: Vec<_> = invocations.iter().filter(of_function).collect();
    let told = functions.iter().find(|row| row["function"] == "3").unwrap();
    let mut values = BTreeMap::new();
    values.insert(
        "latency",
        rows.iter().map(|row| date(row, "finished_at") - date(row, "requested_at")).collect::<Vec<_>>(),
    );
    values.insert("waiting", rows.iter().map(|row| date(row, "started_at") - date(row, "requested_at")).collect());
    let slowdown = |row: &&BTreeMap<String, String>| {
        (date(row, "finished_at") - date(row, "requested_at")) / (date(row, "finished_at") - date(row, "started_at"))
    };
    values.insert("slowdown", rows.iter().map(slowdown).collect());
    let cold = rows.iter().filter(|row| row["start"] == "cold");
    values.insert("cold_start_delay", cold.map(|row| date(row, "started_at") - date(row, "dispatched_at")).collect());
    for (name, mut values) in values {
        values.sort_by(f64::total_cmp);
        let number = |part: &str| told[&format!("{name}_{part}")].parse::<f64>().unwrap();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((number("mean") - mean).abs() < 1e-6, "mean {name}: {} for {mean}", number("mean"));
        assert!((number("max") - values[values.len() - 1]).abs() < 1e-6, "greatest {name}");
        for (part, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            let exact = values[(values.len() as f64 * share).ceil() as usize - 1];
            let told = number(part);
            assert!((exact - 1e-6..=exact * 1.032 + 1e-6).contains(&told), "{part} of {name}: {told} for {exact}");
        }
    }
}

#[test]
fn the_time_series_stands_as_the_invocations_say() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    run(&scenario(folder.path()), &output, &["--interval", "30s"]);
    let invocations = table(&output.join("invocations.csv"));
    for row in table(&output.join("timeseries.csv")) {
        let end: f64 = row["time_s"].parse().unwrap();
        // Of dates alone: a field is empty if the date never came.
        let came =
            |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().is_ok_and(|date| date < end);
        let count =
            |holds: &dyn Fn(&BTreeMap<String, String>) -> bool| invocations.iter().filter(|row| holds(row)).count();
        let running = count(&|row| came(row, "dispatched_at") && !came(row, "finished_at"));
        let queued =
            count(&|row| came(row, "submitted_at") && !came(row, "dispatched_at") && !came(row, "finished_at"));
        assert_eq!([&row["running"], &row["queued"]], [&running.to_string(), &queued.to_string()], "at {end} s");
    }
}

#[test]
fn a_sample_is_a_part_of_all_in_the_same_order_with_every_policy() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let rows = |name: &str, more: &[&str]| {
        let output = folder.path().join(name);
        run(&scenario, &output, more);
        let text = fs::read_to_string(output.join("invocations.csv")).unwrap();
        (text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>(), summary(&output)["invocations"].clone())
    };
    let (all, count) = rows("all", &[]);
    let (sample, of) = rows("sample", &["--sample", "0.1"]);
    assert_eq!(count, of, "the counts are of all");
    assert!((all.len() / 15..all.len() / 7).contains(&sample.len()), "{} of {}", sample.len(), all.len());
    let mut rest = all.iter();
    assert!(sample.iter().all(|row| rest.any(|other| other == row)), "a row is not among all, or out of order");
    let numbers =
        |rows: &[String]| rows.iter().map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>();
    let (other, _) = rows("other", &["--sample", "0.1", "--policy", "node_allocation=least-loaded"]);
    assert_eq!(numbers(&sample), numbers(&other));
}

#[test]
fn parquet_holds_what_the_table_holds() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [output, of_text] = ["out", "text"].map(|name| folder.path().join(name));
    run(&scenario, &of_text, &[]);
    run(&scenario, &output, &["--format", "parquet"]);
    let text = table(&of_text.join("invocations.csv"));
    let file = fs::File::open(output.join("invocations.parquet")).unwrap();
    let columns = SerializedFileReader::new(file).unwrap();
    let mut rows = 0;
    for (row, expected) in columns.get_row_iter(None).unwrap().zip(&text) {
        let row = row.unwrap();
        rows += 1;
        assert_eq!(row.get_long(0).unwrap().to_string(), expected["invocation"]);
        assert_eq!(row.get_string(1).unwrap(), &expected["function"]);
        let date = row.get_double(6).map(|date| format!("{date:.9}")).unwrap_or_default();
        assert_eq!(date, expected["finished_at"]);
        assert_eq!(row.get_string(8).map(String::as_str).unwrap_or_default(), expected["start"]);
    }
    assert_eq!(rows, text.len());
}

/// Every run on the timeline is a row of the table of invocations, and says the same.
#[test]
fn the_timeline_says_who_runs_and_how_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (output, timeline) = (folder.path().join("out"), folder.path().join("timeline.json"));
    let scenario = project_path("examples/quickstart.json").display().to_string();
    run(&scenario, &output, &["--overwrite", "--timeline", timeline.to_str().unwrap()]);
    let events: Vec<Value> = serde_json::from_slice(&fs::read(&timeline).unwrap()).unwrap();
    let nodes = events.iter().filter(|event| event["name"] == "process_name");
    let nodes: BTreeMap<u64, &Value> =
        nodes.map(|event| (event["pid"].as_u64().unwrap(), &event["args"]["name"])).collect();
    let mut told: Vec<[String; 6]> = Vec::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for event in events.iter().filter(|event| event["name"] == "run") {
        let arguments = &event["args"];
        let started = format!("{:.6}", event["ts"].as_f64().unwrap() / 1e6);
        let node = text(nodes[&event["pid"].as_u64().unwrap()]);
        let words = ["function", "start", "outcome"].map(|name| text(&arguments[name]));
        let [function, start, outcome] = words;
        told.push([arguments["invocation"].to_string(), function, started, node, start, outcome]);
    }
    let mut expected: Vec<[String; 6]> = (table(&output.join("invocations.csv")).iter())
        .filter(|row| !row["started_at"].is_empty())
        .map(|row| {
            let started = format!("{:.6}", row["started_at"].parse::<f64>().unwrap());
            let [invocation, function, node, start, outcome] =
                ["invocation", "function", "node", "start", "outcome"].map(|name| row[name].clone());
            [invocation, function, started, node, start, outcome]
        })
        .collect();
    told.sort();
    expected.sort();
    assert!(expected.iter().any(|row| row[5] == "timed_out") && expected.len() > 30);
    assert_eq!(told, expected);
    // Viewers colour by name, and show the names of rows.
    let spans = || events.iter().filter(|event| event["ph"] == "X");
    let names: std::collections::BTreeSet<&str> = spans().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["cold start", "idle", "run"]);
    for span in spans() {
        let is_name = |event: &&Value| {
            event["name"] == "thread_name" && (&event["pid"], &event["tid"]) == (&span["pid"], &span["tid"])
        };
        let named = events.iter().find(is_name).unwrap();
        assert_eq!(named["args"]["name"], format!("container {}", span["tid"]));
    }
}

/// Conservation: what the timeline shows of each container adds up to the memory that the summary counts, from the first
/// request to the end of the last invocation and after it.
#[test]
fn the_timeline_adds_up_to_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let timeline = folder.path().join("timeline.json");
    let runs: [&[&str]; 4] = [
        &[],
        &["--set", "service.invocation_processing_overhead=0.05"],
        &["--set", "horizon=500s"],
        &["--set", "workload.generate.requests=7", "--set", "service.invocation_processing_overhead=2s"],
    ];
    for arguments in runs {
        let _ = fs::remove_dir_all(&output);
        run(
            &scenario(folder.path()),
            &output,
            &[&["--overwrite", "--timeline", timeline.to_str().unwrap()], arguments].concat(),
        );
        let events: Vec<Value> = serde_json::from_slice(&fs::read(&timeline).unwrap()).unwrap();
        let summary = summary(&output);
        let number = |pointer: &str| summary.pointer(pointer).and_then(Value::as_f64).unwrap();
        let table = fs::read_to_string(output.join("invocations.csv")).unwrap();
        let column = |number: usize| table.lines().skip(1).map(move |row| row.split(',').nth(number).unwrap());
        let first = column(2).find_map(|date| date.parse::<f64>().ok()).unwrap();
        let last = column(6).filter_map(|date| date.parse::<f64>().ok()).fold(0.0, f64::max);
        let is_cut = column(9).any(|outcome| outcome == "unfinished") || arguments.contains(&"horizon=500s");
        let (from, to) = (number("/measured/from_s"), number("/measured/to_s"));
        assert_eq!((from, to), (first, if is_cut { 500.0 } else { last }), "{arguments:?}");
        let count = |categories: &[&str]| {
            let is_of = |event: &&Value| categories.iter().any(|category| event["cat"] == *category);
            events.iter().filter(|event| event["ph"] == "X").filter(is_of).count() as f64
        };
        assert_eq!(count(&["cold start"]), number("/cold_starts"));
        assert_eq!(count(&["run"]), number("/cold_starts") + number("/warm_starts"));
        // The part of each that lies between two dates.
        let seconds = |categories: &[&str], from: f64, to: f64| {
            let overlap = |event: &Value| {
                let begin = event["ts"].as_f64().unwrap() / 1e6;
                let end = begin + event["dur"].as_f64().unwrap() / 1e6;
                (end.min(to) - begin.max(from)).max(0.0)
            };
            let is_of =
                |event: &&Value| event["ph"] == "X" && categories.iter().any(|category| event["cat"] == *category);
            events.iter().filter(is_of).map(overlap).sum::<f64>()
        };
        for (categories, pointer) in [(&["cold start", "run"][..], "used"), (&["idle"], "idle")] {
            let within = (seconds(categories, from, to) * 256e6, number(&format!("/memory_byte_seconds/{pointer}")));
            let after =
                (seconds(categories, to, 1e9) * 256e6, number(&format!("/drain/memory_byte_seconds/{pointer}")));
            for (told, counted) in [within, after] {
                assert!((told - counted).abs() <= 1e-9 * counted + 1e3, "{arguments:?} {pointer}: {told} {counted}");
            }
        }
    }
}

#[test]
fn results_that_are_not_wanted_are_left_out_and_wrong_wishes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let output = folder.path().join("out");
    run(&scenario, &output, &["--invocations", "none", "--interval", "0"]);
    let mut names: Vec<_> =
        fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["distributions.csv", "functions.csv", "run.json", "scenario.json", "summary.json"]);
    for (arguments, said) in [
        (["--sample", "0"], "expected a share above 0 and at most 1, like 0.01"),
        (["--sample", "1.5"], "expected a share above 0 and at most 1, like 0.01"),
        (["--interval", "-5s"], "unexpected argument '-5'"),
        (["--interval", "5 bananas"], "unknown unit"),
        (["--format", "xlsx"], "[possible values: csv, parquet]"),
    ] {
        let output = hearth().args(["run", &scenario]).args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && error.contains(said), "{arguments:?}: {error}");
    }
}

#[test]
fn a_run_in_which_nothing_moves_on_stops_with_an_error_and_keeps_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = good_scenario();
    // The image needs a second over a link that fails every 0.7 s.
    scenario["functions"].as_array_mut().unwrap().push(json!({"name": "g", "body": [{"sleep": 1}]}));
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "g"}, {"at": 2, "function": "f"}]);
    scenario["faults"] = json!({"drawn": [
        {"links": "wan", "time_between_failures": {"constant": 0.7}, "time_to_repair": {"constant": 0.1}}]});
    let (file, output) = (folder.path().join("scenario.json"), folder.path().join("out"));
    fs::write(&file, scenario.to_string()).unwrap();
    let arguments = ["run", file.to_str().unwrap(), "--output", output.to_str().unwrap()];
    let stopped = hearth().args(arguments).args(["--set", "max_events_without_progress=2000"]).assert().code(1);
    let error = String::from_utf8(stopped.get_output().stderr.clone()).unwrap();
    let expected = "2000 events in a row, since 2.000000000 s, have moved no invocation on: invocation 1 waits for image \
                    \"img\" to be downloaded to the head";
    assert!(
        error.contains(expected) && error.contains("--set max_events_without_progress=N (0: any number)"),
        "{error}"
    );
    let summary = summary(&output);
    assert_eq!(summary["interrupted"], true);
    assert!(summary["stopped_by"].as_str().unwrap().contains(expected), "{summary}");
    let outcomes: Vec<String> =
        table(&output.join("invocations.csv")).into_iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["completed", "unfinished"]);
}

/// Four requests at dates in seconds since 1970: years of minutes without a request before them.
#[test]
fn a_trace_that_begins_far_from_zero_has_a_short_time_series() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = good_scenario();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv"}});
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let rows = "1700000000,f,1\n1700000030,f,1\n1700000500,f,1\n1700000505,f,1\n";
    fs::write(folder.path().join("t.csv"), format!("arrival_s,function,duration_s\n{rows}")).unwrap();
    let output = folder.path().join("out");
    run(&file.display().to_string(), &output, &[]);
    let series = table(&output.join("timeseries.csv"));
    assert_eq!(series[0]["time_s"], "1700000040.000000000", "the end of the minute of the first request");
    assert_eq!((sum(&series, "requests"), series.len() < 100), (4, true), "{series:?}");
    hearth().arg("report").arg(&output).assert().success();
    let size = |name: &str| fs::metadata(output.join(name)).unwrap().len();
    // Of the page, 120 kB are its script and its looks.
    assert!(size("timeseries.csv") < 10_000 && size("report.html") < 220_000, "{}", size("report.html"));
    let page = fs::read_to_string(output.join("report.html")).unwrap();
    assert!(page.contains("\"origin_s\":1699999200") && page.contains("id=\"run-0-rows-0\""));
}

/// A quiet run that is long: a request now and one in fifty years.
#[test]
fn a_long_run_has_longer_intervals_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = good_scenario();
    scenario["workload"] = json!({"invocations": [{"at": 0, "function": "f"}, {"at": 1.6e9, "function": "f"}]});
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let file = file.display().to_string();
    // How many rows there may be, and what the interval is then: the first one doubled until that is so.
    for (name, more, most, interval) in [
        ("by itself", &[][..], 10_000, 60.0 * 4096.0),
        ("asked for", &["--interval", "10s"], 100_000, 10.0 * 2048.0),
        ("as it is", &["--interval", "1d"], 100_000, 86_400.0),
    ] {
        let output = folder.path().join(name);
        let mut command = hearth();
        command.args(["run", &file, "--output"]).arg(&output).args(more);
        let said = crate::printed(&mut command);
        let series = table(&output.join("timeseries.csv"));
        assert!(series.len() <= most, "{name}: {} rows", series.len());
        assert_eq!(sum(&series, "requests"), 2);
        let manifest: Value = serde_json::from_slice(&fs::read(output.join("run.json")).unwrap()).unwrap();
        assert_eq!(manifest["time_series_interval_s"], interval, "{name}");
        assert_eq!(series[1]["time_s"].parse::<f64>().unwrap(), 2.0 * interval);
        let is_said = said.contains("The run is long: timeseries.csv has a row for every ");
        assert_eq!(is_said, name != "as it is", "{said}");
        hearth().arg("report").arg(&output).assert().success();
        let page = fs::read_to_string(output.join("report.html")).unwrap();
        assert!(page.len() < 1_000_000, "{name}: a page of {} bytes", page.len());
        assert!(page.contains("It is longer than 104 days") && !page.contains("id=\"run-0-rows-0\""));
    }
    let output = folder.path().join("sweep");
    hearth().args(["sweep", &file, "--interval", "10s", "--output"]).arg(&output).assert().success();
    let run = fs::read_dir(output.join("runs")).unwrap().next().unwrap().unwrap().path();
    assert!(table(&run.join("timeseries.csv")).len() <= 100_000);
}
