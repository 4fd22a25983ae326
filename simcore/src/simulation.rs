//! Runs a model and its processes to the end.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use crate::kernel::{Fired, Kernel, Model};
use crate::network::NetworkModel;
use crate::platform::Platform;
use crate::process::{Context, Executor, Process, Shared};
use crate::time::SimTime;

/// A model on a platform, with its processes.
///
/// See the [crate's documentation](crate) for an example.
pub struct Simulation<M: Model> {
    shared: Rc<Shared<M>>,
}

/// A simulation of processes alone; see [`crate::process`] for an example.
pub type ProcessSimulation = Simulation<NoModel>;

/// The model of a [`ProcessSimulation`]: nothing happens but what processes do.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModel;

impl Model for NoModel {
    type Event = Infallible;
    type Error = Box<dyn std::error::Error>;

    fn handle(&mut self, event: Infallible, _kernel: &mut Kernel<Infallible>) -> Result<(), Self::Error> {
        match event {}
    }
}

/// There is no host of the name that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown host {0:?}: the platform has no host of that name")]
pub struct UnknownHost(
    /// The name.
    pub String,
);

impl<M: Model + Default> Simulation<M> {
    /// A simulation on `platform` that draws its random numbers from `seed`, with fluid links and disks.
    pub fn new(platform: Platform, seed: u64) -> Self {
        Self::with_model(platform, seed, NetworkModel::Fluid, M::default())
    }
}

impl<M: Model> Simulation<M> {
    /// A simulation of a model that has a state at the start.
    pub fn with_model(platform: Platform, seed: u64, network: NetworkModel, model: M) -> Self {
        let shared = Shared {
            kernel: RefCell::new(Kernel::new(Rc::new(platform), network, seed)),
            model: RefCell::new(model),
            executor: Executor::default(),
            failure: RefCell::new(None),
        };
        Self { shared: Rc::new(shared) }
    }

    /// The date.
    pub fn now(&self) -> SimTime {
        self.shared.kernel.borrow().now()
    }

    /// Works on the model and the kernel between events.
    pub fn with_model_mut<T>(&mut self, work: impl FnOnce(&mut M, &mut Kernel<M::Event>) -> T) -> T {
        work(&mut self.shared.model.borrow_mut(), &mut self.shared.kernel.borrow_mut())
    }

    /// A process's hold on the simulation, from a host.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn context(&self, host: &str) -> Result<Context<M>, UnknownHost> {
        let platform = Rc::clone(self.shared.kernel.borrow().platform());
        let host = platform.host_by_name(host).ok_or_else(|| UnknownHost(host.to_owned()))?;
        Ok(Context { shared: Rc::clone(&self.shared), host })
    }

    /// Starts a process on a host. If it ends in an error, so does the simulation.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn spawn_on<F>(&mut self, host: &str, process: F) -> Result<Process<()>, UnknownHost>
    where
        F: AsyncFnOnce(Context<M>) -> Result<(), M::Error> + 'static,
    {
        let context = self.context(host)?;
        let shared = Rc::downgrade(&self.shared);
        Ok(self.shared.executor.spawn(async move {
            if let (Err(error), Some(shared)) = (process(context).await, shared.upgrade()) {
                shared.failure.borrow_mut().get_or_insert(error);
            }
        }))
    }

    /// Runs until nothing is left to happen.
    ///
    /// # Errors
    /// The first error of the model or of a process, at once.
    pub fn run(&mut self) -> Result<(), M::Error> {
        self.run_to(SimTime::MAX)
    }

    /// Runs up to and including a date, and leaves the clock there; what is to happen later stays scheduled.
    ///
    /// # Errors
    /// The first error of the model or of a process, at once.
    pub fn run_until(&mut self, horizon: SimTime) -> Result<(), M::Error> {
        self.run_to(horizon)?;
        self.shared.kernel.borrow_mut().skip_to(horizon);
        Ok(())
    }

    /// Has the next thing happen that is due by a date, an event or the waking of a process, and what the processes that it wakes do;
    /// false if nothing is left by then. Stepped so to the end, a simulation is what [`run`](Self::run) makes of it.
    ///
    /// ```
    /// use hearth_simcore::prelude::*;
    /// let platform = PlatformBuilder::new().host("a", HostSpec::new(1, 1e9)).build()?;
    /// let mut simulation = ProcessSimulation::new(platform, 0);
    /// simulation.spawn_on("a", async |context| {
    ///     context.sleep(SimDuration::from_secs(1)).await;
    ///     context.sleep(SimDuration::from_secs(2)).await;
    ///     Ok(())
    /// })?;
    /// let mut dates = Vec::new();
    /// while simulation.step(SimTime::MAX)? {
    ///     dates.push(simulation.now().as_secs_f64());
    /// }
    /// assert_eq!(dates, [1.0, 3.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first error of the model or of a process. The simulation cannot go on after it.
    pub fn step(&mut self, horizon: SimTime) -> Result<bool, M::Error> {
        self.run_processes()?;
        let has_happened = self.handle_next(horizon)?;
        self.run_processes()?;
        Ok(has_happened)
    }

    /// Apart from the loop, so that what a model does is compiled into that as if this were not there.
    #[cold]
    #[inline(never)]
    fn handle_next(&mut self, horizon: SimTime) -> Result<bool, M::Error> {
        let mut kernel = self.shared.kernel.borrow_mut();
        match kernel.advance(horizon) {
            Some(Fired::Event(event)) => self.shared.model.borrow_mut().handle(event, &mut kernel)?,
            Some(Fired::Wake(waker)) => waker.wake(),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Has the processes that were woken go on until all wait.
    fn run_processes(&mut self) -> Result<(), M::Error> {
        if self.shared.executor.has_woken() {
            self.shared.executor.run_woken();
            if let Some(error) = self.shared.failure.borrow_mut().take() {
                return Err(error);
            }
        }
        Ok(())
    }

    fn run_to(&mut self, horizon: SimTime) -> Result<(), M::Error> {
        loop {
            self.run_processes()?;
            if !self.run_events(horizon)? {
                return Ok(());
            }
        }
    }

    /// Handles events until a process is to run (true) or nothing is left before the horizon (false).
    fn run_events(&mut self, horizon: SimTime) -> Result<bool, M::Error> {
        let mut kernel = self.shared.kernel.borrow_mut();
        let mut model = self.shared.model.borrow_mut();
        while !self.shared.executor.has_woken() {
            match kernel.advance(horizon) {
                Some(Fired::Event(event)) => model.handle(event, &mut kernel)?,
                Some(Fired::Wake(waker)) => waker.wake(),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl<M: Model> Drop for Simulation<M> {
    fn drop(&mut self) {
        self.shared.executor.shut_down();
    }
}

impl<M: Model> std::fmt::Debug for Simulation<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulation at {} s", self.now())
    }
}
