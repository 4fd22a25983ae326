//! What a run costs: the bills of invocations and the energy of the nodes (the timing model, section 12).

use hearth_simcore::time::SimTime;

use super::Service;
use super::attempts::{Attempt, AttemptKey};
use crate::invocation::Outcome;
use crate::metrics::Energy;
use crate::node::Node;

impl Service {
    /// Bills an attempt that has ended, if its body began and the platform did not lose it; and its request, if this is
    /// the first attempt at it that is billed. One that is stopped must not be marked as lost before.
    pub(crate) fn bill(&mut self, key: AttemptKey) {
        let Some(cost) = &mut self.books.metrics.cost else { return };
        let Some(attempt) = self.attempts.get(key).filter(|attempt| attempt.record.outcome != Outcome::Lost) else {
            return;
        };
        let ram = self.registry.function(attempt.record.function).limits.ram;
        if cost.bill(&attempt.record, ram)
            && let Some(invocation) = self.attempts.invocation_mut(key)
            && !std::mem::replace(&mut invocation.is_billed, true)
        {
            cost.bill_request();
        }
    }

    /// Bills those that have ended, but of which the head has not heard before the end of the simulation.
    pub(crate) fn bill_unheard(&mut self) {
        if self.books.metrics.cost.is_some() {
            let keys: Vec<AttemptKey> = self.attempts.iter().map(|(key, _)| key).collect();
            keys.into_iter().for_each(|key| self.bill(key));
        }
    }

    /// The energy that the nodes have taken up to the end; `None` if the power of none is known. Cores that are still held
    /// have been [given back](Self::give_back_all).
    pub(crate) fn energy(&self, end: SimTime) -> Option<Energy> {
        let window = self.books.metrics.window();
        let with_power = || self.cluster.nodes().iter().filter_map(|node| Some((node, node.power?)));
        let mut energy = Energy::default();
        with_power().for_each(|(node, power)| energy.add(power, node.cores, node.used, window, end));
        with_power().next().map(|_| energy)
    }

    /// Notes what the nodes have had of processors up to the end, where they are shared.
    pub(crate) fn note_offered_processors(&mut self, end: SimTime) {
        let metrics = &mut self.books.metrics;
        let window = metrics.window();
        if let Some(processors) = &mut metrics.processors {
            let offered = |node: &Node| u128::from(node.cores) * node.used.up_within(window, end);
            processors.offered = self.cluster.nodes().iter().map(offered).sum();
        }
    }

    /// Counts the cores that are still held at the end.
    pub(crate) fn give_back_all(&mut self, end: SimTime) {
        let window = self.books.metrics.window();
        for occupied in self.attempts.iter().filter_map(|(_, attempt)| attempt.occupied()) {
            self.cluster.count_use(occupied, end, window);
        }
    }

    /// An attempt ends now, and so does its invocation: unless the one beside it has ended and decides, because it has
    /// completed, or because the head hears of this one at once and has not heard of that one.
    #[inline]
    pub(crate) fn note_end(&mut self, key: AttemptKey, is_heard: bool, now: SimTime) {
        let decides = |twin: &Attempt| match twin.record.outcome {
            Outcome::Completed => true,
            _ => is_heard && twin.record.finished_at.is_some(),
        };
        let twin = self.attempts.twin_of(key).and_then(|twin| self.attempts.get(twin));
        if !twin.is_some_and(decides) {
            self.extend_window(now);
        }
    }

    /// Sums over time go up to here.
    #[inline]
    pub(crate) fn extend_window(&mut self, now: SimTime) {
        self.books.metrics.note_end(now);
        self.cluster.extend_use();
    }
}
