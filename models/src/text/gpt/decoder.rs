//! GPT one symbol at a time: the keys and values of the positions before are kept, so that a symbol costs one pass of one row.
//!
//! A context that is full is left behind by half: the later half of its symbols is taken in anew, as a window that begins at position 0, and
//! generation goes on from there. So a prediction looks back at between half a context and a whole one, and what it is depends on the symbols
//! alone, not on how they came: in parallel, in blocks or one by one.

use super::cache::{Attended, Cache, attention};
use super::norm::Norm;
use super::state::GptState;
use super::{Block, Gpt, GptConfig};
use crate::affine::Affine;
use crate::autoregressive::{Autoregressive, by_steps};
use crate::distribution::{Categorical, log_probability};
use crate::text::decoder::MIN_TEAM;
use autograd::kernels::rotary::Angles;
use autograd::kernels::team::Team;
use autograd::kernels::{elementwise, gelu};
use autograd::nn::{Embedding, Linear};
use autograd::{Scalar, no_grad};
use std::cell::RefCell;
use std::collections::VecDeque;

/// Most positions that are taken in at a time.
const POSITIONS: usize = 128;

/// Positions up to which threads share the columns of a weight, and not its rows.
const FEW: usize = 31;

struct Layer<T> {
    ln_1: Norm<T>,
    qkv: Affine<T>,
    proj: Affine<T>,
    ln_2: Norm<T>,
    fc: Affine<T>,
    mlp_proj: Affine<T>,
}

/// A [`Gpt`] ready to be stepped; owns what it needs.
pub struct GptDecoder<T> {
    config: GptConfig,
    tokens: Embedding<T>,
    positions: Option<Embedding<T>>,
    /// For the graph's pass; none where nobody will ask for it.
    graph: Option<Gpt<T>>,
    layers: Vec<Layer<T>>,
    ln_f: Norm<T>,
    head: Affine<T>,
    angles: Option<Vec<Angles<T>>>,
    team: RefCell<Team>,
    buffers: RefCell<Buffers<T>>,
}

/// Memory that passes use again.
#[derive(Default)]
struct Buffers<T> {
    x: Vec<T>,
    normalized: Vec<T>,
    qkv: Vec<T>,
    attended: Attended<T>,
    added: Vec<T>,
    hidden: Vec<T>,
    logits: Vec<T>,
}

impl<T: Scalar> GptDecoder<T> {
    /// Prepares a model; uses as many threads as rayon has.
    pub fn new(model: &Gpt<T>) -> Self {
        GptDecoder { graph: Some(model.clone()), ..Self::for_steps(model.clone()) }
    }

    /// Prepares a model that is stepped and not asked for the graph's pass: each block is let go of when it is packed, so that no weight is
    /// held twice.
    pub fn for_steps(model: Gpt<T>) -> Self {
        let Gpt { config, tokens, positions, blocks, ln_f } = model;
        let affine = |layer: Linear<T>| Affine::new(&layer.weight, layer.bias.as_ref());
        let layer = |block: Block<T>| Layer {
            ln_1: Norm::new(&block.ln_1),
            qkv: affine(block.attn.qkv),
            proj: affine(block.attn.proj),
            ln_2: Norm::new(&block.ln_2),
            fc: affine(block.mlp.fc),
            mlp_proj: affine(block.mlp.proj),
        };
        let large = config.width * config.width * config.layers >= MIN_TEAM;
        let members = if large { rayon::current_num_threads() } else { 1 };
        let one = |base| (0..config.context).map(|t| Angles::new(config.layout().width, base, t, 1)).collect();
        GptDecoder {
            layers: blocks.into_iter().map(layer).collect(),
            ln_f: Norm::new(&ln_f),
            head: Affine::new(&tokens.weight, None),
            angles: config.rotary().map(one),
            team: RefCell::new(Team::new(members)),
            buffers: RefCell::default(),
            graph: None,
            config,
            tokens,
            positions,
        }
    }

    /// Symbols that a window leaves behind when it is full.
    fn stride(&self) -> usize {
        self.config.context.div_ceil(2)
    }

