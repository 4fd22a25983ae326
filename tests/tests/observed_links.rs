//! What a node allocation policy that observes is told of links (the timing model, section 11).

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::NodeAllocationObject;
use hearth_policy_api::{AllocationRules, ClusterView, LinkView, NodeAllocation, NodeView, Placement, RequestView};
use hearth_serverless::fault::{Fault, FaultPlan, PlannedFault, Timing};
use hearth_serverless::prelude::*;

/// What a policy has heard.
#[derive(Clone, PartialEq, Debug)]
enum Heard {
    Node,
    /// The link, its share and the nodes behind it.
    Link(u32, f64, Vec<u32>),
    /// A request to place, with the date in s.
    Request(f64),
}
use Heard::{Link, Request};

/// Goes to the first node with a free core, and keeps what it hears.
struct Listener {
    observes: bool,
    heard: Rc<RefCell<Vec<Heard>>>,
}

impl NodeAllocation for Listener {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: self.observes, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.heard.borrow_mut().push(Request(cluster.now as f64 / 1e9));
        cluster.free_core.first().into()
    }

    fn observe(&mut self, _node: u32, _view: &NodeView, _up: bool) {
        self.heard.borrow_mut().push(Heard::Node);
    }

    fn observe_link(&mut self, link: &LinkView<'_>) {
        self.heard.borrow_mut().push(Link(link.link, link.share, link.nodes.iter().collect()));
    }
}

/// Nodes 0 and 1 behind `trunk` (link 0) and `lan` (2), node 2 behind `trunk` and `wan` (1); `elsewhere` (3) leads to no
/// node, and `direct` (4) to one, but not from the head.
fn platform() -> Platform {
    let host = || HostSpec::new(1, 1e9).ram(8 * GB).disk(DiskSpec::new(8 * GB, 1e8, 1e8));
    let links = ["trunk", "wan", "lan", "elsewhere", "direct"].into_iter();
    links
        .fold(PlatformBuilder::new(), |builder, link| builder.link(link, 1e8, 0.0))
        .host("head", host())
        .host("user", host())
        .group("near", 2, host())
        .host("far", host())
        .route("head", "near-*", &["trunk", "lan"])
        .route("head", "far", &["trunk", "wan"])
        .route("head", "user", &["elsewhere"])
        .route("user", "far", &["direct"])
        .build()
        .unwrap()
}

