//! `hearth pack` and `hearth run BUNDLE --verify`: a study as one file, which runs again anywhere, or is refused.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::archive::{Entries, change, entries, header, write_entries};
use super::sweep::{scenario, sweep_arguments};
use super::{failure, good_scenario, hearth, printed, project_path};

/// A scenario beside a trace and its functions.
fn traced(folder: &Path) -> PathBuf {
    fs::write(folder.join("t.csv"), "arrival_s,function,duration_s\n0,f,1.5\n5,g,1\n9,f,2\n").unwrap();
    fs::write(folder.join("functions.csv"), "function,memory_mb,cold_start_s\ng,100,0.3\n").unwrap();
    let mut scenario = good_scenario();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv", "functions_path": "functions.csv"}});
    let file = folder.join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    file
}

fn pack(what: &Path, bundle: &Path, more: &[&str]) -> String {
    printed(hearth().arg("pack").arg(what).arg("-o").arg(bundle).args(more))
}

/// Runs a bundle again, in a folder from which nothing else is found.
fn again(bundle: &Path) -> assert_cmd::Command {
    let mut command = hearth();
    command.current_dir(project_path("docs")).arg("run").arg(bundle).arg("--verify");
    command
}

fn assert_refused(bundle: &Path, expected: &str) {
    let (code, message) = failure(&mut again(bundle));
    assert!(code == 2 && message.contains(expected), "{code}: {message}, expected {expected}");
}

#[test]
fn a_run_is_packed_and_runs_again_from_the_bundle_alone() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    fs::create_dir(&study).unwrap();
    let scenario = traced(&study);
    let results = folder.path().join("results");
    let chosen = ["--seed", "7", "--set", "functions[f].ram_limit=2GB", "--interval", "0.7s", "--policy"];
    let timeline = ["node_allocation=random", "--timeline", "results/timeline.json"];
    let mut run = hearth();
    run.current_dir(folder.path()).arg("run").arg(&scenario).args(chosen).args(timeline).arg("--output").arg(&results);
    run.assert().success();
    let [one, other] = ["one.hearth", "other.hearth"].map(|name| folder.path().join(name));
    let told = pack(&results, &one, &[]);
    assert!(told.starts_with(&format!("{}: 1 run and 2 files to read, in ", one.display())), "{told}");
    // The same bytes whenever it is done: neither dates nor owners are packed.
    for file in ["study/t.csv", "results/scenario.json"] {
        let file = fs::OpenOptions::new().write(true).open(folder.path().join(file)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(100_000)).unwrap();
    }
    pack(&results, &other, &[]);
    assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    let names: Vec<String> = entries(&one).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["hearth.json", "scenario.json", "inputs/1/t.csv", "inputs/2/functions.csv"]);
    let text = String::from_utf8(entries(&one).into_iter().flat_map(|(_, bytes)| bytes).collect()).unwrap();
    assert!(!text.contains(folder.path().to_str().unwrap()), "no path of this machine is packed");
    fs::remove_dir_all(&study).unwrap();
    let kept = folder.path().join("kept");
    let said = printed(again(&one).arg("--output").arg(&kept));
    assert_eq!(said, format!("{}: 6 files are the same, byte for byte.\n", one.display()));
    let [before, now] = [&results, &kept].map(|results| fs::read(results.join("timeline.json")).unwrap());
    assert_eq!(before, now);
    // Packed once more it is the same, but for what the results are of.
    fs::remove_dir_all(&results).unwrap();
    assert_eq!(printed(&mut again(&one)), said);
    let refused = failure(hearth().arg("pack").arg(&kept).arg("-o").arg(&one));
    assert!(refused.0 == 2 && refused.1.contains("is there already: replace it with --overwrite"), "{refused:?}");
    for (command, problem) in [
        (vec!["run", one.to_str().unwrap(), "--verify"], "what is in a bundle is compared with what is there"),
        (vec!["run", kept.to_str().unwrap()], "what is run again is compared with what is there"),
        (vec!["report", kept.to_str().unwrap()], "is in object storage: name a path of this machine"),
    ] {
        let refused = failure(hearth().current_dir(folder.path()).args(command).args(["--output", "s3://bucket/x"]));
        assert!(refused.0 == 2 && refused.1.contains(problem) && !folder.path().join("s3:").exists(), "{refused:?}");
    }
    let refused = failure(again(&one).args(["--seed", "3"]));
    assert!(refused.0 == 2 && refused.1.contains("is run as it was"), "{refused:?}");
}

#[test]
fn a_scenario_is_run_to_be_packed() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path());
    let bundle = folder.path().join("study.hearth");
    pack(&scenario, &bundle, &["--seed", "3"]);
    fs::remove_file(folder.path().join("t.csv")).unwrap();
    let said = printed(&mut again(&bundle));
    assert_eq!(said, format!("{}: 5 files are the same, byte for byte.\n", bundle.display()));
    let refused = failure(hearth().arg("run").arg(&scenario).arg("--verify"));
    assert!(refused.0 == 2 && refused.1.contains("has no results to compare with"), "{refused:?}");
    let refused = failure(hearth().arg("run").arg(&scenario).args(["--inputs", "."]));
    assert!(refused.0 == 2 && refused.1.contains("is no bundle of `hearth pack`"), "{refused:?}");
}

