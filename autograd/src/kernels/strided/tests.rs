//! Copies and functions of two operands against ndarray's own iteration, in every kind of layout, and across numbers of threads.

use super::*;
use crate::kernels::row_tasks::tests::assert_thread_independent;
use ndarray::{Array, ArrayD, Axis, IxDyn, Slice};
use proptest::prelude::*;

fn numbered(shape: &[usize]) -> ArrayD<f32> {
    let mut next = 0.0;
    Array::from_shape_simple_fn(IxDyn(shape), || {
        next += 1.0;
        next
    })
}

/// Views of one shape: as it lies, of exchanged axes, with gaps, backwards, and repeated along an axis.
fn layouts(shape: &[usize], visit: impl Fn(&str, ArrayViewD<f32>)) {
    visit("row-major", numbered(shape).view());
    let rank = shape.len();
    for first in 0..rank {
        for second in first + 1..rank {
            let mut order: Vec<usize> = (0..rank).collect();
            order.swap(first, second);
            let stored: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
            visit("exchanged", numbered(&stored).view().permuted_axes(order));
        }
        let mut longer = shape.to_vec();
        longer[first] += 3;
        visit("a part", numbered(&longer).slice_axis(Axis(first), Slice::from(2..2 + shape[first])));
        longer[first] = 2 * shape[first];
        visit("every other", numbered(&longer).slice_axis(Axis(first), Slice::from(..).step_by(2)));
        let mut backwards = numbered(shape);
        backwards.invert_axis(Axis(first));
        visit("backwards", backwards.view());
        longer[first] = 1;
        visit("repeated", numbered(&longer).broadcast(shape).unwrap());
    }
}

fn assert_right(shape: &[usize]) {
    layouts(shape, |x_name, x| {
        let wanted: Vec<f32> = x.iter().copied().collect();
        assert!(copy(x.view()) == wanted, "copy of {shape:?}, {x_name}");
        layouts(shape, |y_name, y| {
            let wanted: Vec<f32> = x.iter().zip(y.iter()).map(|(x, y)| x - 3.0 * y).collect();
            let z = zip_map(x.view(), y, |x, y| x - 3.0 * y);
            assert!(z == wanted, "{shape:?}, {x_name} and {y_name}");
        });
    });
}

#[test]
fn every_layout_is_visited_in_row_major_order() {
    for shape in [&[][..], &[1], &[0], &[5], &[3, 0, 2], &[1, 7, 1], &[4, 1, 5], &[2, 3, 4], &[17, 33], &[2, 3, 2, 5]] {
        assert_right(shape);
    }
}

#[test]
fn sizes_around_bands_and_tasks_are_whole() {
    for shape in [[BAND, 5], [BAND - 1, 40], [3 * BAND + 1, 1030], [2, TASK + 5], [TASK + 1, 3], [40, TASK / 16 + 1]] {
        layouts(&shape, |name, x| {
            assert!(x.iter().copied().eq(copy(x.view())), "copy of {shape:?}, {name}");
            let y = numbered(&shape[1..]);
            let y = y.broadcast(IxDyn(&shape)).unwrap();
            let wanted = x.iter().zip(y.iter()).map(|(x, y)| x - y);
            assert!(wanted.eq(zip_map(x.view(), y.view(), |x, y| x - y)), "{shape:?}, {name} and a row");
        });
    }
}

#[test]
fn any_number_of_threads_gives_the_same_elements() {
    let (x, row) = (numbered(&[300, 700]), numbered(&[700]));
    let row = row.broadcast(IxDyn(&[300, 700])).unwrap();
    assert_thread_independent(|| (copy(x.t()), zip_map(x.view(), row.view(), |x, y| x * y)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn any_shape_in_any_layout_is_right(shape in proptest::collection::vec(0usize..20, 0..4)) {
        assert_right(&shape);
    }
}
