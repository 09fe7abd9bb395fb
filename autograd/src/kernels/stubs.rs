//! stub
#![allow(missing_docs)]
pub mod reduce {
 pub fn sum_of_squares<T: crate::Scalar>(x: &[T]) -> f64 { x.iter().map(|x| x.as_f64() * x.as_f64()).sum() }

    use crate::Scalar;
    use crate::kernels::gemm::Store;
    pub fn column_sums<T: Scalar>(x: &[T], store: Store, out: &mut [T]) {
        if store == Store::Overwrite {
            out.fill(T::zero());
        }
        if out.is_empty() {
            return;
        }
        for r in x.chunks(out.len()) {
            out.iter_mut().zip(r).for_each(|(o, &r)| *o += r);
        }
    }
}
pub mod rows {
    use crate::Scalar;
    pub fn gather_rows<T: Scalar>(t: &[T], c: usize, idx: &[u32], z: &mut [T]) {
        if c == 0 {
            return;
        }
        for (z, &i) in z.chunks_mut(c).zip(idx) {
            z.copy_from_slice(&t[i as usize * c..][..c]);
        }
    }
    pub fn scatter_add_rows<T: Scalar>(g: &[T], c: usize, idx: &[u32], d: &mut [T]) {
        if c == 0 {
            return;
        }
        for (g, &i) in g.chunks(c).zip(idx) {
            d[i as usize * c..][..c].iter_mut().zip(g).for_each(|(d, &g)| *d += g);
        }
    }
}
pub mod layer_norm {
    use crate::Scalar;
    use crate::kernels::gemm::Store;
    pub struct F<T> {
        pub output: Vec<T>,
        pub x_hat: Vec<T>,
        pub inv_std: Vec<T>,
    }
    pub fn forward<T: Scalar>(x: &[T], w: &[T], b: &[T], e: T) -> F<T> {
        let c = w.len();
        let n = T::of(c as f64);
        let mut f = F { output: vec![], x_hat: vec![], inv_std: vec![] };
        for r in x.chunks(c) {
            let m = r.iter().copied().sum::<T>() / n;
            let v = r.iter().map(|&x| (x - m) * (x - m)).sum::<T>() / n;
            let i = (v + e).sqrt().recip();
            f.inv_std.push(i);
            for (j, &x) in r.iter().enumerate() {
                let h = (x - m) * i;
                f.x_hat.push(h);
                f.output.push(h * w[j] + b[j]);
            }
        }
        f
    }
    pub fn backward_input<T: Scalar>(g: &[T], xh: &[T], is: &[T], w: &[T]) -> Vec<T> {
        let c = w.len();
        let n = T::of(c as f64);
        let mut o = vec![];
        for ((g, xh), &i) in g.chunks(c).zip(xh.chunks(c)).zip(is) {
            let h: Vec<T> = g.iter().zip(w).map(|(&g, &w)| g * w).collect();
            let mh = h.iter().copied().sum::<T>() / n;
            let mhx = h.iter().zip(xh).map(|(&h, &x)| h * x).sum::<T>() / n;
            for (h, &x) in h.iter().zip(xh) {
                o.push((*h - mh - x * mhx) * i);
            }
        }
        o
    }
    pub fn backward_weight<T: Scalar>(g: &[T], xh: &[T], s: Store, d: &mut [T]) {
        let p: Vec<T> = g.iter().zip(xh).map(|(&g, &x)| g * x).collect();
        super::reduce::column_sums(&p, s, d)
    }
}
pub mod softmax {
    use crate::Scalar;
    pub fn softmax<T: Scalar>(x: &mut [T], c: usize) {
        for r in x.chunks_mut(c) {
            let m = r.iter().copied().fold(T::neg_infinity(), T::max);
            let mut s = T::zero();
            for x in r.iter_mut() {
                *x = (*x - m).exp();
                s += *x;
            }
            for x in r {
                *x /= s;
            }
        }
    }
    pub fn log_softmax<T: Scalar>(x: &mut [T], c: usize) {
        for r in x.chunks_mut(c) {
            let m = r.iter().copied().fold(T::neg_infinity(), T::max);
            let s = r.iter().map(|&x| (x - m).exp()).sum::<T>().ln();
            for x in r {
                *x = *x - m - s;
            }
        }
    }
    pub fn softmax_backward<T: Scalar>(z: &[T], g: &mut [T], c: usize) {
        for (z, g) in z.chunks(c).zip(g.chunks_mut(c)) {
            let d = z.iter().zip(&*g).map(|(&z, &g)| z * g).sum::<T>();
            for (g, &z) in g.iter_mut().zip(z) {
                *g = z * (*g - d);
            }
        }
    }
    pub fn log_softmax_backward<T: Scalar>(z: &[T], g: &mut [T], c: usize) {
        for (z, g) in z.chunks(c).zip(g.chunks_mut(c)) {
            let d = g.iter().copied().sum::<T>();
            for (g, &z) in g.iter_mut().zip(z) {
                *g -= z.exp() * d;
            }
        }
    }
    pub fn negative_log_likelihoods<T: Scalar>(x: &[T], c: usize, t: &[u32]) -> Vec<T> {
        let mut x = x.to_vec();
        log_softmax(&mut x, c);
        x.chunks(c).zip(t).map(|(r, &t)| -r[t as usize]).collect()
    }
    pub fn cross_entropy<T: Scalar>(x: &mut [T], c: usize, t: &[u32]) -> T {
        let n = negative_log_likelihoods(x, c, t);
        softmax(x, c);
        let k = T::of(n.len() as f64);
        n.into_iter().sum::<T>() / k
    }
    pub fn cross_entropy_backward<T: Scalar>(x: &mut [T], c: usize, t: &[u32], g: T) {
        let k = g / T::of(t.len() as f64);
        for (r, &t) in x.chunks_mut(c).zip(t) {
            r[t as usize] -= T::one();
            for x in r {
                *x *= k;
            }
        }
    }
}
pub mod optimizer { use crate::Scalar;
 #[derive(Clone, Copy)] pub struct SgdStep { pub learning_rate: f64, pub momentum: f64, pub gradient_factor: f64 }
 #[derive(Clone, Copy)] pub struct AdamStep { pub learning_rate: f64, pub beta1: f64, pub beta2: f64, pub epsilon: f64, pub weight_decay: f64, pub gradient_factor: f64, pub step: u64 }
 pub fn sgd<T: Scalar>(s: SgdStep, p: &mut [T], g: &[T], v: &mut [T]) { for ((p, &g), v) in p.iter_mut().zip(g).zip(v) { *v = T::of(s.momentum) * *v + T::of(s.gradient_factor) * g; *p -= T::of(s.learning_rate) * *v; } }
 pub fn adam<T: Scalar>(s: AdamStep, p: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) { let c1 = 1.0 - s.beta1.powi(s.step as i32); let c2 = 1.0 - s.beta2.powi(s.step as i32);
  for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) { let g = g * T::of(s.gradient_factor); *p *= T::of(1.0 - s.learning_rate * s.weight_decay); *m = T::of(s.beta1) * *m + T::of(1.0 - s.beta1) * g; *v = T::of(s.beta2) * *v + T::of(1.0 - s.beta2) * g * g; *p -= T::of(s.learning_rate / c1) * *m / ((*v / T::of(c2)).sqrt() + T::of(s.epsilon)); } }
 pub fn average<T: Scalar>(d: T, a: &mut [T], p: &[T]) { for (a, &p) in a.iter_mut().zip(p) { *a = d * *a + (T::one() - d) * p; } } }
