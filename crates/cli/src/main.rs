//! The one program, `parapet`, with a subcommand for each job. Parses the command line, sets up logs and signals, and
//! hands over; the jobs themselves are in the crates.

mod command;
mod failure;
mod home;
mod logging;
mod memory;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Watches compounds and streets, and turns what it sees into suspected violations for people to check.
#[derive(Debug, Parser)]
#[command(name = "parapet", version, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    logging: logging::Logging,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulated cameras, node, broker, command center and page in one process.
    Demo(command::demo::Options),
    /// Node and command center in one process.
    Run(command::run::Options),
    /// The cameras of a pipeline file; incidents go to the broker.
    Node(command::node::Options),
    /// The command center: intake from the broker, store, API and page.
    Center(command::center::Options),
    /// Name every mistake in a pipeline file.
    Check(command::check::Options),
    /// Run a pipeline over a recording and write its incidents as JSON Lines.
    Analyze(command::analyze::Options),
    /// How many cameras this machine watches, and what each costs.
    Bench(command::bench::Options),
    /// Score models and pipelines on labelled footage, and write a report.
    Eval(command::eval::Options),
    /// Approved pictures of views: what is there, proposing, approving and rejecting.
    #[command(subcommand)]
    Baseline(command::baseline::Command),
    /// What PTZ domes say of themselves.
    #[command(subcommand)]
    Dome(command::dome::Command),
    /// The models that are there, and whether they are what their manifests say.
    #[command(subcommand)]
    Models(command::models::Command),
    /// Simulated cameras.
    #[command(subcommand)]
    Camera(command::camera::Command),
    /// Clips made on purpose, with exact truth.
    #[command(subcommand)]
    Scenario(command::scenario::Command),
    /// What is new on roofs between drone flights.
    #[command(subcommand)]
    Survey(command::survey::Command),
    /// What operators said about incidents, as a labelled event set and as figures.
    #[command(subcommand)]
    Verdicts(command::verdicts::Command),
    /// Who may sign in at a center.
    #[command(subcommand)]
    User(command::user::Command),
    /// Evidence and records: whether they are what they were, and archives that prove themselves.
    #[command(subcommand)]
    Evidence(command::evidence::Command),
    /// Completions for a shell, to standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    memory::keep_together();
    let arguments = Arguments::parse();
    logging::start(&arguments.logging);
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nobody chose a TLS provider before main");
    let done = match arguments.command {
        Command::Demo(options) => command::demo::run(&options),
        Command::Run(options) => command::run::run(options),
        Command::Node(options) => command::node::run(options),
        Command::Center(options) => command::center::run(&options),
        Command::Check(options) => command::check::run(&options),
        Command::Analyze(options) => command::analyze::run(options),
        Command::Bench(options) => command::bench::run(&options),
        Command::Eval(options) => command::eval::run(&options),
        Command::Baseline(command) => command::baseline::run(command),
        Command::Dome(command) => command::dome::run(command),
        Command::Models(command) => command::models::run(command),
        Command::Camera(command) => command::camera::run(command),
        Command::Scenario(command) => command::scenario::run(command),
        Command::Survey(command) => command::survey::run(command),
        Command::Verdicts(command) => command::verdicts::run(command),
        Command::Evidence(command) => command::evidence::run(command),
        Command::User(command) => command::user::run(command),
        Command::Completions { shell } => command::completions(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
