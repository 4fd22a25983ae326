//! What latencies are made of: the parts add up to the nanosecond, lie within the dates that are recorded of an invocation, and explaining
//! them changes nothing.

use hearth_simcore::time::{SimDuration, SimTime};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::files_of;
use super::instances::{control_plane, instances, pods};
use super::processors::shared;
use super::scenarios::*;
use crate::causes::{Cause, CauseTotals, ColdStartCause, Sums};
use crate::experiment::{Experiment, Results};
use crate::invocation::{InvocationRecord, Start};
use crate::policy::Catalog;
use crate::scenario::Scenario;

/// Scenarios of all kinds: shared processors or not, faults or none, workflows, and functions served by instances.
fn all_kinds() -> impl Strategy<Value = Value> {
    let scenario = prop_oneof![scenario().boxed(), shared(scenario()).boxed()];
    let served = (instances(), control_plane(), pods(), prop::collection::vec(any::<bool>(), 5));
    let served = prop::option::weighted(0.4, served);
    let autoscaling = prop::sample::select(vec!["concurrency", "lambda", "kpa"]);
    let workflow = prop::option::weighted(0.3, workflow());
    (scenario, prop::option::of(faults()), workflow, served, autoscaling).prop_map(
        |(mut scenario, faults, workflow, served, autoscaling)| {
            if let Some((faults, recovery)) = faults {
                (scenario["faults"], scenario["recovery"]) = (faults, recovery);
            }
            if let Some(workflow) = workflow {
                scenario["workflows"] = json!([workflow]);
                let invocations = scenario["workload"]["invocations"].as_array_mut().unwrap();
                for invocation in invocations.iter_mut().step_by(2) {
                    *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "workflow": "w"});
                }
            }
            if let Some((instances, control_plane, pods, which)) = served {
                let functions = scenario["functions"].as_array_mut().unwrap();
                for (function, is_served) in functions.iter_mut().zip(which) {
                    if is_served {
                        function["instances"] = instances.clone();
                    }
                }
                let are_any = functions.iter().any(|function| function["instances"].is_object());
                if are_any {
                    scenario["service"]["control_plane"] = control_plane;
                    let keep_processors = pods.iter().any(|pool| pool.get("processors").is_some());
                    let is_shared = scenario["service"]["processors"] == "shared";
                    scenario["service"]["pods"] = json!(if keep_processors && !is_shared { Vec::new() } else { pods });
                    scenario["policies"]["autoscaling"] = json!({"use": autoscaling});
                }
            }
            scenario
        },
    )
}

/// What comes of a scenario that is explained, and of one that is not; `None` if it cannot be run.
fn run_both(scenario: &Value) -> Option<[Result<Results, TestCaseError>; 2]> {
    let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let prepare = || Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN)).ok();
    let run = |experiment: Experiment| experiment.run().map_err(|error| TestCaseError::fail(error.to_string()));
    Some([run(prepare()?.explained()), run(prepare()?)])
}

fn of_causes(record: &InvocationRecord, causes: &[Cause]) -> SimDuration {
    let parts = &record.causes.as_ref().unwrap().parts;
    causes.iter().fold(SimDuration::ZERO, |sum, cause| sum + parts.of(*cause))
}

use Cause::*;

/// What happens before the head has processed a request, and in the body.
const AT_HEAD: [Cause; 3] = [HeadDown, HeadQueue, HeadProcessing];
const OF_BODY: [Cause; 4] = [Work, WorkSharing, DataTransfer, DataTransferSharing];
const OF_OTHER_ATTEMPTS: [Cause; 3] = [LostAttempts, RetryPause, HedgeDelay];
const OF_INSTANCES: [Cause; 4] = [InstancesBusy, AutoscalerLag, ControlPlane, FailedStart];

/// What goes on while the head is down.
const WITHOUT_HEAD: [Cause; 14] = [
    AdmissionDelay,
    ImageDownload,
    ImageDownloadSharing,
    ImageCopy,
    ImageCopySharing,
    ImageLoad,
    ImageLoadSharing,
    ContainerStart,
    ContainerStartSharing,
    ControlPlane,
    FailedStart,
    SlowNode,
    DegradedLink,
    InterruptedTransfer,
];

