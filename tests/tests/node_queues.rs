//! Requests that stand in the queues of nodes (`Placement::Queue`): dates by hand, whom policies hear of, and
//! `join-shortest-queue` and `sparrow` where the dates can be worked out.

use std::cell::RefCell;

use hearth_policy_api::*;
use hearth_serverless::error::Error;
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::{InvocationRecord, Start as RecordedStart};
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

const S: u64 = 1_000_000_000;

/// What is answered when a request is asked about.
#[derive(Clone, Debug)]
enum Wish {
    /// To stand in the queues of these nodes, so long in ns.
    Queue(Vec<u32>, u64),
    /// To wait for a busy container anywhere.
    Busy,
    /// To start on the first node that is warm, or free.
    Start,
    Wait,
}

fn queue(nodes: &[u32]) -> Vec<Wish> {
    vec![Wish::Queue(nodes.to_vec(), u64::MAX)]
}

/// What the policy has heard: the date, the invocation, the node if there is one, and what.
type Heard = (u64, u64, Option<u32>, String);

thread_local! {
    /// By invocation, in the order of being asked; after these it starts.
    static SCRIPT: RefCell<Vec<Vec<Wish>>> = const { RefCell::new(Vec::new()) };
    /// The date in ns, the invocation, and how many stand in the queue of each node, of each question.
    static ASKED: RefCell<Vec<(u64, u64, Vec<u32>)>> = const { RefCell::new(Vec::new()) };
    /// Whom is taken back at which date, in ns.
    static TAKEN_BACK: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) };
    /// What was heard: the date in ns, the invocation, the node, and what it was.
    static HEARD: RefCell<Vec<Heard>> = const { RefCell::new(Vec::new()) };
}

/// Answers what the script says.
struct Scripted {
    commitment: Commitment,
    actions: Actions,
    asked: Vec<usize>,
    /// What names the invocations to the service.
    keys: Vec<u64>,
}

parameters! {
    /// What can be set.
    pub struct Answers {
        /// whether answers bind
        bind: flag = true;
    }
}

impl Policy for Scripted {
    const NAME: &'static str = "scripted";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "answers what a script says";
    type Parameters = Answers;

    fn new(answers: Answers, context: &PolicyContext) -> Result<Self, PolicyError> {
        ASKED.with_borrow_mut(Vec::clear);
        HEARD.with_borrow_mut(Vec::clear);
        let commitment = if answers.bind { Commitment::UntilStarted } else { Commitment::PerRound };
        let actions = context.actions();
        TAKEN_BACK.with_borrow(|taken| taken.iter().for_each(|(date, number)| actions.wake_at(*number, *date)));
        Ok(Self { commitment, actions, asked: Vec::new(), keys: Vec::new() })
    }
}

fn hear(now: u64, invocation: u64, node: u32, what: String) {
    HEARD.with_borrow_mut(|heard| heard.push((now, invocation, (node != NONE).then_some(node), what)));
}

