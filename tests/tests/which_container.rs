//! Which container a request takes when the policy says so, and what it is shown of containers (the timing model, section 5): dates
//! worked out by hand.

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::abi::{CONTAINER_BUSY, CONTAINER_STARTING, CONTAINER_STARTING_AHEAD};
use hearth_policy_api::boundary::{KeepAliveObject, NodeAllocationObject};
use hearth_policy_api::{
    Actions, AllocationRules, BatchAllocation, BatchView, ClusterView, Commitment, Completion, ContainerView,
    KeepAlive, NodeAllocation, Placement, PlanItem, PolicyContext, RequestView, Retention,
};
use hearth_serverless::function::{Body, Function};
use hearth_serverless::invocation::{InvocationRecord, Start};
use hearth_serverless::metrics::Metrics;
use hearth_serverless::prelude::*;
use hearth_serverless::workload::PlannedInvocation;
use hearth_serverless::{Backfilling, Error};

const SECOND: u64 = 1_000_000_000;

/// What is shown of containers, in the order of looking.
type Seen = Rc<RefCell<Vec<Vec<ContainerView>>>>;

/// Answers as it is told.
struct Told<F> {
    actions: Actions,
    commitment: Commitment,
    answer: F,
}

impl<F: FnMut(&RequestView, &ClusterView<'_>, &Actions) -> Placement> NodeAllocation for Told<F> {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: self.commitment, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        (self.answer)(request, cluster, &self.actions)
    }
}

/// Keeps containers for 10 s.
struct TenSeconds;

impl KeepAlive for TenSeconds {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: 10 * SECOND }
    }
}

/// What has become of requests for functions at dates in s, on one or two nodes of four cores and so much RAM. Containers start in 1 s,
/// bodies take 2 s and at the most 4 s. Those of the first two functions have 2 GB, those of the third, which is there where it fits,
/// 7 GB.
fn run_with(
    node_allocation: Factory<NodeAllocationObject>,
    backfilling: Backfilling,
    ram: &[u64],
    dates: &[(f64, usize)],
) -> Result<(Metrics, Vec<InvocationRecord>), Error> {
    let nodes = &["node", "other"][..ram.len()];
    let head = PlatformBuilder::new().host("head", HostSpec::new(1, 1e9));
    let hosts = nodes.iter().zip(ram);
    let platform = hosts.fold(head, |platform, (name, ram)| platform.host(name, HostSpec::new(4, 1e9).ram(*ram)));
    let mut simulation = Simulation::new(platform.build().unwrap(), 0);
    let mut policies = PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    policies.node_allocation = node_allocation;
    policies.keep_alive = Factory::<KeepAliveObject>::in_place("ten-seconds", |_| TenSeconds);
    let service = ServerlessComputeService::builder("head")
        .nodes(nodes)
        .policies(policies)
        .backfilling(backfilling)
        .container_startup_overhead(secs(1))
        .keep_records(true)
        .start(&mut simulation)?;
    let mut functions = Vec::new();
    for (name, needs) in [("f", 2 * GB), ("g", 2 * GB), ("h", 7 * GB)] {
        if ram.iter().all(|ram| *ram < needs) {
            continue;
        }
        let limits = Limits { ram: needs, time: secs(4), ..Limits::default() };
        let function =
            Function { name: name.to_owned(), image: None, limits, startup_overhead: None, body: Body::Sleep(secs(2)) };
        functions.push(service.register(&mut simulation, function).unwrap());
    }
    let planned = dates.iter().map(|(at, function)| PlannedInvocation {
        at: Some(SimTime::from_secs_f64(*at)),
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: functions[*function].into(),
        body: None,
    });
    service.set_workload(&mut simulation, planned.collect())?;
    simulation.run()?;
    Ok(service.close(&mut simulation))
}

