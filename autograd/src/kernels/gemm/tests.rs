//! Operands and outputs whose sizes wrap around. The products themselves are held by `autograd/tests/products.rs`.

use super::*;
use std::panic::catch_unwind;

#[test]
fn strides_that_lead_outside_are_refused_also_where_they_wrap_around() {
    let data = [0.0f32; 8];
    for (rows, cols, row_stride, col_stride) in [
        (2, 5, 4, 1),
        (2, 1, usize::MAX, 1),
        (2, 2, usize::MAX, 1), // wraps to 0
        (3, 1, 1 << 63, 1),
        (1, 5, 1, 1 << 62),
        ((1 << 32) + 1, 2, 1 << 32, 1),
        (usize::MAX, usize::MAX, 1, 1),
    ] {
        let outside = catch_unwind(|| _ = Matrix::with_strides(&data, rows, cols, row_stride, col_stride));
        assert!(outside.is_err(), "{rows} × {cols} with strides {row_stride} and {col_stride}");
    }
    assert!(catch_unwind(|| _ = Batch::new(&data, 1 << 63, (1, 1), (1, 1)).at(2)).is_err());
    Matrix::with_strides(&data, 2, 4, 4, 1);
    Matrix::with_strides(&data, 0, 4, usize::MAX, usize::MAX);
}

#[test]
fn outputs_whose_number_wraps_around_are_refused() {
    let one = [1.0f32];
    let tall = Matrix::with_strides(&one, (1 << 63) + 1, 1, 0, 1); // one element seen often
    let two = Matrix::with_strides(&one, 1, 2, 1, 0);
    assert!(catch_unwind(|| gemm(tall, two, Store::Overwrite, &mut [0.0; 2])).is_err());
    assert!(catch_unwind(|| _ = matmul(tall, two, None)).is_err());
    let (a, b) = (Batch::new(&one, 0, (1 << 62, 1), (0, 1)), Batch::new(&one, 0, (1, 2), (1, 0)));
    assert!(catch_unwind(|| gemm_batched(2, a, b, Store::Overwrite, &mut [])).is_err());
}
