//! What policies are shown of the history of functions is what a recount gives, at any date.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hearth_policy_api::*;
use proptest::prelude::*;
use serde_json::json;

use super::checks::check_conservation;
use super::scenarios::{faults, scenario};
use super::{cases, run_with};
use crate::invocation::Start as RecordedStart;
use crate::service::Service;
use crate::service::attempts::{Attempt, Stage};

/// What the policies have been told.
#[derive(Default)]
struct Told {
    /// When each attempt was let in.
    let_in: BTreeMap<(u64, u32), u64>,
    /// By function: how many, and when the last.
    arrivals: BTreeMap<u32, (u64, u64)>,
    ends: Vec<End>,
    functions: usize,
}

thread_local! {
    static TOLD: RefCell<Told> = RefCell::default();
}

fn told<T>(look: impl FnOnce(&mut Told) -> T) -> T {
    TOLD.with_borrow_mut(look)
}

/// What is shown is of all functions, and as far as the policies know it is right.
fn look(histories: Records<'_, FunctionHistory>, function: u32, has_arrived: bool) {
    told(|told| {
        assert_eq!(histories.len(), told.functions);
        let history = histories[function as usize];
        // Keep-alive hears of an arrival after it was counted, and nobody is asked in between.
        let arrivals = told.arrivals.get(&function).copied().unwrap_or((0, u64::MAX));
        assert_eq!((history.arrivals, history.last_arrival), arrivals);
        assert!(!has_arrived || history.waiting > 0, "{history:?}: the one that is asked about waits");
    });
}

/// Places where there is room, has some wait for a busy container, and rejects some.
struct Places;

impl Policy for Places {
    const NAME: &'static str = "places";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "sees history and places";
    type Parameters = ();

