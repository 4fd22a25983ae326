//! Admission `token-bucket`: lets in `rate` (1000) requests a second, and `burst` (1000) at once after a pause.
//!
//! A bucket holds up to `burst` tokens, at the begin all; `rate` come every second, and each request takes one. A request
//! that finds none is rejected, or with `excess: delay` waits for the next token that is not promised to another. With
//! `per_function: true` each function has a bucket of its own.
//!
//! The bucket is kept as the date at which it will be full (the generic cell rate algorithm, ITU-T I.371, in its virtual
//! scheduling form), so it is exact in ns: a request is let in if that date is less than `burst` tokens away, and moves it
//! by one token.

use hearth_policy_api::*;
use hearth_policy_toolbox::ByFunction;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::admission::<TokenBucket>();
export_policies!(POLICY);

choice! {
    /// What becomes of those that find no token.
    pub enum Excess {
        /// They are rejected.
        Reject = "reject",
        /// They come again when there is a token for them.
        Delay = "delay",
    }
}

parameters! {
    /// What can be set of [`TokenBucket`].
    pub struct Settings {
        /// how many are let in
        rate: number(1e-6..=1e9) = 1000.0, "requests/s";
        /// how many are let in at once after a pause
        burst: integer(1..=1_000_000_000) = 1000, "requests";
        /// what becomes of the others
        excess: choice(Excess) = Excess::Reject;
        /// whether each function has a bucket of its own
        per_function: flag = false;
    }
}

/// The policy and its buckets.
#[derive(Debug)]
pub struct TokenBucket {
    /// Time in which a token comes, in ns.
    interval: u64,
    /// Time in which the whole bucket fills, in ns.
    window: u64,
    delays: bool,
    per_function: bool,
    /// When the bucket of each function will be full, in ns; the first is everybody's unless they have their own.
    full_at: ByFunction<u64>,
}

impl Policy for TokenBucket {
    const NAME: &'static str = "token-bucket";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "lets in so many requests a second, and bursts";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        let interval = nanos(1.0 / settings.rate);
        Ok(Self {
            interval,
            window: interval.saturating_mul(settings.burst),
            delays: settings.excess == Excess::Delay,
            per_function: settings.per_function,
            full_at: ByFunction::default(),
        })
    }
}

impl Admission for TokenBucket {
    fn admit(&mut self, request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        if load.delays > 0 {
            // Its token was taken when it was delayed until the token comes.
            return AdmissionDecision::Admit;
        }
        let full_at = self.full_at.get_mut(if self.per_function { request.function } else { 0 });
        let next_full_at = load.now.max(*full_at).saturating_add(self.interval);
        let wait = next_full_at.saturating_sub(load.now.saturating_add(self.window));
        if wait == 0 || self.delays {
            *full_at = next_full_at;
        }
        match wait {
            0 => AdmissionDecision::Admit,
            _ if self.delays => AdmissionDecision::Delay(wait),
            _ => AdmissionDecision::Reject("more requests came than the rate and the burst allow".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&POLICY);
    }

    /// What is decided of requests at these dates in s, with a token every 10 s and a burst of 2.
    fn decide(delays: bool, per_function: bool, requests: &[(u64, u32)]) -> Vec<Option<u64>> {
        let second = 1_000_000_000;
        let (interval, window) = (10 * second, 20 * second);
        let mut policy = TokenBucket { interval, window, delays, per_function, full_at: ByFunction::default() };
        let mut decide = |(at, function): &(u64, u32)| {
            let load = AdmissionView { now: at * second, ..AdmissionView::default() };
            match policy.admit(&RequestView { function: *function, ..RequestView::default() }, &load) {
                AdmissionDecision::Admit => Some(0),
                AdmissionDecision::Delay(wait) => Some(wait / second),
                AdmissionDecision::Reject(_) => None,
            }
        };
        requests.iter().map(&mut decide).collect()
    }

    #[test]
    fn a_worked_example() {
        let requests = [(100, 0), (101, 0), (102, 1), (110, 0), (111, 0), (150, 0), (150, 0), (150, 0)];
        let (yes, no) = (Some(0), None);
        assert_eq!(decide(false, false, &requests), [yes, yes, no, yes, no, yes, yes, no]);
        assert_eq!(decide(false, true, &requests), [yes, yes, yes, yes, no, yes, yes, no]);
        // Tokens come at 110, 120, 130; the last one's turn is at 160.
        assert_eq!(decide(true, false, &requests), [yes, yes, Some(8), Some(10), Some(19), yes, yes, Some(10)]);
    }

    #[test]
    fn who_was_delayed_is_let_in() {
        let mut policy = TokenBucket::new(Settings::default(), &PolicyContext::default()).unwrap();
        let load = AdmissionView { delays: 1, ..AdmissionView::default() };
        for _ in 0..2_000 {
            assert_eq!(policy.admit(&RequestView::default(), &load), AdmissionDecision::Admit);
        }
    }
}
