//! Series of real numbers: reading a column, the linear AR(k) model by three methods, the neural one, forecasts and floors.
//!
//! This file is the map of the folder; it holds no code of its own.

pub mod ar;
pub mod ar_steps;
pub mod burg;
mod cell;
pub mod column;
pub mod exposure;
pub mod floors;
pub mod forecast;
pub mod least_squares;
pub mod mackey_glass;
pub mod model;
pub mod order;
pub mod picture;
pub mod qr;
pub mod roots;
pub mod split;
pub mod sunspots;
pub mod yule_walker;
