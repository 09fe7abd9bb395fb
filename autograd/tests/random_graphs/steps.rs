//! The steps a random graph grows by: each picks tensors that are there, makes what else it needs, and puts in what an op makes of them. A step
//! that would stand beside a kink (a tie of a maximum, |x| at 0), where differences measure nothing, is not taken.
//!
//! The file is longer than one sitting: it holds a step for every op, and each is read by itself.

use super::graph::Growing;
use autograd::random::Streams;
use autograd::{Convolution, Heads, Tensor, Wavefront};
use ndarray::{ArrayD, Axis};

/// Grows a graph by an op; none when it does not fit there.
pub type Step = fn(&mut Growing) -> Option<usize>;

/// An op of one tensor.
type Function = fn(&Tensor<f64>) -> Tensor<f64>;

/// Every step with its name.
pub const STEPS: &[(&str, Step)] = &[
    ("add", |g| binary(g, |x| &x[0] + &x[1])),
    ("sub", |g| binary(g, |x| &x[0] - &x[1])),
    ("mul", |g| binary(g, |x| &x[0] * &x[1])),
    ("div", |g| {
        let (x, y) = pair(g)?;
        let y = positive(g, y)?;
        g.push(&[x, y], |x| &x[0] / &x[1])
    }),
    ("maximum", |g| {
        let (x, y) = pair(g)?;
        let shift = g.number(-1.0, 1.0);
        let apart = &(&g.values[x] - &g.values[y]) - shift;
        clear(&apart, 0.1).then_some(())?;
        g.push(&[x, y], move |x| x[0].maximum(&(&x[1] + shift)))
    }),
    ("a number", |g| {
        let (x, c, kind) = (g.pick(), g.number(0.3, 1.5), g.below(8));
        g.push(&[x], move |x| match (kind, &x[0]) {
            (0, x) => x + c,
            (1, x) => x - c,
            (2, x) => x * -c,
            (3, x) => x / c,
            (4, x) => c + x,
            (5, x) => c - x,
            (6, x) => c * x,
            (_, x) => -x,
        })
    }),
    ("number / x", |g| {
        let x = g.pick();
        let x = positive(g, x)?;
        g.push(&[x], |x| 0.8 / &x[0])
    }),
    ("smooth", |g| {
        const SMOOTH: [Function; 10] = [
            Tensor::exp,
            Tensor::tanh,
            Tensor::sigmoid,
            Tensor::sin,
            Tensor::cos,
            Tensor::softplus,
            Tensor::silu,
            Tensor::gelu,
            Tensor::gelu_tanh,
            Tensor::log_sigmoid,
        ];
        let (x, f) = (g.pick(), SMOOTH[g.below(SMOOTH.len())]);
        g.push(&[x], move |x| f(&x[0]))
    }),
    ("power", |g| {
        let (x, p) = (g.pick(), g.below(4) as i32);
        g.push(&[x], move |x| x[0].powi(p))
    }),
    ("of positive", |g| {
        let (x, kind) = (g.pick(), g.below(4));
        let x = positive(g, x)?;
        g.push(&[x], move |x| [Tensor::ln, Tensor::sqrt, |x: &Tensor<f64>| x.powi(-2), Tensor::log1mexp][kind](&x[0]))
    }),
    ("kinked", |g| {
        let (x, kind) = (g.pick(), g.below(3));
        let both = &g.values[x] - 1.2;
        (clear(&g.values[x], 0.05) && (kind < 2 || clear(&both, 0.05))).then_some(())?;
        g.push(&[x], move |x| [Tensor::relu, Tensor::abs, |x: &Tensor<f64>| x.clamp(0.0, 1.2)][kind](&x[0]))
    }),
    ("sum", |g| reduction(g, |x, axes, _, keep| if keep { x.sum_keepdim(axes) } else { x.sum_axes(axes) })),
    ("mean", |g| reduction(g, |x, axes, _, keep| if keep { x.mean_keepdim(axes) } else { x.mean_axes(axes) })),
    ("logsumexp", |g| {
        reduction(g, |x, axes, _, keep| if keep { x.logsumexp_keepdim(axes) } else { x.logsumexp(axes) })
    }),
    ("var", |g| reduction(g, |x, axes, c, keep| if keep { x.var_keepdim(axes, c) } else { x.var(axes, c) })),
    ("std", |g| {
        let (x, axes, correction, keep) = reduced(g);
        let least = g.values[x].var(&axes, correction).to_vec().into_iter().fold(f64::INFINITY, f64::min);
        (least > 0.05).then_some(())?;
        let std = |x: &Tensor<f64>, axes: &[isize], c, keep| if keep { x.std_keepdim(axes, c) } else { x.std(axes, c) };
        g.push(&[x], move |x| std(&x[0], &axes, correction, keep))
    }),
    ("sum of all", |g| unary(g, |x| x.sum())),
    ("mean of all", |g| unary(g, |x| x.mean())),
    ("extremum of an axis", |g| {
        let x = g.pick_of_rank(1)?;
        let (axis, kind) = (axis_of(g, x), g.below(4));
        let mut lanes = g.values[x].value().lanes(Axis(axis as usize)).into_iter().map(|lane| lane.to_vec());
        lanes.all(separate).then_some(())?;
        let f = [Tensor::max_axis, Tensor::min_axis, Tensor::max_keepdim, Tensor::min_keepdim][kind];
        g.push(&[x], move |x| f(&x[0], axis))
    }),
    ("extremum of all", |g| {
        let (x, kind) = (g.pick(), g.below(2));
        separate(g.values[x].to_vec()).then_some(())?;
        g.push(&[x], move |x| [Tensor::max, Tensor::min][kind](&x[0]))
    }),
    ("where", |g| {
        let (x, y) = pair(g)?;
        let mask = mask(g, x);
        g.push(&[x, y], move |x| x[0].where_else(&mask, &x[1]))
    }),
    ("where compared", |g| {
        let (x, y) = pair(g)?;
        clear(&(&g.values[x] - &g.values[y]), 0.1).then_some(())?;
        g.push(&[x, y], |x| x[0].where_else(&x[0].lt(&x[1]), &(&x[1] * 0.5)))
    }),
    ("masked_fill", |g| {
        let x = g.pick();
        let mask = mask(g, x);
        g.push(&[x], move |x| x[0].masked_fill(&mask, -0.4))
    }),
    ("cumsum", |g| along(g, |x, axis| x.cumsum(axis))),
    ("flip", |g| along(g, |x, axis| x.flip(&[axis]))),
    ("narrow", |g| {
        let x = g.pick_of_rank(1)?;
        let axis = axis_of(g, x);
        let n = g.values[x].shape()[axis as usize];
        let length = 1 + g.below(n);
        let start = g.below(n - length + 1);
        g.push(&[x], move |x| x[0].narrow(axis, start, length))
    }),
    ("chunk", |g| {
        let x = g.pick_of_rank(1)?;
        let (axis, chunks, size) = (axis_of(g, x), 1 + g.below(3), 1 + g.below(3));
        let n = g.values[x].chunk(chunks, axis).len();
        let part = g.below(n);
        g.push(&[x], move |x| {
            let whole = x[0].split(size, axis);
            let whole = Tensor::cat(&whole.iter().rev().collect::<Vec<_>>(), axis);
            whole.chunk(chunks, axis)[part].clone()
        })
    }),
    ("split_with_sizes", |g| {
        let x = g.pick_of_rank(1)?;
        let axis = axis_of(g, x);
        let n = g.values[x].shape()[axis as usize];
        let (first, part) = (g.below(n), g.below(2));
        g.push(&[x], move |x| {
            x[0].split_with_sizes(&[first, n - first], axis)[if first == 0 { 1 } else { part }].clone()
        })
    }),
    ("index_select", |g| {
        let x = g.pick_of_rank(1)?;
        let axis = axis_of(g, x);
        let n = g.values[x].shape()[axis as usize];
        let indices: Vec<u32> = (0..1 + g.below(5)).map(|_| g.below(n) as u32).collect();
        g.push(&[x], move |x| x[0].index_select(axis, &indices))
    }),
    ("gather", |g| {
        let x = g.pick_of_rank(1)?;
        let axis = axis_of(g, x);
        let mut shape = g.values[x].shape().to_vec();
        let n = std::mem::replace(&mut shape[axis as usize], 1 + g.below(3));
        let indices = ArrayD::from_shape_simple_fn(shape, || g.below(n));
        g.push(&[x], move |x| x[0].gather(axis, &indices))
    }),
    ("embedding", |g| {
        let (rows, columns) = (1 + g.below(5), 1 + g.below(4));
        let table = table(g, &[rows, columns])?;
        let rows = g.values[table].shape()[0];
        let indices: Vec<u32> = (0..4).map(|_| g.below(rows) as u32).collect();
        g.push(&[table], move |x| x[0].embedding(&indices, &[2, 2]))
    }),
    ("cat", |g| {
        let x = g.pick_of_rank(1)?;
        let axis = axis_of(g, x);
        let mut shape = g.values[x].shape().to_vec();
        shape[axis as usize] = 1 + g.below(3);
        let y = g.fit(&shape)?;
        g.push(&[x, y], move |x| Tensor::cat(&[&x[0], &x[1], &x[0]], axis))
    }),
    ("stack", |g| {
        let x = g.pick();
        let shape = g.values[x].shape().to_vec();
        let (y, axis) = (g.fit(&shape)?, g.below(shape.len() + 1) as isize);
        g.push(&[x, y], move |x| Tensor::stack(&[&x[0], &x[1]], axis))
    }),
    ("pad", |g| along(g, |x, axis| x.pad(axis, 1, 2, 0.3))),
    ("permute", |g| {
        let x = g.pick_of_rank(2)?;
        let rank = g.values[x].rank();
        let mut order: Vec<usize> = (0..rank).collect();
        (1..rank).for_each(|i| order.swap(i, g.below(i + 1)));
        g.push(&[x], move |x| x[0].permute(&order))
    }),
    ("transpose", |g| {
        let x = g.pick_of_rank(2)?;
        g.push(&[x], |x| x[0].transpose(-1, -2))
    }),
    ("reshape", |g| {
        let x = g.pick();
        let n = g.values[x].value().len();
        let divisors: Vec<usize> = (1..=n).filter(|d| n.is_multiple_of(*d)).collect();
        let rows = divisors[g.below(divisors.len())];
        g.push(&[x], move |x| x[0].reshape(&[rows, n / rows]))
    }),
    ("unsqueeze", |g| {
        let x = g.pick();
        let axis = g.below(g.values[x].rank() + 1) as isize;
        (g.values[x].rank() < 5).then_some(())?;
        g.push(&[x], move |x| x[0].unsqueeze(axis))
    }),
    ("squeeze", |g| {
        let x = g.pick_of_rank(1)?;
        let axis = g.values[x].shape().iter().position(|&n| n == 1)? as isize;
        g.push(&[x], move |x| x[0].squeeze(axis))
    }),
    ("broadcast_to", |g| {
        let x = g.pick();
        let mut shape = g.values[x].shape().to_vec();
        shape.iter_mut().filter(|n| **n == 1).for_each(|n| *n = 3);
        if g.happens(0.5) && shape.len() < 5 {
            shape.insert(0, 2);
        }
        g.push(&[x], move |x| x[0].broadcast_to(&shape))
    }),
    ("matmul", |g| {
        let x = g.pick_of_rank(2)?;
        let shape = g.values[x].shape().to_vec();
        let (batch, k, n) = (&shape[..shape.len() - 2], shape[shape.len() - 1], 1 + g.below(4));
        let y = match g.below(4) {
            0 => [batch, &[k, n]].concat(),
            1 => [&[2], &vec![1; batch.len()][..], &[k, n]].concat(),
            _ => vec![k, n],
        };
        let y = g.fit(&y)?;
        g.push(&[x, y], |x| x[0].matmul(&x[1]))
    }),
    ("matmul with itself transposed", |g| {
        let x = g.pick_of_rank(2)?;
        g.push(&[x], |x| x[0].matmul(&x[0].transpose(-1, -2)))
    }),
    ("linear", |g| {
        let x = g.pick_of_rank(1)?;
        let (k, n) = (last(g, x), 1 + g.below(4));
        let w = g.fit(&[n, k])?;
        match g.happens(0.5).then(|| g.fit(&[n])).flatten() {
            Some(b) => g.push(&[x, w, b], |x| x[0].linear(&x[1], Some(&x[2]))),
            None => g.push(&[x, w], |x| x[0].linear(&x[1], None)),
        }
    }),
    ("conv2d", |g| {
        let x = g.pick_where(|shape| shape.len() == 4)?;
        let [_, c, h, w]: [usize; 4] = g.values[x].shape().try_into().expect("rank 4");
        let (outputs, kernel) = (1 + g.below(3), [1 + g.below(h.min(3)), 1 + g.below(w.min(3))]);
        let (before, after) = (g.below(3) as isize, g.below(2) as isize);
        let how = Convolution::default().padded([before, after], [after, before]).dilated([1, 1 + g.below(2)]);
        let wide = w as isize + before + after > 2 * (kernel[1] as isize - 1);
        wide.then_some(())?;
        let weight = g.fit(&[outputs, c, kernel[0], kernel[1]])?;
        let dead = g.below(1 + kernel[0] * kernel[1]);
        let how = how.only(&kernel, move |at| at[0] * kernel[1] + at[1] != dead);
        g.push(&[x, weight], move |x| x[0].conv2d(&x[1], None, &how))
    }),
    ("conv2d onto", |g| {
        let x = g.pick_where(|shape| shape.len() == 4)?;
        let c = g.values[x].shape()[1];
        let weight = g.fit(&[c, c, 1, 1])?;
        g.push(&[x, weight], |x| x[0].conv2d_onto(&x[1], None, &Convolution::default(), &x[0]))
    }),
    ("conv2d of relu with a bias", |g| {
        let x = g.pick_where(|shape| shape.len() == 4)?;
        clear(&g.values[x], 0.05).then_some(())?;
        let (c, outputs) = (g.values[x].shape()[1], 1 + g.below(3));
        let (weight, bias) = (g.fit(&[outputs, c, 1, 1])?, g.fit(&[outputs])?);
        g.push(&[x, weight, bias], |x| x[0].conv2d(&x[1], Some(&x[2]), &Convolution::default().of_relu()))
    }),
    ("conv1d", |g| {
        // Causal: a kernel of two, so many steps apart, and as many before the beginning.
        let x = g.pick_where(|shape| shape.len() == 3)?;
        let (c, outputs, apart) = (g.values[x].shape()[1], 1 + g.below(3), 1 + g.below(2));
        let how = Convolution::default().padded([0, 0], [apart as isize, 0]).dilated([1, apart]);
        let weight = g.fit(&[outputs, c, 2])?;
        match g.happens(0.5).then(|| g.fit(&[outputs])).flatten() {
            Some(bias) => g.push(&[x, weight, bias], move |x| x[0].conv1d(&x[1], Some(&x[2]), &how)),
            None => g.push(&[x, weight], move |x| x[0].conv1d(&x[1], None, &how)),
        }
    }),
    ("conv1d onto", |g| {
        let x = g.pick_where(|shape| shape.len() == 3)?;
        let shape = g.values[x].shape().to_vec();
        let (weight, bias) = (g.fit(&[shape[1], shape[1], 1])?, g.fit(&[shape[1]])?);
        let onto = g.fit(&shape)?;
        g.push(&[x, weight, bias, onto], |x| x[0].conv1d_onto(&x[1], Some(&x[2]), &Convolution::default(), &x[3]))
    }),
    ("gated_tanh", |g| {
        let x = g.pick_where(|shape| shape.len() >= 2 && shape[1] % 2 == 0)?;
        if g.happens(0.3) {
            return g.push(&[x], |x| x[0].clone().gated_tanh(None));
        }
        let pair = g.values[x].shape()[..2].to_vec();
        let condition = g.fit(&pair)?;
        g.push(&[x, condition], |x| x[0].clone().gated_tanh(Some(&x[1])))
    }),
    ("attention", |g| {
        let x = g.pick_where(|shape| shape.len() == 3 && shape[2].is_multiple_of(3) && shape[2] > 0)?;
        let third = last(g, x) / 3;
        let queries = if third.is_multiple_of(2) && g.happens(0.5) { 2 } else { 1 };
        let heads = Heads { queries, keys: queries, width: third / queries };
        let causal = g.happens(0.5);
        g.push(&[x], move |x| if causal { x[0].causal_attention(heads) } else { x[0].attention(heads) })
    }),
    ("causal_attention of grouped queries", |g| {
        let x = g.pick_where(|shape| shape.len() == 3 && shape[2].is_multiple_of(4) && shape[2] > 0)?;
        let heads = Heads { queries: 2, keys: 1, width: last(g, x) / 4 };
        g.push(&[x], move |x| x[0].causal_attention(heads))
    }),
    ("rotary", |g| {
        let x = g.pick_where(|shape| shape.len() >= 2 && shape[shape.len() - 1] >= 2)?;
        let heads = 1 + g.below(last(g, x) / 2);
        g.push(&[x], move |x| x[0].rotary(heads, 2, 100.0, 3))
    }),
    ("tied weights", |g| {
        let (v, c) = (1 + g.below(5), 1 + g.below(4));
        let table = table(g, &[v, c])?;
        let v = g.values[table].shape()[0];
        let (indices, kind) = ((0..4).map(|_| g.below(v) as u32).collect::<Vec<_>>(), g.below(3));
        g.push(&[table], move |x| {
            let hidden = x[0].embedding(&indices, &[2, 2]).tanh();
            match kind {
                0 => hidden.linear(&x[0], None),
                1 => hidden.matmul(&x[0].transpose(0, 1)),
                _ => Tensor::einsum("btc,vc->btv", &hidden, &x[0]),
            }
        })
    }),
    ("einsum", |g| {
        const SUBSCRIPTS: [(&str, usize, &str); 8] = [
            ("ab,bc->ac", 2, "bc"),
            ("ab,cb->ca", 2, "cb"),
            ("abc,acd->abd", 3, "acd"),
            ("abc,bad->dcab", 3, "bad"),
            ("abc,c->b", 3, "c"),
            ("a,c->ca", 1, "c"),
            ("abcd,aecd->acbe", 4, "aecd"),
            ("ab,ab->", 2, "ab"),
        ];
        let (subscripts, rank, in_y) = SUBSCRIPTS[g.below(SUBSCRIPTS.len())];
        let x = g.pick_where(|shape| shape.len() == rank)?;
        let new = 1 + g.below(3);
        let place = |c: u8| (c - b'a') as usize;
        let y: Vec<usize> = in_y.bytes().map(|c| g.values[x].shape().get(place(c)).copied().unwrap_or(new)).collect();
        let y = g.fit(&y)?;
        g.push(&[x, y], move |x| Tensor::einsum(subscripts, &x[0], &x[1]))
    }),
    ("softmax", |g| {
        let (x, kind) = (g.pick_of_rank(1)?, g.below(2));
        g.push(&[x], move |x| [Tensor::softmax, Tensor::log_softmax][kind](&x[0]))
    }),
    ("cross_entropy", |g| {
        let x = g.pick_of_rank(1)?;
        let (v, n) = (last(g, x), g.values[x].value().len());
        let targets: Vec<u32> = (0..n / v).map(|_| g.below(v) as u32).collect();
        g.push(&[x], move |x| x[0].clone().cross_entropy(&targets))
    }),
    ("layer_norm", |g| {
        let x = g.pick_of_rank(1)?;
        let c = last(g, x);
        let (w, b) = (g.fit(&[c])?, g.fit(&[c])?);
        g.push(&[x, w, b], |x| x[0].layer_norm(&x[1], &x[2], 0.3))
    }),
    ("rms_norm", |g| {
        let x = g.pick_of_rank(1)?;
        let c = last(g, x);
        let w = g.fit(&[c])?;
        g.push(&[x, w], |x| x[0].rms_norm(&x[1], 0.3))
    }),
    ("dropout", |g| {
        let (x, seed) = (g.pick_of_rank(1)?, g.below(1000) as u64);
        // In row-major order: a mask lies in the memory order of what it masks, which the differences may change.
        g.push(&[x], move |x| {
            let flat = x[0].reshape(&[x[0].value().len()]);
            flat.dropout(0.3, &mut Streams::new(seed).stream("dropout")).reshape(x[0].shape())
        })
    }),
    ("lstm_map", |g| {
        let (b, c, kind) = (1 + g.below(2), 1 + g.below(2), g.below(3));
        let (height, width) = (1 + g.below(3), 1 + g.below(3));
        let wavefront = [Wavefront::Rows, Wavefront::Diagonals, Wavefront::MirroredDiagonals][kind];
        let kernel = if kind == 0 { 3 } else { 2 };
        let (x, w) = (g.fit(&[b, 4 * c, height, width])?, g.fit(&[4 * c, c, kernel])?);
        g.push(&[x, w], move |x| x[0].clone().lstm_map(&x[1], wavefront))
    }),
    ("gru", |g| {
        let (b, t, h) = (1 + g.below(2), 1 + g.below(3), 1 + g.below(2));
        let (x, w) = (g.fit(&[b, t, 3 * h])?, g.fit(&[3 * h, h])?);
        let (bias, state) = (g.fit(&[3 * h])?, g.fit(&[b, h])?);
        g.push(&[x, w, bias, state], |x| x[0].clone().gru_sequence(&x[1], &x[2], &x[3]))
    }),
    ("lstm", |g| {
        let (b, t, h, kind) = (1 + g.below(2), 1 + g.below(3), 1 + g.below(2), g.below(3));
        let (x, w) = (g.fit(&[b, t, 4 * h])?, g.fit(&[4 * h, h])?);
        let (bias, state, cell) = (g.fit(&[4 * h])?, g.fit(&[b, h])?, g.fit(&[b, h])?);
        g.push(&[x, w, bias, state, cell], move |x| {
            let output = x[0].clone().lstm_sequence(&x[1], &x[2], &x[3], &x[4]);
            match kind {
                0 => output.hidden,
                1 => output.cell,
                _ => &output.hidden * &output.cell.unsqueeze(1),
            }
        })
    }),
];

