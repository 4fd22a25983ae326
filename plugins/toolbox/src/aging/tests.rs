//! Worked examples, and the index against a slow exact model.

use hearth_policy_api::testkit::{RecordingSink, idle_container};
use proptest::prelude::*;

use super::*;

fn order(index: &AgingIndex) -> Vec<u32> {
    let mut sink = RecordingSink::default();
    index.offer(&mut Victims::new(&mut sink));
    sink.offered
}

fn priorities(index: &AgingIndex, ids: &[u32]) -> Vec<f64> {
    ids.iter().map(|id| index.evictable.get(*id).map_or(f64::NAN, |(priority, _)| priority.0)).collect()
}

/// Clock + uses × cost ÷ size.
fn greedy_dual(clock: f64, worth: Worth) -> f64 {
    clock + worth.uses * worth.cost / worth.size
}

#[test]
fn a_worked_example_of_greedy_dual() {
    for sets in [Clock::Container, Clock::Function] {
        let mut index = AgingIndex::with_clock(sets, greedy_dual);
        // Function 0: two containers of 2 s and 4 MB; function 1: one of 6 s and 4 MB.
        index.insert(&idle_container(0, 0, 2, 4));
        index.insert(&idle_container(1, 0, 2, 4));
        index.insert(&idle_container(2, 1, 6, 4));
        // The second container of function 0 comes with its second use.
        let first = if sets == Clock::Container { 0.5 } else { 1.0 };
        assert_eq!(priorities(&index, &[0, 1, 2]), [first, 1.0, 1.5]);
        assert_eq!(order(&index), [0, 1, 2]);
        index.remove(0, Removal::Evicted);
        index.remove(1, Removal::Evicted);
        // The clock is 1 now, and function 0 begins anew.
        index.insert(&idle_container(0, 0, 2, 4));
        assert_eq!(priorities(&index, &[0, 2]), [1.5, 1.5]);
        assert_eq!(order(&index), [2, 0], "of equals, the one used longest ago");
    }
}

#[test]
fn a_surplus_container_of_a_busy_function_ages_unless_its_function_shares_the_clock() {
    for (sets, first) in [(Clock::Container, 1), (Clock::Function, 9)] {
        // Landlord, where each use is worth 1.
        let mut index = AgingIndex::with_clock(sets, |clock, worth| clock + worth.cost / worth.size);
        for id in [0, 1] {
            index.created(&idle_container(id, 0, 1, 1), Creation::Invocation);
            index.insert(&idle_container(id, 0, 1, 1));
        }
        let pass = |index: &mut AgingIndex| {
            index.insert(&idle_container(8, 8, 1, 1));
            index.remove(8, Removal::Evicted);
        };
        // Container 9 comes when the clock is 1; then container 0 is used again, container 1 is not.
        pass(&mut index);
        index.insert(&idle_container(9, 9, 1, 1));
        pass(&mut index);
        index.remove(0, Removal::Taken);
        index.insert(&idle_container(0, 0, 1, 1));
        assert_eq!(order(&index)[0], first, "{sets:?}: {:?}", priorities(&index, &[0, 1, 9]));
    }
}

#[test]
fn a_container_in_use_keeps_the_count_of_its_function_and_is_not_offered() {
    let mut index = AgingIndex::new(greedy_dual);
    index.insert(&idle_container(0, 0, 4, 4));
    index.remove(0, Removal::Taken);
    assert!(order(&index).is_empty());
    index.insert(&idle_container(0, 0, 4, 4));
    assert_eq!(priorities(&index, &[0]), [2.0]);
    index.remove(0, Removal::Ended);
    index.insert(&idle_container(0, 0, 4, 4));
    assert_eq!(priorities(&index, &[0]), [1.0]);
}

