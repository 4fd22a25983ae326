//! Keep-alive `chain-prewarming`: when a function is asked for, containers are started for the tasks that follow it in a workflow,
//! so that a chain has one cold start and not one after the other: Daw, Bellur and Kulkarni, "Xanadu: Mitigating cascading cold
//! starts in serverless function chain deployments", Middleware 2020.
//!
//! - At each arrival of a function, for each task that invokes it, the tasks up to `depth` (1) steps behind it get as many containers as
//!   they have instances, less those that are idle or starting already. The image must be on a node already.
//! - An idle container is kept for `timeout` (600 s).
//!
//! What differs from Xanadu: it learns which branch is likely from past runs and starts that one, and times each start by when it
//! will be needed; here all followers are started at once.

use std::collections::{BTreeMap, BTreeSet};

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<ChainPrewarming>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`ChainPrewarming`].
    #[derive(Clone, Copy, Debug)]
    pub struct Settings {
        /// how many steps ahead containers are started
        depth: integer(0..=1_000) = 1, "tasks";
        /// how long idle containers are kept
        timeout: duration = 600_000_000_000;
    }
}

/// The policy, and what it has been told of workflows.
#[derive(Debug)]
pub struct ChainPrewarming {
    settings: Settings,
    actions: Actions,
    /// By function: how many containers of others are wanted when it is asked for.
    wanted: BTreeMap<u32, BTreeMap<u32, u32>>,
    /// By function: its containers that are idle or being started ahead, by node and number.
    ready: BTreeMap<u32, BTreeSet<(u32, u32)>>,
}

impl Policy for ChainPrewarming {
    const NAME: &'static str = "chain-prewarming";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "starts containers for the tasks that follow in a workflow";
    type Parameters = Settings;

    fn new(settings: Settings, context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { settings, actions: context.actions(), wanted: BTreeMap::new(), ready: BTreeMap::new() })
    }
}

impl ChainPrewarming {
    /// The tasks up to some steps behind one, each once.
    fn behind(workflow: &WorkflowView<'_>, task: u32, depth: u64) -> Vec<u32> {
        let (mut found, mut edge) = (Vec::new(), vec![task]);
        for _ in 0..depth {
            let followers = edge.iter().filter_map(|task| workflow.tasks.get(*task as usize));
            let mut next: Vec<u32> = followers.flat_map(|task| task.followers.iter().copied()).collect();
            next.sort_unstable();
            next.dedup();
            next.retain(|task| !found.contains(task));
            if next.is_empty() {
                break;
            }
            found.extend(&next);
            edge = next;
        }
        found
    }
}

impl KeepAlive for ChainPrewarming {
    fn rules(&self) -> KeepAliveRules {
        let (observes_arrivals, observes_containers, sees_workflows) = (true, true, true);
        KeepAliveRules { observes_arrivals, observes_containers, sees_workflows, ..KeepAliveRules::default() }
    }

    fn on_workflow(&mut self, workflow: &WorkflowView<'_>) {
        for (number, task) in (0..).zip(workflow.tasks.iter()) {
            for follower in Self::behind(workflow, number, self.settings.depth) {
                let Some(follower) = workflow.tasks.get(follower as usize) else { continue };
                let wanted = self.wanted.entry(task.function).or_default().entry(follower.function).or_default();
                *wanted = follower.instances.max(*wanted);
            }
        }
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        let (ready, container) = (self.ready.entry(event.function).or_default(), (event.node, event.container));
        match event.change {
            ContainerChange::StartingAhead | ContainerChange::Idle => drop(ready.insert(container)),
            _ => drop(ready.remove(&container)),
        }
    }

    fn on_arrival(&mut self, function: u32, _now: u64) {
        for (follower, wanted) in self.wanted.get(&function).into_iter().flatten() {
            let ready = self.ready.get(follower).map_or(0, |ready| ready.len() as u32);
            let missing = wanted.saturating_sub(ready);
            if missing > 0 {
                self.actions.start_containers(*follower, NONE, missing, self.settings.timeout);
            }
        }
    }

    fn on_idle(&mut self, _completion: &Completion<'_>) -> Retention {
        Retention { keep_for: self.settings.timeout }
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
    fn what_is_missing_for_the_steps_ahead_is_started() {
        let orders = Rc::<Orders>::default();
        let seat = Seat::new(&PolicyContext::default(), &orders);
        let mut policy = ChainPrewarming::new(Settings { depth: 2, timeout: 7 }, seat.context()).unwrap();
        // 0 → 1 (three instances) → 2 → 3, and 0 → 2.
        let task = |function, instances, followers| TaskView { function, instances, followers, ..TaskView::default() };
        let tasks = [
            task(10, 1, Slice::new(&[1, 2])),
            task(11, 3, Slice::new(&[2])),
            task(12, 1, Slice::new(&[3])),
            task(13, 1, Slice::new(&[])),
        ];
        policy.on_workflow(&WorkflowView { tasks: tasks.as_slice().into(), ..WorkflowView::default() });
        let started = |policy: &mut ChainPrewarming, function| -> Vec<(u32, u32)> {
            policy.on_arrival(function, 5);
            let of = |order| match order {
                Order::StartContainers { function, node: NONE, count, keep_for: 7 } => (function, count),
                other => panic!("{other:?}"),
            };
            orders.take().into_iter().map(|ordered| of(ordered.order)).collect()
        };
        assert_eq!(started(&mut policy, 10), [(11, 3), (12, 1), (13, 1)]);
        assert_eq!(started(&mut policy, 12), [(13, 1)], "13 has no followers, 12 has one");
        assert_eq!(started(&mut policy, 7), [], "it is no task");
        let event = |change, container| ContainerEvent { change, container, function: 11, ..ContainerEvent::default() };
        for (change, missing) in [
            (ContainerChange::StartingAhead, 2),
            (ContainerChange::Idle, 2),
            (ContainerChange::Taken, 3),
            (ContainerChange::Idle, 2),
            (ContainerChange::Evicted, 3),
        ] {
            policy.on_container(&event(change, 0));
            assert_eq!(started(&mut policy, 10)[0], (11, missing), "after {change:?}");
        }
    }
}
