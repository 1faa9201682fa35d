//! The identity keys: their versions, and bringing all children to the current one.

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use lindung_persistence::{Db, DbRole, KeyUse, Rotated};
use lindung_vault::FileKeys;

use crate::Failure;
use crate::config::Config;
use crate::secrets;

/// What to do with the identity keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Tell which versions there are, and for how many children each is used.
    Status,
    /// Make the next version in the folder LINDUNG_IDENTITY_KEYS; it is used at once.
    Add,
    /// Bring all children to the current version, beside a running service; to go on after an
    /// interruption, run it again.
    Rotate,
}

/// Keeps the identity keys.
///
/// # Errors
/// The keys or the database are not there; some children could not be brought to the current version.
pub fn keys(config: &Config, command: Keys) -> Result<(), Failure> {
    match command {
        Keys::Add => println!("{}", FileKeys::add(config.identity_keys_folder()?)?),
        Keys::Status => status(config)?,
        Keys::Rotate => rotate(&config.db(DbRole::Maintenance, secrets::vault(config)?)?)?,
    }
    Ok(())
}

fn status(config: &Config) -> Result<(), Failure> {
    let vault = secrets::vault(config)?;
    let (versions, uses) = (vault.versions()?, config.db(DbRole::Maintenance, vault)?.key_uses()?);
    println!("version\tchildren\tindex entries\t");
    let unused = versions.iter().filter(|it| uses.iter().all(|used| used.version != **it));
    let unused = unused.map(|it| KeyUse { version: *it, keys: 0, entries: 0 });
    let mut all: Vec<KeyUse> = uses.iter().copied().chain(unused).collect();
    all.sort_by_key(|it| it.version);
    for KeyUse { version, keys, entries } in all {
        let note = match versions.binary_search(&version) {
            Err(_) => "missing",
            Ok(at) if at + 1 == versions.len() => "current",
            Ok(_) => "",
        };
        println!("{version}\t{keys}\t{entries}\t{note}");
    }
    Ok(())
}

fn rotate(db: &Db) -> Result<(), Failure> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} children, {eta} left")?);
    let Rotated { children, failed } = db.rotate_keys(&mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    println!("{children} children brought to the current version");
    if failed.is_empty() {
        return Ok(());
    }
    for child in &failed {
        eprintln!("does not open: child {child}");
    }
    Err(format!("{} children could not be brought to the current version", failed.len()).into())
}
