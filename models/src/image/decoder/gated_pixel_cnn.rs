//! The Gated PixelCNN a sub-pixel at a time. All its layers of the vertical stack see nothing of a pixel's own row of the image: they
//! are computed for whole rows when a row begins, with what they tell the horizontal stack.

use super::convolution::{At, CachedConvolution};
use super::kernel::Kernel;
use super::rows::{Extent, Plan};
use super::{Memory, State, Steps, Work, by_colour};
use crate::gated::{add, gate};
use crate::image::gated_pixel_cnn::{GatedPixelCnn, Layer};
use autograd::Scalar;
use autograd::nn::{Embedding, MaskedConv2d};

/// A layer of both stacks.
struct CachedLayer<T> {
    vertical: CachedConvolution<T>,
    /// Where the features of the vertical stack go: to the link as they are, and to the layer above.
    features: usize,
    link: CachedConvolution<T>,
    /// Where what the link says of a row is kept.
    told: usize,
    horizontal: CachedConvolution<T>,
    /// None in the last layer, of which nobody reads the horizontal stack.
    residual: Option<CachedConvolution<T>>,
    skip: CachedConvolution<T>,
    /// A row for each class: of the vertical stack, and of the horizontal, whose channels lie colour by colour.
    condition: Option<[Vec<T>; 2]>,
}

/// The network.
pub struct CachedGatedPixelCnn<T> {
    plan: Plan,
    /// p.
    channels: usize,
    /// W.
    width: usize,
    layers: Vec<CachedLayer<T>>,
    head: CachedConvolution<T>,
    output: CachedConvolution<T>,
}

/// The channels of both halves of a gate, colour by colour: of each first those of the tanh, then those of the σ.
fn halves(channels: usize, colours: usize) -> Vec<Vec<usize>> {
    let of_both = |half: Vec<usize>| half.iter().copied().chain(half.iter().map(|c| c + channels)).collect();
    by_colour(channels, colours).into_iter().map(of_both).collect()
}

/// The extent of rows that these kernels read.
fn extent(channels: usize, width: usize, kernels: [&Kernel<impl Scalar>; 2]) -> Extent {
    let taps = || kernels.into_iter().flat_map(|kernel| &kernel.taps).map(|(_, tap)| tap);
    let most = |distance: &dyn Fn(isize, isize) -> isize| {
        taps().map(|tap| distance(tap.down, tap.right)).max().unwrap_or(0).max(0).unsigned_abs()
    };
    Extent {
        channels,
        width,
        around: [most(&|_, right| -right), most(&|_, right| right)],
        above: most(&|down, _| -down),
    }
}

impl<T: Scalar> CachedGatedPixelCnn<T> {
    pub fn new(network: &GatedPixelCnn<T>, colours: usize, width: usize) -> Self {
        let mut plan = Plan::default();
        let channels = network.layers[0].skip.weight.shape()[1];
        let both = halves(channels, colours);
        let natural: Vec<usize> = (0..2 * channels).collect();
        let pixels = |layer: &MaskedConv2d<T>, input: usize, plan: &mut Plan| {
            let groups = by_colour(layer.weight.shape()[0], colours);
            CachedConvolution::of_pixels(&Kernel::masked(layer), &groups, input, width, plan)
        };
        let condition = |layer: &Layer<T>| {
            let table = |table: &Option<Embedding<T>>, order: &[usize]| -> Option<Vec<T>> {
                let rows = table.as_ref()?.weight.values().chunks_exact(2 * channels);
                Some(rows.flat_map(|row| order.iter().map(|&o| row[o])).collect())
            };
            Some([table(&layer.vertical_class, &natural)?, table(&layer.horizontal_class, &both.concat())?])
        };
        let kernel = |layer: &Layer<T>| (Kernel::plain(&layer.vertical), Kernel::masked(&layer.horizontal));
        // The first layer reads the image in both stacks; the others what the layer before them made.
        let (vertical, horizontal) = kernel(&network.layers[0]);
        let image = plan.rows(extent(colours, width, [&vertical, &horizontal]));
        let (mut above, mut before) = (image, image);
        let mut layers = Vec::with_capacity(network.layers.len());
        for (i, layer) in network.layers.iter().enumerate() {
            let (vertical, horizontal) = kernel(layer);
            let next = network.layers.get(i + 1).map(kernel);
            // What nobody above reads is a row of the link alone.
            let alone = Extent { channels, width, around: [0; 2], above: 0 };
            let features = plan.rows(next.as_ref().map_or(alone, |(v, _)| extent(channels, width, [v, v])));
            let gated = plan.rows(Extent::pixel(channels));
            layers.push(CachedLayer {
                vertical: CachedConvolution::of_rows(&vertical, &natural, above, width),
                features,
                link: CachedConvolution::of_rows(&Kernel::plain(&layer.link), &both.concat(), features, width),
                told: plan.begun(width * 2 * channels),
                horizontal: CachedConvolution::of_pixels(&horizontal, &both, before, width, &mut plan),
                residual: layer.residual.as_ref().map(|residual| pixels(residual, gated, &mut plan)),
                skip: pixels(&layer.skip, gated, &mut plan),
                condition: condition(layer),
            });
            above = features;
            before = next.map_or(0, |(_, h)| plan.rows(extent(channels, width, [&h, &h])));
        }
        let mut last = |layer: &MaskedConv2d<T>| {
            let input = plan.rows(Extent::pixel(layer.weight.shape()[1]));
            pixels(layer, input, &mut plan)
        };
        let (head, output) = (last(&network.head), last(&network.output));
        CachedGatedPixelCnn { plan, channels, width, layers, head, output }
    }
}

