//! What an operator does to the database: its shape, its reference data, its clients.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use lindung_client::Credentials;
use lindung_domain::{AgencyCode, ClientId, Refusal, Role};
use lindung_http::Clock;
use lindung_http::keys::PublicKey;
use lindung_persistence::{
    self as persistence, ClientKey, Db, DbRole, Development, DevelopmentClient, Error, Registration,
};
use lindung_vault::Vault;
use uuid::Uuid;

use crate::Failure;
use crate::config::{Config, Environment};
use crate::secrets;

/// What to load.
#[derive(Debug, Args)]
pub struct Seed {
    /// Also register units and clients for development, each client with a freshly made key.
    #[arg(long)]
    development: bool,
    /// Also make this many cases, for benches. Never in production.
    #[arg(long, value_name = "N")]
    cases: Option<u64>,
}

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Register a client, or change how it is registered; the key is added to those it has. Outside development
    /// another operator confirms it.
    Add(Add),
    /// Confirm what another operator proposed.
    Confirm {
        /// The registration, as `add` and `list` name it.
        id: Uuid,
    },
    /// List the clients, and what waits to be confirmed.
    List,
    /// End a client's rights, or take one of its keys away.
    Disable {
        /// The client.
        id: ClientId,
        /// Only this key.
        #[arg(long)]
        kid: Option<String>,
    },
}

/// A client to register.
#[derive(Debug, Args)]
pub struct Add {
    /// Its id.
    #[arg(long)]
    id: ClientId,
    /// The agency it belongs to.
    #[arg(long)]
    agency: AgencyCode,
    /// A unit that it may speak for too; once for each.
    #[arg(long = "unit")]
    units: Vec<AgencyCode>,
    /// A role that it may vouch for; once for each.
    #[arg(long = "role")]
    roles: Vec<Role>,
    /// An agency or unit of these whose officers may look at a case in an emergency; once for each.
    #[arg(long = "emergency")]
    emergency: Vec<AgencyCode>,
    /// What it is called.
    #[arg(long)]
    name: String,
    /// A file with its public key: a JWK or PEM of Ed25519, P-256 or RSA.
    #[arg(long, required_unless_present = "new_key", conflicts_with = "new_key")]
    key: Option<PathBuf>,
    /// Make a key, and write its credentials into LINDUNG_CREDENTIALS.
    #[arg(long)]
    new_key: bool,
}

/// Applies the migrations that are missing.
///
/// # Errors
/// One fails, or the database is not there.
pub fn migrate(config: &Config) -> Result<(), Failure> {
    for name in config.db(DbRole::Login, Vault::locked())?.migrate()? {
        println!("applied {name}");
    }
    Ok(())
}

/// Loads reference data.
///
/// # Errors
/// The database is not there; development data is asked for in production.
pub fn seed(config: &Config, seed: &Seed) -> Result<(), Failure> {
    if config.environment == Environment::Production && (seed.development || seed.cases.is_some()) {
        return Err("made-up data needs LINDUNG_ENVIRONMENT=development".into());
    }
    let db = config.db(DbRole::Maintenance, Vault::locked())?;
    db.seed_reference(Clock::System.now())?;
    if seed.development {
        let development = Development::load()?;
        db.seed_development(&development, Clock::System.now())?;
        for client in &development.clients {
            register_development(config, &db, client)?;
        }
    }
    if let Some(cases) = seed.cases {
        fill(&config.db(DbRole::Login, secrets::vault(config)?)?, cases)?;
    }
    Ok(())
}

