//! Queues at nodes: whatever policies answer and take back, nothing is lost and nobody overtakes in the queue of a node; and
//! `join-shortest-queue` and `sparrow` give the dates of models of a few lines.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};
use crate::invocation::InvocationRecord;
use crate::service::Service;
use crate::service::attempts::Stage;

/// An attempt, by the numbers of its invocation and of itself.
type Key = (u64, u32);

/// What the policy knows from its answers and from what it is told.
#[derive(Default)]
struct Known {
    /// By node: those that have a core there, or wait there for their image.
    placed: BTreeMap<u32, u32>,
    /// Those that stand in queues of nodes, and in whose.
    standing: BTreeMap<Key, Vec<u32>>,
    awaiting: BTreeSet<Key>,
    /// In the order of entering the queue of the head.
    turns: BTreeMap<Key, u64>,
    /// What names them to the service.
    keys: BTreeMap<Key, u64>,
    /// Nodes may go down, and who stands there leaves without a word: more may be known to stand in a queue than do.
    is_vague: bool,
}

impl Known {
    /// How many stand in the queue of a node, which is up.
    fn queued(&self, node: u32) -> u32 {
        self.standing.values().filter(|nodes| nodes.contains(&node)).count() as u32
    }

    /// One has a core of a node: nobody stands in the queue of that with an earlier turn.
    fn starts(&mut self, key: Key, node: u32) {
        if let Some(nodes) = self.standing.remove(&key) {
            assert!(nodes.contains(&node), "{key:?} starts on node {node}, and stood at {nodes:?}");
            let is_before =
                |(other, nodes): (&Key, &Vec<u32>)| nodes.contains(&node) && self.turns[other] < self.turns[&key];
            let overtaken = self.standing.iter().find(|(other, nodes)| is_before((other, nodes)));
            assert!(self.is_vague || overtaken.is_none(), "{key:?} overtakes {overtaken:?} on node {node}");
        } else {
            assert!(self.awaiting.remove(&key), "{key:?} has not waited");
        }
        *self.placed.entry(node).or_default() += 1;
    }
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

fn known<T>(look: impl FnOnce(&mut Known) -> T) -> T {
    KNOWN.with_borrow_mut(look)
}

/// Answers whatever it draws, and takes back some of those that stand at nodes.
struct Erratic {
    actions: Actions,
    seed: u64,
    calls: u64,
    entered: u64,
}

impl Erratic {
    fn draw(&mut self, below: u64) -> u64 {
        self.calls += 1;
        derive_seed(self.seed, &self.calls.to_string()) % below
    }

    fn take_one_back(&mut self) {
        let standing: Vec<Key> = known(|known| known.standing.keys().copied().collect());
        if !standing.is_empty() {
            let taken = standing[self.draw(standing.len() as u64) as usize];
            self.actions.take_back(known(|known| known.keys[&taken]));
        }
    }
}

impl Policy for Erratic {
    const NAME: &'static str = "erratic";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "answers anything";
    type Parameters = ();

    fn new((): (), context: &PolicyContext) -> Result<Self, PolicyError> {
        known(|known| *known = Known { is_vague: known.is_vague, ..Known::default() });
        let actions = context.actions();
        actions.wake_at(0, 1_700_000_000);
        Ok(Self { actions, seed: context.seed, calls: 0, entered: 0 })
    }
}

impl NodeAllocation for Erratic {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: true, observes_ends: true, ranks: true, queues: true, ..AllocationRules::default() }
    }

    fn rank(&mut self, request: &RequestView, _now: u64) -> u64 {
        // The same for all: it is called in the order of turns.
        self.entered += 1;
        known(|known| known.turns.insert((request.invocation, request.attempt), self.entered));
        known(|known| known.keys.insert((request.invocation, request.attempt), request.key));
        0
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let key = (request.invocation, request.attempt);
        known(|known| {
            assert!(!known.standing.contains_key(&key), "{key:?} stands at nodes, and is asked about");
            for (node, view) in (0..).zip(cluster.nodes.iter()) {
                let (shown, queued) = (view.queued, known.queued(node));
                assert!(shown == queued || known.is_vague && shown < queued, "{shown} at node {node}, not {queued}");
            }
        });
        let until = [u64::MAX, cluster.now, cluster.now + 900_000_000 * self.draw(9)][self.draw(3) as usize];
        match self.draw(8) {
            0 => Placement::Wait,
            1 => {
                known(|known| known.awaiting.insert(key));
                Placement::Busy { node: NONE, until: until.min(cluster.now + 9_000_000_000) }
            }
            2..5 => {
                let can_run = |node: &u32| {
                    cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request)
                };
                let is_rash = self.draw(3) == 0;
                let node = cluster.free_core.iter().find(|node| is_rash || can_run(node));
                node.inspect(|node| known(|known| *known.placed.entry(*node).or_default() += 1)).into()
            }
            _ => {
                let mut nodes: Vec<u32> = cluster.up.iter().filter(|_| self.draw(2) == 0).collect();
                if nodes.is_empty() {
                    return Placement::Wait;
                }
                let first = self.draw(nodes.len() as u64) as usize;
                nodes.rotate_left(first);
                known(|known| known.standing.insert(key, nodes.clone()));
                Placement::Queue { nodes: nodes.into(), until }
            }
        }
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        assert!(up || view.queued == 0, "somebody stands at node {node}, which is down");
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        self.take_one_back();
        self.actions.wake_at(timer, cluster.now + 1_700_000_000);
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        known(|known| known.starts((start.invocation, start.attempt), start.node));
    }

    fn on_end(&mut self, end: &End) {
        known(|known| {
            let key = (end.invocation, end.attempt);
            let waited = known.standing.remove(&key).is_some() | known.awaiting.remove(&key);
            assert!(!waited || end.node == NONE && end.start == Start::None, "{end:?} has waited");
            if end.node != NONE {
                let placed = known.placed.get_mut(&end.node).expect("somebody was placed there");
                *placed = placed.checked_sub(1).expect("no more end than were placed");
            }
        });
        if self.draw(5) == 0 {
            self.take_one_back();
        }
    }
}

