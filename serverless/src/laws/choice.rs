//! Policies that say which container a request takes: the one that the host would have taken, a new one, or any; and what they
//! see of containers is what is there.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::abi::{CONTAINER_BUSY, CONTAINER_STARTING, CONTAINER_STARTING_AHEAD};
use hearth_policy_api::boundary::ContainerSource;
use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use hearth_simcore::time::SimTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run_with};
use crate::cluster::ContainerLists;
use crate::experiment::Results;
use crate::invocation::Start;
use crate::service::Service;
use crate::service::containers::ShownContainers;

/// How the policies of these laws answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answers {
    /// A node alone.
    Node,
    /// With the container that the host would take there.
    Same { most_recent: bool },
    /// With a new container.
    Cold,
    /// With what is drawn.
    Drawn,
}

/// What a run is to do, and what its policies have done.
#[derive(Clone, Copy, Debug)]
struct Course {
    answers: Answers,
    commitment: Commitment,
    /// Each answer is carried out on the node that it names.
    is_where_it_says: bool,
    /// Answers that named a container.
    warm: u64,
}

thread_local! {
    static COURSE: RefCell<Course> = const {
        RefCell::new(Course {
            answers: Answers::Node, commitment: Commitment::UntilStarted, is_where_it_says: true, warm: 0,
        })
    };
}

fn course() -> Course {
    COURSE.with_borrow(|course| *course)
}

/// What is shown of the containers of a node fits what is shown of the node; gives how many are in use.
fn check_shown(cluster: &ClusterView<'_>, node: u32) -> u32 {
    let (view, shown) = (&cluster.nodes[node as usize], cluster.containers_on(node));
    assert!(shown.iter().map(|it| it.container).is_sorted_by(|one, next| one < next), "by number: {shown:?}");
    assert!(shown.iter().all(|it| it.created <= it.since && it.since <= cluster.now && it.since <= it.expires));
    let is_taken = |it: &&ContainerView| it.is_busy() && it.invocation == u64::MAX;
    let idle: Vec<&ContainerView> = shown.iter().filter(|it| it.is_idle() || is_taken(it)).collect();
    assert_eq!(idle.len() as u32, view.idle_containers, "{shown:?}");
    assert_eq!(idle.iter().map(|it| it.ram).sum::<u64>(), view.idle_ram);
    assert_eq!(idle.iter().map(|it| it.disk).sum::<u64>(), view.idle_disk);
    assert!(shown.iter().map(|it| it.ram).sum::<u64>() <= view.ram - view.free_ram);
    let in_use = shown.iter().filter(|it| it.invocation != u64::MAX).count() as u32;
    assert!(in_use <= view.running, "{in_use} containers are in use: {view:?}");
    let of_attempts = shown.iter().filter(|it| it.invocation != u64::MAX).map(|it| (it.invocation, it.attempt));
    assert_eq!(of_attempts.collect::<BTreeSet<_>>().len() as u32, in_use, "each attempt has one: {shown:?}");
    in_use
}

/// Asks for a place by what it has been told ([`Course`]).
struct Chooser {
    seed: u64,
    calls: u64,
    /// By node: answers less ends.
    placed: BTreeMap<u32, u32>,
}

impl Chooser {
    fn draw(&mut self, below: usize) -> usize {
        self.calls += 1;
        (derive_seed(self.seed, &self.calls.to_string()) % below.max(1) as u64) as usize
    }

    /// A node with a core and with an idle container of the function, or room for one.
    fn node(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Option<u32> {
        let fits =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        let nodes: Vec<u32> = cluster.free_core.iter().filter(fits).collect();
        let drawn = self.draw(nodes.len());
        nodes.get(drawn).copied()
    }

    fn answer(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let Some(node) = self.node(request, cluster) else { return Placement::Wait };
        let shown = cluster.containers_on(node);
        let idle: Vec<&ContainerView> =
            shown.iter().filter(|it| it.is_idle() && it.function == request.function).collect();
        assert_eq!(!idle.is_empty(), cluster.idle_container.contains(node), "{shown:?}");
        let container = match course().answers {
            Answers::Node => None,
            Answers::Cold => return Placement::Cold { node },
            Answers::Same { most_recent } => {
                let first = idle.iter().map(|it| it.since).min();
                let last = idle.iter().map(|it| it.since).max();
                let chosen: Vec<_> =
                    idle.iter().filter(|it| Some(it.since) == if most_recent { last } else { first }).collect();
                // Of those that became idle at one date nothing tells which was first.
                if let [chosen] = chosen[..] { Some(chosen.container) } else { None }
            }
            Answers::Drawn => {
                let drawn = self.draw(idle.len() + 2);
                if drawn == idle.len() {
                    return Placement::Cold { node };
                }
                idle.get(drawn).map(|it| it.container)
            }
        };
        let Some(container) = container else { return Placement::Node(node) };
        COURSE.with_borrow_mut(|course| course.warm += 1);
        Placement::Warm { node, container }
    }
}

impl Policy for Chooser {
    const NAME: &'static str = "chooser";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "says which container a request takes";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { seed: context.seed, calls: 0, placed: BTreeMap::new() })
    }
}