#[test]
fn first_runs_count_and_keep_the_count_and_so_do_containers_made_ahead() {
    let mut index = AgingIndex::new(greedy_dual);
    index.created(&idle_container(0, 0, 4, 4), Creation::Invocation);
    index.insert(&idle_container(0, 0, 4, 4));
    // Container 1 is on its first run when container 0 goes: the function is not without containers.
    index.created(&idle_container(1, 0, 4, 4), Creation::Invocation);
    index.remove(0, Removal::Ended);
    index.insert(&idle_container(1, 0, 4, 4));
    assert_eq!(priorities(&index, &[1]), [2.0], "two runs have begun");
    // One that is made ahead counts once, for the request that it waits for.
    index.created(&idle_container(2, 0, 4, 4), Creation::Prewarming);
    index.insert(&idle_container(2, 0, 4, 4));
    assert_eq!(priorities(&index, &[2]), [3.0]);
    for uses in [3.0, 4.0] {
        index.remove(2, Removal::Taken);
        index.insert(&idle_container(2, 0, 4, 4));
        assert_eq!(priorities(&index, &[2]), [uses]);
    }
    // All end, one of them in use: the function begins anew.
    index.remove(2, Removal::Taken);
    index.ended(2);
    index.remove(1, Removal::Ended);
    index.created(&idle_container(2, 0, 4, 4), Creation::Invocation);
    index.insert(&idle_container(2, 0, 4, 4));
    assert_eq!(priorities(&index, &[2]), [1.0]);
    assert_eq!((index.items.len(), index.groups.len()), (1, 1), "nothing is kept of what has gone");
}

#[test]
fn a_number_that_another_function_uses_again_takes_the_old_container_away() {
    let mut index = AgingIndex::new(greedy_dual);
    index.insert(&idle_container(0, 0, 4, 4));
    index.remove(0, Removal::Taken);
    index.insert(&idle_container(0, 1, 4, 4));
    assert!(!index.groups.contains_key(&0), "function 0 has no container any more");
    assert_eq!(priorities(&index, &[0]), [1.0]);
}

/// A container in the model.
#[derive(Clone, Copy, Debug)]
struct Container {
    item: EvictionItem,
    is_idle: bool,
    /// It was made ahead, and its first use is still to come.
    is_ahead: bool,
    priority: f64,
    last_use: u64,
}

/// The rule as it is told, in lists that are searched from one end to the other.
#[derive(Debug)]
struct Model {
    priority: fn(f64, Worth) -> f64,
    sets: Clock,
    clock: f64,
    date: u64,
    containers: Vec<Container>,
    /// By function.
    uses: [u64; FUNCTIONS as usize],
}

const FUNCTIONS: u32 = 3;

/// Start times and sizes of the functions, in s and MB.
const KINDS: [(u64, u64); FUNCTIONS as usize] = [(1, 8), (6, 4), (2, 1)];

#[derive(Clone, Copy, Debug)]
enum Step {
    Create {
        id: u32,
        function: u32,
        creation: Creation,
    },
    /// A container in use becomes idle, or ends.
    Release {
        id: u32,
        is_kept: bool,
    },
    /// An idle container is used, or its keep-alive is over.
    Leave {
        id: u32,
        is_taken: bool,
    },
    /// The first victim goes.
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    let creation = prop_oneof![4 => Just(Creation::Invocation), 1 => Just(Creation::Prewarming)];
    prop_oneof![
        3 => (0..8_u32, 0..FUNCTIONS, creation).prop_map(|(id, function, creation)| Step::Create { id, function, creation }),
        4 => (0..8_u32, prop::bool::weighted(0.9)).prop_map(|(id, is_kept)| Step::Release { id, is_kept }),
        3 => (0..8_u32, prop::bool::weighted(0.8)).prop_map(|(id, is_taken)| Step::Leave { id, is_taken }),
        1 => Just(Step::Evict),
    ]
}

