//! Passes invocations on in the order of requests while the simulation runs, so that memory grows with those that are
//! under way, not with all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hearth_simcore::time::SimTime;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::error::Error;
use crate::invocation::InvocationRecord;

/// Why a result could not be passed on.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes invocations one after the other, in the order of requests; those that were never requested come last.
///
/// ```
/// use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
/// use hearth_serverless::invocation::InvocationRecord;
/// use hearth_serverless::results::{RecordSink, SinkError};
///
/// /// Writes who failed.
/// struct Failures;
/// impl RecordSink for Failures {
///     fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
///         if let Some(failure) = &record.failure {
///             println!("invocation {}: {failure}", record.invocation);
///         }
///         Ok(())
///     }
/// }
/// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
/// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
/// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
/// #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"fail": "no"}]}]}}"#)?;
/// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
/// let results = Experiment::prepare(&scenario, &catalog)?.record_to(Box::new(Failures), 1.0).run()?;
/// assert!(results.records.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RecordSink {
    /// Takes the next invocation.
    ///
    /// # Errors
    /// When it cannot be passed on, which ends the simulation.
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError>;

    /// All invocations have come.
    ///
    /// # Errors
    /// When something that was held back cannot be passed on.
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Passes each invocation on to several, one after the other.
impl RecordSink for Vec<Box<dyn RecordSink>> {
    fn write(&mut self, record: &InvocationRecord) -> Result<(), SinkError> {
        self.iter_mut().try_for_each(|sink| sink.write(record))
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.iter_mut().try_for_each(|sink| sink.finish())
    }
}

enum Target {
    Memory(Vec<InvocationRecord>),
    Sink(Box<dyn RecordSink>),
}

/// The place of an invocation among all: by date of the request, then by number.
type Key = (SimTime, u64);

/// Puts invocations that end in any order into the order of requests.
pub(crate) struct Recorder {
    target: Target,
    /// Which share of all invocations is passed on, and the seed of the choice.
    share: f64,
    seed: u64,
    /// Those that have not ended, by the date for which they are requested.
    open: BTreeSet<Key>,
    /// Those that have ended, but not yet all before them.
    ended: BTreeMap<Key, InvocationRecord>,
    /// Those that have ended since somebody looked, if somebody does.
    news: Option<Vec<InvocationRecord>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("open", &self.open.len()).field("ended", &self.ended.len()).finish()
    }
}

impl Recorder {
    /// Keeps all invocations.
    pub fn in_memory() -> Self {
        Self::new(Target::Memory(Vec::new()), 1.0, 0)
    }

    /// Passes a share of the invocations on. Which ones depends on their numbers and the seed alone.
    pub fn to_sink(sink: Box<dyn RecordSink>, share: f64, seed: u64) -> Self {
        Self::new(Target::Sink(sink), share, seed)
    }

    fn new(target: Target, share: f64, seed: u64) -> Self {
        Self { target, share, seed, open: BTreeSet::new(), ended: BTreeMap::new(), news: None }
    }

    fn is_chosen(&self, invocation: u64) -> bool {
        let random = || Pcg64Mcg::seed_from_u64(self.seed.wrapping_add(invocation)).random::<f64>();
        self.share >= 1.0 || random() < self.share
    }

    /// An invocation is requested for a date, now or later.
    pub fn requested(&mut self, at: SimTime, invocation: u64) {
        if self.is_chosen(invocation) {
            self.open.insert((at, invocation));
        }
    }

    /// An invocation has ended.
    pub fn ended(&mut self, record: InvocationRecord, now: SimTime) -> Result<(), Error> {
        if !self.is_chosen(record.invocation) {
            return Ok(());
        }
        if let Some(news) = &mut self.news {
            news.push(record.clone());
        }
        let key = (record.requested_at.unwrap_or(SimTime::MAX), record.invocation);
        self.open.remove(&key);
        self.ended.insert(key, record);
        // Others may still be requested for this date, with lower numbers.
        let mut bound = (now, 0);
        if let Some(first) = self.open.first() {
            bound = bound.min(*first);
        }
        self.pass_on(Some(bound))
    }

    /// Notes from now on which invocations have ended, until [`take_news`](Self::take_news) is asked.
    pub fn note_news(&mut self) {
        self.news = Some(Vec::new());
    }

