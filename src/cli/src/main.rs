//! The `propice` command; everything is in the library.

use std::process::ExitCode;

/// Why not the system's: docs/decisions/0009.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    propice_cli::main()
}
