//! Copies of a process: those that it makes of itself, and those that libraries would make of it.

// A fork is a call of the C library.
#![allow(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Pid;

/// Whether a fork that is made now is one of the program itself.
static IS_OWN: AtomicBool = AtomicBool::new(false);

/// Ends every copy of this process that a library makes of it: it would do all that this one does a second time.
pub fn end_those_of_libraries() {
    extern "C" fn end() {
        if !IS_OWN.load(Ordering::Relaxed) {
            leave(1);
        }
    }
    // SAFETY: the function is there as long as the program. That there is no memory for the note would be harmless.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(end)) };
}

/// Makes a copy of this process; gives its name here, and none in the copy. Of all threads the copy has this one alone, and it is to end
/// with [`leave`].
///
/// # Errors
/// When there cannot be another process.
pub fn fork() -> io::Result<Option<Pid>> {
    IS_OWN.store(true, Ordering::Relaxed);
    // SAFETY: no other thread is at anything that the copy needs: those there may be only look at numbers, and the C library sees to its
    // own locks.
    let process = unsafe { libc::fork() };
    IS_OWN.store(false, Ordering::Relaxed);
    match process {
        ..0 => Err(io::Error::last_os_error()),
        process => Ok(Pid::from_raw(process)),
    }
}

/// Ends the process at once: nothing of it is written, and nobody's destructors run.
pub fn leave(code: u8) -> ! {
    // SAFETY: ends the process; nothing of it is needed any more.
    unsafe { libc::_exit(code.into()) }
}

/// Has the system forget copies of this process that end, which nobody waits for.
pub fn forget_ended() {
    // SAFETY: sets how a signal is taken that nobody here has another use for.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Leaves Ctrl-C to the process that this one is a copy of.
pub fn ignore_interrupts() {
    // SAFETY: as above.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}
