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

const WAYS: &[RStr<'static>] = &[
    word("well"),
    word("refuse"),
    word("panic_new"),
    word("panic_rules"),
    word("panic_text"),
    word("panic_number"),
    word("panic_bomb"),
    word("panic_index"),
    word("panic_observe"),
    word("panic_observe_link"),
    word("panic_rank"),
    word("panic_drop"),
    word("out_of_range"),
    word("full"),
    word("hang"),
    word("hang_new"),
    word("plan_panic"),
    word("plan_twice"),
    word("plan_nobody"),
    word("plan_nowhere"),
    word("plan_no_image"),
];

impl Policy for Misplaces {
    const NAME: &'static str = "misplaces";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "node allocation that goes wrong";
    const PARAMETERS: &'static [ParameterSpec] = &[
        ParameterSpec::choice("how", WAYS, "well", "what goes wrong"),
        ParameterSpec::integer("limit", 1..=10, 5, "a number that is in a range"),
    ];

    fn new(parameters: &Parameters, _context: &PolicyContext) -> Result<Self, PolicyError> {
        match parameters.choice("how") {
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
        let scope = if self.how.starts_with("plan") { Scope::Batch } else { Scope::Request };
        AllocationRules { scope, observes: true, ranks: true, ..AllocationRules::default() }
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

    fn plan(&mut self, _batch: &BatchView<'_>, plan: &mut RVec<PlanItem>) {
        match self.how {
            "plan_panic" => panic_with(self.how),
            "plan_nobody" => plan.push(PlanItem::Run { request: 99, node: 0 }),
            "plan_nowhere" => plan.push(PlanItem::Run { request: 0, node: 99 }),
            "plan_no_image" => plan.push(PlanItem::Load { image: 99, node: 0 }),
            _ => (0..2).for_each(|_| plan.push(PlanItem::Run { request: 0, node: 0 })),
        }
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
