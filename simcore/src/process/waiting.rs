//! Futures that wait for a date, for bytes to move or for a computation.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use super::shared::Shared;
use crate::kernel::{ActivityId, Kernel, Model, ShareId};
use crate::network::{Endpoint, TransferError};
use crate::platform::HostId;
use crate::queue::EventHandle;
use crate::time::SimTime;

/// Waits until a date; made by [`Context::sleep`](super::Context::sleep). Even a sleep of no time lets all that is scheduled for the date go
/// first.
pub struct Sleep<M: Model> {
    shared: Rc<Shared<M>>,
    until: SimTime,
    timer: Option<(EventHandle, Waker)>,
}

impl<M: Model> Sleep<M> {
    pub(super) fn new(shared: Rc<Shared<M>>, until: SimTime) -> Self {
        Self { shared, until, timer: None }
    }
}

impl<M: Model> Future for Sleep<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut kernel = this.shared.kernel.borrow_mut();
        if let Some((timer, waker)) = &this.timer {
            if !kernel.is_scheduled(*timer) {
                this.timer = None;
                return Poll::Ready(());
            }
            // Polled for some other reason: the timer keeps its place in the queue.
            if waker.will_wake(task.waker()) {
                return Poll::Pending;
            }
            kernel.cancel(*timer);
        }
        this.timer = Some((kernel.wake_at(this.until, task.waker().clone()), task.waker().clone()));
        Poll::Pending
    }
}

impl<M: Model> Drop for Sleep<M> {
    fn drop(&mut self) {
        if let Some((timer, _)) = self.timer.take() {
            self.shared.kernel.borrow_mut().cancel(timer);
        }
    }
}

/// What an [`Activity`] waits for.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Transfer { from: Endpoint, to: Endpoint, bytes: u64 },
    Compute { host: HostId, flops: f64 },
    ComputeIn { share: ShareId, flops: f64 },
}

/// Waits until bytes have moved or a computation has ended; made by [`Context::transfer`](super::Context::transfer) and its like. It starts when
/// it is first awaited; dropping it stops the work.
pub struct Activity<M: Model> {
    shared: Rc<Shared<M>>,
    work: Work,
    under_way: Option<ActivityId>,
    outlives_waiter: bool,
}

impl<M: Model> Activity<M> {
    pub(super) fn new(shared: Rc<Shared<M>>, work: Work) -> Self {
        Self { shared, work, under_way: None, outlives_waiter: false }
    }

    /// Lets the work go on to its end when whoever waits for it stops waiting.
    pub fn outliving_waiter(mut self) -> Self {
        self.outlives_waiter = true;
        self
    }

    fn start(&self, kernel: &mut Kernel<M::Event>, waker: Waker) -> Result<ActivityId, TransferError> {
        match self.work {
            Work::Transfer { from, to, bytes } => kernel.transfer_then_wake(from, to, bytes, waker),
            Work::Compute { host, flops } => Ok(kernel.compute_then_wake(host, flops, waker)),
            Work::ComputeIn { share, flops } => {
                kernel.compute_in_then_wake(share, flops, waker).ok_or(TransferError::Interrupted)
            }
        }
    }
}

impl<M: Model> Future for Activity<M> {
    type Output = Result<(), TransferError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut kernel = self.shared.kernel.borrow_mut();
        if let Some(activity) = self.under_way {
            if kernel.rewaken(activity, task.waker()) {
                return Poll::Pending;
            }
            let interrupted = kernel.was_interrupted(activity);
            drop(kernel);
            self.under_way = None;
            return Poll::Ready(if interrupted { Err(TransferError::Interrupted) } else { Ok(()) });
        }
        let started = self.start(&mut kernel, task.waker().clone());
        drop(kernel);
        match started {
            Ok(activity) => self.under_way = Some(activity),
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Pending
    }
}

impl<M: Model> Drop for Activity<M> {
    fn drop(&mut self) {
        if let Some(activity) = self.under_way.take().filter(|_| !self.outlives_waiter) {
            self.shared.kernel.borrow_mut().cancel_activity(activity);
        }
    }
}

/// The time given to [`Context::timeout`](super::Context::timeout) was over first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the time limit was reached")]
pub struct TimedOut;
