//! Who is at which runs: a file for each claim, which its worker writes again and again as long as it lives.
//!
//! Claims save work, and guard nothing: a run that two workers did all the same counts once (see [`super::packed`]). What they are made of,
//! and what is relied upon, is in [`super::marks`]. Dates are compared with that of one of one's own that was written just before, so
//! machines whose clocks differ agree.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::beat::Beat;
use super::marks::{Mark, Marks};
use crate::error::CommandError;

/// So many signs of life are given before a worker is taken for dead.
const SIGNS_OF_LIFE: u32 = 8;

/// For so long a clock that is asked over a network goes on by itself.
const CLOCK_HOLDS_FOR: Duration = Duration::from_secs(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs that take longer are told of by a file.
const TOLD_AFTER: Duration = Duration::from_secs(1);

/// The claims in the folder of a plan, as one process sees them.
#[derive(Debug)]
pub struct Claims {
    marks: Marks,
    stale_after: Duration,
    clock: Mutex<Clock>,
    mine: Arc<Mutex<Mine>>,
    /// What writes them.
    _beat: Beat,
}

/// One that is nobody else's: its date, once written, is now.
#[derive(Debug)]
struct Clock {
    name: String,
    mark: Mark,
    /// What it said when.
    said: Option<(Instant, SystemTime)>,
}

/// The claims of this process.
#[derive(Debug, Default)]
struct Mine {
    next: u64,
    held: BTreeMap<u64, Held>,
}

/// A claim of this process.
#[derive(Debug)]
struct Held {
    /// What is claimed.
    name: String,
    since: Instant,
    /// What tells others, once there is something.
    mark: Option<Mark>,
}

/// What this process is at; until it is dropped.
#[derive(Debug)]
pub struct Claim {
    number: u64,
    marks: Marks,
    mine: Arc<Mutex<Mine>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let held = lock(&self.mine).held.remove(&self.number);
        if let Some(mark) = held.and_then(|held| held.mark) {
            self.marks.remove(&mark);
        }
    }
}

/// Gives a sign of life. Who cannot write is taken for dead, and its runs are done by another one, too.
fn give_sign(mine: &Mutex<Mine>, marks: &Marks, is_due: bool) {
    let numbers: Vec<u64> = lock(mine).held.keys().copied().collect();
    for number in numbers {
        // Nobody drops it meanwhile: what is removed is not to be made again.
        let mut mine = lock(mine);
        let Some(held) = mine.held.get_mut(&number) else { continue };
        match &held.mark {
            Some(mark) if is_due => drop(marks.touch(mark)),
            Some(_) => {}
            None if held.since.elapsed() < TOLD_AFTER => {}
            None => held.mark = make_next(marks, &held.name).ok(),
        }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        // Nothing looks at it any more.
        self.marks.remove(&lock(&self.clock).mark);
    }
}

