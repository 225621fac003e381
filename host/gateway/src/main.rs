//! The `gatewright` binary.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    gatewright::cli::main()
}
