//! What a process can do.

use std::future::Future;
use std::rc::{Rc, Weak};

use super::shared::Shared;
use super::waiting::{Activity, Sleep, TimedOut, Work};
use super::{Either, Process, race};
use crate::kernel::{Kernel, Model, ShareId};
use crate::network::Endpoint;
use crate::platform::HostId;
use crate::time::{SimDuration, SimTime};

/// A process's hold on the simulation: its host, the time, and everything it can wait for.
///
/// Cloning is cheap; the clone is of the same host.
pub struct Context<M: Model> {
    pub(crate) shared: Rc<Shared<M>>,
    pub(crate) host: HostId,
}

impl<M: Model> Clone for Context<M> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared), host: self.host }
    }
}

/// A context that does not keep the simulation alive, for models that start processes.
pub struct WeakContext<M: Model> {
    shared: Weak<Shared<M>>,
    host: HostId,
}

impl<M: Model> WeakContext<M> {
    /// The context, as long as the simulation is there.
    pub fn upgrade(&self) -> Option<Context<M>> {
        Some(Context { shared: self.shared.upgrade()?, host: self.host })
    }
}

impl<M: Model> std::fmt::Debug for WeakContext<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WeakContext on {:?}", self.host)
    }
}

impl<M: Model> Context<M> {
    /// A context that does not keep the simulation alive.
    pub fn downgrade(&self) -> WeakContext<M> {
        WeakContext { shared: Rc::downgrade(&self.shared), host: self.host }
    }

    /// The date.
    pub fn now(&self) -> SimTime {
        self.shared.kernel.borrow().now()
    }

    /// The host that the process runs on.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// The same process's view from another host: what it computes, reads and writes happens there.
    pub fn on(&self, host: HostId) -> Self {
        Self { shared: Rc::clone(&self.shared), host }
    }

    /// Waits.
    pub fn sleep(&self, length: SimDuration) -> Sleep<M> {
        Sleep::new(Rc::clone(&self.shared), self.now() + length)
    }

    /// Computes `flops` floating-point operations on one shared of the host. Computations beyond the number of cores
    /// share the cores equally.
    pub async fn compute(&self, flops: f64) {
        // Only transfers can be impossible.
        let _ = Activity::new(Rc::clone(&self.shared), Work::Compute { host: self.host, flops }).await;
    }

    /// Computes `flops` floating-point operations in a [share](crate::kernel::ShareSpec) of processors; dropping it stops that.
    /// Its result is an error if the share is not there.
    pub fn compute_in(&self, share: ShareId, flops: f64) -> Activity<M> {
        Activity::new(Rc::clone(&self.shared), Work::ComputeIn { share, flops })
    }

    /// Moves bytes between two ends; see [`crate::network`].
    pub fn transfer(&self, from: Endpoint, to: Endpoint, bytes: u64) -> Activity<M> {
        Activity::new(Rc::clone(&self.shared), Work::Transfer { from, to, bytes })
    }

    /// Reads from the disk of the host into its memory.
    pub fn read(&self, bytes: u64) -> Activity<M> {
        self.transfer(Endpoint::Disk(self.host), Endpoint::Memory(self.host), bytes)
    }

    /// Writes from the memory of the host to its disk.
    pub fn write(&self, bytes: u64) -> Activity<M> {
        self.transfer(Endpoint::Memory(self.host), Endpoint::Disk(self.host), bytes)
    }

    /// Starts another process.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Process<T> {
        self.shared.executor.spawn(future)
    }

    /// Waits for a future, but not longer than `limit`; a future that would be ready exactly then is too late.
    ///
    /// # Errors
    /// [`TimedOut`] when the limit was first; the future is dropped with the returned one.
    pub async fn timeout<F: Future>(&self, limit: SimDuration, future: F) -> Result<F::Output, TimedOut> {
        match race(self.sleep(limit), future).await {
            Either::First(()) => Err(TimedOut),
            Either::Second(result) => Ok(result),
        }
    }

    /// Works on the model and the kernel, as an event of the model would.
    pub fn with_model<T>(&self, work: impl FnOnce(&mut M, &mut Kernel<M::Event>) -> T) -> T {
        work(&mut self.shared.model.borrow_mut(), &mut self.shared.kernel.borrow_mut())
    }
}
