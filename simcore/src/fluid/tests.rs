//! Hand-worked allocations, and the laws over random networks.

mod exact;
mod star;

use proptest::prelude::*;

use super::*;
use crate::time::SimTime;

fn at(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds)
}

struct Bench {
    network: FluidNetwork,
}

impl Bench {
    fn new(capacities: &[f64]) -> Self {
        let mut network = FluidNetwork::new();
        capacities.iter().for_each(|capacity| {
            network.add_resource(*capacity);
        });
        Self { network }
    }

    fn start(&mut self, amount: f64, penalty: f64, bound: f64, uses: &[(u32, f64)]) -> FlowId {
        let uses: Vec<Use> =
            uses.iter().map(|&(resource, weight)| Use { resource: ResourceId(resource), weight }).collect();
        let spec = FlowSpec { amount, efficiency: 1.0, bound, penalty, uses: &uses };
        self.network.start(SimTime::ZERO, spec)
    }

    fn rates(&mut self, flows: &[FlowId]) -> Vec<f64> {
        self.network.settle(SimTime::ZERO);
        flows.iter().map(|flow| self.network.rate(*flow).unwrap()).collect()
    }
}

const FREE: f64 = f64::INFINITY;

#[test]
fn a_flow_alone_gets_the_least_of_its_resources_and_its_bound() {
    let mut bench = Bench::new(&[10.0, 4.0]);
    let first = bench.start(1.0, 1.0, FREE, &[(0, 1.0), (1, 0.5)]);
    assert_eq!(bench.rates(&[first]), [8.0]);
    let mut bench = Bench::new(&[10.0]);
    let second = bench.start(1.0, 1.0, 3.0, &[(0, 1.0)]);
    assert_eq!(bench.rates(&[second]), [3.0]);
}

#[test]
fn shares_are_inverse_to_penalties() {
    let mut bench = Bench::new(&[12.0]);
    let flows = [bench.start(1.0, 1.0, FREE, &[(0, 1.0)]), bench.start(1.0, 2.0, FREE, &[(0, 1.0)])];
    assert_eq!(bench.rates(&flows), [8.0, 4.0]);
}

#[test]
fn what_a_bounded_flow_leaves_goes_to_the_others() {
    let mut bench = Bench::new(&[12.0]);
    let flows = [bench.start(1.0, 1.0, 2.0, &[(0, 1.0)]), bench.start(1.0, 1.0, FREE, &[(0, 1.0)])];
    assert_eq!(bench.rates(&flows), [2.0, 10.0]);
}

#[test]
fn a_resource_listed_twice_counts_twice() {
    let mut bench = Bench::new(&[12.0]);
    let flow = bench.start(1.0, 1.0, FREE, &[(0, 1.0), (0, 2.0)]);
    assert_eq!(bench.rates(&[flow]), [4.0]);
    assert_eq!(bench.network.usage(ResourceId(0)), 12.0);
}

#[test]
fn a_flow_of_great_penalty_is_nearly_stalled_by_one_of_small_penalty_and_recovers() {
    // A load from disk to RAM (penalty 1) beside a copy to the same disk (the timing model, section 2).
    let mut bench = Bench::new(&[100e6]);
    let load = bench.start(20e9, 1.0, 10e9, &[(0, 1.0)]);
    let copy = bench.start(2e9, 1e-6, 10e9, &[(0, 1.0)]);
    let rates = bench.rates(&[load, copy]);
    assert!((rates[0] - 100e6 * 1e-6 / (1.0 + 1e-6)).abs() < 1e-6, "{rates:?}");
    bench.network.cancel(SimTime::ZERO, copy);
    assert_eq!(bench.rates(&[load]), [100e6]);
}

#[test]
fn what_a_stalled_flow_gets_is_exact_when_the_other_is_held_elsewhere() {
    let mut bench = Bench::new(&[100.0, 30.0]);
    // One over 0.7 is no binary fraction: a sum of it and a number a thousand million times greater is rounded.
    let load = bench.start(1.0, 0.7, FREE, &[(0, 1.0)]);
    let copy = bench.start(1.0, 1e-9, FREE, &[(0, 1.0), (1, 1.0)]);
    let rates = bench.rates(&[load, copy]);
    assert!((rates[0] - 70.0).abs() < 1e-12 && (rates[1] - 30.0).abs() < 1e-12, "{rates:?}");
}

