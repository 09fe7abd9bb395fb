//! Least squares by a tall, narrow QR decomposition: rows stream through in blocks and only the triangle is kept.
//!
//! The matrix itself never exists in full, so a million rows cost the memory of a few hundred. No normal equations are
//! formed: they would square the condition number. This file knows no series and no lags.
//!
//! Source: Golub and Van Loan, *Matrix Computations*, §5.2 (Householder QR); Demmel, Grigori, Hoemmen and Langou,
//! *Communication-optimal parallel and sequential QR and LU factorizations* (2012), for the tree of triangles.

use std::ops::Range;

use rayon::prelude::*;

/// Rows reflected at a time: 34 columns of this many fit a level-1 cache.
const BLOCK: usize = 128;

/// Rows of one task. Depends on the shape alone, so that the tree of triangles and every bit of the result are the same for
/// any thread count; grows with the columns, so that the triangles of all leaves together stay smaller than `columns / 128`
/// columns of the matrix.
fn leaf_rows(columns: usize) -> usize {
    BLOCK * columns.max(64)
}

/// The triangle `R` of the decomposition `[X | y] = Q R`, the last column being the response `y`.
#[derive(Clone, Debug)]
pub struct Triangle {
    columns: usize,
    /// Column-major, `columns × columns`; below the diagonal all zero.
    entries: Vec<f64>,
}

impl Triangle {
    /// The triangle of `rows` rows, given by a function that writes some of them.
    ///
    /// `write(range, block)` puts the rows of `range` into `block`, column-major: column `j` stands in
    /// `block[j · range.len()..][..range.len()]`. Leaves run in parallel and are merged in the order of their rows.
    pub fn of_rows(rows: usize, columns: usize, write: impl Fn(Range<usize>, &mut [f64]) + Sync) -> Self {
        let per_leaf = leaf_rows(columns);
        let leaves: Vec<Triangle> = (0..rows.div_ceil(per_leaf))
            .into_par_iter()
            .map(|leaf| {
                let mut triangle = Triangle::empty(columns);
                let mut block = vec![0.0; BLOCK * columns];
                let end = rows.min((leaf + 1) * per_leaf);
                for start in (leaf * per_leaf..end).step_by(BLOCK) {
                    let range = start..end.min(start + BLOCK);
                    let block = &mut block[..range.len() * columns];
                    write(range, block);
                    triangle.absorb(block);
                }
                triangle
            })
            .collect();
        let mut whole = Triangle::empty(columns);
        for mut leaf in leaves {
            whole.absorb(&mut leaf.entries);
        }
        whole
    }

    fn empty(columns: usize) -> Self {
        Triangle { columns, entries: vec![0.0; columns * columns] }
    }

    /// Reflects the rows of a column-major block into the triangle; the block is used up.
    fn absorb(&mut self, block: &mut [f64]) {
        let (columns, rows) = (self.columns, block.len() / self.columns);
        for j in 0..columns {
            let (head, tail) = block.split_at_mut((j + 1) * rows);
            let reflector = &mut head[j * rows..];
            let diagonal = self.entries[j * columns + j];
            let below = dot(reflector, reflector);
            if below == 0.0 {
                continue; // nothing to eliminate: the reflection is the identity
            }
            // The sign that adds magnitudes: `diagonal − image` cannot cancel.
            let image = -(diagonal * diagonal + below).sqrt().copysign(diagonal);
            let first = diagonal - image;
            reflector.iter_mut().for_each(|v| *v /= first);
            let tau = -first / image;
            self.entries[j * columns + j] = image;
            // H = I − τ v vᵀ with v = (1, reflector): column after column, as each stands contiguous.
            for (k, column) in (j + 1..).zip(tail.chunks_exact_mut(rows)) {
                let top = &mut self.entries[k * columns + j];
                let weight = tau * (*top + dot(reflector, column));
                *top -= weight;
                for (x, v) in column.iter_mut().zip(&*reflector) {
                    *x -= weight * v;
                }
            }
        }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.entries[column * self.columns + row]
    }

    /// The first of the leading `regressors` columns that the columns before it explain up to rounding, if there is one.
    pub fn dependent_column(&self, regressors: usize) -> Option<usize> {
        let tolerance = 16.0 * self.columns as f64 * f64::EPSILON;
        (0..regressors).find(|&j| {
            let norm = (0..=j).map(|i| self.at(i, j).powi(2)).sum::<f64>().sqrt();
            self.at(j, j).abs() <= tolerance * norm
        })
    }

