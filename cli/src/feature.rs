//! What a build of `hearth` may lack.

use crate::error::CommandError;

/// A feature of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    name: &'static str,
    what: &'static str,
    is_built: bool,
}

/// Tables as Parquet.
pub const PARQUET: Feature = Feature { name: "parquet", what: "Parquet", is_built: cfg!(feature = "parquet") };

/// Pictures in dots.
pub const PNG: Feature = Feature { name: "png", what: "PNG", is_built: cfg!(feature = "png") };

/// Results and traces in object storage.
pub const OBJECT_STORAGE: Feature =
    Feature { name: "object-storage", what: "object storage", is_built: cfg!(feature = "object-storage") };

impl Feature {
    /// Gives back what needs this feature.
    ///
    /// # Errors
    /// When this build lacks it.
    pub fn require<T>(self, value: T) -> Result<T, CommandError> {
        if self.is_built { Ok(value) } else { Err(self.missing()) }
    }

    /// That this build lacks it.
    pub fn missing(self) -> CommandError {
        CommandError::MissingFeature { what: self.what, feature: self.name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_lacks_is_named_with_its_feature() {
        let lacking = Feature { is_built: false, ..PNG }.require(()).unwrap_err();
        let said = "this build of hearth has no PNG: build it with `cargo build --release --features png` (or \
                    `cargo install … --features png`)";
        assert_eq!((lacking.to_string().as_str(), lacking.exit_code()), (said, 2));
        assert!(
            [PNG, PARQUET, OBJECT_STORAGE].iter().all(|feature| feature.require(()).is_ok()),
            "tests are of everything"
        );
    }
}