#[test]
fn a_resource_that_does_not_fill_up_draws_nobody_in() {
    let mut bench = Bench::new(&[10.0, 10.0, 1000.0]);
    let first = bench.start(1.0, 1.0, FREE, &[(0, 1.0), (2, 1.0)]);
    let second = bench.start(1.0, 1.0, FREE, &[(1, 1.0), (2, 1.0)]);
    assert_eq!(bench.rates(&[first, second]), [10.0, 10.0]);
    bench.network.cancel(SimTime::ZERO, first);
    assert!(bench.network.needs_settling());
    bench.network.settle(SimTime::ZERO);
    assert_eq!(bench.network.rate(second), Some(10.0));
    assert_eq!(bench.network.rate(first), None);
}

#[test]
fn a_resource_that_is_left_little_by_little_is_not_forgotten() {
    let mut bench = Bench::new(&[100.0, 9.5e-5]);
    let large = bench.start(1e4, 1e-6, FREE, &[(0, 1.0)]);
    let other = bench.start(1e4, 1e-4, FREE, &[(0, 1.0)]);
    let small = bench.start(1e4, 1.0, FREE, &[(0, 1.0), (1, 1.0)]);
    bench.rates(&[large, other, small]);
    // Each time the small flow leaves less of the first resource than counts, but together more.
    for step in 1..=4 {
        bench.network.set_capacity(ResourceId(1), 9.5e-5 - 6e-8 * f64::from(step));
        bench.rates(&[large, other, small]);
    }
    bench.network.cancel(SimTime::ZERO, large);
    assert!((bench.rates(&[other])[0] - 100.0).abs() < 0.1);
}

#[test]
fn an_empty_flow_ends_at_once() {
    let mut bench = Bench::new(&[10.0]);
    let flow = bench.start(0.0, 1.0, FREE, &[(0, 1.0)]);
    assert_eq!(bench.network.pop_completed(SimTime::ZERO), Some(flow));
    assert!(bench.network.is_empty());
}

#[test]
fn a_flow_over_a_resource_without_capacity_waits_for_it() {
    let mut bench = Bench::new(&[0.0]);
    let flow = bench.start(10.0, 1.0, FREE, &[(0, 1.0)]);
    bench.network.settle(SimTime::ZERO);
    assert_eq!(bench.network.next_completion(), None);
    bench.network.set_capacity(ResourceId(0), 5.0);
    bench.network.settle(at(1.0));
    assert_eq!(bench.network.rate(flow), Some(5.0));
    assert_eq!(bench.network.next_completion(), Some(at(3.0)));
}

/// Weighted max-min by definition, without any bookkeeping: for the whole network at once, in O(flows × resources).
fn solve_naively(capacities: &[f64], flows: &[NaiveFlow]) -> Vec<f64> {
    let mut rates: Vec<Option<f64>> = vec![None; flows.len()];
    while rates.iter().any(Option::is_none) {
        let level_of_resource = |resource: usize| {
            let held: f64 = (0..flows.len()).filter_map(|i| Some(rates[i]? * flows[i].weight(resource))).sum();
            let rising = (0..flows.len()).filter(|i| rates[*i].is_none());
            let slope: f64 = rising.map(|i| flows[i].weight(resource) / flows[i].penalty).sum();
            if slope > 0.0 { (capacities[resource] - held).max(0.0) / slope } else { f64::INFINITY }
        };
        let levels: Vec<f64> = (0..capacities.len()).map(level_of_resource).collect();
        let rising = || (0..flows.len()).filter(|i| rates[*i].is_none());
        let bounds = rising().map(|i| flows[i].bound * flows[i].penalty);
        let level = levels.iter().copied().chain(bounds).fold(f64::INFINITY, f64::min);
        let held: Vec<usize> = rising()
            .filter(|i| {
                flows[*i].bound * flows[*i].penalty <= level
                    || (0..capacities.len()).any(|r| flows[*i].weight(r) > 0.0 && levels[r] <= level)
            })
            .collect();
        for i in held {
            rates[i] = Some(level / flows[i].penalty);
        }
    }
    rates.into_iter().flatten().collect()
}

#[derive(Clone, Debug)]
struct NaiveFlow {
    id: FlowId,
    penalty: f64,
    bound: f64,
    amount: f64,
    uses: Vec<(u32, f64)>,
    moved: f64,
}

