//! Lists as values of parameters: how they cross.
//!
//! A list crosses as text, one element a line: a newline ends each, and may be left out after the last. So no text is too long; one with control
//! characters, newlines among them, is refused, and every language can read it. Numbers are decimal, times whole nanoseconds.

use std::fmt::Display;
use std::str::FromStr;

/// The elements of a list as it crosses.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = &str> {
    text.split_terminator('\n')
}

/// The elements of a list of numbers or times; none that is no such element.
pub(crate) fn numbers<T: FromStr>(text: &str) -> Vec<T> {
    elements(text).filter_map(|element| element.parse().ok()).collect()
}

/// A list as it crosses.
pub(crate) fn lines<T: Display>(elements: &[T]) -> String {
    elements.iter().map(|element| format!("{element}\n")).collect()
}

/// Whether a text can be an element.
pub(crate) fn is_element(text: &str) -> bool {
    !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crosses_comes_back() {
        let lists: [&[&str]; 5] = [&[], &[""], &["", ""], &["a,b", "\"c\"", " "], &["größer", "a:b"]];
        for list in lists {
            assert_eq!(elements(&lines(list)).collect::<Vec<_>>(), list, "{list:?}");
        }
        let list = [0.1, 1e300, -0.0, f64::MIN_POSITIVE, 5e-324, 1.0];
        let back = numbers::<f64>(&lines(&list));
        assert!(back.iter().map(|number| number.to_bits()).eq(list.iter().map(|number| number.to_bits())), "{back:?}");
        assert_eq!(numbers::<u64>(&lines(&[0, u64::MAX])), [0, u64::MAX]);
    }

    #[test]
    fn the_last_line_need_not_be_ended() {
        assert_eq!(elements("a\nb").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(numbers::<u64>("1\n2"), [1, 2]);
    }
}
