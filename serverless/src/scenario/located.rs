//! Where in a text of JSON something stands.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The line and the column at which the value at a path ends in a text; nothing where there is none.
pub(super) fn end_of(text: &str, path: &[String]) -> Option<(usize, usize)> {
    let error = Walk(path).deserialize(&mut serde_json::Deserializer::from_str(text)).err()?;
    Some((error.line(), error.column())).filter(|(line, _)| *line > 0)
}

/// Reads up to the value at a path, and fails there: errors know where they are.
struct Walk<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.0.is_empty() { deserializer.deserialize_any(Stop) } else { deserializer.deserialize_any(self) }
    }
}

/// Fails at the end of a value. An error of a visitor is given its place at once, one of a seed later.
struct Stop;

impl<'de> Visitor<'de> for Stop {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }

    // Numbers and words are not what is expected, which is the error.

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("here"))
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something with parts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Some((part, rest)) = self.0.split_first() else { return Ok(()) };
        for position in 0.. {
            let is_it = part.parse() == Ok(position);
            let found = if is_it {
                elements.next_element_seed(Walk(rest))?
            } else {
                elements.next_element::<IgnoredAny>()?.map(drop)
            };
            if found.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Some((part, rest)) = self.0.split_first() else { return Ok(()) };
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            if name == part.as_str() {
                fields.next_value_seed(Walk(rest))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_value_is_found() {
        let text = "{\n  \"a\": [1,\n    {\"b\": \"x\", \"\\u0063\": 22}],\n  \"d\": null\n}";
        let end = |path: &[&str]| end_of(text, &path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!(end(&["a", "0"]), Some((2, 9)));
        assert_eq!(end(&["a", "1", "b"]), Some((3, 13)));
        assert_eq!(end(&["a", "1", "c"]), Some((3, 27)));
        assert_eq!(end(&["a"]), Some((3, 29)));
        assert_eq!(end(&["d"]), Some((4, 11)));
        assert_eq!(end(&[]), Some((5, 1)));
        assert_eq!((end(&["e"]), end(&["a", "2"])), (None, None));
    }
}