    /// The `β` that minimises `‖y − X β‖²` over the leading `regressors` columns `X`, which must be independent.
    pub fn solve(&self, regressors: usize) -> Vec<f64> {
        let response = self.columns - 1;
        let mut beta: Vec<f64> = (0..regressors).map(|i| self.at(i, response)).collect();
        for j in (0..regressors).rev() {
            beta[j] /= self.at(j, j);
            for i in 0..j {
                beta[i] -= self.at(i, j) * beta[j];
            }
        }
        beta
    }

    /// The smallest `‖y − X β‖²` over the leading `regressors` columns: what of `y` lies outside their span.
    ///
    /// One triangle answers for every number of leading columns, so nested models need one decomposition.
    pub fn residual_sum_of_squares(&self, regressors: usize) -> f64 {
        (regressors..self.columns).map(|i| self.at(i, self.columns - 1).powi(2)).sum()
    }

    /// `gᵀ (XᵀX)⁻¹ g = ‖R⁻ᵀ g‖²`, the variance of `gᵀ β` in units of the noise variance, for the leading `g.len()` columns.
    pub fn variance_of(&self, g: &[f64]) -> f64 {
        let mut solution = g.to_vec();
        for j in 0..g.len() {
            for i in 0..j {
                solution[j] -= self.at(i, j) * solution[i];
            }
            solution[j] /= self.at(j, j);
        }
        solution.iter().map(|v| v * v).sum()
    }
}

/// `Σ x_i y_i` in eight partial sums, an order that is fixed and that vectorises.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (x, y) in xs.iter().zip(ys) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn triangle_of(matrix: &[Vec<f64>]) -> Triangle {
        Triangle::of_rows(matrix[0].len(), matrix.len(), |range, block| {
            for (column, out) in matrix.iter().zip(block.chunks_exact_mut(range.len())) {
                out.copy_from_slice(&column[range.clone()]);
            }
        })
    }

    fn columns(rows: Range<usize>) -> impl Strategy<Value = Vec<Vec<f64>>> {
        (2..6usize, rows).prop_flat_map(|(columns, rows)| {
            proptest::collection::vec(proptest::collection::vec(-10.0..10.0f64, rows), columns)
        })
    }

    proptest! {
        #[test]
        fn residuals_are_orthogonal_to_every_regressor(matrix in columns(20..300)) {
            let (regressors, y) = (&matrix[..matrix.len() - 1], &matrix[matrix.len() - 1]);
            let triangle = triangle_of(&matrix);
            let beta = triangle.solve(regressors.len());
            let residuals: Vec<f64> =
                (0..y.len()).map(|t| y[t] - regressors.iter().zip(&beta).map(|(x, b)| x[t] * b).sum::<f64>()).collect();
            for x in regressors {
                prop_assert!(dot(x, &residuals).abs() < 1e-9 * y.len() as f64);
            }
            let sum = dot(&residuals, &residuals);
            prop_assert!((triangle.residual_sum_of_squares(regressors.len()) - sum).abs() < 1e-10 * dot(y, y));
        }

        #[test]
        fn the_triangle_has_the_columns_lengths_and_angles(matrix in columns(5..40)) {
            let triangle = triangle_of(&matrix);
            for (j, x) in matrix.iter().enumerate() {
                for (k, y) in matrix.iter().enumerate() {
                    let kept: f64 = (0..matrix.len()).map(|i| triangle.at(i, j) * triangle.at(i, k)).sum();
                    prop_assert!((kept - dot(x, y)).abs() < 1e-9 * (1.0 + dot(x, x).max(dot(y, y))));
                }
            }
        }
    }

    #[test]
    fn a_column_that_repeats_another_is_named() {
        let x: Vec<f64> = (0..50).map(|t| f64::from(t).sin()).collect();
        let doubled: Vec<f64> = x.iter().map(|v| 2.0 * v).collect();
        let y: Vec<f64> = x.iter().map(|v| v * v).collect();
        assert_eq!(triangle_of(&[vec![1.0; 50], x.clone(), doubled, y.clone()]).dependent_column(3), Some(2));
        assert_eq!(triangle_of(&[vec![1.0; 50], x, y]).dependent_column(2), None);
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let rows = 3 * leaf_rows(4) + 77;
        let write = |range: Range<usize>, block: &mut [f64]| {
            for (j, out) in block.chunks_exact_mut(range.len()).enumerate() {
                out.iter_mut().zip(range.clone()).for_each(|(x, t)| *x = ((t * (j + 3)) as f64 * 0.37).sin());
            }
        };
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| Triangle::of_rows(rows, 4, write)).entries
        };
        let one = with(1);
        assert!([2, 3, 8].iter().all(|&threads| with(threads) == one));
    }
}