/// A policy that answers by the number of the request.
fn told(
    commitment: Commitment,
    answer: impl FnMut(&RequestView, &ClusterView<'_>, &Actions) -> Placement + Clone + 'static,
) -> Factory<NodeAllocationObject> {
    let make = move |context: &PolicyContext| Told { actions: context.actions(), commitment, answer: answer.clone() };
    Factory::<NodeAllocationObject>::in_place("told", make)
}

/// How requests started, and when their bodies began, in s.
type Starts = Vec<(Start, f64)>;

fn starts(records: &[InvocationRecord]) -> Starts {
    let mut records: Vec<&InvocationRecord> = records.iter().collect();
    records.sort_by_key(|record| record.invocation);
    records.iter().map(|record| (record.start.unwrap(), record.started_at.unwrap().as_secs_f64())).collect()
}

const BOTH: [Commitment; 2] = [Commitment::UntilStarted, Commitment::PerRound];
const ALL: [Backfilling; 3] = [Backfilling::Unlimited, Backfilling::None, Backfilling::Easy];

/// Each way of asking, with an answer for request 2 and node 0 for all others.
fn with_third(third: &Placement, ram: u64, dates: &[(f64, usize)]) -> (Metrics, Starts) {
    let mut all = BOTH.into_iter().flat_map(|commitment| ALL.map(|backfilling| (commitment, backfilling))).map(|of| {
        let third = third.clone();
        let answer = move |request: &RequestView, _: &ClusterView<'_>, _: &Actions| {
            if request.invocation == 2 { third.clone() } else { Placement::Node(0) }
        };
        let (metrics, records) = run_with(told(of.0, answer), of.1, &[ram], dates).unwrap();
        (metrics, starts(&records))
    });
    let first = all.next().unwrap();
    all.for_each(|other| assert_eq!(other.1, first.1));
    first
}

#[test]
fn a_request_takes_the_container_that_is_named() {
    use Start::{Cold, Warm};
    // Container 0 is idle from 3 to 13, container 1 from 4 to 14. At 8 one of them is taken and idle again from 10 to 20; at 13.5
    // there are two if that is container 0, or else one.
    let dates = [(0.0, 0), (1.0, 0), (8.0, 0), (13.5, 0), (13.5, 0)];
    let begin = [(Cold, 1.0), (Cold, 2.0), (Warm, 8.0), (Warm, 13.5)];
    let by_host = with_third(&Placement::Node(0), 8 * GB, &dates).1;
    assert_eq!(by_host, [&begin[..], &[(Cold, 14.5)]].concat(), "the one that was used last");
    let newer = with_third(&Placement::Warm { node: 0, container: 1 }, 8 * GB, &dates).1;
    assert_eq!(newer, by_host);
    let older = with_third(&Placement::Warm { node: 0, container: 0 }, 8 * GB, &dates).1;
    assert_eq!(older, [&begin[..], &[(Warm, 13.5)]].concat());
}

#[test]
fn a_new_container_is_made_though_others_are_idle() {
    use Start::{Cold, Warm};
    let dates = [(0.0, 0), (1.0, 0), (8.0, 0), (8.0, 0), (8.0, 0)];
    let (metrics, cold) = with_third(&Placement::Cold { node: 0 }, 8 * GB, &dates);
    assert_eq!(cold, [(Cold, 1.0), (Cold, 2.0), (Cold, 9.0), (Warm, 8.0), (Warm, 8.0)]);
    assert_eq!(metrics.evicted_containers, 0);
    // There is room for two: the one that is idle longest goes, though it is of the same function.
    let (metrics, cold) = with_third(&Placement::Cold { node: 0 }, 4 * GB, &dates[..4]);
    assert_eq!(cold, [(Cold, 1.0), (Cold, 2.0), (Cold, 9.0), (Warm, 8.0)]);
    assert_eq!(metrics.evicted_containers, 1);
}

