//! Requests that wait for a busy container of their function (`Placement::Busy`): against a model that knows nothing but cores
//! and dates, by hand where something fails, and `delayed-warm-start` against its formula.

use std::cell::RefCell;

use hearth_policy_api::*;
use hearth_serverless::error::Error;
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::Start as RecordedStart;
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What is answered when a request is asked about.
#[derive(Clone, Copy, Debug)]
enum Wish {
    /// To wait for a busy container on a node, or anywhere, so long in ns.
    Busy { node: Option<u32>, span: u64 },
    /// To start on the first node that is warm, or free.
    Start,
}

thread_local! {
    /// By invocation, in the order of being asked; after these it starts.
    static SCRIPT: RefCell<Vec<Vec<Wish>>> = const { RefCell::new(Vec::new()) };
    /// The date in ns and the invocation of each question.
    static ASKED: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Answers what the script says.
struct Scripted {
    commitment: Commitment,
    asked: Vec<usize>,
}

impl Policy for Scripted {
    const NAME: &'static str = "scripted";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "answers what a script says";
    type Parameters = Answers;

    fn new(answers: Answers, _context: &PolicyContext) -> Result<Self, PolicyError> {
        ASKED.with_borrow_mut(Vec::clear);
        let commitment = if answers.bind { Commitment::UntilStarted } else { Commitment::PerRound };
        Ok(Self { commitment, asked: Vec::new() })
    }
}

parameters! {
    /// What can be set.
    pub struct Answers {
        /// whether answers bind
        bind: flag = true;
    }
}

impl NodeAllocation for Scripted {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: self.commitment, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let invocation = request.invocation as usize;
        ASKED.with_borrow_mut(|asked| asked.push((cluster.now, request.invocation)));
        self.asked.resize(self.asked.len().max(invocation + 1), 0);
        let times = self.asked[invocation];
        self.asked[invocation] += 1;
        match SCRIPT.with_borrow(|script| script.get(invocation).and_then(|wishes| wishes.get(times)).copied()) {
            Some(Wish::Busy { node, span }) => {
                Placement::Busy { node: node.unwrap_or(NONE), until: cluster.now.saturating_add(span) }
            }
            Some(Wish::Start) | None => {
                let warm = cluster.free_core.first_also_in(&cluster.idle_container);
                warm.or_else(|| cluster.free_core.first()).into()
            }
        }
    }
}

fn try_run(scenario: &Value, script: Vec<Vec<Wish>>) -> Result<Results, Error> {
    SCRIPT.set(script);
    let policies = [&[PolicyDescriptor::node_allocation::<Scripted>()], hearth_plugins::BUILT_IN].concat();
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let experiment = Experiment::prepare(&scenario, &Catalog::new(&policies));
    experiment.unwrap_or_else(|error| panic!("{error}")).run()
}

fn run(scenario: &Value, script: Vec<Vec<Wish>>) -> Results {
    try_run(scenario, script).unwrap_or_else(|error| panic!("{error}"))
}

/// By number: when the body of each invocation began, in ns, on which node, and whether its container was there already.
fn starts(results: &Results) -> Vec<Option<(u64, u32, bool)>> {
    let mut records: Vec<_> = results.records.iter().collect();
    records.sort_by_key(|record| record.invocation);
    let start = |record: &&hearth_serverless::invocation::InvocationRecord| {
        Some((record.started_at?.as_nanos(), record.node?, record.start == Some(RecordedStart::Warm)))
    };
    records.iter().map(start).collect()
}

