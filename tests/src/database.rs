//! A database for each test, cloned from a template that this process makes once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Jsonb, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use lindung_client::Credentials;
use lindung_persistence::{Client, ClientKey, Db, DbRole, Development, Settings};
use lindung_vault::{FileKeys, Vault};
use serde_json::Value;

static TEMPLATE: OnceLock<Template> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);
const PREFIX: &str = "lindung_test";

struct Template {
    name: String,
    credentials: Vec<Credentials>,
}

/// A database that goes when the test ends.
pub struct Database {
    name: String,
    /// How to reach it.
    pub url: String,
    /// The folder of its identity keys.
    pub keys: PathBuf,
}

#[derive(QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = Jsonb)]
    pub(crate) row: Value,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Where the server is: a database on it from which others can be made.
#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> String {
    std::env::var("LINDUNG_TEST_DATABASE_URL")
        .expect("LINDUNG_TEST_DATABASE_URL is not set: `make test` starts a PostgreSQL for the tests and sets it")
}

fn url_of(name: &str) -> String {
    server().replacen("/postgres?", &format!("/{name}?"), 1)
}

fn on_server() -> PgConnection {
    PgConnection::establish(&server()).expect("the tests' PostgreSQL answers")
}

fn db_at(url: &str, role: DbRole, vault: Vault) -> Db {
    let acquire_timeout = Duration::from_secs(10);
    Db::new(Settings { url: url.to_owned(), role, pool_size: 8, acquire_timeout, vault: Arc::new(vault) })
}

/// Everything that a new installation in development has.
#[expect(clippy::disallowed_methods, reason = "when the template was made matters to no test")]
fn template() -> Template {
    let mut server = on_server();
    sweep(&mut server);
    let name = format!("{PREFIX}_{}_template", std::process::id());
    server.batch_execute(&format!("create database {name}")).unwrap();
    db_at(&url_of(&name), DbRole::Login, Vault::locked()).migrate().unwrap();
    let (db, now) = (db_at(&url_of(&name), DbRole::Maintenance, Vault::locked()), Utc::now());
    db.seed_reference(now).unwrap();
    let development = Development::load().unwrap();
    db.seed_development(&development, now).unwrap();
    let mut credentials = Vec::new();
    for client in &development.clients {
        let made =
            Credentials::generate(&client.id, &client.agency, client.units.clone(), client.roles.clone()).unwrap();
        let registered = Client {
            id: client.id.parse().unwrap(),
            agency: client.agency.parse().unwrap(),
            units: client.units.iter().map(|it| it.parse().unwrap()).collect(),
            roles: client.roles.iter().map(|it| it.parse().unwrap()).collect(),
            emergency: client.emergency.iter().map(|it| it.parse().unwrap()).collect(),
            name: client.name.clone(),
            active: true,
        };
        let key = ClientKey { kid: made.kid.clone(), jwk: made.public_jwk().unwrap() };
        db.register_client(&registered, &key, now).unwrap();
        credentials.push(made);
    }
    Template { name, credentials }
}

/// Drops what earlier test processes left behind.
fn sweep(server: &mut PgConnection) {
    let names: Vec<Name> =
        sql_query(format!("select datname::text as name from pg_database where datname like '{PREFIX}\\_%'"))
            .load(server)
            .unwrap();
    for Name { name } in names {
        let process = name.split('_').nth(2).unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            server.batch_execute(&format!("drop database if exists {name} with (force)")).ok();
        }
    }
}

/// What a development client signs with.
pub(crate) fn credentials() -> &'static [Credentials] {
    &TEMPLATE.get_or_init(template).credentials
}