#[test]
fn what_is_shown_of_containers_is_what_has_become_of_them() {
    let seen = Seen::default();
    let heard = Rc::clone(&seen);
    let answer = move |request: &RequestView, cluster: &ClusterView<'_>, actions: &Actions| {
        heard.borrow_mut().push(cluster.containers_on(0).iter().copied().collect());
        if request.invocation == 2 {
            actions.start_containers(1, 0, 1, u64::MAX);
        }
        assert!(cluster.containers_on(1).is_empty(), "there is one node");
        Placement::Node(0)
    };
    let dates = [(0.0, 0), (1.5, 0), (3.5, 0), (4.0, 0), (8.0, 0)];
    run_with(told(Commitment::UntilStarted, answer), Backfilling::Unlimited, &[8 * GB], &dates).unwrap();
    let at = |seconds: f64| (seconds * 1e9) as u64;
    let container = |container, state, since, created| ContainerView {
        container,
        state,
        since: at(since),
        created: at(created),
        ram: 2 * GB,
        ..ContainerView::default()
    };
    let with = |view, invocation| ContainerView { invocation, attempt: 1, ..view };
    let idle = |number, since, created, expires| ContainerView {
        expires,
        ..container(number, ContainerView::default().state, since, created)
    };
    let seen = seen.take();
    assert_eq!(seen[0], []);
    assert_eq!(seen[1], [with(container(0, CONTAINER_BUSY, 1.0, 0.0), 0)]);
    // Container 1 is for request 1.
    assert_eq!(seen[2], [idle(0, 3.0, 0.0, at(13.0)), with(container(1, CONTAINER_BUSY, 2.5, 1.5), 1)]);
    // Request 2 has container 0, and container 2 starts ahead, for nobody.
    let ahead = ContainerView { function: 1, ..container(2, CONTAINER_STARTING_AHEAD, 3.5, 3.5) };
    let busy = [with(container(0, CONTAINER_BUSY, 3.5, 0.0), 2), with(container(1, CONTAINER_BUSY, 2.5, 1.5), 1)];
    assert_eq!(seen[3], [&busy[..], &[ahead]].concat());
    // Request 3 was started in container 3.
    let ahead = ContainerView { function: 1, ..idle(2, 4.5, 3.5, u64::MAX) };
    let idle = [idle(0, 5.5, 0.0, at(15.5)), idle(1, 4.5, 1.5, at(14.5)), ahead, idle(3, 7.0, 4.0, at(17.0))];
    assert_eq!(seen[4], idle);
}

#[test]
fn containers_that_start_say_so() {
    let seen = Seen::default();
    let heard = Rc::clone(&seen);
    let answer = move |_: &RequestView, cluster: &ClusterView<'_>, _: &Actions| {
        heard.borrow_mut().push(cluster.containers_on(0).iter().copied().collect());
        Placement::Node(0)
    };
    run_with(told(Commitment::UntilStarted, answer), Backfilling::Unlimited, &[8 * GB], &[(0.25, 1), (0.5, 0)])
        .unwrap();
    let starting = ContainerView {
        function: 1,
        state: CONTAINER_STARTING,
        invocation: 0,
        attempt: 1,
        since: SECOND / 4,
        created: SECOND / 4,
        ram: 2 * GB,
        ..ContainerView::default()
    };
    assert_eq!(seen.take()[1], [starting]);
}

/// Two requests wait until 8 s, when containers 0 and 1 are idle, and are answered in one round.
fn in_one_round(commitment: Commitment, seen: &Seen, answers: [Placement; 2]) -> Result<Starts, Error> {
    let heard = Rc::clone(seen);
    let answer = move |request: &RequestView, cluster: &ClusterView<'_>, actions: &Actions| match request.invocation {
        0 | 1 => Placement::Node(0),
        _ if cluster.now < 8 * SECOND => {
            actions.wake_at(0, 8 * SECOND);
            Placement::Wait
        }
        which => {
            heard.borrow_mut().push(cluster.containers_on(0).iter().copied().collect());
            answers[which as usize - 2].clone()
        }
    };
    let dates = [(0.0, 0), (1.0, 0), (7.0, 0), (7.5, 0)];
    run_with(told(commitment, answer), Backfilling::Unlimited, &[8 * GB], &dates).map(|(_, records)| starts(&records))
}

#[test]
fn what_a_decision_of_the_round_has_taken_is_shown_as_busy_and_cannot_be_taken_again() {
    use Start::{Cold, Warm};
    let warm = |container| Placement::Warm { node: 0, container };
    for commitment in BOTH {
        let seen = Seen::default();
        let taken = in_one_round(commitment, &seen, [warm(1), Placement::Node(0)]).unwrap();
        assert_eq!(taken[2..], [(Warm, 8.0), (Warm, 8.0)]);
        let states: Vec<Vec<(bool, u64, u64)>> = seen
            .take()
            .iter()
            .map(|shown| shown.iter().map(|it| (it.is_idle(), it.since / SECOND, it.invocation)).collect())
            .collect();
        let (first, second) = ((true, 3, u64::MAX), (true, 4, u64::MAX));
        assert_eq!(states, [[first, second], [first, (false, 8, u64::MAX)]]);
        let by_cold = in_one_round(commitment, &seen, [Placement::Cold { node: 0 }, warm(0)]).unwrap();
        assert_eq!(by_cold[2..], [(Cold, 9.0), (Warm, 8.0)]);
        let error = in_one_round(commitment, &seen, [warm(1), warm(1)]).unwrap_err().to_string();
        let cause = "answered container 1 of node 0 (\"node\"), which a decision of this round has taken";
        assert_eq!(error, format!("policies.node_allocation: \"told\" failed in place: {cause}"));
    }
}

