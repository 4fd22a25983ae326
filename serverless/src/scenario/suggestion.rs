//! What was probably meant by a name that nothing has.

/// Longer names are not compared: nobody misspells one by hand.
const MAX_LENGTH: usize = 64;

/// The known name that a misspelt one differs least from, if it is near: at most a third of its letters, and the first of
/// several as near.
pub(super) fn closest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |name: &str| name.chars().take(MAX_LENGTH + 1).count();
    let length = letters(found);
    let most = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let other = letters(name);
        // A difference of lengths is a lower bound; names that share no letter are not alike however short they are.
        if length.max(other) > MAX_LENGTH || other.abs_diff(length) > most {
            continue;
        }
        let distance = strsim::osa_distance(found, name);
        let is_near = distance <= most && distance < length.min(other);
        if is_near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// `: did you mean "NAME"?` where there is a near name, or nothing.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(found, known).map_or(String::new(), |name| format!(": did you mean {name:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let known = ["resize", "report", "find-faces"];
        assert_eq!(closest("resise", known), Some("resize"));
        assert_eq!(closest("reprot", known), Some("report"));
        assert_eq!(closest("find_faces", known), Some("find-faces"));
        assert_eq!(closest("thumbnail", known), None);
        assert_eq!(closest("g", ["f"]), None, "a letter is not like another");
        assert_eq!(closest("", known), None);
        assert_eq!(closest("abcdef", ["abcdxx", "abcdex", "abcdey"]), Some("abcdex"), "the first of the nearest");
        assert_eq!(closest(&"a".repeat(100_000), ["a"]), None);
    }
}
