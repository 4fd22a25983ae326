//! What is looked at in a simulation: while it runs, and in what came of it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use hearth_policy_api::NodeView;
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::Value;

use crate::experiment::Results;
use crate::invocation::{InvocationRecord, Outcome, Start};
use crate::node::Container;
use crate::results::{Summary, write_distributions, write_functions, write_invocations};
use crate::service::Service;
use crate::service::attempts::{Counts, Stage};
use crate::workflow::WorkflowOutcome;

/// A file in memory.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    /// What has been written.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn check_conservation(service: &Service) -> Result<(), TestCaseError> {
    let mut running = 0;
    for (position, node) in service.cluster().nodes().named() {
        if let Some(shared) = &node.processors {
            let kept = |is_counted: fn(&Container) -> bool| {
                let counted = node.containers.iter().filter(|(_, container)| is_counted(container));
                counted
                    .map(|(_, held)| service.registry().functions()[held.function].footprint().processors)
                    .sum::<u64>()
            };
            prop_assert_eq!(shared.kept(), (kept(|_| true), kept(|container| container.idle.is_some())));
            prop_assert!(shared.kept().0 <= u64::from(node.cores) * 1_000_000, "{:?} of {} cores", shared, node.cores);
        } else {
            prop_assert!(node.running <= node.cores, "{} of {} cores run", node.running, node.cores);
        }
        running += u64::from(node.running);
        let held = node.containers.iter().map(|(_, container)| {
            let disk = service.registry().functions()[container.function].footprint().disk;
            (service.cluster().held_ram(container), disk)
        });
        let (ram, disk) = held.fold((0, 0), |(ram, disk), (held_ram, held_disk)| (ram + held_ram, disk + held_disk));
        for (what, storage, held) in [("RAM", &node.ram, ram), ("disk", &node.disk, disk)] {
            prop_assert!(storage.free() <= storage.capacity());
            prop_assert_eq!(
                storage.capacity() - storage.free(),
                held + storage.image_bytes(),
                "{} of {:?}",
                what,
                position
            );
        }
        let idle = node.containers.iter().filter(|(_, container)| container.idle.is_some()).count();
        let is_up = service.cluster().up().contains(position);
        let may_hold = is_up || service.is_draining(position);
        prop_assert!(
            may_hold || node.containers.is_empty() && node.running == 0,
            "something is on a node that is down"
        );
        let starting = service.prewarming_on(position) + service.instances_with_container_on(position);
        prop_assert_eq!(
            node.containers.len() - idle - starting,
            node.running as usize,
            "busy containers and invocations"
        );
        let mut view = NodeView::default();
        node.show_use(is_up, service.cluster().least_request(), &mut view);
        node.show_storage(&mut view);
        view.queued = service.attempts().standing_at(position) as u32;
        prop_assert_eq!(*service.cluster().node_view(position), view, "the view of {:?} is out of date", position);
    }
    let free: u64 =
        service.cluster().nodes().names().map(|node| u64::from(service.cluster().node_view(node).free_cores)).sum();
    prop_assert_eq!(free, service.cluster().free_cores());
    let promised: u64 = service.cluster().nodes().iter().map(|node| u64::from(node.promised.cores)).sum();
    prop_assert_eq!(promised, service.cluster().promised_cores(service.attempts().holding_cores()));
    prop_assert_eq!(running, service.attempts().holding_cores());
    check_stages(service)
}

