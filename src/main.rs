//! The `propice` command; everything is in the library.

fn main() {}
