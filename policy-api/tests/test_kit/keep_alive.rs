use std::collections::BTreeMap;

use hearth_policy_api::*;

use super::{check_rows, defective, tick};

#[derive(Default)]
struct State {
    /// The last arrival of each function.
    arrivals: BTreeMap<u32, u64>,
    gaps: Vec<u64>,
    /// The containers that there are, by node and number, and all that there were.
    containers: BTreeMap<(u32, u32), u32>,
    ends: Vec<ContainerEvent>,
}

defective!(
    Keeper,
    State,
    [
        "subtracts below zero",
        "not a number",
        "panics at a function that never arrived",
        "the clock",
        "grows with every arrival",
        "grows with every end of a container",
        "takes containers for immortal",
    ]
);

impl KeepAlive for Keeper {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, observes_containers: true, ..KeepAliveRules::default() }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        let last = self.state.arrivals.insert(function, now);
        if self.is("grows with every arrival") {
            self.state.gaps.push(now - last.unwrap_or(0));
        }
    }

    fn on_container(&mut self, event: &ContainerEvent) {
        let key = (event.node, event.container);
        if event.change.is_begin() {
            assert_eq!(self.state.containers.insert(key, event.function), None, "it is there already");
        } else {
            assert_eq!(self.state.containers.get(&key), Some(&event.function), "{event:?} of another");
        }
        if event.change.is_end() && !self.is("takes containers for immortal") {
            self.state.containers.remove(&key);
        }
        if event.change.is_end() && self.is("grows with every end of a container") {
            self.state.ends.push(*event);
        }
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        let arrived = self.state.arrivals.get(&completion.function).copied();
        let since = completion.now - arrived.unwrap_or(completion.now);
        let keep_for = match self.defect {
            "subtracts below zero" => since.wrapping_sub(1_000_000_000),
            "not a number" => nanos(1.0 + 0.0 / (since as f64)),
            "panics at a function that never arrived" => completion.now - self.state.arrivals[&completion.function],
            "the clock" => tick(),
            _ => since + 600_000_000_000,
        };
        Retention { keep_for }
    }
}

#[test]
fn defects_of_keep_alive_are_caught() {
    check_rows(
        &PolicyDescriptor::keep_alive::<Keeper>(),
        &[
            ("subtracts below zero", "for ever is u64::MAX"),
            ("not a number", "a time of NaN s was given"),
            ("panics at a function that never arrived", "failed in on_idle: panicked"),
            ("the clock", "does not do the same"),
            ("grows with every arrival", "memory grows with the number of calls"),
            ("grows with every end of a container", "memory grows with the number of calls"),
            ("takes containers for immortal", "failed in on_container: panicked: assertion"),
        ],
    );
}
