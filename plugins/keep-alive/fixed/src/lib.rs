//! Keep-alive `fixed`: an idle container is kept for `timeout` after its last use; with 0 it ends at once.

use hearth_policy_api::{
    Completion, Constructor, KeepAlive, ParameterKind, ParameterSpec, ParameterValue, PolicyDescriptor, Retention,
};

/// The policy as scenarios know it.
pub static POLICY: PolicyDescriptor = PolicyDescriptor {
    name: "fixed",
    version: env!("CARGO_PKG_VERSION"),
    description: "keeps idle containers for a fixed time",
    parameters: &[ParameterSpec {
        name: "timeout",
        kind: ParameterKind::Duration,
        default: ParameterValue::Duration(600_000_000_000),
        help: "how long an idle container is kept, in seconds",
    }],
    constructor: Constructor::KeepAlive(|parameters, _| {
        Ok(Box::new(Fixed { timeout: parameters.duration("timeout") }))
    }),
};

/// The policy.
#[derive(Debug)]
pub struct Fixed {
    /// In ns.
    timeout: u64,
}

impl KeepAlive for Fixed {
    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: self.timeout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_container_is_kept_as_long() {
        let mut policy = Fixed { timeout: 5 };
        assert_eq!(policy.on_idle(&Completion::default()), Retention { keep_for: 5 });
    }
}
