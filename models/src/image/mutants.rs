//! Networks as they must not be, each with a mistake that public code has shipped or that is easily made: leaks, which the check of
//! causality must reject, and blindness, which the integers of what a pixel sees must show. For tests.

use super::diagonal_lstm::DiagonalBiLstmNetwork;
use super::gated_pixel_cnn::GatedPixelCnn;
use super::network::{Architecture, Network, Sizes};
use super::network_tests::pixels_seen;
use super::parallel::{Forward, Parallel};
use super::pixel_cnn::PixelCnn;
use crate::check;
use autograd::nn::{Mask, MaskedConv2d};
use autograd::random::{Stream, Streams};
use autograd::{Convolution, Tensor};

const SIZES: Sizes = Sizes { hidden: 4, layers: 2, head: 4 };

fn stream() -> Stream {
    Streams::new(5).stream("init")
}

/// Must be rejected by the check that the honest network passes.
fn leaks(name: &str, forward: Forward) {
    let image: Vec<u32> = (0..30).map(|i| (i * i % 7) % 2).collect();
    let outcome = check::causality(&Parallel::binary(forward, [6, 5]), &image, |x| 1 - x);
    assert!(!outcome.passed && outcome.detail.contains("changed the distribution"), "{name}: {outcome}");
}

#[test]
fn mask_b_in_the_first_layer_is_rejected_in_every_network() {
    for &architecture in Architecture::ALL {
        let mut network = Network::<f64>::new(architecture, SIZES, 1, 2, 0, &mut stream());
        let seeing = |layer: &MaskedConv2d<f64>, kernel| {
            MaskedConv2d::new(Mask::B, [1, layer.weight.shape()[0]], kernel, 1, &mut stream())
        };
        match &mut network {
            Network::PixelCnn(network) => network.first = seeing(&network.first, [7; 2]),
            Network::RowLstm(network) => network.first = seeing(&network.first, [7; 2]),
            Network::DiagonalLstm(network) => network.first = seeing(&network.first, [7; 2]),
            Network::GatedPixelCnn(network) => {
                network.layers[0].horizontal = seeing(&network.layers[0].horizontal, [1, 7]);
            }
        }
        leaks(&format!("{architecture:?}, mask B first"), Box::new(move |x| network.forward(x, None)));
    }
}

#[test]
fn batch_statistics_are_rejected() {
    let network = PixelCnn::<f64>::new(SIZES, 1, 2, 0, &mut stream());
    let normalized = |x: &Tensor<f64>| {
        let centred = x - &x.mean_keepdim(&[0, 2, 3]);
        &centred / &(x.var_keepdim(&[0, 2, 3], 0) + 1e-5).sqrt()
    };
    let forward = move |x: &Tensor<f64>| {
        let first = normalized(&network.first.forward(x));
        let x = network.blocks.iter().fold(first, |x, block| block.forward(&x));
        network.output.forward(&network.head.forward(&x))
    };
    leaks("batch statistics", Box::new(forward));
}

#[test]
fn a_vertical_stack_that_sees_its_own_row_is_rejected() {
    let mut network = GatedPixelCnn::<f64>::new(SIZES, 1, 2, 0, &mut stream());
    network.layers[0].vertical.how = Convolution::default().padded([2, 0], [3, 3]);
    leaks("vertical stack", Box::new(move |x| network.forward(x, None)));
}

/// The diagonal network with another way to put its two directions together.
fn joined(
    network: DiagonalBiLstmNetwork<f64>,
    join: impl Fn(&DiagonalBiLstmNetwork<f64>, usize, &Tensor<f64>) -> Tensor<f64> + 'static,
) -> Forward {
    Box::new(move |x| {
        let layers = 0..network.layers.len();
        let x = layers
            .fold(network.first.forward(x), |x, i| network.layers[i].widen.forward_onto(&join(&network, i, &x), &x));
        network.output.forward(&network.head.forward(&x))
    })
}

/// One row down, zeros above.
fn down(x: &Tensor<f64>) -> Tensor<f64> {
    x.narrow(2, 0, x.shape()[2] - 1).pad(2, 1, 0, 0.0)
}

#[test]
fn a_second_direction_that_is_not_shifted_down_is_rejected() {
    let network = || DiagonalBiLstmNetwork::<f64>::new(SIZES, 1, 2, 0, &mut stream());
    let unshifted = joined(network(), |network, i, x| {
        let lstm = &network.layers[i].lstm;
        lstm.left.forward(x) + lstm.right.forward(x)
    });
    leaks("no shift", unshifted);
    // What the mutant is a copy of, put together in the same way, is the network.
    let shifted = joined(network(), |network, i, x| {
        let lstm = &network.layers[i].lstm;
        lstm.left.forward(x) + down(&lstm.right.forward(x))
    });
    let x = Tensor::from_vec((0..30).map(|i| (1.1 * f64::from(i)).sin()).collect(), &[1, 1, 6, 5]);
    assert_eq!(shifted(&x).to_vec(), network().forward(&x, None).to_vec());
}

