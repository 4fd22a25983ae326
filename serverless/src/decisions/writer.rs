//! Writes the log of decisions: a line of JSON for each.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Decision, DecisionSink, DecisionsHeader};

/// How a log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WrittenAs {
    /// As text.
    Text,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by Zstandard.
    Zstandard,
}

impl WrittenAs {
    /// By the name of the file: `.gz` and `.zst` are compressed.
    ///
    /// ```
    /// use std::path::Path;
    /// use hearth_serverless::decisions::WrittenAs;
    /// let of = |name: &str| WrittenAs::of(Path::new(name));
    /// assert_eq!([of("d.jsonl"), of("d.jsonl.gz")], [WrittenAs::Text, WrittenAs::Gzip]);
    /// ```
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstandard,
            _ => Self::Text,
        }
    }
}

type Target = BufWriter<Box<dyn Write + Send>>;

enum Output {
    Text(Target),
    Gzip(GzEncoder<Target>),
    Zstandard(Frames),
}

/// So much text becomes a frame of Zstandard: files may have any number of frames.
const FRAME: usize = 1 << 20;

struct Frames {
    target: Target,
    text: Vec<u8>,
}

impl Frames {
    fn end_frame(&mut self) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        self.target.write_all(&ruzstd::encoding::compress_to_vec(self.text.as_slice(), level))?;
        self.text.clear();
        Ok(())
    }
}

impl Output {
    fn line(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        fn write(mut target: impl Write, value: &impl serde::Serialize) -> io::Result<()> {
            serde_json::to_writer(&mut target, value)?;
            target.write_all(b"\n")
        }
        match self {
            Self::Text(target) => write(target, value),
            Self::Gzip(target) => write(target, value),
            Self::Zstandard(frames) => {
                write(&mut frames.text, value)?;
                if frames.text.len() < FRAME { Ok(()) } else { frames.end_frame() }
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Text(target) => target.flush(),
            Self::Gzip(encoder) => {
                encoder.try_finish()?;
                encoder.get_mut().flush()
            }
            Self::Zstandard(frames) => {
                frames.end_frame()?;
                frames.target.flush()
            }
        }
    }
}

/// Writes a log of decisions while the simulation runs. Clones write into the same one: who keeps one can end it where the simulation
/// does not come back from a call.
///
/// ```
/// # use hearth_serverless::{experiment::Experiment, policy::Catalog, scenario::Scenario};
/// use hearth_serverless::decisions::{DecisionLog, DecisionWriter, Observation, Views, WrittenAs};
/// # let scenario = Scenario::from_json(r#"{"format": "hearth-scenario/1",
/// #     "platform": {"hosts": [{"name": "all", "cores": 1, "speed": "1Gf"}]},
/// #     "service": {"head": "all", "registry": "all", "nodes": ["all"]}, "functions": [{"name": "f"}],
/// #     "workload": {"invocations": [{"at": 1.5, "function": "f", "body": [{"sleep": "500ms"}]}]}}"#)?;
/// # let catalog = Catalog::new(hearth_plugins::BUILT_IN);
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("decisions.jsonl");
/// let observation = Observation { decisions: Some(Views::Full), ..Observation::default() };
/// let experiment = Experiment::prepare_observed(&scenario, &catalog, &observation)?;
/// let writer = DecisionWriter::new(Box::new(std::fs::File::create(&path)?), WrittenAs::Text);
/// experiment.decide_into(Box::new(writer))?.run()?;
/// let log = DecisionLog::new(Box::new(std::io::BufReader::new(std::fs::File::open(&path)?)))?;
/// let decisions: Vec<_> = log.collect::<Result<_, _>>()?;
/// let placed = decisions.iter().find(|decision| decision.method == "place").unwrap();
/// assert_eq!((placed.date_ns, placed.answered()), (1_500_000_000, r#"{"node":0}"#.to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DecisionWriter(Arc<Mutex<Output>>);

impl fmt::Debug for DecisionWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecisionWriter")
    }
}

impl DecisionWriter {
    /// Writes into a target.
    pub fn new(target: Box<dyn Write + Send>, written: WrittenAs) -> Self {
        let target = BufWriter::new(target);
        Self(Arc::new(Mutex::new(match written {
            WrittenAs::Text => Output::Text(target),
            WrittenAs::Gzip => Output::Gzip(GzEncoder::new(target, Compression::fast())),
            WrittenAs::Zstandard => Output::Zstandard(Frames { target, text: Vec::new() }),
        })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Output) -> T) -> T {
        // What is behind the lock is whole after every line.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DecisionSink for DecisionWriter {
    fn begin(&mut self, header: &DecisionsHeader) -> io::Result<()> {
        self.with(|output| output.line(header))
    }

    fn write(&mut self, decision: &Decision) -> io::Result<()> {
        self.with(|output| output.line(decision))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.with(Output::finish)
    }
}