#[test]
fn a_container_that_cannot_be_had_is_named() {
    // At 8 containers 0 and 1 are idle, at 9 container 1 is in use.
    let dates = [(0.0, 0), (1.0, 1), (8.0, 0), (8.5, 1), (9.0, 0)];
    let said = |at: u64, answer: &Placement| {
        let ways = BOTH.into_iter().flat_map(|commitment| ALL.map(|backfilling| (commitment, backfilling)));
        let mut said = ways.map(|(commitment, backfilling)| {
            let answer = answer.clone();
            let answer = move |request: &RequestView, _: &ClusterView<'_>, _: &Actions| {
                if request.invocation == at { answer.clone() } else { Placement::Node(0) }
            };
            run_with(told(commitment, answer), backfilling, &[8 * GB], &dates).unwrap_err().to_string()
        });
        let first = said.next().unwrap();
        assert!(said.all(|other| other == first), "{first}");
        let cause = first.strip_prefix("policies.node_allocation: \"told\" failed in place: ").map(str::to_owned);
        cause.unwrap_or(first)
    };
    let warm = |container| Placement::Warm { node: 0, container };
    let of_node = |why: &str| format!("answered container 1 of node 0 (\"node\"), which {why}");
    assert_eq!(said(0, &warm(1)), of_node("is not there"));
    assert_eq!(said(2, &warm(1)), of_node("is one of function 1, not of function 0"));
    assert_eq!(said(3, &warm(u32::MAX)), of_node("is not there").replace("container 1", "container 4294967295"));
    assert_eq!(said(4, &warm(0)), of_node("is not idle").replace("container 1", "container 0"));
    assert_eq!(said(2, &Placement::Warm { node: 1, container: 0 }), "answered node 1, but there are nodes 0 to 0");
    assert_eq!(said(2, &Placement::Cold { node: 1 }), "answered node 1, but there are nodes 0 to 0");
}

/// One that needs 7 GB waits on the first node for the end of request 1, which is expected at 9 s and comes at 7 s. What becomes of a
/// request behind it, that comes at a date and is answered so.
fn behind_the_first(backfilling: Backfilling, nodes: &[u64], at: f64, answer: &Placement) -> (Start, f64, Option<u32>) {
    let dates = [(0.0, 0), (4.0, 1), (4.5, 2), (at, 0)];
    let mut all = BOTH.into_iter().map(|commitment| {
        let answer = answer.clone();
        let answer = move |request: &RequestView, _: &ClusterView<'_>, _: &Actions| match request.invocation {
            3 => answer.clone(),
            _ => Placement::Node(0),
        };
        let (_, records) = run_with(told(commitment, answer), backfilling, nodes, &dates).unwrap();
        let record = records.iter().find(|record| record.invocation == 3).unwrap();
        (record.start.unwrap(), record.started_at.unwrap().as_secs_f64(), record.node)
    });
    let first = all.next().unwrap();
    all.for_each(|other| assert_eq!(other, first));
    first
}

