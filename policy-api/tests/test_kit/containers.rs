//! Those that say which container a request takes.

use std::collections::BTreeMap;

use hearth_policy_api::*;

use super::{check_rows, defective};

defective!(
    Chooser,
    BTreeMap<u32, u32>,
    [
        "names a container that is in use",
        "names a container of another function",
        "names a container that is not there",
        "remembers where a container was",
        "wants a new one where there is no room",
        "wants a new one on a node that is not there",
    ]
);

impl NodeAllocation for Chooser {
    /// In the container of the function that is idle longest, or a new one.
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let is_suitable = |it: &&ContainerView| match self.defect {
            "names a container that is in use" => it.function == request.function,
            "names a container of another function" => it.is_idle(),
            _ => it.function == request.function && it.is_idle(),
        };
        let on = |node: u32| {
            cluster.containers_on(node).iter().filter(is_suitable).map(move |it| (it.since, node, it.container))
        };
        if let Some((_, node, container)) = cluster.free_core.iter().flat_map(on).min() {
            let container = match self.defect {
                "names a container that is not there" => container + 1,
                "remembers where a container was" => *self.state.entry(request.function).or_insert(container),
                _ => container,
            };
            return Placement::Warm { node, container };
        }
        if self.is("wants a new one on a node that is not there") {
            return Placement::Cold { node: cluster.nodes.len() as u32 };
        }
        let fits = |node: &u32| {
            cluster.nodes[*node as usize].can_make_room(request) || self.is("wants a new one where there is no room")
        };
        cluster.free_core.iter().find(fits).map_or(Placement::Wait, |node| Placement::Cold { node })
    }
}

#[test]
fn defects_of_choices_of_containers_are_caught() {
    let not_idle = "which is not an idle one of function ";
    check_rows(
        &PolicyDescriptor::node_allocation::<Chooser>(),
        &[
            ("names a container that is in use", not_idle),
            ("names a container of another function", not_idle),
            ("names a container that is not there", not_idle),
            ("remembers where a container was", not_idle),
            ("wants a new one where there is no room", "which cannot make room"),
            ("wants a new one on a node that is not there", "of nodes 0 to "),
        ],
    );
}

mod plans {
    use hearth_policy_api::*;

    use super::super::{check_rows, defective};

    defective!(Planner, Vec<(u32, u32)>, ["plans for a container twice"]);

    impl BatchAllocation for Planner {
        /// Each request in an idle container of its function, or in a new one, as long as there are cores.
        fn plan(&mut self, batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
            self.state.clear();
            let mut cores: Vec<u32> = batch.nodes.iter().map(|node| node.free_cores).collect();
            for (request, view) in (0..).zip(batch.queue.iter()) {
                let node = batch
                    .up
                    .iter()
                    .find(|node| cores[*node as usize] > 0 && batch.nodes[*node as usize].can_make_room(view));
                let Some(node) = node else { continue };
                let is_free = |it: &&ContainerView| {
                    let is_taken =
                        self.state.contains(&(node, it.container)) && !self.is("plans for a container twice");
                    it.function == view.function && it.is_idle() && !is_taken
                };
                let idle = batch.containers_on(node).iter().find(is_free).map(|it| it.container);
                cores[node as usize] -= 1;
                plan.push(match idle {
                    Some(container) => {
                        self.state.push((node, container));
                        PlanItem::RunWarm { request, node, container }
                    }
                    None => PlanItem::RunCold { request, node },
                });
            }
        }
    }

    #[test]
    fn defects_of_plans_that_choose_containers_are_caught() {
        let policy = PolicyDescriptor::batch_allocation::<Planner>();
        check_rows(&policy, &[("plans for a container twice", "which is not an idle one of function ")]);
    }
}
