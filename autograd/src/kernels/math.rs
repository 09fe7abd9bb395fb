//! exp, tanh and sigmoid over slices.

/// Elementwise functions over slices, in place, on the calling thread.
pub trait Math: Copy + Send + Sync + 'static {
    /// `x ← exp x`.
    fn exp(xs: &mut [Self]);
    /// `x ← tanh x`.
    fn tanh(xs: &mut [Self]);
    /// `x ← 1 / (1 + exp(−x))`.
    fn sigmoid(xs: &mut [Self]);
}

macro_rules! portable {
    ($t:ty) => {
        impl Math for $t {
            fn exp(xs: &mut [Self]) {
                xs.iter_mut().for_each(|x| *x = x.exp());
            }
            fn tanh(xs: &mut [Self]) {
                xs.iter_mut().for_each(|x| *x = x.tanh());
            }
            fn sigmoid(xs: &mut [Self]) {
                xs.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
            }
        }
    };
}
portable!(f32);
portable!(f64);