    /// Those that have ended since the last time.
    pub fn take_news(&mut self) -> Vec<InvocationRecord> {
        self.news.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// All that have ended and were kept, in no order.
    pub fn kept(&self) -> impl Iterator<Item = &InvocationRecord> {
        let passed_on = match &self.target {
            Target::Memory(records) => records.as_slice(),
            Target::Sink(_) => &[],
        };
        passed_on.iter().chain(self.ended.values())
    }

    /// An invocation will never end.
    pub fn never_ends(&mut self, record: InvocationRecord) {
        if self.is_chosen(record.invocation) {
            self.ended.insert((record.requested_at.unwrap_or(SimTime::MAX), record.invocation), record);
        }
    }

    /// Passes on what is left; gives the invocations if they were kept.
    pub fn finish(mut self) -> Result<Vec<InvocationRecord>, Error> {
        self.pass_on(None)?;
        match self.target {
            Target::Memory(records) => Ok(records),
            Target::Sink(mut sink) => sink.finish().map(|()| Vec::new()).map_err(|error| unwritable(&error)),
        }
    }

    fn pass_on(&mut self, bound: Option<Key>) -> Result<(), Error> {
        while let Some(entry) = self.ended.first_entry()
            && bound.is_none_or(|bound| *entry.key() < bound)
        {
            let record = entry.remove();
            match &mut self.target {
                Target::Memory(records) => records.push(record),
                Target::Sink(sink) => sink.write(&record).map_err(|error| unwritable(&error))?,
            }
        }
        Ok(())
    }
}

pub(super) fn unwritable(error: &SinkError) -> Error {
    Error::Result { what: "invocations", cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::function::FunctionId;

    fn record(invocation: u64, at: Option<u64>) -> InvocationRecord {
        InvocationRecord {
            requested_at: at.map(SimTime::from_nanos),
            ..InvocationRecord::new(invocation, FunctionId(0))
        }
    }

    proptest! {
        /// Whatever the order of ends, the order is that of requests, and nothing is held that could go on.
        #[test]
        fn invocations_come_in_the_order_of_requests(
            lives in proptest::collection::vec((0..20_u64, 0..50_u64), 1..60),
            numbers in any::<u64>(),
        ) {
            let mut recorder = Recorder::in_memory();
            // Numbers need not follow the dates.
            let number = |position: usize| (position as u64 * 37 + numbers % 60) % 61;
            let mut steps: Vec<(u64, bool, usize)> = Vec::new();
            for (position, (at, length)) in lives.iter().enumerate() {
                steps.push((*at, true, position));
                steps.push((at + length, false, position));
            }
            steps.sort_by_key(|(date, begins, _)| (*date, !begins));
            for (date, begins, position) in steps {
                let at = lives[position].0;
                if begins {
                    recorder.requested(SimTime::from_nanos(at), number(position));
                } else {
                    recorder.ended(record(number(position), Some(at)), SimTime::from_nanos(date)).unwrap();
                }
            }
            prop_assert!(recorder.open.is_empty());
            recorder.never_ends(record(1000, None));
            let records = recorder.finish().unwrap();
            let keys: Vec<_> = records.iter().map(|record| (record.requested_at.is_none(), record.requested_at, record.invocation)).collect();
            prop_assert_eq!(keys.len(), lives.len() + 1);
            prop_assert!(keys.is_sorted());
        }
    }

    #[test]
    fn those_that_ended_go_on_as_soon_as_all_before_them_have() {
        let mut recorder = Recorder::in_memory();
        let at = SimTime::from_nanos;
        (0..3).for_each(|number| recorder.requested(at(number), number));
        recorder.ended(record(1, Some(1)), at(5)).unwrap();
        assert_eq!(recorder.ended.len(), 1);
        recorder.ended(record(0, Some(0)), at(6)).unwrap();
        assert_eq!((recorder.ended.len(), recorder.open.len()), (0, 1));
    }

    #[test]
    fn a_sample_is_of_the_size_asked_for_and_the_same_each_time() {
        let chosen = |seed| {
            let recorder = Recorder::to_sink(Box::new(Nothing), 0.1, seed);
            (0..100_000).filter(|number| recorder.is_chosen(*number)).collect::<Vec<_>>()
        };
        let first = chosen(1);
        assert!((9_500..10_500).contains(&first.len()), "{}", first.len());
        assert_eq!(first, chosen(1));
        assert_ne!(first, chosen(2));
    }

    struct Nothing;
    impl RecordSink for Nothing {
        fn write(&mut self, _record: &InvocationRecord) -> Result<(), SinkError> {
            Err("full".into())
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let mut recorder = Recorder::to_sink(Box::new(Nothing), 1.0, 0);
        let error = recorder.ended(record(0, Some(0)), SimTime::from_nanos(1)).unwrap_err();
        assert_eq!(error.to_string(), "the invocations cannot be written: full");
    }
}
