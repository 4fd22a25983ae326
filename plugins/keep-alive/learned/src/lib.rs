//! Keep-alive `learned`: a container is kept as long as a network says that was trained on simulations, in the environment
//! `hearth/KeepAlive-v0` or elsewhere.
//!
//! The network is a small multi-layer perceptron in the file `network` ([`Network`] has the format). When a container becomes
//! idle, it is shown the [`KeepAliveFeatures`], and of the times in `actions` the one is taken whose number is the greatest, the
//! first of equals. `decides` in the file is `keep_for_s`: the times are in seconds.
//!
//! A network that was trained on other features is refused. The path of the file is relative to the folder in which `hearth` is called.

use hearth_policy_api::*;
use hearth_policy_toolbox::{KeepAliveFeatures, Network, Shape};

/// The policy as scenarios know it.
pub const POLICY: PolicyDescriptor = PolicyDescriptor::keep_alive::<Learned>();
export_policies!(POLICY);

/// What a network must be of to be asked here.
pub const SHAPE: Shape<'static> = Shape { decides: "keep_for_s", features: &KeepAliveFeatures::NAMES };

parameters! {
    /// What can be set of [`Learned`].
    pub struct Settings {
        /// path of the file with the network
        network: text = "";
    }
}

/// The policy, its network and what it has seen.
#[derive(Debug)]
pub struct Learned {
    network: Network,
    features: KeepAliveFeatures,
}

impl Policy for Learned {
    const NAME: &'static str = "learned";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "keeps containers as long as a trained network says";
    type Parameters = Settings;

    fn new(settings: Settings, _context: &PolicyContext) -> Result<Self, PolicyError> {
        if settings.network.is_empty() {
            return Err(PolicyError::new("network: name the file with the trained network"));
        }
        let wrong = |error| PolicyError::new(format!("network: {error}"));
        let network = Network::read(&settings.network, &SHAPE).map_err(wrong)?;
        if let Some(time) = network.actions().iter().find(|time| **time < 0.0) {
            return Err(PolicyError::new(format!(
                "network: {}: keeps for {time} s: expected 0 or more",
                settings.network
            )));
        }
        Ok(Self { network, features: KeepAliveFeatures::default() })
    }
}

impl KeepAlive for Learned {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, sees_history: true, ..KeepAliveRules::default() }
    }

    fn on_arrival(&mut self, function: u32, now: u64) {
        self.features.on_arrival(function, now);
    }

    fn on_idle(&mut self, completion: &Completion) -> Retention {
        let features = self.features.on_idle(completion);
        Retention { keep_for: nanos(self.network.choose(&features)) }
    }
}
