//! The command line: arguments, settings with their origin, printer, progress, exit codes.

/// Runs the process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
