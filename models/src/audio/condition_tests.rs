//! Frames out of files, every way in which a file is refused, and frames at samples.

use super::*;

fn frames(bands: usize, values: &[f32]) -> Frames {
    Frames { bands, values: values.to_vec() }
}

#[test]
fn frames_are_read_with_names_or_without() {
    let expected = frames(2, &[1.0, -2.5, 3e-3, 4.0]);
    for text in [
        "1,-2.5\n0.003,4\n",
        "1,-2.5\r\n3e-3,4",
        "pitch,loudness\n1,-2.5\n.003,4.0\n",
        "\u{feff}pitch , loudness\n\n 1 , -2.5 \n3E-3,+4\n\n",
        "\"a,\nb\",c\n\"1\",-2.5\n0.003,4\n",
        "1;-2.5\n0.003;4\n",
        "pitch\tloudness\n1\t-2.5\n0.003\t4\n",
    ] {
        assert_eq!(parse_frames(text.as_bytes(), "x.csv").unwrap(), expected, "{text:?}");
    }
}

#[test]
fn what_is_written_is_read_again_bit_by_bit() {
    let values: Vec<f32> = (0..600).map(|i| f32::from_bits(0x0123_4567_u32.wrapping_mul(i * i + 1))).collect();
    let values: Vec<f32> = values.into_iter().filter(|x| x.is_finite()).take(540).collect();
    let written = frames(3, &values);
    let read = parse_frames(written.to_csv().as_bytes(), "x.csv").unwrap();
    let bits = |frames: &Frames| frames.values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!((read.bands, bits(&read)), (3, bits(&written)));
}

#[test]
fn a_file_that_holds_no_frames_is_refused_with_its_line() {
    let wide = vec!["1"; MOST_BANDS + 1].join(",");
    let utf16: Vec<u8> = "1,2\n3,4\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let catalogue: Vec<(&[u8], &str)> = vec![
        (b"", "holds no frames"),
        (b"\n\n", "holds no frames"),
        (b"pitch,loudness\n", "holds no frames"),
        (b"1,2\n3\n", "line 2 has 1 column"),
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 columns"),
        (b"a\n1,2\n", "line 2 has 2 columns"),
        (b"1,2\n3,NaN\n", "line 2, column 2: \"NaN\""),
        (b"inf,2\n", "line 1, column 1: \"inf\""),
        (b"1,2\n3,1e39\n", "line 2, column 2: \"1e39\""),
        (b"a,2\n3,4\n", "line 1, column 1: \"a\""),
        (b"1,2\n,4\n", "line 2, column 1: \"\""),
        (b"1,5;2\n3;4\n5;6\n", "line 1, column 1: \"1,5\""),
        (b"1,5;2\n3;4\n5;6\n", "decimal comma"),
        (b"a,b\n1,5,2,5\n", "if the commas are decimal commas"),
        (b"1.5 2.5\n3.5 4.5\n", "separated by blanks"),
        (b"# bands\n1,2\n", "comment"),
        (b"1,2\n#,4\n", "comment"),
        (b"{\"frames\": [1]}", "JSON"),
        (b"1,2\n\n3,4\n", "line 2 is empty"),
        (b"0,1,2\n1.5,2,3\n", "line 1 may be a frame or numbers of columns"),
        (b"0\n1.5\n", "line 1 may be a frame or numbers of columns"),
        (b",0,1\n0,1.5,2\n", "as pandas writes an index"),
        (b",pitch\n0,1.5\n", "as pandas writes an index"),
        (b"1,2\n\"3,4\n", "line 2"),
        (b"1,2\n\xff,4\n", "UTF-8"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"RIFF\0\0\0\0WAVE", "holds no frames"),
        (&utf16, "UTF-16"),
        (wide.as_bytes(), "4,097 columns"),
    ];
    for (bytes, says) in catalogue {
        let error = parse_frames(bytes, "x.csv").expect_err(says);
        assert!(error.kind == Kind::BadInput && error.what.starts_with("x.csv: "), "{error}");
        assert!(error.to_string().contains(says) && !error.help.is_empty(), "{says}: {error}");
    }
}

#[test]
fn a_sample_is_told_the_frame_whose_middle_is_nearest() {
    let told = frames(1, &[0.0, 10.0, 20.0]);
    let repeated = told.of_samples(4, 0, 14, Upsampling::Repeat);
    assert_eq!(repeated, [0., 0., 10., 10., 10., 10., 20., 20., 20., 20., 20., 20., 20., 20.]);
    for hop in 1..9 {
        for sample in 0..3 * hop + 5 {
            let distance = |t: usize| (t * hop).abs_diff(sample);
            let (chosen, least) = (nearest(sample, hop), (0..9).map(distance).min().unwrap());
            assert_eq!(distance(chosen), least, "sample {sample}, hop {hop}");
        }
    }
}

#[test]
fn between_two_frames_lies_a_line() {
    let told = frames(2, &[0.0, 1.0, 10.0, 1.0, 20.0, -1.0]);
    let line = told.of_samples(4, 0, 12, Upsampling::Linear);
    let expected = [
        [0., 1.],
        [2.5, 1.],
        [5., 1.],
        [7.5, 1.],
        [10., 1.],
        [12.5, 0.5],
        [15., 0.],
        [17.5, -0.5],
        [20., -1.],
        [20., -1.],
        [20., -1.],
        [20., -1.],
    ];
    assert_eq!(line, expected.concat());
}

#[test]
fn a_part_of_the_samples_is_told_what_all_are() {
    let told = frames(3, &(0..21).map(|i| (i * i % 17) as f32).collect::<Vec<_>>());
    for upsampling in [Upsampling::Repeat, Upsampling::Linear] {
        for hop in [1, 2, 5] {
            let all = told.of_samples(hop, 0, 60, upsampling);
            for (from, count) in [(0, 60), (7, 13), (59, 1), (30, 0)] {
                assert_eq!(told.of_samples(hop, from, count, upsampling), all[3 * from..][..3 * count]);
            }
        }
    }
    // As far as a file could ever go.
    assert_eq!(told.of_samples(5, usize::MAX, 1, Upsampling::Repeat), told.values[18..]);
}

#[test]
fn lengths_are_those_of_recordings_with_as_many_frames() {
    for (count, hop) in [(1, 1), (1, 64), (5, 64), (3, 7)] {
        let lengths = frames(2, &vec![0.0; 2 * count]).lengths(hop);
        for samples in 0..500 {
            assert_eq!(lengths.contains(&samples), 1 + samples / hop == count, "{samples}, {count} frames");
        }
    }
}
