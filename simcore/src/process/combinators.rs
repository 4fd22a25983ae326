//! Waiting for several futures at once.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// Which of two futures was first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Either<A, B> {
    /// The first one, with its result.
    First(A),
    /// The second one, with its result.
    Second(B),
}

/// Waits for the first of two futures and drops the other. If both are ready the first one counts.
pub async fn race<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let (mut first, mut second) = (std::pin::pin!(first), std::pin::pin!(second));
    std::future::poll_fn(|task| {
        if let Poll::Ready(result) = first.as_mut().poll(task) {
            return Poll::Ready(Either::First(result));
        }
        second.as_mut().poll(task).map(Either::Second)
    })
    .await
}

/// Waits for the first of several futures and drops the others: its position and result. Of those that are ready at
/// once the earliest in the list counts. Without any future it never ends.
pub async fn race_all<F: Future>(futures: impl IntoIterator<Item = F>) -> (usize, F::Output) {
    let mut pending: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|task| {
        for (position, future) in pending.iter_mut().enumerate() {
            if let Poll::Ready(result) = future.as_mut().poll(task) {
                return Poll::Ready((position, result));
            }
        }
        Poll::Pending
    })
    .await
}

/// Waits for all of several futures and gives their results in the order of the list.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(|task| {
        let mut all = true;
        for (future, result) in pending.iter_mut().zip(&mut results) {
            if result.is_none() {
                match future.as_mut().poll(task) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
