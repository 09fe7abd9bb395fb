//! The sweep, what it frees, and how a graph is dropped: long chains in a small stack, and rules that keep tensors or panic.

use super::*;

#[test]
fn a_tensor_used_twice_gets_both_contributions() {
    let x = Tensor::scalar(3.0).tracked();
    let z = &(&x * &x) + &x;
    assert_eq!(z.backward().of(&x).unwrap().sum(), 7.0);
}

#[test]
fn a_chain_of_100_000_ops_runs_and_drops_in_a_64_kib_stack() {
    let run = || {
        let x = Tensor::scalar(1.0).tracked();
        let mut y = x.clone();
        for _ in 0..100_000 {
            y = -&y;
        }
        let dropped = y.clone().backward();
        assert_eq!(dropped.of(&x).unwrap().sum(), 1.0);
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap().join().unwrap();
}

/// `z = x`, by a rule that keeps tensors and their nodes.
fn keeping(x: &Tensor<f64>, kept: Vec<Tensor<f64>>) -> Tensor<f64> {
    Tensor::from_op("keeping", x.value().clone(), [x], move |g, [dx]| {
        drop(kept);
        dx.add(|| g);
    })
}

#[test]
fn a_chain_of_100_000_rules_that_keep_tensors_drops_in_a_64_kib_stack_swept_or_not() {
    let run = || {
        for (sweeps, hidden) in [(false, false), (false, true), (true, false), (true, true)] {
            let x = Tensor::scalar(1.0).tracked();
            let mut y = x.clone();
            for _ in 0..100_000 {
                // Kept as an input and in the rule, or in the rule alone.
                y = keeping(if hidden { &x } else { &y }, vec![y.clone()]);
            }
            if sweeps {
                assert_eq!(y.backward().of(&x).unwrap().sum(), 1.0);
            }
            drop(y);
        }
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn nodes_are_freed_as_the_sweep_passes_though_the_scalar_lives_on() {
    let x = Tensor::scalar(1.0).tracked();
    let middle = Rc::new(RefCell::new(None));
    let at_first = middle.clone();
    let first = Tensor::from_op("first", x.value().clone(), [&x], move |g, [dx]| {
        let middle: std::rc::Weak<Node<f64>> = at_first.take().expect("it was recorded");
        assert!(middle.upgrade().is_none(), "the node above is gone when this rule runs");
        dx.add(|| g);
    });
    let second = keeping(&first, vec![first.clone()]);
    *middle.borrow_mut() = second.node().map(Rc::downgrade);
    let below = first.node().map(Rc::downgrade).unwrap();
    let loss = -&second;
    drop((first, second));
    loss.backward();
    assert!(below.upgrade().is_none() && loss.node().unwrap().inputs().is_empty());
}

#[test]
fn what_a_dropped_rule_panics_over_does_not_keep_later_nodes() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a drop that panics");
        }
    }
    let x = Tensor::scalar(1.0).tracked();
    let bomb = Bomb;
    let y = Tensor::from_op("bomb", x.value().clone(), [&x], move |_, _| drop(bomb));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(y))).is_err());
    let kept = Rc::new(());
    let watched = kept.clone();
    drop(Tensor::from_op("next", x.value().clone(), [&x], move |_, _| drop(watched)));
    assert_eq!(Rc::strong_count(&kept), 1);
}

#[test]
#[should_panic(expected = "the graph was swept before (mul at")]
fn sweeping_twice_names_the_op() {
    let x = Tensor::scalar(1.0).tracked();
    let y = &x * &x;
    y.backward();
    y.backward();
}

#[test]
fn untracked_inputs_have_no_gradient_and_cost_no_rule() {
    let (x, y) = (Tensor::scalar(2.0).tracked(), Tensor::scalar(5.0));
    let gradients = (&x * &y).backward();
    assert_eq!(gradients.len(), 1);
    assert!(gradients.of(&y).is_none());
}

#[test]
fn gradients_are_values_that_can_cross_threads() {
    fn is_send<T: Send>(_: &T) {}
    let x = Tensor::scalar(2.0).tracked();
    is_send(&(&x * &x).backward());
}
