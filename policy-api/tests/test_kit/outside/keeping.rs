//! Keep-alive.

use super::*;

defective!(
    Keeper,
    BTreeMap<u32, u64>,
    [
        "keeps until a date",
        "keeps for seconds and not nanoseconds",
        "prewarms at a date",
        "knows eight functions",
        "counts in 32 bits of milliseconds",
        "an address of a static",
        "keeps for more than a century",
    ]
);

impl KeepAlive for Keeper {
    fn on_idle(&mut self, completion: &Completion<'_>) -> Retention {
        let last = self.state.insert(completion.function, completion.now).unwrap_or(completion.now);
        let gap = completion.now - last;
        Retention {
            keep_for: match self.defect {
                "keeps until a date" => completion.now + 600 * SECOND,
                "keeps for seconds and not nanoseconds" => 600,
                "prewarms at a date" => 0,
                "knows eight functions" => [SECOND; 8][completion.function as usize],
                "counts in 32 bits of milliseconds" => {
                    u64::from(u32::try_from(completion.now / 1_000_000).expect("it fits")).min(600) * SECOND
                }
                "an address of a static" => std::ptr::from_ref(&PLACE) as u64 / 4096 % 600 * SECOND,
                "keeps for more than a century" => (gap + SECOND) * 60 * 60 * 24 * 366 * 101,
                _ => gap + SECOND,
            },
        }
    }

    fn prewarm(&mut self, completion: &Completion<'_>) -> Prewarming {
        match self.defect {
            "prewarms at a date" => Prewarming { after: completion.now + SECOND, keep_for: SECOND },
            _ => Prewarming::NONE,
        }
    }
}

#[test]
fn seeds_of_keep_alive_are_caught() {
    check_everywhere(
        "keeps",
        &[
            ("keeps until a date", "a date was given for a length of time"),
            ("keeps for seconds and not nanoseconds", "times are in ns, not in seconds"),
            ("prewarms at a date", "a date was given for a length of time"),
            ("knows eight functions", "failed in on_idle: panicked: index out of bounds"),
            ("counts in 32 bits of milliseconds", "failed in on_idle: panicked: it fits"),
            ("an address of a static", "does not do the same in a second process"),
            ("keeps for more than a century", "more than a century"),
        ],
    );
}
