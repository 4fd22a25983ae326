//! In a build without object storage nobody has any.

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use super::{Address, Listed};
use crate::error::CommandError;
use crate::feature::OBJECT_STORAGE;

/// What lies in object storage under a prefix: there is none of these.
#[derive(Debug)]
pub struct Objects(Infallible);

impl Objects {
    /// # Errors
    /// Always: this build lacks it.
    pub fn open(_: &Address) -> Result<Self, CommandError> {
        Err(OBJECT_STORAGE.missing())
    }

    pub fn address(&self) -> &Address {
        match self.0 {}
    }

    pub fn list_top(&self) -> io::Result<Vec<Listed>> {
        match self.0 {}
    }

    pub fn list(&self, _: &str) -> io::Result<Vec<Listed>> {
        match self.0 {}
    }

    pub fn copy(&self, _: &str, _: u64, _: &mut impl Write) -> io::Result<()> {
        match self.0 {}
    }

    pub fn create(&self, _: &str, _: &[u8]) -> io::Result<bool> {
        match self.0 {}
    }

    pub fn write(&self, _: &str, _: Vec<u8>) -> io::Result<()> {
        match self.0 {}
    }

    pub fn upload(&self, _: &str, _: &Path, _: u64) -> io::Result<()> {
        match self.0 {}
    }

    pub fn modified(&self, _: &str) -> io::Result<Option<SystemTime>> {
        match self.0 {}
    }

    pub fn remove(&self, _: &str) -> io::Result<()> {
        match self.0 {}
    }
}
