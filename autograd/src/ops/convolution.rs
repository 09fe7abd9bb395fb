//! Convolution over images and sequences, stride 1. The arithmetic is in `kernels/convolution.rs`; here shapes become windows, and
//! weights the matrices that the kernel multiplies by.
//!
//! Shapes are PyTorch's, (B, C, H, W) and (B, C, T); in memory channels lie innermost, (B, H, W, C), and an input that lies
//! otherwise is copied. Ops that work element by element keep the order they find, so a network pays for that once, at its input.

use crate::gradcheck::{Case, real};
use crate::kernels::convolution::{self, Fused, Tap, Window};
use crate::kernels::gemm::Matrix;
use crate::kernels::reduce::column_sums;
use crate::tensor::Value;
use crate::{Scalar, Tensor, passes, shape};
use ndarray::ArrayD;
use std::rc::Rc;

/// How a convolution's kernel lies over its input: by default densely, without padding.
///
/// ```
/// use autograd::{Convolution, Tensor};
/// let x = Tensor::<f32>::ones(&[1, 1, 4, 4]);
/// let w = Tensor::ones(&[1, 1, 3, 3]);
/// assert_eq!(x.conv2d(&w, None, &Convolution::default()).shape(), [1, 1, 2, 2]);
/// // Zeros all around keep the size; of the kernel only what lies above the middle row is there.
/// let above = Convolution::default().padded([1, 1], [1, 1]).only(&[3, 3], |at| at[0] < 1);
/// assert_eq!(x.conv2d(&w, None, &above).to_vec()[..8], [0.0, 0.0, 0.0, 0.0, 2.0, 3.0, 3.0, 2.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    dilation: [usize; 2],
    /// Zeros before and after, of each axis; where negative, so many rows or columns are left out.
    padding: [[isize; 2]; 2],
    /// Which places of the kernel are multiplied, in row-major order; all, where none is named.
    live: Option<Rc<[bool]>>,
    relu: bool,
}

impl Default for Convolution {
    fn default() -> Self {
        Convolution { dilation: [1; 2], padding: [[0; 2]; 2], live: None, relu: false }
    }
}

impl Convolution {
    /// Zeros above and below, and to the left and right. A negative number leaves out rows or columns of the input instead: with a
    /// kernel of two rows, `[2, -1]` reads the two rows strictly above.
    pub fn padded(self, rows: [isize; 2], columns: [isize; 2]) -> Self {
        Convolution { padding: [rows, columns], ..self }
    }

    /// Places of the kernel so many rows and columns apart.
    ///
    /// # Panics
    /// If a distance is 0.
    #[track_caller]
    pub fn dilated(self, dilation: [usize; 2]) -> Self {
        assert!(!dilation.contains(&0), "convolution: dilation {dilation:?}");
        Convolution { dilation, ..self }
    }

    /// Of a kernel of this height and width only the places `[row, column]` that `live` says: the weight of the others is not read,
    /// and its gradient is exactly 0. Nothing is multiplied there.
    pub fn only(self, kernel: &[usize; 2], live: impl Fn([usize; 2]) -> bool) -> Self {
        let places = (0..kernel[0]).flat_map(|y| (0..kernel[1]).map(move |x| [y, x]));
        Convolution { live: Some(places.map(live).collect()), ..self }
    }

    /// Of the ReLU of the input, `max(x, 0)`: in place of an op of its own, whose output would go through memory once more.
    pub fn of_relu(self) -> Self {
        Convolution { relu: true, ..self }
    }