/// Nodes of so many cores, with RAM for everybody.
fn scenario(nodes: &[u32], functions: &[u64], invocations: Value, keeps: bool) -> Value {
    let node = |(number, cores): (usize, &u32)| json!({"name": format!("node-{number}"), "cores": cores, "speed": "1Gf", "ram": "1TB"});
    let mut hosts: Vec<Value> = nodes.iter().enumerate().map(node).collect();
    hosts.push(json!({"name": "head", "cores": 1, "speed": "1Gf"}));
    let function = |(number, startup): (usize, &u64)| json!({"name": format!("f{number}"), "ram_limit": "1GB", "container_startup_overhead": format!("{startup}ns")});
    let keep_alive =
        if keeps { json!({"use": "fixed", "parameters": {"timeout": "10d"}}) } else { json!({"use": "no-keep-alive"}) };
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": hosts},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "functions": functions.iter().enumerate().map(function).collect::<Vec<_>>(),
        "workload": {"invocations": invocations},
        "policies": {"node_allocation": {"use": "scripted"}, "keep_alive": keep_alive},
    })
}

fn invocation(at: u64, function: usize, runs: u64) -> Value {
    json!({"at": format!("{at}ns"), "function": format!("f{function}"), "body": [{"sleep": format!("{runs}ns")}]})
}

/// A request, with times in ns.
#[derive(Clone, Debug)]
struct Job {
    arrives: u64,
    function: usize,
    runs: u64,
    wishes: Vec<Wish>,
}

/// Whoever runs.
struct Running {
    job: usize,
    node: usize,
    ends: u64,
}

/// All of it, written for clarity alone: at each arrival, end and date everything is looked at anew. Jobs are in the order of
/// arrivals, which is that of the queue.
struct Plain<'a> {
    cores: &'a [u32],
    startups: &'a [u64],
    keeps: bool,
    jobs: &'a [Job],
    now: u64,
    queue: Vec<usize>,
    /// The job, the node, and until when.
    awaiting: Vec<(usize, Option<u32>, u64)>,
    running: Vec<Running>,
    /// Idle containers, by node and function.
    idle: Vec<Vec<u32>>,
    asked: Vec<usize>,
    starts: Vec<Option<(u64, u32, bool)>>,
}

impl Plain<'_> {
    fn begin(&mut self, job: usize, node: usize, is_warm: bool) {
        let Job { function, runs, .. } = self.jobs[job];
        let begins = self.now + if is_warm { 0 } else { self.startups[function] };
        self.starts[job] = Some((begins, node as u32, is_warm));
        self.running.push(Running { job, node, ends: begins + runs });
    }

    fn has_core(&self, node: usize) -> bool {
        self.running.iter().filter(|running| running.node == node).count() < self.cores[node] as usize
    }

    fn end(&mut self, at: usize) {
        let Running { job, node, .. } = self.running.remove(at);
        let function = self.jobs[job].function;
        let fits = |(other, on, _): &&(usize, Option<u32>, u64)| {
            self.jobs[*other].function == function && on.is_none_or(|on| on as usize == node)
        };
        let next = self.awaiting.iter().filter(fits).map(|(job, ..)| *job).min();
        if let Some(next) = next {
            self.awaiting.retain(|(job, ..)| *job != next);
            self.begin(next, node, true);
        } else if self.keeps {
            self.idle[node][function] += 1;
        }
    }

    fn round(&mut self) {
        for job in self.queue.clone() {
            let nodes = 0..self.cores.len();
            let Some(free) = nodes.clone().find(|node| self.has_core(*node)) else { return };
            self.queue.retain(|other| *other != job);
            let times = self.asked[job];
            self.asked[job] += 1;
            if let Some(Wish::Busy { node, span }) = self.jobs[job].wishes.get(times) {
                self.awaiting.push((job, *node, self.now + span));
                continue;
            }
            let function = self.jobs[job].function;
            let warm = nodes.into_iter().find(|node| self.has_core(*node) && self.idle[*node][function] > 0);
            if let Some(node) = warm {
                self.idle[node][function] -= 1;
            }
            self.begin(job, warm.unwrap_or(free), warm.is_some());
        }
    }

    fn starts(mut self) -> Vec<Option<(u64, u32, bool)>> {
        let mut arrived = 0;
        loop {
            let arrival = self.jobs.get(arrived).map(|job| job.arrives);
            let end = self.running.iter().enumerate().map(|(at, running)| (running.ends, at)).min();
            let over = self.awaiting.iter().map(|(job, _, until)| (*until, *job)).min();
            let Some(now) = [arrival, end.map(|end| end.0), over.map(|over| over.0)].into_iter().flatten().min() else {
                return self.starts;
            };
            self.now = now;
            if let Some((_, at)) = end.filter(|(date, _)| *date == now) {
                self.end(at);
            } else if arrival == Some(now) {
                self.queue.push(arrived);
                arrived += 1;
            } else if let Some((_, job)) = over {
                self.awaiting.retain(|(other, ..)| *other != job);
                self.queue.push(job);
                self.queue.sort_unstable();
            }
            self.round();
        }
    }
}

