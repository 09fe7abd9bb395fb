//! The PixelCNN in candle.
//!
//! A convolution of 1 × 1 is a product of matrices here: the gradient of candle's own goes through the direct loops of its
//! transposed convolution.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Init, VarBuilder};
use protocol::{Image, Pixels};

/// A convolution that keeps height and width.
struct Layer {
    weight: Tensor,
    bias: Tensor,
    mask: Option<Tensor>,
    kernel: usize,
}

impl Layer {
    /// With mask B if it `sees_itself`, else A.
    fn new(inputs: usize, outputs: usize, kernel: usize, sees_itself: bool, vb: VarBuilder) -> Result<Self> {
        let bound = ((inputs * kernel * kernel) as f64).powf(-0.5);
        let init = Init::Uniform { lo: -bound, up: bound };
        let mask = (kernel > 1)
            .then(|| Tensor::from_vec(Image::mask(kernel, sees_itself), (1, 1, kernel, kernel), &Device::Cpu))
            .transpose()?;
        Ok(Self {
            weight: vb.get_with_hints((outputs, inputs, kernel, kernel), "weight", init)?,
            bias: vb.get_with_hints(outputs, "bias", init)?,
            mask,
            kernel,
        })
    }

    /// Masks the weight itself, once, for a network that is no longer trained.
    fn settle(&mut self) -> Result<()> {
        if let Some(mask) = self.mask.take() {
            self.weight = self.weight.broadcast_mul(&mask)?;
        }
        Ok(())
    }

    /// (B, in, H, W) → (B, out, H, W)
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (b, inputs, height, width) = x.dims4()?;
        let outputs = self.bias.elem_count();
        let bias = self.bias.reshape((1, outputs, 1, 1))?;
        let z = if self.kernel == 1 {
            let weight = self.weight.reshape((1, outputs, inputs))?;
            weight.broadcast_matmul(&x.reshape((b, inputs, height * width))?)?.reshape((b, outputs, height, width))?
        } else {
            let masked = self.mask.as_ref().map(|mask| self.weight.broadcast_mul(mask)).transpose()?;
            x.conv2d(masked.as_ref().unwrap_or(&self.weight), self.kernel / 2, 1, 1, 1)?
        };
        z.broadcast_add(&bias)
    }
}

struct PixelCnn {
    first: Layer,
    blocks: Vec<[Layer; 3]>,
    head: Layer,
    output: Layer,
}

impl PixelCnn {
    fn new(size: Image, vb: VarBuilder) -> Result<Self> {
        let Image { levels, wide, hidden, head, .. } = size;
        let block = |index: usize| -> Result<[Layer; 3]> {
            let vb = vb.pp(format!("blocks.{index}"));
            Ok([
                Layer::new(wide, hidden, 1, true, vb.pp("narrow"))?,
                Layer::new(hidden, hidden, 3, true, vb.pp("middle"))?,
                Layer::new(hidden, wide, 1, true, vb.pp("widen"))?,
            ])
        };
        Ok(Self {
            first: Layer::new(1, wide, 7, false, vb.pp("first"))?,
            blocks: (0..size.blocks).map(block).collect::<Result<_>>()?,
            head: Layer::new(wide, head, 1, true, vb.pp("head"))?,
            output: Layer::new(head, levels, 1, true, vb.pp("output"))?,
        })
    }

    fn settle(&mut self) -> Result<()> {
        self.first.settle()?;
        self.blocks.iter_mut().flatten().try_for_each(Layer::settle)
    }

    /// (B, 1, side, side) → logits (B, V, side, side)
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.first.forward(x)?;
        for [narrow, middle, widen] in &self.blocks {
            let y = narrow.forward(&x.relu()?)?.relu()?;
            x = (&x + widen.forward(&middle.forward(&y)?.relu()?)?)?;
        }
        self.output.forward(&self.head.forward(&x.relu()?)?.relu()?)
    }
}

/// The loss of one random batch, again and again.
pub fn loss(size: Image, vb: VarBuilder) -> Result<impl Fn() -> Result<Tensor>> {
    let model = PixelCnn::new(size, vb)?;
    let (levels, scaled) = size.random_batch();
    let inputs = Tensor::from_vec(scaled, (size.batch, 1, size.side, size.side), &Device::Cpu)?;
    let targets = Tensor::from_vec(levels, size.batch * size.pixels(), &Device::Cpu)?;
    Ok(move || {
        let logits = model.forward(&inputs)?.permute((0, 2, 3, 1))?.reshape(((), size.levels))?;
        candle_nn::loss::cross_entropy(&logits, &targets)
    })
}

/// One pixel after the other, each from a pass over the whole image.
pub fn generator(size: Image, vb: VarBuilder) -> Result<impl FnMut() -> Result<u32>> {
    let mut model = PixelCnn::new(size, vb)?;
    model.settle()?;
    let mut pixels = Pixels::new(size);
    Ok(move || {
        pixels.next(|so_far| {
            let x = Tensor::from_slice(so_far, (1, 1, size.side, size.side), &Device::Cpu)?;
            model.forward(&x)?.flatten_all()?.to_vec1::<f32>()
        })
    })
}
