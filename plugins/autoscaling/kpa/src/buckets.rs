//! Averages over a window of time that ends now, of values by seconds.

/// The sum of what was recorded in each of the last seconds. Seconds are numbers that go up; one in which nothing was recorded between
/// others counts as 0.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    values: Vec<f64>,
    total: f64,
    /// The first and the last second of what the average is over, once there is any.
    span: Option<(u64, u64)>,
    /// How much the newest second weighs, where those before weigh less and less.
    smoothing: Option<f64>,
}

/// The least weight of the newest second.
const LEAST_SMOOTHING: f64 = 0.2;
/// So much of all weights the seconds of the window have together.
const WEIGHED: f64 = 0.9999;

/// Rounds to millionths, which takes away what sums and differences have left.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

impl Buckets {
    /// Over a window of so many seconds, in which all weigh the same, or less and less.
    pub fn new(seconds: u64, is_weighted: bool) -> Self {
        let count = seconds.max(1);
        let smoothing = is_weighted.then(|| smoothing(count as f64));
        Self { values: vec![0.0; count as usize], total: 0.0, span: None, smoothing }
    }

    /// How many seconds the window has.
    pub fn length(&self) -> u64 {
        self.values.len() as u64
    }

    /// The place of a second.
    fn place(&mut self, second: u64) -> Option<&mut f64> {
        let place = second % self.length();
        self.values.get_mut(place as usize)
    }

    /// Takes what lies in a second out of the sum.
    fn clear(&mut self, second: u64) {
        let value = self.place(second).map_or(0.0, std::mem::take);
        self.total -= value;
    }

    /// Adds a value to a second. One that is out of the window is left out; after a window without any it begins anew.
    pub fn record(&mut self, second: u64, value: f64) {
        let length = self.length();
        self.span = Some(match self.span {
            None => (second, second),
            Some((_, last)) if second >= last.saturating_add(length) => {
                self.values.fill(0.0);
                self.total = 0.0;
                (second, second)
            }
            Some((first, last)) if second > last => {
                (last + 1..=second).for_each(|passed| self.clear(passed));
                (first, second)
            }
            Some((_, last)) if second.saturating_add(length) <= last => return,
            Some((first, last)) => (first.min(second), last),
        });
        if let Some(place) = self.place(second) {
            *place += value;
            self.total += value;
        }
    }

    /// Whether nothing was recorded for longer than a window.
    pub fn is_empty(&self, now: u64) -> bool {
        self.span.is_none_or(|(_, last)| now.saturating_sub(last) > self.length())
    }

    /// The average over the window that ends with a second, or over as much of it as there has been anything.
    pub fn average(&self, now: u64) -> f64 {
        let Some((first, last)) = self.span else { return 0.0 };
        let (length, silent) = (self.length(), now.saturating_sub(last));
        if let Some(smoothing) = self.smoothing {
            return self.weighted(smoothing, last, silent);
        }
        if silent >= length {
            return 0.0;
        }
        let outdated: f64 = (last + 1..=now).filter_map(|second| self.values.get((second % length) as usize)).sum();
        let seconds = (last - first + 1).min(length - silent);
        rounded((self.total - outdated) / seconds as f64)
    }

    /// The weighted average, the last value of which was recorded so many seconds ago.
    fn weighted(&self, smoothing: f64, last: u64, silent: u64) -> f64 {
        let length = self.length();
        if silent > length {
            return 0.0;
        }
        let rest = 1.0 - smoothing;
        let weights = std::iter::successors(Some(smoothing * rest.powi(silent as i32)), |weight| Some(weight * rest));
        let newest_first = (0..length - silent).map(|ago| (last % length + length - ago) % length);
        let values = newest_first.filter_map(|place| self.values.get(place as usize));
        values.zip(weights).map(|(value, weight)| value * weight).sum()
    }
}

/// How much the newest of so many seconds weighs.
fn smoothing(seconds: f64) -> f64 {
    (1.0 - (1.0 - WEIGHED).powf(1.0 / seconds)).max(LEAST_SMOOTHING)
}

#[cfg(test)]
mod tests;
