//! Convolution over images and sequences, stride 1. The arithmetic is in `kernels/convolution.rs`; here shapes become windows and
//! weights matrices, and gradients connect.
//!
//! Shapes are PyTorch's, (B, C, H, W) and (B, C, T); in memory channels lie innermost, (B, H, W, C), and an input that lies
//! otherwise is copied. Ops that work element by element keep the order they find, so a network pays for that once, at its input.

use crate::gradcheck::{Case, real};
use crate::kernels::convolution::{self, Fused};
use crate::kernels::gemm::Matrix;
use crate::kernels::reduce::{column_sums, store_sums};
use crate::tensor::Value;
use crate::{Scalar, Tensor, passes, shape};
use ndarray::ArrayD;
use weight::Weight;

mod how;
mod weight;

pub use how::Convolution;

/// (B, C, H, W) in the memory order (B, H, W, C), copied where it lies otherwise.
pub(super) fn channels_last<T: Scalar>(x: &Value<T>) -> Value<T> {
    passes::standard(&x.clone().permuted_axes([0, 2, 3, 1].as_slice()))
}

/// Values in the memory order (B, H, W, C), as (B, C, H, W).
pub(super) fn channels_first<T: Scalar>(x: Vec<T>, [b, c, h, w]: [usize; 4]) -> ArrayD<T> {
    let x = ArrayD::from_shape_vec(vec![b, h, w, c], x).expect("as many as the shape says");
    x.permuted_axes([0, 3, 1, 2].as_slice())
}

impl<T: Scalar> Tensor<T> {
    /// `z_p = b + Σ_t W_t·x_(p + t)` for every output position p; t runs over the live places of the kernel. What lies outside the
    /// input is 0. PyTorch's `conv2d` of stride 1, in which the kernel is not mirrored.
    ///
    /// Each output is one chain of multiply-adds that begins with b and goes through the places in row-major order, the channels
    /// of each in theirs.
    ///
    /// # Shapes
    /// `self` (B, I, H, W) · `weight` (O, I, KH, KW) · `bias` (O) → (B, O, H', W') with
    /// `H' = H + top + bottom − dilation·(KH − 1)`, channels innermost in memory.
    ///
    /// # Backward
    /// `∂x_q = Σ_t W_tᵀ·g_(q − t)`, times the step of x where the input is its ReLU; `∂W_t = Σ_p g_p·x_(p + t)ᵀ`, 0 for places that are
    /// not live; `∂b = Σ g`. Saves x and the weight (shared, where they lie as is needed).
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv2d(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>, how: &Convolution) -> Tensor<T> {
        self.convolved(weight, bias, how, None)
    }

