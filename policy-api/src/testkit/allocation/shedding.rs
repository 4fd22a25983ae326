//! Those who wait and are rejected.

use super::super::asked::answer;
use super::super::fault::Fault;
use super::super::model::end_of;
use super::Play;
use crate::{Ending, QueueView, Records, RequestView, Shed, Slice};

impl Play<'_> {
    /// Shows the policy the queue, until it rejects nobody.
    pub(super) fn shed(&mut self) -> Result<(), Fault> {
        while self.rules.sheds && !self.model.queue.is_empty() {
            let (mut heads, mut lengths) = (Vec::<RequestView>::new(), Vec::new());
            for request in &self.model.queue {
                match heads.iter().position(|head| head.function == request.function) {
                    Some(position) => lengths[position] += 1,
                    None => {
                        heads.push(*request);
                        lengths.push(1);
                    }
                }
            }
            let sets = self.model.sets(0);
            let cluster = self.model.cluster(&sets, 0);
            let view = QueueView {
                now: cluster.now,
                waiting: cluster.waiting,
                heads: Records::new(&heads),
                lengths: Slice::new(&lengths),
                nodes: cluster.nodes,
                free_core: cluster.free_core,
                histories: cluster.histories,
                ..QueueView::default()
            };
            let Some(Shed { head, .. }) = answer("shed", || self.policy.shed(&view))? else { return Ok(()) };
            let Some(request) = heads.get(head as usize) else {
                return Err(format!("rejects head {head} of the queue, which has {}", heads.len()).into());
            };
            self.log.note(format!("shed({} waiting): request {}", self.model.queue.len(), request.invocation));
            self.rejected += 1;
            self.model.leave(request);
            self.ended(&end_of(request, Ending::Rejected, self.model.now))?;
        }
        Ok(())
    }
}
