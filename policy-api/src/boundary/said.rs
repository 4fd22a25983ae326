//! What a library says, fit to be shown and kept: whatever it is, it becomes one short line of text here.

// Text of a library is read through an address.
#![allow(unsafe_code)]

use crate::abi::Text;

/// How many characters are kept of what a library says, as of a reason or the text of a panic.
pub const SAID_AT_MOST: usize = 1_000;

/// What a library says: one line, cut after [`SAID_AT_MOST`] characters. What is no UTF-8 is replaced, and what moves a cursor or turns
/// the direction of a text is written as an escape, such as `\n` or `\u{1b}`.
///
/// # Safety
/// The text must be there during the call.
pub(super) unsafe fn said(text: Text) -> String {
    if text.data.is_null() {
        return String::new();
    }
    // SAFETY: as this function's.
    shown(unsafe { text.bytes() })
}

/// What bytes say, likewise.
pub(super) fn shown(bytes: &[u8]) -> String {
    // No more is looked at than is kept, however long it is.
    let mut shown = String::with_capacity(bytes.len().min(SAID_AT_MOST));
    let (mut kept, mut read) = (0, 0);
    // A character has at most four bytes, so that one that is cut off here is never come to.
    let most = bytes.len().min(4 * (SAID_AT_MOST + 1));
    for chunk in bytes[..most].utf8_chunks() {
        let replaced = (!chunk.invalid().is_empty()).then_some((char::REPLACEMENT_CHARACTER, chunk.invalid().len()));
        for (letter, length) in chunk.valid().chars().map(|letter| (letter, letter.len_utf8())).chain(replaced) {
            if kept == SAID_AT_MOST {
                return format!("{shown}… ({} bytes more)", bytes.len() - read);
            }
            if moves(letter) {
                shown.extend(letter.escape_default())
            } else {
                shown.push(letter)
            }
            kept += 1;
            read += length;
        }
    }
    shown
}

/// Whether a character does something to what stands around it: controls, separators of lines, and marks of direction.
pub(super) fn moves(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_honest_policies_say_stays_as_it_is() {
        for text in ["", "no tokens", "a,b\"c", "größer als 3 µs → 0 %", "C:\\x", "👩‍👩‍👧 é"] {
            assert_eq!(shown(text.as_bytes()), text);
        }
        assert_eq!(shown("é".repeat(SAID_AT_MOST).as_bytes()), "é".repeat(SAID_AT_MOST));
    }

    #[test]
    fn nothing_in_it_moves_a_cursor_or_begins_a_line() {
        let rows = [
            ("left: 1\nright: 2\r\tend", r"left: 1\nright: 2\r\tend"),
            ("\u{1b}[2J\u{7}\0\u{9b}K\u{7f}", r"\u{1b}[2J\u{7}\u{0}\u{9b}K\u{7f}"),
            ("a\u{202e}b\u{2066}c\u{2028}d\u{200f}", r"a\u{202e}b\u{2066}c\u{2028}d\u{200f}"),
        ];
        for (text, expected) in rows {
            assert_eq!(shown(text.as_bytes()), expected);
        }
        for letter in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|letter| letter.is_control()) {
            assert!(shown(letter.to_string().as_bytes()).is_ascii(), "{letter:?}");
        }
        assert_eq!(shown(b"a\xff\xfeb\xe2\x82"), "a\u{fffd}\u{fffd}b\u{fffd}");
    }

    #[test]
    fn it_is_cut_with_how_much_is_left_out() {
        let long = |letter: &str, more: usize| letter.repeat(SAID_AT_MOST + more);
        assert_eq!(shown(long("é", 7).as_bytes()), long("é", 0) + "… (14 bytes more)");
        assert_eq!(shown(long("\n", 1).as_bytes()), r"\n".repeat(SAID_AT_MOST) + "… (1 bytes more)");
        assert_eq!(shown(&[b'x'; 100_000]).len(), SAID_AT_MOST + "… (99000 bytes more)".len());
    }

    #[test]
    fn text_that_is_nowhere_says_nothing() {
        // SAFETY: nothing is read.
        assert_eq!(unsafe { said(Text { data: std::ptr::null(), length: 7 }) }, "");
    }
}
