//! `lindung`: serves the API, and everything that its operator does.

mod admin;
mod audit;
mod config;
mod keys;
mod outside;
mod secrets;
mod serve;
mod sign;
mod speak;
mod witness;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// What a command can fail with: told to the operator as it is.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The coordination API of a child-protection task force.
#[derive(Debug, Parser)]
#[command(version, after_help = "Configuration comes from the environment: see the README.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until SIGTERM or Ctrl-C.
    Serve,
    /// Run the clocks, where no service does.
    Work(work::Work),
    /// Sign checkpoints of the access log, and have witnesses cosign them.
    Sign(sign::Sign),
    /// Be a witness of transparency logs: cosign what continues what was cosigned, and nothing else.
    Witness(witness::Witness),
    /// Bring the database to the shape that this version needs.
    Migrate,
    /// Load agencies and code lists, or bring them up to date.
    Seed(admin::Seed),
    /// Keep the systems that may ask for tokens.
    #[command(subcommand)]
    Client(admin::Client),
    /// Keep the identity keys, with which who a child is is sealed.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Pull, verify and report the access log, as an auditor.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Print an access token of the running service.
    Token(speak::Token),
    /// Print the OpenAPI document: what one can ask.
    Openapi,
    /// Print the AsyncAPI document: what one is told.
    Asyncapi,
    /// Play stories against the running service.
    Demo(speak::Demo),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("lindung: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    let config = Config::load()?;
    match command {
        Command::Serve => serve::serve(config)?,
        Command::Work(work) => work::work(&config, &work)?,
        Command::Sign(sign) => sign::sign(&config, sign)?,
        Command::Witness(witness) => witness::witness(&config, witness)?,
        Command::Migrate => admin::migrate(&config)?,
        Command::Seed(seed) => admin::seed(&config, &seed)?,
        Command::Client(client) => admin::client(&config, client)?,
        Command::Keys(command) => keys::keys(&config, command)?,
        Command::Audit(command) => return audit::audit(&config, command),
        Command::Token(token) => speak::token(&config, token)?,
        Command::Openapi => print!("{}", lindung_http::serve::Contract::known()?.as_str()),
        Command::Asyncapi => print!("{}", lindung_http::serve::Contract::known()?.of_events()),
        Command::Demo(demo) => return speak::demo(&config, &demo),
    }
    Ok(ExitCode::SUCCESS)
}