/// A link, the part of its bandwidth that is left to it (none: it is down), and from when to when in s.
type Trouble = (&'static str, Option<f64>, u64, u64);

/// What the policy hears when requests come at these dates in s. The registry, which is the head, has a file of 1 GB.
fn hear(
    platform: Platform,
    nodes: &[&str],
    body: Body,
    observes: bool,
    troubles: &[Trouble],
    at: &[f64],
) -> Vec<Heard> {
    let fault = |(name, part, from, to): &Trouble| {
        let link = platform.links_matching(name)[0];
        let fault = part.map_or(Fault::LinkDown { link }, |part| Fault::LinkDegraded { link, part });
        let date = |seconds: &u64| SimTime::ZERO + secs(*seconds);
        PlannedFault { fault, timing: Timing::Once { at: date(from), until: Some(date(to)) } }
    };
    let faults = troubles.iter().map(fault).collect();
    let mut simulation = Simulation::new(platform.clone(), 0);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let to_policy = Rc::clone(&heard);
    let mut policies = PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    policies.node_allocation = Factory::<NodeAllocationObject>::in_place("listener", move |_| Listener {
        observes,
        heard: Rc::clone(&to_policy),
    });
    let service =
        ServerlessComputeService::builder("head").nodes(nodes).policies(policies).start(&mut simulation).unwrap();
    service.create_file(&mut simulation, "in", GB).unwrap();
    let limits = Limits { ram: GB, disk: 2 * GB, ..Limits::default() };
    let function = Function { name: "f".to_owned(), image: None, limits, startup_overhead: None, body };
    let function = service.register(&mut simulation, function).unwrap();
    let planned = at.iter().map(|at| PlannedInvocation {
        at: Some(SimTime::from_secs_f64(*at)),
        after: Vec::new(),
        delay: SimDuration::ZERO,
        callee: function.into(),
        body: None,
    });
    service.set_workload(&mut simulation, planned.collect()).unwrap();
    service.set_faults(&mut simulation, FaultPlan { faults, ..FaultPlan::default() });
    simulation.run().unwrap();
    heard.take()
}

fn is_no_node(heard: &Heard) -> bool {
    *heard != Heard::Node
}

/// What is heard beside nodes when requests come to all nodes at these dates.
fn hear_of_links(troubles: &[Trouble], at: &[f64]) -> Vec<Heard> {
    let body = Body::Sleep(SimDuration::from_secs_f64(0.1));
    let mut heard = hear(platform(), &["near-*", "far"], body, true, troubles, at);
    heard.retain(is_no_node);
    heard
}

#[test]
fn a_link_that_goes_down_is_told_before_the_next_decision_and_once_more_when_it_is_back() {
    let heard = hear_of_links(&[("lan", None, 1, 3)], &[0.5, 1.5, 2.5, 3.5, 4.5]);
    let expected = [
        Request(0.5),
        Link(2, 0.0, vec![0, 1]),
        Request(1.5),
        Request(2.5),
        Link(2, 1.0, vec![0, 1]),
        Request(3.5),
        Request(4.5),
    ];
    assert_eq!(heard, expected);
}

#[test]
fn of_several_troubles_of_a_link_the_worst_counts() {
    let troubles =
        [("trunk", Some(0.1), 1, 5), ("trunk", Some(0.5), 4, 8), ("wan", Some(0.25), 5, 9), ("wan", None, 6, 7)];
    let heard = hear_of_links(&troubles, &[1.5, 4.5, 5.5, 6.5, 7.5, 9.5]);
    let expected = [
        Link(0, 0.1, vec![0, 1, 2]),
        Request(1.5),
        // The second degradation of the trunk changes nothing while there is the first.
        Request(4.5),
        Link(0, 0.5, vec![0, 1, 2]),
        Link(1, 0.25, vec![2]),
        Request(5.5),
        Link(1, 0.0, vec![2]),
        Request(6.5),
        Link(1, 0.25, vec![2]),
        Request(7.5),
        // The trunk from 8 s on, the wide area from 9 s on.
        Link(0, 1.0, vec![0, 1, 2]),
        Link(1, 1.0, vec![2]),
        Request(9.5),
    ];
    assert_eq!(heard, expected);
}

#[test]
fn several_links_come_by_number_each_once_with_what_holds_by_then() {
    let troubles = [("lan", None, 1, 2), ("elsewhere", None, 1, 9), ("trunk", Some(0.5), 3, 9), ("direct", None, 2, 9)];
    // Links that lead to no node are told too; they may lead to the registry. The lan is whole again.
    let expected = [
        Link(0, 0.5, vec![0, 1, 2]),
        Link(2, 1.0, vec![0, 1]),
        Link(3, 0.0, vec![]),
        Link(4, 0.0, vec![]),
        Request(5.0),
    ];
    assert_eq!(hear_of_links(&troubles, &[5.0]), expected);
}

#[test]
fn nodes_are_told_before_links() {
    let body = Body::Sleep(SimDuration::from_secs_f64(0.1));
    let heard = hear(platform(), &["near-*", "far"], body, true, &[("lan", None, 1, 9)], &[0.5, 1.5]);
    // All nodes are new to the policy; node 0 has run something.
    let node = || Heard::Node;
    // At 1 s the link goes down, and at 9 s it is back, when node 1 has run something.
    let expected = [node(), node(), node(), Request(0.5), node(), Link(2, 0.0, vec![0, 1]), Request(1.5), node()];
    assert_eq!(heard, expected);
}

#[test]
fn a_decision_that_comes_of_the_outage_itself_knows_of_it() {
    // The second request waits for the core of the first, whose transfer ends with the link.
    let body = Body::steps([Step::Ingress("in".into())]);
    let mut heard = hear(platform(), &["near-0"], body, true, &[("lan", None, 5, 60)], &[0.0, 1.0]);
    heard.retain(is_no_node);
    assert_eq!(heard, [Request(0.0), Link(2, 0.0, vec![0]), Request(5.0)]);
}

#[test]
fn who_does_not_observe_is_told_nothing() {
    let body = Body::Sleep(SimDuration::from_secs_f64(0.1));
    let heard = hear(platform(), &["near-*", "far"], body, false, &[("lan", None, 1, 9)], &[0.5, 1.5]);
    assert_eq!(heard, [Request(0.5), Request(1.5)]);
}

#[test]
fn the_route_back_counts() {
    let platform = Platform::from_simgrid_xml(
        r#"<platform version="4.1"><zone id="world" routing="Full">
        <host id="head" speed="1Gf"><disk id="d" read_bw="1MBps" write_bw="1MBps"><prop id="size" value="8GB"/></disk></host>
        <host id="node" speed="1Gf"><prop id="ram" value="8GB"/>
          <disk id="d" read_bw="1MBps" write_bw="1MBps"><prop id="size" value="8GB"/></disk></host>
        <link id="cable" bandwidth="1MBps" latency="0s" sharing_policy="SPLITDUPLEX"/>
        <route src="head" dst="node"><link_ctn id="cable" direction="UP"/></route>
        </zone></platform>"#,
    )
    .unwrap();
    // A cable is two links, one for each direction.
    let names: Vec<&str> = platform.links().iter().map(|link| link.name.as_str()).collect();
    assert_eq!(names, ["cable_UP", "cable_DOWN"]);
    let troubles = [("cable_UP", Some(0.5), 1, 9), ("cable_DOWN", None, 1, 9)];
    let body = Body::Sleep(SimDuration::from_secs_f64(0.1));
    let mut heard = hear(platform, &["node"], body, true, &troubles, &[2.0]);
    heard.retain(is_no_node);
    assert_eq!(heard, [Link(0, 0.5, vec![0]), Link(1, 0.0, vec![0]), Request(2.0)]);
}