impl Database {
    /// A fresh one, migrated and with reference data.
    pub fn new() -> Self {
        let template = &TEMPLATE.get_or_init(template).name;
        let name = format!("{PREFIX}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        on_server()
            .batch_execute(&format!("create database {name} template {template} strategy file_copy"))
            .expect("the template can be cloned");
        Database::named(name)
    }

    /// An empty one.
    pub fn empty() -> Self {
        let name = format!("{PREFIX}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        on_server().batch_execute(&format!("create database {name}")).expect("a database can be made");
        Database::named(name)
    }

    fn named(name: String) -> Self {
        let keys = std::env::temp_dir().join(&name);
        // What an earlier process of this number left behind.
        fs::remove_dir_all(&keys).ok();
        FileKeys::add(&keys).expect("identity keys can be made");
        Database { url: url_of(&name), name, keys }
    }

    /// The vault of its identity keys.
    pub fn vault(&self) -> Vault {
        Vault::new(FileKeys::open(&self.keys).unwrap()).unwrap()
    }

    /// The service's own way to it: it logs in as the role that it has.
    pub fn db(&self) -> Db {
        db_at(&self.url_as("lindung_api"), DbRole::Api, self.vault())
    }

    /// The way of what runs by itself.
    pub fn worker(&self) -> Db {
        db_at(&self.url_as("lindung_worker"), DbRole::Worker, Vault::locked())
    }

    /// How a role reaches it.
    pub fn url_as(&self, role: &str) -> String {
        self.url.replacen("user=lindung", &format!("user={role}"), 1)
    }

    /// The operator's way to it.
    pub fn maintenance(&self) -> Db {
        db_at(&self.url, DbRole::Maintenance, self.vault())
    }

    /// The way of another operator, who logs in by another name.
    pub fn maintenance_as(&self, login: &str) -> Db {
        db_at(&self.url_as(login), DbRole::Maintenance, self.vault())
    }

    /// The way of whoever shapes it.
    pub fn owner(&self) -> Db {
        db_at(&self.url, DbRole::Login, self.vault())
    }

    /// A connection that the service knows nothing of.
    pub fn connection(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("the test's database answers")
    }

    /// Runs statements behind the service's back.
    pub fn execute(&self, sql: &str) {
        self.connection().batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Takes it away from everyone, as when it is gone.
    pub fn take_away(&self) {
        let name = &self.name;
        let mut server = on_server();
        server.batch_execute(&format!("alter database {name} allow_connections false")).unwrap();
        self.hang_up_by(&mut server);
    }

    /// Ends every connection to it.
    pub fn hang_up(&self) {
        self.hang_up_by(&mut on_server());
    }

    fn hang_up_by(&self, server: &mut PgConnection) {
        let sessions = format!("from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()", self.name);
        server.batch_execute(&format!("select pg_terminate_backend(pid, 5000) {sessions}")).unwrap();
    }

    /// Returns once every transaction has ended that runs now, wherever: the access log ends before the oldest.
    pub fn settle(&self) {
        let mut conn = self.connection();
        let now = "select pg_snapshot_xmax(pg_current_snapshot())::text as name";
        let Name { name: mark } = sql_query(now).get_result(&mut conn).unwrap();
        let ended = format!("select (pg_snapshot_xmin(pg_current_snapshot()) >= '{mark}'::xid8)::text as name");
        while sql_query(&ended).get_result::<Name>(&mut conn).unwrap().name != "true" {}
    }

    /// The rows of a query, each as a JSON object.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let query = format!("select to_jsonb(q) as row from ({sql}) q");
        let rows: Vec<Row> =
            sql_query(&query).load(&mut self.connection()).unwrap_or_else(|error| panic!("{query}: {error}"));
        rows.into_iter().map(|it| it.row).collect()
    }

    /// The leaves of the access log, in their order.
    pub fn leaves(&self) -> Vec<String> {
        let rows = self.rows("select convert_from(leaf, 'UTF8') as leaf from access_leaves order by number");
        rows.into_iter().map(|it| it["leaf"].as_str().unwrap().to_owned()).collect()
    }

    /// How many rows a table has.
    pub fn count(&self, from: &str) -> i64 {
        self.rows(&format!("select count(*) as n from {from}"))[0]["n"].as_i64().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.keys).ok();
        if let Ok(mut server) = PgConnection::establish(&server()) {
            server.batch_execute(&format!("drop database if exists {} with (force)", self.name)).ok();
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Database::new()
    }
}
