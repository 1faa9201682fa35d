//! What a log asks of a witness, and what the witness decides (`tlog-witness`, add-checkpoint).
//!
//! Whoever cosigns only what [`decide`] permits, and makes each state durable before the next question, never cosigns
//! two checkpoints of a log of which the later does not hold the earlier.

use tlog_tiles::{EMPTY_HASH, Hash, check_tree};

use crate::checkpoint::Signed;
use crate::key::{Kind, Vkey};

/// The most hashes that a consistency proof has.
const MAX_PROOF: usize = 63;

/// The longest request that is read, in bytes.
pub const MAX_LENGTH: usize = 64 * 1024;

/// What a log asks: that a checkpoint be cosigned.
#[derive(Debug, PartialEq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the log believes the witness has last cosigned; 0 for none.
    pub old: u64,
    /// That the tree of that size is the beginning of the checkpoint's (RFC 6962, 2.1.2).
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: Signed,
}

impl AddCheckpoint {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// It is none, to the letter.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let body = std::str::from_utf8(body).ok().filter(|it| it.len() <= MAX_LENGTH).ok_or(Refusal::Malformed)?;
        let (head, checkpoint) = body.split_once("\n\n").ok_or(Refusal::Malformed)?;
        let mut lines = head.split('\n');
        let digits = lines.next().and_then(|it| it.strip_prefix("old ")).ok_or(Refusal::Malformed)?;
        let old = digits.parse::<u64>().ok().filter(|it| it.to_string() == digits).ok_or(Refusal::Malformed)?;
        let proof: Vec<Hash> = lines.map(Hash::parse_hash).collect::<Result<_, _>>().map_err(|_| Refusal::Malformed)?;
        let checkpoint = Signed::parse(checkpoint.as_bytes()).map_err(|_| Refusal::Malformed)?;
        if proof.len() > MAX_PROOF { Err(Refusal::Malformed) } else { Ok(AddCheckpoint { old, proof, checkpoint }) }
    }

    /// As the body of a request.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head: String = self.proof.iter().fold(format!("old {}\n", self.old), |head, it| head + &format!("{it}\n"));
        [head.as_bytes(), b"\n", &self.checkpoint.to_bytes()].concat()
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no request.
    #[error("this is no add-checkpoint request")]
    Malformed,
    /// The log is none that this witness knows.
    #[error("this log is not known here")]
    UnknownOrigin,
    /// No known key of the log has signed the checkpoint.
    #[error("the checkpoint is not signed by a key of the log that is known here")]
    NotSigned,
    /// The checkpoint would be smaller than what it is to follow.
    #[error("the old size is above the checkpoint's")]
    OldSizeAboveCheckpoint,
    /// The size of the last checkpoint that this witness cosigned: not the request's old size, or of another root.
    #[error("the last checkpoint cosigned here has the size {0}, and is not what the request builds on")]
    Conflict(u64),
    /// The checkpoint does not continue what was cosigned.
    #[error("the consistency proof does not hold")]
    ProofRejected,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Malformed | Refusal::OldSizeAboveCheckpoint => 400,
            Refusal::NotSigned => 403,
            Refusal::UnknownOrigin => 404,
            Refusal::Conflict(_) => 409,
            Refusal::ProofRejected => 422,
        }
    }
}

/// Decides about a request: `last` is size and root of the last checkpoint that the witness cosigned for that log,
/// `logs` are the keys of those that it knows. The checks are in the order of `tlog-witness`.
///
/// # Errors
/// The checkpoint is not to be cosigned.
pub fn decide(last: Option<(u64, Hash)>, request: &AddCheckpoint, logs: &[Vkey]) -> Result<(), Refusal> {
    let AddCheckpoint { old, proof, checkpoint: signed } = request;
    let checkpoint = signed.checkpoint();
    let (last_size, last_root) = last.unwrap_or((0, EMPTY_HASH));
    if !logs.iter().any(|it| it.kind() == Kind::Log && it.name() == checkpoint.origin) {
        return Err(Refusal::UnknownOrigin);
    }
    signed.open(logs).map_err(|_| Refusal::NotSigned)?;
    if *old > checkpoint.size {
        return Err(Refusal::OldSizeAboveCheckpoint);
    }
    if *old != last_size {
        return Err(Refusal::Conflict(last_size));
    }
    if *old == checkpoint.size {
        return match (proof.is_empty(), checkpoint.root == last_root) {
            (false, _) => Err(Refusal::ProofRejected),
            (true, false) => Err(Refusal::Conflict(last_size)),
            (true, true) => Ok(()),
        };
    }
    // Every tree continues the empty one, and RFC 6962 has no proof for that.
    let continues = if *old == 0 {
        proof.is_empty()
    } else {
        check_tree(proof, checkpoint.size, checkpoint.root, *old, last_root).is_ok()
    };
    if continues { Ok(()) } else { Err(Refusal::ProofRejected) }
}

#[cfg(test)]
mod tests;
