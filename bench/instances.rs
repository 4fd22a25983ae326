//! What functions cost that are served by instances: the same million of generated requests with containers for one request each, which
//! keep-alive ends, and with instances for ten, of which `kpa` says how many there are. One core.
//!
//! `HEARTH_BENCH_REQUESTS` sets how many requests there are (1 000 000 without it).

use std::error::Error;

use hearth_bench::measure_requests;
use serde_json::{Value, json};

/// Three hundred functions of Zipf's popularity on 1 000 nodes whose RAM is the only constraint.
fn keep_alive(rate: u32, requests: u64) -> Value {
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf"},
            {"name": "node", "count": 1_000, "cores": 100_000, "speed": "1Gf", "ram": "65536MB"},
        ]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "workload": {"generate": {
            "arrivals": {"poisson": {"rate": rate}}, "requests": requests,
            "functions": {"count": 300, "zipf": 1, "ram": {"choice": [128e6, 256e6, 512e6, 1024e6]},
                          "cold_start": {"uniform": {"min": 0.2, "max": 2.2}}},
            "run_time": {"lognormal": {"median": 0.6, "sigma": 0.5}},
        }},
        "policies": {"node_allocation": {"use": "first-fit"}, "keep_alive": {"use": "fixed"}},
    })
}

/// The same with instances.
fn instances(rate: u32, requests: u64) -> Value {
    let mut scenario = keep_alive(rate, requests);
    scenario["service"]["instances"] = json!({
        "concurrency": 10,
        "start": [{"phase": "sandbox", "time": {"lognormal": {"median": 0.6, "sigma": 0.3}}}, {"phase": "runtime", "time": {"constant": 0.5}}],
    });
    scenario["policies"]["autoscaling"] = json!({"use": "kpa", "parameters": {"target": 10}});
    scenario
}

/// Instances that a control plane creates and agents of the nodes start.
fn with_control_plane(rate: u32, requests: u64) -> Value {
    let mut scenario = instances(rate, requests);
    scenario["service"]["control_plane"] = json!({
        "creation": {"at_once": 20, "time": {"exponential": {"mean": 0.2}}},
        "node_agent": {"at_once": 2, "time": {"exponential": {"mean": 0.3}}},
    });
    scenario
}

fn main() -> Result<(), Box<dyn Error>> {
    let requests = std::env::var("HEARTH_BENCH_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    for rate in [200, 2_000] {
        let cost = |name: &str, scenario| measure_requests(&format!("{name}, {rate} a second"), requests, &scenario);
        let alone = cost("keep-alive", keep_alive(rate, requests))?;
        let shared = cost("instances", instances(rate, requests))?;
        let controlled = cost("instances, control plane", with_control_plane(rate, requests))?;
        println!(
            "{rate} a second: instances cost {:.2} times what containers with keep-alive do, and {:.2} times with a control plane",
            shared / alone,
            controlled / alone
        );
    }
    Ok(())
}
