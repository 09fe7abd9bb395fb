//! Text: its symbols, its files, its windows, its floors, and its way back onto a terminal. No model lives here.

mod bpe;
pub mod corpus;
pub mod floors;
pub mod markov;
pub mod streams;
pub mod utf8;
pub mod vocabulary;
