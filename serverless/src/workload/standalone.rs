//! Traces by themselves: with no scenario around them, all of their functions are found in them.

use std::path::{Path, PathBuf};

use super::generate::{Generator, GeneratorSpec};
use super::{
    Arrival, ArrivalSource, DeclaredFunction, MovableSource, OpenedTrace, TraceError, TraceFormat, TraceSection,
    functions_of, write_functions, write_trace,
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
    /// Whether to stop reading.
    is_to_stop: Option<fn() -> bool>,
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
        Ok(Self {
            origin: Origin::Trace(Box::new(section), known),
            seed,
            functions,
            files,
            opened: Some(source),
            is_to_stop: None,
        })
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
        Ok(Self { origin, seed, functions, files: Vec::new(), opened: Some(Box::new(generator)), is_to_stop: None })
    }

    /// A generator in a file that is not to be written over.
    pub fn read_from(mut self, file: &Path) -> Self {
        self.files.push(file.to_owned());
        self
    }

    /// Asks now and then, on the thread that reads, whether to stop; if so, that is an error of reading.
    pub fn stopped_by(mut self, is_to_stop: fn() -> bool) -> Self {
        self.is_to_stop = Some(is_to_stop);
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
        let source = match (self.opened.take(), &self.origin) {
            (Some(opened), _) => opened,
            (None, Origin::Trace(section, known)) => section.open(Path::new(""), known, self.seed)?.source,
            (None, Origin::Generator(spec, others)) => Box::new(Generator::new(spec, *others, self.seed).0),
        };
        Ok(match self.is_to_stop {
            Some(is_to_stop) => Box::new(Stopped { source, is_to_stop, read: 0, name: self.name() }),
            None => source,
        })
    }

    /// What errors call it.
    fn name(&self) -> PathBuf {
        self.files.first().cloned().unwrap_or_else(|| "generator".into())
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

/// So many invocations are read before it is asked again whether to stop.
const BETWEEN: u64 = 1 << 16;

/// A source that ends in an error when it is to stop.
#[derive(Debug)]
struct Stopped {
    source: MovableSource,
    is_to_stop: fn() -> bool,
    read: u64,
    name: PathBuf,
}

impl ArrivalSource for Stopped {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, TraceError> {
        self.read += 1;
        if self.read.is_multiple_of(BETWEEN) && (self.is_to_stop)() {
            let problem = "its reader was stopped".to_owned();
            return Err(TraceError { file: self.name.clone(), line: None, column: None, problem });
        }
        self.source.next_arrival()
    }

    fn skipped_rows(&self) -> u64 {
        self.source.skipped_rows()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn endless() -> StandaloneTrace {
        let spec = r#"{"arrivals": {"constant": {"rate": 1e3}}, "run_time": {"constant": 1}, "requests": 1000000}"#;
        StandaloneTrace::generated(serde_json::from_str(spec).unwrap(), 0).unwrap()
    }

    fn all(trace: &mut StandaloneTrace) -> Result<u64, TraceError> {
        let mut source = trace.open()?;
        let mut count = 0;
        while source.next_arrival()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn who_reads_is_stopped_when_asked() {
        assert_eq!(all(&mut endless()), Ok(1_000_000));
        assert_eq!(all(&mut endless().stopped_by(|| false)), Ok(1_000_000));
        let error = all(&mut endless().stopped_by(|| true)).unwrap_err();
        assert_eq!(error.to_string(), "generator: its reader was stopped");
    }

    #[test]
    fn what_a_trace_does_not_declare_is_found_in_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        std::fs::write(&file, "arrival_s,function\n1,b\n2,a\n").unwrap();
        let whole = || TraceSection::whole(TraceFormat::Csv, &file);
        let mut trace = StandaloneTrace::of(whole(), 0).unwrap();
        let names: Vec<&str> = trace.functions().iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!((all(&mut trace), all(&mut trace)), (Ok(2), Ok(2)));
        let drawn =
            TraceSection { default_ram: Some(super::super::RamSection::Same(crate::quantity::Bytes(5.0))), ..whole() };
        let trace = StandaloneTrace::of(drawn, 0).unwrap();
        assert_eq!(trace.functions().iter().map(|function| function.ram).collect::<Vec<_>>(), [5, 5]);
        let wrong = StandaloneTrace::of(TraceSection { rate: Some(-1.0), ..whole() }, 0).unwrap_err();
        assert_eq!(wrong.to_string(), "rate: must be from 0 to 1e9");
    }

    #[test]
    fn nothing_is_written_over_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let [rows, functions] = ["rows.csv", "functions.csv"].map(|name| folder.path().join(name));
        let mut trace = endless();
        std::fs::write(&functions, "mine").unwrap();
        let there = trace.write(&rows, Some(&functions), false);
        assert_eq!(there, Err(WriteTraceError::IsThere(functions.clone())));
        assert!(!rows.exists());
        let mut trace = endless().read_from(&functions);
        assert_eq!(trace.write(&functions, None, true), Err(WriteTraceError::IsRead(functions)));
    }
}
