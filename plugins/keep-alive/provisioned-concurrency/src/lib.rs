//! Keep-alive `provisioned-concurrency`: so many containers of each function are ready at any time, as AWS Lambda's
//! [provisioned concurrency](https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html) and minimum scales of
//! other platforms have it.
//!
//! - At the beginning, and then every `period` (10 s), each function that has fewer than `count` (1) containers, idle, in use or
//!   starting, has those started that are missing, where there is room without evicting anything. A function with an image gets
//!   them where the image is already.
//! - A container that becomes idle is kept for ever if there are fewer than `count` others, and for `timeout` (600 s) otherwise.
//!
//! What differs from Lambda: it initialises them before the function is called for the first time, and bills them; here they are
//! idle memory.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<ProvisionedConcurrency>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`ProvisionedConcurrency`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how many containers of each function are ready
        count: integer(0..=100_000) = 1, "containers";
        /// how often is looked whether they are
        period: duration = 10_000_000_000;
        /// how long other idle containers are kept
        timeout: duration = 600_000_000_000;
    }
}

/// The policy.
#[derive(Debug)]
pub struct ProvisionedConcurrency {
    settings: Settings,
    actions: Actions,
}

impl Policy for ProvisionedConcurrency {
    const NAME: &'static str = "provisioned-concurrency";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keeps so many containers of each function ready";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.period == 0 {
            return Err(PolicyError::new("the parameter period must be more than 0"));
        }
        let actions = context.actions();
        actions.wake_at(0, 0);
        Ok(Self { settings, actions })
    }
}

/// Containers of a function, whatever they do.
fn containers(history: &FunctionHistory) -> u64 {
    u64::from(history.busy) + u64::from(history.idle) + u64::from(history.starting)
}

impl KeepAlive for ProvisionedConcurrency {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { sees_history: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        // This one is not among those that are counted.
        let is_one_of_them = containers(completion.history()) < self.settings.count;
        Retention { keep_for: if is_one_of_them { u64::MAX } else { self.settings.timeout } }
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        for (function, history) in (0..).zip(cluster.histories.iter()) {
            let missing = self.settings.count.saturating_sub(containers(history)) as u32;
            if missing > 0 {
                self.actions.start_containers(function, NONE, missing, u64::MAX);
            }
        }
        self.actions.wake_at(timer, cluster.now.saturating_add(self.settings.period));
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use hearth_policy_api::boundary::{Order, Orders, Seat};
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    #[test]
    fn what_is_missing_is_started_and_the_rest_is_kept_for_a_while() {
        let orders = Rc::<Orders>::default();
        let seat = Seat::new(&PolicyContext::default(), &orders);
        let settings = Settings { count: 3, period: 10, timeout: 7 };
        let mut policy = ProvisionedConcurrency::new(settings, seat.context()).unwrap();
        let history = |busy, idle, starting| FunctionHistory { busy, idle, starting, ..FunctionHistory::default() };
        let histories = [history(0, 0, 0), history(1, 1, 1), history(1, 0, 1)];
        orders.take();
        policy.on_timer(0, &ClusterView { now: 5, histories: Records::new(&histories), ..ClusterView::default() });
        let ordered: Vec<Order> = orders.take().into_iter().map(|ordered| ordered.order).collect();
        let start = |function, count| Order::StartContainers { function, node: NONE, count, keep_for: u64::MAX };
        assert_eq!(ordered, [start(0, 3), start(2, 1), Order::WakeAt { timer: 0, date: 15 }]);
        let mut kept = |function| {
            let completion = Completion { function, histories: Records::new(&histories), ..Completion::default() };
            policy.on_idle(&completion).keep_for
        };
        assert_eq!([kept(0), kept(1), kept(2)], [u64::MAX, 7, u64::MAX]);
    }
}
