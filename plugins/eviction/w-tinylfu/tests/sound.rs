//! The test kit, in a process of its own: it looks for memory that grows, and the other tests use a lot.

use hearth_policy_api::testkit;

#[test]
fn the_test_kit_finds_no_fault() {
    testkit::assert_sound(&hearth_eviction_w_tinylfu::POLICY);
}
