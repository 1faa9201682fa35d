//! Keys that a command has: the way to a KMS or an HSM, which gives no key away.
//!
//! The command is run without a shell, each time with the arguments that are configured and one of
//!
//! - `versions`: prints the versions there are, with blanks between;
//! - `wrap VERSION`, `unwrap VERSION`: reads a line with a key and a line with its place, and prints
//!   the key wrapped, or unwrapped. A KMS that knows associated data should bind the place;
//! - `index VERSION`: prints 32 bytes that never change and that nobody else can make, such as the
//!   MAC of a fixed text under a key that is kept for this: the key of the blind indexes.
//!
//! Keys and places are in base64 (RFC 4648, padded). It has five seconds, and ends with 0.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::data_key::{DataKey, LENGTH};
use crate::{Error, KeyEncryptionKeys, Place, Version, Wrapped};

/// How long the command may take.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// The most that it may print, in bytes.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// The keys that a command has. Its versions are asked for at the start, and again when one is met
/// that is not among them.
pub struct CommandKeys {
    program: String,
    arguments: Vec<String>,
    time_limit: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    versions: Vec<Version>,
    index_keys: BTreeMap<Version, hmac::Key>,
}

impl CommandKeys {
    /// The keys of the command, whose words have blanks between.
    ///
    /// # Errors
    /// There is no such command, or it does not tell any versions.
    pub fn new(command: &str) -> Result<Self, Error> {
        Self::within(command, TIME_LIMIT)
    }

    fn within(command: &str, time_limit: Duration) -> Result<Self, Error> {
        let mut words = command.split_whitespace().map(ToOwned::to_owned);
        let program = words.next().ok_or(Error::Command("is empty"))?;
        let keys = CommandKeys { program, arguments: words.collect(), time_limit, known: Mutex::default() };
        keys.ask_versions()?;
        Ok(keys)
    }

    fn ask_versions(&self) -> Result<Vec<Version>, Error> {
        let told = self.run("versions", None, "")?;
        let numbers = told.split_whitespace().map(|it| it.parse().ok().filter(|it| *it > 0));
        let mut versions: Vec<Version> = numbers.collect::<Option<_>>().ok_or(Error::Command("tells no versions"))?;
        versions.sort_unstable();
        if versions.is_empty() {
            return Err(Error::Command("tells no versions"));
        }
        self.known().versions.clone_from(&versions);
        Ok(versions)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn require(&self, version: Version) -> Result<(), Error> {
        let known = self.known().versions.contains(&version) || self.ask_versions()?.contains(&version);
        known.then_some(()).ok_or(Error::NoVersion(version))
    }

    /// Lets the command do something with a key at a place.
    fn convert(&self, verb: &str, version: Version, bytes: &[u8], place: &Place) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.require(version)?;
        let input = Zeroizing::new(format!("{}\n{}\n", STANDARD.encode(bytes), STANDARD.encode(place.under(version))));
        decode(&self.run(verb, Some(version), &input)?)
    }

    fn run(&self, verb: &str, version: Option<Version>, input: &str) -> Result<Zeroizing<String>, Error> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(verb)
            .args(version.map(|it| it.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| Error::Command("cannot be run"))?;
        let answered = self.converse(&mut child, input);
        // Whatever it did, it is over: a command that has ended is not harmed.
        child.kill().ok();
        let status = child.wait().map_err(|_| Error::Command("was lost"))?;
        let output = answered?;
        if status.success() { Ok(output) } else { Err(Error::Command("failed")) }
    }

    /// Gives it the input, and waits until it has ended its output.
    fn converse(&self, child: &mut Child, input: &str) -> Result<Zeroizing<String>, Error> {
        let lost = Error::Command("was lost");
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return Err(lost) };
        // Less than a pipe holds: this does not wait for the command.
        match stdin.write_all(input.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(lost),
            _ => drop(stdin),
        }
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut text = Zeroizing::new(String::new());
            let read = stdout.take(OUTPUT_LIMIT + 1).read_to_string(&mut text);
            sender.send(read.map(|_| text)).ok();
        });
        match output.recv_timeout(self.time_limit) {
            Ok(Ok(text)) if text.len() as u64 <= OUTPUT_LIMIT => self.ended(child).map(|()| text),
            Ok(_) => Err(Error::Command("printed too much, or no text")),
            Err(_) => Err(Error::Command("took too long")),
        }
    }

    /// Waits a little until it has ended: it has closed its output, which is nearly the same.
    fn ended(&self, child: &mut Child) -> Result<(), Error> {
        for _ in 0..self.time_limit.as_millis() {
            if child.try_wait().map_err(|_| Error::Command("was lost"))?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(Error::Command("took too long"))
    }
}

impl KeyEncryptionKeys for CommandKeys {
    fn versions(&self) -> Result<Vec<Version>, Error> {
        Ok(self.known().versions.clone())
    }

    fn wrap(&self, version: Version, key: &DataKey, place: &Place) -> Result<Wrapped, Error> {
        let bytes = self.convert("wrap", version, key.bytes(), place)?;
        Ok(Wrapped { version, bytes: bytes.to_vec() })
    }

    fn unwrap(&self, wrapped: &Wrapped, place: &Place) -> Result<DataKey, Error> {
        DataKey::of(&self.convert("unwrap", wrapped.version, &wrapped.bytes, place)?)
    }

    fn index_key(&self, version: Version) -> Result<hmac::Key, Error> {
        if let Some(key) = self.known().index_keys.get(&version) {
            return Ok(key.clone());
        }
        self.require(version)?;
        let bytes = decode(&self.run("index", Some(version), "")?)?;
        if bytes.len() != LENGTH {
            return Err(Error::Command("gives an index key that has not 32 bytes"));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        self.known().index_keys.insert(version, key.clone());
        Ok(key)
    }

    fn is_slow(&self) -> bool {
        true
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_| Error::Command("did not print base64"))
}

#[cfg(test)]
mod tests;
