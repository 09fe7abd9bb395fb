//! The bytes of one file of data, within the memory that is free. Which files are data is decided in `files`.

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::bytes as shown_bytes;
use crate::storage::regular::kind_of;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes of a file that is not empty; they are taken off the memory that is free.
pub(super) fn read_one(path: &Path, what: &str, free: &mut u64) -> Result<Vec<u8>> {
    let failed = |cause: String, help: &str| {
        Error::new(Kind::BadInput, format!("cannot read the {what} {}", path.display())).cause(cause).help(help)
    };
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => failed("there is no such file".to_string(), "check the path"),
        io::ErrorKind::PermissionDenied => failed("permission denied".to_string(), "make the file readable"),
        _ => failed(error.to_string(), "check that the file can be read"),
    };
    let file = File::open(path).map_err(refused)?;
    let about = file.metadata().map_err(refused)?;
    // A device has no end; a pipe says no length.
    let kind = kind_of(about.file_type());
    if kind.ends_with("device") {
        return Err(failed(format!("it is {kind}"), "name a file, a folder or a pipe"));
    }
    let most = if about.is_file() { *free } else { *free / 8 };
    let mut bytes = Vec::new();
    if about.len() <= most {
        file.take(most).read_to_end(&mut bytes).map_err(refused)?;
    }
    if about.len() > most || bytes.len() as u64 >= most {
        let length = about.len().max(bytes.len() as u64);
        let cause = format!("it has at least {}, and {} of memory are free", shown_bytes(length), shown_bytes(*free));
        return Err(failed(cause, "give a part of it"));
    }
    *free -= bytes.len() as u64;
    if bytes.is_empty() {
        return Err(Error::new(Kind::BadInput, format!("{} is empty", path.display()))
            .help(format!("give a file with some {what} in it")));
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_refused_before_it_is_read() {
        let error = read_one(Path::new("/dev/zero"), "text", &mut (1 << 40)).expect_err("it has no end");
        assert!(error.to_string().contains("/dev/zero") && error.cause == "it is a device", "{error}");
    }
}
