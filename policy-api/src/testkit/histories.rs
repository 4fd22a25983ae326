//! What has come of functions, as the kit counts it.

use crate::{End, Ending, FunctionHistory};

/// What has come of each function of a play.
#[derive(Clone, Debug)]
pub(super) struct Histories {
    records: Vec<FunctionHistory>,
    /// By function, the sum of run times in ns.
    run_times: Vec<u128>,
}

impl Histories {
    /// Of so many functions, which nobody has asked for.
    pub fn new(functions: usize) -> Self {
        Self { records: vec![FunctionHistory::NONE; functions], run_times: vec![0; functions] }
    }

    /// As they are shown.
    pub fn records(&self) -> &[FunctionHistory] {
        &self.records
    }

    /// That of a function, to be changed.
    pub fn of(&mut self, function: u32) -> &mut FunctionHistory {
        &mut self.records[function as usize]
    }

    pub fn arrived(&mut self, function: u32, now: u64) {
        let record = self.of(function);
        (record.arrivals, record.last_arrival) = (record.arrivals + 1, now);
    }

    pub fn ended(&mut self, end: &End) {
        let sum = &mut self.run_times[end.function as usize];
        let record = &mut self.records[end.function as usize];
        record.completed += u64::from(end.ending == Ending::Completed);
        if end.is_of_whole_run() {
            *sum += u128::from(end.run_time);
            record.runs += 1;
            record.mean_run_time = (*sum / u128::from(record.runs)) as u64;
            let weighted = (7 * u128::from(record.recent_run_time) + u128::from(end.run_time)) / 8;
            record.recent_run_time = if record.runs == 1 { end.run_time } else { weighted as u64 };
        }
    }
}