    /// The height and width of the output.
    #[track_caller]
    fn output(&self, input: &[usize], kernel: &[usize]) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let padding = self.padding[axis][0].checked_add(self.padding[axis][1]);
            let size = padding.and_then(|padding| input[axis].checked_add_signed(padding));
            let reach = kernel[axis].checked_sub(1).and_then(|steps| steps.checked_mul(self.dilation[axis]));
            let output = size.zip(reach).and_then(|(size, reach)| size.checked_sub(reach));
            output.filter(|&output| output > 0 || input[axis] == 0).unwrap_or_else(|| {
                panic!(
                    "conv2d: kernel {kernel:?} dilated {:?} over input {input:?} padded {:?}",
                    self.dilation, self.padding
                )
            })
        })
    }

    /// The places of the kernel that are multiplied, in row-major order.
    fn places(&self, kernel: &[usize]) -> Vec<usize> {
        let places = kernel[0] * kernel[1];
        match &self.live {
            None => (0..places).collect(),
            Some(live) => {
                assert_eq!(live.len(), places, "conv2d: places of a kernel of {kernel:?}");
                (0..places).filter(|&place| live[place]).collect()
            }
        }
    }

    /// What those places read.
    fn window(&self, places: &[usize], kernel_width: usize, input: [usize; 2], output: [usize; 2]) -> Window {
        Window::new(places.iter().map(|&place| self.tap(place, kernel_width)).collect(), input, output)
    }

    /// What a place of the kernel reads.
    fn tap(&self, place: usize, kernel_width: usize) -> Tap {
        let at = |axis: usize, index: usize| (index * self.dilation[axis]) as isize - self.padding[axis][0];
        Tap { down: at(0, place / kernel_width), right: at(1, place % kernel_width) }
    }

    /// The places of a kernel of this height and width that are multiplied, by their numbers in row-major order, which is the order
    /// in which they are added up, and what each of them reads: for whoever computes a convolution piece by piece.
    ///
    /// ```
    /// use autograd::Convolution;
    /// let above = Convolution::default().padded([1, 1], [1, 1]).only(&[3, 3], |at| at[0] < 1);
    /// assert_eq!(above.taps(&[3, 3]).map(|(place, tap)| (place, tap.down, tap.right)).last(), Some((2, -1, 1)));
    /// ```
    ///
    /// # Panics
    /// If places were named for a kernel of another size.
    #[track_caller]
    pub fn taps(&self, kernel: &[usize; 2]) -> impl Iterator<Item = (usize, Tap)> {
        self.places(kernel).into_iter().map(|place| (place, self.tap(place, kernel[1])))
    }

    /// Whether the input is replaced by its ReLU.
    pub fn is_of_relu(&self) -> bool {
        self.relu
    }
}

/// The weight of a convolution, (O, I, KH, KW) row-major, as the kernel multiplies by it.
struct Weight<T> {
    values: Value<T>,
    /// O, I, and the places of the kernel, KH · KW.
    sizes: [usize; 3],
    live: Vec<usize>,
}

impl<T: Scalar> Weight<T> {
    /// (live · I, O): for each tap and channel a value for each output.
    fn forward(&self) -> Vec<T> {
        let ([outputs, inputs, places], live) = (self.sizes, self.live.len());
        let mut matrix = vec![T::zero(); live * inputs * outputs];
        self.each(
            |place, c, o| (o * inputs + c) * places + self.live[place],
            |place, c, o| (place * inputs + c) * outputs + o,
            &mut matrix,
        );
        matrix
    }

    /// (live · O, I): for each tap and output a value for each channel.
    fn backward(&self) -> Vec<T> {
        let ([outputs, inputs, places], live) = (self.sizes, self.live.len());
        let mut matrix = vec![T::zero(); live * outputs * inputs];
        self.each(
            |place, c, o| (o * inputs + c) * places + self.live[place],
            |place, c, o| (place * outputs + o) * inputs + c,
            &mut matrix,
        );
        matrix
    }

    fn each(
        &self,
        from: impl Fn(usize, usize, usize) -> usize,
        to: impl Fn(usize, usize, usize) -> usize,
        matrix: &mut [T],
    ) {
        let values = self.values.as_slice().expect("row-major");
        let [outputs, inputs, _] = self.sizes;
        for o in 0..outputs {
            for c in 0..inputs {
                for place in 0..self.live.len() {
                    matrix[to(place, c, o)] = values[from(place, c, o)];
                }
            }
        }
    }

    /// A gradient (live · I, O) in the places of the weight, zeros elsewhere.
    fn scatter(&self, gradient: &[T], shape: &[usize]) -> ArrayD<T> {
        let [outputs, inputs, places] = self.sizes;
        let mut all = vec![T::zero(); outputs * inputs * places];
        for (row, gradient) in gradient.chunks_exact(outputs.max(1)).enumerate() {
            let (place, c) = (self.live[row / inputs], row % inputs);
            gradient.iter().enumerate().for_each(|(o, &g)| all[(o * inputs + c) * places + place] = g);
        }
        ArrayD::from_shape_vec(shape, all).expect("as many as the weight")
    }
}

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
        assert!(
            self.rank() == 3 && weight.rank() == 3,
            "conv1d: input {:?}, weight {:?}",
            self.shape(),
            weight.shape()
        );
        self.unsqueeze(2).conv2d(&weight.unsqueeze(2), bias, how).squeeze(2)
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
            let g_shared = g.into_shared();
            let g = channels_last(&g_shared);
            let (g, xs) = (g.as_slice().expect("channels innermost"), x.as_slice().expect("channels innermost"));
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
            dw.add(|| {
                let dw = convolution::backward_weight(&window, images, (xs, inputs), relu, (g, outputs));
                w.scatter(&dw, &sw)
            });
            db.write(|db, store| column_sums(g, store, db));
            dy.add(|| g_shared.into_owned());
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
