//! What a run costs: the bills of invocations and the energy of the nodes (the timing model, section 12).

use hearth_simcore::time::SimTime;

use super::Service;
use super::live::InvocationKey;
use crate::invocation::Outcome;
use crate::metrics::Energy;

impl Service {
    /// Bills an attempt that has ended, if its body began and the platform did not lose it; and its request, if this is
    /// the first attempt at it that is billed. One that is stopped must not be marked as lost before.
    pub(crate) fn bill(&mut self, key: InvocationKey) {
        let Some(cost) = &mut self.books.metrics.cost else { return };
        let Some(live) = self.live.get_mut(key).filter(|live| live.record.outcome != Outcome::Lost) else { return };
        let ram = self.functions[live.record.function.0 as usize].limits.ram;
        if !cost.bill(&live.record, ram) || std::mem::replace(&mut live.is_billed, true) {
            return;
        }
        cost.bill_request();
        // An attempt beside it is one at the same request.
        if let Some(twin) = live.twin.and_then(|twin| self.live.get_mut(twin)) {
            twin.is_billed = true;
        }
    }

    /// Bills those that have ended, but of which the head has not heard before the end of the simulation.
    pub(crate) fn bill_unheard(&mut self) {
        if self.books.metrics.cost.is_some() {
            let keys: Vec<InvocationKey> = self.live.keys().collect();
            keys.into_iter().for_each(|key| self.bill(key));
        }
    }

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
