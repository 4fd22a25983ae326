//! The function manager: how controllers define, register, invoke and wait.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use hearth_simcore::process::Context;
use hearth_simcore::time::SimDuration;

use crate::error::Error;
use crate::function::call::{Call, FunctionError, Input, Output};
use crate::function::{Body, Function, FunctionId, Image, ImageId, Limits};
use crate::invocation::{Invocation, Watched};
use crate::service::ServerlessComputeService;
use crate::service::event::{Event, Happening, Message, ServiceModel};

/// A function that has not been registered.
#[derive(Clone, Debug)]
pub struct UnregisteredFunction {
    name: String,
    image: Option<ImageId>,
    body: Body,
}

/// Defines, registers and invokes functions on a service, from a process of the simulation.
///
/// ```
/// use hearth_serverless::prelude::*;
///
/// let disk = DiskSpec::new(500 * GB, 100e6, 100e6);
/// let platform = PlatformBuilder::new()
///     .host("user", HostSpec::new(1, 10e9).disk(disk.clone()))
///     .host("head", HostSpec::new(1, 10e9).disk(disk.clone()))
///     .group("node", 2, HostSpec::new(10, 50e9).ram(64 * GB).disk(disk))
///     .link("wan", 20e6, 20e-6)
///     .link("lan", 12.5e9, 1e-9)
///     .route("user", "head", &["wan"])
///     .route("head", "node-*", &["lan"])
///     .build()?;
/// let mut simulation = Simulation::new(platform, 42);
/// let service = ServerlessComputeService::builder("head")
///     .registry("user")
///     .nodes(&["node-*"])
///     .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN))?)
///     .start(&mut simulation)?;
/// simulation.spawn_on("user", async move |context| {
///     let manager = FunctionManager::new(&context, &service);
///     let image = manager.create_image("thumbnailer", 250 * MB, 120 * MB)?;
///     let resize = manager.create_function("resize", &image, async |call: Call| {
///         call.storage().write("out.png", 10 * MB).await?;
///         call.compute(5.0 * GFLOP).await;
///         Ok(Output::default())
///     });
///     let limits = Limits { time: secs(60), ram: 200 * MB, disk: 500 * MB, ..Limits::default() };
///     let resize = manager.register(resize, limits).await?;
///     let invocation = manager.invoke(&resize, Input::default()).await?;
///     manager.wait_one(&invocation).await;
///     assert_eq!(invocation.state(), InvocationState::Completed);
///     Ok(())
/// })?;
/// simulation.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FunctionManager {
    context: Context<ServiceModel>,
}

impl FunctionManager {
    /// A manager of a process, for the service of its simulation: who has its handle has started it.
    pub fn new(context: &Context<ServiceModel>, _service: &ServerlessComputeService) -> Self {
        Self { context: context.clone() }
    }

    fn with_service<T>(&self, work: impl FnOnce(&mut crate::service::Service) -> T) -> T {
        self.context.with_model(|model, _| work(model.service()))
    }

    /// Adds an image of `size` bytes to the registry, which takes `ram_footprint` bytes once it is loaded.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn create_image(&self, name: &str, size: u64, ram_footprint: u64) -> Result<ImageId, Error> {
        self.with_service(|service| service.add_image(Image { name: name.to_owned(), size, ram_footprint }))
    }

    /// Adds a file of `size` bytes to the registry.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn create_file(&self, name: &str, size: u64) -> Result<(), Error> {
        self.with_service(|service| service.add_file(name, size))
    }

    /// Defines a function as an `async` closure.
    pub fn create_function<F>(&self, name: &str, image: &ImageId, body: F) -> UnregisteredFunction
    where
        F: AsyncFn(Call) -> Result<Output, FunctionError> + 'static,
    {
        UnregisteredFunction { name: name.to_owned(), image: Some(*image), body: Body::closure(body) }
    }

    /// Defines a function by its body, with or without an image.
    pub fn define(&self, name: &str, image: Option<ImageId>, body: Body) -> UnregisteredFunction {
        UnregisteredFunction { name: name.to_owned(), image, body }
    }

    /// Registers a function with what its invocations may use.
    ///
    /// # Errors
    /// When there is one of that name, or no node could ever run it.
    pub async fn register(&self, function: UnregisteredFunction, limits: Limits) -> Result<FunctionId, Error> {
        let UnregisteredFunction { name, image, body } = function;
        self.with_service(|service| service.register(Function { name, image, limits, startup_overhead: None, body }))
    }

    /// Asks for an invocation, and waits until the head has processed the request.
    ///
    /// # Errors
    /// When the function is not of this service.
    pub async fn invoke(&self, function: &FunctionId, input: Input) -> Result<Invocation, Error> {
        let watched = self.context.with_model(|model, kernel| {
            let service = model.service();
            if service.registry().functions().find(*function).is_none() {
                return Err(Error::ForeignFunction(*function));
            }
            let (key, watched) = service.request_watched(*function, input, kernel.now());
            let request = Event(Happening::Message(Message::Request(key)));
            kernel.schedule(SimDuration::ZERO, request);
            Ok(watched)
        })?;
        until(&watched, |watched| watched.history.len() > 1).await;
        Ok(Invocation { watched })
    }

    /// Whether an invocation has ended.
    pub fn is_done(&self, invocation: &Invocation) -> bool {
        invocation.is_done()
    }

    /// Waits until an invocation has ended, well or not.
    pub async fn wait_one(&self, invocation: &Invocation) {
        until(&invocation.watched, |watched| watched.done).await;
    }

    /// Waits until all of several invocations have ended.
    pub async fn wait_all<'a>(&self, invocations: impl IntoIterator<Item = &'a Invocation>) {
        for invocation in invocations {
            self.wait_one(invocation).await;
        }
    }

    /// Waits until one of several invocations has ended, and gives the position of the first in the list that has.
    /// `None` if the list is empty.
    pub async fn wait_any(&self, invocations: &[Invocation]) -> Option<usize> {
        if invocations.is_empty() {
            return None;
        }
        let waits = invocations.iter().map(|invocation| self.wait_one(invocation));
        Some(hearth_simcore::process::race_all(waits).await.0)
    }
}

/// Waits until something holds of an invocation.
async fn until(watched: &Rc<RefCell<Watched>>, holds: impl Fn(&Watched) -> bool) {
    std::future::poll_fn(|task| {
        let mut watched = watched.borrow_mut();
        if holds(&watched) {
            return Poll::Ready(());
        }
        if !watched.waiters.iter().any(|waiter| waiter.will_wake(task.waker())) {
            watched.waiters.push(task.waker().clone());
        }
        Poll::Pending
    })
    .await;
}
