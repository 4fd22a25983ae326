use hearth_policy_api::*;

use super::{check_rows, defective};

const SECOND: u64 = 1_000_000_000;

#[derive(Default)]
pub struct State {
    actions: Option<Actions>,
    arrived: u64,
    kept: Vec<Vec<u8>>,
}

defective!(
    Ticker,
    State,
    [
        "for now again and again",
        "panics when it has seen nobody",
        "no function",
        "asks by the clock",
        "grows with every tick",
    ]
);

impl Ticker {
    fn tick(&mut self, now: u64) {
        let is_at_once = self.is("for now again and again");
        let Some(actions) = &self.state.actions else { return };
        match self.defect {
            "panics when it has seen nobody" => assert!(self.state.arrived > 0, "nobody has come"),
            "no function" => actions.start_containers(NONE, NONE, 1, SECOND),
            "asks by the clock" => actions.end_containers(super::tick() as u32 % 2, NONE, 1),
            "grows with every tick" => self.state.kept.push(vec![0; 64]),
            _ => actions.start_containers(0, NONE, 1, SECOND),
        }
        actions.wake_at(1, if is_at_once { now } else { now + 10 * SECOND });
    }
}

/// What [`defective!`] makes, with the way to its host.
pub struct WithActions(Ticker);

impl Policy for WithActions {
    const NAME: &'static str = Ticker::NAME;
    const VERSION: &'static str = Ticker::VERSION;
    const DESCRIPTION: &'static str = Ticker::DESCRIPTION;
    type Parameters = <Ticker as Policy>::Parameters;

    fn new(parameters: Self::Parameters, context: &PolicyContext) -> Result<Self, PolicyError> {
        let mut ticker = Ticker::new(parameters, context)?;
        let actions = context.actions();
        actions.wake_at(1, SECOND);
        // Taken back: it would be an error if it went off.
        actions.wake_at(2, 2 * SECOND);
        actions.wake_at(2, u64::MAX);
        ticker.state.actions = Some(actions);
        Ok(Self(ticker))
    }
}

impl KeepAlive for WithActions {
    fn rules(&self) -> KeepAliveRules {
        KeepAliveRules { observes_arrivals: true, ..KeepAliveRules::default() }
    }

    fn on_idle(&mut self, _completion: &Completion) -> Retention {
        Retention { keep_for: SECOND }
    }

    fn on_arrival(&mut self, _function: u32, _now: u64) {
        self.0.state.arrived += 1;
    }

    fn on_timer(&mut self, timer: u64, cluster: &ClusterView<'_>) {
        assert_eq!(timer, 1, "timer 2 was taken back");
        self.0.tick(cluster.now);
    }
}

#[test]
fn defects_of_timers_are_caught() {
    check_rows(
        &PolicyDescriptor::keep_alive::<WithActions>(),
        &[
            ("for now again and again", "sets a timer for now again and again"),
            ("panics when it has seen nobody", "failed in on_timer: panicked: nobody has come"),
            ("no function", "names no function in start_containers"),
            ("asks by the clock", "does not do the same"),
            ("grows with every tick", "memory grows"),
        ],
    );
}
