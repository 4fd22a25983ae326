//! What stores say, as far as it may be shown.

/// Variables whose names have one of these hold secrets.
const SECRET: [&str; 6] = ["KEY", "SECRET", "TOKEN", "PASSWORD", "SAS", "SIGNATURE"];

/// Shorter values are found in any text.
const SHORTEST_SECRET: usize = 6;

/// Longer texts are pages that a server has sent.
const LONGEST: usize = 600;

/// What may be shown of a text: on one line, without secrets of the environment, without what follows the `?` of a URL, which may be a
/// signature, and without who somebody is in it.
pub fn without_secrets(text: &str, variables: impl Iterator<Item = (String, String)>) -> String {
    let is_secret = |(name, value): &(String, String)| {
        let name = name.to_uppercase();
        value.len() >= SHORTEST_SECRET && SECRET.iter().any(|part| name.contains(part))
    };
    let mut secrets: Vec<String> = variables.filter(is_secret).map(|(_, value)| value).collect();
    // One may be a part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(&secret, "…");
    }
    let words: Vec<String> = text.split_whitespace().map(|word| without_user(without_query(word))).collect();
    let text = words.join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn without_query(word: &str) -> &str {
    match word.find("://").and_then(|begin| word[begin..].find('?').map(|query| begin + query)) {
        Some(query) => &word[..query],
        None => word,
    }
}

/// Without what stands between `://` and the `@` before the host, in every URL of a word.
fn without_user(word: &str) -> String {
    let mut parts = word.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find('/').unwrap_or(part.len());
        // A password may have an `@` itself.
        let host = part[..end].rfind('@').map(|at| at + 1);
        shown.push_str("://");
        if host.is_some() {
            shown.push_str("…@");
        }
        shown.push_str(&part[host.unwrap_or(0)..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_signatures_are_not_shown() {
        let variables =
            [("AWS_SECRET_ACCESS_KEY", "hidden/key"), ("AWS_REGION", "us-east-1"), ("X_TOKEN", "hidden/key+more")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let said = "PUT http://h/b?sig=abc in us-east-1:\n  403 hidden/key, hidden/key+more is that so?";
        let shown = without_secrets(said, variables.into_iter());
        assert_eq!(shown, "PUT http://h/b in us-east-1: 403 …, … is that so?");
        let said = "proxy=http://me:hidden-p@ss@h:1/a@b,https://me:hidden@h http://h/a@b me@h";
        let shown = without_secrets(said, std::iter::empty());
        assert_eq!(shown, "proxy=http://…@h:1/a@b,https://…@h http://h/a@b me@h");
        let long = without_secrets(&"ä".repeat(1_000), std::iter::empty());
        assert!(long.ends_with('…') && long.chars().count() == LONGEST + 1);
    }
}
