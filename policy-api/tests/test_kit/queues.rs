//! Those who stand in the queues of nodes.

use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::*;

use super::{check_rows, defective};

#[derive(Default)]
pub struct State {
    actions: Option<Actions>,
    /// By node: those that have a core there.
    placed: BTreeMap<u32, u32>,
    /// Those that stand in queues, with their keys, and those that have been taken back.
    standing: BTreeMap<(u64, u32), u64>,
    taken_back: BTreeSet<(u64, u32)>,
}

defective!(
    Queuer,
    State,
    [
        "queues at a node that is not there",
        "queues at a node twice",
        "queues at none",
        "queues while there is a place elsewhere",
        "queues where it has no room",
        "does not bind",
        "forgets those that have got a core",
        "takes those that it has taken back for placed",
    ]
);

/// What [`defective!`] makes, with the way to its host.
pub struct WithActions(Queuer);

impl Policy for WithActions {
    const NAME: &'static str = Queuer::NAME;
    const VERSION: &'static str = Queuer::VERSION;
    const DESCRIPTION: &'static str = Queuer::DESCRIPTION;
    type Parameters = <Queuer as Policy>::Parameters;

    fn new(parameters: Self::Parameters, context: &PolicyContext) -> Result<Self, PolicyError> {
        let mut queuer = Queuer::new(parameters, context)?;
        queuer.state.actions = Some(context.actions());
        Ok(Self(queuer))
    }
}

impl NodeAllocation for WithActions {
    fn rules(&self) -> AllocationRules {
        let commitment = if self.0.is("does not bind") { Commitment::PerRound } else { Commitment::UntilStarted };
        AllocationRules { observes_ends: true, queues: true, commitment, ..AllocationRules::default() }
    }

    /// Has those for whom there is no place stand in the queues of two nodes with the fewest there.
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let attempt = (request.invocation, request.attempt);
        let until = if request.invocation % 3 == 1 { u64::MAX } else { cluster.now + 2_500_000_000 };
        let view = |node: u32| &cluster.nodes[node as usize];
        let fits = |node: &u32| cluster.idle_container.contains(*node) || view(*node).can_make_room(request);
        let free = cluster.free_core.iter().find(fits);
        let is_rash = self.0.is("queues where it has no room");
        let is_large =
            |node: &u32| is_rash || view(*node).ram >= request.ram_limit && view(*node).disk >= request.disk_limit;
        let mut nodes: Vec<u32> = cluster.up.iter().filter(is_large).collect();
        nodes.sort_by_key(|node| (view(*node).queued, *node));
        nodes.truncate(2);
        match self.0.defect {
            "queues at a node that is not there" => nodes = vec![cluster.nodes.len() as u32],
            "queues at a node twice" => nodes.extend(nodes.first().copied()),
            "queues at none" => nodes.clear(),
            "queues while there is a place elsewhere" => nodes.retain(|node| Some(*node) != free),
            "does not bind" => {}
            _ => {
                if let Some(node) = free {
                    *self.0.state.placed.entry(node).or_default() += 1;
                    return Placement::Node(node);
                }
            }
        }
        if nodes.is_empty() && !self.0.is("queues at none") {
            return Placement::Wait;
        }
        let before = self.0.state.standing.insert(attempt, request.key);
        assert_eq!(before, None, "it stands there already");
        Placement::Queue { nodes: nodes.into(), until }
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        self.0.state.standing.remove(&(start.invocation, start.attempt));
        if !self.0.is("forgets those that have got a core") {
            *self.0.state.placed.entry(start.node).or_default() += 1;
        }
    }

    /// Takes the last back that stands in queues, each time that another has completed.
    fn on_end(&mut self, end: &End) {
        let attempt = (end.invocation, end.attempt);
        let state = &mut self.0.state;
        let stood = state.standing.remove(&attempt).is_some();
        let was_taken_back = state.taken_back.remove(&attempt) && end.ending == Ending::Requeued;
        let is_mistaken = was_taken_back && self.0.is("takes those that it has taken back for placed");
        let node = if is_mistaken { 0 } else { end.node };
        if node != NONE {
            assert!(!stood || is_mistaken, "it stood in queues, and has no core");
            let placed = self.0.state.placed.get_mut(&node).expect("somebody was placed there");
            *placed = placed.checked_sub(1).expect("no more end than were placed");
        }
        let state = &mut self.0.state;
        let last = state.standing.last_key_value().map(|(last, key)| (*last, *key));
        if let Some((last, key)) = last.filter(|_| end.ending == Ending::Completed) {
            state.actions.iter().for_each(|actions| actions.take_back(key));
            state.taken_back.insert(last);
        }
    }
}

#[test]
fn defects_of_queues_at_nodes_are_caught() {
    check_rows(
        &PolicyDescriptor::node_allocation::<WithActions>(),
        &[
            ("queues at a node that is not there", "which is not there or down"),
            ("queues at a node twice", "twice"),
            ("queues at none", "and names none"),
            ("queues while there is a place elsewhere", "wait, though node "),
            ("queues where it has no room", "which is too small for it"),
            ("does not bind", "though its answers do not bind"),
            ("forgets those that have got a core", "failed in on_end: panicked: "),
            ("takes those that it has taken back for placed", "failed in on_end: panicked: "),
        ],
    );
}
