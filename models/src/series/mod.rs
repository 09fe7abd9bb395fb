//! Series of real numbers: reading a column, the linear AR(k) model by three methods, the neural one, forecasts and floors.
//!
//! This file is the map of the folder; it holds no code of its own.

pub mod ar;
pub mod ar_steps;
pub mod burg;
mod cell;
pub mod column;
pub mod config;
pub mod exposure;
pub mod floors;
pub mod forecast;
pub mod least_squares;
pub mod linear;
pub mod mackey_glass;
pub mod model;
pub mod neural_ar;
pub mod neural_predictor;
pub mod order;
pub mod picture;
pub mod qr;
pub mod roots;
pub mod saved;
pub mod simulation;
pub mod split;
pub mod sunspots;
pub mod training;
pub mod yule_walker;
