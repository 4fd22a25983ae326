//! Links that are down or degraded, and what a node allocation policy that observes is told of them before it decides
//! (the timing model, section 11).

use std::collections::BTreeMap;

use hearth_policy_api::{LinkView, NodeBits};
use hearth_simcore::kernel::Kernel;
use hearth_simcore::platform::LinkId;

use super::faults::Faults;
use crate::fault::Fault;
use crate::service::Service;
use crate::service::event::Event;

/// Links that have changed since the last decision.
#[derive(Debug, Default)]
pub(crate) struct LinkChanges {
    pending: BTreeMap<LinkId, LinkChange>,
    /// Each link between the head and a node, with that node, in order. Worked out when a link changes for the first
    /// time: most simulations have no use for it.
    crossings: Option<Vec<(LinkId, u32)>>,
}

/// What there is to tell of a link.
#[derive(Debug)]
struct LinkChange {
    share: f64,
    nodes: NodeBits,
}

impl Faults {
    /// The part of its bandwidth that degradations leave to a link; of several the least.
    fn degradation(&self, link: LinkId) -> f64 {
        let parts = self.on_link(link).filter_map(|fault| match fault {
            Fault::LinkDegraded { part, .. } => Some(part),
            _ => None,
        });
        parts.fold(1.0, f64::min)
    }

    /// The part of its bandwidth that all faults leave to a link: none while it is down.
    fn share(&self, link: LinkId) -> f64 {
        let is_down = self.on_link(link).any(|fault| matches!(fault, Fault::LinkDown { .. }));
        if is_down { 0.0 } else { self.degradation(link) }
    }
}

impl Service {
    /// Gives a link the bandwidth that degradations leave to it.
    pub(in crate::service) fn set_bandwidth(&mut self, link: LinkId, kernel: &mut Kernel<Event>) {
        kernel.degrade_link(link, self.recovery.faults.degradation(link));
        self.explain_change(kernel);
    }

    /// The link that a fault is about and the part of its bandwidth that is left to it now, if the policy observes.
    pub(in crate::service) fn observed_link(&self, fault: &Fault) -> Option<(LinkId, f64)> {
        let (Fault::LinkDown { link } | Fault::LinkDegraded { link, .. }) = *fault else { return None };
        self.policies.rules().observes.then(|| (link, self.recovery.faults.share(link)))
    }

    /// Notes for the policy that a link has changed, if another part of its bandwidth is left to it than before.
    pub(in crate::service) fn note_link(&mut self, before: Option<(LinkId, f64)>, kernel: &Kernel<Event>) {
        let Some((link, before)) = before else { return };
        let share = self.recovery.faults.share(link);
        if share != before {
            let nodes = self.nodes_behind(link, kernel);
            self.recovery.link_changes.pending.insert(link, LinkChange { share, nodes });
        }
    }

    /// Has a policy told of all links that are not whole, as it has not heard of any; or nobody of those that have changed.
    pub(in crate::service) fn note_all_links(&mut self, observes: bool, kernel: &Kernel<Event>) {
        self.recovery.link_changes.pending.clear();
        for link in observes.then(|| self.recovery.faults.links()).into_iter().flatten() {
            self.note_link(Some((link, 1.0)), kernel);
        }
    }

    /// The nodes whose route to the head crosses a link, there or back.
    fn nodes_behind(&mut self, link: LinkId, kernel: &Kernel<Event>) -> NodeBits {
        let Self { cluster, recovery, head, .. } = self;
        let crossings = recovery.link_changes.crossings.get_or_insert_with(|| {
            let mut crossings = Vec::new();
            for (node, held) in cluster.nodes().named() {
                let route = kernel.platform().route(head.host(), held.host).unwrap_or_default();
                crossings.extend(route.forward.iter().chain(&route.backward).map(|link| (*link, node.0)));
            }
            crossings.sort_unstable();
            crossings.dedup();
            crossings
        });
        let mut nodes = NodeBits::new(cluster.nodes().len());
        let first = crossings.partition_point(|(other, _)| *other < link);
        let of_link = crossings.iter().skip(first).take_while(|(other, _)| *other == link);
        of_link.for_each(|(_, node)| nodes.insert(*node));
        nodes
    }

    /// Tells the policy of the links that have changed since the last decision.
    pub(in crate::service) fn announce_links(&mut self) {
        while let Some((link, LinkChange { share, nodes })) = self.recovery.link_changes.pending.pop_first() {
            let link = link.index() as u32;
            self.policies.observe_link(&LinkView { link, share, nodes: nodes.view(), ..LinkView::default() });
        }
    }
}
