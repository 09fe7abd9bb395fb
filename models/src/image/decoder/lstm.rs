//! What the two PixelRNNs share when an image is drawn: how the gates of an LSTM are cut by colour.
//!
//! The units of a colour are computed together, with all four gates of each: the input's part is what this colour may see of its own pixel,
//! the states' part reads earlier pixels whole.

use autograd::Scalar;
use autograd::kernels::gemm::Matrix;
use autograd::kernels::packed::Packed;
use autograd::nn::Param;

/// The channels of the gates, colour by colour: of each those of i, f, g and o.
pub fn gates_by_colour(hidden: usize, colours: usize) -> Vec<Vec<usize>> {
    let units = hidden / colours;
    let of_gate = move |colour: usize, gate: usize| {
        let first = gate * hidden + colour * units;
        first..first + units
    };
    (0..colours).map(|colour| (0..4).flat_map(|gate| of_gate(colour, gate)).collect()).collect()
}

/// (K · h, outputs): the weight (4h, h, K) on the states of K pixels one after the other, for some channels of the gates.
pub fn of_states<T: Scalar>(weight: &Param<T>, outputs: &[usize]) -> Packed<T> {
    let [_, hidden, kernel]: [usize; 3] = weight.shape().try_into().expect("rank 3");
    let values = weight.values();
    let at = |row: usize, o: usize| values[(o * hidden + row % hidden) * kernel + row / hidden];
    let matrix: Vec<T> = (0..kernel * hidden).flat_map(|row| outputs.iter().map(move |&o| at(row, o))).collect();
    Packed::new(Matrix::new(&matrix, kernel * hidden, outputs.len())).compacted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_all_four_gates_of_its_units_one_after_the_other() {
        assert_eq!(gates_by_colour(4, 2), [[0, 1, 4, 5, 8, 9, 12, 13], [2, 3, 6, 7, 10, 11, 14, 15]]);
        assert_eq!(gates_by_colour(3, 1), [(0..12).collect::<Vec<_>>()]);
    }
}