/// What is counted of attempts is what their stages say, and what they hold of nodes is what the nodes have given.
pub(super) fn check_stages(service: &Service) -> Result<(), TestCaseError> {
    let mut counted = vec![Counts::default(); service.registry().functions().len()];
    let (mut cores, mut promised) = (0, 0);
    for (key, attempt) in service.attempts().iter() {
        let of_function = &mut counted[attempt.record.function.number() as usize];
        match attempt.stage() {
            stage if stage.waits() => of_function.waiting += 1,
            Stage::Held(_) | Stage::Served(_) => of_function.running += 1,
            _ => {}
        }
        cores += u64::from(attempt.occupied().is_some());
        promised += u64::from(matches!(attempt.stage(), Stage::Bound { .. }));
        if let Stage::AwaitsContainer(Some(node)) = attempt.stage() {
            prop_assert!(service.cluster().up().contains(*node), "{:?} waits on a node that is down", attempt);
        }
        if let Stage::AwaitsCore = attempt.stage() {
            let nodes = service.attempts().nodes_of(key);
            prop_assert!(
                nodes.iter().all(|node| service.cluster().up().contains(*node)),
                "{:?} at {:?}",
                attempt,
                nodes
            );
        }
        prop_assert!(!matches!(attempt.stage(), Stage::Submitted), "{:?} between events", attempt);
        // Its node has failed after it had ended, and the head has not read that it had.
        let is_unheard = attempt.record.finished_at.is_some();
        prop_assert!(!matches!(attempt.stage(), Stage::Ended) || is_unheard, "{:?} between events", attempt);
    }
    for (function, counts) in service.registry().functions().names().zip(&counted) {
        prop_assert_eq!(*counts, service.attempts().counts_of(function));
    }
    prop_assert_eq!(service.attempts().is_anybody_bound(), promised > 0);
    prop_assert!(service.attempts().are_busy_waits_of_attempts());
    prop_assert!(service.attempts().are_node_queues_of_attempts());
    prop_assert!(service.attempts().are_invocations_of_attempts());
    let all = service.attempts().counts();
    prop_assert_eq!(counted.iter().map(|counts| counts.waiting).sum::<u64>(), all.waiting);
    prop_assert_eq!(counted.iter().map(|counts| counts.running).sum::<u64>(), all.running);
    let held = service.attempts().holding_cores();
    prop_assert_eq!((cores, promised), (held, service.cluster().promised_cores(held)));
    Ok(())
}

pub(super) fn check_dates(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let invocations = scenario["workload"]["invocations"].as_array().unwrap();
    prop_assert_eq!(results.records.len(), invocations.len());
    let mut by_number: Vec<&InvocationRecord> = results.records.iter().collect();
    by_number.sort_by_key(|record| record.invocation);
    for (number, record) in by_number.iter().enumerate() {
        prop_assert_eq!(record.invocation, number as u64, "an invocation has one record");
        if scenario["policies"]["node_allocation"]["use"] == "workload-balancing"
            && record.outcome == Outcome::Unfinished
        {
            // It evicts nothing, so it may wait for ever for RAM that an unused image holds.
            continue;
        }
        prop_assert!(record.outcome != Outcome::Unfinished, "nothing stays behind: {:?}", record);
        let dates =
            [record.requested_at, record.submitted_at, record.dispatched_at, record.started_at, record.finished_at];
        let known: Vec<SimTime> = dates.into_iter().flatten().collect();
        prop_assert!(known.is_sorted(), "{record:?}");
        prop_assert!(record.finished_at.is_some(), "{:?}", record);
        match record.outcome {
            Outcome::Completed | Outcome::Failed | Outcome::TimedOut => prop_assert_eq!(known.len(), 5, "{:?}", record),
            Outcome::Lost => prop_assert!(scenario["faults"].is_object(), "{:?}", record),
            Outcome::Rejected | Outcome::Unfinished => prop_assert_eq!(known.len(), 3, "{:?}", record),
        }
        for predecessor in invocations[number]["after"].as_array().into_iter().flatten() {
            let ended = by_number[predecessor.as_u64().unwrap() as usize].finished_at;
            prop_assert!((record.requested_at.unwrap() - ended.unwrap()).as_secs_f64() >= 0.5);
        }
    }
    prop_assert_eq!(results.metrics.invocations(), invocations.len() as u64);
    Ok(())
}

/// When a host is down by what is scripted; a fault that slows it is none.
pub(super) fn outages<'a>(scenario: &'a Value, host: &'a str) -> impl Iterator<Item = (SimTime, SimTime)> + 'a {
    let of_host = move |fault: &&Value| {
        let named =
            fault["host"].as_str().is_some_and(|name| name == host || name == "node-*" && host.starts_with("node-"));
        named && fault["slow"].is_null()
    };
    let scripted = scenario["faults"]["scripted"].as_array().into_iter().flatten().filter(of_host);
    scripted.map(|fault| {
        let at = fault["at"].as_f64().unwrap();
        (SimTime::from_secs_f64(at), SimTime::from_secs_f64(at + fault["for"].as_f64().unwrap()))
    })
}

/// A head that is down submits and places nobody, and nobody is on a node that is down.
pub(super) fn check_outages(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    for record in &results.records {
        for (from, to) in outages(scenario, "head") {
            for date in [record.submitted_at, record.dispatched_at].into_iter().flatten() {
                prop_assert!(date <= from || date >= to, "down from {} to {}: {:?}", from, to, record);
            }
        }
        let (Some(node), Some(dispatched), Some(finished)) = (record.node, record.dispatched_at, record.finished_at)
        else {
            continue;
        };
        for (from, to) in outages(scenario, &results.about.nodes[node as usize]) {
            prop_assert!(finished <= from || dispatched >= to, "down from {} to {}: {:?}", from, to, record);
        }
    }
    Ok(())
}

