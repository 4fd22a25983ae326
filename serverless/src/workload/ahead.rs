//! Reads a source ahead of the simulation, on a thread beside it.
//!
//! The simulation sees what it would see if it read each request when it needs it: the requests, the error at its place
//! among them, and how many rows had been passed over by then.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::stop::{Stop, Stopping};
use super::{Arrival, ArrivalSource, TraceError};
use crate::worker::{Pending, Worker, message};

/// So many requests are read when they are needed, before a thread is worth its start.
const READ_HERE: u32 = 4096;
/// Requests that are handed over at once: enough that handing over costs little of each, and few enough for a cache.
const BATCH: usize = 1024;
/// How long the simulation waits for a whole batch before it takes what there is.
const PATIENCE: Duration = Duration::from_millis(20);

/// A source that may be read on another thread.
pub(crate) type MovableSource = Box<dyn ArrivalSource + Send>;

/// A source that is read where it is, or by a worker if there is one and enough to read.
#[derive(Debug)]
pub(crate) struct ReadAhead {
    reading: Reading,
    /// Where a worker is put if there is one.
    reader: Arc<OnceLock<Worker>>,
}

#[derive(Debug)]
enum Reading {
    /// When a request is needed; so many at least are still read so.
    Here(MovableSource, u32),
    Beside(Beside),
}

impl ReadAhead {
    /// Begins where it is; `reader` is where a worker may be put until the simulation runs.
    pub fn new(source: MovableSource, reader: Arc<OnceLock<Worker>>) -> Self {
        Self { reading: Reading::Here(source, READ_HERE), reader }
    }

    /// From now on a worker reads.
    #[cold]
    fn go_beside(&mut self, worker: Worker) {
        let nothing = Reading::Beside(Beside::nothing(worker, self.skipped_rows()));
        let here = std::mem::replace(&mut self.reading, nothing);
        if let (Reading::Here(source, _), Reading::Beside(beside)) = (here, &mut self.reading) {
            beside.begin(source);
        }
    }
}

impl ArrivalSource for ReadAhead {
    #[inline]
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        loop {
            match &mut self.reading {
                Reading::Beside(beside) => return beside.next_arrival(),
                Reading::Here(source, left) => match (left.checked_sub(1), self.reader.get()) {
                    (None, Some(worker)) => {
                        let worker = worker.clone();
                        self.go_beside(worker);
                    }
                    (fewer, _) => {
                        *left = fewer.unwrap_or(0);
                        return source.next_arrival();
                    }
                },
            }
        }
    }

    fn skipped_rows(&self) -> u64 {
        match &self.reading {
            Reading::Here(source, _) => source.skipped_rows(),
            Reading::Beside(beside) => beside.batch.skipped_after(beside.asked),
        }
    }
}

/// What a source gave, one time after the other.
#[derive(Debug, Default)]
struct Batch {
    arrivals: Vec<Arrival>,
    /// What came after them, if they were the last.
    end: Option<Result<(), TraceError>>,
    /// Rows that had been passed over before this; and where there were more, after how many times, how many.
    skipped_before: u64,
    skipped: Vec<(usize, u64)>,
}

impl Batch {
    /// Asks a source for the next requests, for one at least.
    fn read(source: &mut dyn ArrivalSource, is_awaited: &AtomicBool) -> Self {
        let skipped_before = source.skipped_rows();
        let mut batch = Self { arrivals: Vec::with_capacity(BATCH), skipped_before, ..Self::default() };
        let mut skipped = skipped_before;
        for asked in 1..=BATCH {
            match source.next_arrival() {
                Ok(Some(arrival)) => batch.arrivals.push(arrival),
                Ok(None) => batch.end = Some(Ok(())),
                Err(error) => batch.end = Some(Err(error)),
            }
            if source.skipped_rows() != skipped {
                skipped = source.skipped_rows();
                batch.skipped.push((asked, skipped));
            }
            if batch.end.is_some() || is_awaited.load(Ordering::Relaxed) {
                break;
            }
        }
        batch
    }

    /// Rows that had been passed over when the source had been asked so many times.
    fn skipped_after(&self, asked: usize) -> u64 {
        let before = self.skipped.iter().take_while(|(times, _)| *times <= asked);
        before.last().map_or(self.skipped_before, |(_, rows)| *rows)
    }
}