impl NodeAllocation for Chooser {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: course().commitment, observes_ends: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let course = course();
        for node in 0..cluster.nodes.len() as u32 {
            // Asked for in the other order and once more, so that lists must stay.
            let others: Vec<_> = (0..node).rev().map(|other| cluster.containers_on(other)).collect();
            check_shown(cluster, node);
            others.iter().zip((0..node).rev()).for_each(|(shown, other)| {
                assert!(shown.iter().eq(cluster.containers_on(other).iter()), "they stay during the call");
            });
            let placed = self.placed.get(&node).copied().unwrap_or_default();
            if course.commitment == Commitment::UntilStarted && course.is_where_it_says {
                assert_eq!(placed, cluster.nodes[node as usize].running, "answers less ends on node {node}");
            }
        }
        assert!(cluster.containers_on(cluster.nodes.len() as u32).is_empty());
        let answer = self.answer(request, cluster);
        if let Placement::Node(node) | Placement::Warm { node, .. } | Placement::Cold { node } = answer {
            *self.placed.entry(node).or_default() += 1;
        }
        answer
    }

    fn on_end(&mut self, end: &End) {
        if let Some(placed) = self.placed.get_mut(&end.node) {
            *placed = placed.saturating_sub(1);
        }
    }
}

/// Lets everybody in, after a look at all containers: between rounds nothing is taken that is not in use.
struct Auditor;

impl Policy for Auditor {
    const NAME: &'static str = "auditor";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "counts containers";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Admission for Auditor {
    fn admit(&mut self, _request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
        let nodes = 0..view.cluster.nodes.len() as u32;
        let in_use: u32 = nodes.clone().map(|node| check_shown(view.cluster, node)).sum();
        assert_eq!(u64::from(in_use), view.running);
        let mut shown = nodes.flat_map(|node| view.cluster.containers_on(node).iter().collect::<Vec<_>>());
        assert!(shown.all(|it| !it.is_busy() || it.invocation != u64::MAX), "taken between rounds");
        AdmissionDecision::Admit
    }
}

/// Answers at random for the whole queue, also on nodes without a free core.
struct Planner(Chooser);

impl Policy for Planner {
    const NAME: &'static str = "planner";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "says which container each request takes";
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Chooser::new(parameters, context).map(Self)
    }
}

impl BatchAllocation for Planner {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: course().commitment, ..AllocationRules::default() }
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        let up: Vec<u32> = batch.up.iter().collect();
        let mut taken = BTreeSet::new();
        for (request, view) in (0..).zip(batch.queue.iter()) {
            let drawn = self.0.draw(up.len());
            let Some(&node) = up.get(drawn) else { return };
            let shown = batch.containers_on(node);
            let is_free = |it: &&ContainerView| {
                it.is_idle() && it.function == view.function && !taken.contains(&(node, it.container))
            };
            let idle: Vec<u32> = shown.iter().filter(is_free).map(|it| it.container).collect();
            let drawn = self.0.draw(idle.len() + 2);
            plan.push(match idle.get(drawn) {
                Some(&container) => {
                    // Without a core it is not taken.
                    taken.insert((node, container));
                    PlanItem::RunWarm { request, node, container }
                }
                None if drawn == idle.len() => PlanItem::RunCold { request, node },
                None => PlanItem::Run { request, node },
            });
        }
        // Who is given any idle container may get one that is named for another.
        if plan.iter().any(|item| matches!(item, PlanItem::RunWarm { .. })) {
            plan.retain(|item| !matches!(item, PlanItem::Run { .. }));
        }
    }
}

