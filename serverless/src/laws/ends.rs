//! Admission and node allocation hear of the end of every attempt, once, as the books have it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::*;
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::{Buffer, check_conservation};
use super::scenarios::{faults, scenario, workflow};
use crate::experiment::{Experiment, Results};
use crate::invocation::Outcome;
use crate::policy::Catalog;
use crate::scenario::Scenario;
use crate::service::Service;
use crate::service::attempts::{Attempt, Stage};

/// What policies have done and been told.
#[derive(Default)]
struct Told {
    /// By node: answers less ends.
    placed: BTreeMap<u32, u32>,
    let_in: u64,
    /// Ends as admission has heard of them, and as node allocation has but for those of places alone.
    of_admission: Vec<End>,
    of_allocation: Vec<End>,
    /// How often each has been told to wait for a busy container.
    waits: BTreeMap<(u64, u32), u32>,
    /// Those that do.
    awaiting: BTreeSet<(u64, u32)>,
}

impl Told {
    /// Has some wait for a busy container, on a node or anywhere.
    fn busy(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Option<Placement> {
        let attempt = (request.invocation, request.attempt);
        let times = self.waits.entry(attempt).or_default();
        if request.invocation % 3 != 1 || *times == 2 {
            return None;
        }
        *times += 1;
        let node = if request.invocation.is_multiple_of(2) { cluster.up.iter().last()? } else { NONE };
        let until = cluster.now + 700_000_000 * request.invocation;
        assert!(self.awaiting.insert(attempt), "{request:?} waits already");
        Some(Placement::Busy { node, until })
    }
}

thread_local! {
    static TOLD: RefCell<Told> = RefCell::default();
}

fn told<T>(look: impl FnOnce(&mut Told) -> T) -> T {
    TOLD.with_borrow_mut(look)
}

/// Places on the node on which it has placed fewest, for some whether there is room or not, rejects some, and has some wait for a
/// busy container: until a date, or twice at the most.
struct Counts;

impl Policy for Counts {
    const NAME: &'static str = "counts";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "counts what it has placed";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for Counts {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        if request.invocation % 11 == 10 {
            return Placement::Reject("it is one of those".into());
        }
        if let Some(answer) = told(|told| told.busy(request, cluster)) {
            return answer;
        }
        let is_rash = request.invocation.is_multiple_of(4);
        let can_run =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        told(|told| {
            let fewest = |node: &u32| told.placed.get(node).copied();
            let node = cluster.free_core.iter().filter(|node| is_rash || can_run(node)).min_by_key(fewest);
            node.inspect(|node| *told.placed.entry(*node).or_default() += 1).into()
        })
    }

    fn on_end(&mut self, end: &End) {
        told(|told| {
            if end.node != NONE {
                let placed = told.placed.get_mut(&end.node).expect("somebody was placed there");
                *placed = placed.checked_sub(1).expect("no more end than were placed");
            }
            if end.ending != Ending::Requeued {
                told.of_allocation.push(*end);
            }
            let waited = told.awaiting.remove(&(end.invocation, end.attempt));
            assert!(!waited || end.node == NONE && end.start == Start::None, "{end:?} has waited");
        });
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        told(|told| {
            assert!(told.awaiting.remove(&(start.invocation, start.attempt)), "{start:?} has not waited");
            *told.placed.entry(start.node).or_default() += 1;
        });
    }
}

/// Lets in, delays and rejects.
struct Door;

impl Policy for Door {
    const NAME: &'static str = "door";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "counts whom it has let in";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Admission for Door {
    fn rules(&self) -> AdmissionRules {
        AdmissionRules { observes_ends: true, ..AdmissionRules::default() }
    }

    fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
        match (request.invocation % 7, view.delays) {
            (6, _) => AdmissionDecision::Reject("it is one of those".into()),
            (5, 0) => AdmissionDecision::Delay(3_000_000_000),
            _ => {
                told(|told| told.let_in += 1);
                AdmissionDecision::Admit
            }
        }
    }

    fn on_end(&mut self, end: &End) {
        told(|told| told.of_admission.push(*end));
    }
}

/// What was told is what is there.
fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let mut there = BTreeMap::<u32, u32>::new();
    for (_, attempt) in service.attempts().iter() {
        match attempt.stage() {
            Stage::Held(occupied) => *there.entry(occupied.node().0).or_default() += 1,
            Stage::Bound { promise, .. } => *there.entry(promise.node().0).or_default() += 1,
            _ => {}
        }
    }
    told(|told| {
        let placed: BTreeMap<u32, u32> =
            told.placed.iter().filter(|(_, placed)| **placed > 0).map(|(node, placed)| (*node, *placed)).collect();
        prop_assert_eq!(placed, there);
        let under_way = service.attempts().counts();
        prop_assert_eq!(told.let_in - told.of_admission.len() as u64, under_way.waiting + under_way.running);
        prop_assert_eq!(&told.of_admission, &told.of_allocation);
        let awaits = |attempt: &&Attempt| matches!(attempt.stage(), Stage::AwaitsContainer(_));
        let attempts = service.attempts().iter().map(|(_, attempt)| attempt);
        let awaiting: BTreeSet<(u64, u32)> =
            attempts.filter(awaits).map(|attempt| (attempt.record.invocation, attempt.number())).collect();
        prop_assert_eq!(&told.awaiting, &awaiting);
        Ok(())
    })
}

