//! Speaking to the running service as a ministry's system would: one token, or a whole story.

use std::path::PathBuf;
use std::process::ExitCode;

use actix_web::rt::System;
use clap::Args;
use lindung_client::story::{self, Setting, Story};
use lindung_client::{Api, Bound, Credentials, Officer, Speaker};
use lindung_http::Clock;
use tokio::runtime::Builder;

use crate::Failure;
use crate::config::Config;
use crate::outside::Outside;
use crate::work;

/// Whose token, and what for.
#[derive(Debug, Args)]
pub struct Token {
    /// The agency or unit.
    #[arg(long)]
    agency: String,
    /// The officer; without one the client acts alone.
    #[arg(long, requires = "roles")]
    officer: Option<String>,
    /// The officer's name; their id when left out.
    #[arg(long)]
    name: Option<String>,
    /// A role of the officer's; once for each.
    #[arg(long = "role", requires = "officer")]
    roles: Vec<String>,
    /// The purpose of use; none for an administrator.
    #[arg(long, requires = "officer")]
    purpose: Option<String>,
    /// Bind the token to a key, and print the header fields of one request with it, as `curl -H @-` takes them.
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"])]
    dpop: Option<Vec<String>>,
}

/// Which stories.
#[derive(Debug, Args)]
pub struct Demo {
    /// The files, in their order.
    #[arg(required = true)]
    stories: Vec<PathBuf>,
}

/// Prints a token, or the header fields of one request.
///
/// # Errors
/// No client may speak for the agency, or the service gives none.
pub fn token(config: &Config, token: Token) -> Result<(), Failure> {
    let Token { agency, officer, name, roles, purpose, dpop } = token;
    let all = Credentials::load_all(config.credentials()?)?;
    let credentials = all.iter().find(|it| it.speaks_for(&agency)).ok_or_else(|| {
        format!(
            "no client in {} speaks for {agency}",
            config.credentials().map_or(String::new(), |it| it.display().to_string())
        )
    })?;
    let officer = officer.map(|id| Officer { name: name.unwrap_or_else(|| id.clone()), id, roles, purpose });
    let speaker = Speaker { agency, officer };
    let api = Api::new(&config.issuer()?)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    match dpop.as_deref() {
        Some([method, url]) => {
            let now = Clock::System.now();
            let bound = runtime.block_on(Bound::sign_in(&api, credentials, &speaker, now))?;
            for (name, value) in bound.headers(method, url, now)? {
                println!("{name}: {value}");
            }
        }
        _ => println!("{}", runtime.block_on(api.token(credentials, &speaker))?),
    }
    Ok(())
}

/// Plays stories; fails if a step is answered other than it expects.
///
/// # Errors
/// A story cannot be played at all.
pub fn demo(config: &Config, demo: &Demo) -> Result<ExitCode, Failure> {
    let credentials = Credentials::load_all(config.credentials()?)?;
    let api = Api::new(&config.issuer()?)?;
    let pass = |time: &str| work::pass(config, time).map_err(|it| it.to_string());
    System::new().block_on(async {
        let outside = Outside::start(config.mail_folder.clone())?;
        let around = Api::new(&outside.url)?;
        let setting = Setting { api: &api, credentials: &credentials, outside: &around };
        for path in &demo.stories {
            let story = Story::load(path)?;
            if !story::play(&story, setting, pass, &mut std::io::stdout()).await?.is_good() {
                return Ok(ExitCode::FAILURE);
            }
        }
        outside.end().await;
        Ok(ExitCode::SUCCESS)
    })
}
