//! `hearth report`: pages that need nothing else, and pictures.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
fn fetched(page: &str) -> Vec<&str> {
    let marks = ["src=", "href=", "url(", "@import", "fetch(", "import("];
    marks.into_iter().filter(|mark| page.contains(mark)).collect()
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
        "<canvas id=\"timeline-canvas\"",
        "node_allocation",
        "built in",
        "; seed ",
        "container 1",
        "invocation 0 (cold, completed)",
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
