//! The LSTM over maps: images whose positions are computed wavefront by wavefront, forward and backward.
//!
//! ```text
//! gates of p = x_p + Σ_j W_j h_(p + j)      j: the places of the kernel, positions of the wavefront before; h = 0 outside the map
//! c' = f ⊙ c + i ⊙ g,  h' = o ⊙ tanh c'     c: the cell of the same lane on the wavefront before, 0 where there is none
//! ```
//!
//! What is kept of the wavefront before lies lane after lane with zeros around it, so the inputs of all places of a position lie side by
//! side, and those of the next lane begin one state later: the left factor of one product, whose rows overlap. Each output is a chain of its
//! own, to which x is added afterwards: so who draws an image can have the chains of a row before x is there.
//!
//! 1. Over images, in parallel: they never meet. 2. Over wavefronts, in order. 3. A product over lanes. 4. Lanes, units.
//!
//! The gradient of the weight is a convolution's, over the whole map at once ([`weight_gradient`]).
//!
//! One thread of a shared Sapphire Rapids Xeon, AVX-512, f32, 16 maps of 28 × 28, with the copy of the gates that goes before; products
//! alone are counted, forward, backward, weight: rows, H 64, K 3: 88, 91, 112 GFLOP/s (14, 13.5, 11 ms); diagonals, H 32: 53, 60, 90 (3.9, 3.4,
//! 2.3 ms), H 16: 32, 39, 87 (1.6, 1.3, 0.6 ms): there the gates' functions take as long as the products of so few units.

use super::wavefront::{Map, Wavefront};
use super::{differentiate, units};
use crate::Scalar;
use crate::kernels::compiled::Compiled;
use crate::kernels::convolution;
use crate::kernels::gemm::{Matrix, Store};
use crate::kernels::math::dispatch::{Pass, dispatch};
use crate::kernels::packed::Packed;
use crate::kernels::parallel::{MIN_PARALLEL, for_each};
use crate::kernels::recurrent::in_lanes;
use crate::kernels::unwritten;
use std::mem::MaybeUninit;

#[cfg(test)]
mod tests;

/// The extent of maps under an LSTM; buffers are (images, height, width, …).
#[derive(Clone, Copy, Debug)]
pub struct Maps {
    map: Map,
    images: usize,
    hidden: usize,
}

impl Maps {
    /// # Panics
    /// If there are no hidden units, or the kernel does not suit the wavefront: diagonals have 2 places, rows an odd number.
    pub fn new(wavefront: Wavefront, images: usize, size: [usize; 2], kernel: usize, hidden: usize) -> Self {
        assert!(hidden > 0, "lstm map: no hidden units");
        Maps { map: Map::new(wavefront, size, kernel), images, hidden }
    }

    /// Values of one image at so many a position.
    fn image(self, width: usize) -> usize {
        self.map.positions() * width
    }

    fn check(self, name: &str, length: usize, width: usize) {
        assert_eq!(length, self.images * self.image(width), "lstm map, {name}: wrong length for {self:?}");
    }

    fn check_weight(self, length: usize) {
        let Maps { map: Map { kernel, .. }, hidden, .. } = self;
        assert_eq!(length, 4 * hidden * hidden * kernel, "lstm map, weight: wrong length for {self:?}");
    }

    /// Whether the images are worth threads.
    fn is_parallel(self) -> bool {
        self.images * self.image(4 * self.hidden) * self.map.kernel * self.hidden >= MIN_PARALLEL
    }

    /// (K · H, 4H): the weights of the places one below the other.
    fn forward_weight<T: Scalar>(self, weight: &[T]) -> Vec<T> {
        self.rearranged(weight, |place, channel, output| (place * self.hidden + channel) * 4 * self.hidden + output)
    }

    /// (K · 4H, H): the same, the last place first, as a position meets those that read it.
    fn backward_weight<T: Scalar>(self, weight: &[T]) -> Vec<T> {
        let Maps { map: Map { kernel, .. }, hidden, .. } = self;
        self.rearranged(weight, |place, channel, output| {
            ((kernel - 1 - place) * 4 * hidden + output) * hidden + channel
        })
    }

    fn rearranged<T: Scalar>(self, weight: &[T], to: impl Fn(usize, usize, usize) -> usize) -> Vec<T> {
        let Maps { map: Map { kernel, .. }, hidden, .. } = self;
        let mut matrix = vec![T::zero(); weight.len()];
        for (i, &w) in weight.iter().enumerate() {
            matrix[to(i % kernel, i / kernel % hidden, i / kernel / hidden)] = w;
        }
        matrix
    }
}

