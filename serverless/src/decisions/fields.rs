//! The records that policies are shown, field by field: as they are written, and as they are read again.

use hearth_policy_api::{
    ContainerChange, ContainerEvent, ContainerView, Creation, DelayedStart, End, Ending, EvictionItem, FunctionHistory,
    Need, NodeState, NodeView, PendingView, PoolNodeView, Records, Removal, RequestView, ScaleCause, ScaleView, Start,
    Touch,
};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

/// What stands in a field. The greatest whole number of a type, which stands for none, never or no limit, is written as `null`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Field {
    Whole(Option<u64>),
    Number(f64),
    Word(&'static str),
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => number.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Word(word) => word.serialize(serializer),
        }
    }
}

/// A type that fields are of.
pub(crate) trait FieldType: Sized {
    fn write(self) -> Field;
    /// Nothing where it is another type's.
    fn read(value: &Value) -> Option<Self>;
}

macro_rules! whole {
    ($($type:ident),*) => {$(
        impl FieldType for $type {
            fn write(self) -> Field {
                Field::Whole((self != Self::MAX).then_some(self.into()))
            }
            fn read(value: &Value) -> Option<Self> {
                if value.is_null() { Some(Self::MAX) } else { value.as_u64()?.try_into().ok() }
            }
        }
    )*};
}

whole!(u32, u64);

impl FieldType for f64 {
    fn write(self) -> Field {
        Field::Number(self)
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* })*) => {$(
        impl FieldType for $type {
            fn write(self) -> Field {
                Field::Word(match self { $(Self::$variant => $word),* })
            }
            fn read(value: &Value) -> Option<Self> {
                match value.as_str()? { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

words! {
    Start { None = "none", Cold = "cold", Warm = "warm" }
    Ending {
        Completed = "completed", Failed = "failed", TimedOut = "timed_out", Crashed = "crashed", Lost = "lost", Stopped = "stopped",
        Rejected = "rejected", Requeued = "requeued"
    }
    ContainerChange {
        Starting = "starting", StartingAhead = "starting_ahead", Up = "up", Idle = "idle", Taken = "taken", NotKept = "not_kept",
        Expired = "expired", Evicted = "evicted", Ended = "ended", Crashed = "crashed", Lost = "lost", Stopped = "stopped"
    }
    ScaleCause { Tick = "tick", Request = "request" }
    NodeState { Off = "off", Booting = "booting", Up = "up", Draining = "draining", Failed = "failed" }
    Touch { Use = "use", Load = "load" }
    Removal { Evicted = "evicted", Taken = "taken", Ended = "ended" }
    Creation { Invocation = "invocation", Prewarming = "prewarming" }
}

/// A record whose fields are numbers and words.
pub(crate) trait Flat: Sized + Default {
    /// The names of its fields, without its size.
    const NAMES: &'static [&'static str];

    /// The field in a position.
    fn field(&self, position: usize) -> Field;

    /// Sets the field in a position; nothing where the value is another type's.
    fn set(&mut self, position: usize, value: &Value) -> Option<()>;
}

macro_rules! flat {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Flat for $type {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            #[inline]
            fn field(&self, position: usize) -> Field {
                // Does not compile when a field is missing.
                let Self { size: _, $($field),* } = *self;
                let mut at = 0;
                $(
                    if position == at {
                        return $field.write();
                    }
                    at += 1;
                )*
                let _ = at;
                Field::Whole(None)
            }

            fn set(&mut self, position: usize, value: &Value) -> Option<()> {
                match Self::NAMES.get(position).copied().unwrap_or_default() {
                    $(stringify!($field) => self.$field = FieldType::read(value)?,)*
                    _ => {}
                }
                Some(())
            }
        }
    )*};
}

flat! {
    NodeView {
        cores, free_cores, running, idle_containers, queued, speed, ram, free_ram, idle_ram, unused_image_ram, disk, free_disk,
        idle_disk, unused_image_disk
    }
    RequestView {
        attempt, invocation, function, image, task, workflow, run, requested_at, submitted_at, deadline, time_limit, ram_limit,
        disk_limit, startup_overhead, key
    }
    FunctionHistory {
        busy, idle, starting, waiting, waiting_since, arrivals, last_arrival, completed, runs, mean_run_time, recent_run_time,
        cold_starts, mean_start_time
    }
    ContainerView { container, function, state, invocation, attempt, created, since, expires, ram, disk }
    End {
        attempt, now, invocation, function, node, container, start, ending, idle_of_function, started_at, run_time, ram, key
    }
    DelayedStart { attempt, now, invocation, function, node, container, key }
    ContainerEvent { change, now, node, container, function, ram, disk }
    EvictionItem { id, function, ram, disk, cost, since, expires }
    Need { now, ram, disk }
    ScaleView {
        function, now, concurrency, min_scale, max_scale, ready, starting, stopping, wanted, cause, waiting, running, waiting_since,
        arrivals, last_arrival, in_flight_seconds, running_seconds
    }
    PoolNodeView { node, state, running, since, ram, used_ram, idle_ram, processors, used_processors }
    PendingView { function, count, since, ram, disk, processors }
}

/// One record: its fields by name.
pub(crate) struct One<'a, T>(pub &'a T);

impl<T: Flat> Serialize for One<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(T::NAMES.len()))?;
        for (position, name) in T::NAMES.iter().enumerate() {
            map.serialize_entry(name, &self.0.field(position))?;
        }
        map.end()
    }
}

/// Several records by column: under the name of each field those of all of them.
pub(crate) struct All<'a, T>(pub Records<'a, T>);

struct Column<'a, T>(Records<'a, T>, usize);

impl<T: Flat> Serialize for Column<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_seq(Some(self.0.len()))?;
        self.0.iter().try_for_each(|record| fields.serialize_element(&record.field(self.1)))?;
        fields.end()
    }
}

impl<T: Flat> Serialize for All<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            return serializer.serialize_map(Some(0))?.end();
        }
        let mut map = serializer.serialize_map(Some(T::NAMES.len()))?;
        for (position, name) in T::NAMES.iter().enumerate() {
            map.serialize_entry(name, &Column(self.0, position))?;
        }
        map.end()
    }
}

/// A record that was written so; what is missing in it is as it is by default. An error says which field is wrong.
pub(crate) fn one<T: Flat>(map: &Map<String, Value>) -> Result<T, String> {
    let mut record = T::default();
    for (position, name) in T::NAMES.iter().enumerate() {
        let value = map.get(*name).ok_or_else(|| format!("{name} is missing"))?;
        record.set(position, value).ok_or_else(|| format!("{name} is {value}, which it cannot be"))?;
    }
    Ok(record)
}

/// Records that were written so.
pub(crate) fn all<T: Flat>(map: &Map<String, Value>) -> Result<Vec<T>, String> {
    let mut records: Vec<T> = Vec::new();
    if map.is_empty() {
        return Ok(records);
    }
    for (position, name) in T::NAMES.iter().enumerate() {
        let column = map.get(*name).and_then(Value::as_array).ok_or_else(|| format!("{name} is missing"))?;
        if position == 0 {
            records.resize_with(column.len(), T::default);
        } else if column.len() != records.len() {
            return Err(format!("{name} has {} values, expected {}", column.len(), records.len()));
        }
        for (record, value) in records.iter_mut().zip(column) {
            record.set(position, value).ok_or_else(|| format!("{name} has {value}, which it cannot have"))?;
        }
    }
    Ok(records)
}
