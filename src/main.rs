//! The `propice` command; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    propice::cli::main()
}
