//! Stand-in for the packed matrix product until the real one is merged.

use super::gemm::{Matrix, Store};
use super::math::dispatch::{Pass, dispatch};
use ndarray::NdFloat;

const NR: usize = 32;

/// A right operand in panels of columns.
pub struct Packed<T> {
    panels: Vec<T>,
    k: usize,
    n: usize,
}

impl<T: NdFloat> Packed<T> {
    /// Copies `b` into panels.
    pub fn new(b: Matrix<T>) -> Self {
        let (k, n) = (b.rows(), b.cols());
        let mut panels = vec![T::zero(); n.div_ceil(NR) * k * NR];
        for j in 0..n {
            for p in 0..k {
                panels[(j / NR * k + p) * NR + j % NR] = b.at(p, j);
            }
        }
        Packed { panels, k, n }
    }

    /// `C ← A·B` or `C ← C + A·B` on this thread.
    pub fn product(&self, a: Matrix<T>, store: Store, c: &mut [T], c_row_stride: usize) {
        dispatch(Product { b: self, a, store, c, stride: c_row_stride });
    }
}

struct Product<'a, T> {
    b: &'a Packed<T>,
    a: Matrix<'a, T>,
    store: Store,
    c: &'a mut [T],
    stride: usize,
}

impl<T: NdFloat> Pass for Product<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (panel, rows) in (0..self.b.n).step_by(NR).zip(self.b.panels.chunks_exact((self.b.k * NR).max(1))) {
            let mut i = 0;
            while i < self.a.rows() {
                if i + 8 <= self.a.rows() {
                    tile::<T, 8>(&self.a, i, rows, self.store, self.c, self.stride, panel, self.b.n);
                    i += 8;
                } else {
                    tile::<T, 1>(&self.a, i, rows, self.store, self.c, self.stride, panel, self.b.n);
                    i += 1;
                }
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn tile<T: NdFloat, const M: usize>(
    a: &Matrix<T>,
    i: usize,
    panel: &[T],
    store: Store,
    c: &mut [T],
    stride: usize,
    col: usize,
    n: usize,
) {
    let mut sum = [[T::zero(); NR]; M];
    for (p, b) in panel.chunks_exact(NR).enumerate() {
        for m in 0..M {
            let x = a.at(i + m, p);
            for l in 0..NR {
                sum[m][l] = x.mul_add(b[l], sum[m][l]);
            }
        }
    }
    for (m, sum) in sum.iter().enumerate() {
        let c = &mut c[(i + m) * stride + col..][..NR.min(n - col)];
        for (c, s) in c.iter_mut().zip(sum) {
            *c = if store == Store::Overwrite { *s } else { *c + *s };
        }
    }
}