    /// Takes symbols in at the next positions of a window that has room for them; leaves their normalized outputs, (R, C), in
    /// `buffers.normalized`.
    fn take(&self, state: &mut GptState<T>, symbols: &[u32], team: &mut Team, buffers: &mut Buffers<T>) {
        state.forget_ahead();
        self.pass(state, symbols, team, buffers);
        state.window.extend_from_slice(symbols);
    }

    /// The pass of [`GptDecoder::take`], which leaves keys and values in the caches behind the window's, and the window as it was.
    fn pass(&self, state: &mut GptState<T>, symbols: &[u32], team: &mut Team, buffers: &mut Buffers<T>) {
        let (config, heads, first) = (&self.config, self.config.layout(), state.window.len());
        let (width, rows) = (config.width, symbols.len());
        let Buffers { x, normalized, qkv, attended, added, hidden, .. } = buffers;
        let apply = |layer: &Affine<T>, team: &mut Team, x: &[T], y: &mut Vec<T>, outputs: usize| match rows {
            1 => {
                y.resize(outputs, T::zero());
                layer.apply(team, x, y);
            }
            2..=FEW => layer.apply_few(team, x, y),
            _ => layer.apply_rows(team, x, y),
        };
        x.clear();
        for (r, &symbol) in symbols.iter().enumerate() {
            let token = &self.tokens.weight.values()[symbol as usize * width..][..width];
            match &self.positions {
                Some(positions) => {
                    let position = &positions.weight.values()[(first + r) * width..][..width];
                    x.extend(token.iter().zip(position).map(|(&a, &b)| a + b));
                }
                None => x.extend_from_slice(token),
            }
        }
        let add = |x: &mut [T], added: &[T]| x.iter_mut().zip(added).for_each(|(x, &y)| *x += y);
        for (layer, cache) in self.layers.iter().zip(&mut state.caches) {
            layer.ln_1.rows(x, normalized);
            apply(&layer.qkv, team, normalized, qkv, heads.packed());
            for (r, row) in qkv.chunks_exact_mut(heads.packed()).enumerate() {
                if let Some(angles) = &self.angles {
                    angles[first + r].turn(row, heads.packed(), heads.queries + heads.keys, false);
                }
                cache.write(row, first + r, heads, config.context);
            }
            attention(qkv, first, cache, heads, config.context, team, attended);
            apply(&layer.proj, team, &attended.rows, added, width);
            add(x, added);
            layer.ln_2.rows(x, normalized);
            apply(&layer.fc, team, normalized, hidden, 4 * width);
            elementwise::update(hidden, gelu::gelu_tanh);
            apply(&layer.mlp_proj, team, hidden, added, width);
            add(x, added);
        }
        self.ln_f.rows(x, normalized);
    }

    /// Leaves the earlier part of a full window behind.
    fn slide(&self, state: &mut GptState<T>, team: &mut Team, buffers: &mut Buffers<T>) {
        if state.window.len() == self.config.context {
            let kept = state.window.split_off(self.stride());
            state.window.clear();
            for symbols in kept.chunks(POSITIONS) {
                self.take(state, symbols, team, buffers);
            }
        }
    }

    /// The logits after each of some rows.
    fn head_rows(&self, team: &mut Team, normalized: &[T], logits: &mut Vec<T>) {
        match normalized.len() / self.config.width {
            0..=FEW => self.head.apply_few(team, normalized, logits),
            _ => self.head.apply_rows(team, normalized, logits),
        }
    }

    /// The distribution after the last of the rows in `normalized`.
    fn predict(&self, state: &mut GptState<T>, team: &mut Team, normalized: &[T]) {
        let last = &normalized[normalized.len() - self.config.width..];
        self.head.apply(team, last, &mut state.distribution.logits);
    }
}

impl<T: Scalar> Autoregressive for GptDecoder<T> {
    type Symbol = u32;
    type Distribution = Categorical<T>;
    type State = GptState<T>;

