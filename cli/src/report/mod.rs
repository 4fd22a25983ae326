//! Pictures and a page of what came of a run or a sweep: what `hearth report` does.
//!
//! [`folder`] reads results, [`run_figures`] and [`sweep_figures`] (of the numbers in [`sweep_numbers`]) say what is to be seen, [`draw`] draws it in the colours
//! of [`theme`]; [`explore`] packs what a page can be searched for by its [`script`], [`stories`] what `hearth why` tells, and [`page`] puts it all on one page;
//! [`difference`] does that for two runs side by side.

pub mod difference;
mod difference_figures;
pub mod draw;
pub mod drawn;
pub mod explore;
pub mod figure;
pub mod folder;
mod html;
pub mod page;
#[cfg(feature = "png")]
pub mod png;
pub mod run_figures;
pub mod script;
pub mod stories;
pub mod sweep_figures;
mod sweep_numbers;
pub mod theme;
