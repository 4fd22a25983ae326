//! A platform in SimGrid's XML is the platform it describes: a reference case on it has the same dates.

use std::fs;

use hearth_serverless::experiment::Experiment;
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use hearth_tests::{project_path, run_scenario};
use serde_json::{Value, json};

const PLATFORM: &str = r#"<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="AS0" routing="Full">
    <host id="UserHost" speed="10Gf" core="1">
      <disk id="hard_drive" read_bw="100MBps" write_bw="100MBps">
        <prop id="size" value="5000GiB"/>
        <prop id="mount" value="/"/>
      </disk>
    </host>
    <host id="ServerlessHeadNode" speed="10Gf" core="1">
      <disk id="hard_drive" read_bw="100MBps" write_bw="100MBps">
        <prop id="size" value="5000GiB"/>
        <prop id="mount" value="/"/>
      </disk>
      <prop id="ram" value="16GB"/>
    </host>
    <host id="ServerlessComputeNode1" speed="50Gf" core="10">
      <disk id="hard_drive" read_bw="100MBps" write_bw="100MBps">
        <prop id="size" value="200GB"/>
        <prop id="mount" value="/"/>
      </disk>
      <prop id="ram" value="64GB"/>
    </host>
    <link id="wide_area" bandwidth="20MBps" latency="20us"/>
    <link id="local_area" bandwidth="100Gbps" latency="1ns"/>
    <route src="UserHost" dst="ServerlessHeadNode"><link_ctn id="wide_area"/></route>
    <route src="UserHost" dst="ServerlessComputeNode1"><link_ctn id="wide_area"/><link_ctn id="local_area"/></route>
    <route src="ServerlessHeadNode" dst="ServerlessComputeNode1"><link_ctn id="local_area"/></route>
  </zone>
</platform>"#;

#[test]
fn a_reference_case_on_a_simgrid_platform_has_the_same_dates() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("platform.xml"), PLATFORM).unwrap();
    let text = fs::read_to_string(project_path("tests/reference/s02_warm_reuse.json")).unwrap();
    let mut scenario: Value = serde_json::from_str(&text).unwrap();
    scenario["platform"] = json!({"simgrid_xml": "platform.xml"});
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let scenario = Scenario::read(&file, &[]).unwrap();
    let results = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
    assert_eq!(results.records, run_scenario("tests/reference/s02_warm_reuse.json").records);
}

#[test]
fn what_is_wrong_with_the_file_is_said_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(project_path("tests/reference/s02_warm_reuse.json")).unwrap();
    let mut scenario: Value = serde_json::from_str(&text).unwrap();
    scenario["platform"] = json!({"simgrid_xml": "platform.xml"});
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let message = || {
        let scenario = Scenario::read(&file, &[]).unwrap();
        Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap_err().to_string()
    };
    assert!(message().contains("platform.xml: cannot be read: No such file"), "{}", message());
    fs::write(folder.path().join("platform.xml"), PLATFORM.replace("Full", "Vivaldi")).unwrap();
    assert_eq!(
        message(),
        "platform.simgrid_xml: platform.xml: line 4: routing=\"Vivaldi\" is not supported: use routing=\"Full\", or a <cluster>"
    );
}