fn unary(g: &mut Growing, f: Function) -> Option<usize> {
    let x = g.pick();
    g.push(&[x], move |x| f(&x[0]))
}

fn along(g: &mut Growing, f: fn(&Tensor<f64>, isize) -> Tensor<f64>) -> Option<usize> {
    let x = g.pick_of_rank(1)?;
    let axis = axis_of(g, x);
    g.push(&[x], move |x| f(&x[0], axis))
}

fn binary(g: &mut Growing, f: fn(&[Tensor<f64>]) -> Tensor<f64>) -> Option<usize> {
    let (x, y) = pair(g)?;
    g.push(&[x, y], f)
}

/// Two tensors that broadcast; now and then the same one.
fn pair(g: &mut Growing) -> Option<(usize, usize)> {
    let x = g.pick();
    if g.happens(0.15) {
        return Some((x, x));
    }
    let mut shape = g.values[x].shape().to_vec();
    for n in &mut shape {
        *n = match *n {
            1 if g.happens(0.5) => 3,
            _ if g.happens(0.2) => 1,
            n => n,
        };
    }
    let dropped = if g.happens(0.3) { g.below(shape.len() + 1) } else { 0 };
    let y = g.fit(&shape[dropped..])?;
    Some(if g.happens(0.5) { (x, y) } else { (y, x) })
}