#[test]
fn a_sweep_and_a_plan_of_it_are_packed_alike() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let [alone, planned] = ["alone", "planned"].map(|name| folder.path().join(name));
    printed(hearth().args(sweep_arguments(&scenario, alone.to_str().unwrap())));
    printed(hearth().args(sweep_arguments(&scenario, planned.to_str().unwrap())).arg("--plan"));
    let [of_sweep, of_plan] = ["sweep.hearth", "plan.hearth"].map(|name| folder.path().join(name));
    let missing = failure(hearth().arg("pack").arg(&planned).arg("-o").arg(&of_plan));
    assert!(missing.0 == 1 && missing.1.contains("12 of 12 runs are missing"), "{missing:?}");
    printed(hearth().args(["sweep", "work", "--claim"]).arg(&planned));
    pack(&alone, &of_sweep, &[]);
    pack(&planned, &of_plan, &[]);
    assert_eq!(fs::read(&of_sweep).unwrap(), fs::read(&of_plan).unwrap());
    let said = printed(&mut again(&of_plan));
    assert_eq!(said, format!("{}: 36 files of 12 runs are the same, byte for byte.\n", of_plan.display()));
    // What another sweep has left in the folder is not packed, and nothing is packed of a part.
    let other = sweep_arguments(&scenario, alone.to_str().unwrap());
    printed(hearth().args(other).args(["--resume", "--set", "max_events_without_progress=999999"]));
    printed(hearth().args(sweep_arguments(&scenario, alone.to_str().unwrap())).arg("--resume"));
    assert_eq!(fs::read_dir(alone.join("runs")).unwrap().count(), 24);
    pack(&alone, &of_sweep, &["--overwrite"]);
    assert_eq!(fs::read(&of_sweep).unwrap(), fs::read(&of_plan).unwrap());
    let about: Value = serde_json::from_slice(&fs::read(alone.join("sweep.json")).unwrap()).unwrap();
    fs::remove_dir_all(alone.join("runs").join(about["runs"][3].as_str().unwrap())).unwrap();
    let missing = failure(hearth().arg("pack").arg(&alone).args(["--overwrite", "-o"]).arg(&of_sweep));
    assert!(missing.0 == 2 && missing.1.contains("1 of 12 runs of the sweep are missing"), "{missing:?}");
    // One of them comes to something else.
    change(&of_plan, |contents| {
        let name = contents["runs"][4]["name"].as_str().unwrap();
        assert!(name.contains("platform.hosts[node].ram=") && name.contains(" seed="), "{name}");
        contents["runs"][4]["results"][1]["sha256"] = json!("0".repeat(64));
    });
    let (code, message) = failure(&mut again(&of_plan));
    assert_eq!(code, 1, "{message}");
    assert!(message.contains("not the same comes of it in 1 of 36 files of 12 runs: of the run "), "{message}");
    assert!(message.contains("functions.csv: its SHA-256 was 000"), "{message}");
}

#[test]
fn traces_may_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path());
    let bundle = folder.path().join("study.hearth");
    let told = pack(&scenario, &bundle, &["--without-traces"]);
    assert!(told.contains("1 run and 2 files to read, 2 of them left out"), "{told}");
    assert_eq!(entries(&bundle).len(), 2);
    printed(&mut again(&bundle));
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for name in ["t.csv", "functions.csv"] {
        fs::rename(folder.path().join(name), elsewhere.join(name)).unwrap();
    }
    assert_refused(&bundle, "t.csv cannot be read: ");
    assert_refused(&bundle, "by --inputs DIR");
    printed(again(&bundle).arg("--inputs").arg(&elsewhere));
    fs::write(elsewhere.join("t.csv"), "arrival_s,function,duration_s\n0,f,1\n").unwrap();
    let (code, message) = failure(again(&bundle).arg("--inputs").arg(&elsewhere));
    assert!(code == 2 && message.contains("t.csv is another one, with the SHA-256 "), "{message}");
}

#[test]
fn what_has_changed_is_not_packed_and_another_version_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path());
    let [results, bundle] = ["results", "study.hearth"].map(|name| folder.path().join(name));
    printed(hearth().arg("run").arg(&scenario).arg("--output").arg(&results));
    let refused = |expected: &str| {
        let (code, message) = failure(hearth().arg("pack").arg(&results).arg("-o").arg(&bundle));
        assert!(code == 2 && message.contains(expected) && !bundle.exists(), "{message}");
    };
    for file in [results.join("functions.csv"), folder.path().join("t.csv")] {
        let before = fs::read(&file).unwrap();
        fs::write(&file, [before.as_slice(), b"\n"].concat()).unwrap();
        refused(&format!("{} is not what it was when the run ended", file.display()));
        fs::write(&file, before).unwrap();
    }
    let manifest = fs::read_to_string(results.join("run.json")).unwrap();
    fs::write(results.join("run.json"), manifest.replace("\"finished\"", "\"interrupted\"")).unwrap();
    refused("the run did not come to its end");
    fs::write(results.join("run.json"), manifest).unwrap();
    pack(&results, &bundle, &[]);
    change(&bundle, |contents| contents["hearth"] = json!("0.0.1"));
    let output = again(&bundle).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("is of hearth 0.0.1, this is "), "{said}");
    let (code, message) = failure(hearth().arg("pack").arg(folder.path()).arg("-o").arg(folder.path().join("x")));
    assert!(code == 2 && message.contains("holds no run, and no sweep with runs"), "{message}");
}

