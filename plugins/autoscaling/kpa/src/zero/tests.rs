//! Knative's own tables of scaling to zero (`TestScaler` and `TestDisableScaleToZero` of `pkg/reconciler/autoscaling/kpa/scaler_test.go`, and
//! the table of `computeActiveCondition`, knative/serving at 98e5ef9), as data.
//!
//! Left out: the rows of revisions that are not reachable, since there are none, and those in which the probe of the activator fails,
//! since requests pass the queue of their function at all times.

use super::*;

const SECOND: u64 = 1_000_000_000;
const NOW: u64 = 10_000 * SECOND;
const GRACE: u64 = 60;
const WINDOW: u64 = 300;
const TIMEOUT: u64 = 121 + 30;

#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    start: u32,
    scale_to: i64,
    min: u32,
    max: u32,
    /// The status, and for how many seconds.
    status: (Status, u64),
    window: u64,
    retention: u64,
    timeout: u64,
    proxied_for: u64,
    initial: u32,
    is_initialized: bool,
    is_enabled: bool,
    /// What it answers, -1 for what is not known, and how many replicas there are then.
    wanted: (i64, u32),
}

const fn row(name: &'static str, start: u32, scale_to: i64, status: (Status, u64), wanted: (i64, u32)) -> Row {
    Row {
        name,
        start,
        scale_to,
        min: 0,
        max: u32::MAX,
        status,
        window: WINDOW,
        retention: 0,
        timeout: TIMEOUT,
        proxied_for: 0,
        initial: 1,
        is_initialized: false,
        is_enabled: true,
        wanted,
    }
}

fn check(row: &Row) {
    let (status, seconds) = row.status;
    let ago = |seconds: u64| NOW - seconds * SECOND;
    let proxied_since = (row.proxied_for > 0).then(|| ago(row.proxied_for));
    let last = LastInstance { status, since: ago(seconds), is_initialized: row.is_initialized, proxied_since };
    let rules = ZeroRules {
        is_enabled: row.is_enabled,
        initial_scale: row.initial,
        stable_window: row.window * SECOND,
        grace: GRACE * SECOND,
        retention: row.retention * SECOND,
        activation_timeout: row.timeout * SECOND,
    };
    let desired = u32::try_from(row.scale_to).ok();
    let held = last.hold(&rules, Demand { desired, min_scale: row.min, max_scale: row.max, now: NOW });
    let replicas = held.wanted.filter(|_| held.applies).unwrap_or(row.start);
    assert_eq!((held.wanted.map_or(-1, i64::from), replicas), row.wanted, "{}", row.name);
}

#[test]
fn the_last_instance_stays_as_long_as_in_knative() {
    use Status::{Activating, Active, Inactive};
    const CUSTOM: u64 = 45;
    let rows = [
        row("waits to scale to zero (just before idle period)", 1, 0, (Active, WINDOW - 1), (1, 1)),
        Row { window: CUSTOM, ..row("the same, custom PA window", 1, 0, (Active, CUSTOM - 1), (1, 1)) },
        Row { window: CUSTOM, ..row("custom PA window, check for standard window", 1, 0, (Active, WINDOW), (0, 1)) },
        row("scale to 1 waiting for idle expires", 10, 0, (Active, WINDOW - 1), (1, 1)),
        row("waits to scale to zero after idle period", 1, 0, (Active, WINDOW), (0, 1)),
        Row { proxied_for: 1, ..row("the same; sks in proxy mode", 1, 0, (Active, WINDOW), (0, 1)) },
        Row { window: CUSTOM, ..row("the same (custom PA window)", 1, 0, (Active, CUSTOM), (0, 1)) },
        row("can scale to zero after grace period, but 0 PA retention", 1, 0, (Inactive, GRACE), (0, 0)),
        Row {
            retention: 2 * GRACE,
            ..row(
                "can't scale to zero after grace period, but before last pod retention",
                1,
                0,
                (Inactive, GRACE),
                (0, 1),
            )
        },
        Row {
            retention: GRACE,
            ..row("scale to zero after grace period, and after last pod retention", 1, 0, (Inactive, GRACE), (0, 0))
        },
        row("scale to zero after grace period", 1, 0, (Inactive, GRACE), (0, 0)),
        row("waits to scale to zero (just before grace period)", 1, 0, (Inactive, GRACE - 1), (0, 1)),
        Row { proxied_for: GRACE - 1, ..row("the same, sks short", 1, 0, (Inactive, GRACE - 1), (0, 1)) },
        Row {
            proxied_for: GRACE,
            retention: 42,
            ..row("the same, sks in proxy long, and last pod timeout positive", 1, 0, (Inactive, GRACE - 1), (0, 0))
        },
        Row { proxied_for: GRACE, ..row("the same, sks in proxy long", 1, 0, (Inactive, GRACE - 1), (0, 0)) },
        row("scale to zero with TBC=-1", 1, 0, (Inactive, GRACE), (0, 0)),
        row("waits while activating until after deadline exceeded", 1, 0, (Activating, TIMEOUT / 2), (-1, 1)),
        row("scale to zero while activating after deadline exceeded", 1, 0, (Activating, TIMEOUT + 1), (0, 0)),
        Row { timeout: 35, ..row("the same after revision deadline exceeded", 1, 0, (Activating, 36), (0, 0)) },
    ];
    rows.iter().for_each(check);
}

