//! Node allocation `least-loaded`: of the nodes with a free core that have an idle container of the function, or can
//! make room for a new one, the one that runs the fewest invocations. Ties go to a node with an idle container, then
//! to one with the image in RAM, then to the lowest number.
//!
//! The policy keeps its own index, so that a decision does not look at every node: a set of nodes for each number of
//! running invocations. The host announces changed nodes before a round ([`NodeAllocation::observe`]); within a round the
//! policy counts its own decisions.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<LeastLoaded>();
export_policies!(POLICY);

/// The policy and the nodes with a free core by the number of invocations that they run.
#[derive(Debug)]
pub struct LeastLoaded {
    by_load: Vec<NodeBits>,
    /// By node: its place in `by_load`, or [`NONE`].
    load_of: Vec<u32>,
    /// No node with a free core runs fewer.
    lowest: u32,
}

impl Policy for LeastLoaded {
    const NAME: &'static str = "least-loaded";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the node that runs the fewest invocations, ties to a warm one";
    type Parameters = ();

    fn new(_parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { by_load: Vec::new(), load_of: vec![NONE; context.nodes as usize], lowest: 0 })
    }
}

impl LeastLoaded {
    /// Puts a node where it belongs: under a load, or nowhere with [`NONE`].
    fn move_to(&mut self, node: u32, load: u32) {
        let nodes = self.load_of.len();
        let before = std::mem::replace(&mut self.load_of[node as usize], load);
        if before == load {
            return;
        }
        if before != NONE {
            self.by_load[before as usize].remove(node);
        }
        if load != NONE {
            while self.by_load.len() <= load as usize {
                self.by_load.push(NodeBits::new(nodes));
            }
            self.by_load[load as usize].insert(node);
            self.lowest = self.lowest.min(load);
        }
    }

    /// The best node of one load.
    fn best(nodes: NodeSet<'_>, request: &RequestView, cluster: &ClusterView<'_>) -> Option<u32> {
        let fits = |node: &u32| cluster.nodes[*node as usize].can_make_room(request);
        let with_image = || nodes.iter_also_in(&cluster.image_in_ram).find(fits);
        let warm = nodes.first_also_in(&cluster.idle_container);
        warm.or_else(with_image).or_else(|| nodes.iter().find(fits))
    }
}

impl NodeAllocation for LeastLoaded {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: true, ..AllocationRules::default() }
    }

    fn observe(&mut self, node: u32, view: &NodeView, up: bool) {
        self.move_to(node, if up && view.free_cores > 0 { view.running } else { NONE });
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        while self.by_load.get(self.lowest as usize).is_some_and(|nodes| nodes.view().is_empty()) {
            self.lowest += 1;
        }
        let loads = self.by_load.iter().skip(self.lowest as usize);
        match loads.map(NodeBits::view).find_map(|nodes| Self::best(nodes, request, cluster)) {
            None => Placement::Wait,
            Some(node) => {
                let NodeView { running, free_cores, .. } = cluster.nodes[node as usize];
                self.move_to(node, if free_cores > 1 { running + 1 } else { NONE });
                Placement::Node(node)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// What a new policy answers that has been told of all nodes.
    fn place(cluster: &TestCluster) -> Placement {
        let context = PolicyContext { nodes: cluster.nodes.len() as u32, ..PolicyContext::default() };
        let mut policy = LeastLoaded::new((), &context).unwrap();
        cluster.nodes.iter().enumerate().for_each(|(node, view)| policy.observe(node as u32, view, true));
        policy.place(&RequestView { ram_limit: 10, ..RequestView::default() }, &cluster.view())
    }

    #[test]
    fn the_fewest_running_wins_and_ties_go_to_the_warmest() {
        let mut cluster = TestCluster::new(4);
        for (node, running) in [(0, 2), (1, 1), (2, 1), (3, 1)] {
            cluster.nodes[node].running = running;
        }
        assert_eq!(place(&cluster), Placement::Node(1));
        cluster.image_in_ram.insert(2);
        assert_eq!(place(&cluster), Placement::Node(2));
        cluster.idle_container.insert(3);
        assert_eq!(place(&cluster), Placement::Node(3));
        cluster.nodes[3].free_ram = 0;
        assert_eq!(place(&cluster), Placement::Node(3), "an idle container needs no room");
        cluster.idle_container.remove(3);
        assert_eq!(place(&cluster), Placement::Node(2));
        cluster.nodes[1].free_ram = 0;
        cluster.nodes[2].free_ram = 0;
        assert_eq!(place(&cluster), Placement::Node(0), "more load, but room");
    }
}
