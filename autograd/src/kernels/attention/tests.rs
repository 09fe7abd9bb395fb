//! Attention against itself: alone and among all, changed later, in extremes, on threads. Against its formula: `ops/attention.rs`.

use super::*;
use crate::kernels::row_tasks::tests::{assert_thread_independent, wave32};

const HEADS: Heads = Heads { queries: 4, keys: 2, width: 20 };

#[test]
fn a_query_alone_has_the_bits_of_the_query_among_all() {
    // Past two tiles of keys and several blocks of queries.
    let time = 2 * KEYS + 7;
    let (row, width) = (HEADS.packed(), HEADS.width);
    let x = wave32(time * row, 0.4);
    let (outputs, logarithms) = forward(&x, time, HEADS, Sight::Before);
    let mut gathered = Gathered::default();
    for n in 0..HEADS.queries {
        let m = n / HEADS.group();
        // A cache with room for more keys than there are yet.
        let room = time + 50;
        let mut cache = vec![f32::NAN; width * room];
        for t in 0..time {
            let key = &x[t * row + (HEADS.queries + m) * width..][..width];
            key.iter().enumerate().for_each(|(d, &k)| cache[d * room + t] = k);
            let memory = Memory {
                keys: Matrix::with_strides(&cache, width, t + 1, room, 1),
                values: HEADS.columns(&x, 0, t + 1, row, (HEADS.queries + HEADS.keys + m) * width),
            };
            let query = HEADS.columns(&x, t, 1, row, n * width);
            attend(query, t, memory, &mut gathered, |_, z, logarithm| {
                assert_eq!(z, &outputs[(t * HEADS.queries + n) * width..][..width], "head {n}, position {t}");
                assert_eq!(logarithm.to_bits(), logarithms[t * HEADS.queries + n].to_bits());
            });
        }
    }
}

#[test]
fn a_later_position_changes_no_bit_of_an_earlier_output() {
    let time = KEYS + 40;
    let x = wave32(time * HEADS.packed(), 0.4);
    let before = forward(&x, time, HEADS, Sight::Before).0;
    for changed in [1, KEYS - 1, KEYS, KEYS + 33] {
        let mut x = x.clone();
        x[changed * HEADS.packed()..(changed + 1) * HEADS.packed()].iter_mut().for_each(|x| *x = 100.0 - *x);
        let after = forward(&x, time, HEADS, Sight::Before).0;
        let earlier = changed * HEADS.outputs();
        assert!(before[..earlier] == after[..earlier], "position {changed}");
        assert!(before[earlier..][..HEADS.outputs()] != after[earlier..][..HEADS.outputs()]);
    }
}

#[test]
fn without_the_mask_every_position_changes_every_output_and_the_last_has_the_bits_that_it_has_with_it() {
    let time = KEYS + 40;
    let x = wave32(time * HEADS.packed(), 0.4);
    let (before, all) = (forward(&x, time, HEADS, Sight::Before), forward(&x, time, HEADS, Sight::All));
    let last = (time - 1) * HEADS.outputs();
    assert!(
        before.0[last..] == all.0[last..]
            && before.1[(time - 1) * HEADS.queries..] == all.1[(time - 1) * HEADS.queries..]
    );
    for changed in [0, KEYS, time - 1] {
        let mut x = x.clone();
        x[changed * HEADS.packed()..(changed + 1) * HEADS.packed()].iter_mut().for_each(|x| *x = 1.0 - *x);
        let after = forward(&x, time, HEADS, Sight::All).0;
        let rows = all.0.chunks_exact(HEADS.width).zip(after.chunks_exact(HEADS.width));
        assert!(rows.into_iter().all(|(before, after)| before != after), "position {changed}");
    }
}

#[test]
fn scores_of_any_size_overflow_nothing() {
    let heads = Heads { queries: 1, keys: 1, width: 1 };
    // q, k, v of three positions: the second key wins by far.
    let x: [f32; 9] = [1e18, 1.0, 5.0, 1e18, 3e18, 7.0, 1e18, -1e18, 9.0];
    assert_eq!(forward(&x, 3, heads, Sight::Before).0, [5.0, 7.0, 7.0]);
    assert_eq!(forward(&x, 3, heads, Sight::All).0, [7.0, 7.0, 7.0]);
}

#[test]
fn attention_has_the_same_bits_for_any_number_of_threads() {
    let time = 90;
    let (x, g) = (wave32(3 * time * HEADS.packed(), 0.0), wave32(3 * time * HEADS.outputs(), 1.0));
    for sight in [Sight::Before, Sight::All] {
        assert_thread_independent(|| {
            let (z, logarithms) = forward(&x, time, HEADS, sight);
            let dx = backward(&x, &z, &g, &logarithms, time, HEADS, sight);
            [z, logarithms, dx]
        });
    }
}