/// What the policy knows is what is there.
fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let (mut placed, mut standing) = (BTreeMap::<u32, u32>::new(), BTreeMap::new());
    for (key, attempt) in service.attempts().iter() {
        match attempt.stage() {
            Stage::Held(occupied) => *placed.entry(occupied.node().0).or_default() += 1,
            Stage::Bound { promise, .. } => *placed.entry(promise.node().0).or_default() += 1,
            Stage::AwaitsCore => {
                let nodes: BTreeSet<u32> = service.attempts().nodes_of(key).iter().map(|node| node.0).collect();
                standing.insert((attempt.record.invocation, attempt.number()), nodes);
            }
            _ => {}
        }
    }
    known(|known| {
        known.placed.retain(|_, count| *count > 0);
        prop_assert_eq!(&known.placed, &placed);
        prop_assert_eq!(known.standing.keys().collect::<Vec<_>>(), standing.keys().collect::<Vec<_>>());
        for (key, nodes) in &standing {
            prop_assert!(nodes.iter().all(|node| known.standing[key].contains(node)));
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn nobody_is_lost_who_queues_at_nodes_and_nobody_overtakes(
        scenario in scenario(), faults in prop::option::of(faults()), seed in any::<u64>(),
    ) {
        let mut scenario = scenario;
        known(|known| known.is_vague = faults.is_some());
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["seed"] = json!(seed);
        scenario["policies"]["node_allocation"] = json!({"use": "erratic"});
        let policies = [&[PolicyDescriptor::node_allocation::<Erratic>()], hearth_plugins::BUILT_IN].concat();
        let run = || run_with(&scenario, &policies, check);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert!(files_of(&first?) == files_of(&second?));
    }
}

/// Who comes when, of which of two functions, and runs how long; dates and times in ns.
#[derive(Clone, Copy, Debug)]
struct Job {
    at: u64,
    function: u8,
    runs: u64,
}

/// Nodes of so many cores with RAM for everybody, functions without images whose containers start at once, and jobs. Dates are made
/// of milliseconds that are drawn, and of nanoseconds of their own, so that they do not meet.
fn bare_cluster() -> impl Strategy<Value = (Vec<u32>, Vec<Job>, bool)> {
    let nodes = proptest::collection::vec(1..4_u32, 1..5);
    let jobs = proptest::collection::vec((0..6000_u64, 0..2_u8, 1..4000_u64), 1..40);
    (nodes, jobs, any::<bool>()).prop_map(|(nodes, mut jobs, keeps)| {
        jobs.sort_unstable();
        let job = |(number, (at, function, runs)): (u64, (u64, u8, u64))| {
            let (at, runs) = (at * 1_000_000 + 17 * number, runs * 1_000_000 + 3001 * number);
            Job { at, function, runs }
        };
        (nodes, (0..).zip(jobs).map(job).collect(), keeps)
    })
}

/// When each job begins, by number, and on which node.
fn starts(nodes: &[u32], jobs: &[Job], keeps: bool, allocation: &Value) -> Result<Vec<(u64, u32)>, TestCaseError> {
    let node = |(number, cores): (usize, &u32)| json!({"name": format!("node-{number}"), "cores": cores, "speed": "1Gf", "ram": "1TB"});
    let mut hosts: Vec<Value> = nodes.iter().enumerate().map(node).collect();
    hosts.push(json!({"name": "head", "cores": 1, "speed": "1Gf"}));
    let function =
        |number: u8| json!({"name": format!("f{number}"), "ram_limit": "1GB", "container_startup_overhead": 0});
    let job = |job: &Job| {
        let (at, runs) = (format!("{}ns", job.at), format!("{}ns", job.runs));
        json!({"at": at, "function": format!("f{}", job.function), "body": [{"sleep": runs}]})
    };
    let keep_alive =
        if keeps { json!({"use": "fixed", "parameters": {"timeout": "10d"}}) } else { json!({"use": "no-keep-alive"}) };
    let scenario = json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": hosts},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "functions": [function(0), function(1)],
        "workload": {"invocations": jobs.iter().map(job).collect::<Vec<_>>()},
        "policies": {"node_allocation": allocation, "keep_alive": keep_alive},
    });
    let mut records = run(&scenario).expect("there is room for the functions")?.records;
    records.sort_by_key(|record| record.invocation);
    let start = |record: &InvocationRecord| Some((record.started_at?.as_nanos(), record.node?));
    Ok(records.iter().map(|record| start(record).expect("all run")).collect())
}

