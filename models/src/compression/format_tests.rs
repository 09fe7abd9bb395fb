//! The compressed file: every damage is named, whatever its header declares, and nothing is made of it.

use super::*;

const HEADER: Header = Header { form: Form::Idx, identity: 0xfeed_5eed, sequences: 300, length: 784, checksum: 7 };

/// A file whose last checksum is right, whatever it holds.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - CHECKSUM);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

#[test]
fn a_file_is_read_as_it_was_written() {
    for form in Form::ALL {
        for (sequences, length) in [(1, 0), (1, 1), (1, 1 << 20), (300, 784)] {
            let header = Header { form, sequences, length, ..HEADER };
            let bytes = write(&header, vec![1, 2, 3, 4]);
            let read = read(&bytes, "a");
            match form.is_of_many() || sequences == 1 {
                true => assert_eq!(read.unwrap(), File { header, payload: &[1, 2, 3, 4] }),
                false => assert!(read.unwrap_err().what.contains("contradicts itself")),
            }
        }
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused_by_name() {
    let bytes = write(&HEADER, (0..40).collect());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let error = read(&flipped, "a.arz").unwrap_err();
            assert!(error.kind == Kind::BadInput && error.what.starts_with("a.arz "), "{at} {bit}: {error}");
        }
        let error = read(&bytes[..at], "a.arz").unwrap_err();
        let said = if at < MAGIC.len() { "a.arz is no file" } else { "a.arz breaks off" };
        assert!(error.kind == Kind::BadInput && error.what.starts_with(said), "{at}: {error}");
    }
    let error = read(&[&bytes[..], b"x"].concat(), "a.arz").unwrap_err();
    assert_eq!(error.what, "a.arz is damaged");
}

#[test]
fn a_header_that_would_have_its_reader_loop_without_end_is_refused() {
    for (sequences, length) in
        [(1, u64::MAX), (u64::MAX, u64::MAX), (1 << 40, 1), (u64::MAX, 0), (0, 5), (1, FREE + 40 * PER_BYTE + 1)]
    {
        let header = Header { sequences, length, ..HEADER };
        // As `write` would pad it, were there memory for it.
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, header.form as u8]);
        bytes.extend([0; 8]);
        put(&mut bytes, sequences);
        put(&mut bytes, length);
        bytes.extend([0; 4]);
        put(&mut bytes, 40);
        bytes.extend([0; 40 + CHECKSUM]);
        let error = read(&summed(bytes), "a.arz").unwrap_err();
        assert_eq!(error.what, "a.arz contradicts itself", "{sequences} {length}");
    }
    // What is more predictable than that gets room for it.
    let header = Header { sequences: 1, length: FREE + 5000, ..HEADER };
    let bytes = write(&header, vec![9]);
    assert_eq!(read(&bytes, "a").unwrap().payload, [9, 0, 0, 0, 0]);
}

#[test]
fn a_newer_version_and_a_header_that_is_none_are_told_from_damage() {
    let mut newer = write(&HEADER, vec![1]);
    newer[MAGIC.len()] = 2;
    assert!(read(&summed(newer), "a").unwrap_err().what.contains("version 2"));
    let mut unknown = write(&HEADER, vec![1]);
    unknown[MAGIC.len() + 1] = 200;
    assert!(read(&summed(unknown), "a").unwrap_err().cause.contains("200"));
    let mut endless = MAGIC.to_vec();
    endless.extend([VERSION, 0]);
    endless.extend([0xff; 40]);
    assert_eq!(read(&summed(endless), "a").unwrap_err().what, "a contradicts itself");
}
