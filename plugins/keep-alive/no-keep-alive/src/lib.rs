//! Keep-alive `no-keep-alive`: every container ends with its invocation, so each request has a cold start unless it is
//! given a container at that moment. The least memory and the most cold starts that a policy can have.

use hearth_policy_api::*;

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<NoKeepAlive>();
export_policies!(POLICY);

/// The policy; it keeps no state.
#[derive(Debug)]
pub struct NoKeepAlive;

impl Policy for NoKeepAlive {
    const NAME: &'static str = "no-keep-alive";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "ends containers with their invocation";
    type Parameters = ();

    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl KeepAlive for NoKeepAlive {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: 0 }
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
    fn nothing_is_kept_or_started_ahead() {
        let completion = Completion::default();
        assert_eq!(NoKeepAlive.on_idle(&completion), Retention { keep_for: 0 });
        assert_eq!(NoKeepAlive.prewarm(&completion), Prewarming::NONE);
    }
}