impl Model {
    fn find(&mut self, id: u32) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.item.id == id)
    }

    fn first(&self) -> Option<Container> {
        let idle = self.containers.iter().filter(|container| container.is_idle).copied();
        idle.min_by(|one, other| (one.priority, one.last_use).partial_cmp(&(other.priority, other.last_use)).unwrap())
    }

    fn end(&mut self, id: u32) {
        self.containers.retain(|container| container.item.id != id);
        for function in 0..FUNCTIONS {
            if !self.containers.iter().any(|container| container.item.function == function) {
                self.uses[function as usize] = 0;
            }
        }
    }

    /// Carries a step out, in the index too.
    fn apply(&mut self, step: Step, index: &mut AgingIndex) {
        self.date += 1;
        match step {
            Step::Create { id, function, creation } if self.find(id).is_none() => {
                let (cost, size) = KINDS[function as usize];
                let item = idle_container(id, function, cost, size);
                let is_ahead = creation == Creation::Prewarming;
                self.uses[function as usize] += 1;
                self.containers.push(Container { item, is_idle: false, is_ahead, priority: 0.0, last_use: 0 });
                index.created(&item, creation);
            }
            Step::Release { id, is_kept } => match self.find(id).copied() {
                Some(Container { is_idle: false, .. }) if !is_kept => {
                    self.end(id);
                    index.ended(id);
                }
                Some(Container { is_idle: false, item, .. }) => {
                    let (clock, date, priority) = (self.clock, self.date, self.priority);
                    let uses = self.uses[item.function as usize];
                    let (sets_all, (cost, size)) = (self.sets == Clock::Function, KINDS[item.function as usize]);
                    let new = priority(clock, Worth { uses: uses as f64, cost: cost as f64, size: size as f64 });
                    for container in &mut self.containers {
                        if container.item.id == id {
                            (container.is_idle, container.last_use, container.priority) = (true, date, new);
                        } else if sets_all && container.is_idle && container.item.function == item.function {
                            container.priority = new;
                        }
                    }
                    index.insert(&item);
                }
                _ => {}
            },
            Step::Leave { id, is_taken } => {
                if let Some(container) = self.find(id)
                    && container.is_idle
                {
                    let function = container.item.function;
                    if is_taken {
                        container.is_idle = false;
                        let counts = !std::mem::take(&mut container.is_ahead);
                        self.uses[function as usize] += u64::from(counts);
                        index.remove(id, Removal::Taken);
                    } else {
                        self.end(id);
                        index.remove(id, Removal::Ended);
                    }
                }
            }
            Step::Evict => {
                if let Some(victim) = self.first() {
                    self.clock = self.clock.max(victim.priority);
                    self.end(victim.item.id);
                    index.remove(victim.item.id, Removal::Evicted);
                }
            }
            Step::Create { .. } => {}
        }
    }

    fn order(&self) -> Vec<u32> {
        let mut idle: Vec<&Container> = self.containers.iter().filter(|container| container.is_idle).collect();
        idle.sort_by(|one, other| (one.priority, one.last_use).partial_cmp(&(other.priority, other.last_use)).unwrap());
        idle.iter().map(|container| container.item.id).collect()
    }
}

/// The rules of the built-in policies.
const RULES: [fn(f64, Worth) -> f64; 5] = [
    greedy_dual,
    |clock, worth| clock + worth.uses * worth.cost,
    |clock, worth| clock + worth.uses / worth.size,
    |clock, worth| clock + worth.cost / worth.size,
    |_clock, worth| worth.uses,
];

proptest! {
    /// Whatever happens to containers, several of each function: the order is that of the rule, and so is the clock.
    #[test]
    fn the_order_is_that_of_the_rule(
        rule in 0..RULES.len(),
        sets in prop_oneof![Just(Clock::Container), Just(Clock::Function)],
        steps in proptest::collection::vec(step(), 0..150),
    ) {
        let (priority, clock, containers) = (RULES[rule], 0.0, Vec::new());
        let mut model = Model { priority, sets, clock, date: 0, containers, uses: [0; FUNCTIONS as usize] };
        let mut index = AgingIndex::with_clock(sets, RULES[rule]);
        for step in steps {
            model.apply(step, &mut index);
            prop_assert_eq!(order(&index), model.order(), "after {:?}", step);
            prop_assert_eq!(index.clock, model.clock);
        }
        prop_assert_eq!(index.items.len(), model.containers.len());
    }
}
