//! A run on a thread of its own, and what comes of it.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use super::invocations::{InvocationSide, Matching, RunRow};
use super::{ComparedRun, DifferenceError};
use crate::decisions::{Decision, DecisionSink};
use crate::experiment::Experiment;
use crate::invocation::InvocationRecord;
use crate::results::{About, RecordSink, SinkError};

/// So much of one run waits for the other at the most.
const AHEAD: usize = 1024;

/// What a run is, when it begins.
pub(super) struct Begin {
    pub run: ComparedRun,
}

enum Item<E> {
    Failed(E),
    Begin(Box<Begin>),
    Decision(Box<Decision>),
    Row(RunRow),
    End(Option<String>),
}

/// What comes of a run.
pub(super) struct Feed<E> {
    items: Receiver<Item<E>>,
    calls: u64,
    /// Why it stopped, once it has ended.
    end: Option<Option<String>>,
    is_lost: bool,
}

/// Passes what comes on; who does not listen any more is left alone.
struct Speaker<E>(SyncSender<Item<E>>, Arc<AtomicBool>);

impl<E: 'static> DecisionSink for Speaker<E> {
    fn wants_more(&self) -> bool {
        !self.1.load(Ordering::Relaxed)
    }

    fn write(&mut self, decision: &Decision) -> io::Result<()> {
        let _ = self.0.send(Item::Decision(Box::new(decision.clone())));
        Ok(())
    }
}

impl<E: 'static> RecordSink for Speaker<E> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        let _ = self.0.send(Item::Row(RunRow::of(record)));
        Ok(())
    }
}

/// Starts a run.
pub(super) fn spawn<'scope, E: Send + 'static, G>(
    scope: &'scope Scope<'scope, '_>,
    prepare: impl FnOnce() -> Result<(Experiment, G), E> + Send + 'scope,
    has_parted: &Arc<AtomicBool>,
) -> Feed<E> {
    let (sender, items) = sync_channel(AHEAD);
    let has_parted = Arc::clone(has_parted);
    scope.spawn(move || {
        let (experiment, guard) = match prepare() {
            Ok(prepared) => prepared,
            Err(error) => {
                let _ = sender.send(Item::Failed(error));
                return;
            }
        };
        let _ = sender.send(Item::Begin(Box::new(begin(experiment.about()))));
        let speaker = || Box::new(Speaker(sender.clone(), Arc::clone(&has_parted)));
        let stopped = match experiment.decide_into(speaker()) {
            Ok(experiment) => experiment.record_to(speaker(), 1.0).run_until_stopped().1,
            Err(error) => Some(error),
        };
        let _ = sender.send(Item::End(stopped.map(|error| error.to_string())));
        drop(guard);
    });
    Feed { items, calls: 0, end: None, is_lost: false }
}

fn begin(about: &About) -> Begin {
    let policies = about.policies.iter();
    let policies = policies.map(|(slot, record)| {
        let parameters = record.parameters.iter().map(|(name, value)| format!(", {name}={value}")).collect::<String>();
        (slot.path().to_owned(), format!("{} {}{parameters}", record.name, record.version))
    });
    let run = ComparedRun {
        scenario: about.name.clone(),
        seed: about.seed,
        policies: policies.collect(),
        calls: 0,
        stopped: None,
        functions: about.functions.clone(),
        nodes: about.nodes.clone(),
    };
    Begin { run }
}

impl<E> Feed<E> {
    /// What the run is.
    pub fn begin(&mut self) -> Result<Begin, DifferenceError<E>> {
        match self.items.recv() {
            Ok(Item::Begin(begin)) => Ok(*begin),
            Ok(Item::Failed(error)) => Err(DifferenceError::Preparation(error)),
            _ => Err(DifferenceError::Lost),
        }
    }

    /// Whether nothing more comes.
    pub fn has_ended(&self) -> bool {
        self.end.is_some() || self.is_lost
    }

    /// Takes the next thing that comes; gives it if it is a decision.
    pub fn pull(&mut self, side: usize, matching: &mut Matching) -> Option<Decision> {
        match self.items.recv() {
            Ok(Item::Decision(decision)) => return Some(*decision),
            Ok(Item::Row(row)) => matching.take(side, row),
            Ok(Item::End(stopped)) => self.end = Some(stopped),
            Ok(Item::Begin(_) | Item::Failed(_)) | Err(_) => self.is_lost = true,
        }
        None
    }

    /// Its decisions as they come.
    pub fn decisions<'a>(
        &'a mut self,
        side: usize,
        matching: &'a RefCell<Matching>,
    ) -> impl Iterator<Item = Decision> + use<'a, E> {
        std::iter::from_fn(move || {
            while !self.has_ended() {
                if let Some(decision) = self.pull(side, &mut matching.borrow_mut()) {
                    // Of what comes after the runs have parted it is up to their threads how much there is.
                    self.calls = decision.number;
                    return Some(decision);
                }
            }
            None
        })
    }

    /// What the run was, once it has ended.
    pub fn end(self, run: ComparedRun) -> Result<ComparedRun, DifferenceError<E>> {
        match self.end {
            Some(stopped) => Ok(ComparedRun { calls: self.calls, stopped, ..run }),
            None => Err(DifferenceError::Lost),
        }
    }
}

impl RunRow {
    fn of(record: &InvocationRecord) -> Self {
        Self {
            invocation: record.invocation,
            function: record.function.number(),
            side: InvocationSide {
                requested_at: record.requested_at,
                submitted_at: record.submitted_at,
                dispatched_at: record.dispatched_at,
                started_at: record.started_at,
                finished_at: record.finished_at,
                node: record.node,
                start: record.start,
                outcome: record.outcome,
            },
        }
    }
}
