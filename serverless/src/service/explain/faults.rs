//! What is under way takes another time when links and nodes are slowed down, or are so no longer.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimDuration;

use super::timed::{Timed, Uses};
use crate::service::Service;
use crate::service::event::Event;

impl Service {
    /// Links have more or less than before, or nodes are slower or faster.
    pub(in crate::service) fn explain_change(&mut self, kernel: &mut Kernel<Event>) {
        let Self { explain: Some(explain), attempts, cluster, .. } = self else { return };
        let now = kernel.now();
        let mut slowed = |timed: &Timed| -> Option<SimDuration> {
            match timed.uses() {
                Uses::Nothing => None,
                Uses::Links(ends, bytes) => kernel.time_alone(ends.0, ends.1, bytes).ok().map(|alone| alone.now),
                Uses::Processors(node) => Some(cluster.node(node).slowed(timed.whole())),
            }
        };
        let mut change = |timed: &mut Timed| {
            if let Some(slowed) = slowed(timed) {
                timed.change(slowed, now);
            }
        };
        explain.sites.under_way().for_each(&mut change);
        explain.ways.values_mut().filter_map(super::Way::under_way).for_each(&mut change);
        attempts.explain_each(|_, explained| explained.doing.under_way().for_each(&mut change));
    }
}
