//! Node allocation `random`: every round shuffles the queue and draws a node for each invocation from all that are up,
//! even one with no free core, as WRENCH does it (the timing model, section 5). What is drawn for an invocation that
//! cannot start there only brings its image.

use hearth_policy_api::*;
use hearth_policy_toolbox::random_stream;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_pcg::Pcg64Mcg;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::batch_allocation::<Random>();
export_policies!(POLICY);

/// The policy and its stream of random numbers.
#[derive(Debug)]
pub struct Random {
    stream: Pcg64Mcg,
    order: Vec<u32>,
    nodes: Vec<u32>,
    /// By number of the node: whether nothing comes of drawing it, whoever it is drawn for.
    settled: Vec<bool>,
}

impl Random {
    /// A policy that draws from a seed.
    pub fn with_seed(seed: u64) -> Self {
        Self { stream: random_stream(seed), order: Vec::new(), nodes: Vec::new(), settled: Vec::new() }
    }

    /// Finds the nodes without a free core that have the images of all who wait.
    fn find_settled(&mut self, batch: &BatchView<'_>) {
        self.settled.clear();
        self.settled.resize(batch.nodes.len(), false);
        let is_settled = |node: u32| {
            let has_image =
                |function: &FunctionView<'_>| function.image == NONE || function.image_in_ram.contains(node);
            batch.nodes[node as usize].free_cores == 0 && batch.functions.iter().all(has_image)
        };
        self.nodes.iter().for_each(|node| self.settled[*node as usize] = is_settled(*node));
    }
}

impl Policy for Random {
    const NAME: &'static str = "random";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "any node, in any order; drawn anew in every round";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self::with_seed(context.seed))
    }
}

impl BatchAllocation for Random {
    fn rules(&self) -> AllocationRules {
        AllocationRules { commitment: Commitment::PerRound, ..AllocationRules::default() }
    }

    fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        self.nodes.clear();
        self.nodes.extend(batch.up.iter());
        self.order.clear();
        self.order.extend(0..batch.queue.len() as u32);
        self.order.shuffle(&mut self.stream);
        self.find_settled(batch);
        for &request in &self.order {
            if let Some(&node) = self.nodes.choose(&mut self.stream)
                && !self.settled[node as usize]
            {
                plan.push(PlanItem::Run { request, node });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestBatch};

    use super::*;

    fn plan(seed: u64) -> Vec<PlanItem> {
        let mut batch = TestBatch::new(4);
        (0..100).for_each(|_| batch.add_request(0));
        batch.up.remove(2);
        let mut items = Vec::new();
        batch.show(|view| Random::with_seed(seed).plan(view, &mut items));
        items
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn everybody_is_placed_once_on_nodes_that_are_up() {
        let mut seen = [false; 100];
        let mut used = [0; 4];
        for item in plan(7) {
            let PlanItem::Run { request, node } = item else { panic!("{item:?}") };
            assert!(!std::mem::replace(&mut seen[request as usize], true));
            used[node as usize] += 1;
        }
        assert!(seen.iter().all(|seen| *seen));
        assert!(used[0] > 10 && used[1] > 10 && used[2] == 0 && used[3] > 10, "{used:?}");
    }

    #[test]
    fn the_seed_decides_the_draw() {
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }
}
