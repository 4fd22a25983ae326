//! Who is at which runs: a file for each claim, which its worker writes again and again as long as it lives.
//!
//! Claims save work, and guard nothing: a run that two workers did all the same counts once (see [`super::packed`]). Relied upon is no more than what NFS 3 and 4 promise: `open` with `O_CREAT` and
//! `O_EXCL` makes a file for one of all who try, what is written and synchronised has the date of the server's clock, and a
//! file that is opened has the attributes of then (close to open). Dates are compared with that of a file of one's own that was
//! written just before, so machines whose clocks differ agree.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::error::CommandError;
use crate::result_folder::lock::this_process;

/// The folder of the claims in that of a plan.
const CLAIMS: &str = "claims";

/// So many signs of life are given before a worker is taken for dead.
const SIGNS_OF_LIFE: u32 = 8;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that somebody else makes under the same name is another one.
fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Writes what changes nothing but the date.
fn touch(mut file: &File) -> io::Result<()> {
    file.rewind()?;
    file.write_all(this_process().as_bytes())?;
    // Only what has reached the server has its date.
    file.sync_all()
}

/// Runs that take longer are told of by a file.
const TOLD_AFTER: Duration = Duration::from_secs(1);

/// The claims in the folder of a plan, as one process sees them.
#[derive(Debug)]
pub struct Claims {
    folder: PathBuf,
    stale_after: Duration,
    /// A file that is nobody else's: its date, once written, is now.
    clock: PathBuf,
    mine: Arc<Mutex<Mine>>,
    /// Dropping it ends the thread that writes them.
    _end: mpsc::Sender<()>,
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
    /// Its file, once there is one.
    file: Option<(PathBuf, File)>,
}

/// What this process is at; until it is dropped.
#[derive(Debug)]
pub struct Claim {
    number: u64,
    mine: Arc<Mutex<Mine>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let held = lock(&self.mine).held.remove(&self.number);
        if let Some((path, _)) = held.and_then(|held| held.file) {
            // One that stays is taken for that of a dead worker, of a run that has ended.
            let _ = fs::remove_file(path);
        }
    }
}

impl Mine {
    fn hold(this: &Arc<Mutex<Self>>, name: &str, file: Option<(PathBuf, File)>) -> Claim {
        let mut mine = lock(this);
        let number = mine.next;
        mine.next += 1;
        mine.held.insert(number, Held { name: name.to_owned(), since: Instant::now(), file });
        Claim { number, mine: Arc::clone(this) }
    }

    /// Gives a sign of life. Who cannot write is taken for dead, and its runs are done by another one, too.
    fn give_sign(&mut self, folder: &Path, is_due: bool) {
        for held in self.held.values_mut() {
            match &held.file {
                Some((_, file)) if is_due => drop(touch(file)),
                Some(_) => {}
                None if held.since.elapsed() < TOLD_AFTER => {}
                None => held.file = make_next(folder, &held.name).ok(),
            }
        }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        // Nothing looks at it any more.
        let _ = fs::remove_file(&self.clock);
    }
}

