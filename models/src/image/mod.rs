//! Images: their data, and models of them.

pub mod gated_pixel_cnn;
pub mod network;
pub mod pixel_cnn;