impl<T: Scalar> CachedLayer<T> {
    /// What a stack of 2p channels adds to its gates in an image of a class.
    fn condition(&self, stack: usize, memory: &Memory<T>, channels: usize) -> Option<&[T]> {
        let (condition, class) = self.condition.as_ref().zip(memory.class)?;
        Some(&condition[stack][class as usize * 2 * channels..][..2 * channels])
    }
}

impl<T: Scalar> Steps<T> for CachedGatedPixelCnn<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn multiply_adds(&self) -> usize {
        let layers = self.layers.iter().flat_map(|layer| {
            let all = [&layer.vertical, &layer.link, &layer.horizontal, &layer.skip];
            all.into_iter().chain(&layer.residual)
        });
        layers.chain([&self.head, &self.output]).map(CachedConvolution::multiply_adds).sum()
    }

    fn begin_row(&self, memory: &mut Memory<T>) {
        let p = self.channels;
        for layer in &self.layers {
            // What the link will say is written where the gates of the vertical stack were.
            let mut told = std::mem::take(&mut memory.begun[layer.told]);
            layer.vertical.row(memory, &mut told);
            let condition = layer.condition(0, memory, p);
            let features = memory.rows[layer.features].whole();
            for (x, z) in told.chunks_exact_mut(2 * p).zip(features.chunks_exact_mut(p)) {
                gate(x, condition, z);
            }
            layer.link.row(memory, &mut told);
            memory.begun[layer.told] = told;
        }
        debug_assert!(self.layers.iter().all(|layer| memory.begun[layer.told].len() == self.width * 2 * p));
    }

    fn sub_pixel(&self, states: &mut [State<T>], at: At, work: &mut Work<T>) {
        let Work { passed, features, hidden, skips, out } = work;
        for (i, layer) in self.layers.iter().enumerate() {
            layer.horizontal.here(states, at, passed, hidden);
            let channels = layer.horizontal.outputs(at.colour);
            for (image, (x, State { memory, .. })) in
                hidden.chunks_exact_mut(channels.len()).zip(&mut *states).enumerate()
            {
                let told = &memory.begun[layer.told][at.x * 2 * self.channels..][channels.clone()];
                add(x, told);
                let condition = layer.condition(1, memory, self.channels).map(|all| &all[channels.clone()]);
                let gated = layer.skip.input(image, memory, at, channels.len() / 2, passed);
                gate(x, condition, gated);
            }
            layer.skip.here(states, at, passed, out);
            if i == 0 {
                std::mem::swap(skips, out)
            } else {
                add(skips, out)
            }
            let Some((residual, next)) = layer.residual.as_ref().zip(self.layers.get(i + 1)) else { continue };
            residual.here(states, at, passed, out);
            if i == 0 {
                std::mem::swap(features, out)
            } else {
                add(features, out)
            }
            next.horizontal.put(states, at, features, passed);
        }
        self.head.put(states, at, skips, passed);
        self.head.here(states, at, passed, hidden);
        self.output.put(states, at, hidden, passed);
        self.output.here(states, at, passed, out);
    }
}
