//! Mistakes in prices and power.

use serde_json::json;

use super::check;

#[test]
fn prices_and_power_that_make_no_sense_are_named() {
    check(&[
        (
            "/prices/per_gb_second",
            json!(1),
            "prices.per_gb_second: unknown field `per_gb_second`, expected one of `name`, `currency`, `per_request`, `per_gib_second`, `billing_granularity`, `minimum`, `cold_starts_billed`: did you mean \"per_gib_second\"?",
        ),
        (
            "/prices",
            json!("aws"),
            "prices: invalid type: string \"aws\", expected prices: an object, as in {\"per_gib_second\": 0.00002}",
        ),
        ("/prices/per_request", json!(-0.5), "prices.per_request: found -0.5, expected a number from 0 to 1e9"),
        ("/prices/per_gib_second", json!(1e300), "prices.per_gib_second: found 1e300, expected a number from 0 to 1e9"),
        ("/prices/minimum", json!(-1), "prices.minimum: found -1, expected a time that is finite and not negative"),
        (
            "/prices/billing_granularity",
            json!("1msec"),
            "prices.billing_granularity: unknown unit \"msec\" in \"1msec\": a time has one of the units ns us ms s min h d",
        ),
        (
            "/platform/hosts/2/power",
            json!(90),
            "platform.hosts[2].power: invalid type: integer `90`, expected power: an object, as in {\"idle\": 90, \"busy\": 220}",
        ),
        ("/platform/hosts/2/power", json!({"idle": 90}), "platform.hosts[2].power: missing field `busy`"),
        (
            "/platform/hosts/2/power/idle",
            json!(-1),
            "platform.hosts[2].power.idle: found -1, expected a number from 0 to 1e9",
        ),
        (
            "/platform/hosts/2/power/busy",
            json!(2e9),
            "platform.hosts[2].power.busy: found 2000000000, expected a number from 0 to 1e9",
        ),
        (
            "/platform/hosts/2/power/busy",
            json!(89.5),
            "platform.hosts[2].power.busy: found 89.5, expected at least the 90 of \"idle\"",
        ),
    ]);
}
