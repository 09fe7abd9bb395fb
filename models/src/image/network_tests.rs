//! What a pixel sees in the four networks, as exact integers, by changing pixels one after the other: another way to them than the gradient
//! of `receptive_field.rs`. Mutants that the same checks must reject stand in `mutants.rs`; what every model owes, in `model_tests.rs`.

use super::network::{Architecture, Network, Sizes};
use super::parallel::{Forward, Parallel};
use crate::check;
use autograd::random::Streams;

fn network(architecture: Architecture, sizes: Sizes) -> Network<f64> {
    Network::new(architecture, sizes, 1, 2, 0, &mut Streams::new(11).stream("init"))
}

fn forward(network: Network<f64>) -> Forward {
    Box::new(move |x| network.forward(x, None))
}

/// How many of the 406 pixels before it pixel (14, 14) of 28 × 28 sees, and that it sees no other of the rows so far.
pub fn pixels_seen(forward: Forward) -> usize {
    // Rows below cannot matter, as causality says: 15 are computed.
    let model = Parallel::tracing(forward, [15, 28]);
    let (all, pixel): (Vec<usize>, _) = ((0..15 * 28).collect(), 14 * 28 + 14);
    let seen = check::visibility(&model, &vec![0; all.len()], &all, &[pixel], |x| 1 - x).swap_remove(0);
    assert!(seen.iter().all(|&other| other < pixel), "pixel {pixel} sees a later one");
    seen.len()
}

#[test]
fn what_a_pixel_sees_of_the_406_before_it_is_the_integer_that_the_architecture_says() {
    let cases = [
        (Architecture::PixelCnn, vec![(4, 102), (7, 192), (15, 351)]),
        (Architecture::GatedPixelCnn, vec![(4, 112), (7, 220), (10, 364)]),
        (Architecture::RowLstm, vec![(1, 296), (2, 306), (7, 341)]),
        (Architecture::DiagonalLstm, vec![(1, 405), (3, 405)]),
    ];
    for (architecture, depths) in cases {
        for (layers, expected) in depths {
            let sizes = Sizes { hidden: 1, layers, head: 1 };
            let seen = pixels_seen(forward(network(architecture, sizes)));
            assert_eq!(seen, expected, "{architecture:?} × {layers}");
        }
    }
}

#[test]
fn the_diagonal_bilstm_never_sees_the_last_pixel_of_the_row_above() {
    for layers in [1, 2, 4] {
        let network = network(Architecture::DiagonalLstm, Sizes { hidden: 1, layers, head: 1 });
        let model = Parallel::tracing(forward(network), [4, 5]);
        let all: Vec<usize> = (0..20).collect();
        let seen = check::visibility(&model, &[0; 20], &all, &all, |x| 1 - x);
        for (pixel, seen) in seen.iter().enumerate() {
            let (row, col) = (pixel / 5, pixel % 5);
            // The first layer of 7 × 7 reaches three columns to the right in the row above.
            let before = (0..pixel).filter(|&other| other + 1 != row * 5 || col + 3 >= 4);
            assert_eq!(*seen, before.collect::<Vec<_>>(), "pixel ({row}, {col}), {layers} layers");
        }
    }
}
