//! The test kit, in a process of its own: it looks for memory that grows, and the other tests use a lot.

use hearth_policy_api::testkit::{self, Options};
use hearth_policy_api::{ParameterValue, Parameters};

use hearth_eviction_belady::POLICY;

#[test]
fn the_test_kit_finds_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.csv");
    // A step of the kit takes a second, and it has four functions.
    let lines: String = (1..60).map(|second| format!("{second},{}\n", second * second % 7)).collect();
    std::fs::write(&path, lines).unwrap();
    let mut parameters = Parameters::defaults(&POLICY.parameters());
    parameters.set("requests", ParameterValue::Text(path.to_str().unwrap().to_owned())).unwrap();
    testkit::check(&POLICY, &Options { parameters: Some(parameters), ..Options::default() }).unwrap();
    let fault = testkit::check(&POLICY, &Options::default()).unwrap_err().to_string();
    assert!(fault.contains("requests: name the file"), "{fault}");
}