impl Claims {
    /// The claims on a plan. Who gives no sign of life for `stale_after` is dead.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(marks: Marks, stale_after: Duration) -> Result<Self, CommandError> {
        let place = marks.place();
        let unwritable = |error: io::Error| CommandError::Result { file: place.clone(), problem: error.to_string() };
        marks.prepare().map_err(unwritable)?;
        let clock = Mutex::new(Clock::make(&marks).map_err(unwritable)?);
        let mine: Arc<Mutex<Mine>> = Arc::default();
        let (beaten, beaten_in, between) = (Arc::clone(&mine), marks.clone(), stale_after / SIGNS_OF_LIFE);
        let mut last = Instant::now();
        let beat = Beat::every(between.min(TOLD_AFTER), move || {
            let is_due = last.elapsed() >= between;
            give_sign(&beaten, &beaten_in, is_due);
            if is_due {
                last = Instant::now();
            }
        });
        Ok(Self { marks, stale_after, clock, mine, _beat: beat })
    }

    /// How long one who waits for others may look away.
    pub fn pause(&self) -> Duration {
        self.stale_after / 4
    }

    /// The time from one sign of life to the next.
    pub fn between_signs(&self) -> Duration {
        self.stale_after / SIGNS_OF_LIFE
    }

    fn hold(&self, name: &str, mark: Option<Mark>) -> Claim {
        let mut mine = lock(&self.mine);
        let number = mine.next;
        mine.next += 1;
        mine.held.insert(number, Held { name: name.to_owned(), since: Instant::now(), mark });
        Claim { number, marks: self.marks.clone(), mine: Arc::clone(&self.mine) }
    }

    /// Whether whoever has the claim of this name lives; `None` if it is gone.
    fn is_alive(&self, claim: &str, now: SystemTime) -> io::Result<Option<bool>> {
        Ok(self.marks.modified(claim)?.map(|then| self.is_fresh(then, now)))
    }

    fn is_fresh(&self, then: SystemTime, now: SystemTime) -> bool {
        now.duration_since(then).is_ok_and(|age| age <= self.stale_after) || then >= now
    }

    /// Tells others of a run, once it takes a while, without asking whether somebody is at it.
    pub fn tell(&self, name: &str) -> Claim {
        self.hold(name, None)
    }

    /// Takes what nobody is at, or whose worker is dead; `None` if it is another's.
    ///
    /// A claim is never taken away from anybody: a dead worker's stays, and the next generation is made, for one of all who
    /// try. So there is no moment in which two could each remove what the other one has just made.
    ///
    /// # Errors
    /// When claims cannot be written or read.
    pub fn take(&self, name: &str) -> Result<Option<Claim>, CommandError> {
        let unusable = |error: io::Error| CommandError::Result {
            file: self.marks.place(),
            problem: format!("{name} cannot be claimed: {error}"),
        };
        for generation in 1.. {
            let claim = format!("{name}.{generation}");
            match self.marks.make(&claim) {
                // Its date is when it was made, until the first sign of life.
                Ok(Some(mark)) => return Ok(Some(self.hold(name, Some(mark)))),
                Ok(None) => {
                    let now = lock(&self.clock).now(&self.marks).map_err(unusable)?;
                    if self.is_alive(&claim, now).map_err(unusable)? != Some(false) {
                        return Ok(None);
                    }
                }
                // Whoever has collected all runs has removed the claims, too.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(unusable(error)),
            }
        }
        Ok(None)
    }

    /// The claims on a plan, on which nobody need have worked yet.
    ///
    /// # Errors
    /// When claims cannot be read, or nothing can be written beside them.
    pub fn on(marks: Marks, stale_after: Duration) -> Result<ClaimedRuns, CommandError> {
        let place = marks.place();
        let unreadable = |error: io::Error| CommandError::Result { file: place, problem: error.to_string() };
        // Who looks leaves no trace.
        if marks.are_there().map_err(unreadable)? {
            Self::open(marks, stale_after)?.all()
        } else {
            Ok(ClaimedRuns::default())
        }
    }

    /// What somebody is at, and that whose workers are all dead.
    fn all(&self) -> Result<ClaimedRuns, CommandError> {
        let unreadable =
            |error: io::Error| CommandError::Result { file: self.marks.place(), problem: error.to_string() };
        let now = lock(&self.clock).now(&self.marks).map_err(unreadable)?;
        let mut found = ClaimedRuns::default();
        for (name, then) in self.marks.all().map_err(unreadable)? {
            let Some((run, _)) = name.rsplit_once('.').filter(|(run, _)| !run.is_empty()) else { continue };
            if self.is_fresh(then, now) { &mut found.alive } else { &mut found.dead }.insert(run.to_owned());
        }
        found.dead.retain(|run| !found.alive.contains(run));
        Ok(found)
    }
}

