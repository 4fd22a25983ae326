//! `hearth schema`.

use std::io::Write;

use crate::error::CommandError;

/// Prints the JSON Schema of scenarios.
pub fn print() -> Result<(), CommandError> {
    writeln!(std::io::stdout(), "{:#}", hearth_serverless::scenario::schema())?;
    Ok(())
}
