//! Node allocation `delayed-warm-start`: a request for which no container is idle waits for one that is in use, where that is
//! expected to be free sooner than a new one would be up; else a new one is started. After Liu, Cheng, Shen, Wang and Balaji,
//! "Concurrency-Informed Orchestration for Serverless Functions" (CIDRE), ASPLOS 2025.
//!
//! - A container is expected to be free when its invocation has run for the mean run time of the function so far. Of those that
//!   wait already, each takes the next container that is free, for as long. One that is overdue is not counted on.
//! - A cold start is expected to take the mean of the function's cold starts so far, from the decision to the begin of the body
//!   (so that images on their way count), before the first its startup overhead.
//! - Who has waited for as long as a cold start takes, because runs are longer than the mean, is asked about again, and waits
//!   anew only for a container that is expected to be free then: it loses that time at the most.
//! - Before the first run of a function has ended nobody waits for it.
//!
//! The node of a warm or a cold start is chosen by `placement` (`least-loaded`), as in `warm-first`.
//!
//! What differs: the paper begins a cold start beside the wait where it is not sure (speculative scaling), and compares with the
//! queueing times that it has seen; here one of the two is chosen, by what is known of those that run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use hearth_policy_api::*;
use hearth_policy_toolbox::{ByFunction, PlacementRule, RunTimes};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::node_allocation::<DelayedWarmStart>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`DelayedWarmStart`].
    pub struct Settings {
        /// how a node is chosen among those that are as good
        placement: choice(PlacementRule) = PlacementRule::LeastLoaded;
    }
}

/// An attempt: the numbers of its invocation and of itself.
type Attempt = (u64, u32);

/// One that has a place.
#[derive(Debug)]
struct Placed {
    /// When that was decided, in ns.
    decided_at: u64,
    /// When its body begins, as far as is known, in ns.
    begins: u64,
}

/// What is known of the containers of a function.
#[derive(Debug, Default)]
struct Containers {
    /// Who uses them, by when its body begins.
    busy: BTreeSet<(u64, Attempt)>,
    /// How many wait for one of these.
    waiting: u64,
}

/// The policy, and what it knows.
#[derive(Debug)]
pub struct DelayedWarmStart {
    placement: PlacementRule,
    start_times: RunTimes,
    functions: ByFunction<Containers>,
    placed: BTreeMap<Attempt, Placed>,
    waiting: BTreeSet<Attempt>,
}

impl DelayedWarmStart {
    /// How long a cold start is expected to take, in ns.
    fn start_time(&self, request: &RequestView) -> u64 {
        self.start_times.mean(request.function).unwrap_or(request.startup_overhead)
    }

    /// Whether a container that is in use is expected to be free for a request before a date, those that wait already served.
    fn is_free_before(&self, date: u64, request: &RequestView, cluster: &ClusterView<'_>) -> bool {
        let Some(containers) = self.functions.get(request.function) else { return false };
        let (now, history) = (cluster.now, cluster.history(request.function));
        if history.runs == 0 {
            return false;
        }
        let run_time = history.mean_run_time;
        let ends = containers.busy.iter().map(|(begins, _)| begins.saturating_add(run_time));
        let mut free: BinaryHeap<Reverse<u64>> =
            ends.skip_while(|end| *end <= now).take_while(|end| *end < date).map(Reverse).collect();
        for _ in 0..containers.waiting {
            let Some(Reverse(next)) = free.pop() else { return false };
            let again = next.saturating_add(run_time);
            if again < date {
                free.push(Reverse(again));
            }
        }
        !free.is_empty()
    }

    fn place_at(&mut self, attempt: Attempt, function: u32, placed: Placed) {
        self.functions.get_mut(function).busy.insert((placed.begins, attempt));
        self.placed.insert(attempt, placed);
    }

    /// An attempt waits for a container no longer; false if it did not.
    fn waits_no_longer(&mut self, attempt: Attempt, function: u32) -> bool {
        let waited = self.waiting.remove(&attempt);
        if waited {
            self.functions.get_mut(function).waiting -= 1;
        }
        waited
    }
}

impl Policy for DelayedWarmStart {
    const NAME: &'static str = "delayed-warm-start";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "waits for a busy container where that is expected sooner than a cold start";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self {
            placement: settings.placement,
            start_times: RunTimes::default(),
            functions: ByFunction::default(),
            placed: BTreeMap::new(),
            waiting: BTreeSet::new(),
        })
    }
}