/// One direction over a skewed map as the paper draws it, column by column of H × (W + H − 1): row r begins in column r. The column
/// convolution reads rows r and `r + other` of the column before, rows outside as zeros.
fn skewed(gates: &Tensor<f64>, weight: &Tensor<f64>, other: isize) -> Tensor<f64> {
    let [_, _, height, width]: [usize; 4] = gates.shape().try_into().expect("rank 4");
    let hidden = weight.shape()[1];
    let zero = || Tensor::<f64>::zeros(&[1, hidden]);
    let mut before: Vec<[Tensor<f64>; 2]> = (0..height).map(|_| [zero(), zero()]).collect();
    let mut states = vec![zero(); height * width];
    for column in 0..height + width - 1 {
        let mut next = Vec::with_capacity(height);
        for row in 0..height {
            let Some(col) = column.checked_sub(row).filter(|&col| col < width) else {
                next.push([zero(), zero()]);
                continue;
            };
            let neighbour =
                row.checked_add_signed(other).and_then(|row| before.get(row)).map_or_else(zero, |b| b[0].clone());
            let part = |place: usize, h: &Tensor<f64>| h.linear(&weight.narrow(2, place, 1).squeeze(2), None);
            let input = gates.narrow(2, row, 1).narrow(3, col, 1).reshape(&[1, 4 * hidden]);
            let sum = input + part(0, &neighbour) + part(1, &before[row][0]);
            let gate = |i: usize| sum.narrow(1, i * hidden, hidden);
            let cell = &gate(1).sigmoid() * &before[row][1] + &gate(0).sigmoid() * &gate(2).tanh();
            let state = &gate(3).sigmoid() * &cell.tanh();
            states[row * width + col] = state.clone();
            next.push([state, cell]);
        }
        before = next;
    }
    Tensor::stack(&states.iter().collect::<Vec<_>>(), 2).reshape(&[1, hidden, height, width])
}

#[test]
fn a_state_convolution_padded_at_the_bottom_is_rejected() {
    let network = || DiagonalBiLstmNetwork::<f64>::new(SIZES, 1, 2, 0, &mut stream());
    let with = |other: isize| {
        joined(network(), move |network, i, x| {
            let lstm = &network.layers[i].lstm;
            let left = skewed(&lstm.left.input_to_state.forward(x), &lstm.left.weight_hh, other);
            let mirrored = lstm.right.input_to_state.forward(x).flip(&[3]);
            left + down(&skewed(&mirrored, &lstm.right.weight_hh, other).flip(&[3]))
        })
    };
    leaks("bottom padding", with(1));
    // Padded at the top, the same code is the network.
    let x = Tensor::from_vec((0..30).map(|i| (1.1 * f64::from(i)).sin()).collect(), &[1, 1, 6, 5]);
    let pairs = with(-1)(&x).to_vec().into_iter().zip(network().forward(&x, None).to_vec());
    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{a} {b}"));
}

#[test]
fn a_mask_b_that_drops_the_whole_centre_row_shows_in_what_a_pixel_sees() {
    let sizes = Sizes { hidden: 1, layers: 4, head: 1 };
    let network = PixelCnn::<f64>::new(sizes, 1, 2, 0, &mut stream());
    let forward = move |x: &Tensor<f64>| {
        let above = Convolution::default().padded([1, 1], [1, 1]).of_relu().only(&[3, 3], |at| at[0] < 1);
        let x = network.blocks.iter().fold(network.first.forward(x), |x, block| {
            let middle = block.narrow.forward(&x).conv2d(&block.middle.masked(), Some(&block.middle.bias), &above);
            block.widen.forward_onto(&middle, &x)
        });
        network.output.forward(&network.head.forward(&x))
    };
    let seen = pixels_seen(Box::new(forward));
    assert!(seen < 102, "{seen}");
}

#[test]
fn a_masked_1_by_1_along_the_horizontal_stack_shows_in_what_a_pixel_sees() {
    let sizes = Sizes { hidden: 1, layers: 4, head: 1 };
    let mut network = GatedPixelCnn::<f64>::new(sizes, 1, 2, 0, &mut stream());
    for layer in &mut network.layers {
        layer.residual = layer.residual.as_ref().map(|_| MaskedConv2d::new(Mask::A, [1, 1], [1, 1], 1, &mut stream()));
    }
    let along = network.clone();
    let seen = pixels_seen(Box::new(move |x| network.forward(x, None)));
    assert!(seen < 112, "{seen}");
    // Nothing travels along the first row: what the first layer does not reach is not seen.
    let model = Parallel::tracing(Box::new(move |x| along.forward(x, None)), [1, 12]);
    let all: Vec<usize> = (0..12).collect();
    let seen = check::visibility(&model, &[0; 12], &all, &[11], |x| 1 - x);
    assert_eq!(seen, [vec![8, 9, 10]]);
}
