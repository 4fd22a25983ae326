//! The test kit, in a process of its own: it looks for memory that grows, and the other tests use a lot.

use hearth_keep_alive_learned::{POLICY, SHAPE};
use hearth_policy_api::testkit::{self, Options};
use hearth_policy_api::{ParameterValue, Parameters};

/// A network that keeps for 60 s where few idle times have been seen, and for 10 s elsewhere.
fn network(actions: &str) -> String {
    let features = SHAPE.features.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let zeros = ", 0".repeat(SHAPE.features.len() - 1);
    format!(
        r#"{{"format": "hearth-network/1", "decides": "keep_for_s", "features": [{features}], "actions": {actions},
        "layers": [{{"weights": [[0{zeros}], [1{zeros}]], "biases": [0.25, 0], "activation": "none"}}]}}"#
    )
}

fn parameters(network: &str) -> Options {
    let mut parameters = Parameters::defaults(&POLICY.parameters());
    parameters.set("network", ParameterValue::Text(network.to_owned())).unwrap();
    Options { parameters: Some(parameters), ..Options::default() }
}

#[test]
fn the_test_kit_finds_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.json");
    let path = path.to_str().unwrap();
    std::fs::write(path, network("[60, 10]")).unwrap();
    testkit::check(&POLICY, &parameters(path)).unwrap();
    std::fs::write(path, network("[60, -10]")).unwrap();
    let fault = testkit::check(&POLICY, &parameters(path)).unwrap_err().to_string();
    assert!(fault.contains("network.json: keeps for -10 s: expected 0 or more"), "{fault}");
    let fault = testkit::check(&POLICY, &Options::default()).unwrap_err().to_string();
    assert!(fault.contains("network: name the file with the trained network"), "{fault}");
    let fault = testkit::check(&POLICY, &parameters("nowhere.json")).unwrap_err().to_string();
    assert!(fault.contains("network: nowhere.json cannot be read: "), "{fault}");
}
