//! The `hearth` command from outside: its output, its exit codes, what it says to bad input, and that it gives the same
//! bytes every time.

mod again;
mod archive;
mod bad_input;
mod bundle;
mod compared;
mod debug;
#[cfg(unix)]
mod debug_screen;
mod decisions;
mod folders;
mod manual;
mod object_storage;
mod output;
mod platforms;
mod report;
mod reproducible;
mod results;
mod standard_input;
mod sweep;
mod sweep_claim;
mod sweep_engines;
mod sweep_hyperqueue;
mod sweep_plan;
mod sweep_slurm;
mod sweep_status;
mod sweep_work;
mod threads;
mod trace;
mod why;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::{Value, json};

/// What a command that must fail says, and its exit code.
fn failure(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap_or(-1), message.trim_end().to_owned())
}

/// What a command that must succeed prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn hearth() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hearth"))
}

fn project_path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

/// A scenario with one of everything, to be changed for the better or worse.
fn good_scenario() -> Value {
    let disk = json!({"capacity": "100GB", "read_bandwidth": "200MBps", "write_bandwidth": "200MBps"});
    json!({
        "format": "hearth-scenario/1",
        "name": "good",
        "platform": {
            "hosts": [
                {"name": "user", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "head", "cores": 1, "speed": "10Gf", "disk": disk},
                {"name": "node", "count": 2, "cores": 2, "speed": "10Gf", "ram": "8GB", "disk": disk},
            ],
            "links": [{"name": "wan", "bandwidth": "100MBps", "latency": "1ms"}, {"name": "lan", "bandwidth": "1GBps", "latency": "10us"}],
            "routes": [
                {"from": "user", "to": "head", "links": ["wan"]},
                {"from": "head", "to": "node-*", "links": ["lan"]},
                {"from": "user", "to": "node-*", "links": ["wan", "lan"]},
            ],
        },
        "service": {"head": "head", "registry": "user", "nodes": ["node-*"]},
        "images": [{"name": "img", "size": "100MB"}],
        "files": [{"name": "photo", "size": "10MB"}],
        "functions": [{"name": "f", "image": "img", "ram_limit": "1GB", "disk_limit": "1GB",
                       "body": [{"ingress": {"file": "photo"}}, {"sleep": 1}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}, {"after": [0], "function": "f"}]},
    })
}
