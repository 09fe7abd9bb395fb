//! The code in the README and in the book, compiled and run as this crate's documentation tests. Exists for them alone.
//!
//! It stands here because the text uses both crates, and rustdoc tests libraries only.

macro_rules! page {
    ($name:ident, $path:literal) => {
        #[doc = include_str!($path)]
        struct $name;
    };
}

page!(Readme, "../../README.md");
page!(Contributing, "../../CONTRIBUTING.md");
page!(ReverseMode, "../../docs/book/01-reverse-mode.md");
page!(Engine, "../../docs/book/02-engine.md");
page!(GradientChecking, "../../docs/book/03-gradient-checking.md");
page!(GatedRecurrentUnit, "../../docs/book/04-gru.md");
page!(LeastSquaresToNetwork, "../../docs/book/05-from-least-squares-to-a-network.md");
page!(CheckingAModel, "../../docs/book/06-checking-a-model.md");
page!(SavingAndResuming, "../../docs/book/07-saving-and-resuming.md");
page!(OneOrderForEverySum, "../../docs/book/08-one-order-for-every-sum.md");
page!(ConvolutionAsAnIndexedProduct, "../../docs/book/09-convolution.md");
page!(MasksAndTheBlindSpot, "../../docs/book/10-masks-and-the-blind-spot.md");
page!(SkewingAndTheDiagonal, "../../docs/book/11-skewing-and-the-diagonal.md");
page!(DrawingAPictureOnce, "../../docs/book/12-drawing-a-picture-once.md");
page!(DilationAndQueues, "../../docs/book/13-dilation-and-queues.md");
page!(SamplesAsSymbols, "../../docs/book/14-samples-as-symbols.md");
page!(Conditioning, "../../docs/book/15-conditioning.md");
page!(Attention, "../../docs/book/16-attention.md");
page!(CompressionAsProof, "../../docs/book/17-compression-as-proof.md");
page!(ExposureBias, "../../docs/book/18-exposure-bias.md");
page!(AroundTheLoop, "../../docs/book/19-around-the-loop.md");
