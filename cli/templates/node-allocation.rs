//! Node allocation `policy-name`: the first node, by number, with a free core and an idle container of the function or
//! room for a new one.

use hearth_policy_api::*;

// What the library exports; a library may have several policies.
export_policies!(PolicyDescriptor::node_allocation::<TypeName>());

/// The policy. What it remembers goes here.
pub struct TypeName;

impl Policy for TypeName {
    const NAME: &'static str = "policy-name";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "the first node with a core and room";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl NodeAllocation for TypeName {
    /// Asked for one waiting request after the other. `cluster` shows what the answers before have left.
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let fits = |node: &u32| {
            cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request)
        };
        // Only nodes with a free core may be answered.
        match cluster.free_core.iter().find(fits) {
            Some(node) => Placement::Node(node),
            None => Placement::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn the_first_node_with_a_core_is_chosen() {
        let mut cluster = TestCluster::new(3);
        cluster.take_cores(0);
        assert_eq!(TypeName.place(&RequestView::default(), &cluster.view()), Placement::Node(1));
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&PolicyDescriptor::node_allocation::<TypeName>());
    }
}
