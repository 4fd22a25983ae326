//! What was probably meant by a name that nothing has.

/// Longer names are not compared: nobody misspells one by hand.
const MAX_LENGTH: usize = 64;

/// The known name that a misspelt one differs least from, if it is near: at most a third of its letters, and the first of
/// several as near.
pub(super) fn closest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found: Vec<char> = found.chars().take(MAX_LENGTH + 1).collect();
    if found.len() > MAX_LENGTH {
        return None;
    }
    let most = (found.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let letters: Vec<char> = name.chars().take(MAX_LENGTH + 1).collect();
        // A difference of lengths is a lower bound; names that share no letter are not alike however short they are.
        if letters.len().abs_diff(found.len()) > most || letters.len() > MAX_LENGTH {
            continue;
        }
        let distance = edit_distance(&found, &letters);
        let is_near = distance <= most && distance < found.len().min(letters.len());
        if is_near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// `: did you mean "NAME"?` where there is a near name, or nothing.
pub(super) fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(found, known).map_or(String::new(), |name| format!(": did you mean {name:?}?"))
}

/// How many letters must be put in, taken out, replaced, or swapped with their neighbour (optimal string alignment), row
/// by row of the usual table.
fn edit_distance(from: &[char], to: &[char]) -> usize {
    let mut two_above = vec![0; to.len() + 1];
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for row in 0..from.len() {
        let mut current = vec![row + 1];
        for column in 0..to.len() {
            let replaced = above[column] + usize::from(from[row] != to[column]);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && from[row] == to[column - 1] && from[row - 1] == to[column] {
                least = least.min(two_above[column - 1] + 1);
            }
            current.push(least);
        }
        two_above = std::mem::replace(&mut above, current);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(from: &str, to: &str) -> usize {
        edit_distance(&from.chars().collect::<Vec<_>>(), &to.chars().collect::<Vec<_>>())
    }

    #[test]
    fn the_distance_counts_letters_put_in_taken_out_replaced_and_swapped() {
        let pairs = [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("lawn", "flaw", 2), ("idael", "ideal", 1)];
        for (from, to, expected) in pairs {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }

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