/// Runs the LSTM over all positions; gates in the order i, f, g, o.
///
/// # Shapes
/// - `gates` (images, height, width, 4H): in, the input's part; out, the activations i, f, g, o
/// - `weight` (4H, H, K)
/// - → h, c (images, height, width, H)
///
/// # Panics
/// If a length does not fit.
pub fn forward<T: Scalar>(maps: Maps, gates: &mut [T], weight: &[T]) -> (Vec<T>, Vec<T>) {
    Compiled::lstm_map(maps, gates, weight)
}

pub(in crate::kernels) fn forward_body<T: Scalar>(maps: Maps, gates: &mut [T], weight: &[T]) -> (Vec<T>, Vec<T>) {
    let Maps { images, hidden, .. } = maps;
    maps.check("gates", gates.len(), 4 * hidden);
    maps.check_weight(weight.len());
    let len = images * maps.image(hidden);
    if len == 0 {
        return (Vec::new(), Vec::new());
    }
    let weight = maps.forward_weight(weight);
    let w = Packed::on_loan(Matrix::new(&weight, maps.map.kernel * hidden, 4 * hidden));
    let fill = |h: &mut [MaybeUninit<T>], c: &mut [MaybeUninit<T>]| {
        let one = maps.image(hidden);
        let states = h.chunks_exact_mut(one).zip(c.chunks_exact_mut(one));
        for_each(maps.is_parallel(), gates.chunks_exact_mut(4 * one).zip(states), |(gates, (h, c))| {
            forward_image(maps, &w, gates, h, c);
        });
    };
    // SAFETY: every position is on one wavefront.
    let states = unsafe { unwritten::filled_both(len, len, fill) };
    w.give_back();
    states
}

fn forward_image<T: Scalar>(
    maps: Maps,
    w: &Packed<T>,
    gates: &mut [T],
    h: &mut [MaybeUninit<T>],
    c: &mut [MaybeUninit<T>],
) {
    let Maps { map, hidden, .. } = maps;
    let mut states = vec![T::zero(); (map.lanes() + map.kernel - 1) * hidden];
    let mut cells = vec![T::zero(); map.lanes() * hidden];
    let mut sums = vec![T::zero(); map.lanes() * 4 * hidden]; // 0 on the first wavefront
    for t in 0..map.steps() {
        let active = map.active(t);
        if t > 0 {
            let states = &states[active.start * hidden..];
            let before = Matrix::with_strides(states, active.len(), map.kernel * hidden, hidden, 1);
            w.product(before, Store::Overwrite, &mut sums[active.start * 4 * hidden..], 4 * hidden);
        }
        dispatch(Forward { maps, t, gates, sums: &sums, h, c, states: &mut states, cells: &mut cells });
    }
}

/// The gates and the new states of one wavefront, from the input's part and what the product left.
struct Forward<'a, T> {
    maps: Maps,
    t: usize,
    gates: &'a mut [T],
    /// The states' part, lane after lane.
    sums: &'a [T],
    h: &'a mut [MaybeUninit<T>],
    c: &'a mut [MaybeUninit<T>],
    /// The states of the lanes, with zeros before and after, and their cells: in, of the wavefront before; out, of this one.
    states: &'a mut [T],
    cells: &'a mut [T],
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Maps { map, hidden, .. } = self.maps;
        for lane in map.active(self.t) {
            let p = map.position(self.t, lane);
            let gates = &mut self.gates[p * 4 * hidden..][..4 * hidden];
            let sums = &self.sums[lane * 4 * hidden..][..4 * hidden];
            let cell = &mut self.cells[lane * hidden..][..hidden];
            let state = &mut self.states[(lane + map.before()) * hidden..][..hidden];
            let (h, c) = (&mut self.h[p * hidden..][..hidden], &mut self.c[p * hidden..][..hidden]);
            in_lanes!(hidden, |j, count| units(gates, sums, cell, c, h, j, count));
            // SAFETY: `units` wrote all of both.
            let (h, c) = unsafe { (unwritten::written(h), unwritten::written(c)) };
            state.copy_from_slice(h);
            cell.copy_from_slice(c);
        }
    }
}

