//! Every instruction set against the law, written out: one chain of multiply-adds an output.

use super::*;

fn values(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let depth = 29;
    for isa in Isa::available() {
        let tiling = Tiling::of(isa);
        for rows in 1..=tiling.rows {
            for cols in 1..=tiling.cols {
                for start_from in ["zero", "output", "row"] {
                    for (a_row, a_step) in [(1, tiling.rows), (depth, 1)] {
                        check(tiling, depth, (rows, cols), start_from, (a_row, a_step));
                    }
                }
            }
        }
    }
}

/// One block of an instruction set against the chains.
fn check(
    tiling: &Tiling,
    depth: usize,
    (rows, cols): (usize, usize),
    start_from: &str,
    (a_row, a_step): (usize, usize),
) {
    let a = values(tiling.rows * depth, 1);
    let b = values((depth - 1) * tiling.cols + cols, 2); // no column beyond `cols` in the last row
    let old = values(rows * cols, 3);
    let mut wanted = match start_from {
        "zero" => vec![0.0; rows * cols],
        "output" => old.clone(),
        _ => old[..cols].repeat(rows),
    };
    for i in 0..rows {
        for j in 0..cols {
            for k in 0..depth {
                wanted[i * cols + j] = a[i * a_row + k * a_step].mul_add(b[k * tiling.cols + j], wanted[i * cols + j]);
            }
        }
    }
    let mut c = old.clone();
    let start = match start_from {
        "zero" => Start::Zero,
        "output" => Start::Values { from: c.as_ptr(), row: cols },
        _ => Start::Values { from: old.as_ptr(), row: 0 },
    };
    let block = Block {
        a: a.as_ptr(),
        a_row,
        a_step,
        jumps: WHOLE,
        b: b.as_ptr(),
        b_step: tiling.cols,
        depth,
        c: c.as_mut_ptr(),
        c_row: cols,
        rows,
        cols,
        start,
    };
    // SAFETY: the vectors above hold every element of the block.
    unsafe { f32::block(tiling.isa, &block) };
    assert_eq!(c, wanted, "{} {rows} × {cols}, from {start_from}, a_row {a_row}", tiling.isa);
}