/// x itself if it is well above 0, else x² + ½.
fn positive(g: &mut Growing, x: usize) -> Option<usize> {
    let is_positive = g.values[x].value().iter().all(|&x| x > 0.3);
    if is_positive { Some(x) } else { g.push(&[x], |x| &x[0] * &x[0] + 0.5) }
}

/// A table of rows: some matrix that is there, or one of this shape.
fn table(g: &mut Growing, shape: &[usize]) -> Option<usize> {
    let there = g.happens(0.6).then(|| g.pick_where(|shape| shape.len() == 2)).flatten();
    there.or_else(|| g.fit(shape))
}

/// A constant mask that broadcasts against x.
fn mask(g: &mut Growing, x: usize) -> Tensor<f64> {
    let mut shape = g.values[x].shape().to_vec();
    shape.iter_mut().for_each(|n| *n = if g.happens(0.3) { 1 } else { *n });
    let (n, selected) = (shape.iter().product(), 1 + g.below(3));
    Tensor::from_vec((0..n).map(|_| if g.below(3) < selected { 1.0 } else { 0.0 }).collect(), &shape)
}

fn last(g: &Growing, x: usize) -> usize {
    *g.values[x].shape().last().expect("a rank of at least 1")
}

fn axis_of(g: &mut Growing, x: usize) -> isize {
    g.below(g.values[x].rank()) as isize
}

