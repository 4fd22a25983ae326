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
//!
//! A round costs a glance at each request that waits, and more only for the functions, the nodes with a free core and
//! those who get one.

use std::collections::BinaryHeap;

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::batch_allocation::<WorkloadBalancing>();
export_policies!(POLICY);

/// The policy; what it keeps from round to round are buffers.
#[derive(Debug, Default)]
pub struct WorkloadBalancing {
    /// By number of the function: its position among those of the batch. Meaningless for those that are not there.
    positions: Vec<u32>,
    /// How many wait, by position of the function.
    waiting: Vec<u32>,
    /// Who may start, by position of the function: those submitted last, the very last first.
    last: Vec<Vec<u32>>,
}

/// So many cores of a node for a function, by its position.
#[derive(Clone, Copy, Debug)]
struct Share {
    node: u32,
    function: usize,
    cores: u32,
}

impl Policy for WorkloadBalancing {
    const NAME: &'static str = "workload-balancing";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "cores to functions by their share of the waiting work";
    // It evicts nothing, and a function may be given nodes without room in every round.
    const CLAIMS: Claims = Claims { work_conserving: false, ..Claims::ALL };
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::default())
    }
}

impl BatchAllocation for WorkloadBalancing {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: Commitment::PerRound, ..AllocationRules::default() }
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        let free: u32 = batch.up.iter().map(|node| batch.nodes[node as usize].free_cores).sum();
        if free == 0 {
            return;
        }
        self.count(batch);
        let wanted = cores_by_function(batch, &self.waiting, free);
        let shares = allocate(batch, &wanted);
        self.find_last(batch, &wanted);
        let functions = &batch.functions;
        let mut view = NodeView::default();
        let mut of = None;
        for &Share { node, function, cores } in &shares {
            if of.replace(node) != Some(node) {
                view = batch.nodes[node as usize];
            }
            start(&functions[function], node, &mut view, cores, &mut self.last[function], plan);
        }
        for share in &shares {
            move_image(&functions[share.function], share.node, plan);
        }
    }
}

impl WorkloadBalancing {
    /// Counts who waits of each function.
    fn count(&mut self, batch: &BatchView<'_>) {
        let functions = &batch.functions;
        let numbers = functions.iter().next_back().map_or(0, |last| last.function as usize + 1);
        if self.positions.len() < numbers {
            self.positions.resize(numbers, 0);
        }
        for (position, view) in functions.iter().enumerate() {
            self.positions[view.function as usize] = position as u32;
        }
        self.waiting.clear();
        self.waiting.resize(functions.len(), 0);
        for request in batch.queue.iter() {
            self.waiting[self.positions[request.function as usize] as usize] += 1;
        }
    }

    /// Looks for those of each function who were submitted last, as many as get a core.
    fn find_last(&mut self, batch: &BatchView<'_>, wanted: &[u32]) {
        self.last.iter_mut().for_each(Vec::clear);
        if self.last.len() < wanted.len() {
            self.last.resize(wanted.len(), Vec::new());
        }
        let mut missing: u32 = wanted.iter().sum();
        for (position, request) in batch.queue.iter().enumerate().rev() {
            if missing == 0 {
                return;
            }
            let function = self.positions[request.function as usize] as usize;
            let last = &mut self.last[function];
            if last.len() < wanted[function] as usize {
                last.push(position as u32);
                missing -= 1;
            }
        }
    }
}

/// How many of the free cores each function is to get, by position.
fn cores_by_function(batch: &BatchView<'_>, waiting: &[u32], free: u32) -> Vec<u32> {
    let second = 1_000_000_000;
    let work = |(view, waiting): (&FunctionView<'_>, &u32)| {
        let limit = if view.time_limit == 0 { second } else { view.time_limit };
        f64::from(*waiting) * (limit as f64 / second as f64)
    };
    let works: Vec<f64> = batch.functions.iter().zip(waiting).map(work).collect();
    let total: f64 = works.iter().sum();
    let share = |(work, waiting): (&f64, &u32)| {
        let cores = (work / total * f64::from(free)).ceil();
        (cores as u32).min(*waiting)
    };
    works.iter().zip(waiting).map(share).collect()
}

/// Spreads the cores over nodes: the function with the most first, each onto the nodes with the most cores left. By node,
/// then function.
fn allocate(batch: &BatchView<'_>, wanted: &[u32]) -> Vec<Share> {
    let left = batch.up.iter().map(|node| (batch.nodes[node as usize].free_cores, std::cmp::Reverse(node)));
    let mut most: BinaryHeap<_> = left.filter(|(cores, _)| *cores > 0).collect();
    let mut order: Vec<usize> = (0..wanted.len()).filter(|position| wanted[*position] > 0).collect();
    order.sort_by_key(|&position| std::cmp::Reverse(wanted[position]));
    let mut shares = Vec::new();
    for function in order {
        let mut missing = wanted[function];
        while missing > 0
            && let Some((left, std::cmp::Reverse(node))) = most.pop()
        {
            let cores = missing.min(left);
            missing -= cores;
            shares.push(Share { node, function, cores });
            if left > cores {
                most.push((left - cores, std::cmp::Reverse(node)));
            }
        }
    }
    shares.sort_unstable_by_key(|share| (share.node, share.function));
    shares
}

/// Starts up to `cores` invocations of a function on a node, those first that come first in `waiting`. If one cannot start,
/// nobody of the function can on this node, and all of them sit the round out.
fn start(
    function: &FunctionView<'_>,
    node: u32,
    view: &mut NodeView,
    cores: u32,
    waiting: &mut Vec<u32>,
    plan: &mut Vec<PlanItem>,
) {
    let mut idle = function.idle_containers.get(node as usize).copied().unwrap_or(0);
    let is_ready = function.image == NONE || function.image_in_ram.contains(node);
    let mut started = 0;
    for &request in waiting.iter() {
        if started == cores || view.free_cores == 0 {
            break;
        }
        let has_room = view.free_ram >= function.ram_limit && view.free_disk >= function.disk_limit;
        if !is_ready || (idle == 0 && !has_room) {
            return waiting.clear();
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
    waiting.drain(..started as usize);
}

fn move_image(function: &FunctionView<'_>, node: u32, plan: &mut Vec<PlanItem>) {
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

    fn plan(batch: &TestBatch) -> Vec<PlanItem> {
        let mut items = Vec::new();
        batch.show(|view| WorkloadBalancing::default().plan(view, &mut items));
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
