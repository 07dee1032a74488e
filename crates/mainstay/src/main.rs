//! The binary `mainstay`.

use std::process::ExitCode;

/// A request is some dozens of small allocations that one thread makes and frees; this
/// allocator serves those without a lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mainstay::cli::main()
}
