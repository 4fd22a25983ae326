//! What is done again and again beside everything else.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread that does something again and again, until this is dropped. Nothing of it is left then.
#[derive(Debug)]
pub struct Beat {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Beat {
    /// Begins, after the first pause.
    pub fn every(pause: Duration, mut act: impl FnMut() + Send + 'static) -> Self {
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                act();
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It has said by itself that it has panicked.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn what_is_dropped_has_ended() {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let beat = Beat::every(Duration::from_millis(1), move || _ = counted.fetch_add(1, Ordering::SeqCst));
        while count.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
        drop(beat);
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
