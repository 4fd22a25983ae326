//! Writes the archive: the same bytes whenever the same is in it.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use super::contents::{Contents, NAME};
use crate::error::CommandError;
use crate::hash;

/// Where something comes from that is packed.
#[derive(Clone, Debug)]
pub enum Source {
    /// From memory.
    Text(String),
    /// From a file.
    File(PathBuf),
}

/// What the header of gzip says of the system: that it is not known.
const ANY_SYSTEM: u8 = 255;

/// Writes a bundle, the whole or nothing. `sources` are those of the files that are packed, in their order.
///
/// # Errors
/// When it cannot be written, a file cannot be read, or is not any more what it was.
pub fn write(contents: &Contents, sources: &[Source], target: &Path) -> Result<(), CommandError> {
    let unwritable = |error: io::Error| CommandError::Result { file: target.to_owned(), problem: error.to_string() };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".hearth-").tempfile_in(folder).map_err(unwritable)?;
    let packed = GzBuilder::new().mtime(0).operating_system(ANY_SYSTEM);
    let mut archive = tar::Builder::new(packed.write(BufWriter::new(file), Compression::default()));
    let text = contents.to_json();
    append(&mut archive, NAME, text.len() as u64, text.as_bytes()).map_err(unwritable)?;
    for (about, source) in contents.packed().zip(sources) {
        match source {
            Source::Text(text) => append(&mut archive, &about.name, about.size, text.as_bytes()).map_err(unwritable)?,
            Source::File(path) => {
                let unreadable =
                    |error: io::Error| CommandError::Usage(format!("{} cannot be packed: {error}", path.display()));
                let file = File::open(path).map_err(unreadable)?;
                append(&mut archive, &about.name, about.size, file.take(about.size)).map_err(unreadable)?;
                if hash::hash_of(path)? != about.sha256 {
                    return Err(CommandError::Usage(format!("{} has changed while it was packed", path.display())));
                }
            }
        }
    }
    let written = archive.into_inner().and_then(|packed| packed.finish());
    let written = written.and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error));
    let file = written.and_then(|mut file| file.flush().map(|()| file)).map_err(unwritable)?;
    readable_by_all(file.as_file()).map_err(unwritable)?;
    file.persist(target).map(drop).map_err(|error| unwritable(error.error))
}

/// A file like others, where temporary ones are for their owner alone.
#[cfg(unix)]
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> io::Result<()> {
    Ok(())
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, size: u64, content: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    archive.append(&header, content)
}
