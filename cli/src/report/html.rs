//! Tables of pages.

use std::fmt::Write;

use super::draw::escaped;

/// What stands in a field.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number as it is shown, and by what it is sorted, if it has a value.
    Number(String, Option<f64>),
}

impl Cell {
    /// A number that there is.
    pub fn number(text: String, value: f64) -> Self {
        Self::Number(text, Some(value))
    }
}

/// A head of a column.
#[derive(Clone, Copy, Debug)]
pub enum Head {
    /// Of words.
    Text(&'static str),
    /// Of numbers.
    Number(&'static str),
}

/// A table with classes of its own and of what it stands in.
fn of_class(
    [outer, class]: [&str; 2],
    caption: &str,
    heads: &[Head],
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> String {
    let caption = escaped(caption);
    // Writing to a string cannot fail.
    let mut html = format!(
        "<div class=\"scroll{outer}\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table{class}>\n<caption>{caption}</caption>\n<thead><tr>"
    );
    for head in heads {
        let _ = match head {
            // A head of nothing would be one that is read out.
            Head::Text("") => write!(html, "<td></td>"),
            Head::Text(title) => write!(html, "<th scope=\"col\">{title}</th>"),
            Head::Number(title) => write!(html, "<th scope=\"col\" class=\"number\">{title}</th>"),
        };
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        row.iter().enumerate().for_each(|(place, cell)| field(&mut html, place == 0, cell));
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

fn field(html: &mut String, is_first: bool, cell: &Cell) {
    let (tag, scope) = if is_first { ("th", " scope=\"row\"") } else { ("td", "") };
    let _ = match cell {
        Cell::Text(text) => write!(html, "<{tag}{scope}>{}</{tag}>", escaped(text)),
        Cell::Number(text, value) => {
            let value = value.map_or_else(String::new, |value| format!(" data-value=\"{value}\""));
            write!(html, "<{tag}{scope} class=\"number\"{value}>{}</{tag}>", escaped(text))
        }
    };
}

/// A table of a few facts, whose names stand at the left.
pub fn facts(caption: &str, heads: &[Head], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    of_class(["", " class=\"facts\""], caption, heads, rows)
}

/// A table that stays as it is.
fn table(caption: &str, heads: &[Head], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    of_class(["", ""], caption, heads, rows)
}

/// A table that is sorted by its heads and searched, of which not more is seen at a time than has room on a screen.
pub fn sortable(caption: &str, heads: &[Head], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    of_class([" tall", " class=\"sortable\""], caption, heads, rows)
}

/// The table behind a figure, to be unfolded.
pub fn behind(caption: &str, heads: &[Head], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let title = escaped(caption);
    format!("<details><summary>{title}, as a table</summary>{}</details>\n", table(caption, heads, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_is_a_head_and_hides_nothing_in_a_name() {
        let rows = [vec![
            Cell::Text("<b>\"".to_owned()),
            Cell::number("1.5 s".to_owned(), 1.5),
            Cell::Number("-".to_owned(), None),
        ]];
        let html = sortable("A & B", &[Head::Text("name"), Head::Number("time"), Head::Number("other")], rows);
        for part in [
            "aria-label=\"A &amp; B\"><table class=\"sortable\">",
            "<caption>A &amp; B</caption>",
            "<th scope=\"col\" class=\"number\">time</th>",
            "<tr><th scope=\"row\">&lt;b&gt;&quot;</th><td class=\"number\" data-value=\"1.5\">1.5 s</td><td class=\"number\">-</td></tr>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
