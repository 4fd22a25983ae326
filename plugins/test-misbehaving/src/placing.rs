//! Node allocation that goes wrong.

use std::time::Duration;

use hearth_policy_api::*;

use crate::panic_with;

/// Goes to the first node with a free core, unless it is to do something else.
#[derive(Debug)]
pub struct Misplaces {
    how: &'static str,
    last: u32,
}

parameters! {
    /// What goes wrong.
    pub struct Ways {
        /// what goes wrong
        how: word(
            "well", "refuse", "panic_new", "panic_rules", "panic_text", "panic_number", "panic_bomb", "panic_index",
            "panic_observe", "panic_observe_link", "panic_rank", "panic_drop", "out_of_range", "full", "hang", "hang_new"
        ) = "well";
        /// a number that is in a range
        limit: integer(1..=10) = 5;
    }
}

impl Policy for Misplaces {
    const NAME: &'static str = "misplaces";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "node allocation that goes wrong";
    type Parameters = Ways;

    fn new(ways: Ways, _context: &PolicyContext) -> Result<Self, PolicyError> {
        assert!((1..=10).contains(&ways.limit), "the limit is checked before");
        match ways.how {
            "refuse" => Err(PolicyError::new("it does not want to")),
            "panic_new" => panic_with("panic_new"),
            "hang_new" => hang(),
            how => Ok(Self { how, last: 0 }),
        }
    }
}

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

impl NodeAllocation for Misplaces {
    fn rules(&self) -> AllocationRules {
        if self.how == "panic_rules" {
            panic_with(self.how);
        }
        AllocationRules { observes: true, ranks: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        match self.how {
            "panic_text" | "panic_number" | "panic_bomb" | "panic_index" => panic_with(self.how),
            "out_of_range" => return Placement::Node(1_000_000),
            "hang" => hang(),
            _ => {}
        }
        // The node used last is full as soon as its cores are taken.
        let node = if self.how == "full" { Some(self.last) } else { cluster.free_core.first() };
        self.last = node.unwrap_or(0);
        node.into()
    }

    fn rank(&mut self, _request: &RequestView, _now: u64) -> u64 {
        if self.how == "panic_rank" { panic_with(self.how) } else { 0 }
    }

    fn observe(&mut self, _node: u32, _view: &NodeView, _up: bool) {
        if self.how == "panic_observe" {
            panic_with(self.how);
        }
    }

    fn observe_link(&mut self, _link: &LinkView<'_>) {
        if self.how == "panic_observe_link" {
            panic_with(self.how);
        }
    }
}

impl Drop for Misplaces {
    fn drop(&mut self) {
        if self.how == "panic_drop" {
            panic_with(self.how);
        }
    }
}

/// Plans badly.
#[derive(Debug)]
pub struct Misplans {
    how: &'static str,
}

parameters! {
    /// What goes wrong.
    pub struct WaysToPlan {
        /// what goes wrong
        how: word("panic_plan", "twice", "nobody", "nowhere", "no_image") = "twice";
    }
}

impl Policy for Misplans {
    const NAME: &'static str = "misplans";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "node allocation for the whole queue that goes wrong";
    type Parameters = WaysToPlan;

    fn new(ways: WaysToPlan, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { how: ways.how })
    }
}

impl BatchAllocation for Misplans {
    fn plan(&mut self, _batch: &BatchView<'_>, plan: &mut Vec<PlanItem>) {
        match self.how {
            "panic_plan" => panic_with(self.how),
            "nobody" => plan.push(PlanItem::Run { request: 99, node: 0 }),
            "nowhere" => plan.push(PlanItem::Run { request: 0, node: 99 }),
            "no_image" => plan.push(PlanItem::Load { image: 99, node: 0 }),
            _ => (0..2).for_each(|_| plan.push(PlanItem::Run { request: 0, node: 0 })),
        }
    }
}