/// The bytes of the summary, but for the wall-clock time, and of the tables.
pub(super) fn files_of(results: &Results) -> [String; 4] {
    let table = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        String::from_utf8(bytes).unwrap()
    };
    [
        serde_json::to_string(&Summary::new(results)).unwrap(),
        table(&|file| write_invocations(results, file).unwrap()),
        table(&|file| write_functions(results, file).unwrap()),
        table(&|file| write_distributions(results, file).unwrap()),
    ]
}

/// Without further attempts, the bill and the time that cores are held follow from the records.
pub(super) fn check_costs(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let (mut requests, mut byte_nanos, mut held) = (0, 0_u128, 0.0);
    for record in &results.records {
        let (Some(dispatched), Some(finished)) = (record.dispatched_at, record.finished_at) else { continue };
        held += (finished - dispatched).as_secs_f64();
        if let (Some(started), true) = (record.started_at, record.outcome != Outcome::Lost) {
            let begin = if record.start == Some(Start::Cold) { dispatched } else { started };
            let ram = scenario["functions"][record.function.number() as usize]["ram_limit"].as_u64().unwrap();
            let nanos = (finished - begin).as_nanos().max(300_000_000).div_ceil(7_000_000) * 7_000_000;
            (requests, byte_nanos) = (requests + 1, byte_nanos + u128::from(nanos) * u128::from(ram));
        }
    }
    let (cost, energy) = (results.metrics.cost.as_deref().unwrap(), results.metrics.energy.unwrap());
    prop_assert_eq!(cost.billed_requests(), requests);
    prop_assert!((cost.billed_gib_seconds() - byte_nanos as f64 / 1e9 / f64::from(1 << 30)).abs() < 1e-9);
    prop_assert_eq!(energy.idle_joules, 0.0);
    // A core is held until the head hears of the end.
    let at_once = scenario["service"]["invocation_processing_overhead"] == 0.0 && scenario["faults"].is_null();
    prop_assert!(energy.busy_joules > held - 1e-6, "{} J of {held} s", energy.busy_joules);
    prop_assert!(!at_once || energy.busy_joules < held + 1e-6, "{} J of {held} s", energy.busy_joules);
    Ok(())
}

/// What is measured follows from the records: from the first request to the last end, or to the end of all if one has none.
pub(super) fn check_window(results: &Results) -> Result<(), TestCaseError> {
    let (records, window) = (&results.records, results.metrics.window());
    let Some(first) = records.iter().filter_map(|record| record.requested_at).min() else { return Ok(()) };
    prop_assert_eq!(window.from(), first);
    let is_cut = records.iter().any(|record| record.outcome == Outcome::Unfinished);
    let last = records.iter().filter_map(|record| record.finished_at).max().unwrap_or_default();
    prop_assert_eq!(window.to(), if is_cut { results.ended_at } else { last });
    Ok(())
}

/// What can be said of all runs of a scenario whose workload is the workflow at dates and nothing else.
pub(super) fn check_runs(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let tasks = scenario["workflows"][0]["tasks"].as_array().unwrap();
    let instances: u64 = tasks.iter().map(|task| task["map"].as_u64().unwrap()).sum();
    prop_assert_eq!(results.workflows.len(), scenario["workload"]["invocations"].as_array().unwrap().len());
    let requested: u64 = results.workflows.iter().map(|run| run.tasks).sum();
    prop_assert_eq!(results.records.len() as u64, requested, "an invocation for each task that was requested");
    let may_wait_for_ever = scenario["policies"]["node_allocation"]["use"] == "workload-balancing";
    for run in &results.workflows {
        prop_assert_eq!(run.tasks + run.not_run, instances);
        prop_assert!(may_wait_for_ever || run.outcome != WorkflowOutcome::Unfinished, "{:?}", run);
        let own = run.first_invocation..run.first_invocation + instances;
        let records: Vec<_> = results.records.iter().filter(|record| own.contains(&record.invocation)).collect();
        prop_assert_eq!(records.len() as u64, run.tasks);
        let ended = records.iter().filter_map(|record| record.finished_at).max();
        let Some(makespan) = run.makespan() else { continue };
        let times = run.times;
        prop_assert_eq!(times.waiting + times.starting + times.transfer + times.running, makespan, "{:?}", run);
        prop_assert_eq!(run.finished_at, ended.or(run.requested_at));
        prop_assert!(records.iter().all(|record| record.outcome == Outcome::Completed));
    }
    Ok(())
}
