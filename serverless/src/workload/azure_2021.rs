//! The Azure Functions invocation trace of 2021 (Zhang et al., "Faster and Cheaper Serverless Computing on Harvested
//! Resources", SOSP 2021): a row for each invocation, `app,func,end_timestamp,duration`, in no order of starts.
//!
//! All rows are read before the first invocation, 24 bytes each, since they must be sorted by their start.

use std::path::Path;

use hearth_simcore::time::{SimDuration, SimTime};
use rustc_hash::FxHashMap;

use super::columns::TimeUnit;
use super::rows::Rows;
use super::trace::{Defaults, TraceFunction};
use super::{Arrival, ArrivalSource, TraceError};

/// The invocations in the order of their starts.
#[derive(Debug)]
pub(crate) struct Azure2021 {
    arrivals: std::vec::IntoIter<Arrival>,
    skipped: u64,
}

impl Azure2021 {
    /// Reads a trace, and says which functions it is about. An invocation that began before the trace begins with it.
    pub fn open(path: &Path, defaults: &Defaults, lenient: bool) -> Result<(Self, Vec<TraceFunction>), TraceError> {
        let mut rows = Rows::open(path, &["app", "func", "end_timestamp", "duration"])?;
        let mut positions: FxHashMap<Vec<u8>, u32> = FxHashMap::default();
        let mut functions: Vec<TraceFunction> = Vec::new();
        let (mut arrivals, mut skipped) = (Vec::new(), 0);
        while rows.advance()? {
            let row = || {
                let (end, run_time) = (rows.number_of(2, TimeUnit::SECOND)?, rows.number_of(3, TimeUnit::SECOND)?);
                Ok((rows.text(0)?, rows.text(1)?, end, run_time))
            };
            let (app, function, end, run_time) = match row() {
                Ok(row) => row,
                Err(_) if lenient => {
                    skipped += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let key = [app, b"/", function].concat();
            let position = *positions.entry(key).or_insert_with_key(|key| {
                let declared = defaults.declare(String::from_utf8_lossy(key).into_owned(), None);
                functions.push(TraceFunction { declared, app: String::from_utf8_lossy(app).into_owned() });
                functions.len() as u32 - 1
            });
            let at = SimTime::from_secs_f64((end - run_time).max(0.0));
            let run_time = Some(SimDuration::from_secs_f64(run_time));
            arrivals.push(Arrival { at, function: position, run_time });
        }
        // Stable: of one date, in the order of the file.
        arrivals.sort_by_key(|arrival: &Arrival| arrival.at);
        Ok((Self { arrivals: arrivals.into_iter(), skipped }, functions))
    }
}

impl ArrivalSource for Azure2021 {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        Ok(self.arrivals.next())
    }

    fn skipped_rows(&self) -> u64 {
        self.skipped
    }
}
