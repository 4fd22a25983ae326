//! What invocations cost in money (the timing model, section 12).

use hearth_simcore::time::SimDuration;

use crate::invocation::{InvocationRecord, Start};

/// A GiB in bytes over a second in nanoseconds.
const BYTE_NANOS_OF_GIB_SECOND: f64 = (1_u64 << 30) as f64 * 1e9;

/// What a provider asks for. The default are the prices of AWS Lambda: x86, US East, the first tier, without the free
/// one; billed by the millisecond since December 2020, starts of containers included since August 2025.
///
/// ```
/// use hearth_serverless::metrics::Prices;
/// let prices = Prices { per_gib_second: 0.0000133334, ..Prices::default() };
/// assert_eq!((prices.name.as_str(), prices.currency.as_str()), ("aws-lambda-like", "USD"));
/// assert_eq!(prices.per_request, 0.0000002);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Prices {
    /// What results call them.
    pub name: String,
    /// What money is counted in.
    pub currency: String,
    /// For each request of which an attempt is billed.
    pub per_request: f64,
    /// For a GiB (2³⁰ bytes, which AWS writes as GB) of a function's RAM limit over a second.
    pub per_gib_second: f64,
    /// The time of each attempt is rounded up to a multiple of this; zero is not rounded.
    pub billing_granularity: SimDuration,
    /// The least time that an attempt is billed for.
    pub minimum: SimDuration,
    /// Whether the time that a new container takes to start is billed to the attempt that it is started for.
    pub cold_starts_billed: bool,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            name: "aws-lambda-like".to_owned(),
            currency: "USD".to_owned(),
            per_request: 0.000_000_2,
            per_gib_second: 0.000_016_666_7,
            billing_granularity: SimDuration::from_nanos(1_000_000),
            minimum: SimDuration::ZERO,
            cold_starts_billed: true,
        }
    }
}

impl Prices {
    /// The nanoseconds that an attempt is billed for; `None` if its body has not begun or not ended.
    fn billed_nanos(&self, attempt: &InvocationRecord) -> Option<u128> {
        let (started, finished) = (attempt.started_at?, attempt.finished_at?);
        let dispatched =
            attempt.dispatched_at.filter(|_| self.cold_starts_billed && attempt.start == Some(Start::Cold));
        let time = finished.since(dispatched.unwrap_or(started)).max(self.minimum);
        // Wide enough for what a multiple may be above the longest time.
        let (nanos, granularity) = (u128::from(time.as_nanos()), u128::from(self.billing_granularity.as_nanos()));
        Some(if granularity == 0 { nanos } else { nanos.next_multiple_of(granularity) })
    }
}

/// What was billed so far. The sums are whole numbers, so that the order of adding does not matter.
#[derive(Clone, PartialEq, Debug)]
pub struct Cost {
    prices: Prices,
    billed_requests: u64,
    byte_nanos: u128,
}

impl Cost {
    /// Nothing yet, at these prices.
    pub fn new(prices: Prices) -> Self {
        Self { prices, billed_requests: 0, byte_nanos: 0 }
    }

    /// Bills an attempt of a function with such a RAM limit in bytes; false if there is nothing to bill.
    pub(crate) fn bill(&mut self, attempt: &InvocationRecord, ram: u64) -> bool {
        let Some(nanos) = self.prices.billed_nanos(attempt) else { return false };
        self.byte_nanos = self.byte_nanos.saturating_add(nanos.saturating_mul(u128::from(ram)));
        true
    }

    /// Bills a request, of which an attempt was billed for the first time.
    pub(crate) fn bill_request(&mut self) {
        self.billed_requests += 1;
    }

    /// The prices.
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// How many requests were billed.
    pub fn billed_requests(&self) -> u64 {
        self.billed_requests
    }

    /// RAM over time that was billed, in GiB times seconds.
    pub fn billed_gib_seconds(&self) -> f64 {
        self.byte_nanos as f64 / BYTE_NANOS_OF_GIB_SECOND
    }

    /// What the requests cost, in the currency of the prices.
    pub fn of_requests(&self) -> f64 {
        self.billed_requests as f64 * self.prices.per_request
    }

    /// What RAM over time costs, in the currency of the prices.
    pub fn of_compute(&self) -> f64 {
        self.billed_gib_seconds() * self.prices.per_gib_second
    }

    /// What all costs, in the currency of the prices.
    pub fn total(&self) -> f64 {
        self.of_requests() + self.of_compute()
    }
}

#[cfg(test)]
mod tests {
    use hearth_simcore::time::SimTime;

    use super::*;
    use crate::function::FunctionId;

    const GIB: u64 = 1 << 30;

