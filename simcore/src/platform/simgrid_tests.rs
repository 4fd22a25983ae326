//! Platforms in SimGrid's format: what is read, and what is refused.

use super::Platform;

fn names(platform: &Platform, from: &str, to: &str) -> (Vec<String>, Vec<String>) {
    let id = |name| platform.host_by_name(name).unwrap_or_else(|| panic!("{name}"));
    let route = platform.route(id(from), id(to)).unwrap_or_else(|| panic!("no route {from} {to}"));
    let names = |links: &[super::LinkId]| links.iter().map(|link| platform.link(*link).name.clone()).collect();
    (names(&route.forward), names(&route.backward))
}

fn zone(content: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<platform version=\"4.1\">\n<zone id=\"world\" routing=\"Full\">\n{content}\n</zone>\n</platform>"
    )
}

#[test]
fn a_platform_of_wrench_is_read() {
    let platform = Platform::from_simgrid_xml(
        r#"<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="AS0" routing="Full">
    <host id="UserHost" speed="10Gf" core="1">
      <disk id="hard_drive" read_bw="100MBps" write_bw="100MBps"><prop id="size" value="5000GiB"/><prop id="mount" value="/"/></disk>
    </host>
    <host id="ServerlessHeadNode" speed="10Gf" core="1">
      <disk id="hard_drive" read_bw="100MBps" write_bw="100MBps"><prop id="size" value="5000GiB"/><prop id="mount" value="/"/></disk>
      <prop id="ram" value="16GB"/>
    </host>
    <host id="ServerlessComputeNode1" speed="50Gf" core="10">
      <prop id="ram" value="64GB"/>
      <disk id="hard_drive" read_bw="100MBps" write_bw="80MBps"><prop id="size" value="200GB"/></disk>
    </host>
    <link id="wide_area" bandwidth="20MBps" latency="20us"/>
    <link id="local_area" bandwidth="100Gbps" latency="1ns"/>
    <route src="UserHost" dst="ServerlessHeadNode"><link_ctn id="wide_area"/></route>
    <route src="UserHost" dst="ServerlessComputeNode1"><link_ctn id="wide_area"/><link_ctn id="local_area"/></route>
  </zone>
</platform>"#,
    )
    .unwrap();
    let node = platform.host(platform.host_by_name("ServerlessComputeNode1").unwrap());
    assert_eq!((node.cores, node.speed, node.ram), (10, 50e9, 64_000_000_000));
    let disk = node.disk().unwrap();
    assert_eq!((disk.capacity, disk.read_bandwidth, disk.write_bandwidth), (200_000_000_000, 100e6, 80e6));
    assert_eq!(platform.links()[1].bandwidth, 12.5e9);
    let there_and_back = (vec!["wide_area".into(), "local_area".into()], vec!["local_area".into(), "wide_area".into()]);
    assert_eq!(names(&platform, "UserHost", "ServerlessComputeNode1"), there_and_back);
    let id = |name| platform.host_by_name(name).unwrap();
    assert_eq!(platform.route(id("ServerlessHeadNode"), id("ServerlessComputeNode1")), None);
}

#[test]
fn a_cluster_is_joined_over_its_router_and_has_a_channel_for_each_direction() {
    let text = zone(
        r#"<zone id="outside" routing="Full"><host id="user" speed="1f"/></zone>
        <cluster id="c" prefix="n" suffix=".org" radical="0-1,5" speed="2Gf" core="4" bw="1GBps" lat="1us" bb_bw="10GBps" bb_lat="2us"/>
        <link id="wan" bandwidth="1MBps" latency="1ms"/>
        <zoneRoute src="outside" dst="c" gw_src="user" gw_dst="nc_router.org"><link_ctn id="wan"/></zoneRoute>"#,
    );
    let platform = Platform::from_simgrid_xml(&text).unwrap();
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        names(&platform, "n0.org", "n5.org"),
        (
            strings(&["c_link_0_UP", "c_backbone", "c_link_5_DOWN"]),
            strings(&["c_link_5_UP", "c_backbone", "c_link_0_DOWN"])
        )
    );
    assert_eq!(
        names(&platform, "user", "n1.org"),
        (strings(&["wan", "c_backbone", "c_link_1_DOWN"]), strings(&["c_link_1_UP", "c_backbone", "wan"]))
    );
}

