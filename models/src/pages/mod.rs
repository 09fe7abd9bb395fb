//! What people look at: plots as SVG, the page of a run as one HTML file. Nothing here knows a model, and nothing is written to disk.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | `canvas` | the paper a plot is drawn on |
//! | [`plot`] | lines and bands as SVG |
//! | [`loss_picture`] | the loss curve of a run |
//! | [`spectrogram`] | the waveform and the spectrogram of a sound as PNG |
//! | [`numbers`] | counts, times and sizes as people read them |
//! | [`page`] | a self-contained HTML page |
//! | [`run_page`] | the page of a run |

mod canvas;
pub mod loss_picture;
pub mod numbers;
pub mod page;
pub mod plot;
pub mod run_page;
pub mod spectrogram;
