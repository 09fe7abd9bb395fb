//! stub
mod schedule;
pub use schedule::Schedule;
