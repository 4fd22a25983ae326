//! Traces by themselves: with no scenario around them, all of their functions are found in them.

use std::path::{Path, PathBuf};

use super::generate::{Generator, GeneratorSpec};
use super::{
    ArrivalSource, DeclaredFunction, MovableSource, OpenedTrace, TraceError, TraceFormat, TraceSection, functions_of,
    write_functions, write_trace,
};

/// The greatest number that may be asked for of a trace.
const MOST: f64 = 1e9;

/// A trace or a generator with all its functions, which can be read from its begin again and again.
///
/// ```
/// use hearth_serverless::workload::StandaloneTrace;
/// use hearth_serverless::workload::generate::GeneratorSpec;
/// let spec: GeneratorSpec = serde_json::from_str(
///     r#"{"arrivals": {"constant": {"rate": 2}}, "run_time": {"constant": 3}, "requests": 240}"#)?;
/// let mut trace = StandaloneTrace::generated(spec, 0)?;
/// assert_eq!(trace.functions().len(), 1);
/// let first = trace.open()?.next_arrival()?;
/// assert_eq!(trace.open()?.next_arrival()?, first);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StandaloneTrace {
    origin: Origin,
    seed: u64,
    functions: Vec<DeclaredFunction>,
    files: Vec<PathBuf>,
    /// What was opened to find the functions, for whoever reads first.
    opened: Option<MovableSource>,
}

#[derive(Debug)]
enum Origin {
    /// A trace, and the names of functions that it does not declare.
    Trace(Box<TraceSection>, Vec<String>),
    /// A generator, and how many functions or workflows of others it is about.
    Generator(Box<GeneratorSpec>, u32),
}

/// Why a trace cannot be opened by itself.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StandaloneError {
    /// What is asked for makes no sense.
    #[error("{field}: {problem}")]
    Field {
        /// The field of the section.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

/// Why a trace cannot be written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WriteTraceError {
    /// A file is what the trace is read from.
    #[error("{}: is what is read: name another file", .0.display())]
    IsRead(PathBuf),
    /// A file is there, and is not to be replaced.
    #[error("{}: is there already", .0.display())]
    IsThere(PathBuf),
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A file cannot be written.
    #[error("{} cannot be written: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: String,
    },
}

impl StandaloneTrace {
    /// A trace, whose relative paths start in the current folder.
    ///
    /// # Errors
    /// When a number or what goes with what is wrong, and when the trace cannot be opened.
    pub fn of(section: TraceSection, seed: u64) -> Result<Self, StandaloneError> {
        check(&section)?;
        let known = match section.format {
            TraceFormat::Csv if section.columns.memory.is_none() && section.default_ram.is_none() => {
                let all = functions_of(&section.path, &section.columns, section.lenient)?;
                all.into_iter().map(|(name, _)| name).collect()
            }
            // The trace declares its functions.
            _ => Vec::new(),
        };
        let OpenedTrace { source, declared, .. } = section.open(Path::new(""), &known, seed)?;
        let functions = known.iter().cloned().map(undeclared).chain(declared).collect();
        let files = section.files(Path::new(""))?;
        Ok(Self { origin: Origin::Trace(Box::new(section), known), seed, functions, files, opened: Some(source) })
    }

    /// What a generator draws.
    ///
    /// # Errors
    /// What is wrong with the generator.
    pub fn generated(spec: GeneratorSpec, seed: u64) -> Result<Self, String> {
        spec.check()?;
        if spec.run_time.is_none() && spec.workflows.is_none() {
            return Err("missing field `run_time`: here are no functions whose bodies could run".to_owned());
        }
        let others = spec.workflows.clone().unwrap_or_else(|| vec!["0".to_owned()]);
        let (generator, mut functions) = Generator::new(&spec, others.len() as u32, seed);
        let count = others.len() as u32;
        if functions.is_empty() {
            functions.extend(others.into_iter().map(undeclared));
        }
        let origin = Origin::Generator(Box::new(spec), count);
        Ok(Self { origin, seed, functions, files: Vec::new(), opened: Some(Box::new(generator)) })
    }

    /// A generator in a file that is not to be written over.
    pub fn read_from(mut self, file: &Path) -> Self {
        self.files.push(file.to_owned());
        self
    }

    /// All functions; positions in arrivals are those in this list. Of those that the trace does not declare only the name is known.
    pub fn functions(&self) -> &[DeclaredFunction] {
        &self.functions
    }

    /// Its invocations, from the first one on.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn open(&mut self) -> Result<Box<dyn ArrivalSource + Send>, TraceError> {
        if let Some(opened) = self.opened.take() {
            return Ok(opened);
        }
        Ok(match &self.origin {
            Origin::Trace(section, known) => section.open(Path::new(""), known, self.seed)?.source,
            Origin::Generator(spec, others) => Box::new(Generator::new(spec, *others, self.seed).0),
        })
    }

    /// Writes all invocations into a file as rows, compressed if its name ends in `.gz` or `.zst`, and perhaps the functions into another
    /// one. Gives how many invocations there are, and how many rows were passed over.
    ///
    /// # Errors
    /// When a file is there already, unless it is to be replaced, or is what is read; and when something cannot be read or written.
    pub fn write(
        &mut self,
        rows: &Path,
        functions: Option<&Path>,
        replace: bool,
    ) -> Result<(u64, u64), WriteTraceError> {
        for file in [Some(rows), functions].into_iter().flatten() {
            if self.files.iter().any(|read| is_same(read, file)) {
                return Err(WriteTraceError::IsRead(file.to_owned()));
            }
            if file.is_file() && !replace {
                return Err(WriteTraceError::IsThere(file.to_owned()));
            }
        }
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |error: std::io::Error| match error.downcast::<TraceError>() {
                Ok(of_source) => WriteTraceError::Trace(of_source),
                Err(error) => WriteTraceError::File { file, problem: error.to_string() },
            }
        };
        if let Some(file) = functions {
            write_functions(file, &self.functions).map_err(failed(file))?;
        }
        let names: Vec<String> = self.functions.iter().map(|function| function.name.clone()).collect();
        let mut source = self.open()?;
        let written = write_trace(rows, &mut *source, &names).map_err(failed(rows))?;
        Ok((written, source.skipped_rows()))
    }
}

/// A function of which only the name is known.
fn undeclared(name: String) -> DeclaredFunction {
    DeclaredFunction { name, ram: 0, startup_overhead: None }
}

fn check(section: &TraceSection) -> Result<(), StandaloneError> {
    let cold_start = section.cold_start.map(|seconds| seconds.0);
    for (field, number) in [("minutes", section.select.minutes), ("rate", section.rate), ("cold_start", cold_start)] {
        if number.is_some_and(|number| !(0.0..=MOST).contains(&number)) {
            return Err(StandaloneError::Field { field, problem: "must be from 0 to 1e9".to_owned() });
        }
    }
    section.check().map_err(|(field, problem)| StandaloneError::Field { field, problem })
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(one).zip(real(other)).is_some_and(|(one, other)| one == other)
}
