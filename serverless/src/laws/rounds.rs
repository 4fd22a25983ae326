//! Policies that plan for the whole queue decide as they would in plain words.

use std::collections::BTreeMap;

use hearth_node_allocation_random::Random;
use hearth_policy_api::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;
use super::checks::files_of;
use super::scenarios::{faults, scenario};
use crate::experiment::Experiment;
use crate::policy::Catalog;
use crate::scenario::Scenario;

fn rules_of_both() -> AllocationRules {
    AllocationRules { commitment: Commitment::PerRound, ..AllocationRules::default() }
}

/// `random` that names everybody it has drawn a node for.
struct PlainRandom(Random);

impl Policy for PlainRandom {
    const NAME: &'static str = "random";
    const VERSION: &'static str = Random::VERSION;
    const DESCRIPTION: &'static str = Random::DESCRIPTION;
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Random::new(parameters, context).map(Self)
    }
}

impl BatchAllocation for PlainRandom {
    fn rules(&self) -> AllocationRules {
        rules_of_both()
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        // With a free core everywhere no node is passed over.
        let with_core = |node: &NodeView| NodeView { free_cores: node.free_cores.max(1), ..*node };
        let nodes: Vec<NodeView> = batch.nodes.iter().map(with_core).collect();
        self.0.plan(&BatchView { nodes: nodes.as_slice().into(), ..*batch }, plan);
        assert_eq!(plan.len(), if batch.up.is_empty() { 0 } else { batch.queue.len() });
    }
}

/// `workload-balancing` as its description reads.
struct PlainBalancing;

impl Policy for PlainBalancing {
    const NAME: &'static str = "workload-balancing";
    const VERSION: &'static str = Random::VERSION;
    const DESCRIPTION: &'static str = "cores to functions by their share of the waiting work";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl BatchAllocation for PlainBalancing {
    fn rules(&self) -> AllocationRules {
        rules_of_both()
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        let mut waiting: Vec<Vec<u32>> = batch.functions.iter().map(|function| of(function, batch)).collect();
        let allocation = allocate(batch, &cores(batch, &waiting));
        let mut nodes: Vec<NodeView> = batch.nodes.iter().copied().collect();
        for (&(node, position), &cores) in &allocation {
            let function = &batch.functions[position];
            start(function, node, &mut nodes[node as usize], cores, &mut waiting[position], plan);
        }
        for &(node, position) in allocation.keys() {
            let function = &batch.functions[position];
            let (image, on_disk) = (function.image, function.image_on_disk.contains(node));
            if image == NONE {
            } else if !on_disk && !function.image_copying.contains(node) {
                plan.push(PlanItem::Copy { image, node });
            } else if on_disk && !function.image_in_ram.contains(node) && !function.image_loading.contains(node) {
                plan.push(PlanItem::Load { image, node });
            }
        }
    }
}

/// The requests of a function, in the order of submission.
fn of(function: &FunctionView<'_>, batch: &BatchView<'_>) -> Vec<u32> {
    let queue = (0..).zip(batch.queue.iter());
    queue.filter(|(_, request)| request.function == function.function).map(|(position, _)| position).collect()
}

fn cores(batch: &BatchView<'_>, waiting: &[Vec<u32>]) -> Vec<u32> {
    let work = |(function, waiting): (&FunctionView<'_>, &Vec<u32>)| {
        let limit = if function.time_limit == 0 { 1_000_000_000 } else { function.time_limit };
        waiting.len() as f64 * (limit as f64 / 1e9)
    };
    let works: Vec<f64> = batch.functions.iter().zip(waiting).map(work).collect();
    let total: f64 = works.iter().sum();
    let free: u32 = batch.up.iter().map(|node| batch.nodes[node as usize].free_cores).sum();
    let share = |(work, waiting): (&f64, &Vec<u32>)| (work / total * f64::from(free)).ceil().min(waiting.len() as f64);
    works.iter().zip(waiting).map(|of| share(of) as u32).collect()
}

