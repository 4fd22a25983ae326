//! Ctrl-C.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a process that Ctrl-C has ended.
pub const EXIT_CODE: u8 = 130;

/// Has the first Ctrl-C stop what runs, so that what is known is still written; the second one ends the process. Counts once in
/// a process.
pub fn stops(stop: impl Fn() + Send + 'static) {
    let is_asked = AtomicBool::new(false);
    // Without a handler Ctrl-C ends the process at once, which is no reason not to run.
    let _ = ctrlc::set_handler(move || {
        if is_asked.swap(true, Ordering::SeqCst) {
            process::exit(EXIT_CODE.into());
        }
        stop();
    });
}