impl NaiveFlow {
    fn weight(&self, resource: usize) -> f64 {
        self.uses.iter().filter(|(r, _)| *r as usize == resource).map(|(_, weight)| weight).sum()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Start { amount: f64, penalty: f64, bound: f64, uses: Vec<(u32, f64)> },
    Cancel(usize),
    Resize(usize, f64),
    Complete,
}

const RESOURCES: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    let uses = proptest::collection::vec((0..RESOURCES as u32, prop_oneof![Just(1.0), 0.05..2.0_f64]), 1..4);
    let penalty = prop_oneof![Just(1.0), Just(1e-6), 1e-4..1e-2_f64];
    let bound = prop_oneof![3 => Just(f64::INFINITY), 1 => 1.0..50.0_f64];
    prop_oneof![
        6 => (1.0..1e4_f64, penalty, bound, uses)
            .prop_map(|(amount, penalty, bound, uses)| Step::Start { amount, penalty, bound, uses }),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => (0..RESOURCES, 1.0..200.0_f64).prop_map(|(resource, capacity)| Step::Resize(resource, capacity)),
        4 => Just(Step::Complete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// After every change, the rates are those of a solution from scratch, no resource is overused, every flow has a
    /// bottleneck, and a flow that ends has moved what was asked.
    #[test]
    fn rates_are_the_fair_ones_after_every_change(steps in proptest::collection::vec(step(), 1..60)) {
        follow(vec![100.0, 40.0, 10.0, 250.0, 60.0, 100.0], steps)?;
    }
}

/// Takes steps one after the other, and checks the laws after each.
fn follow(mut capacities: Vec<f64>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut network = FluidNetwork::new();
    capacities.iter().for_each(|capacity| {
        network.add_resource(*capacity);
    });
    let mut flows: Vec<NaiveFlow> = Vec::new();
    let mut now = SimTime::ZERO;
    for step in steps {
        match step {
            Step::Start { amount, penalty, bound, uses } => {
                let named: Vec<Use> = uses.iter().map(|&(r, weight)| Use { resource: ResourceId(r), weight }).collect();
                let spec = FlowSpec { amount, efficiency: 1.0, bound, penalty, uses: &named };
                let id = network.start(now, spec);
                flows.push(NaiveFlow { id, penalty, bound, amount, uses, moved: 0.0 });
            }
            Step::Cancel(pick) if !flows.is_empty() => {
                let flow = flows.remove(pick % flows.len());
                let left = network.cancel(now, flow.id).unwrap();
                prop_assert!((left + flow.moved - flow.amount).abs() <= 1e-6 * flow.amount);
            }
            Step::Cancel(_) => {}
            Step::Resize(resource, capacity) => {
                capacities[resource] = capacity;
                network.set_capacity(ResourceId(resource as u32), capacity);
            }
            Step::Complete => {
                if let Some(date) = network.next_completion() {
                    for flow in &mut flows {
                        flow.moved += network.rate(flow.id).unwrap() * (date - now).as_secs_f64();
                    }
                    now = date;
                    let ended = network.pop_completed(now).unwrap();
                    let position = flows.iter().position(|flow| flow.id == ended).unwrap();
                    let flow = flows.remove(position);
                    prop_assert!((flow.moved - flow.amount).abs() <= 1e-6 * flow.amount + 1e-6, "{flow:?}");
                }
            }
        }
        network.settle(now);
        let expected = solve_naively(&capacities, &flows);
        for (flow, expected) in flows.iter().zip(&expected) {
            let rate = network.rate(flow.id).unwrap();
            // What a flow of great penalty gets beside one of small penalty is less than what counts as rounding.
            let tolerance = 1e-7 * expected + 1e-9 * capacities.iter().copied().fold(0.0, f64::max);
            prop_assert!((rate - expected).abs() <= tolerance, "rate {rate}, fair is {expected}: {flow:?}");
        }
        check_max_min(&network, &capacities, &flows)?;
        network.check_limits();
    }
    Ok(())
}

fn check_max_min(network: &FluidNetwork, capacities: &[f64], flows: &[NaiveFlow]) -> Result<(), TestCaseError> {
    let level = |flow: &NaiveFlow| network.rate(flow.id).unwrap() * flow.penalty;
    for (resource, capacity) in capacities.iter().enumerate() {
        let usage = network.usage(ResourceId(resource as u32));
        prop_assert!(usage <= capacity * (1.0 + 1e-9), "resource {resource}: {usage} of {capacity}");
    }
    for flow in flows {
        let at_bound = network.rate(flow.id).unwrap() >= flow.bound * (1.0 - 1e-7);
        let has_bottleneck = capacities.iter().enumerate().any(|(resource, capacity)| {
            flow.weight(resource) > 0.0
                && network.usage(ResourceId(resource as u32)) >= capacity * (1.0 - 1e-7)
                && flows.iter().all(|f| f.weight(resource) == 0.0 || level(f) <= level(flow) * (1.0 + 1e-6))
        });
        prop_assert!(at_bound || has_bottleneck, "nothing holds {flow:?}");
    }
    Ok(())
}
