//! The `gatewright` binary.
#![forbid(unsafe_code)]

/// A request is hundreds of small pieces of JSON, made on one thread and often dropped on another,
/// which this allocator does in less time than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gatewright::cli::main()
}
