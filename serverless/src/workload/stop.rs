//! Stops who reads a file on another thread: selections of a trace may have hundreds of millions of rows to pass over before
//! the next request.

use std::cell::RefCell;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// What stops the reader that runs on this thread, if anything does.
    static STOP: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// Asks readers to stop, from any thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nothing is read any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has what this thread reads stopped, until this is dropped.
pub(super) struct Stopping;

impl Stopping {
    pub fn by(stop: Stop) -> Self {
        STOP.set(Some(stop));
        Self
    }

    /// Whether what this thread reads is to stop.
    pub fn is_asked() -> bool {
        STOP.with_borrow(|stop| stop.as_ref().is_some_and(|stop| stop.0.load(Ordering::Relaxed)))
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        STOP.set(None);
    }
}

/// A file whose end comes early, as an error, when its reader is to stop.
pub(super) struct Stoppable<R>(pub R);

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if Stopping::is_asked() {
            return Err(io::Error::other("its reader was stopped"));
        }
        self.0.read(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_until_its_reader_is_to_stop() {
        let (mut file, stop) = (Stoppable(&b"0123456789"[..]), Stop::default());
        let mut read = || file.read(&mut [0; 2]).map_err(|error| error.to_string());
        assert_eq!(read(), Ok(2));
        {
            let _stopping = Stopping::by(stop.clone());
            assert_eq!(read(), Ok(2));
            stop.set();
            assert_eq!(read(), Err("its reader was stopped".to_owned()));
        }
        assert_eq!(read(), Ok(2), "others on this thread go on");
    }
}
