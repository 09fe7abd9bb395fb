//! Before a run is written into a folder: whether it may be, and the folders it needs.

use std::path::{Path, PathBuf};

use super::atomic::{Disk, folder_of, write_error};
use super::replaced_run;
use super::run_files::{CHECKPOINTS, SAMPLES};
use super::run_identity::Survey;
use crate::error::{Error, Kind, Result};

/// Refuses a folder in which a new run would meet another one, or something of somebody's.
pub(super) fn may_hold_a_run(path: &Path, found: &Survey, overwrite: bool) -> Result<()> {
    let holds_run = found.holds_run() || replaced_run::aside(path).is_some();
    if holds_run && !overwrite {
        return Err(Error::new(Kind::Usage, format!("{} already holds a run", path.display()))
            .help("`autoreg resume` continues it; --overwrite replaces it; --out-dir names another folder"));
    }
    let shown = |file: &Path| path.join(file).display().to_string();
    match (holds_run, found.first_foreign(), found.in_the_way.first()) {
        (false, Some(foreign), _) => {
            Err(Error::new(Kind::Usage, format!("{} is not empty and holds no run", path.display()))
                .cause(format!("{} is not of a run", shown(foreign)))
                .help("name a folder that is empty or does not exist"))
        }
        (true, _, Some(foreign)) => {
            Err(Error::new(Kind::Usage, format!("{} holds a file that is not of its run", path.display()))
                .cause(format!(
                    "a run would write {}, and what is there is not of this run, or not whole",
                    shown(foreign)
                ))
                .help("move it away, or name another folder with --out-dir"))
        }
        _ => Ok(()),
    }
}

/// Makes the folders of a run, where missing, durably.
pub(super) fn make_folders(disk: &dyn Disk, path: &Path) -> Result<()> {
    let folders = [path.to_owned(), path.join(CHECKPOINTS), path.join(SAMPLES)];
    let above = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    let made: Vec<&Path> = above.chain(folders.iter().map(PathBuf::as_path)).filter(|f| !f.exists()).collect();
    for folder in folders.iter().filter(|folder| made.contains(&folder.as_path())) {
        disk.create_folder(folder).map_err(|e| write_error(folder, &e))?;
    }
    // A folder's own name lies in the folder above: without this a power loss could take the whole run.
    for folder in made {
        disk.sync_folder(folder_of(folder)).map_err(|e| write_error(folder, &e))?;
    }
    Ok(())
}
