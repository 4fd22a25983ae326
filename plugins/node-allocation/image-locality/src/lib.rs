//! Node allocation `image-locality`: the node that has most of the function's image already, as the ImageLocality plugin of
//! the Kubernetes scheduler prefers it.
//!
//! Of the nodes with a free core that have an idle container of the function or can make room for a new one, in this order:
//! with an idle container; the image in RAM; on its way into RAM; on disk; on its way to the disk; without. Of equal ones
//! the one that runs the fewest invocations, then the lowest number.
//!
//! With `copies: peers` an image that a node lacks comes from wherever the fewest copies are on their way, the nodes that have it
//! first and then the head, so that a burst of starts is not held up at the head: peer-to-peer provisioning, as in FaaSNet (Wang
//! et al., ATC 2021), without its trees.
//!
//! What differs: Kubernetes scores images by their size and by how many nodes have them, and adds the score to others;
//! here a function has one image, and having more of it always wins.

use hearth_policy_api::*;
use hearth_policy_toolbox::PlacementRule;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<ImageLocality>();
export_policies!(POLICY);

choice! {
    /// Where images come from.
    pub enum Copies {
        /// The head.
        Head = "head",
        /// The nodes that have them, and the head.
        Peers = "peers",
    }
}

parameters! {
    /// What can be set of [`ImageLocality`].
    pub struct Settings {
        /// where images are copied from: the head alone, or whoever sends the fewest copies of those that have it
        copies: choice(Copies) = Copies::Head;
    }
}

/// The policy.
#[derive(Debug)]
pub struct ImageLocality {
    copies: Copies,
}

impl Policy for ImageLocality {
    const NAME: &'static str = "image-locality";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the node that has most of the image, then the least loaded";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { copies: settings.copies })
    }
}

impl NodeAllocation for ImageLocality {
    fn rules(&self) -> AllocationRules {
        AllocationRules { chooses_sources: self.copies == Copies::Peers, ..AllocationRules::default() }
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        let holder = copy.least_busy_holder();
        let sending = copy.sending.get(holder as usize).copied().unwrap_or(u32::MAX);
        if copy.is_on_head != 0 && copy.sending_of_head < sending { NONE } else { holder }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        // Each set is a part of what nearer ones leave over, so the first that yields a node is the best.
        let nearest_first = [
            &cluster.idle_container,
            &cluster.image_in_ram,
            &cluster.image_loading,
            &cluster.image_on_disk,
            &cluster.image_copying,
            &cluster.free_core,
        ];
        let least_loaded_in = |near: &NodeSet<'_>| {
            let near = cluster.free_core.iter_also_in(near);
            PlacementRule::LeastLoaded.choose_among(near, request, cluster)
        };
        nearest_first.into_iter().find_map(least_loaded_in).into()
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

    #[test]
    fn a_worked_example() {
        let mut cluster = TestCluster::new(7);
        (0..7).for_each(|node| cluster.nodes[node as usize].running = 7 - node);
        let mut policy = ImageLocality { copies: Copies::Head };
        let mut place = |cluster: &TestCluster| policy.place(&RequestView::default(), &cluster.view());
        assert_eq!(place(&cluster), Placement::Node(6), "the least loaded");
        cluster.image_copying.insert(5);
        assert_eq!(place(&cluster), Placement::Node(5));
        cluster.image_on_disk.insert(4);
        assert_eq!(place(&cluster), Placement::Node(4));
        cluster.image_loading.insert(3);
        assert_eq!(place(&cluster), Placement::Node(3));
        cluster.image_in_ram.insert(1);
        cluster.image_in_ram.insert(2);
        assert_eq!(place(&cluster), Placement::Node(2), "the less loaded of two");
        cluster.idle_container.insert(0);
        assert_eq!(place(&cluster), Placement::Node(0));
        cluster.take_cores(0);
        assert_eq!(place(&cluster), Placement::Node(2));
    }

    #[test]
    fn an_image_comes_from_who_sends_the_fewest_copies() {
        let mut policy = ImageLocality { copies: Copies::Peers };
        let mut holders = NodeBits::new(3);
        [0, 2].into_iter().for_each(|node| holders.insert(node));
        let mut source = |sending: &[u32], sending_of_head, is_on_head| {
            let (holders, sending) = (holders.view(), Slice::new(sending));
            policy.source(&CopyView { holders, sending, sending_of_head, is_on_head, ..CopyView::default() })
        };
        assert_eq!(source(&[1, 0, 0], 0, 1), 2, "a node before the head");
        assert_eq!(source(&[1, 0, 1], 0, 1), NONE);
        assert_eq!(source(&[1, 0, 1], 0, 0), 0, "the head has not got it any more");
        assert_eq!(source(&[1, 0, 1], 1, 1), 0);
    }
}
