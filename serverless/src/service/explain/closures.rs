//! What the closure of a body does, which may be several things at once.

use hearth_simcore::kernel::Kernel;
use hearth_simcore::time::SimTime;

use super::progress::{Doing, Several};
use super::timed::{Kind, Timed};
use crate::service::Service;
use crate::service::attempts::AttemptKey;
use crate::service::event::Event;
use crate::service::running::Effort;

impl Service {
    /// The closure of an attempt begins.
    pub(in crate::service) fn explain_closure(&mut self, key: AttemptKey, now: SimTime) {
        self.explain_doing(key, None, now);
        if let Some((_, explained)) = self.attempts.explained_mut(key) {
            explained.doing = Doing::Closure(Several::default());
        }
    }

    /// It begins with something that takes time; gives its number, if a run is explained.
    pub(in crate::service) fn explain_effort(
        &mut self,
        key: AttemptKey,
        effort: Effort,
        kernel: &mut Kernel<Event>,
    ) -> Option<u32> {
        self.explain.as_ref()?;
        let now = kernel.now();
        let timed: Option<Timed> = match effort {
            Effort::None | Effort::Time { .. } => None,
            Effort::Transfer { from, to, bytes } => self.data_transfer((from, to), bytes, kernel),
            Effort::Compute(flops) => {
                let (attempt, node) = self.attempts.dispatched(key).ok()?;
                let cores = self.cluster.cores_of_computation(attempt.record.function);
                Some(self.computing(Kind::WORK, node, (flops, cores), now))
            }
        };
        self.change_several(key, now, |several| several.begin(timed))
    }

    /// Something is over that it began with.
    pub(in crate::service) fn explain_effort_over(&mut self, key: AttemptKey, number: u32, now: SimTime) {
        self.change_several(key, now, |several| several.end(number));
    }

    fn change_several<T>(
        &mut self,
        key: AttemptKey,
        now: SimTime,
        change: impl FnOnce(&mut Several) -> T,
    ) -> Option<T> {
        self.settle(key, now);
        match &mut self.attempts.explained_mut(key)?.1.doing {
            Doing::Closure(several) => Some(change(several)),
            Doing::Nothing | Doing::One(_) => None,
        }
    }
}
