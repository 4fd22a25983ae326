//! What would send a lookup astray, or be lost without a word, is refused with its line.

use super::super::Platform;

/// Content begins on line 2.
fn read(content: &str) -> Result<Platform, String> {
    let text = format!("<platform version=\"4.1\"><zone id=\"world\" routing=\"Full\">\n{content}\n</zone></platform>");
    Platform::from_simgrid_xml(&text).map_err(|error| error.to_string())
}

fn links(platform: &Platform, from: &str, to: &str) -> Option<(Vec<String>, Vec<String>)> {
    let route = platform.route(platform.host_by_name(from).unwrap(), platform.host_by_name(to).unwrap())?;
    let names = |links: &[super::LinkId]| links.iter().map(|link| platform.link(*link).name.clone()).collect();
    Some((names(&route.forward), names(&route.backward)))
}

const TWO_ZONES: &str = r#"<zone id="a" routing="Full"><host id="h" speed="1f"/></zone><zone id="b" routing="Full"><zone id="c" routing="Full"><host id="g" speed="1f"/></zone></zone><link id="l" bandwidth="1"/>"#;
const TWO_HOSTS: &str = r#"<host id="h" speed="1f"/><host id="g" speed="1f"/><link id="l" bandwidth="1"/>"#;

fn refused(rows: &[(&str, &str, &str)]) {
    for (before, content, expected) in rows {
        let found = read(&format!("{before}\n{content}")).map(|_| ());
        assert_eq!(found, Err(format!("line 3: {expected}")), "{content}");
    }
}

#[test]
fn a_gateway_may_stand_deep_within_its_zone_but_not_outside() {
    let route = |src: &str, dst: &str, gw_src: &str, gw_dst: &str| {
        format!(
            r#"<zoneRoute src="{src}" dst="{dst}" gw_src="{gw_src}" gw_dst="{gw_dst}"><link_ctn id="l"/></zoneRoute>"#
        )
    };
    let platform = read(&format!("{TWO_ZONES}{}", route("a", "b", "h", "g"))).unwrap();
    let both_ways = (vec!["l".to_owned()], vec!["l".to_owned()]);
    assert_eq!(links(&platform, "h", "g"), Some(both_ways));
    let rows = [
        (route("a", "b", "g", "g"), "gw_src: \"g\" is not a host or router within zone \"a\""),
        (route("a", "b", "h", "h"), "gw_dst: \"h\" is not a host or router within zone \"b\""),
        (route("a", "b", "a", "g"), "gw_src: \"a\" is not a host or router within zone \"a\""),
        (route("b", "c", "g", "g"), "dst: \"c\" is not a zone directly within the one that holds the route"),
        (route("world", "a", "g", "h"), "src: \"world\" is not a zone directly within the one that holds the route"),
        (route("h", "b", "h", "g"), "src: \"h\" is not a zone directly within the one that holds the route"),
        (route("a", "a", "h", "h"), "a zone route leads from a zone to itself: name two zones"),
    ];
    refused(&rows.each_ref().map(|(content, expected)| (TWO_ZONES, content.as_str(), *expected)));
}

