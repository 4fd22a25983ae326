use hearth_policy_api::testkit;

use super::*;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const CORE: u64 = 1_000_000;

#[test]
fn the_test_kit_finds_no_fault() {
    testkit::assert_sound(&POLICY);
}

fn policy() -> ClusterAutoscaler {
    ClusterAutoscaler::new(Settings::default(), &PolicyContext::default()).unwrap()
}

/// A node of 8 GB and four cores, of which so much RAM is in use.
fn node(node: u32, state: NodeState, used_ram: u64) -> PoolNodeView {
    PoolNodeView { node, state, ram: 8, used_ram, processors: 4 * CORE, ..PoolNodeView::default() }
}

fn asked(policy: &mut ClusterAutoscaler, now: u64, nodes: &[PoolNodeView], waiting: u64) -> (u32, Vec<u32>) {
    let pending = [PendingView { function: 0, count: waiting, ram: 4, ..PendingView::default() }];
    let pending = if waiting > 0 { &pending[..] } else { &[] };
    let (nodes, pending) = (Records::new(nodes), Records::new(pending));
    let PoolScale { boot, remove } =
        policy.scale_pool(&NodePoolView { now, min: 0, max: 3, nodes, pending, ..NodePoolView::default() });
    (boot, remove.to_vec())
}

#[test]
fn nodes_are_booted_for_who_waits_and_those_that_boot_count() {
    use NodeState::{Booting, Off, Up};
    let nodes = [node(0, Up, 8), node(1, Off, 0), node(2, Off, 0)];
    assert_eq!(asked(&mut policy(), 0, &nodes, 3), (2, vec![]));
    let nodes = [node(0, Up, 8), node(1, Booting, 0), node(2, Booting, 0)];
    assert_eq!(asked(&mut policy(), 0, &nodes, 3), (0, vec![]), "they have room for them");
    let nodes = [node(0, Up, 8), node(1, Booting, 0), node(2, Off, 0)];
    assert_eq!(asked(&mut policy(), 0, &nodes, 3), (1, vec![]));
    assert_eq!(asked(&mut policy(), 0, &nodes, 0), (0, vec![]));
}

#[test]
fn a_node_goes_that_has_been_unneeded_for_ten_minutes_at_every_look() {
    use NodeState::Up;
    let mut policy = policy();
    let (idle, busy) = ([node(0, Up, 6), node(1, Up, 0)], [node(0, Up, 6), node(1, Up, 4)]);
    assert_eq!(asked(&mut policy, 0, &idle, 0), (0, vec![]));
    assert_eq!(asked(&mut policy, 10 * MINUTE - 1, &idle, 0), (0, vec![]));
    assert_eq!(asked(&mut policy, 10 * MINUTE, &idle, 0), (0, vec![1]));
    // In use once, and it begins anew.
    asked(&mut policy, 11 * MINUTE, &busy, 0);
    assert_eq!(asked(&mut policy, 12 * MINUTE, &idle, 0), (0, vec![]));
    assert_eq!(asked(&mut policy, 21 * MINUTE, &idle, 0), (0, vec![]));
    assert_eq!(asked(&mut policy, 22 * MINUTE, &idle, 0), (0, vec![1]));
}

#[test]
fn none_goes_within_ten_minutes_of_a_boot() {
    use NodeState::{Booting, Off, Up};
    let mut policy = policy();
    let idle = [node(0, Up, 0), node(1, Up, 8), node(2, Off, 0)];
    asked(&mut policy, 0, &idle, 0);
    // Three of four: two fill the idle node.
    assert_eq!(asked(&mut policy, 5 * MINUTE, &idle, 3), (1, vec![]));
    let booting = [node(0, Up, 0), node(1, Up, 8), node(2, Booting, 0)];
    assert_eq!(asked(&mut policy, 12 * MINUTE, &booting, 0), (0, vec![]));
    assert_eq!(asked(&mut policy, 15 * MINUTE, &booting, 0), (0, vec![0]));
}

#[test]
fn of_nodes_in_use_one_goes_if_the_others_have_room() {
    use NodeState::Up;
    let mut policy = policy();
    let nodes = [node(0, Up, 3), node(1, Up, 2), node(2, Up, 6)];
    asked(&mut policy, 0, &nodes, 0);
    // What is on 1 has room on the others; then what is on 0 has none: two are left on node 2.
    assert_eq!(asked(&mut policy, 10 * MINUTE, &nodes, 0), (0, vec![1]));
    let alone = [node(0, Up, 3)];
    let mut policy = ClusterAutoscaler { unneeded: BTreeMap::new(), last_boot: BTreeMap::new(), ..policy };
    asked(&mut policy, 0, &alone, 0);
    assert_eq!(asked(&mut policy, 20 * MINUTE, &alone, 0), (0, vec![]), "there is nowhere else");
}

#[test]
fn at_most_ten_empty_nodes_go_at_once() {
    let mut policy = policy();
    let nodes: Vec<PoolNodeView> = (0..12).map(|number| node(number, NodeState::Up, 0)).collect();
    asked(&mut policy, 0, &nodes, 0);
    assert_eq!(asked(&mut policy, 10 * MINUTE, &nodes, 0).1, (0..10).collect::<Vec<_>>());
}

#[test]
fn an_interval_of_nothing_is_refused() {
    let settings = Settings { scan_interval: 0, ..Settings::default() };
    let said = ClusterAutoscaler::new(settings, &PolicyContext::default()).unwrap_err().to_string();
    assert_eq!(said, "the parameter scan_interval must be more than 0, or no node would ever come");
}