impl NodeAllocation for DelayedWarmStart {
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes_ends: true, sees_history: true, ..AllocationRules::default() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let (attempt, now) = ((request.invocation, request.attempt), cluster.now);
        let Some(node) = self.placement.choose_warm_first(request, cluster) else { return Placement::Wait };
        let is_warm = cluster.idle_container.contains(node);
        let begins = if is_warm { now } else { now.saturating_add(self.start_time(request)) };
        if !is_warm && self.is_free_before(begins, request, cluster) {
            self.waiting.insert(attempt);
            self.functions.get_mut(request.function).waiting += 1;
            return Placement::busy_anywhere(begins);
        }
        self.place_at(attempt, request.function, Placed { decided_at: now, begins });
        Placement::Node(node)
    }

    fn on_delayed_start(&mut self, start: &DelayedStart) {
        let (attempt, now) = ((start.invocation, start.attempt), start.now);
        self.waits_no_longer(attempt, start.function);
        self.place_at(attempt, start.function, Placed { decided_at: now, begins: now });
    }

    fn on_end(&mut self, end: &End) {
        let attempt = (end.invocation, end.attempt);
        if self.waits_no_longer(attempt, end.function) {
            return;
        }
        let Some(placed) = self.placed.remove(&attempt) else { return };
        self.functions.get_mut(end.function).busy.remove(&(placed.begins, attempt));
        if end.start == Start::Cold && end.started_at != u64::MAX {
            self.start_times.add(end.function, end.started_at.saturating_sub(placed.decided_at));
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit::{self, TestCluster};

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    const NODE: Placement = Placement::Node(0);

    fn policy() -> DelayedWarmStart {
        DelayedWarmStart::new(Settings::default(), &PolicyContext::default()).unwrap()
    }

    /// A request of function 0, whose containers take 10 ns to start and run for so long in the mean, at a date; says nothing is
    /// idle.
    fn ask(policy: &mut DelayedWarmStart, invocation: u64, now: u64, mean_run_time: u64) -> Placement {
        let cluster = TestCluster::new(1);
        let runs = u64::from(mean_run_time > 0);
        let histories = [FunctionHistory { runs, mean_run_time, ..FunctionHistory::default() }];
        let request = RequestView { invocation, startup_overhead: 10, ..RequestView::default() };
        policy.place(&request, &ClusterView { now, histories: Records::new(&histories), ..cluster.view() })
    }

    fn end(invocation: u64, started_at: u64, run_time: u64, start: Start) -> End {
        End {
            now: started_at + run_time,
            invocation,
            node: 0,
            container: 0,
            start,
            started_at,
            run_time,
            ..End::default()
        }
    }

    #[test]
    fn a_worked_example() {
        let mut policy = policy();
        // Nothing is known of the first two.
        assert_eq!([0, 1].map(|number| ask(&mut policy, number, 0, 0)), [NODE, NODE]);
        policy.on_end(&end(0, 10, 4, Start::Cold));
        // Number 1 has begun at 10 as well, and is expected to end at 14: sooner than 22. After that it is free at 18, and then
        // at 22, which is no sooner.
        let wait = Placement::busy_anywhere(22);
        assert_eq!([2, 3, 4].map(|number| ask(&mut policy, number, 12, 4)), [wait.clone(), wait, NODE]);
        // It ends a little late, so that runs take 5 in the mean: number 2 runs up to 21, number 3 up to 26, which is no sooner.
        policy.on_end(&end(1, 10, 6, Start::Cold));
        policy.on_delayed_start(&DelayedStart { now: 16, invocation: 2, node: 0, ..DelayedStart::default() });
        assert_eq!(ask(&mut policy, 5, 16, 5), NODE);
        // Number 3 is stopped where it waits.
        policy.on_end(&End { invocation: 3, ending: Ending::Stopped, ..End::default() });
        assert_eq!(ask(&mut policy, 6, 16, 5), Placement::busy_anywhere(26));
    }

    #[test]
    fn who_is_overdue_is_not_waited_for() {
        let mut policy = policy();
        ask(&mut policy, 0, 0, 0);
        policy.on_end(&end(0, 10, 4, Start::Cold));
        ask(&mut policy, 1, 100, 4);
        assert_eq!(ask(&mut policy, 2, 111, 4), Placement::busy_anywhere(121), "expected at 114");
        policy.on_end(&End { invocation: 2, ending: Ending::Requeued, ..End::default() });
        assert_eq!(ask(&mut policy, 2, 121, 4), NODE);
    }
}
