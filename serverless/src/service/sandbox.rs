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
            Effort::Time { slowed, .. } => {
                self.sleep(slowed).await;
                Ok(())
            }
            Effort::Compute(flops) => {
                self.compute(flops, SimDuration::ZERO).await;
                Ok(())
            }
            effort @ Effort::Transfer { from, to, bytes } => {
                let number = self.begins(effort);
                let moved = self.context.transfer(from, to, bytes).outliving_waiter().await;
                self.is_over(number);
                moved.map_err(|error| FunctionError::new(error.to_string()))
            }
        }
    }

    /// The closure begins with something that takes time. What it gives up half-way counts as going on.
    fn begins(&self, effort: Effort) -> Option<u32> {
        self.context.with_model(|model, kernel| model.service().explain_effort(self.key, effort, kernel))
    }

    fn is_over(&self, number: Option<u32>) {
        if let Some(number) = number {
            self.context
                .with_model(|model, kernel| model.service().explain_effort_over(self.key, number, kernel.now()));
        }
    }
}

impl Sandbox for OfInvocation {
    fn now(&self) -> SimTime {
        self.context.now()
    }

    fn sleep(&self, length: SimDuration) -> Pending<'_, ()> {
        Box::pin(async move {
            let number = self.begins(Effort::Time { whole: length, slowed: length });
            self.context.sleep(length).await;
            self.is_over(number);
        })
    }

    fn compute(&self, flops: f64, alone: SimDuration) -> Pending<'_, ()> {
        let share = self.context.with_model(|model, kernel| model.service().share_of(self.key, kernel));
        Box::pin(async move {
            match share {
                // Who would be told that its container is gone is gone as well.
                Some(share) => {
                    let number = self.begins(Effort::Compute(flops));
                    drop(self.context.compute_in(share, flops).await);
                    self.is_over(number);
                }
                None => self.sleep(alone).await,
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
