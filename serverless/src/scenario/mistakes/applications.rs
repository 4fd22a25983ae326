//! Mistakes in applications and their functions.

use serde_json::{Value, json};

use super::super::tests::{first_mistake, good};
use super::{check, set, without_position};

/// Of a scenario with two functions, whose application "shop" has all measures, what is wrong once a value is set.
fn mistake(pointer: &str, value: Value) -> Option<String> {
    let mut scenario = good();
    scenario["service"]["processors"] = json!("dedicated");
    scenario["applications"] = json!([{"name": "shop", "ram_limit": "1GB", "instances": {"concurrency": 10}}]);
    scenario["policies"]["autoscaling"] = json!({"use": "kpa"});
    let function = |name: &str| json!({"name": name, "application": "shop", "body": [{"sleep": 1}]});
    scenario["functions"] = json!([function("resize"), function("order")]);
    set(&mut scenario, pointer, value);
    first_mistake(&scenario.to_string()).map(|message| without_position(&message).to_owned())
}

#[test]
fn applications_that_make_no_sense_are_named() {
    check(&[(
        "/functions/0/application",
        json!("shop"),
        "functions[0].application: unknown application \"shop\": the scenario declares none",
    )]);
    assert_eq!(
        mistake("/functions/1/time_limit", json!("5s")),
        None,
        "what an invocation may use is the function's own"
    );
    let of_application = |field: &str| {
        format!(
            "functions[1].{field}: the containers of a function of an application are those of the application: give it to \
             applications[0] instead"
        )
    };
    let instances = json!({"concurrency": 5});
    for (field, value) in [
        ("image", json!("img")),
        ("ram_limit", json!("1GB")),
        ("disk_limit", json!(1)),
        ("container_startup_overhead", json!("1s")),
        ("instances", instances.clone()),
    ] {
        assert_eq!(mistake(&format!("/functions/1/{field}"), value), Some(of_application(field)));
    }
    let rows = [
        (
            "/functions/1/application",
            json!("shp"),
            "functions[1].application: unknown application \"shp\": the scenario declares shop: did you mean \"shop\"?",
        ),
        (
            "/applications/-",
            json!({"name": "shop", "instances": instances}),
            "applications[1].name: \"shop\" is the name of applications[0] already: names must differ",
        ),
        (
            "/applications/-",
            json!({"name": "mail", "instances": instances}),
            "applications[1]: there is no function of it: set \"application\" to \"mail\" in those that are, or take it out",
        ),
        (
            "/functions/-",
            json!({"name": "shop"}),
            "applications[0].name: \"shop\" is the name of functions[2] already: names must differ",
        ),
        (
            "/applications/0/instances",
            Value::Null,
            "applications[0]: missing field `instances`: the functions of an application are served by instances; say how here, as \
             in {\"concurrency\": 10}, or in the service",
        ),
        (
            "/applications/0/instances",
            json!({"concurrency": 0}),
            "applications[0].instances.concurrency: an instance that serves no requests: expected at least 1, or \"unlimited\"",
        ),
        (
            "/applications/0/image",
            json!("imgs"),
            "applications[0].image: unknown image \"imgs\": the scenario declares img: did you mean \"img\"?",
        ),
        (
            "/applications/0/processors",
            json!({"limit": 1}),
            "applications[0].processors: the processors of the service are dedicated, a core for each invocation: set \
             service.processors to \"shared\", or take this out",
        ),
        (
            "/applications/0/body",
            json!([]),
            "applications[0].body: unknown field `body`, expected one of `name`, `image`, `ram_limit`, `disk_limit`, \
             `container_startup_overhead`, `processors`, `instances`",
        ),
        (
            "/applications/0",
            json!("shop"),
            "applications[0]: invalid type: string \"shop\", expected an application: an object",
        ),
    ];
    for (pointer, value, expected) in rows {
        assert_eq!(mistake(pointer, value).as_deref(), Some(expected), "{pointer}");
    }
}