#[test]
fn a_new_container_does_not_delay_the_first_where_an_idle_one_would_not() {
    use Start::{Cold, Warm};
    let (warm, cold) = (Placement::Warm { node: 0, container: 0 }, Placement::Cold { node: 0 });
    let of = |backfilling, nodes: &[u64], at, answer| behind_the_first(backfilling, nodes, at, answer);
    // The idle container is free again by 8.75 at the latest, and a new one not before 9.75.
    let one = [8 * GB];
    assert_eq!(of(Backfilling::Easy, &one, 4.75, &Placement::Node(0)), (Warm, 4.75, Some(0)));
    assert_eq!(of(Backfilling::Easy, &one, 4.75, &warm), (Warm, 4.75, Some(0)));
    // The large one runs from 7 to 10, and leaves no room beside it.
    assert_eq!(of(Backfilling::Easy, &one, 4.75, &cold), (Cold, 11.0, Some(0)));
    assert_eq!(of(Backfilling::None, &one, 4.75, &cold), (Cold, 11.0, Some(0)));
    assert_eq!(of(Backfilling::Unlimited, &one, 4.75, &cold), (Cold, 5.75, Some(0)));
    // Another node is there on which it delays nobody, and at 5.5 even the idle one would delay the first.
    let two = [8 * GB, 2 * GB];
    assert_eq!(of(Backfilling::Easy, &two, 4.75, &warm), (Warm, 4.75, Some(0)));
    assert_eq!(of(Backfilling::Easy, &two, 4.75, &cold), (Cold, 5.75, Some(1)));
    assert_eq!(of(Backfilling::Easy, &two, 5.5, &warm), (Cold, 6.5, Some(1)));
    assert_eq!(of(Backfilling::Unlimited, &two, 5.5, &warm), (Warm, 5.5, Some(0)));
}

#[test]
fn who_reuses_the_last_to_expire_lets_others_run_out() {
    use Start::{Cold, Warm};
    // The nodes hold one container each: idle from 3 to 13 and from 4 to 14. One is taken at 8 and kept up to 20.
    let dates = [(0.0, 0), (1.0, 0), (8.0, 0), (13.5, 0), (13.5, 0)];
    let begin = [(Cold, 1.0), (Cold, 2.0), (Warm, 8.0), (Warm, 13.5)];
    let by = |name: &str| {
        let policy = Catalog::new(hearth_plugins::BUILT_IN).node_allocation(name).unwrap();
        let (metrics, records) = run_with(policy, Backfilling::Unlimited, &[2 * GB, 2 * GB], &dates).unwrap();
        let place = records.iter().find(|record| record.invocation == 2).unwrap().node;
        (starts(&records), place, metrics.expired_containers)
    };
    assert_eq!(by("first-fit"), ([&begin[..], &[(Warm, 13.5)]].concat(), Some(0), 2));
    assert_eq!(by("last-to-expire"), ([&begin[..], &[(Cold, 14.5)]].concat(), Some(1), 3));
}

/// Plans so, once two wait.
struct Plans(Actions, [PlanItem; 2]);

impl BatchAllocation for Plans {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: Commitment::PerRound, ..AllocationRules::default() }
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        match batch.now / SECOND {
            0..5 => plan.push(PlanItem::Run { request: 0, node: 0 }),
            5..8 => self.0.wake_at(0, 8 * SECOND),
            _ => {
                assert!(!batch.containers_on(0).is_empty());
                plan.extend(self.1.iter().take(batch.queue.len()).copied());
            }
        }
    }
}

#[test]
fn plans_name_containers_too() {
    use Start::{Cold, Warm};
    let planned = |items: [PlanItem; 2]| {
        let make = move |context: &PolicyContext| Plans(context.actions(), items);
        let policy = Factory::<NodeAllocationObject>::in_place_batch("plans", make);
        let dates = [(0.0, 0), (1.0, 0), (7.0, 0), (7.5, 0)];
        run_with(policy, Backfilling::Unlimited, &[8 * GB], &dates).map(|(_, records)| starts(&records))
    };
    let warm = |request, container| PlanItem::RunWarm { request, node: 0, container };
    let cold = PlanItem::RunCold { request: 1, node: 0 };
    assert_eq!(planned([warm(0, 0), cold]).unwrap()[2..], [(Warm, 8.0), (Cold, 9.0)]);
    assert_eq!(planned([warm(1, 0), warm(0, 1)]).unwrap()[2..], [(Warm, 8.0), (Warm, 8.0)]);
    let error = planned([warm(1, 0), warm(0, 0)]).unwrap_err().to_string();
    let cause = "answered container 0 of node 0 (\"node\"), which a decision of this round has taken";
    assert_eq!(error, format!("policies.node_allocation: \"plans\" failed in plan: {cause}"));
}
