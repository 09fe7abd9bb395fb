//! Series of real numbers: reading a column, the linear AR(k) model by three methods, the neural one, forecasts and floors.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`column`](mod@column), `dates`, [`data`], [`split`] | a column of a CSV file, and its parts |
//! | [`ar`], [`ar_steps`], [`least_squares`], [`qr`], [`yule_walker`], [`burg`], [`order`], [`roots`] | the linear model: fitted, chosen, stepped, its roots |
//! | [`neural_ar`], [`neural_predictor`] | the same lags into a network; one value at a time |
//! | [`model`] | what both share: how far they look back, how they are scored |
//! | [`config`], [`training`] | what can be set; the training of the neural one |
//! | [`linear`], [`saved`] | both in a checkpoint |
//! | [`forecast`], [`simulation`], [`generation`] | values to come: in closed form, simulated, drawn |
//! | [`evaluation`], [`floors`], [`exposure`], [`drift`], [`properties`] | likelihood and errors, beside rivals; checks |
//! | [`description`], [`picture`], [`linear_page`] | numbers and pictures of them |
//! | [`sunspots`], [`mackey_glass`] | two series that come with the crate |

pub mod ar;
pub mod ar_steps;
pub mod burg;
pub mod column;
pub mod config;
pub mod data;
mod dates;
pub mod description;
pub mod drift;
pub mod evaluation;
pub mod exposure;
pub mod floors;
pub mod forecast;
pub mod generation;
pub mod least_squares;
pub mod linear;
pub mod linear_page;
pub mod mackey_glass;
pub mod model;
pub mod neural_ar;
pub mod neural_predictor;
pub mod order;
pub mod picture;
pub mod properties;
pub mod qr;
pub mod roots;
pub mod saved;
pub mod simulation;
pub mod split;
pub mod sunspots;
pub mod training;
pub mod yule_walker;