/// One server with so many cores, first come, first served: when each core is free (Lindley's recursion).
struct Server(BinaryHeap<Reverse<u64>>);

impl Server {
    fn new(cores: u32) -> Self {
        Self((0..cores).map(|_| Reverse(0)).collect())
    }

    /// When a job begins.
    fn serve(&mut self, job: &Job) -> u64 {
        let Reverse(free) = self.0.pop().expect("it has a core");
        let start = free.max(job.at);
        self.0.push(Reverse(start + job.runs));
        start
    }
}

/// When each job begins, and where, that joins the queue of the server with the fewest in it for each core, of these one with an
/// idle container of its function, then the first.
fn joining_the_shortest(nodes: &[u32], jobs: &[Job], keeps: bool) -> Vec<(u64, u32)> {
    // Of each server its jobs, with when they begin.
    let mut servers: Vec<(Server, Vec<(u64, Job)>)> =
        nodes.iter().map(|cores| (Server::new(*cores), Vec::new())).collect();
    let running = |date: u64, function: u8, jobs: &[(u64, Job)]| {
        let runs = |(start, job): &&(u64, Job)| job.function == function && (*start..start + job.runs).contains(&date);
        jobs.iter().filter(runs).count()
    };
    let is_warm = |Job { at, function, .. }: Job, jobs: &[(u64, Job)]| {
        // As many containers as have been in use at once.
        let starts = jobs.iter().map(|(start, _)| *start).filter(|start| *start <= at);
        let containers = starts.map(|start| running(start, function, jobs)).max().unwrap_or(0);
        keeps && containers > running(at, function, jobs)
    };
    let start = |job: &Job| {
        let load = |node: &usize| {
            let jobs = &servers[*node].1;
            let present = jobs.iter().filter(|(start, other)| job.at < start + other.runs).count() as u32;
            // Of one to three cores, sixths are whole.
            (present * 6 / nodes[*node], !is_warm(*job, jobs))
        };
        let node = (0..nodes.len()).min_by_key(load).expect("there is a node");
        let (server, jobs) = &mut servers[node];
        let start = server.serve(job);
        jobs.push((start, *job));
        (start, node as u32)
    };
    jobs.iter().map(start).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_shortest_queue_is_joined_as_in_a_plain_model((nodes, jobs, keeps) in bare_cluster()) {
        let found = starts(&nodes, &jobs, keeps, &json!({"use": "join-shortest-queue"}))?;
        prop_assert_eq!(found, joining_the_shortest(&nodes, &jobs, keeps));
    }

    #[test]
    fn whoever_queues_at_all_nodes_has_one_queue((nodes, jobs, keeps) in bare_cluster()) {
        let found = starts(&nodes, &jobs, keeps, &json!({"use": "sparrow", "parameters": {"probes": nodes.len()}}))?;
        let mut server = Server::new(nodes.iter().sum());
        let expected: Vec<u64> = jobs.iter().map(|job| server.serve(job)).collect();
        prop_assert_eq!(found.into_iter().map(|(date, _)| date).collect::<Vec<_>>(), expected);
    }
}
