//! stub
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
#[allow(missing_docs)]
pub struct Streams(u64);
#[allow(missing_docs)]
impl Streams {
    pub fn new(s: u64) -> Self {
        Streams(s)
    }
    pub fn stream(&self, n: &str) -> Stream {
        let h = n.bytes().fold(self.0, |a, b| a.wrapping_mul(31).wrapping_add(b as u64));
        Stream(ChaCha8Rng::seed_from_u64(h))
    }
}
#[allow(missing_docs)]
pub struct Stream(ChaCha8Rng);
#[allow(missing_docs)]
impl Stream {
    pub fn dropout_mask(&mut self, n: usize, keep: f64) -> Vec<u8> {
        use rand::RngExt;
        (0..n).map(|_| u8::from(self.0.random_bool(keep))).collect()
    }
}
impl rand::rand_core::TryRng for Stream {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, d: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill_bytes(d);
        Ok(())
    }
}
