//! Narrow storage against the product in f32, bit for bit, in every instruction set of the machine.

use super::*;
use crate::kernels::gemm::{Matrix, Store};
use crate::kernels::packed::{Direction, Packed};
use crate::kernels::team::Team;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// (K, N) weights on the grid of bf16, or of whole numbers by a power of two for each column.
fn on_grid(depth: usize, cols: usize, bytes: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let scales: Vec<f32> = (0..cols).map(|_| 2f32.powi(random.random_range(-12..3))).collect();
    (0..depth * cols)
        .map(|i| match bytes {
            1 => random.random_range(-127i32..=127) as f32 * scales[i % cols],
            _ => f32::from_bits(random.random_range(-1.0f32..1.0).to_bits() & 0xffff_0000),
        })
        .collect()
}

#[test]
fn products_with_narrow_weights_have_the_bits_of_those_in_f32() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for isa in Isa::available() {
        let tiling = Tiling::of(isa);
        for bytes in [1, 2] {
            for (depth, cols) in [(1, 1), (3, 16), (7, 17), (20, 48), (33, 65), (64, 192), (50, 391), (128, 1000)] {
                let w = on_grid(depth, cols, bytes, &mut random);
                let x: Vec<f32> = (0..3 * depth).map(|_| random.random_range(-2.0..2.0)).collect();
                let start: Vec<f32> = (0..3 * cols).map(|_| random.random_range(-2.0..2.0)).collect();
                let full = Packed::with_tiling(Matrix::new(&w, depth, cols), tiling);
                let narrow = full.clone().compacted();
                let kept = narrow.bytes();
                assert!(
                    narrow.is_compact() && (cols < 48 || kept < full.bytes() / 2 + 64 + 4 * cols.next_multiple_of(16))
                );
                let case = format!("{isa}, {bytes} bytes, {depth} × {cols}");
                let of = |packed: &Packed<f32>| {
                    let (mut rows, mut one) = (start.clone(), start[..cols].to_vec());
                    packed.product(Matrix::new(&x, 3, depth), Store::Accumulate, &mut rows, cols);
                    packed.row(&x[..depth], Store::Accumulate, Direction::Backward, &mut one);
                    let mut shared = vec![0.0; cols];
                    packed.row_by(&mut Team::new(2), &x[..depth], &start[..cols], Direction::Forward, &mut shared);
                    [rows, one, shared].concat().iter().map(|x| x.to_bits()).collect::<Vec<u32>>()
                };
                assert!(of(&full) == of(&narrow), "{case}");
                // A part of the panels.
                if full.panels() > 1 {
                    let part = |packed: &Packed<f32>| {
                        let width = full.columns_of(full.panels() - 1).len();
                        let mut y = vec![0.0; 3 * width];
                        let (last, x) = (full.panels() - 1, Matrix::new(&x, 3, depth));
                        packed.product_of_panels(last..last + 1, x, Store::Overwrite, &mut y, width);
                        y
                    };
                    assert_eq!(part(&full), part(&narrow), "{case}: the last panel");
                }
            }
        }
    }
}

#[test]
fn weights_that_need_more_bits_keep_them() {
    for w in [0.1f32, 129.0 / 256.0 + 1.0 / 65536.0, 1e-40] {
        let weights = [1.0, w, 0.5, 0.25];
        assert!(!Packed::new(Matrix::new(&weights, 2, 2)).compacted().is_compact(), "{w}");
    }
    // Within 7 bits of each other, column by column.
    assert_eq!(scale_of([1.0, 127.0, -0.0].into_iter()), Some(1.0));
    assert_eq!(scale_of([0.5, 64.0].into_iter()), None, "128 halves");
    assert_eq!(scale_of([0.5, -63.5].into_iter()), Some(0.5));
    assert_eq!(scale_of([0.0; 3].into_iter()), Some(1.0));
    assert!(!Packed::new(Matrix::new(&[0.1f64, 0.5], 2, 1)).compacted().is_compact());
}
