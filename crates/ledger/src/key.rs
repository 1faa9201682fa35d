//! Ed25519 keys of logs and witnesses, in the text forms of `signed-note`.
//!
//! A key is of one kind, and a signature of the one kind never passes for one of the other: the kind is part of
//! the key id, and a witness signs a header and a time before the note's text (`tlog-cosignature`). Private keys have
//! no `Debug`, and leave memory with their last use. Random bytes and the time are arguments.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature, SignatureError, Signer as _, SigningKey, VerifyingKey};
use signed_note::{Signer, Verifier};
use zeroize::Zeroizing;

/// How many bytes a timestamp takes before a witness's signature.
const TIME_LENGTH: usize = 8;
/// The latest time that a witness may tell, in seconds since 1970 (`tlog-cosignature`).
const LATEST: u64 = i64::MAX.unsigned_abs();

/// Whose key it is, and so how it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A log's: signs a checkpoint's text as it is (`signed-note`, type 0x01).
    Log,
    /// A witness's: signs the text with the time at which it was seen (`tlog-cosignature`, type 0x04).
    Witness,
}

impl Kind {
    /// The signature type as a byte.
    fn byte(self) -> u8 {
        match self {
            Kind::Log => 0x01,
            Kind::Witness => 0x04,
        }
    }

    fn of(byte: u8) -> Result<Self, KeyError> {
        [Kind::Log, Kind::Witness].into_iter().find(|it| it.byte() == byte).ok_or(KeyError::Kind(byte))
    }
}

/// Why a text is no key. Never tells of the key itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has not the parts of one, or they are not what they should be.
    #[error("is no key of a signed note")]
    Malformed,
    /// The name is empty, or has a space or a plus.
    #[error("has a name that is empty or has a space or plus in it")]
    Name,
    /// The signature type is none that is known here.
    #[error("has the signature type {0:#04x}, which is not known here")]
    Kind(u8),
    /// The key is a log's where a witness's is needed, or the other way round.
    #[error("is not a {} key", match .0 { Kind::Log => "log's", Kind::Witness => "witness's" })]
    NotA(Kind),
    /// The key id follows from name, type and key, and is another.
    #[error("has a key id that does not belong to it")]
    Id,
}

/// A public key with its name: `name+id+key`, as `signed-note` writes verifier keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    id: u32,
    kind: Kind,
    key: VerifyingKey,
}

impl Vkey {
    fn new(name: &str, kind: Kind, key: VerifyingKey) -> Result<Self, KeyError> {
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        // A key of small order would take one signature for any text.
        if key.is_weak() {
            return Err(KeyError::Malformed);
        }
        let id = signed_note::key_id(name, &typed(kind, key.as_bytes()));
        Ok(Vkey { name: name.to_owned(), id, kind, key })
    }

    /// The same, if it is of that kind.
    ///
    /// # Errors
    /// It is of the other one.
    pub fn of(self, kind: Kind) -> Result<Self, KeyError> {
        if self.kind == kind { Ok(self) } else { Err(KeyError::NotA(kind)) }
    }

    /// The name: of a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id, which stands before each signature.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whose key it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key alone, without name and type: two that share it are one key.
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

impl FromStr for Vkey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (kind, id, key) = parts(rest)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Malformed)?;
        let vkey = Vkey::new(name, kind, key)?;
        if vkey.id == id { Ok(vkey) } else { Err(KeyError::Id) }
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(typed(self.kind, self.bytes())))
    }
}

impl Verifier for Vkey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let holds = |text: &[u8], bytes: &[u8]| {
            let bytes: Result<[u8; SIGNATURE_LENGTH], _> = bytes.try_into();
            bytes.is_ok_and(|it| self.key.verify_strict(text, &Signature::from_bytes(&it)).is_ok())
        };
        match self.kind {
            Kind::Log => holds(text, signature),
            Kind::Witness => cosigned_at(signature)
                .is_some_and(|seconds| holds(&cosigned(seconds, text), signature.get(TIME_LENGTH..).unwrap_or(&[]))),
        }
    }
}

/// When a witness made a signature, in seconds since 1970; nothing if it is no cosignature. Whether it holds is for
/// [`Vkey`] to say.
pub fn cosigned_at(signature: &[u8]) -> Option<u64> {
    let (time, _) = signature.split_first_chunk::<TIME_LENGTH>()?;
    Some(u64::from_be_bytes(*time)).filter(|it| *it <= LATEST)
}

