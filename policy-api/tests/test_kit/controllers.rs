//! Policies of several kinds with one state: defects that none of the kinds shows by itself.

use hearth_policy_api::*;

use super::{check_rows, defective, tick};

#[derive(Default)]
pub struct State {
    placed: u64,
    kept: Option<u32>,
}

defective!(
    Controller,
    State,
    [
        "panics in keep-alive when it has placed some",
        "places where it has kept a container",
        "delays by nothing when it has placed some",
        "keeps by the clock when it has placed some",
        "says that it admits all and does not when it has placed some",
    ]
);

impl NodeAllocation for Controller {
    fn place(&mut self, request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        let fits =
            |node: &u32| cluster.idle_container.contains(*node) || cluster.nodes[*node as usize].can_make_room(request);
        let kept = self.state.kept.filter(|_| self.is("places where it has kept a container"));
        let node = kept.or_else(|| cluster.free_core.iter().find(fits));
        self.state.placed += u64::from(node.is_some());
        node.into()
    }
}

impl Admission for Controller {
    fn rules(&self) -> AdmissionRules {
        let admits_all = self.is("says that it admits all and does not when it has placed some");
        AdmissionRules { admits_all, ..AdmissionRules::default() }
    }

    fn admit(&mut self, _request: &RequestView, _view: &AdmissionView<'_>) -> AdmissionDecision {
        match self.defect {
            "delays by nothing when it has placed some" if self.state.placed > 2 => AdmissionDecision::Delay(0),
            "says that it admits all and does not when it has placed some" if self.state.placed > 2 => {
                AdmissionDecision::Reject("enough".into())
            }
            _ => AdmissionDecision::Admit,
        }
    }
}

impl KeepAlive for Controller {
    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        self.state.kept = Some(completion.node);
        let has_placed = self.state.placed > 2;
        let keep_for = match self.defect {
            "panics in keep-alive when it has placed some" if has_placed => panic!("so many"),
            "keeps by the clock when it has placed some" if has_placed => 1_000_000_000 + tick() % 1000,
            _ => 1_000_000_000,
        };
        Retention { keep_for }
    }
}

#[test]
fn defects_of_controllers_are_caught() {
    check_rows(
        &controller!(Controller: node_allocation, admission, keep_alive),
        &[
            ("panics in keep-alive when it has placed some", "failed in on_idle: panicked: so many"),
            ("places where it has kept a container", "on node "),
            ("delays by nothing when it has placed some", "at the same date"),
            ("keeps by the clock when it has placed some", "does not do the same"),
            ("says that it admits all and does not when it has placed some", "though its rules say that it admits all"),
        ],
    );
}
