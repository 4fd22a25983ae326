//! Keep-alive `fixed`: an idle container is kept for `timeout` after its last use; with 0 it ends at once.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<Fixed>();
export_policies!(POLICY);

parameters! {
    /// What can be set of [`Fixed`].
    pub struct Settings {
        /// how long an idle container is kept
        timeout: duration = 600_000_000_000;
    }
}

/// The policy.
#[derive(Debug)]
pub struct Fixed {
    /// In ns.
    timeout: u64,
}

impl Policy for Fixed {
    const NAME: &'static str = "fixed";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keeps idle containers for a fixed time";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { timeout: settings.timeout })
    }
}

impl KeepAlive for Fixed {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: self.timeout }
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

    #[test]
    fn every_container_is_kept_as_long() {
        let mut policy = Fixed { timeout: 5 };
        assert_eq!(policy.on_idle(&Completion::default()), Retention { keep_for: 5 });
    }
}