    /// Window by window through the graph's pass, as training has it; step by step where the decoder is for steps alone.
    fn distributions(&self, sequence: &[u32]) -> Vec<Categorical<T>> {
        let Some(graph) = &self.graph else { return by_steps(self, sequence) };
        let (context, size) = (self.config.context, self.config.symbols);
        let mut all = Vec::with_capacity(sequence.len());
        all.extend((!sequence.is_empty()).then(|| self.start().distribution));
        let mut begin = 0;
        while all.len() < sequence.len() {
            let window = &sequence[begin..sequence.len().min(begin + context)];
            let logits = no_grad(|| graph.forward(window, 1, None)).to_vec();
            // Those that an earlier window gave are not given again.
            let known = all.len() - begin - 1;
            let wanted = logits.chunks_exact(size).skip(known).take(sequence.len() - all.len());
            all.extend(wanted.map(|logits| Categorical { logits: logits.to_vec() }));
            begin += self.stride();
        }
        all
    }

    /// The first symbol is predicted by what the output layer makes of a vector of zeros.
    fn start(&self) -> GptState<T> {
        let config = &self.config;
        let cache = Cache::new(config.layout(), config.context);
        let mut logits = vec![T::zero(); config.symbols];
        self.head.apply(&mut self.team.borrow_mut(), &self.ln_f.bias, &mut logits);
        let caches = vec![cache; self.layers.len()];
        GptState {
            window: Vec::with_capacity(config.context),
            caches,
            distribution: Categorical { logits },
            ahead: VecDeque::new(),
            logits_ahead: VecDeque::new(),
        }
    }

    fn next<'s>(&self, state: &'s GptState<T>) -> &'s Categorical<T> {
        &state.distribution
    }

    fn step(&self, state: &mut GptState<T>, symbol: u32) {
        if state.ahead.front() == Some(&symbol) {
            state.ahead.pop_front();
            state.window.push(symbol);
            let size = state.distribution.logits.len();
            state.distribution.logits.clear();
            state.distribution.logits.extend(state.logits_ahead.drain(..size));
            return;
        }
        let (team, buffers) = (&mut *self.team.borrow_mut(), &mut *self.buffers.borrow_mut());
        self.slide(state, team, buffers);
        self.take(state, &[symbol], team, buffers);
        self.predict(state, team, &buffers.normalized);
    }

    /// In one pass over the symbols, as far as the window has room.
    fn look_ahead(&self, state: &mut GptState<T>, symbols: &[u32]) -> Vec<Categorical<T>> {
        if symbols.is_empty() {
            return Vec::new();
        }
        let (team, buffers) = (&mut *self.team.borrow_mut(), &mut *self.buffers.borrow_mut());
        self.slide(state, team, buffers);
        let room = self.config.context - state.window.len();
        let symbols = &symbols[..symbols.len().min(room).min(POSITIONS)];
        state.forget_ahead();
        self.pass(state, symbols, team, buffers);
        let Buffers { normalized, logits, .. } = buffers;
        self.head_rows(team, normalized, logits);
        state.ahead.extend(symbols);
        state.logits_ahead.extend(logits.iter().copied());
        logits.chunks_exact(self.config.symbols).map(|row| Categorical { logits: row.to_vec() }).collect()
    }

    /// In blocks of positions: each weight is read once for all of them, in the bits of stepping.
    fn nats(&self, state: &mut GptState<T>, sequence: &[u32]) -> Vec<f64> {
        let (width, size) = (self.config.width, self.config.symbols);
        let (team, buffers) = (&mut *self.team.borrow_mut(), &mut *self.buffers.borrow_mut());
        let mut nats = Vec::with_capacity(sequence.len());
        let mut rest = sequence;
        while !rest.is_empty() {
            self.slide(state, team, buffers);
            let room = self.config.context - state.window.len();
            let (piece, later) = rest.split_at(rest.len().min(room).min(POSITIONS));
            rest = later;
            nats.push(-log_probability(&state.distribution.logits, piece[0]));
            self.take(state, piece, team, buffers);
            let Buffers { normalized, logits, .. } = &mut *buffers;
            let before_last = &normalized[..(piece.len() - 1) * width];
            if !before_last.is_empty() {
                self.head_rows(team, before_last, logits);
                let rows = logits.chunks_exact(size).zip(&piece[1..]);
                nats.extend(rows.map(|(logits, &symbol)| -log_probability(logits, symbol)));
            }
            self.predict(state, team, normalized);
        }
        nats
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
