//! Ctrl-C.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a process that Ctrl-C has ended.
pub const EXIT_CODE: u8 = 130;

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Has the first Ctrl-C stop what runs, so that what is known is still written; the second one ends the process, after `end`. Counts
/// once in a process.
pub fn stops(stop: impl Fn() + Send + 'static, end: impl Fn() + Send + 'static) {
    // Without a handler Ctrl-C ends the process at once, which is no reason not to run.
    let _ = ctrlc::set_handler(move || {
        if IS_ASKED.swap(true, Ordering::SeqCst) {
            end();
            process::exit(EXIT_CODE.into());
        }
        stop();
    });
}

/// Whether there has been a Ctrl-C since [`stops`], or since this was asked.
pub fn take() -> bool {
    IS_ASKED.swap(false, Ordering::SeqCst)
}

/// Whether there has been a Ctrl-C since [`stops`].
pub fn is_asked() -> bool {
    IS_ASKED.load(Ordering::SeqCst)
}
