//! `hearth report`: pages that need nothing else, and pictures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use serde_json::{Value, json};

use super::{good_scenario, hearth, project_path};

fn report(arguments: &[&str]) -> String {
    let output = hearth().arg("report").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn run(folder: &Path) -> String {
    let output = folder.join("run");
    let scenario = project_path("examples/quickstart.json");
    let mut command = hearth();
    command.arg("run").arg(scenario).arg("--output").arg(&output).arg("--timeline").arg(output.join("timeline.json"));
    command.assert().success();
    output.to_str().unwrap().to_owned()
}

fn sweep(folder: &Path) -> String {
    let (scenario, output) = (folder.join("scenario.json"), folder.join("sweep"));
    fs::write(&scenario, good_scenario().to_string()).unwrap();
    let mut command = hearth();
    command.arg("compare").arg(scenario).arg("--output").arg(&output);
    command.args(["--policy", "keep_alive=fixed", "--policy", "keep_alive=no-keep-alive", "--seeds", "1..2"]);
    command.args(["--vary", "images[img].size=50MB,100MB"]).assert().success();
    output.to_str().unwrap().to_owned()
}

/// Files that a browser would fetch.
pub fn fetched(page: &str) -> Vec<&str> {
    let marks = ["src=", "href=\"", "url(", "@import", "fetch(", "import(", "XMLHttpRequest", "<link", "https:"];
    marks.into_iter().filter(|mark| page.contains(mark)).collect()
}

/// What stands in an element of a page.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let rest = page.split_once(&format!("id=\"{id}\">")).unwrap_or_else(|| panic!("no {id}")).1;
    rest.split_once("</").unwrap().0
}

