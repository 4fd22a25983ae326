//! Reads and refuses attributes, properties and children of one element.

use roxmltree::Node;

use super::super::PlatformError;
use crate::units::{self, Dimension};

pub(super) fn elements<'a, 'i>(parent: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    parent.children().filter(Node::is_element)
}

fn line(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

pub(super) fn malformed(node: Node<'_, '_>, problem: String) -> PlatformError {
    PlatformError::Malformed { line: line(node), problem }
}

pub(super) fn unsupported(node: Node<'_, '_>, what: String, cure: &'static str) -> PlatformError {
    PlatformError::Unsupported { line: line(node), what, cure }
}

pub(super) fn unsupported_element(node: Node<'_, '_>) -> PlatformError {
    let cure = "describe it with zones of routing Full, hosts, links, routes and clusters";
    unsupported(node, format!("<{}>", node.tag_name().name()), cure)
}

pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, PlatformError> {
    let missing = || malformed(node, format!("<{}> lacks the attribute {name:?}", node.tag_name().name()));
    node.attribute(name).ok_or_else(missing)
}

/// Refuses attributes that are not among those that are understood.
pub(super) fn only(node: Node<'_, '_>, known: &[&str]) -> Result<(), PlatformError> {
    match node.attributes().find(|attribute| !known.contains(&attribute.name())) {
        None => Ok(()),
        Some(attribute) => {
            let what = format!("attribute {:?} of <{}>", attribute.name(), node.tag_name().name());
            Err(unsupported(node, what, "leave it out"))
        }
    }
}

pub(super) fn quantity(node: Node<'_, '_>, name: &str, dimension: Dimension) -> Result<f64, PlatformError> {
    let text = attribute(node, name)?;
    if text.contains(',') {
        let what = format!("a list of values in {name}={text:?}");
        return Err(unsupported(node, what, "give the one value that holds all the time"));
    }
    units::parse(text, dimension).map_err(|error| malformed(node, format!("{name}: {error}")))
}

pub(super) fn property<'a>(node: Node<'a, '_>, name: &str) -> Result<Option<&'a str>, PlatformError> {
    for child in elements(node).filter(|child| child.tag_name().name() == "prop") {
        if attribute(child, "id")? == name {
            return attribute(child, "value").map(Some);
        }
    }
    Ok(None)
}

pub(super) fn whole_bytes(node: Node<'_, '_>, text: &str) -> Result<u64, PlatformError> {
    let bytes = units::parse(text, Dimension::Size).map_err(|error| malformed(node, error.to_string()))?;
    Ok(bytes.round() as u64)
}

/// Refuses children other than properties, which change nothing unless they are asked for.
pub(super) fn only_properties(node: Node<'_, '_>) -> Result<(), PlatformError> {
    let other = elements(node).find(|child| child.tag_name().name() != "prop");
    other.map_or(Ok(()), |child| Err(unsupported_element(child)))
}

/// Whether a route also serves the way back, as it does unless it says no.
pub(super) fn symmetrical(node: Node<'_, '_>) -> Result<bool, PlatformError> {
    match node.attribute("symmetrical") {
        None | Some("yes" | "YES") => Ok(true),
        Some("no" | "NO") => Ok(false),
        Some(other) => Err(malformed(node, format!("symmetrical={other:?}: expected yes or no"))),
    }
}

pub(super) fn cores(node: Node<'_, '_>) -> Result<u32, PlatformError> {
    let text = node.attribute("core").unwrap_or("1");
    text.parse().map_err(|_| malformed(node, format!("core={text:?}: expected a whole number")))
}

/// A cluster of more hosts is a slip of the pen.
const MAX_CLUSTER: u64 = 1_000_000;

/// The numbers that a list such as `0-3,7` stands for.
pub(super) fn radical(node: Node<'_, '_>, text: &str) -> Result<Vec<u32>, PlatformError> {
    let wrong = || malformed(node, format!("radical={text:?}: expected numbers and ranges such as 0-3,7"));
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(wrong());
        }
        let count = numbers.len() as u64 + u64::from(last - first) + 1;
        if count > MAX_CLUSTER {
            return Err(malformed(
                node,
                format!("radical={text:?}: makes {count} hosts, expected at most {MAX_CLUSTER}"),
            ));
        }
        numbers.extend(first..=last);
    }
    Ok(numbers)
}
