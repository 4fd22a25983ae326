//! Keeps the panics of the policy under test off the screen: the kit tells of them itself.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// As long as this lives, panics of its thread print nothing.
pub(super) struct Quiet(());

impl Quiet {
    pub fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let others = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !QUIET.with(Cell::get) {
                    others(info);
                }
            }));
        });
        QUIET.with(|quiet| quiet.set(true));
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.with(|quiet| quiet.set(false));
    }
}