impl Claims {
    /// The claims in the folder of a plan. Who gives no sign of life for `stale_after` is dead.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(plan: &Path, stale_after: Duration) -> Result<Self, CommandError> {
        let folder = plan.join(CLAIMS);
        let unwritable = |error: io::Error| CommandError::Result { file: folder.clone(), problem: error.to_string() };
        fs::create_dir_all(&folder).map_err(unwritable)?;
        let clock = make_numbered(&folder, ".clock").map_err(unwritable)?;
        let mine: Arc<Mutex<Mine>> = Arc::default();
        let (end, ended) = mpsc::channel();
        let (beaten, beaten_in, between) = (Arc::clone(&mine), folder.clone(), stale_after / SIGNS_OF_LIFE);
        thread::spawn(move || {
            let mut last = Instant::now();
            while ended.recv_timeout(between.min(TOLD_AFTER)) == Err(mpsc::RecvTimeoutError::Timeout) {
                let is_due = last.elapsed() >= between;
                lock(&beaten).give_sign(&beaten_in, is_due);
                if is_due {
                    last = Instant::now();
                }
            }
        });
        Ok(Self { folder, stale_after, clock, mine, _end: end })
    }

    /// How long one who waits for others may look away.
    pub fn pause(&self) -> Duration {
        self.stale_after / 4
    }

    fn path(&self, name: &str, generation: u64) -> PathBuf {
        self.folder.join(format!("{name}.{generation}"))
    }

    /// What the server's clock says now.
    fn now(&self) -> io::Result<SystemTime> {
        touch(&OpenOptions::new().write(true).create(true).truncate(false).open(&self.clock)?)?;
        File::open(&self.clock)?.metadata()?.modified()
    }

    /// Whether whoever has this claim lives; `None` if it is gone.
    fn is_alive(&self, claim: &Path, now: SystemTime) -> io::Result<Option<bool>> {
        // Opening a file has its attributes fetched anew, where asking for them alone has not.
        match File::open(claim).and_then(|file| file.metadata()).and_then(|about| about.modified()) {
            Ok(then) => Ok(Some(now.duration_since(then).is_ok_and(|age| age <= self.stale_after) || then >= now)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tells others of a run, once it takes a while, without asking whether somebody is at it.
    pub fn tell(&self, name: &str) -> Claim {
        Mine::hold(&self.mine, name, None)
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
            file: self.folder.clone(),
            problem: format!("{name} cannot be claimed: {error}"),
        };
        for generation in 1.. {
            let path = self.path(name, generation);
            match make(&path) {
                // Its date is when it was made, until the first sign of life.
                Ok(file) => return Ok(Some(Mine::hold(&self.mine, name, Some((path, file))))),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let now = self.now().map_err(unusable)?;
                    if self.is_alive(&path, now).map_err(unusable)? != Some(false) {
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
    pub fn on(plan: &Path, stale_after: Duration) -> Result<ClaimedRuns, CommandError> {
        // Who looks leaves no trace.
        if plan.join(CLAIMS).exists() { Self::open(plan, stale_after)?.all() } else { Ok(ClaimedRuns::default()) }
    }

    /// What somebody is at, and that whose workers are all dead.
    fn all(&self) -> Result<ClaimedRuns, CommandError> {
        let unreadable =
            |error: io::Error| CommandError::Result { file: self.folder.clone(), problem: error.to_string() };
        let now = self.now().map_err(unreadable)?;
        let mut found = ClaimedRuns::default();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let Some((run, _)) =
                name.to_str().and_then(|name| name.rsplit_once('.')).filter(|(run, _)| !run.is_empty())
            else {
                continue;
            };
            match self.is_alive(&self.folder.join(&name), now).map_err(unreadable)? {
                Some(true) => found.alive.insert(run.to_owned()),
                Some(false) => found.dead.insert(run.to_owned()),
                None => false,
            };
        }
        found.dead.retain(|run| !found.alive.contains(run));
        Ok(found)
    }

    /// Removes all claims on a plan of which nothing is left to do.
    pub fn remove_all(plan: &Path) {
        // A worker that is still at a run which others have done meanwhile does without.
        let _ = fs::remove_dir_all(plan.join(CLAIMS));
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

/// Makes the file of the first generation that nobody has taken.
fn make_next(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    for generation in 1_u64.. {
        let path = folder.join(format!("{name}.{generation}"));
        match make(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (path, file)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Makes a file whose name nobody has taken.
fn make_numbered(folder: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1_u64.. {
        let path = folder.join(format!("{name}-{number}"));
        match make(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|_| path),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const STALE: Duration = Duration::from_secs(2);

    fn at_age(path: &Path, age: Duration) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn of_all_who_try_one_gets_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<Claims> = (0..8).map(|_| Claims::open(folder.path(), STALE).unwrap()).collect();
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
    fn who_gives_no_sign_of_life_loses_its_run_and_who_does_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Claims::open(folder.path(), STALE).unwrap());
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