/// What the books have of an attempt.
#[derive(Debug)]
struct Row {
    outcome: String,
    was_dispatched: bool,
    began: bool,
}

/// By invocation and attempt.
type Rows = BTreeMap<(u64, u32), Row>;

fn rows_of_attempts(file: &[u8]) -> Rows {
    let mut reader = csv::Reader::from_reader(file);
    let columns = reader.headers().unwrap().clone();
    let rows = reader.records().map(Result::unwrap).map(|row| {
        let field = |name: &str| row[columns.iter().position(|column| column == name).unwrap()].to_owned();
        let key = (field("invocation").parse().unwrap(), field("attempt").parse().unwrap());
        let (was_dispatched, began) = (!field("dispatched_at").is_empty(), !field("started_at").is_empty());
        (key, Row { outcome: field("outcome"), was_dispatched, began })
    });
    rows.collect()
}

fn rows_of_invocations(results: &Results) -> Rows {
    let rows = results.records.iter().map(|record| {
        let (was_dispatched, began) = (record.dispatched_at.is_some(), record.started_at.is_some());
        ((record.invocation, 1), Row { outcome: record.outcome.as_str().to_owned(), was_dispatched, began })
    });
    rows.collect()
}

/// Every attempt has ended once, as the books have it, and whoever was given a container and is not unfinished has.
fn check_ends(ends: &[End], rows: &Rows) -> Result<(), TestCaseError> {
    let mut ended = BTreeSet::new();
    for end in ends {
        let key = (end.invocation, end.attempt);
        prop_assert!(ended.insert(key), "{:?} ends twice", end);
        let Some(row) = rows.get(&key) else {
            return Err(TestCaseError::fail(format!("{end:?} is not in the books")));
        };
        let word = match end.ending {
            Ending::Completed => "completed",
            Ending::Failed => "failed",
            Ending::TimedOut => "timed_out",
            Ending::Crashed | Ending::Lost => "lost",
            Ending::Stopped => "stopped",
            Ending::Rejected => "rejected",
            Ending::Requeued => "",
        };
        // One that was lost with its node after its end stands in the books as stopped, if the head read of the other first.
        let was_unread = row.outcome == "stopped" && end.is_of_whole_run() && end.idle_of_function == 0;
        prop_assert!(
            row.outcome == word || was_unread && end.started_at + end.run_time < end.now,
            "{:?}: {:?}",
            end,
            row
        );
        prop_assert_eq!(row.was_dispatched, end.container != NONE);
        prop_assert_eq!((row.was_dispatched, row.began), (end.start != Start::None, end.started_at != u64::MAX));
        prop_assert!(!row.was_dispatched || end.node != NONE);
        prop_assert!(row.began || end.run_time == 0);
    }
    let untold = rows
        .iter()
        .find(|(key, row)| row.was_dispatched && row.outcome != Outcome::Unfinished.as_str() && !ended.contains(key));
    prop_assert!(untold.is_none(), "{:?} is not told", untold);
    Ok(())
}

fn run(scenario: &Value) -> Option<Result<(Results, Rows), TestCaseError>> {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let own = [PolicyDescriptor::node_allocation::<Counts>(), PolicyDescriptor::admission::<Door>()];
    let policies = [&own, hearth_plugins::BUILT_IN].concat();
    let mut experiment = Experiment::prepare(&scenario, &Catalog::new(&policies)).ok()?;
    let (has_attempts, file) = (experiment.has_attempts(), Buffer::default());
    let mut experiment = experiment.write_attempts(Box::new(file.clone())).unwrap();
    let watched = experiment.run_watched(SimTime::from_secs_f64(200.0), 0.5, check);
    let results = watched.and_then(|()| experiment.run().map_err(|error| TestCaseError::fail(error.to_string())));
    Some(results.map(|results| {
        let rows = if has_attempts { rows_of_attempts(file.text().as_bytes()) } else { rows_of_invocations(&results) };
        (results, rows)
    }))
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn every_end_is_told_once_as_the_books_have_it(
        scenario in scenario(), workflow in prop::option::of(workflow()), faults in prop::option::of(faults()),
    ) {
        let mut scenario = scenario;
        if let Some(workflow) = workflow {
            for invocation in scenario["workload"]["invocations"].as_array_mut().unwrap() {
                *invocation = json!({"at": invocation["at"].as_f64().unwrap_or(1.0), "workflow": "w"});
            }
            scenario["workflows"] = json!([workflow]);
        }
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "counts"});
        scenario["policies"]["admission"] = json!({"use": "door"});
        told(|told| *told = Told::default());
        let Some(run) = run(&scenario) else { return Ok(()) };
        let (_, rows) = run?;
        let ends = told(|told| std::mem::take(&mut told.of_allocation));
        check_ends(&ends, &rows)?;
    }
}
