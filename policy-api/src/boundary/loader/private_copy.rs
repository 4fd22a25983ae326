//! Opens the very bytes that were read and checked: from a copy that nobody else has, so that whatever becomes of the file, in
//! between or while its code runs, changes nothing.

// Opening a library runs code that nobody here can check.
#![allow(unsafe_code)]

use std::error::Error as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use libloading::Library;

use super::super::said::shown;
use super::LoadError;

/// A library, and where other processes find its copy.
type Opened = Result<(Library, Option<PathBuf>), LoadError>;

/// Opens a copy of a library. One that looks for its neighbours lies in the folder of the file, if that can be written.
pub(super) fn open(file: &Path, bytes: &[u8], neighbours: bool) -> Opened {
    if neighbours && let Some(opened) = open_beside(file, bytes) {
        return opened;
    }
    #[cfg(target_os = "linux")]
    if let Some(opened) = open_in_memory(file, bytes) {
        return opened;
    }
    let copy = write(bytes, &std::env::temp_dir());
    let copy = copy.map_err(|error| LoadError::System(format!("no copy of it can be written: {error}")))?;
    open_as(&copy, file).map(|library| (library, None))
}

/// Opens a copy in the folder of the file; none if that cannot be written.
fn open_beside(file: &Path, bytes: &[u8]) -> Option<Opened> {
    // A link leads to where the neighbours are.
    let file = file.canonicalize().ok()?;
    let copy = write(bytes, file.parent()?).ok()?;
    Some(open_as(&copy, &file).map(|library| (library, None)))
}

/// Writes a copy with a name of its own, which does not look like a library. It goes when it is dropped, which leaves what has been
/// opened as it is.
fn write(bytes: &[u8], folder: &Path) -> io::Result<tempfile::TempPath> {
    let mut copy = tempfile::Builder::new().prefix(".hearth-").suffix(".copy").tempfile_in(folder)?;
    copy.write_all(bytes)?;
    Ok(copy.into_temp_path())
}

/// Opens a copy in memory; none if there can be no such copy, or no code in it may be run.
#[cfg(target_os = "linux")]
fn open_in_memory(file: &Path, bytes: &[u8]) -> Option<Opened> {
    use std::os::fd::{AsRawFd, IntoRawFd};
    use std::sync::Mutex;

    /// The highest number that a library was opened by. A library may close what is not its own, and glibc takes another one of a number
    /// that it has known for the same.
    static HIGHEST: Mutex<i32> = Mutex::new(0);

    let copy = in_memory(file, bytes).ok()?;
    let mut highest = HIGHEST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let copy = rustix::io::fcntl_dupfd_cloexec(&copy, *highest + 1).ok()?;
    *highest = copy.as_raw_fd();
    drop(highest);
    let path = PathBuf::from(format!("/proc/self/fd/{}", copy.as_raw_fd()));
    let opened = path.exists().then(|| open_as(&path, file))?;
    match opened {
        // glibc knows libraries by their names, so the number must not be another file's as long as this is loaded, which is for good.
        Ok(library) => {
            let number = copy.into_raw_fd();
            Some(Ok((library, Some(format!("/proc/{}/fd/{number}", std::process::id()).into()))))
        }
        // So glibc says that the system forbids it.
        Err(LoadError::System(cause)) if cause.contains("failed to map segment") => None,
        Err(error) => Some(Err(error)),
    }
}

/// A file in memory that is called as this one, and that nobody can change any more.
#[cfg(target_os = "linux")]
fn in_memory(file: &Path, bytes: &[u8]) -> io::Result<std::fs::File> {
    use std::os::unix::ffi::OsStrExt;

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    // The system takes 249 bytes.
    let name = file.file_name().unwrap_or_default().as_bytes();
    let name = &name[..name.len().min(249)];
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Linux before 6.3 does not know that a file may be meant to be run, and lets each be.
    let copy = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|_| memfd_create(name, flags))?;
    let mut copy = std::fs::File::from(copy);
    copy.write_all(bytes)?;
    fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(copy)
}

/// Opens a copy; an error names the file instead.
fn open_as(copy: &Path, file: &Path) -> Result<Library, LoadError> {
    // SAFETY: the file exports the symbol of a library of policies, so its author wants it to be loaded; what its initialisers do is
    // theirs.
    let opened = unsafe { Library::new(copy) };
    opened.map_err(|error| refused(&error, copy, file))
}

/// What the system's loader says, which is the cause of what `libloading` says, with the name that the user knows.
pub(super) fn refused(error: &libloading::Error, copy: &Path, file: &Path) -> LoadError {
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let said = said.replace(&*copy.to_string_lossy(), &file.to_string_lossy());
    let own_name = format!("{}: ", file.display());
    let said = said.strip_prefix(&own_name).unwrap_or(&said);
    match missing(said) {
        Some(library) => LoadError::Lacks { library: shown(library.as_bytes()), cure: cure_of(library) },
        None => LoadError::System(shown(said.as_bytes())),
    }
}

/// The library that another needs and that is not there, by the words of the loaders of glibc, musl and macOS.
fn missing(said: &str) -> Option<&str> {
    let glibc = said.split_once(": cannot open shared object file").map(|(name, _)| name);
    let musl = || said.strip_prefix("Error loading shared library ")?.split(':').next();
    let macos = || said.split_once("Library not loaded: ")?.1.split_whitespace().next();
    glibc.or_else(musl).or_else(macos)
}

fn cure_of(library: &str) -> &'static str {
    let name = library.rsplit('/').next().unwrap_or(library);
    if name.starts_with("libstd-") {
        "that is the standard library of Rust, as the policy was built with -C prefer-dynamic: build it without (see RUSTFLAGS, and \
         rustflags in .cargo/config.toml)"
    } else {
        "install it, name its folder in LD_LIBRARY_PATH, or link it into the policy"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_known_by_what_loaders_say() {
        let rows = [
            ("libx.so.1: cannot open shared object file: No such file or directory", Some("libx.so.1")),
            ("Error loading shared library libx.so.1: No such file or directory (needed by a.so)", Some("libx.so.1")),
            (
                "dlopen(a, 0x0005): Library not loaded: @rpath/libx.dylib\n  Referenced from: a",
                Some("@rpath/libx.dylib"),
            ),
            ("undefined symbol: nothing", None),
        ];
        for (said, expected) in rows {
            assert_eq!(missing(said), expected, "{said}");
        }
        assert!(cure_of("libstd-d1237ef7159db0a2.so").contains("prefer-dynamic"));
        assert!(cure_of("@rpath/libstdc++.so").contains("install it"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_copy_in_memory_cannot_be_changed() {
        let copy = in_memory(Path::new("a/libx.so"), b"bytes").unwrap();
        assert!((&copy).write_all(b"more").is_err() && copy.set_len(0).is_err());
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&copy));
        assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("/memfd:libx.so (deleted)"));
        assert!(in_memory(Path::new(&"x".repeat(1000)), b"").is_ok());
    }
}
