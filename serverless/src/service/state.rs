//! Everything a service holds.

use std::cell::RefCell;
use std::rc::Rc;

use hearth_policy_api::boundary::{AdmissionObject, KeepAliveObject, NodeAllocationObject};
use hearth_policy_api::{AllocationRules, NONE, RequestView};
use hearth_simcore::platform::HostId;
use hearth_simcore::process::WeakContext;
use hearth_simcore::queue::LaneId;
use hearth_simcore::time::{SimDuration, SimTime};
use rustc_hash::{FxHashMap, FxHashSet};

use super::attempts::{Attempts, Caller, Counts, InvocationKey, LiveInvocation, Waiting};
use super::backfilling::{Backfilling, ExpectedEnds};
use super::event::ServiceModel;
use super::faults::Faults;
use super::head::Head;
use super::images::HeadImages;
use super::links::LinkChanges;
use super::prewarming::Prewarmings;
use super::recovering::Recovering;
use super::replication::Replication;
use super::retrying::Retries;
use super::scheduling::Plan;
use crate::call::Input;
use crate::cluster::{Cluster, ContainerSpec};
use crate::error::Error;
use crate::fault::HedgePolicy;
use crate::function::{Body, Function, FunctionId, Image, ImageId, Limits};
use crate::invocation::{InvocationRecord, InvocationState, Watched};
use crate::ledger::Ledger;
use crate::metrics::FunctionMetrics;
use crate::node::{Footprint, NodeId};
use crate::policy::{Hosted, PolicySet, Watch};
use crate::results::Standing;
use crate::table::Table;
use crate::workflow::Workflows;
use crate::workload::Workload;

/// Times and choices of a service that are not policies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub startup_overhead: SimDuration,
    pub processing_overhead: SimDuration,
    pub reuse_most_recent: bool,
    pub backfilling: Backfilling,
}

/// What policies want to be asked and told beyond what every policy of their kind is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hears {
    /// Admission lets everybody in and need not be asked.
    pub admission_of_nobody: bool,
    pub admission_of_completions: bool,
    pub allocation_of_completions: bool,
    pub keep_alive_of_arrivals: bool,
}

/// A function that a service has accepted.
#[derive(Debug)]
pub(crate) struct RegisteredFunction {
    pub id: FunctionId,
    pub image: Option<ImageId>,
    pub limits: Limits,
    pub startup_overhead: SimDuration,
    pub body: Body,
    /// The last round in which the policy let it wait.
    pub told_to_wait_in: u64,
}

impl RegisteredFunction {
    /// What each of its containers reserves.
    pub fn footprint(&self) -> Footprint {
        Footprint { ram: self.limits.ram, disk: self.limits.disk }
    }

    /// An invocation of it as policies see it.
    pub fn request(&self, live: &LiveInvocation) -> RequestView {
        RequestView {
            invocation: live.record.invocation,
            function: self.id.0,
            image: self.image.map_or(NONE, |image| image.0),
            requested_at: live.record.requested_at.map_or(0, SimTime::as_nanos),
            submitted_at: live.record.submitted_at.map_or(0, SimTime::as_nanos),
            time_limit: self.limits.time.as_nanos(),
            ram_limit: self.limits.ram,
            disk_limit: self.limits.disk,
            startup_overhead: self.startup_overhead.as_nanos(),
        }
    }
}

/// The state of a service.
#[derive(Debug)]
pub(crate) struct Service {
    pub settings: Settings,
    pub head: Head,
    /// The host whose disk holds the remote images and files.
    pub registry: HostId,
    pub images: Table<ImageId, Image>,
    /// Sizes of the registry's files, looked up by name.
    pub files: FxHashMap<String, u64>,
    pub functions: Table<FunctionId, RegisteredFunction>,
    pub function_names: FxHashSet<String>,
    pub cluster: Cluster,
    pub head_images: HeadImages,
    pub attempts: Attempts,
    pub plan: Plan,
    /// When those that run will have ended, where a place is kept for the first in the queue.
    pub expected_ends: Option<Box<ExpectedEnds>>,
    /// The round that follows a message has been done while it was handled.
    pub round_done: bool,
    /// Where an image could not move that somebody bound there waits for.
    pub stalled_sites: Vec<(NodeId, ImageId)>,
    pub policies: PolicySet,
    pub admission: Hosted<AdmissionObject>,
    pub node_allocation: Hosted<NodeAllocationObject>,
    pub keep_alive: Hosted<KeepAliveObject>,
    pub rules: AllocationRules,
    pub hears: Hears,
    pub prewarmings: Prewarmings,
    pub faults: Faults,
    pub recovering: Vec<Recovering>,
    pub link_changes: LinkChanges,
    pub retries: Option<Retries>,
    pub hedge: Option<HedgePolicy>,
    pub replication: Option<Replication>,
    pub workflows: Workflows,
    pub watch: Rc<Watch>,
    /// A lane of timers for each keep-alive time.
    pub keep_alive_lanes: Vec<(SimDuration, LaneId)>,
    pub workload: Workload,
    pub books: Ledger,
    pub context: WeakContext<ServiceModel>,
    /// The failure of every invocation that timed out.
    pub timed_out: Rc<str>,
}

