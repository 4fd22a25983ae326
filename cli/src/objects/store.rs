//! Requests to object storage, each of which is waited for.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Name;
use object_store::{
    Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, WriteMultipart,
};
use tokio::runtime::Runtime;

use super::address::{Address, Scheme};
use super::{Listed, words};
use crate::error::CommandError;

/// Longer objects are sent in parts of this length.
const PART: u64 = 16 << 20;
/// So many parts are on their way at once.
const PARTS_AT_ONCE: usize = 4;
/// How often something is made exclusively where it is not known whether it was made.
const TRIES: u32 = 5;

/// What lies in object storage under a prefix.
#[derive(Debug)]
pub struct Objects {
    store: Box<dyn ObjectStore>,
    address: Address,
    prefix: Name,
    /// Polled by whichever thread waits.
    runtime: Runtime,
}

/// What may be said of an error.
fn in_words(error: &dyn std::fmt::Display) -> String {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    words::without_secrets(&error.to_string(), variables)
}

/// Where machines in clouds are asked who they are, which is done when nothing else says it.
const ROLES_OF_MACHINES: &str = "://169.254.";

fn failed(error: &Error) -> io::Error {
    let kind = match error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::AlreadyExists { .. } => ErrorKind::AlreadyExists,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => ErrorKind::PermissionDenied,
        _ => ErrorKind::Other,
    };
    let mut said = in_words(error);
    if said.contains(ROLES_OF_MACHINES) {
        said = format!("no variable says who you are, and this machine has no role ({said})");
    } else if kind != ErrorKind::PermissionDenied {
        return io::Error::new(kind, said);
    }
    io::Error::new(kind, format!("{said}: docs/sweeps.md has the variables"))
}

fn store_of(address: &Address) -> Result<Box<dyn ObjectStore>, Error> {
    let bucket = &address.bucket;
    Ok(match address.scheme {
        Scheme::S3 => Box::new(AmazonS3Builder::from_env().with_bucket_name(bucket).build()?),
        Scheme::Gs => Box::new(GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).build()?),
        Scheme::Az => Box::new(MicrosoftAzureBuilder::from_env().with_container_name(bucket).build()?),
    })
}

impl Objects {
    /// Those under a prefix; nothing is asked yet. Who one is and where the store is stands in the environment.
    ///
    /// # Errors
    /// When that makes no sense.
    pub fn open(address: &Address) -> Result<Self, CommandError> {
        let unusable = |error: &dyn std::fmt::Display| CommandError::Usage(format!("{address}: {}", in_words(error)));
        // Another one may have been chosen for this process before: as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = store_of(address).map_err(|error| unusable(&error))?;
        Self::over(store, address).map_err(|error| unusable(&error))
    }

