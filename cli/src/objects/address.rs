//! The names of what lies in object storage.

use std::fmt;
use std::path::Path;

use crate::error::CommandError;
use crate::feature::OBJECT_STORAGE;

/// Whose store it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scheme {
    /// Amazon S3, and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
}

const SCHEMES: [(Scheme, &str); 3] = [(Scheme::S3, "s3"), (Scheme::Gs, "gs"), (Scheme::Az, "az")];

/// `s3://bucket/prefix`: a place in object storage.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Address {
    /// Whose store it is.
    pub scheme: Scheme,
    /// The bucket, or container.
    pub bucket: String,
    /// What the names of its objects begin with, without a slash at either end; may be empty.
    pub prefix: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix, .. } = self;
        write!(f, "{}://{bucket}{}{prefix}", self.scheme_name(), if prefix.is_empty() { "" } else { "/" })
    }
}

/// Whether a text begins as such names do.
pub fn has_scheme(text: &str) -> bool {
    split(text).is_some()
}

fn split(text: &str) -> Option<(Scheme, &str)> {
    SCHEMES.iter().find_map(|(scheme, name)| Some((*scheme, text.strip_prefix(name)?.strip_prefix("://")?)))
}

impl Address {
    /// How its names begin.
    pub fn scheme_name(&self) -> &'static str {
        SCHEMES.iter().find(|(scheme, _)| *scheme == self.scheme).map_or("", |(_, name)| name)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// When it is none, or has what does not belong there, or this build knows no object storage. What could be a secret is not
    /// repeated.
    pub fn parse(path: &Path) -> Result<Self, CommandError> {
        OBJECT_STORAGE.require(())?;
        let wrong = |problem: &str| {
            CommandError::Usage(format!(
                "a name in object storage is s3://BUCKET/PREFIX, or with gs:// or az://: {problem}"
            ))
        };
        let text = path.to_str().ok_or_else(|| wrong("it is UTF-8 text"))?;
        let (scheme, rest) = split(text).ok_or_else(|| wrong("it begins so"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains(['@', ':']) || rest.contains(['?', '#']) {
            let cure = "who you are and where the store is stands in variables of the environment (docs/sweeps.md)";
            return Err(wrong(&format!("it has no \"@\", \":\", \"?\" or \"#\": {cure}")));
        }
        if bucket.is_empty() {
            return Err(wrong("the bucket is missing"));
        }
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong("no part of the prefix is empty, \".\" or \"..\""));
        }
        Ok(Self { scheme, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["s3://bucket", "gs://bucket/a", "az://container/a/b c"] {
            assert_eq!(Address::parse(Path::new(name)).unwrap().to_string(), name);
        }
        assert_eq!(Address::parse(Path::new("s3://b/a/")).unwrap().to_string(), "s3://b/a");
        assert!(!has_scheme("results/s3://b") && !has_scheme("https://b/a") && !has_scheme("s3:/b"));
    }

    #[test]
    fn what_could_be_a_secret_is_refused_and_not_repeated() {
        for name in ["s3://id:hidden@b/a", "s3://b/a?signature=hidden", "az://c@hidden/a", "s3://b/a#hidden"] {
            let refused = Address::parse(Path::new(name)).unwrap_err();
            let (said, code) = (refused.to_string(), refused.exit_code());
            assert!(code == 2 && said.contains("variables of the environment") && !said.contains("hidden"), "{said}");
        }
        for name in ["s3://", "s3:///a", "s3://b//a", "s3://b/../a", "s3://b/./a"] {
            assert!(Address::parse(Path::new(name)).is_err(), "{name}");
        }
    }
}