    /// `z = y + conv2d(x)`: what a residual block ends with, in one pass over y.
    ///
    /// # Shapes
    /// As [`Tensor::conv2d`], with y in the shape of its output.
    ///
    /// # Backward
    /// As [`Tensor::conv2d`], and `∂y = g`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv2d_onto(
        &self,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        how: &Convolution,
        y: &Tensor<T>,
    ) -> Tensor<T> {
        self.convolved(weight, bias, how, Some(y))
    }

    /// [`Tensor::conv2d`] over sequences: the case of height 1.
    ///
    /// # Shapes
    /// `self` (B, I, T) · `weight` (O, I, K) · `bias` (O) → (B, O, T')
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv1d(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>, how: &Convolution) -> Tensor<T> {
        self.convolved_sequence(weight, bias, how, None)
    }

    /// `z = y + conv1d(x)`: [`Tensor::conv2d_onto`] over sequences.
    ///
    /// # Shapes
    /// As [`Tensor::conv1d`], with y in the shape of its output.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv1d_onto(
        &self,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        how: &Convolution,
        y: &Tensor<T>,
    ) -> Tensor<T> {
        self.convolved_sequence(weight, bias, how, Some(y))
    }

    #[track_caller]
    fn convolved_sequence(
        &self,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        how: &Convolution,
        onto: Option<&Tensor<T>>,
    ) -> Tensor<T> {
        let ranks = [self.rank(), weight.rank(), onto.map_or(3, Tensor::rank)];
        assert!(ranks == [3; 3], "conv1d: input {:?}, weight {:?}", self.shape(), weight.shape());
        let onto = onto.map(|y| y.unsqueeze(2));
        self.unsqueeze(2).convolved(&weight.unsqueeze(2), bias, how, onto.as_ref()).squeeze(2)
    }

    #[track_caller]
    fn convolved(
        &self,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        how: &Convolution,
        onto: Option<&Tensor<T>>,
    ) -> Tensor<T> {
        let (sx, sw) = (self.shape().to_vec(), weight.shape().to_vec());
        assert!(sx.len() == 4 && sw.len() == 4 && sx[1] == sw[1], "conv2d: input {sx:?}, weight {sw:?}");
        let (images, inputs, outputs) = (sx[0], sx[1], sw[0]);
        let output = how.output(&sx[2..], &sw[2..]);
        let live = how.places(&sw[2..]);
        let window = how.window(&live, sw[3], [sx[2], sx[3]], output);
        let z_shape = [images, outputs, output[0], output[1]];
        shape::count("conv2d", &z_shape);
        let bias_fits = bias.is_none_or(|b| b.shape() == [outputs]);
        assert!(bias_fits, "conv2d: weight {sw:?}, bias {:?}", bias.map(Tensor::shape));
        let onto_fits = onto.is_none_or(|y| y.shape() == z_shape);
        assert!(onto_fits, "conv2d_onto: output {z_shape:?}, onto {:?}", onto.map(Tensor::shape));

        let x = channels_last(self.value());
        let w = Weight { values: weight.standard(), sizes: [outputs, inputs, sw[2] * sw[3]], live };
        let rows = w.live.len() * inputs;
        let y = onto.map(|y| channels_last(y.value()));
        let fused =
            Fused { relu: how.relu, gate: None, add: y.as_ref().map(|y| y.as_slice().expect("channels innermost")) };
        let forward = w.forward();
        let b = bias.map(Tensor::standard);
        let b = b.as_ref().map(|b| b.as_slice().expect("row-major"));
        let matrix = Matrix::new(&forward, rows, outputs);
        let z = convolution::apply(&window, images, x.as_slice().expect("channels innermost"), matrix, b, fused);

        let (untracked, relu) = (Tensor::zeros(&[outputs]), how.relu);
        let (bias, onto) = (bias.unwrap_or(&untracked), onto.unwrap_or(&untracked));
        let inputs_of_op = [self, weight, bias, onto];
        let rule = move |g: ArrayD<T>, [dx, dw, db, dy]: &mut [crate::graph::Slot<T>; 4]| {
            let shared = g.into_shared();
            let innermost = channels_last(&shared);
            let g = innermost.as_slice().expect("channels innermost");
            let xs = x.as_slice().expect("channels innermost");
            dx.merge(|old| {
                let old = old.map(|old| channels_last(&old.into_shared()));
                let gate = relu.then_some(xs);
                let add = old.as_ref().map(|old| old.as_slice().expect("channels innermost"));
                let transposed = w.backward();
                let matrix = Matrix::new(&transposed, w.live.len() * outputs, inputs);
                let dx =
                    convolution::apply(&window.mirrored(), images, g, matrix, None, Fused { relu: false, gate, add });
                channels_first(dx, [images, inputs, sx[2], sx[3]])
            });
            let mut sums = None;
            dw.add(|| {
                let (x, g) = ((xs, inputs), (g, outputs));
                let dw = if db.is_wanted() {
                    let (dw, of_bias) = convolution::backward_weight_and_bias(&window, images, x, relu, g);
                    sums = Some(of_bias);
                    dw
                } else {
                    convolution::backward_weight(&window, images, x, relu, g)
                };
                w.scatter(&dw, &sw)
            });
            db.write(|db, store| match &sums {
                Some(sums) => store_sums(sums, store, db),
                None => column_sums(g, store, db),
            });
            drop(innermost); // else what y is given would be a copy
            dy.add(|| shared.into_owned());
        };
        Tensor::from_op("conv2d", channels_first(z, z_shape), inputs_of_op, rule)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, x: &[usize], w: &[usize], how: Convolution| {
        let inputs = [real(x), real(w), real(&w[..1])];
        Case::new("conv2d", &inputs, move |x| x[0].conv2d(&x[1], Some(&x[2]), &how)).variant(name.to_string())
    };
    let none = Convolution::default;
    let same = || none().padded([1, 1], [1, 1]);
    let causal = |d: usize| Convolution::default().padded([0, 0], [d as isize, 0]).dilated([1, d]);
    vec![
        case("no padding", &[2, 2, 4, 3], &[3, 2, 3, 2], none()),
        case("the same size", &[1, 2, 3, 3], &[2, 2, 3, 3], same()),
        case(
            "places above and to the left",
            &[1, 2, 3, 3],
            &[2, 2, 3, 3],
            same().only(&[3, 3], |at| at[0] * 3 + at[1] < 4),
        ),
        case("no place", &[1, 1, 2, 2], &[2, 1, 3, 3], same().only(&[3, 3], |_| false)),
        case("1 × 1", &[2, 3, 2, 2], &[4, 3, 1, 1], none()),
        case("more padding than input", &[1, 1, 2, 1], &[1, 1, 2, 4], none().padded([2, 3], [4, 0])),
        case("rows strictly above", &[1, 2, 4, 3], &[2, 2, 2, 3], none().padded([2, -1], [1, 1])),
        case("dilated further than the input", &[1, 1, 1, 4], &[2, 1, 1, 2], causal(5)),
        case("dilated", &[1, 9, 1, 6], &[2, 9, 1, 2], causal(2)),
        case("no image", &[0, 2, 3, 3], &[2, 2, 1, 1], none()),
        case("no channel", &[1, 0, 2, 2], &[2, 0, 1, 1], none()),
        Case::new("conv2d", &[real(&[1, 2, 2, 3]), real(&[2, 2, 3, 3])], move |x| {
            // ReLU is not differentiable at 0: inputs are kept away from it.
            let away = |x: &Tensor<f64>| x + &(Tensor::new(x.value().mapv(|x| 0.3 * x.signum())));
            away(&x[0]).conv2d(&x[1], None, &Convolution::default().padded([1, 1], [1, 1]).of_relu())
        })
        .variant("of the ReLU, no bias"),
        Case::new("conv2d", &[real(&[1, 2, 2, 2]), real(&[2, 2, 1, 1]), real(&[2])], |x| {
            x[0].conv2d_onto(&x[1], Some(&x[2]), &Convolution::default(), &x[0])
        })
        .variant("onto its own input"),
        Case::new("conv2d", &[real(&[2, 2, 5]), real(&[3, 2, 2])], move |x| x[0].conv1d(&x[1], None, &causal(2)))
            .variant("over a sequence"),
        Case::new("conv2d", &[real(&[2, 2, 4]), real(&[2, 2, 2])], move |x| {
            x[0].conv1d_onto(&x[1], None, &causal(1), &x[0])
        })
        .variant("over a sequence, onto its own input"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "conv2d: kernel [3, 3] dilated [1, 1] over input [2, 2] padded [[0, 0], [0, 0]]")]
    fn a_kernel_larger_than_its_input_names_all_sizes() {
        Tensor::<f32>::zeros(&[1, 1, 2, 2]).conv2d(&Tensor::zeros(&[1, 1, 3, 3]), None, &Convolution::default());
    }

    #[test]
    fn an_input_with_channels_innermost_is_not_copied_and_the_output_is_one() {
        let x = Tensor::<f32>::zeros(&[2, 4, 5, 3]).permute(&[0, 3, 1, 2]);
        let z = x.conv2d(&Tensor::zeros(&[7, 3, 1, 1]), None, &Convolution::default());
        assert_eq!(z.shape(), [2, 7, 4, 5]);
        assert!(z.permute(&[0, 2, 3, 1]).view().is_standard_layout());
        assert!(z.relu().permute(&[0, 2, 3, 1]).view().is_standard_layout(), "an elementwise op keeps the order");
    }

    #[test]
    fn places_that_are_not_live_are_neither_read_nor_given_a_gradient() {
        let how = Convolution::default().padded([1, 1], [1, 1]).only(&[3, 3], |at| at[0] < 1);
        let weight: Vec<f64> = (0..9).map(|i| if i < 3 { f64::from(i) } else { f64::NAN }).collect();
        let weight = Tensor::from_vec(weight, &[1, 1, 3, 3]).tracked();
        let x = Tensor::from_vec((0..9).map(f64::from).collect(), &[1, 1, 3, 3]);
        let z = x.conv2d(&weight, None, &how);
        assert!(z.to_vec().iter().all(|z| z.is_finite()));
        let gradient = z.sum().backward().of(&weight).unwrap().iter().copied().collect::<Vec<_>>();
        assert_eq!(gradient, [8.0, 15.0, 12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