impl NodeAllocation for Scripted {
    fn rules(&self) -> AllocationRules {
        let commitment = self.commitment;
        AllocationRules { commitment, queues: true, observes_ends: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let invocation = request.invocation as usize;
        let queued = cluster.nodes.iter().map(|node| node.queued).collect();
        ASKED.with_borrow_mut(|asked| asked.push((cluster.now, request.invocation, queued)));
        self.asked.resize(self.asked.len().max(invocation + 1), 0);
        let times = self.asked[invocation];
        self.keys.resize(self.asked.len(), 0);
        self.keys[invocation] = request.key;
        self.asked[invocation] += 1;
        match SCRIPT.with_borrow(|script| script.get(invocation).and_then(|wishes| wishes.get(times)).cloned()) {
            Some(Wish::Queue(nodes, span)) => {
                Placement::Queue { nodes: nodes.into(), until: cluster.now.saturating_add(span) }
            }
            Some(Wish::Busy) => Placement::busy_anywhere(u64::MAX),
            Some(Wish::Wait) => Placement::Wait,
            Some(Wish::Start) | None => {
                let warm = cluster.free_core.first_also_in(&cluster.idle_container);
                warm.or_else(|| cluster.free_core.first()).into()
            }
        }
    }

    fn on_timer(&mut self, timer: u64, _cluster: &ClusterView<'_>) {
        self.actions.take_back(self.keys[timer as usize]);
        // Nobody is called so.
        self.actions.take_back(7 << 32);
        self.actions.take_back(0);
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        let what = if start.container == NONE { "a core" } else { "a container" };
        hear(start.now, start.invocation, start.node, what.to_owned());
    }

    fn on_end(&mut self, end: &End) {
        hear(end.now, end.invocation, end.node, format!("{:?}", end.ending));
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

/// By number: when the body of each invocation began, on which node, and whether its container was there already.
fn starts(results: &Results) -> Vec<Option<(u64, u32, bool)>> {
    let mut records: Vec<_> = results.records.iter().collect();
    records.sort_by_key(|record| record.invocation);
    let start = |record: &&InvocationRecord| {
        Some((record.started_at?.as_nanos(), record.node?, record.start == Some(RecordedStart::Warm)))
    };
    records.iter().map(start).collect()
}

/// The same in whole seconds.
fn seconds(results: &Results) -> Vec<Option<(u64, u32, bool)>> {
    let whole = |(date, node, is_warm): (u64, u32, bool)| {
        assert_eq!(date % S, 0, "{date}");
        (date / S, node, is_warm)
    };
    starts(results).into_iter().map(|start| start.map(whole)).collect()
}

/// Nodes of so many cores, with RAM for everybody, and functions whose containers take so long to start, in s.
fn scenario(nodes: &[u32], functions: &[u64], invocations: &[Value]) -> Value {
    let node = |(number, cores): (usize, &u32)| json!({"name": format!("node-{number}"), "cores": cores, "speed": "1Gf", "ram": "10GB"});
    let mut hosts: Vec<Value> = nodes.iter().enumerate().map(node).collect();
    hosts.push(json!({"name": "head", "cores": 1, "speed": "1Gf"}));
    let function = |(number, startup): (usize, &u64)| json!({"name": format!("f{number}"), "ram_limit": "1GB", "container_startup_overhead": startup});
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": hosts},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "functions": functions.iter().enumerate().map(function).collect::<Vec<_>>(),
        "workload": {"invocations": invocations},
        "policies": {"node_allocation": {"use": "scripted"}, "keep_alive": {"use": "fixed", "parameters": {"timeout": "10d"}}},
    })
}

fn invocation(at: u64, function: usize, runs: u64) -> Value {
    json!({"at": at, "function": format!("f{function}"), "body": [{"sleep": runs}]})
}

/// What was heard of an invocation: at which second, the node, and what.
fn heard(invocation: u64) -> Vec<(u64, Option<u32>, String)> {
    let of = |(now, number, node, what): &(u64, u64, Option<u32>, String)| {
        (*number == invocation).then(|| (*now / S, *node, what.clone()))
    };
    HEARD.with_borrow(|heard| heard.iter().filter_map(of).collect())
}

#[test]
fn a_core_that_is_free_goes_to_the_first_in_the_queue_of_its_node() {
    // Number 0 runs up to 10 on node 0; node 1 is free. Numbers 1 and 2 stand at node 0, number 3 comes later and may start anywhere.
    let invocations = [invocation(0, 0, 9), invocation(1, 0, 5), invocation(2, 1, 5), invocation(16, 0, 1)];
    let script = vec![queue(&[0]), queue(&[0]), queue(&[0]), vec![]];
    let results = run(&scenario(&[1, 1], &[1, 2], &invocations), script);
    let dates = [Some((1, 0, false)), Some((10, 0, true)), Some((17, 0, false)), Some((17, 1, false))];
    assert_eq!(seconds(&results), dates, "cold at once, warm, cold, and on the node without a queue");
    let queued: Vec<(u64, u64, Vec<u32>)> = ASKED.take();
    let expected = [(0, 0, vec![0, 0]), (1, 1, vec![0, 0]), (2, 2, vec![1, 0]), (16, 3, vec![0, 0])];
    assert_eq!(queued, expected.map(|(date, number, queued)| (date * S, number, queued)));
    let start_and_end =
        |start, end| vec![(start, Some(0), "a container".to_owned()), (end, Some(0), "Completed".to_owned())];
    assert_eq!([heard(0), heard(1), heard(2)], [start_and_end(0, 10), start_and_end(10, 15), start_and_end(15, 22)]);
}

#[test]
fn who_stands_in_several_queues_gets_the_first_core_and_leaves_the_others() {
    // Node 0 is taken up to 11, node 1 up to 6. Number 2 stands at both, 3 at node 1 behind it.
    let invocations =
        [invocation(0, 0, 10), invocation(0, 0, 5), invocation(2, 0, 10), invocation(3, 0, 1), invocation(4, 0, 1)];
    let script = vec![queue(&[0]), queue(&[1]), queue(&[0, 1]), queue(&[1]), queue(&[0])];
    let results = run(&scenario(&[1, 1], &[1], &invocations), script);
    let dates = [(1, 0, false), (1, 1, false), (6, 1, true), (16, 1, true), (11, 0, true)].map(Some);
    assert_eq!(seconds(&results), dates);
    // Of several nodes that have a core the one that is named first.
    let results = run(&scenario(&[1, 1], &[1], &[invocation(0, 0, 10)]), vec![queue(&[1, 0])]);
    assert_eq!(seconds(&results), [Some((1, 1, false))]);
}

#[test]
fn nobody_in_the_queue_of_the_head_comes_before_those_at_the_node() {
    // Both wait when node 0 is free at 11; number 1 came first, but waits at the head.
    let invocations = [invocation(0, 0, 10), invocation(1, 1, 5), invocation(2, 0, 5)];
    let script = vec![queue(&[0]), vec![Wish::Wait, Wish::Wait], queue(&[0])];
    let results = run(&scenario(&[1], &[1, 1], &invocations), script);
    assert_eq!(seconds(&results), [(1, 0, false), (17, 0, false), (11, 0, true)].map(Some));
    // A container that somebody waits for goes over with its core.
    let invocations = [invocation(0, 0, 10), invocation(1, 0, 5), invocation(2, 0, 5)];
    let script = vec![queue(&[0]), queue(&[0]), vec![Wish::Busy]];
    let results = run(&scenario(&[1], &[1], &invocations), script);
    assert_eq!(seconds(&results), [(1, 0, false), (16, 0, true), (11, 0, true)].map(Some));
}

#[test]
fn who_has_no_room_keeps_its_place_and_those_behind_it_wait() {
    let described = |script: Vec<Vec<Wish>>| {
        // Of 10 GB number 0 holds 6 up to 11, when its container goes; number 1 needs 8, number 2 needs 1.
        let invocations = [invocation(0, 0, 10), invocation(1, 1, 5), invocation(2, 2, 5)];
        let mut scenario = scenario(&[3], &[1, 1, 1], &invocations);
        scenario["policies"]["keep_alive"] = json!({"use": "no-keep-alive"});
        for (number, ram) in ["6GB", "8GB", "1GB"].into_iter().enumerate() {
            scenario["functions"][number]["ram_limit"] = json!(ram);
        }
        seconds(&run(&scenario, script))
    };
    let in_turn = [(1, 0, false), (12, 0, false), (12, 0, false)].map(Some);
    assert_eq!(described(vec![queue(&[0]), queue(&[0]), queue(&[0])]), in_turn);
    // One that does not stand there is asked about: the core is free.
    let passed = [(1, 0, false), (12, 0, false), (3, 0, false)].map(Some);
    assert_eq!(described(vec![queue(&[0]), queue(&[0]), vec![]]), passed);
}

#[test]
fn who_has_stood_long_enough_is_asked_about_again() {
    let invocations = [invocation(0, 0, 10), invocation(1, 0, 5)];
    let until = |span| vec![queue(&[0]), vec![Wish::Queue(vec![0], span)]];
    let results = run(&scenario(&[1, 1], &[1], &invocations), until(4 * S));
    assert_eq!(seconds(&results)[1], Some((6, 1, false)), "asked again at 5");
    let expected = [(5, None, "Requeued"), (11, Some(1), "Completed")].map(|(at, on, what)| (at, on, what.to_owned()));
    assert_eq!(heard(1), expected);
    // No date that has passed, and none that comes too late, does anything.
    assert_eq!(starts(&run(&scenario(&[1, 1], &[1], &invocations), until(0)))[1], Some((2 * S + 1, 1, false)));
    assert_eq!(seconds(&run(&scenario(&[1, 1], &[1], &invocations), until(60 * S)))[1], Some((11, 0, true)));
}

#[test]
fn one_is_taken_back_and_stolen() {
    let invocations = [invocation(0, 0, 10), invocation(0, 0, 3), invocation(1, 0, 5), invocation(2, 0, 2)];
    let mut scenario = scenario(&[1, 1], &[1], &invocations);
    // Numbers 2 and 3 stand at node 0; number 2 is taken at 5 and goes to node 1, where one is idle since 4. Number 0 runs then.
    let script = vec![queue(&[0]), queue(&[1]), queue(&[0]), queue(&[0])];
    TAKEN_BACK.set(vec![(5 * S, 2), (6 * S, 0), (7 * S, 1)]);
    let results = run(&scenario, script.clone());
    assert_eq!(seconds(&results), [(1, 0, false), (1, 1, false), (5, 1, true), (11, 0, true)].map(Some));
    let expected = [(5, None, "Requeued"), (10, Some(1), "Completed")].map(|(at, on, what)| (at, on, what.to_owned()));
    assert_eq!(heard(2), expected);
    // It may go back to where it stood, and keeps its turn.
    let mut back = script.clone();
    back[2].push(Wish::Queue(vec![0], u64::MAX));
    let results = run(&scenario, back);
    assert_eq!(seconds(&results)[2..], [(11, 0, true), (16, 0, true)].map(Some));
    // The head cannot place anybody while it is down, but it knows whom it has taken back.
    scenario["faults"] = json!({"scripted": [{"at": 4, "for": 3, "host": "head"}]});
    TAKEN_BACK.set(vec![(5 * S, 2)]);
    assert_eq!(seconds(&run(&scenario, script))[2], Some((7, 1, true)));
    TAKEN_BACK.take();
}

#[test]
fn one_is_back_when_all_its_nodes_are_down() {
    let invocations = [invocation(0, 0, 20), invocation(0, 0, 20), invocation(1, 0, 5)];
    let scenario = |faults: Value| {
        let mut scenario = scenario(&[1, 1, 1], &[1], &invocations);
        scenario["faults"] = json!({"scripted": faults});
        scenario
    };
    let down = |at: u64, node: u32| json!({"at": at, "for": 1, "host": format!("node-{node}")});
    let script = vec![queue(&[0]), queue(&[1]), queue(&[0, 1])];
    // One node only drops out, also for good: node 0 has a free core at 5.
    let one = run(&scenario(json!([down(4, 0)])), script.clone());
    assert_eq!(seconds(&one)[2], Some((21, 1, true)));
    assert_eq!(heard(2)[0], (21, Some(1), "a container".to_owned()));
    // Then the other one.
    let both = run(&scenario(json!([down(4, 0), down(6, 1)])), script);
    assert_eq!(seconds(&both)[2], Some((7, 0, false)), "asked again at 6");
    assert_eq!(heard(2)[0], (6, None, "Requeued".to_owned()));
}

#[test]
fn those_that_are_lost_stopped_or_never_served_are_told_of() {
    // The head loses its queue, with those that stand at nodes.
    let invocations = [invocation(0, 0, 10), invocation(1, 0, 5), invocation(6, 0, 5)];
    let mut lost = scenario(&[1, 1], &[1], &invocations);
    lost["faults"] = json!({"head_queue": "lost", "scripted": [{"at": 4, "for": 1, "host": "head"}]});
    let results = run(&lost, vec![queue(&[0]), queue(&[0])]);
    assert_eq!(seconds(&results), [Some((1, 0, false)), None, Some((7, 1, false))]);
    assert_eq!(heard(1), [(4, None, "Lost".to_owned())]);
    assert_eq!(ASKED.take().last(), Some(&(6 * S, 2, vec![0, 0])), "the queues are empty");
    // The other attempt completes first.
    let invocations = [invocation(0, 0, 10), invocation(1, 0, 3)];
    let mut hedged = scenario(&[1, 1], &[1], &invocations);
    hedged["recovery"] = json!({"hedge": {"after": 2}});
    let hedged = run(
        &hedged,
        vec![vec![Wish::Start, Wish::Queue(vec![0], u64::MAX)], vec![Wish::Start, Wish::Queue(vec![0, 1], u64::MAX)]],
    );
    assert_eq!(seconds(&hedged), [Some((1, 0, false)), Some((2, 1, false))]);
    assert_eq!(heard(1), [(5, Some(1), "Completed".to_owned()), (5, None, "Stopped".to_owned())]);
    // Nobody ends in front of it.
    let mut stalled = scenario(&[1, 1], &[1], &[invocation(0, 0, 10), invocation(1, 0, 3)]);
    stalled["faults"] = json!({"scripted": [{"at": 3, "host": "head"}]});
    let reason = run(&stalled, vec![queue(&[0]), queue(&[0])]).stall.map(|stall| stall.reason);
    assert_eq!(reason.as_deref(), Some("waits for the head: host \"head\" is down"));
    let mut stalled = scenario(&[2, 1], &[1, 1], &[invocation(0, 0, 1), invocation(5, 1, 3)]);
    stalled["functions"][1]["ram_limit"] = json!("10GB");
    stalled["platform"]["hosts"][1]["ram"] = json!("10GB");
    stalled["platform"]["hosts"][0]["ram"] = json!("2GB");
    let reason = run(&stalled, vec![queue(&[0]), queue(&[0])]).stall.map(|stall| stall.reason);
    let expected = "waits in the queue of node \"node-0\", as policies.node_allocation, \"scripted\", has answered: node \
                    \"node-0\" has a free core, and no room for the first in its queue";
    assert_eq!(reason.as_deref(), Some(expected));
}

/// A node of 100 MB/s to which the image, of 100 MB, takes a second from the head, and one more into RAM.
#[test]
fn who_needs_an_image_has_its_core_while_that_comes() {
    let invocations = [invocation(0, 0, 5), invocation(10, 1, 5), invocation(11, 1, 5)];
    let mut scenario = scenario(&[1], &[1, 1], &invocations);
    let disk = json!({"capacity": "10GB", "read_bandwidth": "100MBps", "write_bandwidth": "100MBps"});
    (scenario["platform"]["hosts"][0]["disk"], scenario["platform"]["hosts"][1]["disk"]) = (disk.clone(), disk);
    scenario["platform"]["links"] = json!([{"name": "lan", "bandwidth": "100GBps", "latency": 0}]);
    scenario["platform"]["routes"] = json!([{"from": "head", "to": "node-*", "links": ["lan"]}]);
    scenario["service"]["simulate_image_downloads"] = json!(false);
    scenario["images"] = json!([{"name": "i", "size": "100MB", "ram_footprint": "100MB"}]);
    scenario["functions"][1]["image"] = json!("i");
    let results = run(&scenario, vec![queue(&[0]), queue(&[0]), queue(&[0])]);
    assert_eq!(seconds(&results), [(1, 0, false), (13, 0, false), (18, 0, true)].map(Some));
    let expected =
        [(10, Some(0), "a core"), (18, Some(0), "Completed")].map(|(at, on, what)| (at, on, what.to_owned()));
    assert_eq!(heard(1), expected);
}

#[test]
fn answers_that_cannot_be_followed_are_refused() {
    let refused = |nodes: &[u32], binds: bool| {
        let mut scenario = scenario(&[1, 1], &[1], &[invocation(0, 0, 1)]);
        scenario["policies"]["node_allocation"]["parameters"] = json!({"bind": binds});
        try_run(&scenario, vec![queue(nodes)]).unwrap_err().to_string()
    };
    assert!(refused(&[0, 7], true).contains("answered node 7, but there are nodes 0 to 1"));
    assert!(refused(&[1, 0, 1], true).contains("answered to queue at node 1 twice"));
    assert!(refused(&[], true).contains("answered to queue at nodes, and names none"));
    assert!(refused(&[0], false).contains("answered to queue at nodes, which binds"));
    let mut scenario = scenario(&[1, 1], &[1], &[invocation(2, 0, 1)]);
    scenario["faults"] = json!({"scripted": [{"at": 1, "for": 5, "host": "node-1"}]});
    let error = try_run(&scenario, vec![queue(&[0, 1])]).unwrap_err().to_string();
    assert!(error.contains("answered node 1 (\"node-1\"), which is down"), "{error}");
}

#[test]
fn a_policy_that_has_somebody_stand_for_a_moment_again_and_again_is_stopped() {
    let mut scenario = scenario(&[1], &[1], &[invocation(0, 0, 60), invocation(1, 0, 1)]);
    scenario["max_events_without_progress"] = json!(1000);
    let error = try_run(&scenario, vec![queue(&[0]), vec![Wish::Queue(vec![0], 0); 2000]]).unwrap_err();
    assert!(matches!(error, Error::NoProgress { .. }), "{error}");
}

/// With `none` nobody is placed behind one that stands at nodes; with `easy` nobody counts on their cores, and who is not the first
/// stands nowhere.
#[test]
fn those_behind_do_not_pass_by_standing_at_nodes() {
    let described = |backfilling: &str, nodes: &[u32], invocations: &[Value], script: Vec<Vec<Wish>>| {
        let mut scenario = scenario(nodes, &[0, 0], invocations);
        scenario["service"]["backfilling"] = json!(backfilling);
        for (number, (ram, limit)) in [("4GB", 10), ("8GB", 5)].into_iter().enumerate() {
            scenario["functions"][number]["ram_limit"] = json!(ram);
            scenario["functions"][number]["time_limit"] = json!(limit);
        }
        seconds(&run(&scenario, script)).into_iter().flatten().map(|start| (start.0, start.1)).collect::<Vec<_>>()
    };
    let invocations = [invocation(0, 0, 10), invocation(1, 0, 5), invocation(2, 0, 1)];
    let script = || vec![queue(&[0]), queue(&[0]), vec![]];
    assert_eq!(described("none", &[1, 1], &invocations, script()), [(0, 0), (10, 0), (10, 1)]);
    assert_eq!(described("easy", &[1, 1], &invocations, script()), [(0, 0), (10, 0), (2, 1)]);
    // The large one, number 1, has its place at 10, when number 0 is over by its limit. Number 2 would rather stand there.
    let invocations = [invocation(0, 0, 10), invocation(1, 1, 1), invocation(2, 0, 10)];
    assert_eq!(described("easy", &[3], &invocations, vec![vec![], vec![], queue(&[0])]), [(0, 0), (10, 0), (11, 0)]);
}
