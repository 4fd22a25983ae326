//! Many flows from one disk to many, beside flows within those: most have one holder, and many resources fill up together.

use proptest::prelude::*;

use super::*;

const NODES: u32 = 5;

/// Of the head: reads, and all; of each node: its link, writes, and all.
fn capacities(is_wide: bool) -> Vec<f64> {
    let node = if is_wide { [1000.0, 1000.0, 1000.0] } else { [90.0, 70.0, 80.0] };
    [100.0, 100.0].into_iter().chain((0..NODES).flat_map(|_| node)).collect()
}

fn copy(node: u32) -> Vec<(u32, f64)> {
    vec![(0, 0.97), (1, 0.97), (2 + 3 * node, 1.05), (3 + 3 * node, 0.97), (4 + 3 * node, 0.97)]
}

fn step() -> impl Strategy<Value = Step> {
    let start = |uses: Vec<(u32, f64)>, penalty, bound, amount| Step::Start { amount, penalty, bound, uses };
    let amount = || prop_oneof![Just(100.0), 1.0..200.0_f64];
    let bound = prop_oneof![3 => Just(FREE), 1 => Just(2.0), 1 => Just(20.0)];
    prop_oneof![
        6 => (0..NODES, bound, amount()).prop_map(move |(node, bound, amount)| start(copy(node), 2e-5, bound, amount)),
        1 => (0..NODES, amount()).prop_map(move |(node, amount)| start(vec![(4 + 3 * node, 0.97)], 1.0, 100.0, amount)),
        1 => amount().prop_map(move |amount| start(vec![(1, 0.97)], 1e-4, FREE, amount)),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => (0..2 + 3 * NODES as usize, 1.0..200.0_f64).prop_map(|(resource, capacity)| Step::Resize(resource, capacity)),
        4 => Just(Step::Complete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn copies_from_one_disk_get_their_fair_rates_after_every_change(
        is_wide in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        follow(capacities(is_wide), steps)?;
    }
}

/// A head from whose disk so many flows go to as many nodes.
fn star(flows: u32) -> (FluidNetwork, Vec<FlowId>) {
    let mut network = FluidNetwork::new();
    let (read, both) = (network.add_resource(1e9), network.add_resource(1e9));
    let start = |number: u32| {
        let link = network.add_resource(1e9);
        let uses = [read, both, link].map(|resource| Use { resource, weight: 1.0 });
        let amount = 1e8 + f64::from(number);
        network.start(SimTime::ZERO, FlowSpec { amount, efficiency: 1.0, bound: 1e9, penalty: 1e-5, uses: &uses })
    };
    let started = (0..flows).map(start).collect();
    network.settle(SimTime::ZERO);
    (network, started)
}

/// What a change costs does not depend on how many flows share what is full.
#[test]
fn a_change_looks_at_no_more_when_a_thousand_flows_share_a_disk() {
    let looked_at = |flows| {
        let (mut network, started) = star(flows);
        network.cancel(SimTime::ZERO, started[1]);
        network.settle(SimTime::ZERO);
        let of_an_end = network.looked_at();
        let date = network.next_completion().unwrap();
        assert_eq!(network.pop_completed(date), Some(started[0]));
        network.settle(date);
        [of_an_end, network.looked_at()]
    };
    assert_eq!(looked_at(1_000), looked_at(10));
    assert!(looked_at(1_000).iter().all(|looked_at| *looked_at <= 2), "{:?}", looked_at(1_000));
}

/// Flows that end leave nothing behind, though others come in their place with the same bound.
#[test]
fn what_has_been_at_its_bound_is_forgotten() {
    let mut network = FluidNetwork::new();
    let uses = [Use { resource: network.add_resource(10.0), weight: 1.0 }];
    let spec = FlowSpec { amount: 1.0, efficiency: 1.0, bound: 1.0, penalty: 1.0, uses: &uses };
    let mut flows: Vec<FlowId> = (0..20).map(|_| network.start(SimTime::ZERO, spec)).collect();
    for round in 0..5_000 {
        network.settle(SimTime::ZERO);
        let place = round % flows.len();
        network.cancel(SimTime::ZERO, flows[place]);
        flows[place] = network.start(SimTime::ZERO, spec);
    }
    // A heap is rebuilt when most of it is stale.
    assert!(network.entered_at_bound() < 200, "{}", network.entered_at_bound());
}

/// Reads fill up a disk as a whole when they fill up its reads. Once a write has made the whole the narrower one, it holds
/// the reads, and goes on when the write has ended.
#[test]
fn what_fills_up_together_with_its_holder_takes_nothing_over() {
    let (mut network, _) = star(1_000);
    let write = [Use { resource: ResourceId(1), weight: 1.0 }];
    let spec = FlowSpec { amount: 1e6, efficiency: 1.0, bound: FREE, penalty: 1e-5, uses: &write };
    for round in 0..5 {
        let write = network.start(SimTime::ZERO, spec);
        network.settle(SimTime::ZERO);
        assert!(round == 0 || network.looked_at() <= 2, "begins: {}", network.looked_at());
        network.cancel(SimTime::ZERO, write);
        network.settle(SimTime::ZERO);
        assert!(network.looked_at() <= 2, "ends: {}", network.looked_at());
    }
    // Its way begins with the reads, which are full at the same level.
    let read = [0, 1].map(|resource| Use { resource: ResourceId(resource), weight: 1.0 });
    network.start(SimTime::ZERO, FlowSpec { uses: &read, ..spec });
    network.settle(SimTime::ZERO);
    assert!(network.looked_at() <= 3, "a read: {}", network.looked_at());
}

#[test]
fn a_flow_that_is_stopped_is_not_waited_for() {
    let mut bench = Bench::new(&[10.0]);
    let flows = [1.0, 2.0].map(|amount| bench.start(amount, 1.0, FREE, &[(0, 1.0)]));
    bench.rates(&flows);
    bench.network.cancel(at(0.0), flows[0]);
    assert_eq!(bench.network.next_completion(), Some(at(0.4)));
    bench.network.settle(at(0.0));
    assert_eq!(bench.network.next_completion(), Some(at(0.2)));
}

#[test]
fn flows_of_one_date_end_in_the_order_of_their_starts_whatever_holds_them() {
    let mut bench = Bench::new(&[10.0, 20.0]);
    // Who comes later gets a lower slot.
    let gone = [0; 5].map(|_| bench.start(1.0, 1.0, FREE, &[]));
    for flow in gone {
        bench.network.cancel(at(0.0), flow);
    }
    let flows = [
        bench.start(10.0, 1.0, FREE, &[(0, 1.0)]),
        bench.start(4.0, 1.0, 2.0, &[(1, 1.0)]),
        bench.start(36.0, 1.0, FREE, &[(1, 1.0)]),
        bench.start(10.0, 1.0, FREE, &[(0, 1.0)]),
        bench.start(0.0, 1.0, FREE, &[(0, 1.0)]),
    ];
    assert_eq!(bench.network.pop_completed(at(0.0)), Some(flows[4]));
    bench.network.settle(at(0.0));
    assert_eq!(bench.network.next_completion(), Some(at(2.0)));
    for flow in &flows[..3] {
        assert_eq!(bench.network.next_completion(), Some(at(2.0)));
        assert_eq!(bench.network.pop_completed(at(2.0)), Some(*flow));
    }
    // What is stopped on the date of its end does not end.
    assert_eq!(bench.network.cancel(at(2.0), flows[3]), Some(0.0));
    assert_eq!(bench.network.next_completion(), None);
    assert!(bench.network.is_empty());
}
