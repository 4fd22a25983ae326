//! Decisions allocate nothing, on neither side of the boundary: the same source is built in and loaded.

// The counting allocator passes everything on to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;

use hearth_policy_api::boundary::{
    AdmissionObject, AutoscalingObject, KeepAliveObject, NodeAllocationObject, Object, Orders, Role, Seat,
};
use hearth_policy_api::testkit::TestCluster;
use hearth_policy_api::{
    AdmissionView, Completion, End, LinkView, NodeBits, ParameterValue, Parameters, PolicyContext, PolicyDescriptor,
    PolicyKind, RequestView, ScaleView,
};
use hearth_policy_toolbox::KeepAliveFeatures;
use serde_json::json;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is the system allocator's, with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of a thousand calls, once a thousand have been made.
fn allocations(mut call: impl FnMut()) -> u64 {
    (0..1000).for_each(|_| call());
    let before = ALLOCATIONS.with(Cell::get);
    (0..1000).for_each(|_| call());
    ALLOCATIONS.with(Cell::get) - before
}

/// What the policies that ask a trained network cannot do without: a network of two layers.
fn network() -> String {
    let features = KeepAliveFeatures::NAMES;
    let hidden = vec![vec![0.25; features.len()]; 8];
    let layers = json!([
        {"weights": hidden, "biases": vec![0.5; 8], "activation": "tanh"},
        {"weights": vec![vec![0.125; 8]; 2], "biases": [0.0, 1.0], "activation": "none"},
    ]);
    json!({"format": "hearth-network/1", "decides": "keep_for_s", "features": features, "actions": [60, 10],
        "layers": layers})
    .to_string()
}

fn make<T: Role>(policy: &PolicyDescriptor) -> (Object<T>, Rc<Orders>) {
    let mut parameters = Parameters::defaults(&policy.parameters());
    let folder = tempfile::tempdir().unwrap();
    if parameters.get("network").is_some() {
        let path = folder.path().join("network.json");
        std::fs::write(&path, network()).unwrap();
        parameters.set("network", ParameterValue::Text(path.to_str().unwrap().to_owned())).unwrap();
    }
    let context = PolicyContext { seed: 1, nodes: 16, ..PolicyContext::default() };
    let orders = Rc::default();
    (policy.make(&parameters, &Seat::new(&context, &orders)).unwrap(), orders)
}

fn of_placement((mut policy, orders): (NodeAllocationObject, Rc<Orders>)) -> Option<u64> {
    let mut taken = Vec::new();
    let cluster = TestCluster::new(16);
    cluster.nodes.iter().zip(0..).for_each(|(view, node)| policy.observe(node, view, true).unwrap());
    let (view, request) = (cluster.view(), RequestView::default());
    let (behind, mut share) = (NodeBits::full(16), 1.0);
    (!policy.is_batch()).then(|| {
        allocations(|| {
            policy.observe(3, &cluster.nodes[3], true).unwrap();
            share = 1.5 - share;
            policy.observe_link(&LinkView { link: 0, share, nodes: behind.view(), ..LinkView::default() }).unwrap();
            let _ = policy.rank(&request, 0).unwrap();
            let _ = policy.place(&request, &view).unwrap();
            policy.on_end(&End { node: 3, ..End::default() }).unwrap();
            orders.take_into(&mut taken);
        })
    })
}

fn of_admission((mut policy, _): (AdmissionObject, Rc<Orders>)) -> u64 {
    let cluster = TestCluster::new(16);
    let request = RequestView::default();
    let mut load = AdmissionView { cluster: &cluster.view(), ..AdmissionView::default() };
    allocations(|| {
        // A second between requests: nobody has a reason to reject them, which takes a text.
        load.now += 1_000_000_000;
        drop(policy.admit(&request, &load).unwrap());
        policy.on_end(&End { function: 1, node: 3, ..End::default() }).unwrap();
    })
}

fn of_keep_alive((mut policy, _): (KeepAliveObject, Rc<Orders>)) -> u64 {
    let completion = Completion { idle_of_function: 1, ..Completion::default() };
    allocations(|| {
        policy.on_arrival(0, 0).unwrap();
        let _ = policy.on_idle(&completion).unwrap();
    })
}

fn of_autoscaling((mut policy, _): (AutoscalingObject, Rc<Orders>)) -> u64 {
    let view = ScaleView { waiting: 1, arrivals: 1, ..ScaleView::default() };
    // What is kept of a function is made when it is first asked about.
    policy.scale(&view).unwrap();
    let later = ScaleView { now: 2_000_000_000, in_flight_seconds: 2.0, ..view };
    allocations(|| {
        let _ = policy.scale(&later).unwrap();
    })
}

#[test]
fn decisions_allocate_nothing() {
    let mut decided = 0;
    for policy in hearth_plugins::BUILT_IN {
        let allocated = match policy.kind() {
            PolicyKind::NodeAllocation => of_placement(make(policy)),
            PolicyKind::Admission => Some(of_admission(make(policy))),
            PolicyKind::KeepAlive => Some(of_keep_alive(make(policy))),
            PolicyKind::Autoscaling => Some(of_autoscaling(make(policy))),
            // Ranks items in tables of its own.
            PolicyKind::Eviction => None,
        };
        assert_eq!(allocated.unwrap_or(0), 0, "{policy:?}");
        decided += u32::from(allocated.is_some());
    }
    assert!(decided >= 7, "{decided} policies decide one at a time");
    assert!(allocations(|| drop(vec![1_u8])) >= 1000, "the count counts");
}
