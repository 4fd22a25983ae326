//! Containers that are started ahead of the next request (the timing model, section 10).

use hearth_policy_api::boundary::KeepAliveObject;
use hearth_policy_api::{Completion, KeepAlive, Prewarming, Retention};
use hearth_serverless::function::{Body, Function};
use hearth_serverless::invocation::{InvocationRecord, Start};
use hearth_serverless::metrics::Metrics;
use hearth_serverless::prelude::*;
use hearth_serverless::workload::PlannedInvocation;

const SECOND: u64 = 1_000_000_000;

/// Ends every container and has another one started 10 s later, which is kept for 20 s.
struct Again;

impl KeepAlive for Again {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: 0 }
    }

    fn prewarm(&mut self, _completion: &Completion) -> Prewarming {
        Prewarming { after: 10 * SECOND, keep_for: 20 * SECOND }
    }
}

/// Runs requests of two functions at these dates, on a node of so much RAM; containers take 1 s to start, bodies 2 s and
/// containers 4 GB.
fn run(ram: u64, dates: &[(u64, usize)]) -> (Metrics, Vec<InvocationRecord>) {
    let platform = PlatformBuilder::new()
        .host("head", HostSpec::new(1, 1e9))
        .host("node", HostSpec::new(2, 1e9).ram(ram * GB))
        .build()
        .unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let mut policies = PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    policies.keep_alive = Factory::<KeepAliveObject>::in_place("again", |_| Again);
    let service = ServerlessComputeService::builder("head")
        .nodes(&["node"])
        .policies(policies)
        .container_startup_overhead(secs(1))
        .keep_records(true)
        .start(&mut simulation)
        .unwrap();
    let functions = ["f", "g"].map(|name| {
        let limits = Limits { ram: 4 * GB, ..Limits::default() };
        let function =
            Function { name: name.to_owned(), image: None, limits, startup_overhead: None, body: Body::Sleep(secs(2)) };
        service.register(&mut simulation, function).unwrap()
    });
    let planned = dates.iter().map(|(at, function)| PlannedInvocation {
        at: Some(SimTime::ZERO + secs(*at)),
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: functions[*function].into(),
        body: None,
    });
    service.set_workload(&mut simulation, planned.collect()).unwrap();
    simulation.run().unwrap();
    service.close(&mut simulation)
}

fn starts(records: &[InvocationRecord]) -> Vec<Start> {
    records.iter().filter_map(|record| record.start).collect()
}

#[test]
fn a_request_finds_the_container_from_the_end_of_its_start_to_the_end_of_its_keep_alive() {
    // The first ends at 3, the second container is up at 14 and kept until 34. Of what happens at one date, requests that
    // were announced before come first: at 14 the container is not there yet, at 34 it is still there.
    for (at, start) in [(14, Start::Cold), (15, Start::Warm), (34, Start::Warm), (35, Start::Cold)] {
        let (_, records) = run(16, &[(0, 0), (at, 0)]);
        assert_eq!(starts(&records), [Start::Cold, start], "at {at}");
    }
}

#[test]
fn its_memory_counts_as_idle_from_the_begin_of_its_start() {
    let (metrics, _) = run(16, &[(0, 0)]);
    // 4 GB for 1 s of start and 20 s of keep-alive, after the only invocation has ended.
    assert_eq!((metrics.idle_byte_seconds(), metrics.drained_byte_seconds()), (0.0, (0.0, 84e9)));
    assert_eq!((metrics.prewarmed_containers, metrics.expired_containers), (1, 1));
    let (metrics, _) = run(16, &[(0, 0), (20, 0)]);
    // The second runs from 20 to 22 in the container that is up at 14: 1 s and 6 s before it.
    assert_eq!(metrics.idle_byte_seconds(), 28e9);
}

#[test]
fn a_request_that_comes_before_the_start_calls_it_off() {
    // Completions at 3 and 12: starts at 13 (called off) and 22.
    let (metrics, records) = run(16, &[(0, 0), (9, 0)]);
    assert_eq!(starts(&records), [Start::Cold, Start::Cold]);
    assert_eq!(metrics.prewarmed_containers, 1);
}

#[test]
fn nothing_is_evicted_for_it() {
    // At 13, when a container of f is to be started, one of g runs on a node that has room for one.
    let (metrics, _) = run(4, &[(0, 0), (11, 1)]);
    assert_eq!(metrics.prewarmed_containers, 1, "that of g");
    let (metrics, _) = run(8, &[(0, 0), (11, 1)]);
    assert_eq!(metrics.prewarmed_containers, 2);
}