/// A source that a worker reads, a batch ahead.
#[derive(Debug)]
struct Beside {
    batch: Batch,
    /// How many times it has been asked for something of the batch.
    asked: usize,
    next: Option<Pending<(MovableSource, Batch)>>,
    /// Whether the simulation has lost patience.
    is_awaited: Arc<AtomicBool>,
    stop: Stop,
    worker: Worker,
}

impl Beside {
    /// One that has nothing yet.
    fn nothing(worker: Worker, skipped_before: u64) -> Self {
        let batch = Batch { skipped_before, ..Batch::default() };
        Self { batch, asked: 0, next: None, is_awaited: Arc::default(), stop: Stop::default(), worker }
    }

    /// Has the next batch read.
    fn begin(&mut self, mut source: MovableSource) {
        let (is_awaited, stop) = (Arc::clone(&self.is_awaited), self.stop.clone());
        is_awaited.store(false, Ordering::Relaxed);
        self.next = Some(self.worker.begin(move || {
            let _stopping = Stopping::by(stop);
            let batch = Batch::read(&mut *source, &is_awaited);
            (source, batch)
        }));
    }

    #[inline]
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        loop {
            if let Some(arrival) = self.batch.arrivals.get(self.asked) {
                self.asked += 1;
                return Ok(Some(*arrival));
            }
            if let Some(end) = &mut self.batch.end {
                self.asked = self.batch.arrivals.len() + 1;
                // Who asks again hears of no error any more.
                return std::mem::replace(end, Ok(())).map(|()| None);
            }
            self.turn_over();
        }
    }

    /// Goes on to the next batch.
    fn turn_over(&mut self) {
        let read = self.next.take().map(|next| {
            next.wait_at_most(PATIENCE).unwrap_or_else(|| {
                self.is_awaited.store(true, Ordering::Relaxed);
                next.wait()
            })
        });
        match read {
            Some(Ok((source, batch))) => {
                (self.batch, self.asked) = (batch, 0);
                if self.batch.end.is_none() {
                    self.begin(source);
                }
            }
            Some(Err(panic)) => self.batch.end = Some(Err(panicked(message(&*panic)))),
            None => self.batch.end = Some(Ok(())),
        }
    }
}

impl Drop for Beside {
    /// What is being read now is not wanted any more.
    fn drop(&mut self) {
        self.is_awaited.store(true, Ordering::Relaxed);
        self.stop.set();
    }
}

