//! Rejects those who wait whom the policy of node allocation names, before a round.

use std::collections::BTreeMap;

use hearth_policy_api::{QueueView, Records, RequestView, Shed, Slice};
use hearth_simcore::kernel::Kernel;

use crate::error::Error;
use crate::policy::{Method, Mistake, PolicySlot};
use crate::service::Service;
use crate::service::attempts::{AttemptKey, WaitingQueue};
use crate::service::event::Event;

/// The first of each function that waits, as the policy is shown them. The buffers are kept.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    keys: Vec<AttemptKey>,
    requests: Vec<RequestView>,
    lengths: Vec<u64>,
}

impl Heads {
    /// Looks at the queue anew.
    fn look(&mut self, queue: &WaitingQueue) {
        self.keys.clear();
        self.requests.clear();
        self.lengths.clear();
        match queue {
            WaitingQueue::ByFunction(queues) => {
                for (waiting, length) in queues.heads() {
                    self.add(waiting.key, waiting.request, length as u64);
                }
            }
            WaitingQueue::Ordered(queue) => {
                let mut positions = BTreeMap::new();
                for (key, request) in (0..queue.end()).filter_map(|position| queue.at(position)) {
                    let next = self.keys.len();
                    let position = *positions.entry(request.function).or_insert(next);
                    match self.lengths.get_mut(position) {
                        Some(length) => *length += 1,
                        None => self.add(key, *request, 1),
                    }
                }
            }
        }
    }

    fn add(&mut self, key: AttemptKey, request: RequestView, length: u64) {
        self.keys.push(key);
        self.requests.push(request);
        self.lengths.push(length);
    }
}

impl Service {
    /// Shows the policy the queue, and rejects whom it names, until it names nobody.
    #[inline(never)]
    pub(in crate::service) fn shed(&mut self, kernel: &mut Kernel<Event>) -> Result<(), Box<Error>> {
        while self.attempts.queue().len() > 0 {
            self.tell_of_containers();
            let Self { attempts, cluster, policies, rounds, .. } = self;
            let heads = &mut rounds.heads;
            heads.look(attempts.queue());
            let view = QueueView {
                now: kernel.now().as_nanos(),
                waiting: attempts.queue().len() as u64,
                heads: Records::new(&heads.requests),
                lengths: Slice::new(&heads.lengths),
                nodes: Records::new(cluster.views()),
                free_core: cluster.free_core().view(),
                histories: cluster.histories_if(policies.rules().sees_history),
                ..QueueView::default()
            };
            let Some(Shed { head, reason }) = policies.shed(&view)? else { return Ok(()) };
            let Some(key) = heads.keys.get(head as usize).copied() else {
                let cause = format!("rejects head {head} of the queue, which has {}", heads.keys.len());
                return Err(self.policies.error(Mistake::new(PolicySlot::NodeAllocation, Method::Shed, cause)));
            };
            self.reject(key, &reason, kernel)?;
        }
        Ok(())
    }
}