/// When the head is down, in nanoseconds: from when until when, one after the other.
fn outages_of_head(scenario: &Value) -> Vec<(u64, u64)> {
    let nanos = |seconds: &Value| (seconds.as_f64().unwrap() * 1e9) as u64;
    let scripted = scenario["faults"]["scripted"].as_array().map_or(&[][..], Vec::as_slice);
    let of_head = scripted.iter().filter(|fault| fault["host"] == "head" && fault["slow"].is_null());
    let mut outages: Vec<_> = of_head.map(|fault| (nanos(&fault["at"]), nanos(&fault["for"]))).collect();
    outages.sort_unstable();
    let mut up_again = 0;
    let mut from_until = |(at, length): (u64, u64)| {
        let from = at.max(up_again);
        up_again = up_again.max(at + length);
        (from, up_again)
    };
    outages.into_iter().map(&mut from_until).collect()
}

/// What is by the head being down is what it was down for, but for what goes on without it.
fn check_outages(outages: &[(u64, u64)], record: &InvocationRecord, results: &Results) -> Result<(), TestCaseError> {
    let Some(requested) = record.requested_at else { return Ok(()) };
    // Where nothing is left to happen there are no faults, either.
    if record.finished_at.is_none() && results.stall.is_some() {
        return Ok(());
    }
    let down_until = |until: SimTime| {
        let within =
            |(from, to): &(u64, u64)| (*to).min(until.as_nanos()).saturating_sub((*from).max(requested.as_nanos()));
        SimDuration::from_nanos(outages.iter().map(within).sum())
    };
    let until = record.finished_at.unwrap_or(results.ended_at);
    let said = of_causes(record, &[HeadDown]);
    prop_assert!(said <= down_until(until), "{:?}", record);
    if of_causes(record, &OF_OTHER_ATTEMPTS) == SimDuration::ZERO {
        let others = of_causes(record, &WITHOUT_HEAD);
        prop_assert!(down_until(record.started_at.unwrap_or(until)) <= said + others, "{:?}", record);
    }
    Ok(())
}

/// The parts of an invocation are within its dates.
fn check_parts(record: &InvocationRecord, is_served: bool, end: SimTime) -> Result<(), TestCaseError> {
    let Some(requested) = record.requested_at else { return Ok(()) };
    let Some(causes) = &record.causes else {
        return Err(TestCaseError::fail(format!("{record:?} is not explained")));
    };
    let until = record.finished_at.unwrap_or(end);
    prop_assert_eq!(causes.parts.sum(), until.since(requested), "{:?}", record);
    let earlier = of_causes(record, &OF_OTHER_ATTEMPTS);
    prop_assert_eq!(causes.cold_start.is_some(), record.start == Some(Start::Cold), "{:?}", record);
    if let (Some(started), true) = (record.started_at, earlier == SimDuration::ZERO) {
        let of_start = of_causes(record, &[ContainerStart, ContainerStartSharing]);
        let of_body = of_causes(record, &OF_BODY);
        let slow = of_causes(record, &[SlowNode, DegradedLink]);
        let body = until.since(started);
        prop_assert!(of_body <= body && body <= of_body + slow, "{:?}", record);
        if let (Some(dispatched), false) = (record.dispatched_at, is_served) {
            let start = started.since(dispatched);
            prop_assert!(of_start <= start, "{:?}", record);
            // Images may come over slow links, too; what is neither of these was before the dispatch.
            prop_assert!(
                of_body + of_start <= body + start && body + start <= of_body + of_start + slow,
                "{:?}",
                record
            );
            prop_assert_eq!(of_causes(record, &OF_INSTANCES), SimDuration::ZERO);
            if record.start == Some(Start::Warm) {
                prop_assert_eq!(start, SimDuration::ZERO);
            }
        }
    }
    if let (Some(submitted), true) = (record.submitted_at, earlier == SimDuration::ZERO) {
        prop_assert!(of_causes(record, &[HeadProcessing]) <= submitted.since(requested));
        prop_assert!(submitted.since(requested) <= of_causes(record, &AT_HEAD), "{:?}", record);
    }
    Ok(())
}