fn panicked(message: &str) -> TraceError {
    let problem = format!("cannot be read on, since the reader panicked: {message}");
    TraceError { file: PathBuf::from("workload"), line: None, column: None, problem }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::thread;
    use std::time::Instant;

    use hearth_simcore::time::SimTime;
    use proptest::prelude::*;

    use super::*;

    /// What there is to read, one after the other.
    #[derive(Clone, Copy, Debug)]
    enum Row {
        Request,
        Skipped,
        Wrong,
        Panic,
        Slow,
    }

    #[derive(Debug)]
    struct Rows {
        rows: std::vec::IntoIter<Row>,
        read: u64,
        skipped: u64,
    }

    impl Rows {
        fn new(rows: Vec<Row>) -> Self {
            Self { rows: rows.into_iter(), read: 0, skipped: 0 }
        }
    }

    impl ArrivalSource for Rows {
        fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
            for row in self.rows.by_ref() {
                self.read += 1;
                match row {
                    Row::Skipped => {
                        self.skipped += 1;
                        continue;
                    }
                    Row::Wrong => {
                        let (file, line) = (PathBuf::from("rows"), Some(self.read));
                        return Err(TraceError { file, line, column: None, problem: "is wrong".to_owned() });
                    }
                    Row::Panic => panic!("row {}", self.read),
                    Row::Slow => thread::sleep(PATIENCE * 4),
                    Row::Request => {}
                }
                return Ok(Some(Arrival { at: SimTime::from_nanos(self.read), function: 0, run_time: None }));
            }
            Ok(None)
        }

        fn skipped_rows(&self) -> u64 {
            self.skipped
        }
    }

    fn beside(source: impl ArrivalSource + Send + 'static) -> ReadAhead {
        let worker = Worker::new();
        let mut beside = Beside::nothing(worker.clone(), source.skipped_rows());
        beside.begin(Box::new(source));
        ReadAhead { reading: Reading::Beside(beside), reader: Arc::new(OnceLock::from(worker)) }
    }

    /// All that a source tells, up to its end or an error, with the rows that were passed over after each.
    fn told(source: &mut dyn ArrivalSource) -> Vec<(Result<Option<Arrival>, TraceError>, u64)> {
        let mut told = Vec::new();
        while told.last().is_none_or(|(last, _)| matches!(last, Ok(Some(_)))) {
            let next = source.next_arrival();
            told.push((next, source.skipped_rows()));
        }
        told
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_read_beside_is_what_is_read_here(
            mut rows in prop::collection::vec(
                prop_oneof![50 => Just(Row::Request), 2 => Just(Row::Skipped)], 0..4 * BATCH),
            wrong in prop::option::of(any::<prop::sample::Index>()),
        ) {
            if let Some(wrong) = wrong {
                rows.insert(wrong.index(rows.len() + 1), Row::Wrong);
            }
            let expected = told(&mut Rows::new(rows.clone()));
            let mut source = beside(Rows::new(rows));
            prop_assert_eq!(told(&mut source), expected);
            prop_assert_eq!(source.next_arrival(), Ok(None));
        }
    }

    #[test]
    fn a_thread_begins_where_there_is_more_to_read_than_little() {
        let reader = Arc::new(OnceLock::from(Worker::new()));
        for (requests, is_beside) in [(READ_HERE, false), (READ_HERE + 2 * BATCH as u32, true)] {
            let rows = vec![Row::Request; requests as usize];
            let mut source = ReadAhead::new(Box::new(Rows::new(rows.clone())), Arc::clone(&reader));
            for _ in 0..requests {
                assert!(source.next_arrival().unwrap().is_some());
            }
            assert_eq!(matches!(source.reading, Reading::Beside(_)), is_beside);
            let alone = ReadAhead::new(Box::new(Rows::new(rows.clone())), Arc::default());
            assert_eq!(told(&mut { alone }), told(&mut Rows::new(rows)));
        }
    }

    #[test]
    fn a_reader_that_panics_is_an_error_after_what_it_has_read() {
        let mut rows = vec![Row::Request; 2 * BATCH];
        rows.extend([Row::Request, Row::Panic, Row::Request]);
        let told = told(&mut beside(Rows::new(rows)));
        // What came before in the same batch is lost with it.
        assert_eq!(told.len(), 2 * BATCH + 1);
        let error = told.last().unwrap().0.clone().unwrap_err().to_string();
        assert_eq!(error, format!("workload: cannot be read on, since the reader panicked: row {}", 2 * BATCH + 2));
    }

    #[test]
    fn a_simulation_that_waits_gets_what_there_is() {
        let mut rows = vec![Row::Slow; BATCH];
        rows[0] = Row::Request;
        let mut source = beside(Rows::new(rows));
        let start = Instant::now();
        assert!(source.next_arrival().unwrap().is_some());
        drop(source);
        assert!(start.elapsed() < PATIENCE * BATCH as u32 / 4, "{:?}", start.elapsed());
    }

    #[test]
    fn a_reader_nobody_wants_any_more_is_stopped_and_has_ended() {
        static READ: AtomicU64 = AtomicU64::new(0);
        #[derive(Debug)]
        struct File;
        impl ArrivalSource for File {
            fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
                // A batch of requests, and then nothing but rows that do not count.
                while READ.fetch_add(1, Ordering::Relaxed) >= BATCH as u64 {
                    thread::sleep(Duration::from_millis(1));
                    if Stopping::is_asked() {
                        return Err(panicked("stopped"));
                    }
                }
                Ok(Some(Arrival { at: SimTime::ZERO, function: 0, run_time: None }))
            }
        }
        let mut source = beside(File);
        assert!(source.next_arrival().unwrap().is_some());
        drop(source);
        let read = READ.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(READ.load(Ordering::Relaxed), read);
    }
}
