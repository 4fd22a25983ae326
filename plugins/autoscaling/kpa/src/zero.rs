//! When a function loses its last instance, and how many it begins with.

/// What that goes by; times are in ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ZeroRules {
    /// Whether functions lose their last instance at all.
    pub is_enabled: bool,
    /// How many instances a function begins with.
    pub initial_scale: u32,
    /// It is active for so long at the least.
    pub stable_window: u64,
    /// Requests have passed the activator for so long before the last instance ends, or the function was inactive for so long.
    pub grace: u64,
    /// The last instance stays for so long after the function has become inactive.
    pub retention: u64,
    /// Instances that are not up for so long do not come up any more.
    pub activation_timeout: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Too few instances are ready.
    Activating,
    Active,
    /// Nobody asks for it.
    Inactive,
}

/// Where a function is between its first instance and its last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastInstance {
    status: Status,
    /// Since when, in ns.
    since: u64,
    /// Whether there have been as many instances as it begins with.
    is_initialized: bool,
    /// Since when requests pass the activator, while they do.
    proxied_since: Option<u64>,
}

/// How many instances there are to be within which bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// None before anything has been observed.
    pub desired: Option<u32>,
    pub min_scale: u32,
    pub max_scale: u32,
    /// In ns.
    pub now: u64,
}

/// What becomes of a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// How many are wanted; none where that is not known.
    pub wanted: Option<u32>,
    /// Whether there are to be so many now, or as many as before.
    pub applies: bool,
}

impl LastInstance {
    /// That of a function that is new.
    pub fn new(now: u64) -> Self {
        Self { status: Status::Activating, since: now, is_initialized: false, proxied_since: Some(now) }
    }

    /// Whether there have been as many instances as it begins with.
    pub fn is_initialized(&self) -> bool {
        self.is_initialized
    }

    /// Holds a demand to the bounds, and the last instance as long as it is to stay.
    pub fn hold(&self, rules: &ZeroRules, demand: Demand) -> Held {
        let Demand { desired, min_scale, max_scale, now } = demand;
        if desired.is_none() && self.status != Status::Activating {
            return Held { wanted: None, applies: false };
        }
        let begins = if self.is_initialized || rules.initial_scale <= 1 { 0 } else { rules.initial_scale };
        let least = min_scale.max(begins);
        let bounded = match desired.unwrap_or(0) {
            desired if desired < least => least,
            desired => desired.min(max_scale),
        };
        if bounded > 0 {
            return Held { wanted: Some(bounded), applies: true };
        }
        if !rules.is_enabled {
            return Held { wanted: Some(1), applies: true };
        }
        self.hold_last(rules, now)
    }

    fn hold_last(&self, rules: &ZeroRules, now: u64) -> Held {
        let (for_so_long, zero) = (now.saturating_sub(self.since), Some(0));
        match self.status {
            Status::Activating if for_so_long > rules.activation_timeout => Held { wanted: zero, applies: true },
            Status::Activating => Held { wanted: None, applies: false },
            // It becomes inactive, and the instance stays.
            Status::Active if for_so_long >= rules.stable_window => Held { wanted: zero, applies: false },
            Status::Active => Held { wanted: Some(1), applies: true },
            Status::Inactive if for_so_long >= rules.grace.max(rules.retention) => Held { wanted: zero, applies: true },
            Status::Inactive => {
                let proxied_for = self.proxied_since.map_or(0, |since| now.saturating_sub(since));
                Held { wanted: zero, applies: for_so_long >= rules.retention && proxied_for >= rules.grace }
            }
        }
    }

    /// Takes note of what has become of a demand where so many instances are ready, with so much room beyond what is to be left.
    pub fn note(&mut self, rules: &ZeroRules, held: Held, ready: u32, excess: f64, demand: Demand) {
        let Demand { min_scale, now, .. } = demand;
        let is_any_wanted = held.wanted.is_some_and(|wanted| wanted > 0);
        self.proxied_since = match is_any_wanted && excess >= 0.0 {
            true => None,
            false => self.proxied_since.or(Some(now)),
        };
        let threshold = min_scale.max(if self.is_initialized { 1 } else { rules.initial_scale });
        self.is_initialized |= ready >= threshold;
        let goes_on = is_any_wanted || self.status != Status::Inactive;
        let status = match () {
            () if held.wanted == Some(0) || threshold == 0 || !goes_on => Status::Inactive,
            () if ready < threshold => Status::Activating,
            () => Status::Active,
        };
        if status != self.status {
            (self.status, self.since) = (status, now);
        }
    }
}

#[cfg(test)]
mod tests;