    fn new((): (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for Places {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: true, sees_history: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        look(cluster.histories, request.function, true);
        let waits_longest = cluster.history(request.function).waiting_since
            == told(|told| told.let_in[&(request.invocation, request.attempt)]);
        if request.invocation % 11 == 10 {
            return Placement::Reject("it is one of those".into());
        }
        if request.invocation % 4 == 1 && !waits_longest && cluster.history(request.function).busy > 0 {
            return Placement::busy_anywhere(cluster.now + 2_000_000_000);
        }
        let is_rash = request.invocation.is_multiple_of(5);
        let can_run =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        cluster.free_core.iter().find(|node| is_rash || can_run(node)).into()
    }

    fn on_end(&mut self, end: &End) {
        if end.ending != Ending::Requeued {
            told(|told| told.ends.push(*end));
        }
    }
}

/// Lets in, delays and rejects.
struct Door;

impl Policy for Door {
    const NAME: &'static str = "door";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "sees history and lets in";
    type Parameters = ();

    fn new((): (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Admission for Door {
    fn rules(&self) -> AdmissionRules {
        AdmissionRules { sees_history: true, ..AdmissionRules::default() }
    }

    fn admit(&mut self, request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
        look(view.cluster.histories, request.function, false);
        match (request.invocation % 7, view.delays) {
            (6, _) => AdmissionDecision::Reject("it is one of those".into()),
            (5, 0) => AdmissionDecision::Delay(3_000_000_000),
            _ => {
                told(|told| told.let_in.insert((request.invocation, request.attempt), view.now));
                AdmissionDecision::Admit
            }
        }
    }
}

/// Keeps some for a while, and has others started ahead.
struct Keeps;

impl Policy for Keeps {
    const NAME: &'static str = "keeps";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "sees history and keeps";
    type Parameters = ();

    fn new((): (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl KeepAlive for Keeps {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, sees_history: true, ..KeepAliveRules::default() }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        told(|told| {
            let (count, last) = told.arrivals.entry(function).or_default();
            (*count, *last) = (*count + 1, now);
        });
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        look(completion.histories, completion.function, false);
        let runs = completion.history().runs;
        Retention { keep_for: if runs.is_multiple_of(3) { 0 } else { 5_000_000_000 } }
    }

    fn prewarm(&mut self, completion: &Completion) -> Prewarming {
        look(completion.histories, completion.function, false);
        Prewarming { after: 1_000_000_000, keep_for: 8_000_000_000 }
    }
}

/// What was counted is what a recount gives.
fn check(service: &Service, is_slowed: bool) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let attempts: Vec<&Attempt> = service.attempts().iter().map(|(_, attempt)| attempt).collect();
    let histories = service.cluster().histories();
    prop_assert_eq!(histories.len(), service.registry().functions().len());
    for (number, counted) in (0..).zip(histories.iter()) {
        let of_function = |attempt: &&&Attempt| attempt.record.function.number() == number;
        let held: Vec<_> =
            attempts.iter().filter(of_function).filter(|it| matches!(it.stage(), Stage::Held(_))).collect();
        let waiting: Vec<_> = attempts.iter().filter(of_function).filter(|it| it.stage().waits()).collect();
        let containers = || service.cluster().nodes().iter().flat_map(|node| node.containers.iter());
        let of_number = || containers().filter(|(_, container)| container.function.number() == number);
        let idle = of_number().filter(|(_, container)| container.idle.is_some()).count();
        let (told, arrivals) = told(|told| {
            let let_in = |it: &&&Attempt| told.let_in[&(it.record.invocation, it.number())];
            let since = waiting.iter().map(let_in).min().unwrap_or(u64::MAX);
            let ends: Vec<End> = told.ends.iter().filter(|end| end.function == number).copied().collect();
            ((since, ends), told.arrivals.get(&number).copied().unwrap_or((0, u64::MAX)))
        });
        let (waiting_since, ends) = told;
        let runs: Vec<u64> = ends.iter().filter(|end| end.is_of_whole_run()).map(|end| end.run_time).collect();
        let mean = runs.iter().map(|run| u128::from(*run)).sum::<u128>() / (runs.len() as u128).max(1);
        let recent = runs.iter().copied().reduce(|recent, run| ((7 * u128::from(recent) + u128::from(run)) / 8) as u64);
        let is_cold = |it: &&&&Attempt| it.record.start == Some(RecordedStart::Cold);
        let cold = ends.iter().filter(|end| end.start == Start::Cold).count() + held.iter().filter(is_cold).count();
        // Each takes half a second, unless its node is slow.
        let start_time = if is_slowed { counted.mean_start_time.max(500_000_000) } else { 500_000_000 };
        let expected = FunctionHistory {
            busy: held.len() as u32,
            idle: idle as u32,
            starting: (of_number().count() - idle - held.len()) as u32,
            waiting: waiting.len() as u64,
            waiting_since,
            arrivals: arrivals.0,
            last_arrival: arrivals.1,
            completed: ends.iter().filter(|end| end.ending == Ending::Completed).count() as u64,
            runs: runs.len() as u64,
            mean_run_time: mean as u64,
            recent_run_time: recent.unwrap_or(0),
            cold_starts: cold as u64,
            mean_start_time: if cold == 0 { 0 } else { start_time },
            ..FunctionHistory::default()
        };
        prop_assert_eq!(*counted, expected, "of function {}", number);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn what_is_shown_of_functions_is_what_a_recount_gives(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        let mut is_slowed = false;
        if let Some((faults, recovery)) = faults {
            is_slowed = faults["scripted"].as_array().is_some_and(|all| all.iter().any(|fault| fault["slow"].is_f64()));
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        for (slot, policy) in [("node_allocation", "places"), ("admission", "door"), ("keep_alive", "keeps")] {
            scenario["policies"][slot] = json!({"use": policy});
        }
        let functions = scenario["functions"].as_array().unwrap().len();
        told(|told| *told = Told { functions, ..Told::default() });
        let own = [
            PolicyDescriptor::node_allocation::<Places>(),
            PolicyDescriptor::admission::<Door>(),
            PolicyDescriptor::keep_alive::<Keeps>(),
        ];
        let policies = [&own, hearth_plugins::BUILT_IN].concat();
        if let Some(results) = run_with(&scenario, &policies, |service| check(service, is_slowed)) {
            results?;
        }
    }
}
