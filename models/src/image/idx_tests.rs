//! IDX files that are right, and every way in which one is not: refused by name at once.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::time::{Duration, Instant};

fn file(kind: u8, sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let sizes_bytes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, kind, sizes.len() as u8].into_iter().chain(sizes_bytes).chain(values.iter().copied()).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn pictures_and_labels_are_read_plain_and_packed_alike() {
    let values: Vec<u8> = (0..36).collect();
    let shape = |channels| Shape { height: 2, width: 3, channels };
    let images = |channels| Idx::Images(Images::new(shape(channels), values.clone()));
    for (bytes, expected) in [
        (file(8, &[6, 2, 3], &values), images(1)),
        (file(8, &[6, 2, 3, 1], &values), images(1)),
        (file(8, &[2, 2, 3, 3], &values), images(3)),
        (file(8, &[4], &[3, 1, 4, 1]), Idx::Labels(vec![3, 1, 4, 1])),
    ] {
        assert_eq!(parse(&bytes, "x").unwrap(), expected);
        assert_eq!(parse(&packed(&bytes), "x").unwrap(), expected);
    }
    // The magic numbers of MNIST.
    assert_eq!(file(8, &[1, 1, 1], &[0])[..4], 2051u32.to_be_bytes());
    assert_eq!(file(8, &[1], &[0])[..4], 2049u32.to_be_bytes());
}

#[test]
fn what_is_written_is_read_again() {
    for channels in [1, 3] {
        let images = Images::new(Shape { height: 2, width: 3, channels }, (0..36).collect());
        assert_eq!(parse(&of_images(&images), "x").unwrap(), Idx::Images(images));
    }
    assert_eq!(of_labels(&[3, 1]), [0, 0, 8, 1, 0, 0, 0, 2, 3, 1]);
}

#[test]
fn every_broken_file_is_refused_by_name_at_once() {
    let good = file(8, &[6, 2, 3], &[7; 36]);
    let gz = packed(&good);
    let flipped = |at: usize| {
        let mut bytes = gz.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let bomb = packed(&[&good[..], &vec![0; 64 << 20]].concat());
    assert!(bomb.len() < 70_000);
    let catalogue: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "no IDX file"),
        ("two zeros", vec![0, 0], "no IDX file"),
        ("text", b"label,pixel0".to_vec(), "no IDX file"),
        ("a Parquet file", b"PAR1xxxxxxxx".to_vec(), "a Parquet file"),
        ("a byte before the magic", [&[0], &good[..]].concat(), "no IDX file"),
        ("little-endian magic", [&[3, 8, 0, 0], &good[4..]].concat(), "[03, 08, 00, 00]"),
        ("an unknown type", file(0x0a, &[1, 1, 1], &[0]), "no IDX file"),
        ("signed bytes", file(0x09, &[1, 1, 1], &[0]), "signed bytes"),
        ("floats", file(0x0d, &[1, 1, 1], &[0; 4]), "32-bit floats"),
        ("rank 0", file(8, &[], &[1]), "an array ()"),
        ("rank 2", file(8, &[6, 6], &[0; 36]), "an array (6, 6)"),
        ("rank 255", file(8, &[1; 255], &[0]), "pictures are (n, H, W)"),
        ("channels first", file(8, &[2, 3, 4, 4], &[0; 96]), "channels last"),
        ("a header that breaks off", good[..11].to_vec(), "in its header"),
        ("a packed header that breaks off", packed(&good[..11]), "in its header"),
        ("no pictures", file(8, &[0, 2, 3], &[]), "no pictures"),
        ("no labels", file(8, &[0], &[]), "no labels"),
        ("pictures of no rows", file(8, &[6, 0, 3], &[]), "0 × 3 grey"),
        ("pictures of no columns", file(8, &[6, 2, 0], &[]), "2 × 0 grey"),
        ("more declared than present", file(8, &[7, 2, 3], &[7; 37]), "7 pictures of 2 × 3 grey, and holds 6"),
        ("more labels declared", file(8, &[7], &[7; 6]), "7 labels, and holds 6"),
        ("fewer declared than present", file(8, &[5, 2, 3], &[7; 36]), "goes on after the last picture"),
        ("a byte too many", [&good[..], &[0]].concat(), "goes on after the last picture"),
        ("sizes beyond all memory", file(8, &[u32::MAX; 3], &[0]), "and holds 0"),
        (
            "packed sizes beyond all memory",
            packed(&file(8, &[u32::MAX, u32::MAX, u32::MAX, 3], &[0])),
            "more than it can hold",
        ),
        ("more declared than packed can be", packed(&file(8, &[1000, 28, 28], &[0; 784])), "more than it can hold"),
        ("packed, more declared", packed(&file(8, &[7, 2, 3], &[7; 36])), "7 pictures of 2 × 3 grey, and holds 6"),
        ("packed, fewer declared", packed(&file(8, &[5, 2, 3], &[7; 36])), "goes on after the last picture"),
        ("a bomb", bomb, "goes on after the last picture"),
        ("gzip cut in its header", gz[..7].to_vec(), "gzip data break off"),
        ("gzip cut in its data", gz[..gz.len() - 12].to_vec(), "gzip data break off"),
        ("gzip cut in its checksum", gz[..gz.len() - 3].to_vec(), "gzip data break off"),
        ("a bit of the checksum", flipped(gz.len() - 6), "gzip data are broken"),
        ("a bit of the length", flipped(gz.len() - 1), "gzip data are broken"),
        ("an unknown method", flipped(2), "gzip data are broken"),
        ("bytes after gzip", [&gz[..], b"xy"].concat(), "2 bytes follow"),
        ("two files packed one after another", [&gz[..], &gz[..]].concat(), "follow the gzip data"),
    ];
    for (name, bytes, says) in catalogue {
        let start = Instant::now();
        let error = parse(&bytes, "digits.gz").expect_err(name);
        assert!(error.kind == Kind::BadInput && error.what.starts_with("digits.gz: "), "{name}: {error}");
        assert!(error.to_string().contains(says) && !error.help.is_empty(), "{name}: {error}");
        assert!(start.elapsed() < Duration::from_millis(200), "{name}: {:?}", start.elapsed());
    }
}
