//! Several sounds side by side, each a sample further, with one read of the weights.

use super::{Decoder, Memory, Shared, Work, relu, sum};
use crate::affine::share;
use crate::gated::add;
use autograd::Scalar;

/// Most sounds that go together: beyond, a weight that was read is used often enough.
const TOGETHER: usize = 16;

impl<T: Scalar> Decoder<T> {
    /// [`Decoder::step`] of several sounds, in the bits of one after the other; [`Memory::parameters`] has what it gives. Groups of sounds
    /// go to the threads.
    ///
    /// # Shapes
    /// `codes` (N) · `features` (N, F)
    ///
    /// # Panics
    /// As [`Decoder::step`], or if there is not one code for each sound.
    #[track_caller]
    pub fn step_many(&self, memories: &mut [Memory<T>], codes: &[Option<u32>], features: &[T]) {
        let network = &self.network;
        assert_eq!(memories.len(), codes.len(), "WaveNet: one code for each sound");
        assert_eq!(features.len(), codes.len() * network.features, "WaveNet: features of a position of each sound");
        let team = &mut *self.team.borrow_mut();
        for (i, (memory, &code)) in memories.iter_mut().zip(codes).enumerate() {
            network.symbols.read(code, &mut memory.work.x);
            if let Some(local) = &network.local {
                memory.told.hear(local, &features[i * network.features..][..network.features], team);
            }
        }
        let each = memories.len().div_ceil(team.members()).clamp(1, TOGETHER);
        share(team, memories.chunks_mut(each), |memories| network.step_together(memories));
    }
}

impl<T: Scalar> Shared<T> {
    /// From what enters the network for each sound to its parameters.
    fn step_together(&self, memories: &mut [Memory<T>]) {
        for (i, layer) in self.layers.iter().enumerate() {
            for memory in &mut *memories {
                memory.layers[i].remember(&memory.work.x);
            }
            let x = side_by_side(memories, |memory| &memory.work.x);
            let mut gates = side_by_side(memories, |memory| &memory.layers[i].past);
            layer.present.rows_onto(&x, &mut gates);
            for (memory, gates) in memories.iter_mut().zip(gates.chunks_exact_mut(layer.present.outputs())) {
                memory.told.add_to(i, gates);
                memory.layers[i].gate(gates);
            }
            let z = side_by_side(memories, |memory| &memory.layers[i].z);
            let past = layer.past.rows(&side_by_side(memories, |memory| memory.layers[i].oldest()));
            let made = [layer.led.rows(&z), layer.followed.rows(&z), past];
            for (k, memory) in memories.iter_mut().enumerate() {
                let [led, followed, past] = made.each_ref().map(|rows| {
                    let width = rows.len() / (z.len() / layer.present.inputs());
                    &rows[k * width..][..width]
                });
                let Work { x, skips, .. } = &mut memory.work;
                let (back, led) = led.split_at(layer.back);
                let (led_skips, followed_skips) = skips.split_at_mut(self.led);
                add(&mut x[..layer.back], back);
                sum(i, led_skips, led);
                sum(i, followed_skips, followed);
                memory.layers[i].past.copy_from_slice(past);
            }
        }
        memories.iter_mut().for_each(|memory| relu(&mut memory.work.skips));
        let mut hidden = self.head.rows(&side_by_side(memories, |memory| &memory.work.skips));
        relu(&mut hidden);
        let out = self.output.rows(&hidden);
        for (memory, out) in memories.iter_mut().zip(out.chunks_exact(self.output.outputs())) {
            memory.out.copy_from_slice(out);
        }
    }
}

/// A row of each sound.
fn side_by_side<T: Scalar>(memories: &[Memory<T>], row: impl Fn(&Memory<T>) -> &[T]) -> Vec<T> {
    memories.iter().flat_map(row).copied().collect()
}