/// Nodes, functions and jobs. Dates are made of milliseconds that are drawn, and of nanoseconds of their own, so that they do not
/// meet.
fn cases() -> impl Strategy<Value = (Vec<u32>, Vec<u64>, bool, Vec<Job>)> {
    let nodes = proptest::collection::vec(1..4_u32, 1..4);
    let functions = proptest::collection::vec(0..4000_u64, 1..4);
    let wish = (proptest::option::of(any::<prop::sample::Index>()), 1..9000_u64);
    let wishes = proptest::collection::vec(wish, 0..3);
    let jobs = proptest::collection::vec((0..9000_u64, any::<prop::sample::Index>(), 1..5000_u64, wishes), 1..30);
    (nodes, functions, any::<bool>(), jobs).prop_map(|(nodes, functions, keeps, drawn)| {
        let mut arrivals: Vec<u64> = drawn.iter().map(|(arrives, ..)| *arrives).collect();
        arrivals.sort_unstable();
        let startups: Vec<u64> =
            (0..).zip(&functions).map(|(number, startup)| startup * 1_000_000 + 100_003 * number).collect();
        let jobs =
            (0..).zip(&drawn).zip(arrivals).map(|((number, (_, function, runs, wishes)), arrives): ((u64, _), _)| {
                Job {
                    arrives: arrives * 1_000_000 + 17 * number,
                    function: function.index(startups.len()),
                    runs: runs * 1_000_000 + 3001 * number,
                    wishes: (1..)
                        .zip(wishes)
                        .map(|(wish, (node, span)): (u64, _)| Wish::Busy {
                            node: node.map(|node: prop::sample::Index| node.index(nodes.len()) as u32),
                            span: span * 1_000_000 + 211 * number + 10_007 * wish,
                        })
                        .collect(),
                }
            });
        let jobs = jobs.collect();
        (nodes, startups, keeps, jobs)
    })
}

proptest! {
    #[test]
    fn a_plain_model_gives_the_same_starts((nodes, functions, keeps, jobs) in cases()) {
        let invocations = jobs.iter().map(|job| invocation(job.arrives, job.function, job.runs)).collect::<Vec<_>>();
        let results = run(&scenario(&nodes, &functions, json!(invocations), keeps), jobs.iter().map(|job| job.wishes.clone()).collect());
        let plain = Plain {
            cores: &nodes, startups: &functions, keeps, jobs: &jobs, now: 0, queue: Vec::new(), awaiting: Vec::new(), running: Vec::new(),
            idle: vec![vec![0; functions.len()]; nodes.len()], asked: vec![0; jobs.len()], starts: vec![None; jobs.len()],
        };
        prop_assert_eq!(starts(&results), plain.starts());
    }
}

const S: u64 = 1_000_000_000;

/// Invocation 0 runs on node 0 from 1 s to 11 s; number 1 comes at 2 s and waits for its container.
fn one_waits_for_one(node: Option<u32>, span: u64) -> (Value, Vec<Vec<Wish>>) {
    let invocations = json!([invocation(0, 0, 10 * S), invocation(2 * S, 0, 5 * S)]);
    (scenario(&[1, 1], &[S], invocations, false), vec![vec![], vec![Wish::Busy { node, span }]])
}