    fn over(store: Box<dyn ObjectStore>, address: &Address) -> io::Result<Self> {
        let prefix = Name::parse(&address.prefix).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, address: address.clone(), prefix, runtime })
    }

    /// Those that tests have in memory.
    #[cfg(test)]
    pub fn in_memory(store: &std::sync::Arc<object_store::memory::InMemory>) -> Result<Self, CommandError> {
        let address = Address::parse(Path::new("s3://bucket/some/prefix"))?;
        Ok(Self::over(Box::new(std::sync::Arc::clone(store)), &address)?)
    }

    /// What they are called.
    pub fn address(&self) -> &Address {
        &self.address
    }

    fn location(&self, name: &str) -> io::Result<Name> {
        let whole = format!("{}/{name}", self.prefix);
        Name::parse(whole.trim_matches('/')).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))
    }

    fn listed(&self, meta: ObjectMeta) -> Option<Listed> {
        let name = meta.location.as_ref().strip_prefix(self.prefix.as_ref())?.trim_start_matches('/').to_owned();
        Some(Listed { name, length: meta.size, modified: meta.last_modified.into() })
    }

    /// The objects beside each other under the prefix.
    ///
    /// # Errors
    /// When the store does not answer as it should.
    pub fn list_top(&self) -> io::Result<Vec<Listed>> {
        let listed = self.runtime.block_on(self.store.list_with_delimiter(Some(&self.prefix)));
        Ok(listed.map_err(|error| failed(&error))?.objects.into_iter().filter_map(|meta| self.listed(meta)).collect())
    }

    /// All objects whose names begin with this and a slash, by name.
    ///
    /// # Errors
    /// When the store does not answer as it should.
    pub fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let location = self.location(folder)?;
        let all = self.runtime.block_on(self.store.list(Some(&location)).try_collect::<Vec<_>>());
        let mut all: Vec<Listed> =
            all.map_err(|error| failed(&error))?.into_iter().filter_map(|meta| self.listed(meta)).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Writes what an object has from some byte on to a target.
    ///
    /// # Errors
    /// When it is not there, or cannot be read or written.
    pub fn copy(&self, name: &str, from: u64, target: &mut impl Write) -> io::Result<()> {
        let location = self.location(name)?;
        let range = (from > 0).then_some(GetRange::Offset(from));
        self.runtime.block_on(async {
            let options = GetOptions { range, ..GetOptions::default() };
            let got = self.store.get_opts(&location, options).await.map_err(|error| failed(&error))?;
            let mut chunks = got.into_stream();
            while let Some(chunk) = chunks.try_next().await.map_err(|error| failed(&error))? {
                target.write_all(&chunk)?;
            }
            Ok(())
        })
    }

    /// Makes an object; false if somebody has made it before. Of all who try at once, one makes it. Nobody else writes the same
    /// bytes, by which one whose answer was lost is known again.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let location = self.location(name)?;
        for last in (0..TRIES).rev() {
            let put = self.store.put_opts(&location, bytes.to_vec().into(), PutOptions::from(PutMode::Create));
            match self.runtime.block_on(put) {
                Ok(_) => return Ok(true),
                Err(Error::AlreadyExists { .. }) => return self.is(name, bytes),
                Err(
                    error @ (Error::PermissionDenied { .. }
                    | Error::Unauthenticated { .. }
                    | Error::NotFound { .. }
                    | Error::NotImplemented { .. }),
                ) => return Err(failed(&error)),
                Err(error) if last == 0 => return Err(failed(&error)),
                // Some that fail are sent again by themselves, others are not.
                Err(_) => {}
            }
            thread::sleep(Duration::from_millis(300) * (TRIES - last));
        }
        Ok(false)
    }

    /// Whether an object is this one.
    fn is(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let mut there = Vec::new();
        match self.copy(name, 0, &mut there) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            copied => copied.map(|()| there == bytes),
        }
    }

    /// Writes an object, the whole or nothing, in the place of one that there was.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let location = self.location(name)?;
        self.runtime.block_on(self.store.put(&location, bytes.into())).map(drop).map_err(|error| failed(&error))
    }

    /// Writes the first bytes of a file as an object, the whole or nothing, in the place of one that there was.
    ///
    /// # Errors
    /// When the file cannot be read, or the object cannot be written.
    pub fn upload(&self, name: &str, file: &Path, length: u64) -> io::Result<()> {
        let mut file = File::open(file)?.take(length);
        let mut bytes = Vec::new();
        if length <= PART {
            file.read_to_end(&mut bytes)?;
            return self.write(name, bytes);
        }
        let location = self.location(name)?;
        self.runtime.block_on(async {
            let begun = self.store.put_multipart(&location).await.map_err(|error| failed(&error))?;
            let mut upload = WriteMultipart::new_with_chunk_size(begun, PART as usize);
            loop {
                bytes.clear();
                if file.by_ref().take(PART).read_to_end(&mut bytes)? == 0 {
                    break;
                }
                upload.wait_for_capacity(PARTS_AT_ONCE).await.map_err(|error| failed(&error))?;
                upload.write(&bytes);
            }
            upload.finish().await.map(drop).map_err(|error| failed(&error))
        })
    }

    /// When an object was last written, by the store's clock; `None` if it is not there.
    ///
    /// # Errors
    /// When the store does not answer as it should.
    pub fn modified(&self, name: &str) -> io::Result<Option<SystemTime>> {
        let location = self.location(name)?;
        match self.runtime.block_on(self.store.head(&location)) {
            Ok(meta) => Ok(Some(meta.last_modified.into())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let location = self.location(name)?;
        match self.runtime.block_on(self.store.delete(&location)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_written_is_listed_and_read() {
        let objects = Objects::in_memory(&Arc::default()).unwrap();
        assert!(objects.create("plan.json", b"a").unwrap() && !objects.create("plan.json", b"b").unwrap());
        objects.write("packed/b", b"12".to_vec()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let long: Vec<u8> = (0..2 * PART + 7).map(|number| (number >> 8) as u8).collect();
        std::fs::write(file.path(), &long).unwrap();
        objects.upload("packed/a", file.path(), 3).unwrap();
        objects.upload("packed/c", file.path(), 2 * PART + 5).unwrap();
        let names = |listed: Vec<Listed>| listed.into_iter().map(|it| (it.name, it.length)).collect::<Vec<_>>();
        assert_eq!(names(objects.list_top().unwrap()), [("plan.json".to_owned(), 1)]);
        let packed = [("packed/a", 3), ("packed/b", 2), ("packed/c", 2 * PART + 5)];
        assert_eq!(names(objects.list("packed").unwrap()), packed.map(|(name, length)| (name.to_owned(), length)));
        let mut rest = Vec::new();
        objects.copy("packed/c", PART - 1, &mut rest).unwrap();
        assert!(rest == long[PART as usize - 1..][..PART as usize + 6]);
        let missing = objects.copy("packed/d", 0, &mut rest).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(objects.modified("packed/b").unwrap().is_some() && objects.modified("packed/d").unwrap().is_none());
        objects.remove("packed/b").unwrap();
        assert!(objects.list("packed").unwrap().len() == 2 && objects.list("claims").unwrap().is_empty());
    }

    /// A server that makes what it is asked to, and hangs up before it says so.
    #[test]
    fn what_was_made_is_known_though_the_answer_was_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut there: Option<Vec<u8>> = None;
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut reader = BufReader::new(connection.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let line = line.trim().to_lowercase();
                    if let Some(told) = line.strip_prefix("content-length: ") {
                        length = told.parse().unwrap();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                match &there {
                    None => there = Some(body),
                    Some(_) if first.starts_with("PUT ") => {
                        let answer =
                            "HTTP/1.1 412 Precondition Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                        connection.write_all(answer.as_bytes()).unwrap();
                    }
                    Some(there) => {
                        let (text, length) = (String::from_utf8_lossy(there), there.len());
                        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"a\"";
                        let answer = format!("{head}\r\nContent-Length: {length}\r\n\r\n{text}");
                        connection.write_all(answer.as_bytes()).unwrap();
                        return;
                    }
                }
            }
        });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_allow_http(true)
            .with_bucket_name("bucket")
            .with_access_key_id("a")
            .with_secret_access_key("b")
            .build()
            .unwrap();
        let address = Address::parse(Path::new("s3://bucket/a")).unwrap();
        let objects = Objects::over(Box::new(store), &address).unwrap();
        assert!(objects.create("claims/a.1", b"of this process").unwrap(), "it is its own");
        server.join().unwrap();
    }
}
