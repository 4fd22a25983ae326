//! Those who wait: for a busy container, and those that are rejected.

use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::*;

use super::{check_rows, defective};

#[derive(Default)]
struct State {
    /// By node and function: those that were placed there and have not ended.
    placed: BTreeMap<(u32, u32), u32>,
    /// Those that have waited for a busy container.
    waited: BTreeSet<(u64, u32)>,
}

defective!(
    Waiter,
    State,
    [
        "waits on a node that is not there",
        "waits for nobody",
        "does not bind",
        "forgets whom it had wait",
        "takes those that have waited in vain for placed",
        "rejects whom it does not see",
    ]
);

impl NodeAllocation for Waiter {
    fn rules(&self) -> AllocationRules {
        let commitment = if self.is("does not bind") { Commitment::PerRound } else { Commitment::UntilStarted };
        AllocationRules { observes_ends: true, sheds: true, commitment, ..AllocationRules::default() }
    }

    /// Has each attempt wait once for a container in use, on a node or anywhere, if there is one.
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let attempt = (request.invocation, request.attempt);
        let until = if request.invocation % 3 == 1 { u64::MAX } else { cluster.now + 2_500_000_000 };
        match self.defect {
            "waits on a node that is not there" => return Placement::Busy { node: cluster.nodes.len() as u32, until },
            "waits for nobody" | "does not bind" => return Placement::busy_anywhere(until),
            _ => {}
        }
        let is_of = |((_, function), placed): &(&(u32, u32), &u32)| *function == request.function && **placed > 0;
        let busy = self.state.placed.iter().find(is_of).map(|((node, _), _)| *node);
        // Somebody whose image is on its way may come to nothing, and leave nobody to wait for.
        if let Some(node) = busy.filter(|_| request.image == NONE)
            && self.state.waited.insert(attempt)
        {
            let node = if request.invocation.is_multiple_of(2) && cluster.up.contains(node) { node } else { NONE };
            return Placement::Busy { node, until };
        }
        let fits =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        let node = cluster.free_core.iter().find(fits);
        if let Some(node) = node {
            *self.state.placed.entry((node, request.function)).or_default() += 1;
        }
        node.into()
    }

    /// Rejects one that waits longer than others, if three of its function do.
    fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed> {
        let head = if self.is("rejects whom it does not see") {
            queue.heads.len()
        } else {
            queue.lengths.iter().position(|length| *length > 2)?
        };
        Some(Shed { head: head as u32, reason: "too many wait".into() })
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        if !self.is("forgets whom it had wait") {
            *self.state.placed.entry((start.node, start.function)).or_default() += 1;
        }
    }

    fn on_end(&mut self, end: &End) {
        if end.ending != Ending::Requeued {
            self.state.waited.remove(&(end.invocation, end.attempt));
        }
        let has_waited_in_vain = end.ending == Ending::Requeued && end.node == NONE;
        let node =
            if has_waited_in_vain && self.is("takes those that have waited in vain for placed") { 0 } else { end.node };
        if node != NONE {
            let placed = self.state.placed.get_mut(&(node, end.function)).expect("somebody was placed there");
            *placed = placed.checked_sub(1).expect("no more end than were placed");
        }
    }
}

#[test]
fn defects_of_waits_for_busy_containers_are_caught() {
    check_rows(
        &PolicyDescriptor::node_allocation::<Waiter>(),
        &[
            ("waits on a node that is not there", "which is not there or down"),
            ("waits for nobody", "wait, though node "),
            ("does not bind", "though its answers do not bind"),
            ("forgets whom it had wait", "failed in on_end: panicked: "),
            ("takes those that have waited in vain for placed", "failed in on_end: panicked: "),
            ("rejects whom it does not see", "of the queue, which has "),
        ],
    );
}
