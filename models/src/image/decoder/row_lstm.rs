//! The PixelRNN of Row LSTMs a sub-pixel at a time. What the states of the row above say of a row is computed when the row begins, for all
//! its pixels in one product; a pixel adds what its input says.

use super::class::ClassRows;
use super::convolution::{At, CachedConvolution};
use super::kernel::Kernel;
use super::lstm::{gates_by_colour, of_states};
use super::rows::{Extent, Plan};
use super::{Memory, State, Steps, Work, by_colour};
use crate::gated::add;
use crate::image::row_lstm::{Layer, RowLstmNetwork};
use autograd::Scalar;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::lstm::step;
use autograd::kernels::packed::Packed;
use autograd::nn::{MaskedConv2d, RowLstm};

/// A residual layer.
struct CachedLayer<T> {
    input_to_state: CachedConvolution<T>,
    /// (K · h, 4h), its columns colour by colour.
    state_to_state: Packed<T>,
    /// Where what the states of the row above say is kept, (W, 4h).
    sums: usize,
    /// Rows of cells and of states.
    cells: usize,
    states: usize,
    /// Reads the states.
    widen: CachedConvolution<T>,
}

/// The network.
pub struct CachedRowLstm<T> {
    plan: Plan,
    /// h.
    hidden: usize,
    /// W.
    width: usize,
    first: CachedConvolution<T>,
    class: ClassRows<T>,
    layers: Vec<CachedLayer<T>>,
    head: CachedConvolution<T>,
    output: CachedConvolution<T>,
}

impl<T: Scalar> CachedRowLstm<T> {
    pub fn new(network: &RowLstmNetwork<T>, colours: usize, width: usize) -> Self {
        let mut plan = Plan::default();
        let hidden = network.layers.first().map_or(colours, |layer| layer.lstm.weight_hh.shape()[1]);
        let gates = gates_by_colour(hidden, colours);
        let reading = |layer: &MaskedConv2d<T>, groups: &[Vec<usize>], input: usize, plan: &mut Plan| {
            CachedConvolution::of_pixels(&Kernel::masked(layer), groups, input, width, plan)
        };
        let groups = |layer: &MaskedConv2d<T>| by_colour(layer.weight.shape()[0], colours);
        let extent = |channels, around, above| Extent { channels, width, around: [around; 2], above };
        let reach = network.first.weight.shape()[2] / 2;
        let image = plan.rows(extent(colours, reach, reach));
        let first = reading(&network.first, &groups(&network.first), image, &mut plan);
        let layer = |layer: &Layer<T>, plan: &mut Plan| {
            let RowLstm { input_to_state, weight_hh } = &layer.lstm;
            let input = plan.rows(extent(2 * hidden, input_to_state.weight.shape()[3] / 2, 0));
            let states = plan.rows(extent(hidden, weight_hh.shape()[2] / 2, 1));
            CachedLayer {
                input_to_state: reading(input_to_state, &gates, input, plan),
                state_to_state: of_states(weight_hh, &gates.concat()),
                sums: plan.begun(width * 4 * hidden),
                cells: plan.rows(extent(hidden, 0, 1)),
                states,
                widen: reading(&layer.widen, &groups(&layer.widen), states, plan),
            }
        };
        let layers = network.layers.iter().map(|of| layer(of, &mut plan)).collect();
        let last = |layer: &MaskedConv2d<T>, plan: &mut Plan| {
            let input = plan.rows(Extent::pixel(layer.weight.shape()[1]));
            reading(layer, &groups(layer), input, plan)
        };
        let class = ClassRows::new(network.class.as_ref());
        let (head, output) = (last(&network.head, &mut plan), last(&network.output, &mut plan));
        CachedRowLstm { plan, hidden, width, first, class, layers, head, output }
    }

    fn convolutions(&self) -> impl Iterator<Item = &CachedConvolution<T>> {
        let layers = self.layers.iter().flat_map(|layer| [&layer.input_to_state, &layer.widen]);
        [&self.first, &self.head, &self.output].into_iter().chain(layers)
    }
}

impl<T: Scalar> Steps<T> for CachedRowLstm<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn multiply_adds(&self) -> usize {
        let states = |layer: &CachedLayer<T>| layer.state_to_state.rows() * layer.state_to_state.cols();
        self.convolutions().map(CachedConvolution::multiply_adds).sum::<usize>()
            + self.layers.iter().map(states).sum::<usize>()
    }

    fn begin_row(&self, memory: &mut Memory<T>) {
        self.first.begin_row(memory);
        for CachedLayer { state_to_state, sums, states, .. } in &self.layers {
            let Memory { rows, begun, multiply_adds, .. } = memory;
            let kernel = state_to_state.rows() / self.hidden;
            let above = rows[*states].from(1, -((kernel / 2) as isize));
            let above = Matrix::with_strides(above, self.width, state_to_state.rows(), self.hidden, 1);
            state_to_state.product(above, Store::Overwrite, &mut begun[*sums], 4 * self.hidden);
            *multiply_adds += (self.width * state_to_state.rows() * state_to_state.cols()) as u64;
        }
    }

    fn sub_pixel(&self, states: &mut [State<T>], at: At, work: &mut Work<T>) {
        let Work { passed, features, hidden, skips: new, out } = work;
        self.first.here(states, at, passed, features);
        self.class.add_to(features, self.first.outputs(at.colour), states);
        for layer in &self.layers {
            layer.input_to_state.put(states, at, features, passed);
            layer.input_to_state.here(states, at, passed, hidden);
            let gates = layer.input_to_state.outputs(at.colour);
            let (first, units) = (gates.start / 4, gates.len() / 4);
            new.resize(2 * units, T::zero());
            let (cell, state) = new.split_at_mut(units);
            for (x, State { memory, .. }) in hidden.chunks_exact_mut(gates.len()).zip(&mut *states) {
                let Memory { rows, begun, .. } = memory;
                let sums = &begun[layer.sums][at.x * 4 * self.hidden..][gates.clone()];
                let above = &rows[layer.cells].from(1, at.x as isize)[first..][..units];
                step::position(x, sums, above, cell, state);
                rows[layer.cells].at(at.x, first, units).copy_from_slice(cell);
                rows[layer.states].at(at.x, first, units).copy_from_slice(state);
            }
            layer.widen.here(states, at, passed, hidden);
            add(features, hidden);
        }
        self.head.put(states, at, features, passed);
        self.head.here(states, at, passed, hidden);
        self.output.put(states, at, hidden, passed);
        self.output.here(states, at, passed, out);
    }
}
