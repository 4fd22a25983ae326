//! Images come from where a policy says, and nothing is lost or held on the way.

use hearth_node_allocation_fcfs::Fcfs;
use hearth_policy_api::*;
use hearth_simcore::random::derive_seed;
use proptest::prelude::*;
use serde_json::json;

use super::checks::{check_conservation, files_of};
use super::scenarios::{faults, scenario};
use super::{cases, run, run_with};
use crate::service::Service;

/// What `fcfs` is; images come from the head, or from anywhere.
struct Sourcing<const ANYWHERE: bool> {
    fcfs: Fcfs,
    seed: u64,
    asked: u64,
}

impl<const ANYWHERE: bool> Policy for Sourcing<ANYWHERE> {
    const NAME: &'static str = Fcfs::NAME;
    const VERSION: &'static str = Fcfs::VERSION;
    const DESCRIPTION: &'static str = Fcfs::DESCRIPTION;
    type Parameters = ();

    fn new(parameters: (), context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { fcfs: Fcfs::new(parameters, context)?, seed: context.seed, asked: 0 })
    }
}

impl<const ANYWHERE: bool> NodeAllocation for Sourcing<ANYWHERE> {
    fn rules(&self) -> AllocationRules {
        AllocationRules { chooses_sources: true, ..self.fcfs.rules() }
    }

    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.fcfs.place(request, cluster)
    }

    fn source(&mut self, copy: &CopyView<'_>) -> u32 {
        assert!(!copy.holders.contains(copy.node) && !copy.holders.is_empty(), "{copy:?}");
        self.asked += 1;
        let draw = derive_seed(self.seed, &self.asked.to_string()) as usize;
        let from: Vec<u32> = copy.holders.iter().chain([NONE]).collect();
        if ANYWHERE { from[draw % from.len()] } else { NONE }
    }
}

/// Images are pinned on their way and not longer: in the end nothing is under way.
fn check(service: &Service) -> Result<(), TestCaseError> {
    check_conservation(service)?;
    let (sending, of_head) = service.cluster().copies_under_way();
    let images = service.registry().images().names();
    let arriving: usize = images.map(|image| service.cluster().sites(image).copying().count()).sum();
    prop_assert_eq!(sending.iter().sum::<u32>() + of_head, arriving as u32);
    Ok(())
}

fn policies<const ANYWHERE: bool>() -> Vec<PolicyDescriptor> {
    [&[PolicyDescriptor::node_allocation::<Sourcing<ANYWHERE>>()], hearth_plugins::BUILT_IN].concat()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn images_come_from_anywhere(scenario in scenario(), faults in prop::option::of(faults())) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        let run = || run_with(&scenario, &policies::<true>(), check);
        let (Some(first), Some(second)) = (run(), run()) else { return Ok(()) };
        prop_assert!(files_of(&first?) == files_of(&second?));
    }

    /// To have everything come from the head is what is done where nobody is asked.
    #[test]
    fn the_head_is_the_source_unless_a_policy_names_another(
        scenario in scenario(),
        faults in prop::option::of(faults()),
    ) {
        let mut scenario = scenario;
        if let Some((faults, recovery)) = faults {
            (scenario["faults"], scenario["recovery"]) = (faults, recovery);
        }
        scenario["policies"]["node_allocation"] = json!({"use": "fcfs"});
        let Some(unasked) = run(&scenario) else { return Ok(()) };
        let asked = run_with(&scenario, &policies::<false>(), check).expect("it ran when nobody was asked");
        prop_assert!(files_of(&unasked?) == files_of(&asked?));
    }
}
