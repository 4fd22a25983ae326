//! Writes invocations as a trace of rows, and functions as a list.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::{Arrival, ArrivalSource, DeclaredFunction};

/// The text of a trace, made as it is read.
struct CsvText<'a> {
    source: &'a mut dyn ArrivalSource,
    names: &'a [String],
    text: Vec<u8>,
    given: usize,
    rows: u64,
    /// An arrival that was looked at for what the columns are.
    first: Option<Arrival>,
}

/// So much text is made at a time.
const CHUNK: usize = 1 << 16;

impl CsvText<'_> {
    fn more(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        while self.text.len() < CHUNK {
            let next = match self.first.take() {
                Some(first) => Some(first),
                None => self.source.next_arrival().map_err(io::Error::other)?,
            };
            let Some(Arrival { at, function, run_time }) = next else { return Ok(()) };
            let name = self.names.get(function as usize).map_or("", String::as_str);
            self.rows += 1;
            if name.contains(['"', ',']) {
                write!(self.text, "{at},\"{}\"", name.replace('"', "\"\""))?;
            } else {
                write!(self.text, "{at},{name}")?;
            }
            match run_time {
                Some(run_time) => writeln!(self.text, ",{run_time}")?,
                None => writeln!(self.text)?,
            }
        }
        Ok(())
    }
}

impl Read for CsvText<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.more()?;
        }
        let left = &self.text[self.given..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

/// The columns of a trace that begins so: none of durations if bodies run.
pub fn columns_of(first: Option<&Arrival>) -> &'static str {
    match first {
        Some(Arrival { run_time: None, .. }) => "arrival_s,function",
        _ => "arrival_s,function,duration_s",
    }
}

/// Writes all invocations of a source into a file, with the names of their functions; compressed if its name ends in `.gz`
/// or `.zst`. Gives how many there were.
///
/// # Errors
/// When the source fails or the file cannot be written.
pub fn write_trace(path: &Path, source: &mut dyn ArrivalSource, names: &[String]) -> io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let first = source.next_arrival().map_err(io::Error::other)?;
    let text = format!("{}\n", columns_of(first.as_ref())).into_bytes();
    let mut rows = CsvText { source, names, text, given: 0, rows: 0, first };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
            io::copy(&mut rows, &mut encoder)?;
            encoder.finish()?.flush()?;
        }
        Some("zst") => {
            // The encoder panics on errors of its source, so these are kept for later.
            let mut guarded = Guarded { inner: &mut rows, error: None };
            ruzstd::encoding::compress(&mut guarded, &mut file, ruzstd::encoding::CompressionLevel::Fastest);
            guarded.error.map_or(Ok(()), Err)?;
            file.flush()?;
        }
        _ => {
            io::copy(&mut rows, &mut file)?;
            file.flush()?;
        }
    }
    Ok(rows.rows)
}

/// A reader that ends where it would fail.
struct Guarded<'a, R> {
    inner: &'a mut R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).or_else(|error| {
            self.error = Some(error);
            Ok(0)
        })
    }
}

/// Writes a list of functions with memory and startup time, empty where it is the service's, as traces of rows have beside
/// them.
///
/// # Errors
/// When the file cannot be written.
pub fn write_functions(path: &Path, functions: &[DeclaredFunction]) -> io::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(["function", "memory_mb", "cold_start_s"])?;
    for DeclaredFunction { name, ram, startup_overhead } in functions {
        let startup = startup_overhead.map_or(String::new(), |startup| startup.as_secs_f64().to_string());
        writer.write_record([name.as_str(), &(*ram as f64 / 1e6).to_string(), &startup])?;
    }
    writer.flush()
}
