use hearth_policy_api::*;

use super::{check_rows, defective, tick};

#[derive(Default)]
struct State {
    seen: Vec<u64>,
    /// How many were let in and have not ended.
    inside: u32,
    overloaded: bool,
}

defective!(
    Door,
    State,
    [
        "delays by nothing",
        "never opens again",
        "counts everybody for ever",
        "the clock",
        "panics under load",
        "grows with every request",
        "forgets those that are lost",
        "counts an end twice",
    ]
);

impl Admission for Door {
    fn rules(&self) -> AdmissionRules {
        AdmissionRules { observes_ends: true, ..AdmissionRules::default() }
    }

    fn admit(&mut self, request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        let decision = self.decide(request, load);
        self.state.inside += u32::from(decision == AdmissionDecision::Admit);
        decision
    }

    fn on_end(&mut self, end: &End) {
        let times = match self.defect {
            "counts an end twice" => 2,
            "forgets those that are lost" if end.ending == Ending::Lost => 0,
            _ => 1,
        };
        self.state.inside = self.state.inside.checked_sub(times).expect("no more end than were let in");
    }
}

impl Door {
    fn decide(&mut self, request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        match self.defect {
            "counts everybody for ever" => {
                self.seen_one(request);
                if self.state.seen.len() > 20 {
                    return AdmissionDecision::Reject("there were twenty".into());
                }
            }
            "grows with every request" => self.seen_one(request),
            "the clock" if tick().is_multiple_of(2) => return AdmissionDecision::Delay(5),
            "forgets those that are lost" if self.state.inside > 1 => return AdmissionDecision::Delay(1_000_000_000),
            "panics under load" => assert!(load.waiting < 2000, "so many"),
            _ => {}
        }
        self.state.overloaded |= load.waiting > 1000;
        let full = load.waiting > 1000 || (self.state.overloaded && self.is("never opens again"));
        match full {
            true if self.is("delays by nothing") => AdmissionDecision::Delay(0),
            true => AdmissionDecision::Delay(1_000_000_000),
            false => AdmissionDecision::Admit,
        }
    }

    fn seen_one(&mut self, request: &RequestView) {
        self.state.seen.push(request.invocation);
    }
}

#[test]
fn defects_of_admission_are_caught() {
    check_rows(
        &PolicyDescriptor::admission::<Door>(),
        &[
            ("delays by nothing", "at the same date"),
            ("never opens again", "lets nobody in for an hour"),
            ("counts everybody for ever", "lets nobody in for an hour"),
            ("the clock", "does not do the same"),
            ("panics under load", "failed in admit: panicked: so many"),
            ("grows with every request", "memory grows with the number of calls"),
            ("forgets those that are lost", "lets nobody in for an hour"),
            ("counts an end twice", "failed in on_end: panicked: no more end than were let in"),
        ],
    );
}
