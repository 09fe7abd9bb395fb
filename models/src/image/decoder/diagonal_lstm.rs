//! The PixelRNN of Diagonal BiLSTMs a sub-pixel at a time. The direction from the left goes with the image; the one from the right reads the
//! rows above alone, and takes in the row that just ended, from its last pixel to its first, when the next begins.

use super::class::ClassRows;
use super::convolution::{At, CachedConvolution};
use super::kernel::Kernel;
use super::lstm::{gates_by_colour, of_states};
use super::rows::{Extent, Plan};
use super::{Memory, State, Steps, Work, by_colour};
use crate::gated::add;
use crate::image::diagonal_lstm::{DiagonalBiLstmNetwork, Layer};
use autograd::Scalar;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::lstm::step;
use autograd::kernels::packed::{Direction, Packed};
use autograd::nn::{DiagonalBiLstm, DiagonalLstm, MaskedConv2d};

/// The direction from the right.
struct FromRight<T> {
    /// Of each colour (channels that it sees, 4 · units); the bias (4h), as all that is of gates here, colour by colour.
    input_to_state: Vec<Packed<T>>,
    bias: Vec<T>,
    /// (2h, 4h): of the state above, then of the one to the right.
    state_to_state: Packed<T>,
    /// Rows of its states, the newest that of the row above the one that is drawn: so they are one row late.
    states: usize,
    /// Where it computes: gates of a row (W, 4h), and the cell, its next, a state, what it reads, and their part of the gates.
    gates: usize,
    one: usize,
}

/// A residual layer.
struct CachedLayer<T> {
    /// Rows of what it reads: kept for another row, for the direction from the right.
    input: usize,
    /// From the left, of the pixel that is drawn.
    input_to_state: CachedConvolution<T>,
    /// (2h, 4 · units) of each colour: of the state above, then of the one to the left.
    state_to_state: Vec<Packed<T>>,
    states: usize,
    cells: usize,
    right: FromRight<T>,
    widen: CachedConvolution<T>,
}

/// The network.
pub struct CachedDiagonalBiLstm<T> {
    plan: Plan,
    /// W.
    width: usize,
    first: CachedConvolution<T>,
    class: ClassRows<T>,
    layers: Vec<CachedLayer<T>>,
    head: CachedConvolution<T>,
    output: CachedConvolution<T>,
}

impl<T: Scalar> FromRight<T> {
    fn new(layer: &DiagonalLstm<T>, gates: &[Vec<usize>], width: usize, plan: &mut Plan) -> Self {
        let DiagonalLstm { input_to_state, weight_hh, .. } = layer;
        let [hidden, inputs] = [weight_hh.shape()[1], input_to_state.weight.shape()[1]];
        let (values, bias) = (input_to_state.masked().to_vec(), input_to_state.bias.values());
        // Mask B: of its own pixel a colour sees itself and those before it.
        let of_colour = |(colour, gates): (usize, &Vec<usize>)| {
            let seen = (colour + 1) * inputs * gates.len() / (4 * hidden);
            let matrix: Vec<T> = (0..seen)
                .flat_map(|i| gates.iter().map(move |&o| (o, i)))
                .map(|(o, i)| values[o * inputs + i])
                .collect();
            Packed::new(Matrix::new(&matrix, seen, gates.len())).compacted()
        };
        let all = gates.concat();
        FromRight {
            input_to_state: gates.iter().enumerate().map(of_colour).collect(),
            bias: all.iter().map(|&o| bias[o]).collect(),
            state_to_state: of_states(weight_hh, &all),
            states: plan.rows(Extent { channels: hidden, width, around: [0, 1], above: 1 }),
            gates: plan.begun(width * 4 * hidden),
            one: plan.begun(9 * hidden),
        }
    }

    fn multiply_adds(&self) -> usize {
        let weights = self.input_to_state.iter().chain([&self.state_to_state]);
        weights.map(|weight| weight.rows() * weight.cols()).sum()
    }