/// What somebody may send to a reviewer.
#[test]
fn bundles_that_are_broken_or_mean_harm_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = traced(folder.path());
    let [good, bad] = ["good.hearth", "bad.hearth"].map(|name| folder.path().join(name));
    pack(&scenario, &good, &[]);
    let whole = entries(&good);
    let with = |change: &dyn Fn(&mut Entries)| {
        let mut entries = whole.clone();
        change(&mut entries);
        write_entries(&bad, &entries);
    };
    let contents = |text: &str, instead: &str| {
        let text = String::from_utf8(whole[0].1.clone()).unwrap().replace(text, instead);
        assert_ne!(text.as_bytes(), whole[0].1);
        text.into_bytes()
    };
    // Paths that lead elsewhere, in both places that name them.
    let outside = folder.path().join("precious");
    for path in ["../../../../precious", outside.to_str().unwrap(), "inputs/1/../../../precious"] {
        with(&|entries| {
            entries[0].1 = contents("inputs/1/t.csv", path);
            entries[2].0 = path.to_owned();
        });
        assert_refused(&bad, "is no name of a file in a bundle");
        with(&|entries| entries[2].0 = path.to_owned());
        assert_refused(&bad, "is not among its hearth.json");
    }
    // Scenarios that read what is not packed.
    for path in ["/etc/passwd", "../t.csv", "inputs/1/../1/t.csv", "t.csv", ""] {
        with(&|entries| {
            let scenario = String::from_utf8(entries[1].1.clone()).unwrap().replace("inputs/1/t.csv", path);
            let digest: String = Sha256::digest(&scenario).iter().map(|byte| format!("{byte:02x}")).collect();
            let mut told: Value = serde_json::from_slice(&entries[0].1).unwrap();
            assert_eq!(told["files"][0]["name"], "scenario.json");
            (told["files"][0]["size"], told["files"][0]["sha256"]) = (json!(scenario.len()), json!(digest));
            (entries[0].1, entries[1].1) = (told.to_string().into_bytes(), scenario.into_bytes());
        });
        assert_refused(&bad, "which is not in it");
    }
    // Not what was told.
    with(&|entries| drop(entries.remove(3)));
    assert_refused(&bad, "inputs/2/functions.csv is missing");
    with(&|entries| entries.push(entries[2].clone()));
    assert_refused(&bad, "\"inputs/1/t.csv\" is not among its hearth.json");
    with(&|entries| entries[2].1[0] ^= 1);
    assert_refused(&bad, "inputs/1/t.csv has the SHA-256 ");
    with(&|entries| entries[2].1.push(0));
    assert_refused(&bad, "and not ");
    with(&|entries| drop(entries.remove(0)));
    assert_refused(&bad, "does not begin with hearth.json");
    // More than there can be.
    with(&|entries| {
        let mut contents: Value = serde_json::from_slice(&entries[0].1).unwrap();
        contents["files"][1]["size"] = json!(u64::MAX);
        entries[0].1 = contents.to_string().into_bytes();
    });
    assert_refused(&bad, "and is too short for them");
    // Links, devices and whatever else an archive may hold.
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Char,
        tar::EntryType::Directory,
        tar::EntryType::GNULongName,
        tar::EntryType::XHeader,
    ] {
        let mut archive = tar::Builder::new(GzEncoder::new(fs::File::create(&bad).unwrap(), Compression::fast()));
        for (name, bytes) in &whole[..2] {
            archive.append(&header(name, bytes.len()), bytes.as_slice()).unwrap();
        }
        let mut harm = header("inputs/1/t.csv", 0);
        harm.set_entry_type(kind);
        harm.set_link_name("/etc/passwd").unwrap();
        harm.set_cksum();
        archive.append(&harm, std::io::empty()).unwrap();
        archive.into_inner().unwrap().finish().unwrap();
        assert_refused(&bad, "in it is no plain file");
    }
    // Cut off, or something else.
    let bytes = fs::read(&good).unwrap();
    for length in [10, bytes.len() / 3, bytes.len() / 2, bytes.len() - 200] {
        fs::write(&bad, &bytes[..length]).unwrap();
        assert_refused(&bad, "is no whole bundle");
    }
    let mut other = GzEncoder::new(fs::File::create(&bad).unwrap(), Compression::fast());
    other.write_all(b"arrival_s,function,duration_s\n").unwrap();
    other.finish().unwrap();
    assert_refused(&bad, "is no ");
    assert!(!outside.exists() && fs::read_dir(folder.path()).unwrap().count() == 5, "nothing is written elsewhere");
}
