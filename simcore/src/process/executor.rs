//! Runs processes: a FIFO of those that were woken, and a registry of all that live, so that they can be ended.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use async_task::{Runnable, Task};

/// The processes that were woken, in that order. Wakers must be `Send`, hence the lock; it is never contended.
#[derive(Default)]
struct Woken {
    any: AtomicBool,
    queue: Mutex<VecDeque<Runnable>>,
}

impl Woken {
    fn push(&self, runnable: Runnable) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(runnable);
        self.any.store(true, Ordering::Relaxed);
    }

    fn pop(&self) -> Option<Runnable> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let runnable = queue.pop_front();
        self.any.store(!queue.is_empty(), Ordering::Relaxed);
        runnable
    }
}

/// Names a process in the registry; the number of a process that has ended is not used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ProcessId(u64);

/// Holds the processes. Cloning gives another handle on the same ones.
#[derive(Clone, Default)]
pub(crate) struct Executor {
    woken: Arc<Woken>,
    living: Rc<RefCell<Living>>,
}

#[derive(Default)]
struct Living {
    started: u64,
    tasks: rustc_hash::FxHashMap<u64, Task<()>>,
}

impl Executor {
    /// Starts a process; it first runs when those woken before it have run.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Process<T> {
        let outcome = Rc::new(RefCell::new(Outcome { value: None, ended: false, waiter: None }));
        let id = {
            let mut living = self.living.borrow_mut();
            living.started += 1;
            ProcessId(living.started)
        };
        let (result, living) = (Rc::clone(&outcome), Rc::downgrade(&self.living));
        let body = async move {
            let guard = EndOfProcess(result);
            let value = future.await;
            guard.0.borrow_mut().value = Some(value);
            drop(guard);
            if let Some(living) = living.upgrade()
                && let Some(task) = living.borrow_mut().tasks.remove(&id.0)
            {
                task.detach();
            }
        };
        let woken = Arc::clone(&self.woken);
        let (runnable, task) = async_task::spawn_local(body, move |runnable| woken.push(runnable));
        self.living.borrow_mut().tasks.insert(id.0, task);
        runnable.schedule();
        Process { id, outcome, executor: self.clone() }
    }

    /// Whether a process waits to run.
    pub fn has_woken(&self) -> bool {
        self.woken.any.load(Ordering::Relaxed)
    }

    /// Runs processes until all of them wait for something.
    pub fn run_woken(&self) {
        while let Some(runnable) = self.woken.pop() {
            runnable.run();
        }
    }

    /// Ends a process where it stands: its future is dropped when it would next run.
    fn cancel(&self, id: ProcessId) {
        let task = self.living.borrow_mut().tasks.remove(&id.0);
        drop(task);
    }

    /// Ends all processes and drops their futures. Processes hold handles on the simulation that holds them, so without
    /// this those that have not ended would never be freed.
    pub fn shut_down(&self) {
        let tasks = std::mem::take(&mut self.living.borrow_mut().tasks);
        drop(tasks);
        self.run_woken();
    }
}

struct Outcome<T> {
    value: Option<T>,
    ended: bool,
    waiter: Option<Waker>,
}

/// Marks the process as ended however its future goes: to its end, or dropped.
struct EndOfProcess<T>(Rc<RefCell<Outcome<T>>>);

impl<T> Drop for EndOfProcess<T> {
    fn drop(&mut self) {
        let waiter = {
            let mut outcome = self.0.borrow_mut();
            outcome.ended = true;
            outcome.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// A started process. Awaiting it gives its result, or `None` when it was cancelled. Dropping it leaves the process
/// running.
pub struct Process<T> {
    id: ProcessId,
    outcome: Rc<RefCell<Outcome<T>>>,
    executor: Executor,
}

impl<T> std::fmt::Debug for Process<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<T> Process<T> {
    /// Ends the process where it stands; what it was waiting for is cancelled.
    pub fn cancel(&self) {
        self.executor.cancel(self.id);
    }

    /// Whether the process has ended.
    pub fn is_done(&self) -> bool {
        self.outcome.borrow().ended
    }
}

impl<T> Future for Process<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<T>> {
        let mut outcome = self.outcome.borrow_mut();
        if outcome.ended {
            return Poll::Ready(outcome.value.take());
        }
        outcome.waiter = Some(context.waker().clone());
        Poll::Pending
    }
}