impl Clock {
    fn make(marks: &Marks) -> io::Result<Self> {
        // Over a network many numbers would be tried one after the other.
        let first = match marks {
            Marks::Folder(_) => 1,
            Marks::Objects(_) => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_micros() as u64)
            }
        };
        for number in first.. {
            let name = format!(".clock-{number}");
            if let Some(mark) = marks.make(&name)? {
                return Ok(Self { name, mark, said: None });
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// What the server's clock says now.
    fn now(&mut self, marks: &Marks) -> io::Result<SystemTime> {
        if let (Marks::Objects(_), Some((when, said))) = (marks, self.said)
            && when.elapsed() < CLOCK_HOLDS_FOR
        {
            return Ok(said + when.elapsed());
        }
        marks.touch(&self.mark)?;
        let when = Instant::now();
        let said = match marks.modified(&self.name)? {
            Some(said) => said,
            // All have been removed, this one, too.
            None => {
                *self = Self::make(marks)?;
                marks.modified(&self.name)?.ok_or(ErrorKind::NotFound)?
            }
        };
        self.said = Some((when, said));
        Ok(said)
    }
}

/// What is claimed, by name.
#[derive(Debug, Default)]
pub struct ClaimedRuns {
    /// Somebody is at it.
    pub alive: std::collections::BTreeSet<String>,
    /// Whoever was at it is dead.
    pub dead: std::collections::BTreeSet<String>,
}

/// Makes the first generation that nobody has taken.
fn make_next(marks: &Marks, name: &str) -> io::Result<Mark> {
    for generation in 1_u64.. {
        if let Some(mark) = marks.make(&format!("{name}.{generation}"))? {
            return Ok(mark);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::objects::Objects;
    use crate::objects::location::LocalCopy;

    const STALE: Duration = Duration::from_secs(2);

    fn at_age(path: &Path, age: Duration) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn of_all_who_try_one_gets_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<Claims> = (0..8).map(|_| Claims::open(Marks::in_folder(folder.path()), STALE).unwrap()).collect();
        // Also one that a dead worker had.
        fs::write(folder.path().join("claims/b.1"), "process 1").unwrap();
        at_age(&folder.path().join("claims/b.1"), 10 * STALE);
        for run in ["a", "b"] {
            let got = AtomicUsize::new(0);
            let (tried, begin) = (std::sync::Barrier::new(all.len()), std::sync::Barrier::new(all.len()));
            thread::scope(|scope| {
                for claims in &all {
                    scope.spawn(|| {
                        begin.wait();
                        let claim = claims.take(run).unwrap();
                        got.fetch_add(usize::from(claim.is_some()), Ordering::SeqCst);
                        tried.wait();
                    });
                }
            });
            assert_eq!(got.into_inner(), 1, "{run}");
        }
    }

    #[test]
    fn of_all_who_try_one_gets_a_run_of_a_plan_in_object_storage() {
        let store = Arc::default();
        let copy = || LocalCopy::of(Objects::in_memory(&store).unwrap()).unwrap();
        let marks = || Marks::Objects(Arc::new(copy()));
        let dead = marks().make("b.1").unwrap();
        thread::sleep(STALE + Duration::from_millis(100));
        let all: Vec<Claims> = (0..8).map(|_| Claims::open(marks(), STALE).unwrap()).collect();
        for run in ["a", "b"] {
            let takers = all.iter().filter_map(|claims| claims.take(run).unwrap());
            let taken: Vec<Claim> = takers.collect();
            assert_eq!(taken.len(), 1, "{run}");
            thread::sleep(2 * STALE);
            let found = all[0].all().unwrap();
            assert!(found.alive.contains(run) && !found.dead.contains(run), "signs of life are given: {found:?}");
        }
        assert!(dead.is_some());
        drop(all);
        assert_eq!(marks().all().unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["b.1"]);
        marks().remove_all();
        assert!(!marks().are_there().unwrap());
    }

    #[test]
    fn who_gives_no_sign_of_life_loses_its_run_and_who_does_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Claims::open(Marks::in_folder(folder.path()), STALE).unwrap());
        let claim = one.take("a").unwrap().unwrap();
        let begin = std::time::Instant::now();
        while begin.elapsed() < 2 * STALE {
            assert!(other.take("a").unwrap().is_none(), "it lives");
            thread::sleep(STALE / 10);
        }
        assert!(other.all().unwrap().alive.contains("a"));
        let second = other.tell("a");
        thread::sleep(2 * TOLD_AFTER + STALE / SIGNS_OF_LIFE);
        assert!(folder.path().join("claims/a.2").exists(), "it is told of after a while");
        drop((claim, second));
        assert!(one.take("a").unwrap().is_some(), "it is free again");
        fs::write(folder.path().join("claims/b.1"), "process 1").unwrap();
        at_age(&folder.path().join("claims/b.1"), STALE / 2);
        assert!(one.take("b").unwrap().is_none());
        at_age(&folder.path().join("claims/b.1"), 2 * STALE);
        assert!(one.all().unwrap().dead.contains("b"));
        let taken = one.take("b").unwrap().unwrap();
        assert!(other.take("b").unwrap().is_none());
        drop((taken, one, other));
        let left: Vec<_> =
            fs::read_dir(folder.path().join("claims")).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["b.1"], "what is left is the dead worker's");
    }
}