    /// Takes in the row above, whose features are in these rows of the memory.
    fn take_in(&self, memory: &mut Memory<T>, features: usize, width: usize) {
        let hidden = self.bias.len() / 4;
        let Memory { rows, begun, multiply_adds, .. } = memory;
        let (mut gates, mut one) = (std::mem::take(&mut begun[self.gates]), std::mem::take(&mut begun[self.one]));
        gates.chunks_exact_mut(4 * hidden).for_each(|gates| gates.copy_from_slice(&self.bias));
        let units = hidden / self.input_to_state.len();
        for (colour, weight) in self.input_to_state.iter().enumerate() {
            let row = rows[features].from(1, 0);
            let row = Matrix::with_strides(row, width, weight.rows(), row.len() / width, 1);
            weight.product(row, Store::Accumulate, &mut gates[colour * 4 * units..], 4 * hidden);
        }
        let (cell, rest) = one.split_at_mut(hidden);
        let (cell_next, rest) = rest.split_at_mut(hidden);
        let (state, rest) = rest.split_at_mut(hidden);
        let (read, sums) = rest.split_at_mut(2 * hidden);
        cell.fill(T::zero());
        for (x, gates) in gates.chunks_exact_mut(4 * hidden).enumerate().rev() {
            read[..hidden].copy_from_slice(&rows[self.states].from(1, x as isize)[..hidden]);
            read[hidden..].copy_from_slice(&rows[self.states].from(0, x as isize + 1)[..hidden]);
            self.state_to_state.row(read, Store::Overwrite, Direction::Forward, sums);
            let parts =
                gates.chunks_exact_mut(4 * units).zip(sums.chunks_exact(4 * units)).zip(cell.chunks_exact(units));
            let next = cell_next.chunks_exact_mut(units).zip(state.chunks_exact_mut(units));
            for (((gates, sums), cell), (cell_next, state)) in parts.zip(next) {
                step::position(gates, sums, cell, cell_next, state);
            }
            rows[self.states].at(x, 0, hidden).copy_from_slice(state);
            cell.copy_from_slice(cell_next);
        }
        *multiply_adds += (width * self.multiply_adds()) as u64;
        (begun[self.gates], begun[self.one]) = (gates, one);
    }
}

impl<T: Scalar> CachedDiagonalBiLstm<T> {
    pub fn new(network: &DiagonalBiLstmNetwork<T>, colours: usize, width: usize) -> Self {
        let mut plan = Plan::default();
        let hidden = network.layers.first().map_or(colours, |layer| layer.lstm.left.weight_hh.shape()[1]);
        let gates = gates_by_colour(hidden, colours);
        let reading = |layer: &MaskedConv2d<T>, groups: &[Vec<usize>], input: usize, plan: &mut Plan| {
            CachedConvolution::of_pixels(&Kernel::masked(layer), groups, input, width, plan)
        };
        let groups = |layer: &MaskedConv2d<T>| by_colour(layer.weight.shape()[0], colours);
        let reach = network.first.weight.shape()[2] / 2;
        let image = plan.rows(Extent { channels: colours, width, around: [reach; 2], above: reach });
        let first = reading(&network.first, &groups(&network.first), image, &mut plan);
        let last = |layer: &MaskedConv2d<T>, plan: &mut Plan| {
            let input = plan.rows(Extent::pixel(layer.weight.shape()[1]));
            reading(layer, &groups(layer), input, plan)
        };
        let beside = |above| Extent { channels: hidden, width, around: [1, 0], above };
        let layer = |layer: &Layer<T>, plan: &mut Plan| {
            let DiagonalBiLstm { left, right } = &layer.lstm;
            let input = plan.rows(Extent { channels: 2 * hidden, width, around: [0; 2], above: 1 });
            CachedLayer {
                input,
                input_to_state: reading(&left.input_to_state, &gates, input, plan),
                state_to_state: gates.iter().map(|gates| of_states(&left.weight_hh, gates)).collect(),
                states: plan.rows(beside(1)),
                cells: plan.rows(beside(0)),
                right: FromRight::new(right, &gates, width, plan),
                widen: last(&layer.widen, plan),
            }
        };
        let layers = network.layers.iter().map(|of| layer(of, &mut plan)).collect();
        let class = ClassRows::new(network.class.as_ref());
        let (head, output) = (last(&network.head, &mut plan), last(&network.output, &mut plan));
        CachedDiagonalBiLstm { plan, width, first, class, layers, head, output }
    }

