//! PNGs that another program wrote, those that are written here, and every way in which one is refused.
//!
//! The pictures in `tests/fixtures/pictures` were written by the script beside them, by Python and zlib; the formulas stand in it.

use super::*;
use flate2::write::ZlibEncoder;
use std::io::Write;
use std::time::{Duration, Instant};

macro_rules! fixture {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("../../tests/fixtures/pictures/", $name, ".png"))[..])
    };
}

const SHAPE: Shape = Shape { height: 5, width: 7, channels: 1 };

/// (H, W, C) by a formula of row, column and channel.
fn drawn(shape: Shape, value: impl Fn(usize, usize, usize) -> usize) -> Vec<u8> {
    let at = |i: usize| {
        let (pixel, c) = (i / shape.channels, i % shape.channels);
        value(pixel / shape.width, pixel % shape.width, c) as u8
    };
    (0..shape.values()).map(at).collect()
}

#[test]
fn pictures_of_another_program_are_read_whatever_their_bits_colours_and_order() {
    let grey = |bits: u32| drawn(SHAPE, |y, x, _| (7 * y + 3 * x) % (1 << bits) * 255 / ((1 << bits) - 1));
    let bytes = |channels| drawn(Shape { channels, ..SHAPE }, |y, x, c| (29 * y + 17 * x + 83 * c) % 256);
    let colours = drawn(Shape { channels: 3, ..SHAPE }, |y, x, c| {
        let k = (y + 2 * x) % 5;
        [40 * k, 255 - 30 * k, 35 * k][c]
    });
    let expected = [
        (fixture!("grey_1"), grey(1)),
        (fixture!("grey_1_interlaced"), grey(1)),
        (fixture!("grey_2"), grey(2)),
        (fixture!("grey_2_interlaced"), grey(2)),
        (fixture!("grey_4"), grey(4)),
        (fixture!("grey_4_interlaced"), grey(4)),
        (fixture!("grey_8"), bytes(1)),
        (fixture!("grey_8_interlaced"), bytes(1)),
        (fixture!("grey_alpha"), bytes(1)),
        (fixture!("rgb"), bytes(3)),
        (fixture!("rgb_interlaced"), bytes(3)),
        (fixture!("rgb_gamma"), bytes(3)),
        (fixture!("rgb_alpha"), bytes(3)),
        (fixture!("palette_4"), colours.clone()),
        (fixture!("palette_4_interlaced"), colours.clone()),
        (fixture!("palette_8"), colours),
    ];
    for ((name, file), values) in expected {
        let channels = values.len() / SHAPE.values();
        assert_eq!(parse(file, name).unwrap(), (Shape { channels, ..SHAPE }, values), "{name}");
    }
}

#[test]
fn what_is_written_is_read_again_in_the_same_bytes() {
    for channels in [1, 3] {
        let shape = Shape { channels, ..SHAPE };
        let values = drawn(shape, |y, x, c| (91 * y * x + 40 * c) % 256);
        let file = write(&values, shape).unwrap();
        assert_eq!(parse(&file, "x").unwrap(), (shape, values.clone()));
        assert_eq!(write(&values, shape).unwrap(), file);
    }
}

#[test]
fn a_grid_shows_each_picture_at_its_place_with_grey_between() {
    let shape = Shape { height: 2, width: 3, channels: 3 };
    let images: Vec<Vec<u8>> = (0..5).map(|i| drawn(shape, |y, x, c| 40 * i + 10 * y + 3 * x + c)).collect();
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    let (gap, scale) = (2, 3);
    let (read, values) = parse(&write_grid(&images, shape, 3, gap, scale).unwrap(), "grid").unwrap();
    assert_eq!((read.height, read.width, read.channels), (2 * 6 + 2, 3 * 9 + 4, 3));
    let expected = drawn(read, |y, x, c| {
        let (row, column) = (y / (6 + gap), x / (9 + gap));
        let (y, x) = (y % (6 + gap) / scale, x % (9 + gap) / scale);
        let image = images.get(row * 3 + column).filter(|_| y < 2 && x < 3);
        image.map_or(128, |image| image[(y * 3 + x) * 3 + c] as usize)
    });
    assert_eq!(values, expected);
}