#[test]
fn bounds_and_initial_scale_are_knatives() {
    use Status::{Activating, Active, Inactive};
    // A PA without conditions is neither active nor inactive; what is wanted of it is more than 0.
    let rows = [
        Row { min: 2, ..row("scale down to minScale before grace period", 10, 0, (Inactive, GRACE - 1), (2, 2)) },
        Row { min: 2, ..row("scale down to minScale after grace period", 10, 0, (Inactive, GRACE), (2, 2)) },
        row("scales up", 1, 10, (Activating, 0), (10, 10)),
        Row { max: 8, ..row("scales up to maxScale", 1, 10, (Activating, 0), (8, 8)) },
        row("scale up inactive revision", 1, 10, (Inactive, GRACE / 2), (10, 10)),
        row("does not scale up from zero with no metrics", 0, -1, (Inactive, 0), (-1, 0)),
        row("scales up from zero to desired one", 0, 1, (Activating, 0), (1, 1)),
        row("scales up from zero to desired high scale", 0, 10, (Activating, 0), (10, 10)),
        row("negative scale does not scale", 12, -1, (Active, 0), (-1, 12)),
        Row {
            initial: 2,
            is_initialized: true,
            ..row("initial scale attained, but now time to scale down", 2, 0, (Active, 120), (1, 1))
        },
        Row { initial: 2, ..row("haven't scaled to initial scale", 0, 1, (Activating, 0), (2, 2)) },
        Row { initial: 5, ..row("initial scale reached for the first time", 5, 1, (Activating, 0), (5, 5)) },
        Row { initial: 0, ..row("reaching initial scale zero", 0, 0, (Inactive, 0), (0, 0)) },
        Row { is_enabled: false, ..row("EnableScaleToZero == false and minScale == 0", 10, 0, (Active, 0), (1, 1)) },
        Row {
            is_enabled: false,
            min: 2,
            ..row("EnableScaleToZero == false and minScale == 2", 10, 0, (Active, 0), (2, 2))
        },
        Row {
            is_enabled: false,
            ..row("EnableScaleToZero == false and desire pod is -1", 10, -1, (Active, 0), (-1, 10))
        },
    ];
    rows.iter().for_each(check);
}

#[test]
fn the_status_is_that_of_the_table_of_knative() {
    use Status::{Activating, Active, Inactive};
    // Wanted, ready, how many there have to be, the status before and after. An initial scale of 0 is what 0 have to be.
    let rows = [
        (Some(0), 0, 1, Active, Inactive),
        (Some(0), 5, 1, Activating, Inactive),
        (Some(3), 1, 2, Active, Activating),
        (Some(3), 1, 2, Inactive, Activating),
        (Some(3), 2, 2, Activating, Active),
        (Some(3), 2, 2, Inactive, Active),
        (None, 1, 2, Inactive, Inactive),
        (None, 1, 2, Activating, Activating),
        (None, 1, 2, Active, Activating),
        (None, 2, 2, Inactive, Inactive),
        (None, 0, 0, Activating, Inactive),
        (None, 0, 0, Active, Inactive),
        (None, 2, 2, Activating, Active),
        (None, 2, 2, Active, Active),
    ];
    for (wanted, ready, threshold, before, after) in rows {
        let rules = ZeroRules {
            is_enabled: true,
            initial_scale: threshold,
            stable_window: 0,
            grace: 0,
            retention: 0,
            activation_timeout: 0,
        };
        let mut last = LastInstance { status: before, ..LastInstance::new(NOW) };
        let demand = Demand { desired: wanted, min_scale: 0, max_scale: u32::MAX, now: NOW };
        last.note(&rules, Held { wanted, applies: true }, ready, 0.0, demand);
        assert_eq!(last.status, after, "{wanted:?} wanted, {ready} of {threshold} ready, {before:?}");
    }
}
