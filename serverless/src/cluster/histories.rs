//! What has come of each function, as policies are shown it: kept up to date with every change, at the same cost each.

use hearth_policy_api::{End, Ending, FunctionHistory};
use hearth_simcore::time::{SimDuration, SimTime};

use crate::function::FunctionId;
use crate::table::Table;

/// What has come of each function.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    records: Table<FunctionId, FunctionHistory>,
    sums: Table<FunctionId, Sums>,
}

/// What means are made of, in ns.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    run_time: u128,
    start_time: u128,
}

/// The last run has a weight of one in so many in the recent run time.
const RECENT: u128 = 8;

fn mean(sum: u128, count: u64) -> u64 {
    sum.checked_div(u128::from(count)).unwrap_or(0) as u64
}

impl Histories {
    /// There is one more function.
    pub fn add_function(&mut self) {
        self.records.push(FunctionHistory::NONE);
        self.sums.push(Sums::default());
    }

    /// As policies are shown them.
    pub fn records(&self) -> &[FunctionHistory] {
        &self.records
    }

    /// That of a function, to be changed.
    pub fn of(&mut self, function: FunctionId) -> &mut FunctionHistory {
        &mut self.records[function]
    }

    /// An attempt was submitted.
    pub fn arrived(&mut self, function: FunctionId, now: SimTime) {
        let record = self.of(function);
        record.arrivals += 1;
        record.last_arrival = now.as_nanos();
    }

    /// An attempt has its container, which takes so long to start if it was made for it.
    pub fn began(&mut self, function: FunctionId, start_time: Option<SimDuration>) {
        let (record, sums) = (&mut self.records[function], &mut self.sums[function]);
        record.busy += 1;
        if let Some(start_time) = start_time {
            sums.start_time += u128::from(start_time.as_nanos());
            record.cold_starts += 1;
            record.mean_start_time = mean(sums.start_time, record.cold_starts);
        }
    }

    /// An attempt has ended in its container.
    pub fn ended(&mut self, end: &End) {
        let function = FunctionId(end.function);
        let (record, sums) = (&mut self.records[function], &mut self.sums[function]);
        record.busy -= 1;
        record.completed += u64::from(end.ending == Ending::Completed);
        if end.is_of_whole_run() {
            let (run_time, recent) = (u128::from(end.run_time), u128::from(record.recent_run_time));
            let is_first = record.runs == 0;
            sums.run_time += run_time;
            record.runs += 1;
            record.mean_run_time = mean(sums.run_time, record.runs);
            let weighted = ((RECENT - 1) * recent + run_time) / RECENT;
            record.recent_run_time = if is_first { end.run_time } else { weighted as u64 };
        }
    }
}
