//! What the closure of a body asks its service for.

use hearth_simcore::process::Context;
use hearth_simcore::time::{SimDuration, SimTime};

use super::attempts::AttemptKey;
use super::event::ServiceModel;
use super::running::Effort;
use crate::function::Step;
use crate::function::call::{FunctionError, Pending, Sandbox};

/// The invocation of a body, in the hands of its [`Call`](crate::function::call::Call).
pub(super) struct OfInvocation {
    pub context: Context<ServiceModel>,
    pub key: AttemptKey,
}

impl OfInvocation {
    async fn carry_out(&self, step: Step) -> Result<(), FunctionError> {
        match self.context.with_model(|model, _| model.service().begin_step(self.key, &step))? {
            Effort::None => Ok(()),
            Effort::Time(length) => {
                self.context.sleep(length).await;
                Ok(())
            }
            Effort::Compute(flops) => {
                self.compute(flops, SimDuration::ZERO).await;
                Ok(())
            }
            Effort::Transfer { from, to, bytes } => {
                let moved = self.context.transfer(from, to, bytes).outliving_waiter().await;
                moved.map_err(|error| FunctionError::new(error.to_string()))
            }
        }
    }
}

impl Sandbox for OfInvocation {
    fn now(&self) -> SimTime {
        self.context.now()
    }

    fn sleep(&self, length: SimDuration) -> Pending<'_, ()> {
        Box::pin(async move { self.context.sleep(length).await })
    }

    fn compute(&self, flops: f64, alone: SimDuration) -> Pending<'_, ()> {
        let share = self.context.with_model(|model, kernel| model.service().share_of(self.key, kernel));
        Box::pin(async move {
            match share {
                // Who would be told that its container is gone is gone as well.
                Some(share) => drop(self.context.compute_in(share, flops).await),
                None => self.context.sleep(alone).await,
            }
        })
    }

    fn perform(&self, step: Step) -> Pending<'_, Result<(), FunctionError>> {
        Box::pin(self.carry_out(step))
    }

    fn used(&self) -> u64 {
        self.context.with_model(|model, _| {
            let execution = model.service().attempts.get(self.key).and_then(|attempt| attempt.execution());
            execution.map_or(0, |execution| execution.storage.used)
        })
    }
}