fn allocate(batch: &BatchView<'_>, wanted: &[u32]) -> BTreeMap<(u32, usize), u32> {
    let mut left: Vec<(u32, u32)> = batch.up.iter().map(|node| (node, batch.nodes[node as usize].free_cores)).collect();
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&position| std::cmp::Reverse(wanted[position]));
    let mut allocation = BTreeMap::new();
    for position in order {
        let mut missing = wanted[position];
        while missing > 0 {
            let most = left.iter_mut().max_by_key(|(node, cores)| (*cores, std::cmp::Reverse(*node)));
            let Some((node, cores)) = most.filter(|(_, cores)| *cores > 0) else { return allocation };
            let taken = missing.min(*cores);
            *cores -= taken;
            missing -= taken;
            *allocation.entry((*node, position)).or_insert(0) += taken;
        }
    }
    allocation
}

/// Starts up to `cores` invocations, the last submitted first; who cannot start sits the round out.
fn start(
    function: &FunctionView<'_>,
    node: u32,
    view: &mut NodeView,
    cores: u32,
    waiting: &mut Vec<u32>,
    plan: &mut Vec<PlanItem>,
) {
    let mut idle = function.idle_containers[node as usize];
    let mut started = 0;
    while started < cores
        && view.free_cores > 0
        && let Some(request) = waiting.pop()
    {
        let is_ready = function.image == NONE || function.image_in_ram.contains(node);
        let has_room = view.free_ram >= function.ram_limit && view.free_disk >= function.disk_limit;
        if !is_ready || (idle == 0 && !has_room) {
            continue;
        }
        if idle > 0 {
            idle -= 1;
        } else {
            view.free_ram -= function.ram_limit;
            view.free_disk -= function.disk_limit;
        }
        view.free_cores -= 1;
        started += 1;
        plan.push(PlanItem::Run { request, node });
    }
}

/// Has many wait: each request is made so many times, at a few dates.
fn with_crowds(scenario: &mut Value, times: usize) {
    let Some(invocations) = scenario["workload"]["invocations"].as_array_mut() else { return };
    let crowd = |one: &Value| {
        let mut one = one.clone();
        if let Some(at) = one["at"].as_f64() {
            one["at"] = json!((at / 30.0).floor() * 30.0);
        }
        one
    };
    // Those that follow the end of another name it by its place.
    let more: Vec<Value> = invocations.iter().filter(|one| one["at"].is_f64()).map(crowd).collect();
    (0..times).for_each(|_| invocations.extend(more.iter().cloned()));
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_plan_for_all_who_wait_is_the_plain_one(
        scenario in scenario(),
        policy in prop::sample::select(vec!["random", "workload-balancing"]),
        times in 0..8_usize,
        faults in prop::option::of(faults()),
    ) {
        let mut scenario = scenario;
        scenario["policies"]["node_allocation"] = json!({"use": policy});
        scenario["service"]["backfilling"] = json!("unlimited");
        with_crowds(&mut scenario, times);
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        let plain = [
            PolicyDescriptor::batch_allocation::<PlainRandom>(),
            PolicyDescriptor::batch_allocation::<PlainBalancing>(),
        ];
        let others = hearth_plugins::BUILT_IN.iter().filter(|one| plain.iter().all(|plain| plain.name() != one.name()));
        let plain: Vec<PolicyDescriptor> = others.copied().chain(plain).collect();
        let read = Scenario::from_json(&scenario.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let prepare = |policies: &[PolicyDescriptor]| Experiment::prepare(&read, &Catalog::new(policies));
        let (Ok(built_in), Ok(plain)) = (prepare(hearth_plugins::BUILT_IN), prepare(&plain)) else { return Ok(()) };
        prop_assert_eq!(files_of(&built_in.run().unwrap()), files_of(&plain.run().unwrap()));
    }
}