#[test]
fn nested_zones_meet_over_their_gateways_and_split_duplex_links_turn_round() {
    let text = zone(
        r#"<zone id="a" routing="Full"><host id="h" speed="1f"/><router id="ra"/><link id="la" bandwidth="1" latency="0" sharing_policy="SPLITDUPLEX"/>
             <route src="h" dst="ra"><link_ctn id="la" direction="UP"/></route></zone>
           <zone id="b" routing="Full"><host id="g" speed="1f"/></zone>
           <link id="lab" bandwidth="1" latency="0" sharing_policy="FATPIPE"/>
           <zoneRoute src="a" dst="b" gw_src="ra" gw_dst="g"><link_ctn id="lab"/></zoneRoute>"#,
    );
    let platform = Platform::from_simgrid_xml(&text).unwrap();
    assert_eq!(
        names(&platform, "h", "g"),
        (vec!["la_UP".to_owned(), "lab".to_owned()], vec!["lab".to_owned(), "la_DOWN".to_owned()])
    );
}

#[test]
fn what_is_not_supported_or_wrong_is_refused_by_name_and_line() {
    let host = r#"<host id="h" speed="1f"/>"#;
    for (content, expected) in [
        (
            "<peer id=\"p\"/>",
            "line 4: <peer> is not supported: describe it with zones of routing Full, hosts, links, routes and clusters",
        ),
        ("<bypassRoute src=\"a\" dst=\"b\"/>", "line 4: <bypassRoute> is not supported: describe it"),
        (
            "<zone id=\"z\" routing=\"Floyd\"/>",
            "line 4: routing=\"Floyd\" is not supported: use routing=\"Full\", or a <cluster>",
        ),
        (
            "<host id=\"h\" speed=\"1f,2f\"/>",
            "line 4: a list of values in speed=\"1f,2f\" is not supported: give the one value",
        ),
        (
            "<host id=\"h\" speed=\"1f\" pstate=\"1\"/>",
            "line 4: attribute \"pstate\" of <host> is not supported: leave it out",
        ),
        (
            "<link id=\"l\" bandwidth=\"1\" state_file=\"f\"/>",
            "line 4: attribute \"state_file\" of <link> is not supported",
        ),
        (
            "<link id=\"l\" bandwidth=\"1\" sharing_policy=\"WIFI\"/>",
            "line 4: sharing policy \"WIFI\" is not supported: use SHARED",
        ),
        ("<link id=\"l\" bandwidth=\"1 mile\"/>", "line 4: bandwidth: unknown unit \"mile\" in \"1 mile\""),
        ("<host id=\"h\"/>", "line 4: <host> lacks the attribute \"speed\""),
        (
            "<host id=\"h\" speed=\"1f\"><disk id=\"d\" read_bw=\"1\" write_bw=\"1\"/></host>",
            "line 4: the disk lacks the property \"size\"",
        ),
        (&format!("{host}{host}"), "line 4: the name \"h\" is taken: names must differ"),
        (&format!("{host}<route src=\"h\" dst=\"g\"/>"), "line 4: dst: there is no host, router or zone \"g\""),
        (&format!("{host}<route src=\"h\" dst=\"h\"><link_ctn id=\"l\"/></route>"), "line 4: there is no link \"l\""),
        (
            "<cluster id=\"c\" prefix=\"n\" radical=\"a\" speed=\"1f\" bw=\"1\" lat=\"0\"/>",
            "line 4: radical=\"a\": expected numbers",
        ),
    ] {
        let message = Platform::from_simgrid_xml(&zone(content)).unwrap_err().to_string();
        assert!(message.starts_with(expected), "expected {expected}\n     got {message}");
    }
    assert!(
        Platform::from_simgrid_xml("<platform")
            .unwrap_err()
            .to_string()
            .starts_with("the platform is not well-formed XML")
    );
    assert!(Platform::from_simgrid_xml("<jobs/>").unwrap_err().to_string().starts_with("line 1: found <jobs>"));
}
