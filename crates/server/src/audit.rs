//! What an auditor does with the access log, on a machine of their own: only pulling speaks to the service.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{Duration, NaiveTime};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use lindung_audit::pull::{Session, pull};
use lindung_audit::report::{Report, Settings};
use lindung_audit::verify::{Against, Counts, Verdict, verify};
use lindung_audit::{Findings, Folder};
use lindung_client::{Api, Credentials, Speaker};
use lindung_http::Clock;
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::Failure;
use crate::config::{Config, Environment};

/// What to do with the access log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Bring an export of the access log to a folder, or bring that up to date.
    Pull(Pull),
    /// Verify an export, offline; ends with 1 if anything does not hold.
    Verify(Verify),
    /// Count who looked, what for, when, and at how many.
    Report(Tables),
}

/// From where, whereto, and as whom.
#[derive(Debug, Args)]
pub struct Pull {
    /// The service, as in https://lindung.example.
    url: String,
    /// The folder of the export; a pull that was broken off goes on.
    folder: PathBuf,
    /// The auditor's agency.
    #[arg(long)]
    agency: String,
    /// The auditor.
    #[arg(long)]
    officer: String,
    /// The auditor's name; their id when left out.
    #[arg(long)]
    name: Option<String>,
    /// The file of the client's credentials; else one of LINDUNG_CREDENTIALS that speaks for the agency.
    #[arg(long)]
    credentials: Option<PathBuf>,
}

/// What to verify, and against what.
#[derive(Debug, Args)]
pub struct Verify {
    /// The folder of the export.
    folder: PathBuf,
    /// The policy that you trust: the keys of the log and of its witnesses.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// A checkpoint that you kept, or have from a witness.
    #[arg(long)]
    older: Option<PathBuf>,
    /// Count the accesses to this child anew.
    #[arg(long)]
    child: Option<Uuid>,
    /// By how many minutes an entry may be dated before one that came earlier.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    tolerance: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What to report.
#[derive(Debug, Args)]
pub struct Tables {
    /// The folder of the export.
    folder: PathBuf,
    /// Also write each table as CSV, and charts as SVG, to this folder.
    #[arg(long)]
    out: Option<PathBuf>,
    /// When the working day begins, in Malaysia.
    #[arg(long, default_value = "07:00:00")]
    from: NaiveTime,
    /// When it ends.
    #[arg(long, default_value = "19:00:00")]
    until: NaiveTime,
    /// More children than this, seen by one officer in a day, are many.
    #[arg(long, default_value_t = 20)]
    many: usize,
}

/// Does it.
///
/// # Errors
/// A file is missing or is none, or the service does not answer as it should.
pub fn audit(config: &Config, audit: Audit) -> Result<ExitCode, Failure> {
    match audit {
        Audit::Pull(asked) => bring(config, asked),
        Audit::Verify(asked) => tell(asked),
        Audit::Report(asked) => count(asked),
    }
}

fn bring(config: &Config, asked: Pull) -> Result<ExitCode, Failure> {
    let Pull { url, folder, agency, officer, name, credentials } = asked;
    let url = url.trim_end_matches('/');
    if !url.starts_with("https://") && config.environment == Environment::Production {
        return Err("the service must be at an https:// URL outside development".into());
    }
    let credentials = match credentials {
        Some(path) => Credentials::load(&path)?,
        None => {
            let all = Credentials::load_all(config.credentials()?)?;
            let auditor = |it: &Credentials| it.speaks_for(&agency) && it.roles.iter().any(|it| it == "auditor");
            all.into_iter().find(auditor).ok_or_else(|| format!("no client of an auditor speaks for {agency}"))?
        }
    };
    let name = name.unwrap_or_else(|| officer.clone());
    let speaker = Speaker::officer(&agency, &officer, &name, &["auditor"], Some("audit"));
    let mut session = Session::new(Api::new(url)?, credentials, speaker, || Clock::System.now());
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}, {eta} left")?);
    let mut progress = |what: &'static str, done, all| {
        bar.set_message(what);
        bar.set_length(all);
        bar.set_position(done);
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let pulled = runtime.block_on(pull(&mut session, &folder, &mut progress))?;
    bar.finish_and_clear();
    println!("{} entries, {} of them new", pulled.size, pulled.size - pulled.before);
    if !pulled.entries {
        println!("Without entry bundles, which are for the oversight offices: with the openings of your agency alone.");
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(asked: Verify) -> Result<ExitCode, Failure> {
    let Verify { folder, policy, older, child, tolerance, json } = asked;
    let against = Against { policy, older, child, tolerance: Duration::minutes(tolerance.into()) };
    let verdict = verify(&Folder::new(folder), &against)?;
    let code = if verdict.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        print(&format!("{}\n", serde_json::to_string_pretty(&verdict)?))?;
        return Ok(code);
    }
    let Verdict { origin, size, root, own_policy, witnesses, counts, child, findings } = verdict;
    if !own_policy {
        eprintln!("The policy is the folder's own: compare its keys with those that you were given, or use --policy.");
    }
    let mut text = format!("{origin}\n{size} entries, root {root}\n");
    for it in witnesses {
        text += &format!("witnessed by {} at {}\n", it.witness, it.at);
    }
    let Counts { entries, unread, opened, erased, accesses, unsealed } = counts;
    text += &format!("entries verified: {entries}; of others, by their hash alone: {unread}\n");
    text += &format!("openings that open: {opened}; erased by two officers: {erased}\n");
    text += &format!("accesses of the API's log compared: {accesses}; not sealed yet: {unsealed}\n");
    if let Some(child) = child {
        text += &format!("accesses to the child: {} by the entries, {} by the API\n", child.entered, child.told);
    }
    print(&(text + &found(&findings)))?;
    Ok(code)
}

/// What does not hold, as a table, as counts, and the first of it.
fn found(findings: &Findings) -> String {
    if findings.is_empty() {
        return "Everything holds.\n".to_owned();
    }
    let mut text = format!("{}\n", findings.table());
    let told = findings.told.len() as u64;
    if told < findings.total() {
        text += &format!("and {} more\n", findings.total() - told);
    }
    for (kind, count) in &findings.counts {
        text += &format!("{count} x {}\n", kind.as_str());
    }
    if let Some(first) = &findings.first {
        let number = first.number.map_or(String::new(), |it| it.to_string());
        text += &format!("The first entry that does not hold is {number}: {}.\n", first.why);
    }
    text
}

fn count(asked: Tables) -> Result<ExitCode, Failure> {
    let Tables { folder, out, from, until, many } = asked;
    let report = Report::of(&Folder::new(folder), &Settings { from, until, many })?;
    let mut text = String::new();
    for sheet in report.sheets() {
        text += &format!("{}\n{}\n\n", sheet.title, sheet.table());
    }
    for path in out.as_deref().map(|it: &Path| report.write(it)).transpose()?.unwrap_or_default() {
        text += &format!("{}\n", path.display());
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a text; whoever has read enough of it may go.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
