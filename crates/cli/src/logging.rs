//! Logs on standard error, as text or as JSON Lines.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How the program logs.
#[derive(Debug, clap::Args)]
pub(crate) struct Logging {
    /// What to log: a level, or a filter such as `info,parapet_ingest=debug`.
    #[arg(
        long,
        global = true,
        env = "PARAPET_LOG",
        default_value = "info,rumqttd=off,rumqttc=warn,ort=warn"
    )]
    log: String,
    /// How to write it.
    #[arg(long, global = true, env = "PARAPET_LOG_FORMAT", value_enum, default_value_t = Format::Text)]
    log_format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging; a filter that makes no sense is reported and replaced by the default level.
pub(crate) fn start(options: &Logging) {
    let (filter, mistake) = match EnvFilter::try_new(&options.log) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match options.log_format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => builder.json().init(),
    }
    if let Some(error) = mistake {
        tracing::warn!(filter = options.log, %error, "log filter makes no sense; hint: --log info,parapet_edge=debug");
    }
}
