//! What has been registered with the service: images, files and functions.

use hearth_policy_api::{NONE, RequestView};
use hearth_simcore::platform::HostId;
use hearth_simcore::time::{SimDuration, SimTime};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Service;
use super::attempts::Attempt;
use crate::cluster::ContainerSpec;
use crate::error::Error;
use crate::function::{Body, Function, FunctionId, Image, ImageId, Limits, MILLIONTHS};
use crate::node::Footprint;
use crate::table::Table;
use crate::workflow::TaskOfRun;

/// What is registered, and where.
#[derive(Debug)]
pub(crate) struct Registry {
    /// The host whose disk holds the remote images and files.
    host: HostId,
    images: Table<ImageId, Image>,
    /// Sizes of the files, looked up by name.
    files: FxHashMap<String, u64>,
    functions: Table<FunctionId, RegisteredFunction>,
    function_names: FxHashSet<String>,
}

impl Registry {
    /// An empty one on a host.
    pub fn new(host: HostId) -> Self {
        let (images, functions) = (Table::default(), Table::default());
        Self { host, images, files: FxHashMap::default(), functions, function_names: FxHashSet::default() }
    }

    /// Where the remote images and files are.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// The images.
    pub fn images(&self) -> &Table<ImageId, Image> {
        &self.images
    }

    /// The functions.
    pub fn functions(&self) -> &Table<FunctionId, RegisteredFunction> {
        &self.functions
    }

    /// A function.
    #[inline]
    pub fn function(&self, function: FunctionId) -> &RegisteredFunction {
        &self.functions[function]
    }

    /// An image.
    pub fn image(&self, image: ImageId) -> &Image {
        &self.images[image]
    }

    /// The bytes of a file, if there is one of that name.
    pub fn file_size(&self, file: &str) -> Option<u64> {
        self.files.get(file).copied()
    }
}

/// A function that a service has accepted.
#[derive(Debug)]
pub(crate) struct RegisteredFunction {
    pub id: FunctionId,
    pub image: Option<ImageId>,
    pub limits: Limits,
    pub startup_overhead: SimDuration,
    pub body: Body,
}

impl RegisteredFunction {
    /// What each of its containers reserves.
    pub fn footprint(&self) -> Footprint {
        footprint_of(&self.limits)
    }

    /// An attempt at it as policies see it; `part` says of which workflow it is a task.
    #[inline]
    pub fn request(&self, attempt: &Attempt, part: Option<TaskOfRun>) -> RequestView {
        let requested = attempt.record.requested_at.map_or(0, SimTime::as_nanos);
        let deadline = self.limits.deadline;
        RequestView {
            invocation: attempt.record.invocation,
            attempt: attempt.number(),
            function: self.id.0,
            image: self.image.map_or(NONE, |image| image.0),
            task: part.map_or(NONE, |part| part.task),
            workflow: part.map_or(NONE, |part| part.workflow.number()),
            run: part.map_or(u64::MAX, |part| part.run),
            requested_at: requested,
            submitted_at: attempt.record.submitted_at.map_or(0, SimTime::as_nanos),
            deadline: deadline.map_or(u64::MAX, |deadline| requested.saturating_add(deadline.as_nanos())),
            time_limit: self.limits.time.as_nanos(),
            ram_limit: self.limits.ram,
            disk_limit: self.limits.disk,
            startup_overhead: self.startup_overhead.as_nanos(),
            ..RequestView::default()
        }
    }
}

/// What each container of a function with these limits reserves.
fn footprint_of(limits: &Limits) -> Footprint {
    let processors = limits.processors.map_or(0, |processors| processors.reserved());
    Footprint { ram: limits.ram, disk: limits.disk, processors }
}

impl Service {
    pub fn add_image(&mut self, image: Image) -> Result<ImageId, Error> {
        if self.registry.images.iter().any(|other| other.name == image.name) {
            return Err(Error::DuplicateName { what: "image", name: image.name });
        }
        self.cluster.add_image(&image);
        self.head.images.add_image();
        self.attempts.add_image();
        Ok(self.registry.images.push(image))
    }

