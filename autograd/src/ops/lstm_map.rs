//! The recurrences of the two PixelRNNs as one op: an LSTM that goes over images row by row, or diagonal by diagonal. The kernel is in
//! `kernels/lstm/map.rs`; here is how gradients connect.
//!
//! The input's part of the gates comes in already computed, by a masked convolution over all positions. What skewing an image, shifting it
//! back and mirroring it would copy is an index here ([`Wavefront`]).

use super::convolution::{channels_first, channels_last};
use crate::gradcheck::{Case, real};
use crate::kernels::lstm::map::{self, Maps};
use crate::kernels::lstm::wavefront::Wavefront;
use crate::{Scalar, Tensor, shape};
use ndarray::ArrayD;

impl<T: Scalar> Tensor<T> {
    /// An LSTM over images, from the input's part x of its gates: at every position `i, f, o = σ(x + Σ_j W_j h_j)`,
    /// `g = tanh(x_g + Σ_j W_gj h_j)`, `c' = f ⊙ c + i ⊙ g`, `h' = o ⊙ tanh c'`.
    ///
    /// j runs over the places of the kernel, which read the wavefront before: with [`Wavefront::Rows`] so many positions of the row above,
    /// centred; with [`Wavefront::Diagonals`] the position above, then the one to the left; with [`Wavefront::MirroredDiagonals`] the one
    /// above, then the one to the right. The cell c is that of the position above (rows), to the left or to the right. h and c are 0
    /// outside the image. Consumes its input, whose memory it writes over where nothing else shares it.
    ///
    /// # Shapes
    /// `self` (B, 4C, H, W), gates in the order i, f, g, o · `weight` (4C, C, K) → the states (B, C, H, W), channels innermost in memory.
    ///
    /// # Backward
    /// As [`Tensor::lstm_sequence`], from the last wavefront to the first, with `Σ_j W_jᵀ·d[i, f, g, o]` of the positions that read one.
    /// `∂W_j = Σ_p d_p·h_(p + j)ᵀ` over all positions at once: a convolution's. Saves the gates, the cells and the states (shared).
    ///
    /// # Panics
    /// If the shapes do not fit: diagonals have a kernel of 2 places, rows one of an odd number.
    ///
    /// Source: van den Oord, Kalchbrenner & Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, sections 3.1 and 3.2, equation 3.
    #[track_caller]
    pub fn lstm_map(self, weight: &Tensor<T>, wavefront: Wavefront) -> Tensor<T> {
        let (sx, sw) = (self.shape().to_vec(), weight.shape().to_vec());
        let fits = sx.len() == 4 && sw.len() == 3 && sw[1] > 0 && sw[0] == 4 * sw[1] && sx[1] == sw[0];
        assert!(fits, "lstm_map: input's part of the gates {sx:?}, weight {sw:?}");
        let [images, _, height, width] = [sx[0], sx[1], sx[2], sx[3]];
        let hidden = sw[1];
        let maps = Maps::new(wavefront, images, [height, width], sw[2], hidden);
        let z_shape = [images, hidden, height, width];
        let (x, input) = self.into_parts();
        let mut gates = shape::into_buffer(x.permuted_axes([0, 2, 3, 1].as_slice()));
        let w = weight.standard();
        let (h, c) = map::forward(maps, &mut gates, w.as_slice().expect("row-major"));
        let h = channels_first(h, z_shape).into_shared();
        Tensor::from_op("lstm_map", h.clone(), [&input, weight], move |g, [dx, dw]| {
            let (g, h) = (channels_last(&g.into_shared()), channels_last(&h));
            let g = g.as_slice().expect("channels innermost");
            map::backward(maps, &mut gates, w.as_slice().expect("row-major"), &c, g);
            dw.add(|| {
                let dw = map::weight_gradient(maps, h.as_slice().expect("channels innermost"), &gates);
                ArrayD::from_shape_vec(sw, dw).expect("as many as the weight")
            });
            dx.add(|| channels_first(gates, [images, 4 * hidden, height, width]));
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |x: &[usize], kernel: usize, wavefront: Wavefront| {
        let inputs = [real(x), real(&[x[1], x[1] / 4, kernel])];
        Case::new("lstm_map", &inputs, move |x| x[0].clone().lstm_map(&x[1], wavefront))
    };
    let twice = Case::new("lstm_map", &[real(&[1, 4, 2, 3]), real(&[4, 1, 2])], |x| {
        let once = x[0].clone().lstm_map(&x[1], Wavefront::Diagonals);
        Tensor::cat(&[&once, &once, &x[0].narrow(1, 0, 2)], 1).lstm_map(&x[1], Wavefront::MirroredDiagonals)
    });
    vec![
        case(&[2, 8, 3, 2], 3, Wavefront::Rows).variant("rows"),
        case(&[1, 4, 3, 4], 5, Wavefront::Rows).variant("rows, a wide kernel"),
        case(&[1, 4, 2, 2], 1, Wavefront::Rows).variant("rows, one place"),
        case(&[2, 8, 2, 3], 2, Wavefront::Diagonals).variant("diagonals"),
        case(&[1, 4, 4, 2], 2, Wavefront::Diagonals).variant("diagonals of a tall map"),
        case(&[2, 8, 3, 2], 2, Wavefront::MirroredDiagonals).variant("mirrored diagonals"),
        case(&[1, 4, 1, 3], 2, Wavefront::MirroredDiagonals).variant("one row"),
        case(&[2, 4, 3, 1], 2, Wavefront::Diagonals).variant("one column"),
        case(&[0, 4, 2, 2], 3, Wavefront::Rows).variant("no image"),
        case(&[1, 4, 0, 2], 2, Wavefront::Diagonals).variant("no row"),
        twice.variant("a weight used twice"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "lstm_map: input's part of the gates [1, 4, 2, 2], weight [4, 1]")]
    fn a_weight_of_another_rank_is_named() {
        Tensor::<f64>::zeros(&[1, 4, 2, 2]).lstm_map(&Tensor::zeros(&[4, 1]), Wavefront::Rows);
    }
}
