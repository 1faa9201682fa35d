//! Checkpoints: what a log says its tree is, as a note that it signs and witnesses cosign.
//!
//! A [`Signed`] is well-formed and no more: only [`Signed::open`] says who has signed it, and nothing may be believed of
//! it before. The text that was signed is kept as it came, extension lines and all, and is never written anew.

use ed25519_dalek::SignatureError;
use signed_note::{Note, NoteError, Signature, Signer, VerificationError, Verifier, Verifiers};
use tlog_tiles::Hash;

use crate::key::{self, Cosigner, Kind, LogSigner, Vkey};

/// The longest signed checkpoint that is read, in bytes.
pub const MAX_LENGTH: usize = 64 * 1024;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of the tree over them (RFC 6962).
    pub root: Hash,
}

/// Why a checkpoint is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no note, or its text is no checkpoint.
    #[error("this is no signed checkpoint")]
    Malformed,
    /// No known key of the log has signed it.
    #[error("no known key of the log has signed it")]
    NotSigned,
    /// It bears the name and id of a known key, which did not make it.
    #[error("the signature of {0} does not hold")]
    Forged(String),
    /// It could not be signed.
    #[error("it could not be signed")]
    Signing,
}

impl Checkpoint {
    /// Signs it with the log's keys; during a rotation there are two.
    ///
    /// # Errors
    /// There is no key, or one is another log's.
    pub fn sign(&self, keys: &[LogSigner]) -> Result<Signed, CheckpointError> {
        if keys.is_empty() || keys.iter().any(|it| it.vkey().name() != self.origin) {
            return Err(CheckpointError::Signing);
        }
        let text = tlog_tiles::Checkpoint::new(&self.origin, self.size, self.root, "");
        let text = text.map_err(|_| CheckpointError::Malformed)?.to_bytes();
        let mut note = Note::new(&text, &[]).map_err(|_| CheckpointError::Malformed)?;
        let keys: Vec<&dyn Signer> = keys.iter().map(|it| it as _).collect();
        note.add_sigs(&keys).map_err(|_| CheckpointError::Signing)?;
        Ok(Signed { checkpoint: self.clone(), note })
    }
}

/// A checkpoint as a signed note, whoever signed it.
#[derive(Debug, PartialEq)]
pub struct Signed {
    checkpoint: Checkpoint,
    note: Note,
}

/// Who has signed a checkpoint, of those whom one knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The log's keys: at least one.
    pub logs: Vec<&'a Vkey>,
    /// The witnesses, and when each saw it, in seconds since 1970.
    pub cosigned: Vec<(&'a Vkey, u64)>,
}

impl Signed {
    /// Reads a signed note (`signed-note`) whose text is a checkpoint (`tlog-checkpoint`). It has at most 100
    /// signatures.
    ///
    /// # Errors
    /// It is none, or longer than [`MAX_LENGTH`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = if bytes.len() <= MAX_LENGTH { Note::from_bytes(bytes).ok() } else { None };
        let note = note.ok_or(CheckpointError::Malformed)?;
        let told = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        // A text that has two spellings would have two signatures.
        if told.to_bytes() != note.text() {
            return Err(CheckpointError::Malformed);
        }
        let checkpoint = Checkpoint { origin: told.origin().to_owned(), size: told.size(), root: *told.hash() };
        Ok(Signed { checkpoint, note })
    }

    /// What it says, whoever says it.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// As a signed note.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }

    /// Who has signed it, of `known`: logs go by the name that is the origin, and witnesses by theirs. Signatures of
    /// others are passed over.
    ///
    /// # Errors
    /// No known log has signed it, or one signature that should be a known key's does not hold.
    pub fn open<'a>(&self, known: &'a [Vkey]) -> Result<Opened<'a>, CheckpointError> {
        let known = Known { keys: known, origin: &self.checkpoint.origin };
        let (signatures, _) = self.note.verify(&known).map_err(|error| match error {
            NoteError::InvalidSignature { name, .. } => CheckpointError::Forged(name),
            _ => CheckpointError::NotSigned,
        })?;
        let mut opened = Opened { logs: Vec::new(), cosigned: Vec::new() };
        for signature in &signatures {
            match (known.find(signature.name(), signature.id()), key::cosigned_at(signature.signature())) {
                (Some(key), _) if key.kind() == Kind::Log => opened.logs.push(key),
                (Some(key), Some(seconds)) => opened.cosigned.push((key, seconds)),
                _ => {}
            }
        }
        if opened.logs.is_empty() { Err(CheckpointError::NotSigned) } else { Ok(opened) }
    }

    /// The line with which a witness cosigns it, as having seen it then, in seconds since 1970.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn cosign(&self, key: &Cosigner, seconds: u64) -> Result<String, CheckpointError> {
        let key = key.at(seconds);
        let made = key.sign(self.note.text()).map_err(|_| CheckpointError::Signing)?;
        let made = Signature::new(key.name().to_owned(), key.key_id(), made).map_err(|_| CheckpointError::Signing)?;
        String::from_utf8(made.to_bytes()).map_err(|_| CheckpointError::Signing)
    }

    /// Of the lines that a witness answered with, the one of that key, and when it was made, if it holds for this
    /// checkpoint. Lines of other keys are passed over (`tlog-witness`).
    ///
    /// # Errors
    /// There is none of that key, or it does not hold.
    pub fn cosignature(&self, answer: &[u8], witness: &Vkey) -> Result<(String, u64), CheckpointError> {
        let lines = answer.strip_suffix(b"\n").ok_or(CheckpointError::Malformed)?;
        for line in lines.split(|it| *it == b'\n') {
            let made = Signature::from_bytes(line).map_err(|_| CheckpointError::Malformed)?;
            if (made.name(), made.id()) == (witness.name(), witness.id()) {
                let holds = witness.verify(self.note.text(), made.signature());
                let seconds = key::cosigned_at(made.signature()).filter(|_| holds);
                let seconds = seconds.ok_or_else(|| CheckpointError::Forged(made.name().to_owned()))?;
                let line = String::from_utf8(made.to_bytes()).map_err(|_| CheckpointError::Malformed)?;
                return Ok((line, seconds));
            }
        }
        Err(CheckpointError::NotSigned)
    }

    /// Adds a signature line; one of the same key goes for it.
    ///
    /// # Errors
    /// It is none.
    pub fn add(&mut self, line: &str) -> Result<(), CheckpointError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let made = Signature::from_bytes(line.as_bytes()).map_err(|_| CheckpointError::Malformed)?;
        self.note.add_sigs(&[&Made(made)]).map_err(|_| CheckpointError::Malformed)
    }
}

/// A signature that was made elsewhere, as something that signs.
struct Made(Signature);

impl Signer for Made {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn key_id(&self) -> u32 {
        self.0.id()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.signature().to_owned())
    }
}

/// The keys that may sign for a log: its own, and all witnesses'.
struct Known<'a, 'o> {
    keys: &'a [Vkey],
    origin: &'o str,
}

impl<'a> Known<'a, '_> {
    fn find(&self, name: &str, id: u32) -> Option<&'a Vkey> {
        let speaks = |key: &Vkey| key.kind() == Kind::Witness || key.name() == self.origin;
        self.keys.iter().find(|it| (it.name(), it.id()) == (name, id) && speaks(it))
    }
}

impl Verifiers for Known<'_, '_> {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        let found = self.find(name, id);
        found.map(|it| it as _).ok_or_else(|| VerificationError::UnknownKey { name: name.to_owned(), id })
    }
}

#[cfg(test)]
mod tests;
