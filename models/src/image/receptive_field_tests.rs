//! Receptive fields against the integers of the papers' kernels, and against reachability on a grid, at every bound.

use super::*;

const DIGIT: Shape = Shape { height: 28, width: 28, channels: 1 };

fn counts<const N: usize>(architecture: Architecture, layers: [usize; N]) -> [usize; N] {
    layers.map(|layers| {
        let field = receptive_field(architecture, layers, DIGIT, [14, 14, 0]);
        assert!(field.is_causal());
        assert_eq!(field.before(), 406);
        field.count()
    })
}

#[test]
fn the_middle_of_a_digit_sees_what_the_papers_kernels_let_it_see() {
    assert_eq!(counts(Architecture::PixelCnn, [4, 7, 15]), [102, 192, 351]);
    assert_eq!(counts(Architecture::GatedPixelCnn, [4, 7, 10]), [112, 220, 364]);
    assert_eq!(counts(Architecture::RowLstm, [1, 2, 7]), [296, 306, 341]);
    // At any depth all but the last pixel of the row above.
    assert_eq!(counts(Architecture::DiagonalLstm, [1, 2, 7]), [405; 3]);
}

#[test]
fn a_colour_sees_the_colours_of_its_pixel_that_come_before_it() {
    let shape = Shape { height: 5, width: 5, channels: 3 };
    for &architecture in Architecture::ALL {
        for colour in 0..3 {
            let field = receptive_field(architecture, 2, shape, [3, 2, colour]);
            assert!(field.is_causal(), "{architecture:?}, colour {colour}");
            let pixel = (3 * 5 + 2) * 3;
            let own: Vec<bool> = field.seen[pixel..pixel + 3].to_vec();
            assert_eq!(own, [colour > 0, colour > 1, false], "{architecture:?}, colour {colour}");
            assert_eq!(field.seen[pixel - 3..pixel], [true; 3], "of the pixel before it, every colour");
        }
    }
}

#[test]
fn the_first_sub_pixel_sees_nothing() {
    let shape = Shape { height: 4, width: 4, channels: 3 };
    assert_eq!(receptive_field(Architecture::GatedPixelCnn, 3, shape, [0, 0, 0]).count(), 0);
}

/// Pixels that can be reached from one by so many steps of each kind in turn, each a set of displacements: a search on the grid, without
/// any network.
fn reached(side: usize, from: [usize; 2], steps: impl IntoIterator<Item = Vec<[isize; 2]>>) -> Vec<bool> {
    let mut seen = vec![false; side * side];
    seen[from[0] * side + from[1]] = true;
    for step in steps {
        let mut next = vec![false; side * side];
        for (at, _) in seen.iter().enumerate().filter(|(_, seen)| **seen) {
            for [down, right] in &step {
                let (row, column) = ((at / side).checked_add_signed(*down), (at % side).checked_add_signed(*right));
                if let (Some(row), Some(column)) = (row, column)
                    && row < side
                    && column < side
                {
                    next[row * side + column] = true;
                }
            }
        }
        seen = next;
    }
    seen
}

/// The places of a kernel of this size that come before its centre, and the centre itself where it may be seen.
fn before(size: isize, centre: bool) -> Vec<[isize; 2]> {
    let half = size / 2;
    let all = (-half..=half).flat_map(|down| (-half..=half).map(move |right| [down, right]));
    all.filter(|&place| place < [0, 0] || (centre && place == [0, 0])).collect()
}

#[test]
fn a_pixel_cnn_sees_what_a_search_on_the_grid_reaches_at_any_depth_and_size() {
    for (side, layers, of) in
        [(9, 3, [4, 4]), (28, 7, [14, 14]), (MOST_SIDE, 50, [127, 3]), (40, MOST_LAYERS, [39, 20])]
    {
        let shape = Shape { height: side, width: side, channels: 1 };
        let field = receptive_field(Architecture::PixelCnn, layers, shape, [of[0], of[1], 0]);
        let steps = (0..layers).map(|_| before(3, true)).chain([before(7, false)]);
        assert_eq!(field.seen, reached(side, of, steps), "{layers} layers, {side} pixels");
    }
}

#[test]
fn no_path_is_lost_where_network_and_picture_are_as_large_as_they_may_be() {
    let shape = Shape { height: MOST_SIDE, width: MOST_SIDE, channels: 1 };
    let last = MOST_SIDE - 1;
    for layers in [1, MOST_LAYERS] {
        let [diagonal, row] = [Architecture::DiagonalLstm, Architecture::RowLstm].map(|architecture| {
            let field = receptive_field(architecture, layers, shape, [last, last / 2, 0]);
            assert!(field.is_causal());
            field
        });
        assert_eq!(diagonal.unseen(), 1, "{layers} layers");
        // Every row that is seen is seen in one piece, from the left, and each reaches as far right as the one below it or further.
        let ends: Vec<usize> =
            row.seen.chunks(MOST_SIDE).map(|row| row.iter().rposition(|&seen| seen).map_or(0, |at| at + 1)).collect();
        assert!(ends[..last].is_sorted_by(|above, below| above >= below) && ends[0] == MOST_SIDE, "{layers}: {ends:?}");
    }
    // A rectangle above, and what lies to the left: the layers between add to each other, and must not saturate.
    let (layers, of) = (60, [last, last / 2]);
    let reach = layers + 3;
    let expected = |at: usize| {
        let (row, column) = (at / MOST_SIDE, at % MOST_SIDE);
        of[0] - row <= reach && column.abs_diff(of[1]) <= reach && [row, column] < of
    };
    let gated = receptive_field(Architecture::GatedPixelCnn, layers, shape, [of[0], of[1], 0]);
    assert!(gated.seen.iter().enumerate().all(|(at, &seen)| seen == expected(at)), "{}", gated.count());
    // Deep enough, the Gated PixelCNN has no blind spot at all.
    let gated = receptive_field(Architecture::GatedPixelCnn, MOST_LAYERS, shape, [last, last / 2, 0]);
    assert_eq!((gated.unseen(), gated.is_causal()), (0, true));
    for architecture in Architecture::ALL {
        let field = receptive_field(*architecture, MOST_LAYERS, shape, [last, last, 0]);
        assert!(field.seen[0], "{architecture:?}: from the last pixel to the first");
    }
}

#[test]
fn what_is_outside_the_picture_or_beyond_what_is_computed_is_refused_with_its_bounds() {
    let needs = |layers, height, of| needs(Architecture::PixelCnn, layers, Shape { height, ..DIGIT }, of);
    assert!(needs(MOST_LAYERS, MOST_SIDE, [127, 27, 0]).unwrap().bytes() > 1 << 20);
    for (layers, height, of, says) in [
        (0, 28, [0; 3], ["0 layers", "1 to 128"]),
        (MOST_LAYERS + 1, 28, [0; 3], ["129 layers", "1 to 128"]),
        (1, 0, [0; 3], ["0 × 28", "1 to 128"]),
        (1, usize::MAX, [0; 3], [" × 28", "1 to 128"]),
        (1, 28, [28, 0, 0], ["row 28", "rows are 0 to 27"]),
        (1, 28, [0, usize::MAX, 0], ["column 1844", "columns 0 to 27"]),
        (1, 28, [0, 0, 1], ["colour 1", "28 × 28 grey"]),
    ] {
        let error = needs(layers, height, of).unwrap_err();
        assert!(error.kind == Kind::Usage && says.iter().all(|word| error.to_string().contains(word)), "{error}");
    }
}
