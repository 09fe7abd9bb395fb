//! The PixelCNN in burn.

use crate::integers;
use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{Image, Pixels};

/// A convolution that keeps height and width.
#[derive(Module, Debug)]
pub struct Layer {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    mask: Option<Tensor<4>>,
}

impl Layer {
    /// With mask B if it `sees_itself`, else A.
    fn new(inputs: usize, outputs: usize, kernel: usize, sees_itself: bool, device: &Device) -> Self {
        let bound = ((inputs * kernel * kernel) as f64).powf(-0.5);
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let mask = TensorData::new(Image::mask(kernel, sees_itself), [1, 1, kernel, kernel]);
        Self {
            weight: uniform.init([outputs, inputs, kernel, kernel], device),
            bias: uniform.init([outputs], device),
            mask: (kernel > 1).then(|| Tensor::from_data(mask, device)),
        }
    }

    /// Masks the weight itself, once, for a network that is no longer trained.
    fn settled(self) -> Self {
        let Self { weight, bias, mask } = self;
        let weight = match mask {
            Some(mask) => weight.map(|weight| weight * mask),
            None => weight,
        };
        Self { weight, bias, mask: None }
    }

    /// (B, in, H, W) → (B, out, H, W)
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut weight = self.weight.val();
        if let Some(mask) = &self.mask {
            weight = weight * mask.clone();
        }
        let padding = weight.dims()[2] / 2;
        conv2d(x, weight, Some(self.bias.val()), ConvOptions::new([1, 1], [padding, padding], [1, 1], 1))
    }
}

#[derive(Module, Debug)]
pub struct Block {
    narrow: Layer,
    middle: Layer,
    widen: Layer,
}

#[derive(Module, Debug)]
pub struct PixelCnn {
    first: Layer,
    blocks: Vec<Block>,
    head: Layer,
    output: Layer,
}

impl PixelCnn {
    pub fn new(size: Image, device: &Device) -> Self {
        let Image { levels, wide, hidden, head, .. } = size;
        let block = |_| Block {
            narrow: Layer::new(wide, hidden, 1, true, device),
            middle: Layer::new(hidden, hidden, 3, true, device),
            widen: Layer::new(hidden, wide, 1, true, device),
        };
        Self {
            first: Layer::new(1, wide, 7, false, device),
            blocks: (0..size.blocks).map(block).collect(),
            head: Layer::new(wide, head, 1, true, device),
            output: Layer::new(head, levels, 1, true, device),
        }
    }

    fn settled(mut self) -> Self {
        self.first = self.first.settled();
        let settled = |block: Block| Block { middle: block.middle.settled(), ..block };
        self.blocks = self.blocks.into_iter().map(settled).collect();
        self
    }

    /// (B, 1, side, side) → logits (B, V, side, side)
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.first.forward(x);
        for block in &self.blocks {
            let y = relu(block.narrow.forward(relu(x.clone())));
            x = x + block.widen.forward(relu(block.middle.forward(y)));
        }
        self.output.forward(relu(self.head.forward(relu(x))))
    }
}

/// The targets of one random batch, and what gives its logits (B·side·side, V).
pub fn batch(size: Image, device: &Device) -> (Tensor<1, Int>, impl Fn(&PixelCnn) -> Tensor<2>) {
    let (levels, scaled) = size.random_batch();
    let count = levels.len();
    let x: Tensor<4> = Tensor::from_data(TensorData::new(scaled, [size.batch, 1, size.side, size.side]), device);
    let logits = move |model: &PixelCnn| model.forward(x.clone()).permute([0, 2, 3, 1]).reshape([count, size.levels]);
    (integers(&levels, [count], device), logits)
}

/// One pixel after the other, each from a pass over the whole image.
pub fn generator(size: Image, device: &Device) -> impl FnMut() -> u32 {
    let model = PixelCnn::new(size, device).settled();
    let mut pixels = Pixels::new(size);
    let device = device.clone();
    move || {
        let logits = |so_far: &[f32]| {
            let x = TensorData::new(so_far.to_vec(), [1, 1, size.side, size.side]);
            model.forward(Tensor::from_data(x, &device)).into_data().try_to_vec::<f32>()
        };
        pixels.next(logits).expect("f32 logits")
    }
}
