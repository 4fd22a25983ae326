//! Keep-alive `policy-name`: an idle container is kept for some multiple of the time that its invocation ran.

use hearth_policy_api::*;

// What the library exports; a library may have several policies.
export_policies!(PolicyDescriptor::keep_alive::<TypeName>());

parameters! {
    /// What can be set.
    pub struct Settings {
        /// how many times the run time
        factor: number(0.0..=1e6) = 100.0;
    }
}

/// The policy.
pub struct TypeName {
    factor: f64,
}

impl Policy for TypeName {
    const NAME: &'static str = "policy-name";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keeps containers for a multiple of their run time";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self { factor: settings.factor })
    }
}

impl KeepAlive for TypeName {
    /// Asked whenever a container becomes idle. Times are in ns; `nanos` makes them from seconds.
    fn on_idle(&mut self, completion: &Completion) -> Retention {
        Retention { keep_for: nanos(self.factor * completion.run_time as f64 / 1e9) }
    }
}

#[cfg(test)]
mod tests {
    use hearth_policy_api::testkit;

    use super::*;

    #[test]
    fn long_runs_are_kept_long() {
        let mut policy = TypeName { factor: 10.0 };
        let completion = Completion { run_time: nanos(2.0), ..Completion::default() };
        assert_eq!(policy.on_idle(&completion), Retention { keep_for: nanos(20.0) });
    }

    #[test]
    fn the_test_kit_finds_no_fault() {
        testkit::assert_sound(&PolicyDescriptor::keep_alive::<TypeName>());
    }
}