impl Service {
    /// Whether an invocation may take several attempts.
    pub fn has_attempts(&self) -> bool {
        self.retries.is_some() || self.hedge.is_some()
    }

    /// Time has come to a date at which something happens.
    pub fn note_time(&mut self, now: SimTime) {
        let Counts { waiting: queued, running } = self.attempts.counts();
        let books = &mut *self.books;
        if let Some(series) = books.series.as_mut().filter(|series| now >= series.next) {
            series.advance(now, Standing::of(&books.metrics, running, queued));
        }
    }

    /// Enters an invocation that its controller requests at `date`.
    pub fn request(&mut self, number: u64, function: FunctionId, body: Option<Body>, date: SimTime) -> InvocationKey {
        let mut record = InvocationRecord::new(number, function);
        record.requested_at = Some(date);
        if let Some(recorder) = &mut self.books.recorder {
            recorder.requested(date, number);
        }
        self.books.metrics.note_request(date);
        self.watch.count_request();
        self.attempts.request(record, body)
    }

    /// The same for a controller that watches the invocation.
    pub fn request_watched(
        &mut self,
        function: FunctionId,
        input: Input,
        date: SimTime,
    ) -> (InvocationKey, Rc<RefCell<Watched>>) {
        let number = self.workload.take_numbers(1);
        let key = self.request(number, function, None, date);
        let watched = Rc::new(RefCell::new(Watched {
            number,
            history: vec![(InvocationState::Requested, date)],
            failure: None,
            output: None,
            done: false,
            waiters: Vec::new(),
        }));
        if let Some(live) = self.attempts.get_mut(key) {
            live.caller = Some(Box::new(Caller { input, watched: Rc::clone(&watched) }));
        }
        (key, watched)
    }

    /// The entry in the queue of an invocation that is alive.
    pub fn waiting(&self, key: InvocationKey) -> Option<Waiting> {
        let live = self.attempts.get(key)?;
        let request = self.functions[live.record.function].request(live);
        Some(Waiting { turn: live.turn(), ..Waiting::new(key, request) })
    }

    pub fn add_image(&mut self, image: Image) -> Result<ImageId, Error> {
        if self.images.iter().any(|other| other.name == image.name) {
            return Err(Error::DuplicateName { what: "image", name: image.name });
        }
        self.cluster.add_image(&image);
        self.head_images.add_image();
        self.attempts.add_image();
        Ok(self.images.push(image))
    }

    pub fn add_file(&mut self, name: &str, size: u64) -> Result<(), Error> {
        match self.files.insert(name.to_owned(), size) {
            None => Ok(()),
            Some(_) => Err(Error::DuplicateName { what: "file", name: name.to_owned() }),
        }
    }

    pub fn register(&mut self, function: Function) -> Result<FunctionId, Error> {
        if self.function_names.contains(&function.name) {
            return Err(Error::DuplicateName { what: "function", name: function.name });
        }
        let id = FunctionId(self.functions.len() as u32);
        let Function { name, image, limits, startup_overhead, body } = function;
        if image.is_some_and(|image| self.images.find(image).is_none()) {
            return Err(Error::ForeignImage(name));
        }
        self.check_fit(&name, image, &limits)?;
        let startup_overhead = startup_overhead.unwrap_or(self.settings.startup_overhead);
        self.function_names.insert(name);
        self.functions.push(RegisteredFunction { id, image, limits, startup_overhead, body, told_to_wait_in: 0 });
        let footprint = Footprint { ram: limits.ram, disk: limits.disk };
        self.attempts.add_function();
        self.cluster.add_function(ContainerSpec { footprint, image, startup_overhead });
        let deadline = limits.deadline.unwrap_or(SimDuration::MAX);
        self.books.metrics.functions.push(FunctionMetrics { deadline, ..FunctionMetrics::default() });
        Ok(id)
    }

    /// Refuses a function that no node could ever run (the timing model, section 3).
    fn check_fit(&self, function: &str, image: Option<ImageId>, limits: &Limits) -> Result<(), Error> {
        let refuse = |reason| Error::Registration { function: function.to_owned(), reason };
        let (mut ram, mut disk) = (limits.ram, limits.disk);
        if let Some(image) = image.and_then(|image| self.images.find(image)) {
            ram = ram.saturating_add(image.ram_footprint);
            disk = disk.saturating_add(image.size);
            if let Some(capacity) = self.head_images.capacity()
                && image.size > capacity
            {
                let (name, size) = (&image.name, image.size);
                return Err(refuse(format!("image {name:?} is {size} B, the head's disk holds {capacity} B")));
            }
        }
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
