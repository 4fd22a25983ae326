//! Admission.

use super::*;

defective!(
    Door,
    u64,
    [
        "delays by a nanosecond when busy",
        "a bucket that is never filled",
        "delays for almost ever when busy",
        "delays until a date",
    ]
);

impl Admission for Door {
    fn admit(&mut self, _request: &RequestView, view: &AdmissionView<'_>) -> AdmissionDecision {
        self.state += 1;
        let is_busy = view.free_cores == 0;
        match self.defect {
            "delays by a nanosecond when busy" if is_busy => AdmissionDecision::Delay(1),
            "a bucket that is never filled" if self.state > 1000 => AdmissionDecision::Delay(SECOND),
            "delays for almost ever when busy" if is_busy => AdmissionDecision::Delay(u64::MAX - 1),
            "delays until a date" if is_busy => AdmissionDecision::Delay(view.now + SECOND),
            _ if is_busy => AdmissionDecision::Delay(SECOND),
            _ => AdmissionDecision::Admit,
        }
    }
}

#[test]
fn seeds_of_admission_are_caught() {
    check_everywhere(
        "admits",
        &[
            ("delays by a nanosecond when busy", "delays a request as if without end: 100 times within 100 ns"),
            ("a bucket that is never filled", "lets nobody in for an hour though the cluster is idle"),
            ("delays for almost ever when busy", "more than a century"),
            ("delays until a date", "a date was given for a length of time"),
        ],
    );
}
