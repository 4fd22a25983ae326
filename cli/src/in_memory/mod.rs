//! For programs that hold what comes of runs and sweeps in memory, and show it as the command does: [`run_text`], [`RunPictures`] and
//! [`Sweep`].

mod run;
mod sweep;

pub use self::run::{RunPictures, run_text};
pub use self::sweep::{AxisSpec, Shown, Sweep, SweepOutcome, SweepSpec};
use crate::report::draw::{DrawError, to_svg};
use crate::report::figure::Figure;
pub use crate::sweep::pool::Control;
pub use crate::sweep::study::OwnPolicyMaker;

/// A figure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// What it may be called as a file.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What one should know of it; may be empty.
    pub note: String,
    /// The picture, on light ground.
    pub svg: String,
}

impl Picture {
    fn of(figure: &Figure) -> Result<Self, DrawError> {
        let Figure { name, title, note, .. } = figure;
        Ok(Self { name: name.clone(), title: title.clone(), note: note.clone(), svg: to_svg(figure)? })
    }
}

/// What cannot be drawn: a mistake of this program.
fn undrawn(error: &DrawError) -> crate::CommandError {
    crate::CommandError::Usage(format!("a figure cannot be drawn: {error}"))
}
