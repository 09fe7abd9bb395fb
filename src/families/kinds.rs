//! Which family a kind of model belongs to, by the table of families.

use super::{FAMILIES, Family};
use models::error::{Error, Kind, Result};
use std::path::Path;

/// The family that a kind of model belongs to.
///
/// # Errors
/// [`Kind::BadInput`] for a kind that no family knows.
pub fn family_of(kind: &str, path: &Path) -> Result<&'static dyn Family> {
    whose(kind).map_err(|known| {
        Error::new(Kind::BadInput, format!("{} holds a model of kind `{kind}`", path.display()))
            .cause(format!(
                "it is of a newer version or of another program; autoreg {} knows {}",
                env!("CARGO_PKG_VERSION"),
                known
            ))
            .help("use a newer autoreg; `autoreg inspect` shows what is in the file")
    })
}

/// The family of a kind of model that is named on the command line.
///
/// # Errors
/// [`Kind::Usage`] for a kind that no family knows.
pub fn family_named(kind: &str) -> Result<&'static dyn Family> {
    whose(kind).map_err(|known| {
        Error::new(Kind::Usage, format!("--model {kind}: there is no such kind of model"))
            .cause(format!("the kinds are {known}"))
    })
}

/// The family of a kind of model; else the kinds that there are.
fn whose(kind: &str) -> std::result::Result<&'static dyn Family, String> {
    let known = || FAMILIES.iter().flat_map(|family| family.kinds()).collect::<Vec<_>>().join(", ");
    FAMILIES.iter().find(|family| family.kinds().contains(&kind)).copied().ok_or_else(known)
}