    pub fn add_file(&mut self, name: &str, size: u64) -> Result<(), Error> {
        match self.registry.files.insert(name.to_owned(), size) {
            None => Ok(()),
            Some(_) => Err(Error::DuplicateName { what: "file", name: name.to_owned() }),
        }
    }

    pub fn register(&mut self, function: Function) -> Result<FunctionId, Error> {
        if self.registry.function_names.contains(&function.name) {
            return Err(Error::DuplicateName { what: "function", name: function.name });
        }
        let id = FunctionId(self.registry.functions.len() as u32);
        let Function { name, image, limits, startup_overhead, body } = function;
        if image.is_some_and(|image| self.registry.images.find(image).is_none()) {
            return Err(Error::ForeignImage(name));
        }
        self.check_fit(&name, image, &limits)?;
        let startup_overhead = startup_overhead.unwrap_or(self.settings.startup_overhead);
        self.registry.function_names.insert(name);
        self.registry.functions.push(RegisteredFunction { id, image, limits, startup_overhead, body });
        let footprint = footprint_of(&limits);
        self.attempts.add_function();
        self.let_in.add_function();
        self.rounds.add_function();
        let processors = limits.processors.unwrap_or_default();
        self.cluster.add_function(ContainerSpec {
            footprint,
            idle_ram: footprint.ram,
            image,
            startup_overhead,
            processors,
        });
        let deadline = limits.deadline.unwrap_or(SimDuration::MAX);
        self.books.folding.add_function(deadline);
        Ok(id)
    }

    /// What is wrong with what a function wants of processors.
    fn check_processors(&self, limits: &Limits) -> Result<(), String> {
        let Some(processors) = limits.processors else { return Ok(()) };
        if !self.cluster.shares_processors() {
            return Err("it says what its containers have of processors, which are dedicated: share them".to_owned());
        }
        if let Some(mistake) = processors.mistake() {
            return Err(mistake.to_owned());
        }
        let most = self.cluster.nodes().iter().map(|node| node.cores).max().unwrap_or(0);
        let request = processors.request;
        let fits = processors.reserved() as f64 <= f64::from(most) * MILLIONTHS;
        let refusal =
            || format!("its processors request {request} cores of one node; the most that nodes have is {most}");
        if fits { Ok(()) } else { Err(refusal()) }
    }

    /// Refuses a function that no node could ever run (the timing model, section 3).
    fn check_fit(&self, function: &str, image: Option<ImageId>, limits: &Limits) -> Result<(), Error> {
        let refuse = |reason| Error::Registration { function: function.to_owned(), reason };
        let (mut ram, mut disk) = (limits.ram, limits.disk);
        if let Some(image) = image.and_then(|image| self.registry.images.find(image)) {
            ram = ram.saturating_add(image.ram_footprint);
            disk = disk.saturating_add(image.size);
            if let Some(capacity) = self.head.images.capacity()
                && image.size > capacity
            {
                let (name, size) = (&image.name, image.size);
                return Err(refuse(format!("image {name:?} is {size} B, the head's disk holds {capacity} B")));
            }
        }
        self.check_processors(limits).map_err(refuse)?;
        let fits = |node: &crate::node::Node| ram <= node.ram_capacity && disk <= node.disk_capacity;
        if self.cluster.nodes().iter().any(fits) {
            return Ok(());
        }
        let largest_ram = self.cluster.nodes().iter().map(|node| node.ram_capacity).max().unwrap_or(0);
        let largest_disk = self.cluster.nodes().iter().map(|node| node.disk_capacity).max().unwrap_or(0);
        Err(refuse(format!(
            "image and limits need {ram} B of RAM and {disk} B of disk on one node; the most that nodes have is \
             {largest_ram} B of RAM and {largest_disk} B of disk"
        )))
    }
}
