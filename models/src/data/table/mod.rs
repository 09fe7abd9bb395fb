//! Tables as CSV: what holds of every such file, whatever its columns are for.
//!
//! | file | holds |
//! | --- | --- |
//! | [`layout`] | what the file is as a whole: no CSV at all, an open quote, a first line of names |
//! | [`rows`] | its rows, with their lines |
//! | [`cell`] | what a cell holds, and which separator there is |

pub(crate) mod cell;
pub(crate) mod layout;
pub(crate) mod rows;
