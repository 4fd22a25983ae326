//! The requests that are to come, from a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use hearth_policy_api::{NONE, PolicyError, nanos};
use rustc_hash::FxHashMap;

/// When functions are requested.
#[derive(Debug, Default)]
pub struct Requests {
    /// Dates in ns in their order, by function. Looked up, never walked.
    dates: FxHashMap<u32, Vec<u64>>,
}

/// A file as it was when it was read: its path, its length and its last change.
type Version = (String, u64, SystemTime);

/// What instances have read. Every node has an instance, and they read the same file, which may be long.
static READ: Mutex<BTreeMap<Version, Weak<Requests>>> = Mutex::new(BTreeMap::new());

/// What the file must have.
const EXPECTED: &str = "SECONDS,FUNCTION: a date from 0 to 9e9 s and the number of a function, such as 12.5,0";
/// A first line that may be there.
const HEADER: &str = "seconds,function";
/// The greatest date; that of traces.
const MOST_SECONDS: f64 = 9e9;

impl Requests {
    /// Those of a file, which other instances may have read before.
    ///
    /// # Errors
    /// When the file cannot be read, has a line that is wrong, or none.
    pub fn read(path: &str) -> Result<Arc<Self>, PolicyError> {
        let unreadable = |cause| {
            PolicyError::new(format!("requests: {path} cannot be read: {cause}; it is to have lines {EXPECTED}"))
        };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let version = (path.to_owned(), metadata.len(), changed);
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|_, requests| requests.strong_count() > 0);
        if let Some(requests) = read.get(&version).and_then(Weak::upgrade) {
            return Ok(requests);
        }
        let requests = Arc::new(Self::of_lines(path, BufReader::new(file))?);
        read.insert(version, Arc::downgrade(&requests));
        Ok(requests)
    }

    /// Those of the lines of a file, in any order.
    ///
    /// # Errors
    /// When one is wrong, or there is none.
    pub fn of_lines(path: &str, lines: impl BufRead) -> Result<Self, PolicyError> {
        let mut dates: FxHashMap<u32, Vec<u64>> = FxHashMap::default();
        for (position, line) in lines.lines().enumerate() {
            let at = |problem| PolicyError::new(format!("requests: {path}, line {}: {problem}", position + 1));
            let line = line.map_err(|cause| at(format!("cannot be read: {cause}")))?;
            if position == 0 && line.trim() == HEADER {
                continue;
            }
            let wrong = || at(format!("found {:?}, expected {EXPECTED}", shown(&line)));
            let (date, function) = request(&line).ok_or_else(wrong)?;
            dates.entry(function).or_default().push(date);
        }
        if dates.is_empty() {
            return Err(PolicyError::new(format!("requests: {path} has no requests: it is to have lines {EXPECTED}")));
        }
        dates.values_mut().for_each(|dates| dates.sort_unstable());
        Ok(Self { dates })
    }

    /// The dates at which a function is requested from a date on, in their order.
    pub fn from(&self, now: u64, function: u32) -> &[u64] {
        let dates = self.dates.get(&function).map_or(&[][..], Vec::as_slice);
        dates.get(dates.partition_point(|date| *date < now)..).unwrap_or_default()
    }
}

/// The date and the function of a line.
fn request(line: &str) -> Option<(u64, u32)> {
    let (seconds, function) = line.split_once(',')?;
    let seconds = seconds.trim().parse::<f64>().ok().filter(|seconds| (0.0..=MOST_SECONDS).contains(seconds))?;
    let function = function.trim().parse::<u32>().ok().filter(|function| *function != NONE)?;
    Some((nanos(seconds), function))
}

/// The beginning of a line, for a message.
fn shown(line: &str) -> String {
    line.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn of(text: &str) -> Result<Requests, String> {
        Requests::of_lines("r.csv", text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_are_dates_and_functions_in_any_order() {
        let requests = of("seconds,function\r\n 2.5, 7\n1e-3,7\n0,3\n").unwrap();
        assert_eq!(requests.from(0, 7), [1_000_000, 2_500_000_000]);
        assert_eq!(requests.from(1_000_000, 7), [1_000_000, 2_500_000_000], "that of now is to come");
        assert_eq!(requests.from(1_000_001, 7), [2_500_000_000]);
        assert_eq!(
            (requests.from(2_500_000_001, 7), requests.from(1, 3), requests.from(0, 8)),
            (&[][..], &[][..], &[][..])
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_line() {
        let expected = "expected SECONDS,FUNCTION: a date from 0 to 9e9 s and the number of a function, such as 12.5,0";
        for line in [
            "",
            "1",
            "1,",
            ",1",
            "1;1",
            "-1,1",
            "NaN,1",
            "inf,1",
            "9.1e9,1",
            "1,-1",
            "1,f",
            "1,1,1",
            "1,4294967295",
            HEADER,
        ] {
            assert_eq!(
                of(&format!("1,1\n{line}\n")).unwrap_err(),
                format!("requests: r.csv, line 2: found {line:?}, {expected}")
            );
        }
        assert!(of(&"x".repeat(1000)).unwrap_err().len() < 250);
        let undecodable = Requests::of_lines("r.csv", &b"1,1\n\xff,1"[..]).unwrap_err().to_string();
        assert!(undecodable.starts_with("requests: r.csv, line 2: cannot be read: "), "{undecodable}");
        for empty in ["", "seconds,function\n"] {
            assert!(
                of(empty).unwrap_err().starts_with("requests: r.csv has no requests: it is to have lines SECONDS,")
            );
        }
    }

    #[test]
    fn a_file_is_read_once_as_long_as_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.csv");
        let path = path.to_str().unwrap();
        let missing = Requests::read(path).unwrap_err().to_string();
        assert!(missing.starts_with(&format!("requests: {path} cannot be read: ")), "{missing}");
        fs::write(path, "1,1\n").unwrap();
        let first = Requests::read(path).unwrap();
        assert!(Arc::ptr_eq(&first, &Requests::read(path).unwrap()));
        let set = |text: &str, changed| {
            fs::write(path, text).unwrap();
            File::options().append(true).open(path).unwrap().set_modified(changed).unwrap();
            Requests::read(path).unwrap()
        };
        let (early, late) =
            (SystemTime::UNIX_EPOCH + Duration::from_secs(1), SystemTime::UNIX_EPOCH + Duration::from_secs(2));
        let versions = [set("1,1\n", early), set("3,1\n", late), set("1,1\n2,1\n", late)];
        let dates = [&[1_000_000_000][..], &[3_000_000_000], &[1_000_000_000, 2_000_000_000]];
        assert_eq!(
            versions.each_ref().map(|requests| requests.from(0, 1)),
            dates,
            "one of another date, one of another length"
        );
    }
}
