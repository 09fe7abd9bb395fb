//! The command line of autoreg: parses arguments, calls the libraries, reports. No mathematics lives here.

fn main() {}
