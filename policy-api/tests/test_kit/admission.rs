use hearth_policy_api::*;

use super::{check_rows, defective, tick};

#[derive(Default)]
struct State {
    seen: Vec<u64>,
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
    ]
);

impl Admission for Door {
    fn admit(&mut self, request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        match self.defect {
            "counts everybody for ever" => {
                self.seen_one(request);
                if self.state.seen.len() > 20 {
                    return AdmissionDecision::Reject("there were twenty".into());
                }
            }
            "grows with every request" => self.seen_one(request),
            "the clock" if tick().is_multiple_of(2) => return AdmissionDecision::Delay(5),
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
}

impl Door {
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
        ],
    );
}