fn fill(db: &Db, cases: u64) -> Result<(), Failure> {
    let bar = ProgressBar::new(cases);
    bar.set_style(ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} cases, {eta} left")?);
    let filled = db.fill(cases, Clock::System.now(), &mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    println!("cases {} to {}: {} rows", filled.first, filled.last, filled.rows);
    Ok(())
}

fn register_development(config: &Config, db: &Db, client: &DevelopmentClient) -> Result<(), Failure> {
    let DevelopmentClient { id, agency, units, roles, emergency, name } = client;
    let add = Add {
        id: id.parse()?,
        agency: agency.parse()?,
        units: units.iter().map(|it| it.parse()).collect::<Result<_, _>>()?,
        roles: roles.iter().map(|it| it.parse()).collect::<Result<_, _>>()?,
        emergency: emergency.iter().map(|it| it.parse()).collect::<Result<_, _>>()?,
        name: name.clone(),
        key: None,
        new_key: true,
    };
    let (client, key) = registration(config, db, &add)?;
    Ok(db.register_client(&client, &key, Clock::System.now())?)
}

/// Keeps clients.
///
/// # Errors
/// What is asked is not possible; the database is not there.
pub fn client(config: &Config, command: Client) -> Result<(), Failure> {
    let db = config.db(DbRole::Maintenance, Vault::locked())?;
    match command {
        Client::Add(add) => {
            let (client, key) = registration(config, &db, &add)?;
            if config.environment == Environment::Production {
                let id = db.propose_client(&client, &key, Clock::System.now())?;
                println!("proposed as {id}: another operator confirms it with `lindung client confirm {id}`");
            } else {
                db.register_client(&client, &key, Clock::System.now())?;
                println!("{} has the key {}", client.id, key.kid);
            }
        }
        Client::Confirm { id } => match db.confirm_client(id, Clock::System.now()) {
            Ok(client) => println!("{client} is registered"),
            Err(Error::Refused(Refusal::NotFound)) => return Err(format!("nothing waits under {id}").into()),
            Err(Error::Refused(Refusal::NotYours)) => {
                return Err("you proposed it yourself: somebody with another database login confirms it".into());
            }
            Err(error) => return Err(error.into()),
        },
        Client::List => {
            for persistence::Client { id, agency, units, roles, emergency, name, active } in db.clients()? {
                let state = if active { "active" } else { "disabled" };
                let join = |it: Vec<String>| it.join(",");
                let units = join(units.iter().map(ToString::to_string).collect());
                let roles = join(roles.iter().map(ToString::to_string).collect());
                let emergency = join(emergency.iter().map(ToString::to_string).collect());
                println!("{id}\t{state}\t{agency}\t{units}\t{roles}\t{emergency}\t{name}");
            }
            for Registration { id, client, kid, proposed_by, .. } in db.waiting_clients()? {
                println!("{}\twaits\t{}\tkey {kid}, proposed by {proposed_by} as {id}", client.id, client.agency);
            }
        }
        Client::Disable { id, kid: None } => {
            db.disable_client(&id)?.then_some(()).ok_or_else(|| format!("there is no client {id}"))?;
        }
        Client::Disable { id, kid: Some(kid) } => {
            db.remove_key(&id, &kid)?.then_some(()).ok_or_else(|| format!("{id} has no key {kid}"))?;
        }
    }
    Ok(())
}

/// What is to be registered: the client and its key.
fn registration(config: &Config, db: &Db, add: &Add) -> Result<(persistence::Client, ClientKey), Failure> {
    let Add { id, agency, units, roles, emergency, name, key, .. } = add;
    for code in std::iter::once(agency).chain(units) {
        if !db.takes_part(code)? {
            return Err(format!("{code} is not registered, does not take part, or is a heading").into());
        }
        if let Some(role) = roles.iter().find(|it| !it.is_held_in(code)) {
            return Err(format!("the role {role} cannot be held in {code}").into());
        }
    }
    if let Some(other) = emergency.iter().find(|it| *it != agency && !units.contains(it)) {
        return Err(format!("{other} is neither the client's agency nor one of its units").into());
    }
    let key = match key {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            PublicKey::from_text(&text).map_err(|error| format!("{} {error}", path.display()))?
        }
        None => PublicKey::from_jwk(&credentials(config, add)?.public_jwk()?)?,
    };
    let client = persistence::Client {
        id: id.clone(),
        agency: agency.clone(),
        units: units.clone(),
        roles: roles.clone(),
        emergency: emergency.clone(),
        name: name.clone(),
        active: true,
    };
    Ok((client, ClientKey { kid: key.kid().to_owned(), jwk: key.jwk }))
}

/// The credentials of a client: those that are there, or new ones.
fn credentials(config: &Config, add: &Add) -> Result<Credentials, Failure> {
    let folder = config.credentials()?;
    fs::create_dir_all(folder)?;
    let path = Credentials::path_in(folder, add.id.as_str());
    if path.exists() {
        return Ok(Credentials::load(&path)?);
    }
    let units = add.units.iter().map(ToString::to_string).collect();
    let roles = add.roles.iter().map(ToString::to_string).collect();
    let made = Credentials::generate(add.id.as_str(), add.agency.as_str(), units, roles)?;
    made.save(&path)?;
    Ok(made)
}
