//! Finds out memory that grows with the number of calls.

// The C library is asked how much memory is in use.
#![allow(unsafe_code)]

/// Calls in the first window; each window is twice as long as the one before, since a table that grows does so by
/// doubling.
const CALLS: u32 = 512;
const WINDOWS: u32 = 5;
/// Grown by so much a call, memory is taken to grow with the calls.
const BYTES_A_CALL: i64 = 4;

/// Calls a policy again and again, and looks whether memory grows in every window.
pub(super) fn check(exercise: &mut dyn FnMut(u32) -> Result<(), String>) -> Result<(), String> {
    // Buffers and tables find their sizes.
    exercise(CALLS)?;
    let (mut grown, mut without) = (0, 0);
    for window in 0..WINDOWS {
        let calls = CALLS << window;
        let before = bytes_in_use();
        exercise(calls)?;
        let growth = bytes_in_use() - before;
        // One window alone may be one in which another thread has given memory back.
        without += u32::from(growth < i64::from(calls) * BYTES_A_CALL);
        if without == 2 {
            return Ok(());
        }
        grown += growth;
    }
    let calls = CALLS * ((1 << WINDOWS) - 1);
    Err(format!("memory grows with the number of calls: by {grown} B in {calls}"))
}

/// Bytes that the process has allocated, of this library and others. Elsewhere than on Linux with the GNU C library 2.33
/// or later nobody tells, and nothing is found.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn bytes_in_use() -> i64 {
    // Looked up when it is wanted: a program that is linked against an older C library, as those that are released, asks
    // the newer one that it runs with.
    // SAFETY: the name ends with a zero byte.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr()) };
    if found.is_null() {
        return 0;
    }
    // SAFETY: the C library has one function of this name, and this is its type.
    let mallinfo2: unsafe extern "C" fn() -> libc::mallinfo2 = unsafe { std::mem::transmute(found) };
    // SAFETY: `mallinfo2` only reads counters.
    let info = unsafe { mallinfo2() };
    (info.uordblks + info.hblkhd) as i64
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn bytes_in_use() -> i64 {
    0
}