#[test]
fn a_grid_of_nothing_or_beyond_all_measure_is_refused() {
    assert_eq!(write_grid(&[], SHAPE, 3, 0, 1).unwrap_err().kind, Kind::Usage);
    let image = [0; 35];
    for (gap, scale) in [(0, usize::MAX), (usize::MAX, 1), (0, 1 << 29), (1 << 40, 1)] {
        let error = write_grid(&[&image, &image], SHAPE, 2, gap, scale).unwrap_err();
        assert!(error.kind == Kind::Usage && error.what.contains("2 pictures of 5 × 7 grey"), "{error}");
    }
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&name[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file of these sizes, bits and colour type, with these chunks after its header.
fn file(width: u32, height: u32, bits: u8, colour: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = chunk(b"IHDR", &[&sizes[..], &[bits, colour, 0, 0, 0]].concat());
    [SIGNATURE.to_vec(), header, chunks.concat(), chunk(b"IEND", &[])].concat()
}

#[test]
fn every_picture_that_cannot_be_read_is_refused_by_name_at_once() {
    let grey = fixture!("grey_8").1;
    let idat = |bytes: &[u8]| chunk(b"IDAT", &zlib(bytes));
    let two = |pixels: &[u8]| idat(&[&[0], pixels].concat());
    let flipped = |at: usize| {
        let mut bytes = grey.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let mut adler = zlib(&[0, 1, 2]);
    *adler.last_mut().unwrap() ^= 1;
    let animation = [chunk(b"acTL", &[0, 0, 0, 3, 0, 0, 0, 0]), two(&[1, 2])];
    let profile = [&b"p\0\0"[..], &zlib(&vec![0; 64 << 20])].concat();
    let catalogue: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "no PNG"),
        ("a JPEG", b"\xff\xd8\xff\xe0xxxx".to_vec(), "a JPEG"),
        ("a WebP", b"RIFF\0\0\0\0WEBPVP8 ".to_vec(), "a WebP"),
        ("a PDF", b"%PDF-1.7".to_vec(), "a PDF"),
        ("a PNG whose line ends were changed", b"\x89PNG\n\x1a\n".to_vec(), "no PNG"),
        ("a signature alone", SIGNATURE.to_vec(), "breaks off"),
        ("cut in its header", grey[..20].to_vec(), "breaks off"),
        ("cut in its pixels", grey[..50].to_vec(), "breaks off"),
        ("cut before its end", grey[..grey.len() - 12].to_vec(), "breaks off"),
        ("a bit of the header", flipped(19), "broken"),
        ("a bit of the pixels", flipped(50), "broken"),
        ("a bit of the last checksum", flipped(grey.len() - 1), "broken"),
        ("a checksum of unpacked pixels", file(2, 1, 8, 0, &[chunk(b"IDAT", &adler)]), "broken"),
        ("no rows", file(5, 0, 8, 0, &[idat(&[])]), "broken"),
        ("no columns", file(0, 5, 8, 0, &[idat(&[0; 5])]), "broken"),
        ("0 × 0", file(0, 0, 8, 0, &[idat(&[])]), "broken"),
        ("60000 × 60000", file(60000, 60000, 8, 2, &[idat(&[0; 60])]), "more than it can hold"),
        ("60000 × 60000 in black and white", file(60000, 60000, 1, 0, &[idat(&[0; 60])]), "more than it can hold"),
        (
            "as large as can be said",
            file(i32::MAX as u32, i32::MAX as u32, 8, 6, &[idat(&[0])]),
            "more than it can hold",
        ),
        (
            "60000 × 60000, with something that is no pixels to fill the file",
            file(60000, 60000, 1, 0, &[chunk(b"juNK", &vec![0; 1 << 19]), idat(&[0; 60])]),
            "too large",
        ),
        ("fewer pixels than declared", file(7, 5, 8, 0, &[idat(&[0; 8])]), "enough data"),
        ("no pixels", file(7, 5, 8, 0, &[]), "broken"),
        ("an unknown filter", file(2, 1, 8, 0, &[idat(&[9, 1, 2])]), "broken"),
        ("16 bits", file(1, 1, 16, 0, &[two(&[1, 2])]), "16 bits"),
        ("16 bits of RGB", file(1, 1, 16, 2, &[two(&[0; 6])]), "16 bits"),
        ("3 bits", file(1, 1, 3, 0, &[two(&[0])]), "broken"),
        ("an unknown colour", file(1, 1, 8, 5, &[two(&[0])]), "broken"),
        ("a palette that is missing", file(1, 1, 8, 3, &[two(&[0])]), "x.png: "),
        ("a transparent pixel", file(2, 1, 8, 4, &[two(&[1, 255, 2, 254])]), "row 0, column 1 has an alpha of 254"),
        ("a transparent pixel of RGB", file(1, 1, 8, 6, &[two(&[1, 2, 3, 0])]), "row 0, column 0 has an alpha of 0"),
        (
            "a palette of three colours and a part",
            file(2, 1, 8, 3, &[chunk(b"PLTE", &[9; 11]), two(&[1, 2])]),
            "palette",
        ),
        ("a transparent grey", file(2, 1, 8, 0, &[chunk(b"tRNS", &[0, 2]), two(&[1, 2])]), "column 1"),
        (
            "a transparent entry of a palette",
            file(1, 1, 8, 3, &[chunk(b"PLTE", &[9; 6]), chunk(b"tRNS", &[255, 7]), two(&[1])]),
            "alpha of 7",
        ),
        ("an animation", file(2, 1, 8, 0, &animation), "an animation of 3"),
    ];
    for (name, bytes, says) in catalogue {
        let start = Instant::now();
        let error = parse(&bytes, "x.png").expect_err(name);
        assert!(error.kind == Kind::BadInput && error.what.starts_with("x.png: "), "{name}: {error}");
        assert!(error.to_string().contains(says) && !error.help.is_empty(), "{name}: {error}");
        assert!(start.elapsed() < Duration::from_millis(100), "{name}: {:?}", start.elapsed());
    }
    // What is ignored costs nothing: a colour profile that would unpack to 64 MiB.
    let start = Instant::now();
    let read = parse(&file(2, 1, 8, 0, &[chunk(b"iCCP", &profile), two(&[1, 2])]), "x").unwrap();
    assert_eq!(read.1, [1, 2]);
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}