/// Sums of causes are those of the records.
fn check_totals(results: &Results) -> Result<(), TestCaseError> {
    let totals: &CauseTotals = results.causes.as_ref().unwrap();
    let of = |sums: &Sums, is_of: &dyn Fn(&InvocationRecord) -> bool| {
        let records = || results.records.iter().filter(|record| record.causes.is_some() && is_of(record));
        prop_assert_eq!(sums.invocations, records().count() as u64);
        for cause in Cause::ALL {
            let lengths = records().map(|record| u128::from(of_causes(record, &[cause]).as_nanos()));
            let (nanos, some) = lengths.fold((0, 0), |(sum, some), nanos| (sum + nanos, some + u64::from(nanos > 0)));
            prop_assert_eq!((sums.of(cause).nanos, sums.of(cause).invocations), (nanos, some));
        }
        for cause in ColdStartCause::ALL {
            let is_so = |record: &&InvocationRecord| {
                record.causes.as_ref().unwrap().cold_start.is_some_and(|cold| cold.cause == cause)
            };
            prop_assert_eq!(sums.of_cold_starts(cause).invocations, records().filter(is_so).count() as u64);
        }
        Ok(())
    };
    of(&totals.all, &|_| true)?;
    for (number, sums) in totals.functions.iter().enumerate() {
        of(sums, &|record| record.function.number() as usize == number)?;
    }
    for (number, sums) in totals.nodes.iter().enumerate() {
        of(sums, &|record| record.node == Some(number as u32))?;
    }
    Ok(())
}

/// What is not in a scenario is the cause of nothing.
fn check_absent(scenario: &Value, results: &Results) -> Result<(), TestCaseError> {
    let all = &results.causes.as_ref().unwrap().all;
    let none = |causes: &[Cause]| causes.iter().all(|cause| all.of(*cause).nanos == 0);
    if !scenario["faults"].is_object() {
        prop_assert!(none(&[HeadDown, SlowNode, DegradedLink, InterruptedTransfer]));
    }
    if !scenario["recovery"].is_object() {
        prop_assert!(none(&OF_OTHER_ATTEMPTS));
    }
    if scenario["service"]["processors"] != "shared" {
        prop_assert!(none(&[WorkSharing]));
    }
    if scenario["service"]["invocation_processing_overhead"] == 0.0 {
        prop_assert!(none(&[HeadProcessing, HeadQueue]));
    }
    if scenario["policies"]["admission"]["use"] != "token-bucket"
        && scenario["policies"]["admission"]["use"] != "concurrency-limit"
    {
        prop_assert!(none(&[AdmissionDelay]));
    }
    let never_warm_for = scenario["policies"]["keep_alive"]["use"] == "no-keep-alive";
    if !never_warm_for {
        let of = |cause| all.of_cold_starts(cause).invocations;
        prop_assert!(
            scenario["policies"]["keep_alive"]["use"] != "fixed"
                || scenario["policies"]["keep_alive"]["parameters"]["timeout"] == 0
                || of(ColdStartCause::NotKept) == 0
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn parts_add_up_to_the_nanosecond_and_lie_within_the_dates(scenario in all_kinds()) {
        let Some([explained, _]) = run_both(&scenario) else { return Ok(()) };
        let results = explained?;
        let outages = outages_of_head(&scenario);
        for record in &results.records {
            let is_served = scenario["functions"][record.function.number() as usize]["instances"].is_object();
            check_parts(record, is_served, results.ended_at)?;
            check_outages(&outages, record, &results)?;
        }
        check_totals(&results)?;
        check_absent(&scenario, &results)?;
    }

    #[test]
    fn explaining_changes_nothing(scenario in all_kinds()) {
        let Some([explained, plain]) = run_both(&scenario) else { return Ok(()) };
        let (explained, plain) = (explained?, plain?);
        prop_assert_eq!(files_of(&explained), files_of(&plain));
        prop_assert_eq!((explained.ended_at, explained.events), (plain.ended_at, plain.events));
        prop_assert!(plain.causes.is_none() && plain.records.iter().all(|record| record.causes.is_none()));
    }
}
