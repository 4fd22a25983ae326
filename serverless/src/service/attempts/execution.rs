//! The execution of a body that does more than let time pass, and what it saves for a later attempt.

use std::rc::Rc;

use hearth_simcore::kernel::ActivityId;
use hearth_simcore::process::Process;
use hearth_simcore::queue::EventHandle;
use hearth_simcore::time::SimTime;

use crate::function::call::{FunctionError, Output};

/// How far a body is.
#[derive(Debug, Default)]
pub(crate) struct Execution {
    /// The position of the current step.
    pub step: usize,
    pub time_limit: Option<EventHandle>,
    pub process: Option<Process<()>>,
    /// What the current step computes on shared processors.
    pub computation: Option<ActivityId>,
    pub storage: PrivateStorage,
    /// Bytes brought in from the registry so far.
    pub ingress: u64,
    /// Bytes sent to the registry so far.
    pub egress: u64,
    /// Transfers of data that the body cannot begin without.
    pub inputs_under_way: u32,
    /// When all of it was there.
    pub ready_at: Option<SimTime>,
    /// How often the node had been down when the body began.
    pub outages: u32,
    /// What the closure returned.
    pub result: Option<Result<Output, FunctionError>>,
}

impl Execution {
    /// What it saves at a checkpoint: `step` is the position of the step after it, `bytes` the size of its state.
    pub fn save(&self, step: usize, bytes: u64) -> Checkpoint {
        Checkpoint { step, bytes, storage: self.storage.clone(), ingress: self.ingress, egress: self.egress }
    }

    /// Goes on from a checkpoint.
    pub fn resume(&mut self, from: Checkpoint) {
        (self.step, self.storage, self.ingress, self.egress) = (from.step, from.storage, from.ingress, from.egress);
    }
}

/// What a body has saved.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    /// The position of the step after it.
    pub step: usize,
    /// Bytes of state in the registry.
    pub bytes: u64,
    storage: PrivateStorage,
    ingress: u64,
    egress: u64,
}

/// The files of an invocation in its container.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrivateStorage {
    /// Few files each: searched from the front.
    files: Vec<(Rc<str>, u64)>,
    pub used: u64,
}

impl PrivateStorage {
    pub fn size_of(&self, file: &str) -> Option<u64> {
        self.files.iter().find(|(name, _)| **name == *file).map(|(_, size)| *size)
    }

    /// What the storage would hold with the file written, in place of one of that name.
    pub fn used_with(&self, file: &str, size: u64) -> u64 {
        (self.used - self.size_of(file).unwrap_or(0)).saturating_add(size)
    }

    pub fn put(&mut self, file: Rc<str>, size: u64) {
        self.used = self.used_with(&file, size);
        match self.files.iter_mut().find(|(name, _)| *name == file) {
            Some((_, held)) => *held = size,
            None => self.files.push((file, size)),
        }
    }
}
