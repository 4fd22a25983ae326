//! Traces in small files of every format.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// Opens a trace in a folder beside the functions `a` and `b`, and reads it to its end: dates in seconds, names and run
/// times in seconds.
fn read(folder: &Path, trace: Value) -> Result<Vec<(f64, String, f64)>, String> {
    let section: TraceSection = serde_json::from_value(trace).unwrap();
    let known = ["a".to_owned(), "b".to_owned()];
    let OpenedTrace { mut source, declared, .. } =
        section.open(folder, &known, 7).map_err(|error| error.to_string())?;
    let names: Vec<String> = known.into_iter().chain(declared.into_iter().map(|function| function.name)).collect();
    let mut arrivals = Vec::new();
    while let Some(Arrival { at, function, run_time }) = source.next_arrival().map_err(|error| error.to_string())? {
        arrivals.push((
            at.as_secs_f64(),
            names[function as usize].clone(),
            run_time.map_or(-1.0, SimDuration::as_secs_f64),
        ));
    }
    Ok(arrivals)
}

/// The same, with the folder taken out of the error.
fn fails(folder: &Path, trace: Value) -> String {
    read(folder, trace).unwrap_err().replace(&format!("{}/", folder.display()), "")
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

const ROWS: &str = "duration_s,arrival_s,function,note\r\n1.5,0,a,x\n\n2,0.25,\"b\",\"with, comma\"\n0.5,1e1,c,\n";

#[test]
fn csv_is_read_whatever_the_order_of_columns_quotes_and_ends_of_lines() {
    let folder = folder(&[("t.csv", ROWS), ("f.csv", "function,memory_mb,cold_start_s\nc,128,0.5\n")]);
    let trace = json!({"format": "csv", "path": "t.csv", "functions_path": "f.csv"});
    let expected = [(0.0, "a".to_owned(), 1.5), (0.25, "b".to_owned(), 2.0), (10.0, "c".to_owned(), 0.5)];
    assert_eq!(read(folder.path(), trace).unwrap(), expected);
    let section: TraceSection =
        serde_json::from_value(json!({"format": "csv", "path": "t.csv", "functions_path": "f.csv"})).unwrap();
    let declared = section.open(folder.path(), &["a".to_owned(), "b".to_owned()], 0).unwrap().declared;
    assert_eq!(
        (declared[0].ram, declared[0].startup_overhead),
        (128_000_000, Some(SimDuration::from_nanos(500_000_000)))
    );
}

#[test]
fn compressed_files_are_the_same() {
    let folder = folder(&[("t.csv", "arrival_s,function,duration_s\n1,a,2\n3,b,4\n")]);
    let text = fs::read(folder.path().join("t.csv")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(
        fs::File::create(folder.path().join("t.csv.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    encoder.write_all(&text).unwrap();
    encoder.finish().unwrap();
    let target = fs::File::create(folder.path().join("t.csv.zst")).unwrap();
    ruzstd::encoding::compress(&text[..], target, ruzstd::encoding::CompressionLevel::Fastest);
    let read = |path: &str| read(folder.path(), json!({"format": "csv", "path": path})).unwrap();
    assert_eq!(read("t.csv").len(), 2);
    assert_eq!(read("t.csv"), read("t.csv.gz"));
    assert_eq!(read("t.csv"), read("t.csv.zst"));
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_file_line_and_column() {
    let head = "arrival_s,function,duration_s\n";
    let rows = [
        ("", "t.csv: is empty: expected a line with the names of columns"),
        (
            "a,b\n1,2\n",
            "t.csv:1: has no column \"arrival_s\": its columns are a, b: name yours in \"columns\", or with --column arrival=NAME:UNIT",
        ),
        (
            "1,a,2\n",
            "t.csv:1: has no column \"arrival_s\": its columns are 1, a, 2: name yours in \"columns\", or with --column arrival=NAME:UNIT",
        ),
        (
            "HEAD1700000000000,a,2\n",
            "t.csv:2, column arrival_s: found \"1700000000000\" s, expected a time of at most 9e9 s: is this in milliseconds?",
        ),
        (
            "HEAD1.9e10,a,2\n",
            "t.csv:2, column arrival_s: found \"1.9e10\" s, expected a time of at most 9e9 s: is this in milliseconds?",
        ),
        (
            "HEAD1700000000000000,a,2\n",
            "t.csv:2, column arrival_s: found \"1700000000000000\" s, expected a time of at most 9e9 s: is this in microseconds?",
        ),
        (
            "HEAD1.7e18,a,2\n",
            "t.csv:2, column arrival_s: found \"1.7e18\" s, expected a time of at most 9e9 s: is this in nanoseconds?",
        ),
        ("HEAD1e300,a,2\n", "t.csv:2, column arrival_s: found \"1e300\" s, expected a time of at most 9e9 s"),
        (
            "HEAD1,a,9000000001\n",
            "t.csv:2, column duration_s: found \"9000000001\" s, expected a time of at most 9e9 s: is this in milliseconds?",
        ),
        ("HEAD1,a\n", "t.csv:2, column duration_s: is missing: the row is too short"),
        ("HEAD1,a,2\nx,a,2\n", "t.csv:3, column arrival_s: found \"x\", expected a number of at least 0"),
        ("HEADNaN,a,2\n", "t.csv:2, column arrival_s: found \"NaN\", expected a number of at least 0"),
        ("HEAD1,a,-2\n", "t.csv:2, column duration_s: found \"-2\", expected a number of at least 0"),
        ("HEAD1,a,inf\n", "t.csv:2, column duration_s: found \"inf\", expected a number of at least 0"),
        (
            "HEAD1,zz,2\n",
            "t.csv:2, column function: unknown function \"zz\": the scenario or its functions_path must declare it",
        ),
        (
            "HEAD2,a,1\n\n1,a,1\n",
            "t.csv:4, column arrival_s: 1.000000000 s is before 2.000000000 s, the time of the row before: \"sort\": true (or --sort) sorts the rows by time",
        ),
        ("HEAD1,\"a,2\n", "t.csv:2: has a quote that is not closed on its line"),
    ];
    for (text, expected) in rows {
        let folder = folder(&[("t.csv", &text.replace("HEAD", head))]);
        assert_eq!(fails(folder.path(), json!({"format": "csv", "path": "t.csv"})), expected, "{text:?}");
    }
    let nowhere = fails(folder(&[]).path(), json!({"format": "csv", "path": "t.csv"}));
    assert!(nowhere.starts_with("t.csv: cannot be read: "), "{nowhere}");
    let broken = folder(&[
        ("t.csv.gz", "no gzip"),
        ("t.csv.zst", "no zstd"),
        ("f.csv", "function,memory_mb,cold_start_s\na,1,1\na,1,1\n"),
        ("t.csv", head),
    ]);
    assert!(
        fails(broken.path(), json!({"format": "csv", "path": "t.csv.gz"})).starts_with("t.csv.gz:1: cannot be read: ")
    );
    assert!(
        fails(broken.path(), json!({"format": "csv", "path": "t.csv.zst"}))
            .starts_with("t.csv.zst: is not a Zstandard file")
    );
    let twice = fails(broken.path(), json!({"format": "csv", "path": "t.csv", "functions_path": "f.csv"}));
    assert_eq!(twice, "f.csv:3, column function: \"a\" is listed already: names must differ");
}

#[test]
fn a_lenient_reader_passes_over_what_is_wrong_and_counts_it() {
    let folder = folder(&[("t.csv", "arrival_s,function,duration_s\n1,a,2\nx,a,2\n0.5,a,1\n2,zz,1\n3,b,1\n4,b\n")]);
    let section: TraceSection =
        serde_json::from_value(json!({"format": "csv", "path": "t.csv", "lenient": true})).unwrap();
    let mut source = section.open(folder.path(), &["a".to_owned(), "b".to_owned()], 0).unwrap().source;
    let mut good = 0;
    while source.next_arrival().unwrap().is_some() {
        good += 1;
    }
    assert_eq!((good, source.skipped_rows()), (2, 4));
}

#[test]
fn a_part_of_a_trace_can_be_selected_and_its_rate_scaled() {
    let mut text = "arrival_s,function,duration_s\n".to_owned();
    for row in 0..600 {
        text += &format!("{row},{},1\n", if row % 3 == 0 { "a" } else { "b" });
    }
    let folder = folder(&[("t.csv", &text)]);
    let count = |more: Value| {
        let mut trace = json!({"format": "csv", "path": "t.csv"});
        trace.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(folder.path(), trace).unwrap()
    };
    assert_eq!(count(json!({})).len(), 600);
    assert_eq!(count(json!({"select": {"minutes": 2}})).len(), 120);
    assert_eq!(count(json!({"select": {"functions": ["a"]}})).len(), 200);
    assert_eq!(count(json!({"select": {"most_popular": 1, "minutes": 1}})).len(), 40);
    assert!([200, 400].contains(&count(json!({"select": {"sample_apps": 1}})).len()));
    assert_eq!(count(json!({"rate": 2})).len(), 1200);
    let half = count(json!({"rate": 0.5})).len();
    assert!((250..350).contains(&half), "{half}");
    assert_eq!(count(json!({"rate": 0})).len(), 0);
    let unknown = fails(folder.path(), json!({"format": "csv", "path": "t.csv", "select": {"functions": ["c"]}}));
    assert_eq!(unknown, "t.csv: has no function \"c\", which is selected");
}

/// Counts for two functions of one application, of which the second has no row of durations, and a day more.
fn azure_2019() -> tempfile::TempDir {
    let minutes = (1..=1440).map(|minute| minute.to_string()).collect::<Vec<_>>().join(",");
    let counts = |first: &str| format!("{first}{}", ",0".repeat(1439 - first.matches(',').count()));
    let head = format!("HashOwner,HashApp,HashFunction,Trigger,{minutes}\n");
    let day =
        |one: &str, other: &str| format!("{head}o,app,f1,http,{}\no,app,f2,timer,{}\n", counts(one), counts(other));
    let percentiles: Vec<String> =
        ["0", "1", "25", "50", "75", "99", "100"].map(|p| format!("percentile_Average_{p}")).to_vec();
    let durations = format!(
        "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,{}\no,app,f1,150,9,100,200,100,100,100,150,200,200,200\n",
        percentiles.join(",")
    );
    folder(&[
        ("invocations_per_function_md.anon.d01.csv", &day("3,0,2", "0,1.0")),
        ("invocations_per_function_md.anon.d02.csv", &day("1", "0")),
        ("function_durations_percentiles.anon.d01.csv", &durations),
        ("app_memory_percentiles.anon.d01.csv", "HashOwner,HashApp,SampleCount,AverageAllocatedMb\no,app,7,96.5\n"),
    ])
}

#[test]
fn the_trace_of_2019_is_drawn_minute_by_minute_and_day_by_day() {
    let folder = azure_2019();
    let arrivals = read(folder.path(), json!({"format": "azure-functions-2019", "path": "."})).unwrap();
    let minutes: Vec<(u64, &str)> = arrivals.iter().map(|(at, name, _)| ((at / 60.0) as u64, name.as_str())).collect();
    let (f1, f2) = ("app/f1", "app/f2");
    assert_eq!(minutes, [(0, f1), (0, f1), (0, f1), (1, f2), (2, f1), (2, f1), (1440, f1)]);
    assert!(arrivals.is_sorted_by(|one, next| one.0 <= next.0));
    for (at, name, run_time) in &arrivals {
        // On the second day nothing is known of durations.
        let known = name == f1 && *at < 86_400.0;
        assert!(if known { (0.1..=0.2).contains(run_time) } else { *run_time == 1.0 }, "{at} {name} {run_time}");
    }
    let second = json!({"format": "azure-functions-2019", "path": ".", "days": [2], "within_minute": "equal", "default_run_time": 3});
    assert_eq!(read(folder.path(), second).unwrap(), [(30.0, f1.to_owned(), 3.0)]);
    let equal =
        read(folder.path(), json!({"format": "azure-functions-2019", "path": ".", "within_minute": "equal"})).unwrap();
    assert_eq!(equal.iter().take(3).map(|arrival| arrival.0).collect::<Vec<_>>(), [10.0, 30.0, 50.0]);
    let section: TraceSection =
        serde_json::from_value(json!({"format": "azure-functions-2019", "path": ".", "cold_start": 0.5})).unwrap();
    let declared = section.open(folder.path(), &[], 0).unwrap().declared;
    assert_eq!((declared.len(), declared[1].ram, declared[1].name.as_str()), (2, 96_500_000, f2));
}

#[test]
fn what_the_trace_of_2019_lacks_is_named() {
    let folder = azure_2019();
    let missing = fails(folder.path(), json!({"format": "azure-functions-2019", "path": ".", "days": [3]}));
    assert!(missing.ends_with("has no invocations_per_function_md.anon.d03.csv for day 3"), "{missing}");
    fs::write(folder.path().join("app_memory_percentiles.anon.d01.csv"), "HashApp\nx\n").unwrap();
    let column = fails(folder.path(), json!({"format": "azure-functions-2019", "path": "."}));
    assert!(column.ends_with("d01.csv:1: has no column \"AverageAllocatedMb\": its columns are HashApp"), "{column}");
    let empty = fails(self::folder(&[]).path(), json!({"format": "azure-functions-2019", "path": "."}));
    assert!(empty.contains("has no invocations of the 2019 trace: expected invocations.csv or "), "{empty}");
}

#[test]
fn the_trace_of_2021_is_sorted_by_starts() {
    let folder = folder(&[("t.csv", "app,func,end_timestamp,duration\np,f,10,2.5\np,g,4,1\nq,f,0.5,3\np,f,5,1\n")]);
    let expected = [(0.0, "q/f", 3.0), (3.0, "p/g", 1.0), (4.0, "p/f", 1.0), (7.5, "p/f", 2.5)];
    let arrivals = read(folder.path(), json!({"format": "azure-functions-2021", "path": "t.csv"})).unwrap();
    assert_eq!(arrivals, expected.map(|(at, name, run_time)| (at, name.to_owned(), run_time)));
    fs::write(folder.path().join("t.csv"), "app,func,end_timestamp,duration\np,f,10,x\n").unwrap();
    let wrong = fails(folder.path(), json!({"format": "azure-functions-2021", "path": "t.csv"}));
    assert_eq!(wrong, "t.csv:2, column duration: found \"x\", expected a number of at least 0");
}

#[test]
fn what_the_clock_cannot_hold_is_refused_in_traces_of_azure_too() {
    let of_2021 = |row: &str| {
        let folder = folder(&[("t.csv", &format!("app,func,end_timestamp,duration\n{row}\n"))]);
        fails(folder.path(), json!({"format": "azure-functions-2021", "path": "t.csv"}))
    };
    let expected = "s, expected a time of at most 9e9 s: is this in milliseconds?";
    assert_eq!(of_2021("p,f,1.7e12,1"), format!("t.csv:2, column end_timestamp: found \"1.7e12\" {expected}"));
    assert_eq!(of_2021("p,f,5,1e10"), format!("t.csv:2, column duration: found \"1e10\" {expected}"));
    let folder = azure_2019();
    let durations = folder.path().join("function_durations_percentiles.anon.d01.csv");
    let long = fs::read_to_string(&durations).unwrap().replace(",200\n", ",2e13\n");
    fs::write(durations, long).unwrap();
    let long = fails(folder.path(), json!({"format": "azure-functions-2019", "path": "."}));
    let expected =
        "column percentile_Average_100: found \"2e13\" ms, expected a time of at most 9e9 s: is this in microseconds?";
    assert!(long.ends_with(expected), "{long}");
}

#[test]
fn a_trace_has_the_columns_and_units_that_it_has() {
    let text = "ts_ms,func_name,exec_us,other\n1700000000123,a,1500000,x\n1700000000123.25,b,7,\n";
    let folder = folder(&[("t.csv", text)]);
    let columns = json!({"arrival": {"name": "ts_ms", "unit": "ms"}, "function": "func_name", "duration": {"name": "exec_us", "unit": "us"}});
    let with = |more: Value| {
        let mut trace = json!({"format": "csv", "path": "t.csv", "columns": columns});
        trace.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(folder.path(), trace).unwrap()
    };
    // To the nanosecond: a float of this size counts by 238 ns.
    let from_first = with(json!({"offset": "first"}));
    assert_eq!(from_first, [(0.0, "a".to_owned(), 1.5), (0.000_25, "b".to_owned(), 0.000_007)]);
    assert_eq!(with(json!({"offset": "1700000000s"}))[0].0, 0.123);
    assert_eq!(with(json!({"offset": 1_700_000_000.0}))[1].0, 0.123_25);
    let section = |columns: Value| {
        let trace = json!({"format": "csv", "path": "t.csv", "columns": columns});
        serde_json::from_value::<TraceSection>(trace).unwrap_err().to_string()
    };
    let unknown = section(json!({"arrival": {"name": "ts", "unit": "MB"}}));
    assert_eq!(unknown, "unknown unit \"MB\" of column \"ts\": a time has one of the units ns us ms s min h d");
    assert_eq!(section(json!({"memory": "mem"})), "column \"mem\" needs a unit, one of B kB MB GB TB KiB MiB GiB TiB");
}

#[test]
fn an_offset_after_the_first_request_is_refused() {
    let folder = folder(&[("t.csv", "arrival_s,function,duration_s\n10,a,1\n20,a,1\n")]);
    let message = fails(folder.path(), json!({"format": "csv", "path": "t.csv", "offset": 15}));
    let expected = "t.csv: a request comes at 10.000000000 s, before the offset of 15.000000000 s: take a smaller one, or \"first\"";
    assert_eq!(message, expected);
    // Minutes count from the offset.
    let trace = json!({"format": "csv", "path": "t.csv", "offset": 10, "select": {"minutes": 0.1}});
    assert_eq!(read(folder.path(), trace).unwrap(), [(0.0, "a".to_owned(), 1.0)]);
}

#[test]
fn rows_are_sorted_if_asked_and_those_of_one_date_keep_their_order() {
    let folder = folder(&[("t.csv", "arrival_s,function,duration_s\n3,a,1\n1,b,2\n3,b,3\n1,a,4\n0.5,b,5\n")]);
    let trace = json!({"format": "csv", "path": "t.csv", "sort": true});
    let expected = [(0.5, "b", 5.0), (1.0, "b", 2.0), (1.0, "a", 4.0), (3.0, "a", 1.0), (3.0, "b", 3.0)];
    assert_eq!(read(folder.path(), trace).unwrap(), expected.map(|(at, name, time)| (at, name.to_owned(), time)));
    let names = ["a".to_owned(), "b".to_owned()];
    let (file, columns) = (folder.path().join("t.csv"), ColumnsSection::default());
    let open = || CsvTrace::open_columns(&file, &columns, csv_trace::Order::Any, &names, false).unwrap();
    assert!(order::Sorted::read(Box::new(open()), 5, &file).is_ok());
    let too_many = order::Sorted::read(Box::new(open()), 4, &file).unwrap_err().to_string();
    assert!(
        too_many.ends_with("t.csv: has more than 4 rows, which is the most that is sorted in memory: sort the file")
    );
}

#[test]
fn a_compressed_trace_that_is_damaged_never_ends_in_silence() {
    let row = |number: u32| format!("{number}.5,{},0.25\n", if number.is_multiple_of(3) { "a" } else { "b" });
    let text = "arrival_s,function,duration_s\n".to_owned() + &(0..300_u32).map(row).collect::<String>();
    let folder = folder(&[]);
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let zst = ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    for (name, bytes) in [("t.csv.zst", zst), ("t.csv.gz", encoder.finish().unwrap())] {
        let trace = json!({"format": "csv", "path": name});
        write(name, &bytes);
        assert_eq!(read(folder.path(), trace.clone()).unwrap().len(), 300);
        // Of what the header says, the checksum and the middle; rows that are met before are whole.
        for position in [bytes.len() / 2, bytes.len() - 20, bytes.len() - 6, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x10;
            write(name, &damaged);
            let message = fails(folder.path(), trace.clone());
            assert!(message.starts_with(&format!("{name}:")), "{message}");
        }
        write(name, &bytes[..bytes.len() - 10]);
        assert!(fails(folder.path(), trace.clone()).contains("cannot be read"), "{name}");
    }
}

/// Names and RAM of the functions that a trace declares beside `a` and `b`.
fn declared(folder: &Path, trace: Value, seed: u64) -> Vec<(String, u64)> {
    let section: TraceSection = serde_json::from_value(trace).unwrap();
    section.check().unwrap();
    let opened = section.open(folder, &["a".to_owned(), "b".to_owned()], seed).unwrap();
    opened.declared.into_iter().map(|function| (function.name, function.ram)).collect()
}

#[test]
fn functions_of_rows_have_the_most_memory_that_a_row_has() {
    let text = "arrival_s,function,duration_s,mem\n0,c,1,128\n1,a,1,999\n2,d,1,64.5\n3,c,1,256\n4,c,1,0\n5,e,1,7\n";
    let folder = folder(&[("t.csv", text), ("f.csv", "function,memory_mb\ne,32\n")]);
    let trace = json!({"format": "csv", "path": "t.csv", "functions_path": "f.csv", "columns": {"memory": {"name": "mem", "unit": "MiB"}}});
    // The scenario knows a, and the list of functions e.
    let expected = [("e", 32_000_000), ("c", 256 << 20), ("d", 129 << 19)].map(|(name, ram)| (name.to_owned(), ram));
    assert_eq!(declared(folder.path(), trace.clone(), 0), expected);
    let names: Vec<String> = read(folder.path(), trace).unwrap().into_iter().map(|(_, name, _)| name).collect();
    assert_eq!(names, ["c", "a", "d", "c", "c", "e"]);
    fs::write(folder.path().join("t.csv"), "arrival_s,function,duration_s,mem\n0,c,1,big\n").unwrap();
    let trace = json!({"format": "csv", "path": "t.csv", "columns": {"memory": {"name": "mem", "unit": "MB"}}});
    assert_eq!(fails(folder.path(), trace), "t.csv:2, column mem: found \"big\", expected a number of at least 0");
}

#[test]
fn ram_of_functions_is_drawn_from_the_seed_and_the_name_alone() {
    let rows = |names: &[&str]| {
        let row = |(number, name): (usize, &&str)| format!("app,{name},{}.5,0.25\n", number + 1);
        "app,func,end_timestamp,duration\n".to_owned() + &names.iter().enumerate().map(row).collect::<String>()
    };
    let folder = folder(&[("all.csv", &rows(&["f", "g", "h"])), ("part.csv", &rows(&["h", "f"]))]);
    let of = |path: &str, seed: u64| {
        let trace = json!({"format": "azure-functions-2021", "path": path, "default_ram": {"lognormal": {"median": 170e6, "sigma": 1}}});
        declared(folder.path(), trace, seed)
    };
    let all = of("all.csv", 1);
    let sizes: std::collections::BTreeSet<u64> = all.iter().map(|(_, ram)| *ram).collect();
    assert_eq!(sizes.len(), 3, "each its own: {all:?}");
    assert_eq!(of("part.csv", 1), [all[2].clone(), all[0].clone()]);
    assert_ne!(of("all.csv", 2), all);
    // Many of them follow the distribution.
    let names: Vec<String> = (0..2000).map(|number| format!("f{number}")).collect();
    fs::write(folder.path().join("many.csv"), rows(&names.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
    let below = of("many.csv", 3).iter().filter(|(_, ram)| *ram < 170_000_000).count();
    assert!((920..1080).contains(&below), "about half of 2000: {below}");
    let same = json!({"format": "azure-functions-2021", "path": "part.csv", "default_ram": "64MB"});
    assert!(declared(folder.path(), same, 1).iter().all(|(_, ram)| *ram == 64_000_000));
    // Rows whose functions nobody declares, too.
    fs::write(folder.path().join("rows.csv"), "arrival_s,function,duration_s\n0,a,1\n1,app/f,1\n").unwrap();
    let trace =
        json!({"format": "csv", "path": "rows.csv", "default_ram": {"lognormal": {"median": 170e6, "sigma": 1}}});
    assert_eq!(declared(folder.path(), trace, 1), [all[0].clone()]);
    let wrong: TraceSection =
        serde_json::from_value(json!({"format": "csv", "path": "t.csv", "default_ram": {"choice": []}})).unwrap();
    assert_eq!(wrong.check(), Err(("default_ram", "choice: give at least one number".to_owned())));
}

#[test]
fn what_is_written_is_read_the_quick_way() {
    let spec = json!({
        "arrivals": {"poisson": {"rate": 200}}, "requests": 500, "functions": {"count": 50, "zipf": 1},
        "run_time": {"lognormal": {"median": 0.6, "sigma": 0.5}},
    });
    let (mut source, declared) = generate::Generator::new(&serde_json::from_value(spec).unwrap(), 0, 7);
    let names: Vec<String> = declared.iter().map(|function| function.name.clone()).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.csv");
    write_trace(&file, &mut source, &names).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let mut rows = &text.as_bytes()[text.find('\n').unwrap() + 1..];
    let mut plain = 0;
    while let Some(row) = plain_row::plain_row(rows) {
        rows = &rows[row.length..];
        plain += 1;
    }
    // The last ones are too near the end.
    assert!(plain >= 495, "{plain} rows of 500 are plain");
}