#[test]
fn a_container_is_handed_over_though_nobody_keeps_it() {
    for node in [None, Some(0)] {
        let (scenario, script) = one_waits_for_one(node, u64::MAX);
        assert_eq!(starts(&run(&scenario, script)), [Some((S, 0, false)), Some((11 * S, 0, true))]);
    }
    let (scenario, script) = one_waits_for_one(None, 3 * S);
    assert_eq!(starts(&run(&scenario, script))[1], Some((6 * S, 1, false)), "asked again at 5 s");
}

#[test]
fn who_waits_for_what_is_lost_is_asked_again_at_once() {
    let down = json!({"scripted": [{"at": 4, "for": 1, "host": "node-0"}]});
    for node in [None, Some(0)] {
        let (mut scenario, script) = one_waits_for_one(node, u64::MAX);
        scenario["faults"] = down.clone();
        assert_eq!(starts(&run(&scenario, script))[1], Some((5 * S, 1, false)), "cold, from 4 s on");
    }
    // Nobody of its function is there, but the node goes.
    let (mut scenario, script) = one_waits_for_one(Some(1), u64::MAX);
    scenario["faults"] = json!({"scripted": [{"at": 4, "for": 1, "host": "node-1"}]});
    assert_eq!(starts(&run(&scenario, script))[1], Some((6 * S, 1, false)), "no node has a core before 5 s");
    // All crash as they end.
    for node in [None, Some(0)] {
        let (mut scenario, script) = one_waits_for_one(node, u64::MAX);
        scenario["faults"] = json!({"containers": {"crash_per_invocation": 1}});
        assert_eq!(starts(&run(&scenario, script))[1], Some((12 * S, 0, false)), "cold, after the crash at 11 s");
    }
}

#[test]
fn an_attempt_that_completes_does_not_hand_its_container_to_the_one_beside_it() {
    let invocations = json!([invocation(0, 0, 10 * S), invocation(4 * S, 0, S)]);
    let mut scenario = scenario(&[1, 1, 1], &[S], invocations, false);
    scenario["recovery"] = json!({"hedge": {"after": 2}});
    // The second question about each invocation is about the attempt beside the first. Of invocation 0 it comes before number 1 in
    // the queue.
    let never = Wish::Busy { node: None, span: u64::MAX };
    let script = vec![vec![Wish::Start, never], vec![never, never]];
    let hedged = run(&scenario, script);
    assert_eq!(starts(&hedged)[1], Some((11 * S, 0, true)));
    let (records, metrics) = (hedged.records.len(), hedged.metrics);
    assert_eq!((records, metrics.hedges), (2, 2));
}

#[test]
fn who_waits_for_what_never_comes_is_told_of() {
    let invocations = json!([invocation(0, 0, S)]);
    for (node, place) in [(None, ""), (Some(1), " on node \"node-1\"")] {
        let wish = Wish::Busy { node, span: u64::MAX };
        let results = run(&scenario(&[1, 1], &[S], invocations.clone(), true), vec![vec![wish]]);
        let expected = format!(
            "waits for a busy container of its function{place}, as policies.node_allocation, \"scripted\", has answered, and none is in use"
        );
        assert_eq!(results.stall.map(|stall| stall.reason), Some(expected));
    }
}

#[test]
fn a_policy_that_has_somebody_wait_for_a_moment_again_and_again_is_stopped() {
    let mut scenario = scenario(&[1], &[S], json!([invocation(0, 0, S)]), true);
    scenario["max_events_without_progress"] = json!(1000);
    let error = try_run(&scenario, vec![vec![Wish::Busy { node: None, span: 0 }; 2000]]).unwrap_err();
    assert!(matches!(error, Error::NoProgress { .. }), "{error}");
}

