//! What a policy has answered is what it would answer, where it says that its answers hold.

use hearth_node_allocation_fcfs::Fcfs;
use hearth_policy_api::{
    AllocationRules, ClusterView, NodeAllocation, Placement, Policy, PolicyContext, PolicyDescriptor, PolicyError,
    RequestView,
};
use proptest::prelude::*;
use serde_json::json;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};

/// What `fcfs` is, asked each time.
struct AskedAgain(Fcfs);

impl Policy for AskedAgain {
    const NAME: &'static str = Fcfs::NAME;
    const VERSION: &'static str = Fcfs::VERSION;
    const DESCRIPTION: &'static str = Fcfs::DESCRIPTION;
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Fcfs::new(parameters, context).map(Self)
    }
}

impl NodeAllocation for AskedAgain {
    fn rules(&self) -> AllocationRules {
        AllocationRules { answers_hold: false, ..self.0.rules() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.0.place(request, cluster)
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn who_is_not_asked_again_goes_where_it_would(
        scenario in scenario(), faults in prop::option::of(faults()), crowd in 1..6_usize,
    ) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        // More at once, so that the same are asked about in many rounds.
        let invocations = scenario["workload"]["invocations"].as_array_mut().unwrap();
        let more: Vec<_> = invocations.iter().cycle().take(invocations.len() * crowd).cloned().collect();
        *invocations = more;
        scenario["service"]["backfilling"] = json!("unlimited");
        scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        let others = hearth_plugins::BUILT_IN.iter().filter(|policy| policy.name() != Fcfs::NAME).copied();
        let asked_again: Vec<PolicyDescriptor> =
            others.chain([PolicyDescriptor::node_allocation::<AskedAgain>()]).collect();
        let Some(kept) = run(&scenario) else { return Ok(()) };
        let Some(asked) = run_with(&scenario, &asked_again, check_conservation) else { return Ok(()) };
        prop_assert_eq!(files_of(&kept?), files_of(&asked?));
    }
}