    /// Dispatched at 1 s, begun at 1.5 s, ended so many ns later.
    fn attempt(start: Start, nanos: u64) -> InvocationRecord {
        let mut record = InvocationRecord::new(0, FunctionId(0));
        (record.dispatched_at, record.start) = (Some(SimTime::from_nanos(1_000_000_000)), Some(start));
        record.started_at = Some(SimTime::from_nanos(1_500_000_000));
        record.finished_at = Some(SimTime::from_nanos(1_500_000_000 + nanos));
        record
    }

    fn billed(prices: &Prices, start: Start, nanos: u64) -> Option<u128> {
        prices.billed_nanos(&attempt(start, nanos))
    }

    #[test]
    fn times_are_rounded_up_to_a_multiple() {
        let by_ms = Prices::default();
        let rounded = [0, 1, 999_999, 1_000_000, 1_000_001].map(|nanos| billed(&by_ms, Start::Warm, nanos).unwrap());
        assert_eq!(rounded, [0, 1_000_000, 1_000_000, 1_000_000, 2_000_000]);
        let not_at_all = Prices { billing_granularity: SimDuration::ZERO, ..by_ms };
        assert_eq!(billed(&not_at_all, Start::Warm, 1_000_001), Some(1_000_001));
    }

    #[test]
    fn a_short_attempt_is_billed_for_the_minimum_rounded_up() {
        let (minimum, by) = (SimDuration::from_nanos(25_000_000), SimDuration::from_nanos(10_000_000));
        let prices = Prices { minimum, billing_granularity: by, ..Prices::default() };
        assert_eq!(billed(&prices, Start::Warm, 5_000_000), Some(30_000_000));
        assert_eq!(billed(&prices, Start::Warm, 31_000_000), Some(40_000_000));
        let prices = Prices { billing_granularity: SimDuration::ZERO, ..prices };
        assert_eq!(billed(&prices, Start::Warm, 5_000_000), Some(25_000_000));
        let for_ever = Prices { minimum: SimDuration::MAX, billing_granularity: by, ..Prices::default() };
        assert_eq!(billed(&for_ever, Start::Warm, 5), Some(18_446_744_073_710_000_000));
    }

    #[test]
    fn the_start_of_a_container_is_billed_to_whom_it_is_started_for() {
        let billed_too = Prices::default();
        assert_eq!(billed(&billed_too, Start::Cold, 2_000_000), Some(502_000_000));
        assert_eq!(billed(&billed_too, Start::Warm, 2_000_000), Some(2_000_000));
        let free = Prices { cold_starts_billed: false, ..Prices::default() };
        assert_eq!(billed(&free, Start::Cold, 2_000_000), Some(2_000_000));
    }

    #[test]
    fn what_never_ran_or_has_not_ended_is_not_billed() {
        let mut cost = Cost::new(Prices::default());
        let mut starting = attempt(Start::Cold, 1);
        starting.started_at = None;
        let mut running = attempt(Start::Warm, 1);
        running.finished_at = None;
        assert!(!cost.bill(&starting, GIB) && !cost.bill(&running, GIB));
        assert_eq!(cost, Cost::new(Prices::default()));
    }

    #[test]
    fn ram_over_time_and_requests_have_their_prices() {
        let prices = Prices { per_request: 0.25, per_gib_second: 0.5, ..Prices::default() };
        let mut cost = Cost::new(prices);
        assert!(cost.bill(&attempt(Start::Warm, 3_000_000_000), GIB));
        assert!(cost.bill(&attempt(Start::Cold, 1_500_000_000), 2 * GIB));
        cost.bill_request();
        // 3 s of 1 GiB and 2 s of 2 GiB.
        assert_eq!((cost.billed_requests(), cost.billed_gib_seconds()), (1, 7.0));
        assert_eq!((cost.of_requests(), cost.of_compute(), cost.total()), (0.25, 3.5, 3.75));
    }

    #[test]
    fn the_default_gives_the_example_of_the_provider() {
        // From the announcement of billing by the millisecond: 60 million requests of 27.55 ms and 1 GB, 12 USD for the
        // requests, 28 USD for 28 ms of each.
        let mut cost = Cost::new(Prices::default());
        let one = attempt(Start::Warm, 27_550_000);
        for _ in 0..60 {
            cost.bill(&one, GIB);
            cost.bill_request();
        }
        assert!((cost.of_requests() * 1e6 - 12.0).abs() < 1e-9);
        assert!((cost.of_compute() * 1e6 - 28.0).abs() < 1e-4);
    }

    #[test]
    fn sums_do_not_overflow() {
        let mut cost = Cost::new(Prices { minimum: SimDuration::MAX, ..Prices::default() });
        for _ in 0..3 {
            cost.bill(&attempt(Start::Warm, 1), u64::MAX);
        }
        assert!(cost.total().is_finite());
    }
}