/// What would be shown is what is there, and who has it.
fn check_there(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let (mut lists, now) = (ContainerLists::default(), SimTime::MAX);
    let shown = ShownContainers::new(service.cluster(), service.attempts(), &mut lists, now);
    for (position, node) in service.cluster().nodes().named() {
        let shown = shown.containers_on(position.0);
        let view = service.cluster().node_view(position);
        let count = |state| shown.iter().filter(|it| it.state == state).count();
        prop_assert_eq!(shown.iter().filter(|it| it.is_idle()).count(), view.idle_containers as usize);
        prop_assert_eq!(count(CONTAINER_BUSY) + count(CONTAINER_STARTING), node.running as usize);
        prop_assert_eq!(count(CONTAINER_STARTING_AHEAD), service.prewarming_on(position));
        let ram = node.ram.capacity() - node.ram.free() - node.ram.image_bytes();
        prop_assert_eq!(shown.iter().map(|it| it.ram).sum::<u64>(), ram);
        let disk = node.disk.capacity() - node.disk.free() - node.disk.image_bytes();
        prop_assert_eq!(shown.iter().map(|it| it.disk).sum::<u64>(), disk);
        let mut held: Vec<_> = Vec::new();
        for (_, attempt) in service.attempts().iter() {
            if let Some(occupied) = attempt.occupied().filter(|occupied| occupied.node() == position) {
                let (record, number) = (&attempt.record, attempt.number());
                let since = record.started_at.or(record.dispatched_at).map(SimTime::as_nanos);
                let is_busy = record.started_at.is_some();
                held.push((occupied.container().0, record.invocation, number, since, is_busy));
            }
        }
        held.sort_unstable();
        let in_use = shown.iter().filter(|it| it.invocation != u64::MAX);
        let in_use = in_use.map(|it| (it.container, it.invocation, it.attempt, Some(it.since), it.is_busy()));
        prop_assert_eq!(in_use.collect::<Vec<_>>(), held);
    }
    Ok(())
}

/// A scenario with a policy of these laws.
fn with(mut scenario: Value, policy: &str, faults: Option<(Value, Value)>) -> Value {
    scenario["policies"]["node_allocation"] = json!({"use": policy});
    scenario["policies"]["admission"] = json!({"use": "auditor"});
    if let Some((faults, recovery)) = faults {
        (scenario["faults"], scenario["recovery"]) = (faults, recovery);
    }
    scenario
}

/// What comes of a scenario when its policy answers so, and how many answers named a container.
fn run(scenario: &Value, answers: Answers, commitment: Commitment) -> Option<Result<(Results, u64), TestCaseError>> {
    let is_where_it_says = scenario["service"]["backfilling"] == "unlimited";
    COURSE.set(Course { answers, commitment, is_where_it_says, warm: 0 });
    let own = [
        PolicyDescriptor::node_allocation::<Chooser>(),
        PolicyDescriptor::batch_allocation::<Planner>(),
        PolicyDescriptor::admission::<Auditor>(),
    ];
    let policies = [&own, hearth_plugins::BUILT_IN].concat();
    Some(run_with(scenario, &policies, check_there)?.map(|results| (results, course().warm)))
}

fn commitment() -> impl Strategy<Value = Commitment> {
    prop::sample::select(vec![Commitment::UntilStarted, Commitment::PerRound])
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn who_names_the_container_that_it_would_get_gets_it(
        scenario in scenario(), faults in prop::option::of(faults()), commitment in commitment(), most_recent in any::<bool>(),
    ) {
        let mut scenario = with(scenario, "chooser", faults);
        scenario["service"]["container_reuse"] = json!(if most_recent { "most_recent" } else { "least_recent" });
        let Some(node) = run(&scenario, Answers::Node, commitment) else { return Ok(()) };
        let Some(same) = run(&scenario, Answers::Same { most_recent }, commitment) else { return Ok(()) };
        prop_assert_eq!(files_of(&node?.0), files_of(&same?.0));
    }

    #[test]
    fn who_wants_new_containers_starts_in_no_other(
        scenario in scenario(), faults in prop::option::of(faults()), commitment in commitment(),
    ) {
        let scenario = with(scenario, "chooser", faults);
        let Some(results) = run(&scenario, Answers::Cold, commitment) else { return Ok(()) };
        let (results, _) = results?;
        prop_assert!(results.records.iter().all(|record| record.start != Some(Start::Warm)));
        let starts = results.records.iter().filter(|record| record.start == Some(Start::Cold)).count() as u64;
        prop_assert_eq!(results.metrics.warm_starts, 0);
        prop_assert!(results.metrics.cold_starts >= starts);
    }

    #[test]
    fn whatever_containers_are_named_nothing_is_lost(
        scenario in scenario(), faults in prop::option::of(faults()), commitment in commitment(),
    ) {
        let scenario = with(scenario, "chooser", faults);
        let run = || run(&scenario, Answers::Drawn, commitment);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert_eq!(files_of(&first?.0), files_of(&second?.0));
    }

    /// Of plans that bind, more may wait on a node for their image than it has cores, which is not conserved here.
    #[test]
    fn plans_may_name_containers_too(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = with(scenario, "planner", faults);
        scenario["service"]["backfilling"] = json!("unlimited");
        let run = || run(&scenario, Answers::Drawn, Commitment::PerRound);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert_eq!(files_of(&first?.0), files_of(&second?.0));
    }
}