#[test]
fn answers_that_cannot_be_followed_are_refused() {
    let refused = |node, binds: bool| {
        let (mut scenario, script) = one_waits_for_one(node, S);
        scenario["policies"]["node_allocation"]["parameters"] = json!({"bind": binds});
        try_run(&scenario, script).unwrap_err().to_string()
    };
    assert!(refused(Some(7), true).contains("answered node 7, but there are nodes 0 to 1"));
    assert!(refused(None, false).contains("answered to wait for a busy container, which binds"));
}

/// Under `easy` nobody counts on a container that goes over to somebody else, and who is not the first takes none over.
#[test]
fn a_place_is_kept_for_the_first_beside_those_that_wait_for_a_container() {
    let described = |nodes: &[u32], invocations: Value| {
        let mut scenario = scenario(nodes, &[0, 0, 0], invocations, false);
        scenario["service"]["backfilling"] = json!("easy");
        for (number, ram) in ["10GB", "4GB"].into_iter().enumerate().take(nodes.len()) {
            scenario["platform"]["hosts"][number]["ram"] = json!(ram);
        }
        for (number, (ram, limit)) in [("4GB", 10), ("8GB", 5), ("2GB", 7)].into_iter().enumerate() {
            scenario["functions"][number]["ram_limit"] = json!(ram);
            scenario["functions"][number]["time_limit"] = json!(limit);
        }
        scenario
    };
    let dates = |scenario: &Value, script| -> Vec<u64> {
        starts(&run(scenario, script)).into_iter().flatten().map(|start| start.0 / S).collect()
    };
    let wait = vec![Wish::Busy { node: None, span: u64::MAX }];
    // Number 0 runs from 0 to 10; number 1 takes its container over, up to 20. The large one, number 2, comes at 2 and needs the
    // RAM of that. It has no date while it is not known who gets the container, so that number 3 must not begin before 10, though it
    // would be over by then.
    let invocations = json!([
        invocation(0, 0, 10 * S),
        invocation(S, 0, 10 * S),
        invocation(2 * S, 1, S),
        invocation(3 * S, 2, 7 * S)
    ]);
    let scenario = described(&[3], invocations);
    assert_eq!(dates(&scenario, vec![vec![], wait.clone()]), [0, 10, 20, 10]);
    // The large one, number 1, has its place at 10. Number 2 might begin on another node, and would rather take the container over.
    let invocations = json!([invocation(0, 0, 10 * S), invocation(S, 1, S), invocation(2 * S, 0, 10 * S)]);
    assert_eq!(dates(&described(&[3, 1], invocations), vec![vec![], vec![], wait]), [0, 10, 10]);
}

/// While one container is in use for another `rest`, so many come at once: those wait for whom it is free before a new one is up,
/// `ceil((startup - rest) / run)`, one after the other; the others start cold.
#[test]
fn as_many_wait_for_a_busy_container_as_are_sooner_served() {
    for (startup, run_time, rest, requests) in
        [(10, 3, 2, 6), (10, 3, 1, 6), (10, 5, 5, 4), (9, 2, 1, 3), (2, 3, 2, 4), (7, 1, 1, 9)]
    {
        let mut invocations = vec![invocation(0, 0, run_time * S), invocation(100 * S, 0, run_time * S)];
        let at = 100 + run_time - rest;
        invocations.extend((0..requests).map(|_| invocation(at * S, 0, run_time * S)));
        let mut scenario = scenario(&[8, 8], &[startup * S], json!(invocations), true);
        scenario["policies"]["node_allocation"]["use"] = json!("delayed-warm-start");
        let found = starts(&run(&scenario, Vec::new()));
        let waiting = startup.saturating_sub(rest).div_ceil(run_time).min(requests);
        let warm = (0..waiting).map(|number| (at + rest + number * run_time, true));
        let cold = (waiting..requests).map(|_| (at + startup, false));
        let expected: Vec<(u64, bool)> = warm.chain(cold).collect();
        let found: Vec<(u64, bool)> =
            found[2..].iter().flatten().map(|(date, _, is_warm)| (date / S, *is_warm)).collect();
        assert_eq!(found, expected, "{startup} s to start, {run_time} s to run, {rest} s left");
    }
}
