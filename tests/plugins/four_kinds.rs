//! A policy of each kind, built by tests against several versions of the interface.

use hearth_policy_api::*;

parameters! {
    /// What can be set.
    pub struct Settings {
        /// no matter
        weight: number(0.0..=1.0) = 0.5;
    }
}

macro_rules! policy {
    ($policy:ident, $name:literal) => {
        #[derive(Default)]
        pub struct $policy(Vec<u32>);

        impl Policy for $policy {
            const NAME: &'static str = $name;
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");
            const DESCRIPTION: &'static str = "the simplest of its kind";
            type Parameters = Settings;

            fn new(_settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
                Ok(Self::default())
            }
        }
    };
}

policy!(Place, "place");
policy!(Evict, "evict");
policy!(Admit, "admit");
policy!(Keep, "keep");

impl NodeAllocation for Place {
    // So that it is called about whatever later versions of the interface tell it, too.
    fn rules(&self) -> AllocationRules {
        AllocationRules { observes: true, ..AllocationRules::default() }
    }

    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        cluster.free_core.first().into()
    }
}

impl Eviction for Evict {
    fn insert(&mut self, item: &EvictionItem) {
        self.0.push(item.id);
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {}

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.0.retain(|other| *other != id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        self.0.iter().find(|id| victims.offer(**id) == Offer::Enough);
    }
}

impl Admission for Admit {
    fn admit(&mut self, _request: &RequestView, _load: &AdmissionView<'_>) -> AdmissionDecision {
        AdmissionDecision::Admit
    }
}

impl KeepAlive for Keep {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: nanos(60.0) }
    }
}

export_policies!(
    PolicyDescriptor::node_allocation::<Place>(),
    PolicyDescriptor::eviction::<Evict>(),
    PolicyDescriptor::admission::<Admit>(),
    PolicyDescriptor::keep_alive::<Keep>(),
);