/// Gradients of [`forward`], from the buffers it left and the gradient `dout` of h.
///
/// # Shapes
/// - `gates` (images, height, width, 4H): in, i, f, g, o; out, the gradients of the input's part
/// - `weight` (4H, H, K) · `c`, `dout` (images, height, width, H)
///
/// # Panics
/// If a length does not fit.
pub fn backward<T: Scalar>(maps: Maps, gates: &mut [T], weight: &[T], c: &[T], dout: &[T]) {
    Compiled::lstm_map_backward(maps, gates, weight, c, dout);
}

pub(in crate::kernels) fn backward_body<T: Scalar>(maps: Maps, gates: &mut [T], weight: &[T], c: &[T], dout: &[T]) {
    let hidden = maps.hidden;
    maps.check("gates", gates.len(), 4 * hidden);
    maps.check_weight(weight.len());
    maps.check("c", c.len(), hidden);
    maps.check("dout", dout.len(), hidden);
    if gates.is_empty() {
        return;
    }
    let (weight, one) = (maps.backward_weight(weight), maps.image(hidden));
    let w = Packed::on_loan(Matrix::new(&weight, maps.map.kernel * 4 * hidden, hidden));
    let parts = gates.chunks_exact_mut(4 * one).zip(c.chunks_exact(one).zip(dout.chunks_exact(one)));
    for_each(maps.is_parallel(), parts, |(gates, (c, dout))| backward_image(maps, &w, gates, c, dout));
    w.give_back();
}

fn backward_image<T: Scalar>(maps: Maps, w: &Packed<T>, gates: &mut [T], c: &[T], dout: &[T]) {
    let Maps { map, hidden, .. } = maps;
    // Before the first lane of the wavefront after lie zeros: going back lanes move to the front, so none was written there yet.
    let mut next = vec![T::zero(); (map.lanes() + map.kernel - 1) * 4 * hidden];
    let [mut dh, mut dc] = [(); 2].map(|()| vec![T::zero(); map.lanes() * hidden]);
    let no_cell = vec![T::zero(); hidden];
    for t in (0..map.steps()).rev() {
        dispatch(Backward { maps, t, gates, c, no_cell: &no_cell, dout, dh: &dh, dc: &mut dc, next: &mut next });
        if t > 0 {
            let before = map.active(t - 1);
            let next = &next[before.start * 4 * hidden..];
            let next = Matrix::with_strides(next, before.len(), map.kernel * 4 * hidden, 4 * hidden, 1);
            w.product(next, Store::Overwrite, &mut dh[before.start * hidden..], hidden);
        }
    }
}

/// The elementwise part of one wavefront, backward.
struct Backward<'a, T> {
    maps: Maps,
    t: usize,
    gates: &'a mut [T],
    c: &'a [T],
    no_cell: &'a [T],
    dout: &'a [T],
    dh: &'a [T],
    dc: &'a mut [T],
    /// The gates' gradients, lane after lane with zeros before and after.
    next: &'a mut [T],
}

impl<T: Scalar> Pass for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Maps { map, hidden, .. } = self.maps;
        let before = if self.t == 0 { 0..0 } else { map.active(self.t - 1) };
        let cell = |position: usize| &self.c[position * hidden..][..hidden];
        for lane in map.active(self.t) {
            let p = map.position(self.t, lane);
            let gates = &mut self.gates[p * 4 * hidden..][..4 * hidden];
            let past = if before.contains(&lane) { cell(map.position(self.t - 1, lane)) } else { self.no_cell };
            let (dout, dh) = (&self.dout[p * hidden..][..hidden], &self.dh[lane * hidden..][..hidden]);
            let dc = &mut self.dc[lane * hidden..][..hidden];
            in_lanes!(hidden, |j, count| differentiate(gates, (past, cell(p)), dout, dh, dc, j, count));
            self.next[(lane + map.after()) * 4 * hidden..][..4 * hidden].copy_from_slice(gates);
        }
    }
}

/// The gradient of the weight, (4H, H, K), from the states and the gradients that [`backward`] left in `gates`.
///
/// # Panics
/// As [`backward`].
pub fn weight_gradient<T: Scalar>(maps: Maps, h: &[T], gates: &[T]) -> Vec<T> {
    let Maps { map, images, hidden } = maps;
    maps.check("h", h.len(), hidden);
    let rows = convolution::backward_weight(&map.window(), images, (h, hidden), false, (gates, 4 * hidden));
    let mut dw = vec![T::zero(); rows.len()];
    for (row, of_row) in rows.chunks_exact(4 * hidden).enumerate() {
        let at = row % hidden * map.kernel + row / hidden;
        of_row.iter().enumerate().for_each(|(o, &g)| dw[o * hidden * map.kernel + at] = g);
    }
    dw
}
