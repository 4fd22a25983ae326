//! A table that is written while the simulation runs, row by row.

use std::fmt;

use super::recorder::SinkError;
use super::table::{Column, OpenTable, TableTarget};
use crate::error::Error;

/// The table, and what its rows are, for messages.
pub(crate) struct StreamedTable<R> {
    what: &'static str,
    table: OpenTable<R>,
}

impl<R> fmt::Debug for StreamedTable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a table of {}", self.what)
    }
}

impl<R> StreamedTable<R> {
    /// Begins a table.
    pub fn new(what: &'static str, columns: Vec<Column<R>>, target: TableTarget) -> Result<Self, Error> {
        let table = OpenTable::new(columns, target).map_err(|error| unwritable(what, &error))?;
        Ok(Self { what, table })
    }

    /// Writes a row.
    pub fn write(&mut self, row: &R) -> Result<(), Error> {
        self.table.row(row).map_err(|error| unwritable(self.what, &error))
    }

    /// Ends the table.
    pub fn finish(mut self) -> Result<(), Error> {
        self.table.finish().map_err(|error| unwritable(self.what, &error))
    }
}

fn unwritable(what: &'static str, error: &SinkError) -> Error {
    Error::Result { what, cause: error.to_string() }
}