/// Something to reduce: tensor, axes, correction of a variance, whether to keep the axes.
fn reduced(g: &mut Growing) -> (usize, Vec<isize>, usize, bool) {
    let x = g.pick();
    let axes: Vec<isize> = (0..g.values[x].rank() as isize).filter(|_| g.happens(0.5)).collect();
    let n: usize = axes.iter().map(|&axis| g.values[x].shape()[axis as usize]).product();
    let correction = if n > 1 { g.below(2) } else { 0 };
    (x, axes, correction, g.happens(0.5))
}

fn reduction(g: &mut Growing, f: fn(&Tensor<f64>, &[isize], usize, bool) -> Tensor<f64>) -> Option<usize> {
    let (x, axes, correction, keep) = reduced(g);
    g.push(&[x], move |x| f(&x[0], &axes, correction, keep))
}

/// Whether no element is within `margin` of 0.
fn clear(x: &Tensor<f64>, margin: f64) -> bool {
    x.value().iter().all(|x| x.abs() > margin)
}

/// Whether no two elements are close, so that which is largest does not change within a step of the differences.
fn separate(mut lane: Vec<f64>) -> bool {
    lane.sort_by(f64::total_cmp);
    lane.windows(2).all(|pair| pair[1] - pair[0] > 0.05)
}
