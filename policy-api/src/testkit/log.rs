//! What a history came to, call by call.

/// What was called and answered, one a line; and which times were said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    pub lines: Vec<String>,
    /// Lengths of time and dates that the policy has given, in ns.
    pub times: Vec<(Time, &'static str, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Length,
    /// A length of time for which a container is kept.
    Kept,
    Date,
}

impl Log {
    /// Notes a call or an answer, in one line.
    pub fn note(&mut self, call: String) {
        self.lines.push(if call.contains('\n') { call.replace('\n', "\\n") } else { call });
    }

    /// The policy has given a length of time, in ns.
    pub fn length(&mut self, what: &'static str, nanos: u64) {
        self.times.push((Time::Length, what, nanos));
    }

    /// The policy has said for how long a container is kept, in ns.
    pub fn kept(&mut self, what: &'static str, nanos: u64) {
        self.times.push((Time::Kept, what, nanos));
    }

    /// The policy has given a date, in ns.
    pub fn date(&mut self, what: &'static str, nanos: u64) {
        self.times.push((Time::Date, what, nanos));
    }

    /// Leaves out what was noted again and again from a line on.
    pub fn fold(&mut self, from: usize) {
        const SHOWN: usize = 12;
        let left_out = self.lines.len().saturating_sub(from + SHOWN);
        if left_out > 0 {
            self.lines.truncate(from + SHOWN);
            self.note(format!("(and so on, {left_out} lines more)"));
        }
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        self.times.clear();
    }

    /// What tells it from others, in any process.
    pub fn digest(&self) -> u64 {
        // Fowler, Noll and Vo.
        let bytes = self.lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
        bytes.fold(0xCBF2_9CE4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
    }
}