#[test]
fn a_route_joins_two_hosts_or_routers_of_its_zone() {
    let outside = "a host or router of the zone that holds the route";
    refused(&[
        (TWO_ZONES, r#"<route src="a" dst="b"/>"#, &format!("src: \"a\" is not {outside}")),
        (TWO_ZONES, r#"<route src="h" dst="g"/>"#, &format!("src: \"h\" is not {outside}")),
        (
            TWO_HOSTS,
            r#"<route src="h" dst="h"><link_ctn id="l"/></route>"#,
            "a route from \"h\" to itself is not supported: leave it out: what stays within a host crosses no link",
        ),
        (
            TWO_HOSTS,
            r#"<route src="h" dst="g" gw_src="h"/>"#,
            "attribute \"gw_src\" of <route> is not supported: leave it out",
        ),
        (TWO_HOSTS, r#"<route src="h" dst="g" symmetrical="Maybe"/>"#, "symmetrical=\"Maybe\": expected yes or no"),
        (
            TWO_HOSTS,
            r#"<route src="h" dst="g"><link_ctn id="l"/></route><route src="g" dst="h" symmetrical="NO"/>"#,
            "the route from \"g\" to \"h\" is given twice: keep one",
        ),
    ]);
}

#[test]
fn a_route_that_is_not_symmetrical_serves_one_direction() {
    let route = |from: &str, to: &str| {
        format!(r#"<route src="{from}" dst="{to}" symmetrical="NO"><link_ctn id="s" direction="UP"/></route>"#)
    };
    let start = format!(r#"{TWO_HOSTS}<link id="s" bandwidth="1" sharing_policy="SPLITDUPLEX"/>"#);
    let one = read(&format!("{start}{}", route("h", "g"))).unwrap();
    assert_eq!(links(&one, "h", "g"), None);
    let both = read(&format!("{start}{}{}", route("h", "g"), route("g", "h"))).unwrap();
    assert_eq!(links(&both, "h", "g"), Some((vec!["s_UP".to_owned()], vec!["s_UP".to_owned()])));
}

#[test]
fn a_split_duplex_link_has_a_twin_for_the_way_back() {
    let start = format!(r#"{TWO_HOSTS}<link id="s" bandwidth="1" sharing_policy="SPLITDUPLEX"/>"#);
    for (direction, there, back) in [("UP", "s_UP", "s_DOWN"), ("DOWN", "s_DOWN", "s_UP")] {
        let route = format!(
            r#"<route src="h" dst="g"><link_ctn id="s" direction="{direction}"/><link_ctn id="l" direction="NONE"/></route>"#
        );
        let platform = read(&format!("{start}{route}")).unwrap();
        let expected = (vec![there.to_owned(), "l".to_owned()], vec!["l".to_owned(), back.to_owned()]);
        assert_eq!(links(&platform, "h", "g"), Some(expected));
    }
}

#[test]
fn every_host_of_a_cluster_has_the_ram_of_the_cluster() {
    let cluster = r#"<cluster id="c" prefix="n" radical="0-1" speed="1f" bw="1" lat="0"><prop id="ram" value="64GB"/><prop id="colour" value="red"/></cluster>"#;
    let platform = read(cluster).unwrap();
    assert_eq!(platform.hosts().iter().map(|host| host.ram).collect::<Vec<_>>(), [64_000_000_000; 2]);
}

#[test]
fn numbers_that_make_no_sense_are_refused_with_their_line() {
    refused(&[
        ("", r#"<host id="h" speed="0f"/>"#, "speed of host \"h\": found 0, expected a positive number of flop/s"),
        ("", r#"<host id="h" speed="1f" core="0"/>"#, "cores of host \"h\": found 0, expected at least one"),
        (
            "",
            r#"<link id="l" bandwidth="0"/>"#,
            "bandwidth of link \"l\": found 0, expected a positive number of bytes/s",
        ),
        (
            "",
            r#"<cluster id="c" prefix="n" radical="0-600000,0-600000" speed="1f" bw="1" lat="0"/>"#,
            "radical=\"0-600000,0-600000\": makes 1200002 hosts, expected at most 1000000",
        ),
    ]);
}

#[test]
fn what_is_declared_twice_is_refused() {
    let disk = |id: &str, mount: &str| {
        format!(
            r#"<disk id="{id}" read_bw="1" write_bw="1"><prop id="size" value="1"/><prop id="mount" value="{mount}"/></disk>"#
        )
    };
    let host = |disks: String| format!(r#"<host id="h" speed="1f">{disks}</host>"#);
    assert!(read(&host(disk("d", "/") + &disk("e", "/data"))).is_ok());
    let split = r#"<link id="l" bandwidth="1" sharing_policy="SPLITDUPLEX"/>"#;
    refused(&[
        ("", &host(disk("d", "/") + &disk("d", "/data")), "disk \"d\" is declared twice: names must differ"),
        ("", &host(disk("d", "/") + &disk("e", "/")), "two disks are mounted at \"/\": mounts must differ"),
        (TWO_HOSTS, split, "link \"l\" is declared twice: names must differ"),
        (split, r#"<link id="l_UP" bandwidth="1"/>"#, "link \"l_UP\" is declared twice: names must differ"),
        (TWO_HOSTS, r#"<router id="h"/>"#, "the name \"h\" is taken: names must differ"),
    ]);
}

#[test]
fn what_would_change_the_platform_is_refused_wherever_it_stands() {
    let cure = "is not supported: describe it with zones of routing Full, hosts, links, routes and clusters";
    let cluster = |more: &str, inside: &str| {
        format!(r#"<cluster id="c" prefix="n" radical="0" speed="1f" bw="1" lat="0" {more}>{inside}</cluster>"#)
    };
    let disk = r#"<disk id="d" read_bw="1" write_bw="1"><trace/></disk>"#;
    refused(&[
        ("", r#"<link id="l" bandwidth="1"><trace/></link>"#, &format!("<trace> {cure}")),
        ("", r#"<router id="r"><peer/></router>"#, &format!("<peer> {cure}")),
        ("", &format!(r#"<host id="h" speed="1f">{disk}</host>"#), &format!("<trace> {cure}")),
        ("", &cluster("", "<disk/>"), &format!("<disk> {cure}")),
        ("", "<cabinet/>", &format!("<cabinet> {cure}")),
        (TWO_HOSTS, r#"<route src="h" dst="g"><trace/></route>"#, &format!("<trace> {cure}")),
        ("", &cluster(r#"bb_lat="1s""#, ""), "<cluster> lacks the attribute \"bb_bw\""),
        (
            "",
            &cluster(r#"bb_bw="1" bb_sharing_policy="SPLITDUPLEX""#, ""),
            "a split-duplex backbone is not supported: use SHARED or FATPIPE",
        ),
        (
            "",
            &cluster(r#"loopback_bw="1""#, ""),
            "attribute \"loopback_bw\" of <cluster> is not supported: leave it out",
        ),
        (
            "",
            &cluster(r#"limiter_link="1""#, ""),
            "attribute \"limiter_link\" of <cluster> is not supported: leave it out",
        ),
        (
            "",
            r#"<router id="r" coordinates="0 0"/>"#,
            "attribute \"coordinates\" of <router> is not supported: leave it out",
        ),
    ]);
    let message = |text: &str| Platform::from_simgrid_xml(text).unwrap_err().to_string();
    assert_eq!(message("<platform version=\"4.1\">\n<config/></platform>"), format!("line 2: <config> {cure}"));
    let old = "line 1: version=\"3\" is not supported: bring the file to version 4.1 with simgrid_update_xml";
    assert_eq!(message("<platform version=\"3\"/>"), old);
    assert_eq!(message("<platform/>"), "line 1: <platform> lacks the attribute \"version\"");
}

#[test]
fn more_hosts_than_memory_holds_are_refused_before_they_are_made() {
    let cluster = |name: &str, radical: &str| {
        format!(r#"<cluster id="{name}" prefix="{name}-" radical="{radical}" speed="1f" bw="1" lat="0"/>"#)
    };
    let many: String = ["a", "b", "c"].map(|name| cluster(name, "0-899999")).concat();
    let refused = |clusters: &str| {
        let platform = Platform::from_simgrid_xml(&format!(r#"<platform version="4.1">{clusters}</platform>"#));
        platform.unwrap_err().to_string()
    };
    assert_eq!(refused(&many), "line 1: there are 2700000 hosts in all, expected at most 2000000");
    let one = refused(&cluster("a", "0-4294967295"));
    assert_eq!(one, "line 1: radical=\"0-4294967295\": makes 4294967296 hosts, expected at most 1000000");
}
