//! How the program ends when something is wrong: exit code 2 for the user's mistake, 1 for a failure.

use std::{fmt, process::ExitCode};

/// The user's mistake: wrong options, a wrong file, something that is not set up.
#[derive(Debug)]
pub(crate) struct Mistake(pub(crate) String);

impl Mistake {
    /// An error with its causes, on one line.
    pub(crate) fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(format!("{:#}", anyhow::Error::new(error)))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

/// Ends a command whose output has said all that there is to say, with this exit code.
#[derive(Debug)]
pub(crate) struct Silent(pub(crate) u8);

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

impl std::error::Error for Silent {}

/// Prints the chain of an error and gives its exit code.
#[expect(clippy::print_stderr, reason = "the last words of the program")]
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(Silent(code)) = error.downcast_ref() {
        return ExitCode::from(*code);
    }
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    ExitCode::from(if error.is::<Mistake>() { 2 } else { 1 })
}
