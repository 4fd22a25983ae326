//! Answers about one request after the other, and whether they can be followed.

use super::super::asked::answer;
use super::super::fault::{Claim, Fault, claimed};
use super::super::model::{Choice, end_of};
use super::Play;
use crate::{ClusterView, Commitment, End, Ending, NodeView, Placement, RequestView};

impl Play<'_> {
    /// Asks about everybody in turn, but for the later requests of a function that is to wait.
    pub(super) fn place_all(&mut self) -> Result<(), Fault> {
        let mut told_to_wait = Vec::new();
        for request in self.model.queue.clone() {
            let function = request.function as usize;
            let sets = self.model.sets(function);
            let view = self.model.cluster(&sets, function);
            if told_to_wait.contains(&function) || (view.free_core.is_empty() && !self.rules.queues) {
                continue;
            }
            let placement = answer("place", || self.policy.place(&request, &view))?;
            self.log.note(format!(
                "place(request {}: function {function}, {} B RAM, {} B disk): {placement:?}",
                request.invocation, request.ram_limit, request.disk_limit
            ));
            if self.rules.answers_hold {
                // Another date, another queue, another request, and nodes that have what they have not.
                let nodes: Vec<NodeView> = view.nodes.iter().map(|_| NodeView::default()).collect();
                let other =
                    ClusterView { now: view.now + 7, waiting: view.waiting + 3, nodes: (&nodes[..]).into(), ..view };
                let later = RequestView {
                    invocation: request.invocation + 1,
                    attempt: 7,
                    requested_at: 0,
                    deadline: 7,
                    ..request
                };
                let again = answer("place", || self.policy.place(&later, &other))?;
                if again != placement {
                    return Err(format!(
                        "says that its answers hold, and answers {again:?} when only the sets are the same"
                    )
                    .into());
                }
            }
            match placement {
                Placement::Node(node) => self.check_node((node, Choice::Any), &request)?,
                Placement::Warm { node, container } => self.check_node((node, Choice::Warm(container)), &request)?,
                Placement::Cold { node } => self.check_node((node, Choice::Cold), &request)?,
                Placement::Wait => {
                    self.check_wait(&request)?;
                    told_to_wait.push(function);
                }
                Placement::Reject(_) => {
                    self.rejected += 1;
                    self.model.leave(&request);
                    self.ended(&end_of(&request, Ending::Rejected, self.model.now))?;
                }
                Placement::Busy { node, until } => self.check_busy(node, until, &request)?,
                Placement::Queue { nodes, until } => self.check_queue(&nodes, until, &request)?,
            }
        }
        Ok(())
    }

    fn check_node(&mut self, (node, choice): (u32, Choice), request: &RequestView) -> Result<(), Fault> {
        let nodes = self.model.node_count();
        if node as usize >= nodes {
            return Err(format!("places a request on node {node}, of nodes 0 to {}", nodes - 1).into());
        }
        if !self.model.is_up(node) {
            return Err(format!("places a request on node {node}, which is down").into());
        }
        if self.model.view(node).free_cores == 0 {
            return Err(format!("places a request on node {node}, which has no free core").into());
        }
        self.check_container((node, choice), request)?;
        // Room for a new one is that of idle ones of its function, too.
        if !self.model.can_start(node, request) {
            let fault = format!("places a request on node {node}, which cannot make room for it");
            claimed(self.claims, Claim::RespectsCapacity, fault)?;
        }
        let binds = self.rules.commitment == Commitment::UntilStarted;
        self.has_placed = true;
        if self.model.place(request, (node, choice), binds) {
            self.model.leave(request);
        } else if binds {
            self.tell(&End { node, ..end_of(request, Ending::Requeued, self.model.now) })?;
        }
        Ok(())
    }

    fn check_container(&self, (node, choice): (u32, Choice), request: &RequestView) -> Result<(), Fault> {
        match choice {
            Choice::Warm(container) if !self.model.is_idle(request, node, container) => {
                Err(wrong_container((node, container), request).into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_wait(&self, request: &RequestView) -> Result<(), Fault> {
        let place = (0..self.model.node_count() as u32).find(|node| self.model.has_place(*node, request));
        let Some(node) = place else { return Ok(()) };
        let fault = format!("lets request {} wait, though node {node} has a core and room for it", request.invocation);
        claimed(self.claims, Claim::WorkConserving, fault)
    }
}

/// A container that a request cannot have.
pub(super) fn wrong_container((node, container): (u32, u32), request: &RequestView) -> String {
    let RequestView { invocation, function, .. } = request;
    format!(
        "places request {invocation} in container {container} of node {node}, which is not an idle one of function {function} \
         there, or is taken"
    )
}
