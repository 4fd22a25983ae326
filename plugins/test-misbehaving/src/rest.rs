//! Eviction, admission and keep-alive that go wrong.

use hearth_policy_api::*;

use crate::panic_with;

/// Evicts in the order of arrival, unless it is to do something else.
#[derive(Debug)]
pub struct Misevicts {
    how: &'static str,
    items: Vec<u32>,
}

parameters! {
    /// What goes wrong.
    pub struct WaysOfMisevicts {
        /// what goes wrong
        how: word("well", "absent", "twice", "too_few", "panic_insert", "panic_touch", "panic_remove", "panic_choose", "offer_for_ever") = "well";
    }
}

impl Policy for Misevicts {
    const NAME: &'static str = "misevicts";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "eviction that goes wrong";
    type Parameters = WaysOfMisevicts;

    fn new(ways: WaysOfMisevicts, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { how: ways.how, items: Vec::new() })
    }
}

impl Misevicts {
    fn panic_in(&self, call: &str) {
        if self.how == call {
            panic_with(call);
        }
    }
}

impl Eviction for Misevicts {
    fn insert(&mut self, item: &EvictionItem) {
        self.panic_in("panic_insert");
        self.items.push(item.id);
    }

    fn touch(&mut self, _id: u32, _touch: Touch, _now: u64) {
        self.panic_in("panic_touch");
    }

    fn remove(&mut self, id: u32, _removal: Removal, _now: u64) {
        self.panic_in("panic_remove");
        self.items.retain(|other| *other != id);
    }

    fn choose(&mut self, _need: &Need, victims: &mut Victims<'_>) {
        self.panic_in("panic_choose");
        match self.how {
            "absent" => {
                victims.offer(4_000_000);
            }
            "twice" => (0..2).for_each(|_| {
                victims.offer(self.items[0]);
            }),
            "offer_for_ever" => loop {
                victims.offer(self.items[0]);
            },
            "too_few" => {}
            _ => {
                let _ = self.items.iter().find(|id| victims.offer(**id) == Offer::Enough);
            }
        }
    }
}

/// Lets everybody in, unless it is to do something else.
#[derive(Debug)]
pub struct Misadmits {
    how: &'static str,
}

parameters! {
    /// What goes wrong.
    pub struct WaysOfMisadmits {
        /// what goes wrong
        how: word("well", "panic_admit", "negative_delay", "delay_without_end", "delay_for_ever", "delay_in_vain") = "well";
    }
}

impl Policy for Misadmits {
    const NAME: &'static str = "misadmits";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "admission that goes wrong";
    type Parameters = WaysOfMisadmits;

    fn new(ways: WaysOfMisadmits, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { how: ways.how })
    }
}

impl Admission for Misadmits {
    fn admit(&mut self, _request: &RequestView, _load: &AdmissionView<'_>) -> AdmissionDecision {
        match self.how {
            "panic_admit" => panic_with(self.how),
            "negative_delay" => AdmissionDecision::Delay(nanos(-0.5)),
            "delay_without_end" => AdmissionDecision::Delay(1),
            "delay_for_ever" => AdmissionDecision::Delay(u64::MAX - 1),
            "delay_in_vain" => AdmissionDecision::Delay(1_000_000_000),
            _ => AdmissionDecision::Admit,
        }
    }
}

/// Keeps containers for a minute, unless it is to do something else.
#[derive(Debug)]
pub struct Miskeeps {
    how: &'static str,
}

parameters! {
    /// What goes wrong.
    pub struct WaysOfMiskeeps {
        /// what goes wrong
        how: word("well", "nan", "panic_on_idle", "panic_on_arrival", "panic_rules") = "well";
    }
}

impl Policy for Miskeeps {
    const NAME: &'static str = "miskeeps";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keep-alive that goes wrong";
    type Parameters = WaysOfMiskeeps;

    fn new(ways: WaysOfMiskeeps, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { how: ways.how })
    }
}

impl KeepAlive for Miskeeps {
    fn rules(&self) -> KeepAliveRules {
        if self.how == "panic_rules" {
            panic_with(self.how);
        }
        KeepAliveRules { observes_arrivals: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        match self.how {
            "nan" => Retention { keep_for: nanos(f64::NAN) },
            "panic_on_idle" => panic_with(self.how),
            _ => Retention { keep_for: nanos(60.0) },
        }
    }

    fn on_arrival(&mut self, _function: u32, _now: u64) {
        if self.how == "panic_on_arrival" {
            panic_with(self.how);
        }
    }
}
