//! Files that may be compressed, read as what they hold. What their checksums say is wrong is an error, at the end of the
//! part that a checksum is about at the latest.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::own_place::OwnPlace;
use super::stop::Stoppable;

const BUFFER: usize = 1 << 18;

/// Opens a file, decompressing it if its name ends in `.gz` or `.zst`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    decompress(BufReader::with_capacity(BUFFER, Stoppable(OwnPlace::new(file))), path)
}

/// What bytes hold, by the name of their file.
fn decompress(file: impl BufRead + Send + 'static, path: &Path) -> Result<Box<dyn BufRead + Send>, String> {
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(file))),
        Some("zst") => {
            let frames = Frames::new(file).map_err(|error| format!("is not a Zstandard file: {error}"))?;
            Box::new(BufReader::with_capacity(BUFFER, frames))
        }
        _ => Box::new(file),
    })
}

/// What the frames of a Zstandard file hold, one after the other (RFC 8878, section 3.1). The library decodes one frame,
/// and leaves it to others to compare its checksum.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame has begun and its end has not been checked.
    is_within: bool,
    /// How many bytes of the frame have been given.
    given: u64,
}

fn wrong(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

impl<R: BufRead> Frames<R> {
    /// Begins with the first frame, which must be there.
    fn new(source: R) -> io::Result<Self> {
        let mut frames = Self { source, decoder: FrameDecoder::new(), is_within: false, given: 0 };
        if frames.begin()? { Ok(frames) } else { Err(wrong("it has no frame")) }
    }

    /// Begins with the next frame that has content; false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    (self.is_within, self.given) = (true, 0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(wrong(error)),
            }
        }
        Ok(false)
    }

    /// Checks what the frame says of its content, all of which has been given.
    fn end(&mut self) -> io::Result<()> {
        let size = self.decoder.content_size();
        // No size is given as 0.
        if size != 0 && size != self.given {
            return Err(wrong(format!("a frame has {} bytes, and says {size}: the file is damaged", self.given)));
        }
        let checksum = self.decoder.get_checksum_from_data();
        if checksum.is_some() && checksum != self.decoder.get_calculated_checksum() {
            return Err(wrong("the content of a frame does not match its checksum: the file is damaged"));
        }
        self.is_within = false;
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_within && !self.begin()? {
                return Ok(0);
            }
            // Some blocks only fill the window, from which nothing can be taken before there is more.
            while self.decoder.can_collect() < target.len() && !self.decoder.is_finished() {
                let wanted = BlockDecodingStrategy::UptoBytes(target.len() - self.decoder.can_collect());
                self.decoder.decode_blocks(&mut self.source, wanted).map_err(wrong)?;
            }
            let count = self.decoder.read(target)?;
            if count > 0 || target.is_empty() {
                self.given += count as u64;
                return Ok(count);
            }
            self.end()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// What a file of this name holds.
    fn read(name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let file = io::Cursor::new(bytes.to_vec());
        decompress(file, Path::new(name))?.read_to_end(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// Rows enough for more than one kind of block.
    fn rows() -> Vec<u8> {
        let row = |number: u32| format!("{}.{:03},f{},{}\n", number / 7, number * 37 % 1000, number % 5, number % 11);
        (0..100).map(row).collect::<String>().into_bytes()
    }

    fn zst(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_file_of_which_a_bit_is_flipped_is_refused_or_the_same() {
        let text = rows();
        for (name, bytes) in [("t.zst", zst(&text)), ("t.gz", gz(&text))] {
            assert_eq!(read(name, &bytes).as_ref(), Ok(&text), "{name}");
            let mut refused = 0;
            for position in 0..bytes.len() {
                // One bit each, and all of them.
                for flipped in [1 << (position % 8), 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[position] ^= flipped;
                    match read(name, &damaged) {
                        Ok(found) => assert_eq!(found, text, "{name}: {flipped:#x} of byte {position}"),
                        Err(_) => refused += 1,
                    }
                }
            }
            // What is left are notes like the date in a header.
            assert!(refused > 2 * bytes.len() - 20, "{name}: {refused} of {}", 2 * bytes.len());
        }
    }

    #[test]
    fn a_file_that_is_cut_is_refused() {
        let text = rows();
        for (name, bytes) in [("t.zst", zst(&text)), ("t.gz", gz(&text))] {
            for length in 0..bytes.len() {
                assert!(read(name, &bytes[..length]).is_err(), "{name}: {length} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn all_parts_of_a_file_are_read_and_nothing_may_follow_them() {
        let (one, other) = (rows(), b"and more\n".to_vec());
        let all = [one.as_slice(), &other].concat();
        for (name, parts) in [("t.zst", [zst(&one), zst(&other)]), ("t.gz", [gz(&one), gz(&other)])] {
            assert_eq!(read(name, &parts.concat()).as_ref(), Ok(&all), "{name}");
            assert_eq!(read(name, &[&parts[0][..], &parts[1], &parts[0][..9]].concat()).ok(), None, "{name}");
            assert_eq!(read(name, &[&parts[0][..], b"garbage that is no header"].concat()).ok(), None, "{name}");
        }
        // Frames that are to be skipped, first, between and last; and one that holds nothing.
        let skipped = |length: u8| [&[0x53, 0x2a, 0x4d, 0x18, length, 0, 0, 0][..], &vec![7; length.into()]].concat();
        let file = [skipped(3), zst(&one), skipped(0), zst(b""), zst(&other), skipped(200)].concat();
        assert_eq!(read("t.zst", &file).as_ref(), Ok(&all));
        assert!(read("t.zst", &file[..file.len() - 1]).is_err());
    }

    #[test]
    fn a_frame_without_checksum_is_checked_by_what_it_has() {
        // A frame of the text "hearth" as one raw block: single segment, its size in one byte.
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 6, 0x31, 0, 0][..], b"hearth"].concat();
        assert_eq!(read("t.zst", &frame).as_deref(), Ok(&b"hearth"[..]));
        let mut longer = frame.clone();
        longer[5] = 7;
        let message = read("t.zst", &longer).unwrap_err();
        assert_eq!(message, "a frame has 6 bytes, and says 7: the file is damaged");
    }
}
