//! The thin binary: everything is in the library.

/// Answers and batches are made of many short-lived values, which the system's allocator takes a tenth more processor time for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    privet::cli::main()
}
