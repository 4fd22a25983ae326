//! Policies that do everything wrong, for the tests of what contains them. The parameter `how` says what goes wrong;
//! everything else goes the simplest way that works.

mod placing;
mod rest;

use hearth_policy_api::*;

pub use placing::{Misplaces, Misplans};
pub use rest::{Misadmits, Misevicts, Miskeeps};

/// Node allocation that goes wrong.
pub const MISPLACES: PolicyDescriptor = PolicyDescriptor::node_allocation::<Misplaces>();
/// Node allocation for the whole queue that goes wrong.
pub const MISPLANS: PolicyDescriptor = PolicyDescriptor::batch_allocation::<Misplans>();
/// Eviction that goes wrong.
pub const MISEVICTS: PolicyDescriptor = PolicyDescriptor::eviction::<Misevicts>();
/// Admission that goes wrong.
pub const MISADMITS: PolicyDescriptor = PolicyDescriptor::admission::<Misadmits>();
/// Keep-alive that goes wrong.
pub const MISKEEPS: PolicyDescriptor = PolicyDescriptor::keep_alive::<Miskeeps>();

export_policies!(MISPLACES, MISPLANS, MISEVICTS, MISADMITS, MISKEEPS);

/// A payload of a panic that panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload panics, too");
    }
}

/// Panics in the ways there are.
fn panic_with(how: &str) -> ! {
    match how {
        "panic_number" => std::panic::panic_any(42_u32),
        "panic_bomb" => std::panic::panic_any(Bomb),
        "panic_index" => {
            let empty: Vec<u32> = Vec::new();
            panic!("unreachable: {}", empty[how.len()]);
        }
        _ => panic!("as asked: {how}"),
    }
}