/// What a chunk holds.
fn inflated(page: &str, id: &str) -> Vec<u8> {
    let deflated = base64::engine::general_purpose::STANDARD.decode(element(page, id)).unwrap();
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(deflated.as_slice()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The columns of a chunk, as `explore/column` packs them.
fn columns(page: &str, id: &str) -> Vec<Vec<u64>> {
    let bytes = inflated(page, id);
    let (mut columns, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((head, body)) = rest.split_at_checked(5) {
        let (count, width) = (u32::from_le_bytes(head[..4].try_into().unwrap()) as usize, usize::from(head[4]));
        let (planes, next) = body.split_at(count * width);
        let value = |row: usize| (0..width).map(|place| u64::from(planes[place * count + row]) << (8 * place)).sum();
        columns.push((0..count).map(value).collect());
        rest = next;
    }
    columns
}

fn nanos(seconds: &str) -> u64 {
    let (whole, part) = seconds.split_once('.').unwrap();
    whole.parse::<u64>().unwrap() * 1_000_000_000 + part.parse::<u64>().unwrap()
}

/// Invocations that a page holds, against the tables of the run: functions, dates and latencies, and sums by cause.
#[test]
fn a_page_holds_every_invocation_of_the_tables_in_either_form() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = project_path("examples/quickstart.json");
    let page_of = |format: &str| {
        let output = folder.path().join(format);
        let mut command = hearth();
        command.arg("run").arg(&scenario).arg("--explain").args(["--format", format]).arg("--output").arg(&output);
        command.assert().success();
        report(&[output.to_str().unwrap()]);
        fs::read_to_string(output.join("report.html")).unwrap()
    };
    let (page, of_parquet) = (page_of("csv"), page_of("parquet"));
    let about: Value = serde_json::from_str(element(&page, "about")).unwrap();
    let about = &about["runs"][0];
    let found = columns(&page, "run-0-rows-0");
    assert_eq!(columns(&of_parquet, "run-0-rows-0"), found);
    let table = fs::read_to_string(folder.path().join("csv/causes.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let field = |row: usize, name: &str| &rows[row][heads.iter().position(|head| head == name).unwrap()];
    assert_eq!(about["rows"], json!([rows.len()]));
    let (mut requested, mut latencies) = (0_i64, found[9].iter());
    for row in 0..rows.len() {
        let difference = found[1][row];
        requested += (difference >> 1) as i64 ^ -((difference & 1) as i64);
        assert_eq!(requested as u64, nanos(field(row, "requested_at")));
        assert_eq!(about["functions"][found[2][row] as usize], field(row, "function"));
        let kind = &about["kinds"][found[4][row] as usize];
        assert_eq!((kind[0].as_str(), kind[1].as_str()), (Some(field(row, "start")), Some(field(row, "outcome"))));
        assert_eq!(*latencies.next().unwrap(), nanos(field(row, "latency")));
        let causes: Vec<&str> = kind[3]
            .as_array()
            .unwrap()
            .iter()
            .map(|cause| about["causes"][cause.as_u64().unwrap() as usize]["name"].as_str().unwrap())
            .collect();
        let told = about["causes"].as_array().unwrap().iter().map(|cause| cause["name"].as_str().unwrap());
        assert_eq!(causes, told.filter(|cause| field(row, cause) != "0").collect::<Vec<_>>());
    }
    // What is seen before anything is unpacked: sums of all intervals.
    for (number, cause) in about["causes"].as_array().unwrap().iter().enumerate() {
        let name = cause["name"].as_str().unwrap();
        let expected: u64 = (0..rows.len()).map(|row| field(row, name)).filter(|text| *text != "0").map(nanos).sum();
        let intervals = about["overview"]["intervals"].as_array().unwrap();
        let sum: f64 = intervals.iter().map(|interval| interval[3][number].as_f64().unwrap_or(0.0)).sum();
        assert_eq!(sum, expected as f64, "{name}");
        assert!(!cause["title"].as_str().unwrap().is_empty() && !cause["note"].as_str().unwrap().is_empty());
    }
}

/// What happened to an invocation, as `hearth why` prints it: when, for how long, and what.
fn told(folder: &str, invocation: &str) -> Vec<(String, String)> {
    let output = hearth().args(["why", folder, invocation]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.split("\n\n").nth(1).unwrap().lines().skip(1);
    lines.map(|line| line.split_once(" s ").unwrap()).map(|(at, what)| (at.trim().into(), what.trim().into())).collect()
}

#[test]
fn stories_on_a_page_are_those_of_hearth_why() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("run");
    let scenario = project_path("examples/quickstart.json");
    hearth().arg("run").arg(scenario).args(["--explain", "--output"]).arg(&output).assert().success();
    let name = output.to_str().unwrap();
    report(&[name]);
    let plain = fs::read_to_string(output.join("report.html")).unwrap();
    assert!(!plain.contains("id=\"run-0-stories\""));
    report(&[name, "--stories", "3"]);
    let page = fs::read_to_string(output.join("report.html")).unwrap();
    let stories: BTreeMap<String, Vec<(u64, Option<u64>, String)>> =
        serde_json::from_slice(&inflated(&page, "run-0-stories")).unwrap();
    // The slowest ones, by the table.
    let table = fs::read_to_string(output.join("causes.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let place = reader.headers().unwrap().iter().position(|head| head == "latency").unwrap();
    let mut rows: Vec<(u64, u64)> =
        reader.records().map(Result::unwrap).map(|row| (nanos(&row[place]), row[0].parse().unwrap())).collect();
    rows.sort_by_key(|(latency, number)| (std::cmp::Reverse(*latency), *number));
    let slowest: BTreeSet<String> = rows.iter().take(3).map(|(_, number)| number.to_string()).collect();
    assert_eq!(stories.keys().cloned().collect::<BTreeSet<_>>(), slowest);
    for (number, lines) in &stories {
        let expected = told(name, number);
        assert!(lines.len() == expected.len() && lines.len() > 5, "{lines:?}");
        for ((at, length, what), (said_at, said)) in lines.iter().zip(&expected) {
            assert_eq!((*at, length.is_some()), (nanos(said_at), said != what));
            assert!(said.ends_with(what), "{said}: {what}");
        }
    }
}

#[test]
fn stories_that_cannot_be_told_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (run, sweep) = (run(folder.path()), sweep(folder.path()));
    let refused = |arguments: &[&str]| {
        let done = hearth().arg("report").args(arguments).args(["--stories", "2"]).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        String::from_utf8(done.stderr).unwrap()
    };
    assert!(refused(&[&sweep]).contains("is a sweep: stories are told of a run, as of one of runs/"));
    assert!(refused(&[&run, "--format", "svg"]).contains("--stories: pictures tell none"));
    // The scenario of the folder has become another one.
    let path = Path::new(&run).join("scenario.json");
    let mut scenario: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    scenario["service"]["container_startup_overhead"] = json!("77s");
    fs::write(&path, scenario.to_string()).unwrap();
    let said = refused(&[&run]);
    assert!(said.contains(" when the run is made again: leave out --stories, or run it again"), "{said}");
}

#[test]
fn tables_that_do_not_go_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("run");
    let mut command = hearth();
    command.arg("run").arg(project_path("examples/quickstart.json")).args(["--explain", "--output"]).arg(&output);
    command.assert().success();
    let causes = fs::read_to_string(output.join("causes.csv")).unwrap();
    let refused = |changed: String| {
        fs::write(output.join("causes.csv"), changed).unwrap();
        let done = hearth().arg("report").arg(&output).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        String::from_utf8(done.stderr).unwrap()
    };
    let said = refused(causes.replacen("0.400000000", "0.400000001", 1));
    assert!(said.contains("causes.csv: is not what Hearth writes: the causes of invocation 0 do not add up"), "{said}");
    let (all_but_last, _) = causes.trim_end().rsplit_once('\n').unwrap();
    assert!(refused(format!("{all_but_last}\n")).contains("it has other rows than the table of invocations"));
    assert!(refused(causes.replacen("latency", "length", 1)).contains("has no column latency"));
    assert!(!output.join("report.html").exists());
}

#[test]
fn runs_are_shown_beside_each_other_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let (run, sweep) = (run(folder.path()), sweep(folder.path()));
    let said = report(&[&run, &run]);
    assert!(said.contains("beside.html"), "{said}");
    let page = fs::read_to_string(Path::new(&run).join("beside.html")).unwrap();
    let about: Value = serde_json::from_str(element(&page, "about")).unwrap();
    assert_eq!(about["runs"].as_array().unwrap().len(), 2);
    assert!(page.contains("id=\"run-1-rows-0\"") && page.contains("id=\"run-1-latency-cdf\""));
    for (arguments, expected) in
        [(vec![&run, &sweep], "is a sweep: a page of several results is of runs"), (vec![&sweep, &run], "is a sweep")]
    {
        let done = hearth().arg("report").args(arguments).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(2) && said.contains(expected), "{said}");
    }
    let done = hearth().args(["report", &run, &run, "--format", "svg"]).output().unwrap();
    assert!(
        done.status.code() == Some(2) && String::from_utf8_lossy(&done.stderr).contains("pictures are of one result")
    );
}

#[test]
fn a_page_of_a_run_holds_everything_and_fetches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path());
    let said = report(&[&output]);
    let page = fs::read_to_string(Path::new(&output).join("report.html")).unwrap();
    assert!(said.contains("report.html"), "{said}");
    assert_eq!(fetched(&page), [""; 0]);
    for part in [
        "<h1>quickstart</h1>",
        "id=\"latency-cdf\"",
        "id=\"function-cold-starts-cdf\"",
        "id=\"requests-over-time\"",
        "id=\"image-traffic\"",
        "<div id=\"explore\">",
        "id=\"run-0-rows-0\"",
        "id=\"run-0-spans-0\"",
        "http-equiv=\"Content-Security-Policy\"",
        "node_allocation",
        "built in",
        "; seed ",
        "role=\"img\" aria-labelledby=\"latency-cdf-title latency-cdf-description\"",
        "<title id=\"latency-cdf-title\">",
        "@media print",
        "<caption>Policies in use</caption>",
        "hearth-scenario/1",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    report(&[&output, "--output", &format!("{output}/again.html")]);
    assert_eq!(fs::read_to_string(Path::new(&output).join("again.html")).unwrap(), page, "the same bytes");
}

#[test]
fn instances_are_shown_against_demand_where_there_are_any() {
    let folder = tempfile::tempdir().unwrap();
    let page_of = |output: &Path| {
        report(&[output.to_str().unwrap()]);
        fs::read_to_string(output.join("report.html")).unwrap()
    };
    let output = folder.path().join("instances");
    let scenario = project_path("examples/instances.json");
    hearth().arg("run").arg(scenario).args(["--interval", "5s", "--output"]).arg(&output).assert().success();
    let page = page_of(&output);
    assert!(page.contains("id=\"instances-over-time\""));
    assert!(page.contains("function by function; wanted are as many as the autoscaler says"));
    // In words, with the first row of the table.
    let series = fs::read_to_string(output.join("timeseries.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(series.as_bytes());
    let column = rows.headers().unwrap().iter().position(|name| name == "instances_needed").unwrap();
    let first = rows.records().next().unwrap().unwrap()[column].to_owned();
    assert!(page.contains(&format!("needed by the requests under way: {first} at 5 s to ")), "{first}");
    assert!(page.contains("wanted: ") && page.contains("ready: ") && page.contains("starting: "));
    assert!(!page_of(Path::new(&run(folder.path()))).contains("instances-over-time"));
}

#[test]
fn a_page_of_a_sweep_shows_what_varies_against_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let output = sweep(folder.path());
    report(&[&output]);
    let page = fs::read_to_string(Path::new(&output).join("report.html")).unwrap();
    assert_eq!(fetched(&page), [""; 0]);
    for part in [
        "Share of cold starts against size of img",
        "id=\"cold-starts-against-memory\"",
        "id=\"latency-cdf-2\"",
        "<th scope=\"col\">size of img</th>",
        "99th percentile of latency</th>",
        "no-keep-alive",
        "8 of 8 runs",
        "Small: differences to keep_alive=fixed",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("hearth-sweep/1") && page.contains("hearth-scenario/1"));
    // Every picture says what it is and shows, and no axis is labelled with a path of a file.
    let pictures: Vec<&str> = page.split("<svg ").skip(1).map(|rest| rest.split("</svg>").next().unwrap()).collect();
    assert!(pictures.len() > 10);
    let mut titles = BTreeSet::new();
    for picture in pictures {
        let title = picture.split("<title id=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(titles.insert(title.to_owned()), "{title} is there twice");
        assert!(picture.contains("role=\"img\"") && picture.contains("<desc id="), "{title}");
        assert!(!picture.contains("images[") && !picture.contains("latency_") && !picture.contains("byte_seconds"));
    }
}

#[test]
fn every_figure_is_a_picture_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    for output in [run(folder.path()), sweep(folder.path())] {
        let pictures = Path::new(&output).join("figures");
        report(&[&output, "--format", "svg"]);
        report(&[&output, "--format", "png"]);
        let names: BTreeSet<String> =
            fs::read_dir(&pictures).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(names.len() >= 14, "{names:?}");
        for name in &names {
            let (stem, ending) = name.rsplit_once('.').unwrap();
            let content = fs::read(pictures.join(name)).unwrap();
            match ending {
                "svg" => assert!(content.starts_with(b"<svg"), "{name}"),
                _ => assert!(content.starts_with(b"\x89PNG") && names.contains(&format!("{stem}.svg")), "{name}"),
            }
        }
    }
}

#[test]
fn a_folder_without_results_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    for (path, expected) in [(empty, "holds no results: expected a folder"), ("nowhere", "holds no results")] {
        let output = hearth().args(["report", path]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.starts_with("error: ") && message.contains(expected), "{message}");
    }
    fs::write(folder.path().join("run.json"), "{").unwrap();
    let output = hearth().args(["report", empty]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run.json: is not what Hearth writes"));
}
