//! Weights rounded to fewer bits: what a model is then, and what it costs in likelihood.
//!
//! Only weights are rounded, once, when a model is loaded; everything is computed in f32 from the rounded ones. So a narrow model is a model
//! like any other: it scores as it draws, its steps are its parallel pass bit for bit, and what rounding costs is a difference of two
//! likelihoods. What makes it fast is that a generating network stores such weights in as few bits as they have
//! ([`autograd::kernels::packed::Packed::compacted`]).

use autograd::nn::Module;

/// The format of the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// As they were trained.
    #[default]
    F32,
    /// 8 bits of precision: the nearest f32 whose lower half is zero.
    Bf16,
    /// Whole numbers from −127 to 127 times a power of two for each row, the smallest that reaches the row's largest weight.
    Int8,
}

impl Weights {
    /// All there are, widest first.
    pub const ALL: [Weights; 3] = [Weights::F32, Weights::Bf16, Weights::Int8];

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Weights::F32 => "f32",
            Weights::Bf16 => "bf16",
            Weights::Int8 => "int8",
        }
    }
}

/// Rounds all weights of a model, the parameters of rank 2 and more: tables, matrices, kernels. A row is what one output is computed with: all
/// weights under one index of the first axis. Biases and what normalizes stay as they are.
pub fn round(model: &mut impl Module<f32>, weights: Weights) {
    for (_, param) in model.parameters_mut() {
        let shape = param.shape().to_vec();
        if shape.len() < 2 || weights == Weights::F32 || shape.contains(&0) {
            continue;
        }
        let values = param.values_mut();
        match weights {
            Weights::F32 => {}
            Weights::Bf16 => values.iter_mut().for_each(|w| *w = to_bf16(*w)),
            Weights::Int8 => values.chunks_exact_mut(shape[1..].iter().product()).for_each(to_int8),
        }
    }
}

/// The nearest number with 8 bits of precision, of two as near the even one.
fn to_bf16(w: f32) -> f32 {
    let bits = w.to_bits();
    f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

/// A row as whole numbers by a power of two.
fn to_int8(row: &mut [f32]) {
    let largest = row.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
    if largest < f32::MIN_POSITIVE * 256.0 {
        return row.fill(0.0); // no scale below is a normal number
    }
    // The power of two at or below the largest, so that `largest / scale` is from 64 to below 128.
    let below = f32::from_bits(largest.to_bits() & 0x7f80_0000);
    let mut scale = below / 64.0;
    if (largest / scale).round_ties_even() > 127.0 {
        scale *= 2.0;
    }
    row.iter_mut().for_each(|w| *w = (*w / scale).round_ties_even() * scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::nn::Linear;
    use autograd::random::Streams;

    #[test]
    fn bf16_is_the_nearest_and_ties_go_to_even() {
        for (w, expected) in [
            (1.0, 1.0),
            (1.0 + 1.0 / 256.0, 1.0),
            (1.0 + 3.0 / 256.0, 1.0 + 4.0 / 256.0),
            (1.0 + 1.1 / 256.0, 1.0 + 2.0 / 256.0),
            (-0.1, -205.0 / 2048.0),
            (0.0, 0.0),
        ] {
            assert_eq!(to_bf16(w), expected, "{w}");
        }
    }

    #[test]
    fn int8_is_the_nearest_multiple_of_the_smallest_power_of_two_that_reaches_the_largest() {
        let rounded = |row: &[f32]| {
            let mut row = row.to_vec();
            to_int8(&mut row);
            row
        };
        assert_eq!(rounded(&[127.0, 0.6, -1.5, 2.5]), [127.0, 1.0, -2.0, 2.0]);
        assert_eq!(rounded(&[127.6, 3.1]), [128.0, 4.0], "128 steps of 1 are too many: steps of 2");
        assert_eq!(rounded(&[0.5, 0.003]), [0.5, 0.0]);
        assert_eq!(rounded(&[0.5, 0.004]), [0.5, 1.0 / 128.0]);
        assert_eq!(rounded(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(rounded(&[1e-38, -1e-39]), [0.0, 0.0]);
        for row in [[0.013_f32, -0.27, 0.1999], [-3.7e5, 12.0, 9e4]] {
            let step = row.iter().fold(0.0_f32, |most, w| most.max(w.abs())) / 63.5;
            let near = rounded(&row).iter().zip(row).all(|(a, b)| (a - b).abs() <= step / 2.0);
            assert!(near, "{row:?}");
        }
    }

    #[test]
    fn biases_stay_and_rounded_twice_is_rounded_once() {
        for weights in [Weights::Bf16, Weights::Int8] {
            let mut layer = Linear::<f32>::new(30, 20, &mut Streams::new(1).stream("init"));
            let before = layer.clone();
            round(&mut layer, weights);
            assert_ne!(layer.weight.values(), before.weight.values());
            let bias = |layer: &Linear<f32>| layer.bias.as_ref().map(|bias| bias.values().to_vec());
            assert_eq!(bias(&layer), bias(&before));
            let once = layer.weight.values().to_vec();
            round(&mut layer, weights);
            assert_eq!(layer.weight.values(), once);
        }
    }
}
