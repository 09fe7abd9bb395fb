//! Series of real numbers: reading a column, the linear AR(k) model by three methods, its forecasts and its floors.
//!
//! This file is the map of the folder; it holds no code of its own.

pub mod ar;
pub mod least_squares;
pub mod qr;
pub mod sunspots;
