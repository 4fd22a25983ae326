//! Node allocation `workload-balancing`, as WRENCH does it (the timing model, section 5).
//!
//! In every round, function f with n waiting invocations has the work `n × time limit` and gets
//! `min(ceil(work / all work × free cores), n)` cores, on the nodes with the most cores left, the function with the most
//! cores first. Where the image is missing it is copied or loaded. Then the functions start, the invocation submitted
//! last first, in idle containers or where RAM and disk are free; nothing is evicted. An invocation whose turn comes on a
//! node without the image in RAM sits the round out.
//!
//! WRENCH's ties hang on addresses; here they go to the lower number of function and node. A function without time limit
//! counts as one of a second.

use std::collections::BTreeMap;

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<WorkloadBalancing>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct WorkloadBalancing;

/// Cores by node and position of the function.
type Allocation = BTreeMap<(u32, usize), u32>;

impl Policy for WorkloadBalancing {
    const NAME: &'static str = "workload-balancing";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "cores to functions by their share of the waiting work";
    // It evicts nothing, and a function may be given nodes without room in every round.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };

    fn new(_parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for WorkloadBalancing {
    fn rules(&self) -> AllocationRules {
        AllocationRules { scope: Scope::Batch, commitment: Commitment::PerRound, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, _cluster: &ClusterView<'_>) -> Placement {
        Placement::Wait
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut RVec<PlanItem>) {
        let functions = batch.functions.as_slice();
        let mut waiting = waiting_by_function(batch);
        let allocation = allocate(batch, &cores_by_function(batch, &waiting));
        let mut nodes: Vec<NodeView> = batch.nodes.to_vec();
        for (&(node, position), &cores) in &allocation {
            let view = &mut nodes[node as usize];
            start(&functions[position], node, view, cores, &mut waiting[position], plan);
        }
        for &(node, position) in allocation.keys() {
            move_image(&functions[position], node, plan);
        }
    }
}

/// The requests of each function, by position, in the order of submission.
fn waiting_by_function(batch: &BatchView<'_>) -> Vec<Vec<u32>> {
    let functions = batch.functions.as_slice();
    let mut waiting = vec![Vec::new(); functions.len()];
    for (position, request) in batch.queue.iter().enumerate() {
        if let Ok(function) = functions.binary_search_by_key(&request.function, |view| view.function) {
            waiting[function].push(position as u32);
        }
    }
    waiting
}

/// How many cores each function is to get, by position.
fn cores_by_function(batch: &BatchView<'_>, waiting: &[Vec<u32>]) -> Vec<u32> {
    let second = 1_000_000_000;
    let work = |(view, waiting): (&FunctionView<'_>, &Vec<u32>)| {
        let limit = if view.time_limit == 0 { second } else { view.time_limit };
        waiting.len() as f64 * (limit as f64 / second as f64)
    };
    let works: Vec<f64> = batch.functions.iter().zip(waiting).map(work).collect();
    let total: f64 = works.iter().sum();
    let free: u32 = batch.up.iter().map(|node| batch.nodes[node as usize].free_cores).sum();
    let share = |(work, waiting): (&f64, &Vec<u32>)| {
        let cores = (work / total * f64::from(free)).ceil();
        (cores as u32).min(waiting.len() as u32)
    };
    works.iter().zip(waiting).map(share).collect()
}

/// Spreads the cores over nodes: the function with the most first, each onto the nodes with the most cores left.
fn allocate(batch: &BatchView<'_>, wanted: &[u32]) -> Allocation {
    let mut left: Vec<(u32, u32)> = batch.up.iter().map(|node| (node, batch.nodes[node as usize].free_cores)).collect();
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&position| std::cmp::Reverse(wanted[position]));
    let mut allocation = Allocation::new();
    for position in order {
        let mut missing = wanted[position];
        while missing > 0 {
            let most = left.iter_mut().max_by_key(|(node, cores)| (*cores, std::cmp::Reverse(*node)));
            let Some((node, cores)) = most.filter(|(_, cores)| *cores > 0) else {
                return allocation;
            };
            let taken = missing.min(*cores);
            *cores -= taken;
            missing -= taken;
            *allocation.entry((*node, position)).or_insert(0) += taken;
        }
    }
    allocation
}

/// Starts up to `cores` invocations of a function on a node, the last submitted first.
fn start(
    function: &FunctionView<'_>,
    node: u32,
    view: &mut NodeView,
    cores: u32,
    waiting: &mut Vec<u32>,
    plan: &mut RVec<PlanItem>,
) {
    let mut idle = function.idle_containers.get(node as usize).copied().unwrap_or(0);
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

fn move_image(function: &FunctionView<'_>, node: u32, plan: &mut RVec<PlanItem>) {
    let image = function.image;
    if image == NONE {
        return;
    }
    if !function.image_on_disk.contains(node) && !function.image_copying.contains(node) {
        plan.push(PlanItem::Copy { image, node });
    } else if function.image_on_disk.contains(node)
        && !function.image_in_ram.contains(node)
        && !function.image_loading.contains(node)
    {
        plan.push(PlanItem::Load { image, node });
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestBatch};

    use super::*;

    /// Three nodes of four cores; seven invocations of function 0 and one of function 1 wait.
    fn batch() -> TestBatch {
        let mut batch = TestBatch::new(3);
        batch.nodes.iter_mut().for_each(|node| node.free_cores = 4);
        (0..7).for_each(|_| batch.add_request(0));
        batch.add_request(1);
        batch
    }

    fn plan(batch: &TestBatch) -> RVec<PlanItem> {
        let mut items = RVec::new();
        batch.show(|view| WorkloadBalancing.plan(view, &mut items));
        items
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn the_function_with_more_work_gets_more_cores_and_images_are_copied_where_they_are_needed() {
        // Work 7 and 1 of 8 over 12 cores: ceil(10.5), at most 7, and ceil(1.5), at most 1.
        let copies = [(0, 0), (0, 1), (1, 2)].map(|(image, node)| PlanItem::Copy { image, node });
        let mut batch = batch();
        batch.function(0).image = 0;
        batch.function(1).image = 1;
        assert_eq!(plan(&batch), copies);
    }

    #[test]
    fn the_last_submitted_starts_first_and_one_without_room_sits_the_round_out() {
        let mut batch = batch();
        batch.function(0).ram_limit = 10;
        batch.function(0).idle_containers[0] = 1;
        batch.nodes[0].free_ram = 15;
        batch.nodes[1].free_ram = 0;
        // Node 0: one in the idle container, one in a new one, two have no room; so has the rest on node 1.
        let started = [(6, 0), (5, 0), (7, 2)].map(|(request, node)| PlanItem::Run { request, node });
        assert_eq!(plan(&batch), started);
    }
}
