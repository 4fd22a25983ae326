//! Channels between processes: unbounded, first in first out, any number of senders and receivers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Poll, Waker};

struct Shared<T> {
    messages: VecDeque<T>,
    /// Receivers that wait, longest first.
    waiting: VecDeque<Waker>,
    senders: usize,
}

impl<T> Shared<T> {
    fn wake_one(&mut self) {
        if let Some(waker) = self.waiting.pop_front() {
            waker.wake();
        }
    }
}

/// Makes a channel.
///
/// ```
/// use hearth_simcore::prelude::*;
/// let platform = PlatformBuilder::new().host("pc", HostSpec::new(1, 1e9)).build()?;
/// let mut simulation = ProcessSimulation::new(platform, 0);
/// let (sender, receiver) = channel::channel();
/// simulation.spawn_on("pc", async move |context| {
///     context.sleep(SimDuration::from_secs(3)).await;
///     sender.send("hello");
///     Ok(())
/// })?;
/// simulation.spawn_on("pc", async move |context| {
///     assert_eq!(receiver.receive().await, Some("hello"));
///     assert_eq!(context.now(), SimTime::from_secs_f64(3.0));
///     assert_eq!(receiver.receive().await, None); // the sender is gone
///     Ok(())
/// })?;
/// simulation.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(RefCell::new(Shared { messages: VecDeque::new(), waiting: VecDeque::new(), senders: 1 }));
    (Sender { shared: Rc::clone(&shared) }, Receiver { shared })
}

/// The end of a channel that messages go into.
pub struct Sender<T> {
    shared: Rc<RefCell<Shared<T>>>,
}

impl<T> Sender<T> {
    /// Sends a message; it takes no time and there is always room.
    pub fn send(&self, message: T) {
        let mut shared = self.shared.borrow_mut();
        shared.messages.push_back(message);
        shared.wake_one();
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.borrow_mut().senders += 1;
        Self { shared: Rc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut shared = self.shared.borrow_mut();
        shared.senders -= 1;
        if shared.senders == 0 {
            shared.waiting.drain(..).for_each(Waker::wake);
        }
    }
}

/// The end of a channel that messages come out of.
pub struct Receiver<T> {
    shared: Rc<RefCell<Shared<T>>>,
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared) }
    }
}

impl<T> Receiver<T> {
    /// Waits for a message; `None` when there is none and all senders are gone.
    pub async fn receive(&self) -> Option<T> {
        std::future::poll_fn(|task| {
            let mut shared = self.shared.borrow_mut();
            if let Some(message) = shared.messages.pop_front() {
                // A wake-up may have gone to a receiver that no longer waits: pass on what is left.
                if !shared.messages.is_empty() {
                    shared.wake_one();
                }
                return Poll::Ready(Some(message));
            }
            if shared.senders == 0 {
                return Poll::Ready(None);
            }
            if !shared.waiting.iter().any(|waker| waker.will_wake(task.waker())) {
                shared.waiting.push_back(task.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Takes a message if there is one.
    pub fn try_receive(&self) -> Option<T> {
        self.shared.borrow_mut().messages.pop_front()
    }
}
