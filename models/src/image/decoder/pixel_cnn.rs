//! The PixelCNN a sub-pixel at a time.

use super::class::ClassRows;
use super::convolution::{At, CachedConvolution};
use super::kernel::Kernel;
use super::rows::{Extent, Plan};
use super::{Memory, State, Steps, Work, by_colour};
use crate::gated::add;
use crate::image::pixel_cnn::{Block, PixelCnn};
use autograd::Scalar;
use autograd::nn::MaskedConv2d;

/// A residual block.
struct CachedBlock<T> {
    narrow: CachedConvolution<T>,
    middle: CachedConvolution<T>,
    widen: CachedConvolution<T>,
}

/// The network.
pub struct CachedPixelCnn<T> {
    plan: Plan,
    first: CachedConvolution<T>,
    class: ClassRows<T>,
    blocks: Vec<CachedBlock<T>>,
    head: CachedConvolution<T>,
    output: CachedConvolution<T>,
}

impl<T: Scalar> CachedPixelCnn<T> {
    pub fn new(network: &PixelCnn<T>, colours: usize, width: usize) -> Self {
        let mut plan = Plan::default();
        let mut layer = |layer: &MaskedConv2d<T>, around: usize| {
            let [outputs, channels] = [layer.weight.shape()[0], layer.weight.shape()[1]];
            let extent = match around {
                0 => Extent::pixel(channels),
                _ => Extent { channels, width, around: [around; 2], above: around },
            };
            let input = plan.rows(extent);
            CachedConvolution::of_pixels(&Kernel::masked(layer), &by_colour(outputs, colours), input, width, &mut plan)
        };
        let around = |layer: &MaskedConv2d<T>| layer.weight.shape()[2] / 2;
        let first = layer(&network.first, around(&network.first));
        let mut block = |block: &Block<T>| CachedBlock {
            narrow: layer(&block.narrow, 0),
            middle: layer(&block.middle, around(&block.middle)),
            widen: layer(&block.widen, 0),
        };
        let blocks = network.blocks.iter().map(&mut block).collect();
        let class = ClassRows::new(network.class.as_ref());
        let (head, output) = (layer(&network.head, 0), layer(&network.output, 0));
        CachedPixelCnn { first, class, blocks, head, output, plan }
    }

    fn layers(&self) -> impl Iterator<Item = &CachedConvolution<T>> {
        let blocks = self.blocks.iter().flat_map(|block| [&block.narrow, &block.middle, &block.widen]);
        [&self.first].into_iter().chain(blocks).chain([&self.head, &self.output])
    }
}

impl<T: Scalar> Steps<T> for CachedPixelCnn<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn multiply_adds(&self) -> usize {
        self.layers().map(CachedConvolution::multiply_adds).sum()
    }

    fn begin_row(&self, memory: &mut Memory<T>) {
        self.layers().for_each(|layer| layer.begin_row(memory));
    }

    fn sub_pixel(&self, states: &mut [State<T>], at: At, work: &mut Work<T>) {
        let Work { passed, features, hidden, out, .. } = work;
        self.first.here(states, at, passed, features);
        self.class.add_to(features, self.first.outputs(at.colour), states);
        for CachedBlock { narrow, middle, widen } in &self.blocks {
            narrow.put(states, at, features, passed);
            narrow.here(states, at, passed, hidden);
            middle.put(states, at, hidden, passed);
            middle.here(states, at, passed, hidden);
            widen.put(states, at, hidden, passed);
            widen.here(states, at, passed, hidden);
            add(features, hidden);
        }
        self.head.put(states, at, features, passed);
        self.head.here(states, at, passed, hidden);
        self.output.put(states, at, hidden, passed);
        self.output.here(states, at, passed, out);
    }
}
