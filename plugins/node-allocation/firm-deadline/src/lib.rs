//! Node allocation `firm-deadline`: a request that waits is rejected as soon as it cannot meet the deadline of its function any
//! more, so that no core works for what is too late. After Haritsa, Carey and Livny, "On Being Optimistic about Real-Time
//! Constraints", PODS 1990, where what has missed a firm deadline is worth nothing and is discarded.
//!
//! - A request cannot meet its deadline when the date and the mean run time of its function so far are beyond it.
//! - Before the first run of a function has ended, when the date itself is.
//! - It is noticed after each message that the head handles; what runs is left to its time limit.
//! - Functions without a deadline are never rejected.
//!
//! The node is chosen as in `warm-first`: among those with an idle container of the function, else among all that have or can make
//! room, by `placement` (`least-loaded`).
//!
//! What differs: the paper waits until the deadline has passed; here the mean run time is counted in.

use hearth_policy_api::*;
use hearth_policy_toolbox::PlacementRule;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<FirmDeadline>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`FirmDeadline`].
    pub struct Settings {
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
    }
}

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct FirmDeadline {
    placement: PlacementRule,
}

impl Policy for FirmDeadline {
    const NAME: &'static str = "firm-deadline";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "rejects those who wait and cannot meet their deadline any more";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { placement: settings.placement })
    }
}

impl NodeAllocation for FirmDeadline {
    fn rules(&self) -> AllocationRules {
        AllocationRules { sees_history: true, sheds: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.placement.choose_warm_first(request, cluster).into()
    }

    fn shed(&mut self, queue: &QueueView<'_>) -> Option<Shed> {
        let late = |request: &RequestView| {
            let done_at = queue.now.saturating_add(queue.history(request.function).mean_run_time);
            done_at.saturating_sub(request.deadline)
        };
        let (head, late) = queue.heads.iter().map(late).enumerate().find(|(_, late)| *late > 0)?;
        let reason = format!("it would be done {} s after its deadline", late as f64 / 1e9);
        Some(Shed { head: head as u32, reason })
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn a_worked_example() {
        let mut policy = FirmDeadline { placement: PlacementRule::LeastLoaded };
        let heads = [(0, 15), (1, u64::MAX), (2, 14)].map(|(function, deadline)| RequestView {
            function,
            deadline,
            ..RequestView::default()
        });
        let histories = [5, 5, 5].map(|mean_run_time| FunctionHistory { mean_run_time, ..FunctionHistory::default() });
        let queue =
            QueueView { heads: Records::new(&heads), histories: Records::new(&histories), ..QueueView::default() };
        let mut shed = |now| policy.shed(&QueueView { now, ..queue }).map(|shed| shed.head);
        assert_eq!([9, 10, 11].map(&mut shed), [None, Some(2), Some(0)]);
    }
}
