//! The books of a service: what it has counted and which invocations have ended.

use hearth_simcore::time::{SimDuration, SimTime};

use super::{
    Attempts, InstanceRecord, Move, NodeRecord, Phase, Recorder, Served, Standing, StreamedTable, TimeSeries, Timeline,
    WorkflowRuns,
};
use crate::error::Error;
use crate::function::{FunctionId, ImageId};
use crate::invocation::{InvocationRecord, Outcome, Start};
use crate::metrics::{Folding, Metrics};
use crate::node::{ContainerId, NodeId};
use crate::workflow::WorkflowRecord;

/// What a service has counted, and who takes the invocations that have ended.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// What is known at each moment; [`finish`](Self::finish) adds what is folded.
    pub metrics: Metrics,
    pub folding: Folding,
    pub recorder: Option<Recorder>,
    pub series: Option<TimeSeries>,
    /// The interval of the time series that was written.
    pub series_interval: Option<SimDuration>,
    pub timeline: Option<Timeline>,
    pub attempts: Option<Attempts>,
    pub instances: Option<StreamedTable<InstanceRecord>>,
    pub nodes: Option<StreamedTable<NodeRecord>>,
    pub workflows: WorkflowRuns,
    /// The date of the event that is being handled, and how many were before it.
    pub date: SimTime,
    pub events: u64,
}

impl Books {
    /// Ends what is written while the simulation runs; gives the counts, and the invocations if they were kept. `end`
    /// tells the date and how things stand, if that is known.
    pub fn finish(
        &mut self,
        end: impl FnOnce(&Metrics) -> Option<(SimTime, Standing)>,
    ) -> (Metrics, Result<Vec<InvocationRecord>, Error>) {
        self.folding.settle(&mut self.metrics);
        let metrics = std::mem::take(&mut self.metrics);
        let records = self.recorder.take().map_or(Ok(Vec::new()), Recorder::finish);
        let end = end(&metrics);
        // A horizon may be later than all that happened.
        let date = end.as_ref().map_or(self.date, |(date, _)| *date);
        let timeline = self.timeline.take().map_or(Ok(()), |timeline| timeline.finish(date));
        let series = self.series.take().map(|series| series.finish(end)).transpose();
        let series = series.map(|interval| self.series_interval = interval);
        let attempts = self.attempts.take().map_or(Ok(()), Attempts::finish);
        let instances = self.instances.take().map_or(Ok(()), StreamedTable::finish);
        let nodes = self.nodes.take().map_or(Ok(()), StreamedTable::finish);
        let workflows = self.workflows.finish();
        (metrics, series.and(timeline).and(attempts).and(instances).and(nodes).and(workflows).and(records))
    }

    /// Counts an invocation that has ended, or never will.
    #[inline]
    pub fn record(&mut self, record: &InvocationRecord) {
        self.metrics.count_end(record.outcome);
        self.folding.record(record);
    }

    /// Counts a dispatch.
    #[inline]
    pub fn count_start(&mut self, function: FunctionId, start: Start) {
        self.metrics.count_start(start);
        self.folding.count_start(function, start);
    }

    /// An attempt has ended, in this way.
    pub fn write_attempt(&mut self, attempt: u32, record: &InvocationRecord, outcome: &str) -> Result<(), Error> {
        self.attempts.as_mut().map_or(Ok(()), |attempts| attempts.write(attempt, record, outcome))
    }

    /// An instance has ended, or has not at the end of the simulation.
    pub fn write_instance(&mut self, instance: &InstanceRecord) -> Result<(), Error> {
        self.instances.as_mut().map_or(Ok(()), |instances| instances.write(instance))
    }

    /// A node of a pool has gone off, or is on at the end of the simulation.
    pub fn write_node(&mut self, node: &NodeRecord) -> Result<(), Error> {
        self.nodes.as_mut().map_or(Ok(()), |nodes| nodes.write(node))
    }

    /// A run of a workflow has ended, or never will.
    pub fn end_workflow(&mut self, record: WorkflowRecord) -> Result<(), Error> {
        self.metrics.workflows.record(&record);
        self.workflows.add(record)
    }

    /// The runs of workflows that were kept.
    pub fn take_workflow_records(&mut self) -> Vec<WorkflowRecord> {
        self.workflows.take()
    }

    /// A container begins with something that is for no invocation.
    #[inline]
    pub fn begin_phase(&mut self, node: NodeId, container: ContainerId, phase: Phase, function: FunctionId) {
        if let Some(timeline) = &mut self.timeline {
            timeline.begin(node.0, container, phase, function, None, self.date);
        }
    }

    /// A container begins with something for an invocation.
    #[inline]
    pub fn serve(&mut self, node: NodeId, container: ContainerId, phase: Phase, record: &InvocationRecord) {
        if let Some(timeline) = &mut self.timeline {
            let served = Served { invocation: record.invocation, start: record.start };
            timeline.begin(node.0, container, phase, record.function, Some(served), self.date);
        }
    }

    /// The invocation that a container runs has ended so.
    #[inline]
    pub fn note_outcome(&mut self, node: NodeId, container: ContainerId, outcome: Outcome) {
        if let Some(timeline) = &mut self.timeline {
            timeline.note_outcome(node.0, container, outcome);
        }
    }

    /// A container has ended.
    #[inline]
    pub fn end_container(&mut self, node: NodeId, container: ContainerId) {
        if let Some(timeline) = &mut self.timeline {
            timeline.end(node.0, container, self.date);
        }
    }

    /// An image begins to move.
    pub fn begin_move(&mut self, image: ImageId, how: Move) {
        if let Some(timeline) = &mut self.timeline {
            timeline.begin_move(image, how, self.date);
        }
    }

    /// An image has arrived.
    pub fn end_move(&mut self, image: ImageId, how: Move) {
        if let Some(timeline) = &mut self.timeline {
            timeline.end_move(image, how, self.date);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{About, Results};
    use crate::worker::Worker;

    /// What a watchdog finds when so many invocations of two functions have ended.
    fn so_far(ended: u64, worker: Option<Worker>) -> String {
        let mut books = Books::default();
        worker.into_iter().for_each(|worker| books.folding.set_worker(worker));
        (0..2).for_each(|_| books.folding.add_function(SimDuration::MAX));
        for number in 0..ended {
            let mut record = InvocationRecord::new(number, FunctionId(number as u32 % 2));
            (record.outcome, record.start) = (Outcome::Completed, Some(Start::Warm));
            let date = Some(SimTime::from_nanos(number * number));
            (record.requested_at, record.started_at, record.finished_at) = (Some(SimTime::ZERO), date, date);
            books.count_start(record.function, Start::Warm);
            books.record(&record);
        }
        let about = About { name: String::new(), seed: 0, functions: vec![], nodes: vec![], policies: vec![] };
        let metrics = Results::so_far(about, books).metrics;
        assert_eq!((metrics.latency.count(), metrics.functions[0].warm_starts), (ended, ended / 2));
        format!("{metrics:?}")
    }

    #[test]
    fn who_takes_the_books_finds_all_that_has_been_counted_wherever_it_is_folded() {
        for ended in [10, 5 * 1024, 10_000] {
            assert_eq!(so_far(ended, Some(Worker::new())), so_far(ended, None));
        }
    }
}