/// The key with which a log signs its checkpoints.
pub struct LogSigner(PrivateKey);

/// The key with which a witness cosigns.
pub struct Cosigner(PrivateKey);

macro_rules! private {
    ($of:ty, $kind:expr) => {
        impl $of {
            /// A key from 32 random bytes.
            ///
            /// # Errors
            /// The name is empty, or has a space or a plus.
            pub fn new(name: &str, random: &Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
                PrivateKey::new(name, $kind, random).map(Self)
            }

            /// The key from its text, `PRIVATE+KEY+name+id+key`; white space around it does no harm.
            ///
            /// # Errors
            /// It is none, or one of another kind.
            pub fn parse(text: &str) -> Result<Self, KeyError> {
                PrivateKey::parse(text, $kind).map(Self)
            }

            /// As text on a line of its own. Whoever has it can sign.
            pub fn to_text(&self) -> Zeroizing<String> {
                self.0.to_text()
            }

            /// The public key that goes with it.
            pub fn vkey(&self) -> &Vkey {
                &self.0.vkey
            }
        }
    };
}

private!(LogSigner, Kind::Log);
private!(Cosigner, Kind::Witness);

impl Signer for LogSigner {
    fn name(&self) -> &str {
        self.vkey().name()
    }

    fn key_id(&self) -> u32 {
        self.vkey().id()
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.key.try_sign(text)?.to_vec())
    }
}

impl Cosigner {
    /// Signs as having seen it then, in seconds since 1970.
    pub fn at(&self, seconds: u64) -> impl Signer + '_ {
        CosignerAt { cosigner: self, seconds: seconds.min(LATEST) }
    }
}

struct CosignerAt<'a> {
    cosigner: &'a Cosigner,
    seconds: u64,
}

impl Signer for CosignerAt<'_> {
    fn name(&self) -> &str {
        self.cosigner.vkey().name()
    }

    fn key_id(&self) -> u32 {
        self.cosigner.vkey().id()
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let signature = self.cosigner.0.key.try_sign(&cosigned(self.seconds, text))?;
        Ok([self.seconds.to_be_bytes().as_slice(), &signature.to_bytes()].concat())
    }
}

struct PrivateKey {
    vkey: Vkey,
    key: SigningKey,
}

impl PrivateKey {
    fn new(name: &str, kind: Kind, random: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(random);
        Ok(PrivateKey { vkey: Vkey::new(name, kind, key.verifying_key())?, key })
    }

    fn parse(text: &str, kind: Kind) -> Result<Self, KeyError> {
        let text = text.trim().strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Malformed)?;
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (found, id, random) = parts(rest)?;
        let key = PrivateKey::new(name, found, &Zeroizing::new(random))?;
        match key.vkey.id == id {
            false => Err(KeyError::Id),
            true if found != kind => Err(KeyError::NotA(kind)),
            true => Ok(key),
        }
    }

    fn to_text(&self) -> Zeroizing<String> {
        let Vkey { name, id, kind, .. } = &self.vkey;
        let key = Zeroizing::new(STANDARD.encode(Zeroizing::new(typed(*kind, self.key.as_bytes()))));
        Zeroizing::new(format!("PRIVATE+KEY+{name}+{id:08x}+{}\n", *key))
    }
}

/// Type, key id and key of what follows a name: `id+base64(type | key)`.
fn parts(text: &str) -> Result<(Kind, u32, [u8; 32]), KeyError> {
    let (id, key) = text.split_once('+').ok_or(KeyError::Malformed)?;
    let hexadecimal = id.len() == 8 && id.bytes().all(|it| it.is_ascii_hexdigit());
    let id = u32::from_str_radix(id, 16).ok().filter(|_| hexadecimal).ok_or(KeyError::Malformed)?;
    let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| KeyError::Malformed)?);
    let (kind, key) = bytes.split_first().ok_or(KeyError::Malformed)?;
    Ok((Kind::of(*kind)?, id, key.try_into().map_err(|_| KeyError::Malformed)?))
}

/// A key behind the byte of its type, as it is in key ids and texts.
fn typed(kind: Kind, key: &[u8; 32]) -> Vec<u8> {
    [&[kind.byte()], key.as_slice()].concat()
}

/// What a witness signs (`tlog-cosignature`, Ed25519 signed message).
fn cosigned(seconds: u64, text: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {seconds}\n").as_bytes(), text].concat()
}

#[cfg(test)]
mod tests;
