//! Tests across the crates, in one program: to link one for each file took longer than compiling them. Only what needs a process of its
//! own has one, by a `[[test]]` in Cargo.toml.

mod asked;
mod autoscaling;
mod autoscaling_policies;
mod backfilling;
mod copies;
mod costs;
mod delayed_starts;
mod faults;
mod floors;
mod instance_series;
mod instances;
mod manager;
mod node_pools;
mod node_queues;
mod observed_links;
mod orders;
mod packages;
mod platforms;
mod policy_header;
mod policy_laws;
mod prewarming;
mod processors;
mod queueing;
mod reference;
mod run_times;
mod second_thoughts;
mod service;
mod shedding;
mod simgrid;
mod which_container;
mod workflows;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A file that nobody names would be compiled and run by nobody.
#[test]
fn every_file_of_this_folder_is_run() {
    let project = hearth_tests::project_path("tests");
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files = fs::read_dir(project.join("tests")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<String> = files.filter(|path| path.is_file()).map(|path| stem(&path)).collect();
    let modules = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let programs = manifest.lines().filter_map(|line| line.strip_prefix("path = \"tests/")?.strip_suffix(".rs\""));
    let run: BTreeSet<String> = modules.chain(programs).map(str::to_owned).collect();
    assert_eq!(files, run);
}
