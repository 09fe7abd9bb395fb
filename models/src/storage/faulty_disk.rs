//! A disk for tests that works on real files, counts its operations and goes wrong at the n-th. What must hold then is in
//! `crash.rs`.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::atomic::{Disk, DiskFile, SystemDisk};

/// How the disk goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// This one operation is refused; the next ones work.
    Refused,
    /// This write and all that follow find the disk full; other operations work.
    Full,
    /// The process is killed: this operation (a write: half of it) and nothing after it happens.
    Killed,
    /// As killed, and what was not synced is lost: contents become empty, renames are undone.
    PowerLost,
    /// As killed, and contents that were not synced are lost, but renames have reached the medium.
    PowerLostAfterRenames,
}

#[derive(Default)]
struct Journal {
    /// Files whose last write was not synced.
    unsynced: Vec<PathBuf>,
    /// Renames whose folder was not synced: from, to, and what `to` held before.
    renames: Vec<(PathBuf, PathBuf, Option<Vec<u8>>)>,
}

/// When a disk goes wrong and how, and what it has done so far.
pub struct Plan {
    fault: Fault,
    fault_at: usize,
    /// The operations done, those that went wrong included.
    pub done: Cell<usize>,
    journal: RefCell<Journal>,
}

impl Plan {
    /// Goes wrong at operation `fault_at`, counted from 0.
    pub fn new(fault: Fault, fault_at: usize) -> Self {
        Plan { fault, fault_at, done: Cell::new(0), journal: RefCell::default() }
    }

    /// Counts an operation; an error if it goes wrong.
    fn step(&self, is_write: bool) -> io::Result<()> {
        let n = self.done.get();
        self.done.set(n + 1);
        let wrong = match self.fault {
            Fault::Refused => n == self.fault_at,
            Fault::Full => n >= self.fault_at && is_write,
            _ => n >= self.fault_at,
        };
        match (wrong, self.fault) {
            (false, _) => Ok(()),
            (true, Fault::Full) => Err(io::ErrorKind::StorageFull.into()),
            (true, _) => Err(io::Error::other("injected fault")),
        }
    }

    /// What the medium holds after the power came back.
    pub fn lose_power(&self) {
        let journal = self.journal.take();
        for path in &journal.unsynced {
            if path.exists() {
                fs::write(path, b"").unwrap();
            }
        }
        if self.fault == Fault::PowerLost {
            for (from, to, before) in journal.renames.into_iter().rev() {
                fs::rename(&to, &from).unwrap();
                if let Some(bytes) = before {
                    fs::write(&to, bytes).unwrap();
                }
            }
        }
    }
}

/// A disk of real files that follows a plan.
pub struct FaultyDisk(pub Rc<Plan>);

struct FaultyFile {
    plan: Rc<Plan>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.plan.journal.borrow_mut().unsynced.push(self.path.clone());
        // Small writes, so that a file can be torn at many places.
        let bytes = &bytes[..bytes.len().min(100)];
        if let Err(e) = self.plan.step(true) {
            // Only the first faulty write is half done; a killed process writes nothing more.
            if self.plan.done.get() == self.plan.fault_at + 1 {
                self.file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return Err(e);
        }
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        self.plan.step(false)?;
        self.plan.journal.borrow_mut().unsynced.retain(|p| *p != self.path);
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, like: Option<&fs::Metadata>) -> io::Result<Box<dyn DiskFile>> {
        self.0.step(true)?;
        self.0.journal.borrow_mut().unsynced.push(path.to_owned());
        let file = SystemDisk.create(path, like)?;
        Ok(Box::new(FaultyFile { plan: self.0.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step(false)?;
        let mut journal = self.0.journal.borrow_mut();
        journal.renames.push((from.to_owned(), to.to_owned(), fs::read(to).ok()));
        journal.unsynced.iter_mut().filter(|p| *p == from).for_each(|p| *p = to.to_owned());
        SystemDisk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.step(false)?;
        self.0.journal.borrow_mut().renames.retain(|(_, to, _)| to.parent() != Some(folder));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.step(false)?;
        SystemDisk.remove(path)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.step(false)?;
        SystemDisk.create_folder(folder)
    }
}
