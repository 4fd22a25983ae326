//! Traces in object storage: brought to this machine once for a process, with those below it.
//!
//! What `s3://bucket/traces/day.csv.gz` names is copied to `s3/bucket/traces/day.csv.gz` in a folder of the process, so that a path
//! there tells where it came from: that is what plans and results name.

use std::fs::{self, File};
use std::io;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hearth_serverless::scenario::Scenario;
use hearth_serverless::workload::TraceFormat;
use tempfile::TempDir;

use super::{Address, Objects, is_named};
use crate::error::CommandError;

/// Where copies are in this process.
#[derive(Debug)]
enum Root {
    /// In a folder of its own, which is removed in the end.
    Own(TempDir),
    /// In that of the process which has started it.
    Given(PathBuf),
}

static ROOT: Mutex<Option<Root>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Root>> {
    // What is behind the lock is whole after every statement.
    ROOT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Root {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Given(folder) => folder,
        }
    }
}

/// The folder of the copies, if there are any, for processes that are started from this one.
pub fn root() -> Option<PathBuf> {
    lock().as_ref().map(|root| root.path().to_owned())
}

/// Uses the copies of the process that has started this one.
pub fn use_root(folder: Option<PathBuf>) {
    *lock() = folder.map(Root::Given);
}

/// Removes the copies, at the end of the process that has made them.
pub fn clear() {
    lock().take();
}

/// What a path is called: where a copy came from, or the path itself.
pub fn told(path: &Path) -> PathBuf {
    let from = root().and_then(|root| {
        let inside = path.strip_prefix(root).ok()?.to_str()?;
        let (scheme, rest) = inside.split_once(MAIN_SEPARATOR)?;
        Some(format!("{scheme}://{}", rest.replace(MAIN_SEPARATOR, "/")))
    });
    from.map_or_else(|| path.to_owned(), PathBuf::from)
}

/// A text in which copies are called what they are copies of, so that it is the same on all machines.
pub fn told_in(text: String) -> String {
    let Some(root) = root() else { return text };
    let copies =
        |scheme: &str| (format!("{}{MAIN_SEPARATOR}{scheme}{MAIN_SEPARATOR}", root.display()), format!("{scheme}://"));
    ["s3", "gs", "az"].map(copies).iter().fold(text, |text, (copy, name)| text.replace(copy, name))
}

/// Where what is named is: in object storage that is where its copy is or would be; otherwise the path starts from `folder`.
///
/// # Errors
/// When the name makes no sense, or there is no room for copies.
pub fn placed(folder: &Path, path: &Path) -> Result<PathBuf, CommandError> {
    if is_named(path) { copy_of(&Address::parse(path)?) } else { Ok(folder.join(path)) }
}

fn copy_of(address: &Address) -> Result<PathBuf, CommandError> {
    let mut root = lock();
    let no_room = |error: io::Error| CommandError::Result { file: std::env::temp_dir(), problem: error.to_string() };
    let root = match root.take() {
        Some(there) => root.insert(there),
        None => root.insert(Root::Own(tempfile::Builder::new().prefix("hearth-").tempdir().map_err(no_room)?)),
    };
    let mut path = root.path().join(address.scheme_name()).join(&address.bucket);
    path.extend(address.prefix.split('/'));
    Ok(path)
}

/// A copy of what is named in object storage; any other path is its own.
///
/// # Errors
/// When it cannot be read.
pub fn brought(path: &Path) -> Result<PathBuf, CommandError> {
    if !is_named(path) {
        return Ok(path.to_owned());
    }
    let address = Address::parse(path)?;
    let copy = copy_of(&address)?;
    if !copy.is_file() {
        let (folder, name) = address.prefix.rsplit_once('/').unwrap_or(("", &address.prefix));
        let objects = Objects::open(&Address { prefix: folder.to_owned(), ..address.clone() })?;
        bring(&objects, name, &copy).map_err(|error| unreadable(&address, &error))?;
    }
    Ok(copy)
}

/// A folder with copies of all that is named so in object storage, with a slash and more behind it.
fn brought_folder(path: &Path) -> Result<PathBuf, CommandError> {
    if !is_named(path) {
        return Ok(path.to_owned());
    }
    let address = Address::parse(path)?;
    let folder = copy_of(&address)?;
    if !whole(&folder).is_file() {
        let objects = Objects::open(&address)?;
        bring_all(&objects, &folder).map_err(|error| unreadable(&address, &error))?;
    }
    Ok(folder)
}

/// A file beside the copy of a folder that is there when all of it is: what came before an error, or was brought by its own name,
/// is not taken for the whole.
fn whole(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.whole"))
}

fn bring_all(objects: &Objects, folder: &Path) -> io::Result<()> {
    let all = objects.list_top()?;
    if all.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "nothing is there"));
    }
    all.iter().try_for_each(|object| bring(objects, &object.name, &folder.join(&object.name)))?;
    File::create(whole(folder)).map(drop)
}

fn unreadable(address: &Address, error: &io::Error) -> CommandError {
    CommandError::Usage(format!("{address} cannot be read: {error}"))
}

/// Copies an object: the whole is there, or nothing.
fn bring(objects: &Objects, name: &str, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Threads may want the same at once.
    let unfinished = tempfile::Builder::new().prefix(".").tempfile_in(folder)?;
    let mut file = File::create(unfinished.path())?;
    objects.copy(name, 0, &mut file)?;
    unfinished.persist(to).map_err(|error| error.error).map(drop)
}

/// A copy of a trace that is named in object storage: a file, or a folder of them; any other path is its own.
///
/// # Errors
/// When it cannot be read.
pub fn brought_trace(path: &Path, format: TraceFormat) -> Result<PathBuf, CommandError> {
    match format {
        TraceFormat::AzureFunctions2019 => brought_folder(path),
        _ => brought(path),
    }
}

/// Has a scenario read copies of the traces that it names in object storage.
///
/// # Errors
/// When one cannot be read.
pub fn bring_traces(scenario: &mut Scenario) -> Result<(), CommandError> {
    let Some(trace) = &mut scenario.workload.trace else { return Ok(()) };
    trace.path = brought_trace(&trace.path, trace.format)?;
    trace.functions_path = trace.functions_path.as_deref().map(brought).transpose()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_folder_is_not_taken_for_the_whole() {
        let objects = Objects::in_memory(&std::sync::Arc::default()).unwrap();
        for name in ["a.csv", "b.csv"] {
            objects.write(name, name.into()).unwrap();
        }
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("traces");
        bring(&objects, "a.csv", &folder.join("a.csv")).unwrap();
        assert!(folder.is_dir() && !whole(&folder).exists());
        bring_all(&objects, &folder).unwrap();
        assert!(whole(&folder).is_file() && folder.join("b.csv").is_file());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing else is in it");
    }

    #[test]
    fn a_copy_is_called_what_it_is_a_copy_of() {
        let name = Path::new("s3://bucket/traces/day.csv.gz");
        let copy = placed(Path::new("/plan"), name).unwrap();
        assert!(copy.is_absolute() && copy.ends_with("s3/bucket/traces/day.csv.gz"), "{}", copy.display());
        assert_eq!(told(&copy), name);
        let said = format!("{}:3: wrong", copy.display());
        assert_eq!(told_in(said), "s3://bucket/traces/day.csv.gz:3: wrong");
        let file = placed(Path::new("/plan"), Path::new("day.csv")).unwrap();
        assert_eq!((file.as_path(), told(&file)), (Path::new("/plan/day.csv"), file.clone()));
        clear();
        assert!(!copy.exists() && root().is_none());
    }
}