    fn convolutions(&self) -> impl Iterator<Item = &CachedConvolution<T>> {
        let layers = self.layers.iter().flat_map(|layer| [&layer.input_to_state, &layer.widen]);
        [&self.first, &self.head, &self.output].into_iter().chain(layers)
    }
}

impl<T: Scalar> CachedLayer<T> {
    /// The states of a colour's units from both directions, as the input of the 1 × 1 that follows: from the input's part of the gates.
    fn states(&self, states: &mut [State<T>], at: At, gates: &mut [T], [passed, sums, new]: [&mut Vec<T>; 3]) {
        let range = self.input_to_state.outputs(at.colour);
        let (first, units) = (range.start / 4, range.len() / 4);
        let weight = &self.state_to_state[at.colour];
        let hidden = weight.rows() / 2;
        passed.clear();
        for State { memory, .. } in &mut *states {
            passed.extend_from_slice(&memory.rows[self.states].from(1, at.x as isize)[..hidden]);
            passed.extend_from_slice(memory.rows[self.states].pixel(at.x, -1, 0, hidden));
            memory.multiply_adds += (weight.rows() * weight.cols()) as u64;
        }
        sums.resize(states.len() * range.len(), T::zero());
        match states.len() {
            1 => weight.row(passed, Store::Overwrite, Direction::Forward, sums),
            n => weight.product(Matrix::new(passed, n, 2 * hidden), Store::Overwrite, sums, range.len()),
        }
        new.resize(2 * units, T::zero());
        let (cell, state) = new.split_at_mut(units);
        let parts = gates.chunks_exact_mut(range.len()).zip(sums.chunks_exact(range.len()));
        for (image, ((gates, sums), State { memory, .. })) in parts.zip(states).enumerate() {
            let rows = &mut memory.rows;
            step::position(gates, sums, rows[self.cells].pixel(at.x, -1, first, units), cell, state);
            rows[self.cells].at(at.x, first, units).copy_from_slice(cell);
            rows[self.states].at(at.x, first, units).copy_from_slice(state);
            add(state, rows[self.right.states].pixel(at.x, 0, first, units));
            self.widen.input(image, memory, at, units, passed).copy_from_slice(state);
        }
    }
}

impl<T: Scalar> Steps<T> for CachedDiagonalBiLstm<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn multiply_adds(&self) -> usize {
        let states = |layer: &CachedLayer<T>| layer.state_to_state.iter().map(|w| w.rows() * w.cols()).sum::<usize>();
        self.convolutions().map(CachedConvolution::multiply_adds).sum::<usize>()
            + self.layers.iter().map(states).sum::<usize>()
            + self.unread()
    }

    /// What the direction from the right makes of the last row.
    fn unread(&self) -> usize {
        self.layers.iter().map(|layer| layer.right.multiply_adds()).sum()
    }

    fn begin_row(&self, memory: &mut Memory<T>) {
        self.first.begin_row(memory);
        if memory.rows_begun > 1 {
            self.layers.iter().for_each(|layer| layer.right.take_in(memory, layer.input, self.width));
        }
    }

    fn sub_pixel(&self, states: &mut [State<T>], at: At, work: &mut Work<T>) {
        let Work { passed, features, hidden, skips, out } = work;
        self.first.here(states, at, passed, features);
        self.class.add_to(features, self.first.outputs(at.colour), states);
        for layer in &self.layers {
            layer.input_to_state.put(states, at, features, passed);
            layer.input_to_state.here(states, at, passed, hidden);
            layer.states(states, at, hidden, [passed, skips, out]);
            layer.widen.here(states, at, passed, hidden);
            add(features, hidden);
        }
        self.head.put(states, at, features, passed);
        self.head.here(states, at, passed, hidden);
        self.output.put(states, at, hidden, passed);
        self.output.here(states, at, passed, out);
    }
}
