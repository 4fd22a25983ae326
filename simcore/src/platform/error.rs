//! What can be wrong with a platform.

/// Why a platform cannot be built; each message says where and what would be right.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum PlatformError {
    /// A name was given twice.
    #[error("{what} {name:?} is declared twice: names must differ")]
    Duplicate {
        /// Host, link, star or zone.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name was used that nothing has.
    #[error("{place} names {what} {name:?}, which is not declared")]
    Unknown {
        /// Where it is used.
        place: String,
        /// What it should have been.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A number makes no sense.
    #[error("{place}: found {found}, expected {expected}")]
    Unsuitable {
        /// Which quantity of what.
        place: String,
        /// The number found.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Two routes were given between the same ends.
    #[error("the route from {from:?} to {to:?} is given twice: keep one")]
    DuplicateRoute {
        /// One end.
        from: String,
        /// The other end.
        to: String,
    },
    /// A route was given from a star to the same star.
    #[error("a route leads from star {0:?} to itself: its hosts meet at its centre; name a backbone instead")]
    StarToItself(
        /// The star.
        String,
    ),
    /// The text is not XML.
    #[error("the platform is not well-formed XML: {0}")]
    Xml(String),
    /// The XML holds something that would change the platform and is not supported.
    #[error("line {line}: {what} is not supported: {cure}")]
    Unsupported {
        /// Line of the file, from 1.
        line: u32,
        /// The element, attribute or value.
        what: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// The XML is not as SimGrid's format demands.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Line of the file, from 1.
        line: u32,
        /// What is wrong, and what would be right.
        problem: String,
    },
}
