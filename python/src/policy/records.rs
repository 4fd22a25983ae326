//! What policies in Python are shown that is small: copies, which may be kept. Times are in seconds.

use hearth_policy_api::{
    ContainerEvent, ContainerView, DelayedStart, End, EvictionItem, FunctionHistory, NONE, Need, NodeView, PendingView,
    PoolNodeView, RequestView, ScaleView,
};
use pyo3::prelude::*;

/// Seconds, as Python takes them.
pub fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// Seconds of a date that may never come: then infinity.
fn or_never(nanos: u64) -> f64 {
    if nanos == u64::MAX { f64::INFINITY } else { seconds(nanos) }
}

/// Seconds of a date that there may not be.
fn or_none(nanos: u64) -> Option<f64> {
    (nanos != u64::MAX).then(|| seconds(nanos))
}

/// A number that there may not be.
fn number(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

/// A number that there may not be.
fn long_number(number: u64) -> Option<u64> {
    (number != u64::MAX).then_some(number)
}

/// How many at the most, if there is a limit.
fn limit(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

fn as_is<T>(value: T) -> T {
    value
}

/// The word for one of a few things, as `snake_case`.
fn word(value: impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{value:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

macro_rules! record {
    ($(#[$doc:meta])* $name:ident of $record:ty, as $shown:literal { $($field:ident: $kind:ident -> $type:ty,)+ } $($more:item)*) => {
        $(#[$doc])*
        #[pyclass(module = "hearth._hearth", name = $shown)]
        pub struct $name(pub $record);

        #[pymethods]
        impl $name {
            $(
                #[getter]
                fn $field(&self) -> $type {
                    $kind(self.0.$field)
                }
            )+

            fn __repr__(&self) -> String {
                let fields = [$(format!("{}={:?}", stringify!($field), $kind(self.0.$field))),+];
                format!("{}({})", $shown, fields.join(", "))
            }

            /// The names of what it says.
            #[classattr]
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];

            $($more)*
        }
    };
}

record! {
    /// One waiting request.
    Request of RequestView, as "Request" {
        attempt: as_is -> u32,
        invocation: as_is -> u64,
        function: as_is -> u32,
        image: number -> Option<u32>,
        task: number -> Option<u32>,
        workflow: number -> Option<u32>,
        run: long_number -> Option<u64>,
        requested_at: seconds -> f64,
        submitted_at: seconds -> f64,
        deadline: or_never -> f64,
        time_limit: seconds -> f64,
        ram_limit: as_is -> u64,
        disk_limit: as_is -> u64,
        startup_overhead: seconds -> f64,
        key: as_is -> u64,
    }
}

record! {
    /// A node.
    Node of NodeView, as "Node" {
        cores: as_is -> u32,
        free_cores: as_is -> u32,
        running: as_is -> u32,
        idle_containers: as_is -> u32,
        queued: as_is -> u32,
        speed: as_is -> f64,
        ram: as_is -> u64,
        free_ram: as_is -> u64,
        idle_ram: as_is -> u64,
        unused_image_ram: as_is -> u64,
        disk: as_is -> u64,
        free_disk: as_is -> u64,
        idle_disk: as_is -> u64,
        unused_image_disk: as_is -> u64,
    }

    /// Whether a new container of the request has room now, without any eviction.
    fn has_room(&self, request: &Request) -> bool {
        self.0.has_room(&request.0)
    }

    /// Whether a new container of the request has room once idle containers and unused images are evicted.
    fn can_make_room(&self, request: &Request) -> bool {
        self.0.can_make_room(&request.0)
    }
}

record! {
    /// A container of a node.
    Container of ContainerView, as "Container" {
        container: as_is -> u32,
        function: as_is -> u32,
        invocation: long_number -> Option<u64>,
        attempt: as_is -> u32,
        created: seconds -> f64,
        since: seconds -> f64,
        expires: or_never -> f64,
        ram: as_is -> u64,
        disk: as_is -> u64,
    }

    /// Whether a request of its function can have it.
    #[getter]
    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    /// Whether an invocation runs in it, or a decision of this round has taken it.
    #[getter]
    fn is_busy(&self) -> bool {
        self.0.is_busy()
    }
}

record! {
    /// What has come of a function so far.
    History of FunctionHistory, as "History" {
        busy: as_is -> u32,
        idle: as_is -> u32,
        starting: as_is -> u32,
        waiting: as_is -> u64,
        waiting_since: or_none -> Option<f64>,
        arrivals: as_is -> u64,
        last_arrival: or_none -> Option<f64>,
        completed: as_is -> u64,
        runs: as_is -> u64,
        mean_run_time: seconds -> f64,
        recent_run_time: seconds -> f64,
        cold_starts: as_is -> u64,
        mean_start_time: seconds -> f64,
    }
}

record! {
    /// The end of an attempt.
    AttemptEnd of End, as "End" {
        attempt: as_is -> u32,
        now: seconds -> f64,
        invocation: as_is -> u64,
        function: as_is -> u32,
        node: number -> Option<u32>,
        container: number -> Option<u32>,
        start: word -> String,
        ending: word -> String,
        idle_of_function: as_is -> u32,
        started_at: or_none -> Option<f64>,
        run_time: seconds -> f64,
        ram: as_is -> u64,
        key: as_is -> u64,
    }
}

record! {
    /// What has become of a container.
    Change of ContainerEvent, as "ContainerEvent" {
        change: word -> String,
        now: seconds -> f64,
        node: as_is -> u32,
        container: as_is -> u32,
        function: as_is -> u32,
        ram: as_is -> u64,
        disk: as_is -> u64,
    }
}

record! {
    /// One that has waited for a container or a core has got it.
    Delayed of DelayedStart, as "DelayedStart" {
        attempt: as_is -> u32,
        now: seconds -> f64,
        invocation: as_is -> u64,
        function: as_is -> u32,
        node: as_is -> u32,
        container: number -> Option<u32>,
        key: as_is -> u64,
    }
}

record! {
    /// What may be evicted.
    Item of EvictionItem, as "Item" {
        id: as_is -> u32,
        function: number -> Option<u32>,
        ram: as_is -> u64,
        disk: as_is -> u64,
        cost: seconds -> f64,
        since: seconds -> f64,
        expires: or_never -> f64,
    }
}

record! {
    /// How much is to be freed.
    Needed of Need, as "Need" {
        now: seconds -> f64,
        ram: as_is -> u64,
        disk: as_is -> u64,
    }
}

record! {
    /// How it stands with the instances of a function.
    Instances of ScaleView, as "Instances" {
        function: as_is -> u32,
        now: seconds -> f64,
        concurrency: limit -> Option<u32>,
        min_scale: as_is -> u32,
        max_scale: limit -> Option<u32>,
        ready: as_is -> u32,
        starting: as_is -> u32,
        stopping: as_is -> u32,
        wanted: as_is -> u32,
        cause: word -> String,
        waiting: as_is -> u64,
        running: as_is -> u64,
        waiting_since: or_none -> Option<f64>,
        arrivals: as_is -> u64,
        last_arrival: or_none -> Option<f64>,
        in_flight_seconds: as_is -> f64,
        running_seconds: as_is -> f64,
    }
}

record! {
    /// A node of a pool.
    PoolNode of PoolNodeView, as "PoolNode" {
        node: as_is -> u32,
        state: word -> String,
        running: as_is -> u32,
        since: seconds -> f64,
        ram: as_is -> u64,
        used_ram: as_is -> u64,
        idle_ram: as_is -> u64,
        processors: as_is -> u64,
        used_processors: as_is -> u64,
    }
}

record! {
    /// Who waits for a node.
    Pending of PendingView, as "Pending" {
        function: number -> Option<u32>,
        count: as_is -> u64,
        since: seconds -> f64,
        ram: as_is -> u64,
        disk: as_is -> u64,
        processors: as_is -> u64,
    }
}
