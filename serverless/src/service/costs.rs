//! What a run costs: the energy of the nodes (the timing model, section 12).

use hearth_simcore::time::SimTime;

use super::Service;
use crate::metrics::Energy;

impl Service {
    /// The energy that the nodes have taken up to the end; `None` if the power of none is known. Call it once.
    pub(crate) fn energy(&mut self, end: SimTime) -> Option<Energy> {
        if self.cluster.nodes.iter().all(|node| node.power.is_none()) {
            return None;
        }
        // Cores that are still held.
        for live in self.live.values().filter(|live| live.container.is_some()) {
            if let Some(node) = live.record.node {
                self.cluster.node(node).used.core_held(live.record.dispatched_at, end);
            }
        }
        let mut energy = Energy::default();
        for node in &self.cluster.nodes {
            if let Some(power) = node.power {
                energy.add(power, node.cores, node.used, end);
            }
        }
        Some(energy)
    }
}
