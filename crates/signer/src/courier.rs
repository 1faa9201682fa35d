//! Carries checkpoints to one witness and its cosignatures back. Each witness has a courier of its own, so that one
//! that is down delays nobody.

use chrono::DateTime;
use lindung_client as client;
use lindung_client::Witnessed;
use lindung_ledger::checkpoint::{CheckpointError, Signed};
use lindung_ledger::policy::{self, Policy};
use lindung_ledger::witness::AddCheckpoint;
use lindung_persistence::{self as persistence, Db, Unwitnessed};

/// Why a checkpoint has not got the witness's cosignature. It is tried again as long as it is the newest.
#[derive(Debug, thiserror::Error)]
pub enum NotCarried {
    /// The witness does not answer.
    #[error(transparent)]
    NoAnswer(#[from] client::Error),
    /// The witness has cosigned a checkpoint of this log that is larger than any here: the log was set back, or has two
    /// histories.
    #[error("the witness holds a checkpoint of {held} leaves, and the newest here has {newest}")]
    Ahead {
        /// What the witness holds.
        held: u64,
        /// What there is here.
        newest: u64,
    },
    /// The witness refuses. That a proof does not hold (422) or roots differ (409) means that it has seen another
    /// history.
    #[error("the witness refuses: {status} {why}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// What it says.
        why: String,
    },
    /// What it answered, or what was to be sent, is no good.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The database is not available, or its tiles prove nothing.
    #[error(transparent)]
    Database(#[from] persistence::Error),
}

/// Goes to one witness.
pub struct Courier {
    db: Db,
    witness: policy::Witness,
    /// The witness's key as cosignatures are kept under it: name and id.
    key: String,
    http: client::Witness,
}

impl Courier {
    /// A courier to each witness of the policy that has a URL.
    ///
    /// # Errors
    /// The machine's root certificates cannot be loaded.
    pub fn all(db: &Db, policy: &Policy) -> Result<Vec<Self>, client::Error> {
        let courier = |witness: &policy::Witness| {
            let (witness, http) = (witness.clone(), client::Witness::new(witness.url.as_deref()?));
            let key = format!("{}+{:08x}", witness.vkey.name(), witness.vkey.id());
            Some(http.map(|http| Courier { db: db.clone(), witness, key, http }))
        };
        policy.witnesses().iter().filter_map(courier).collect()
    }

    /// What the policy calls the witness.
    pub fn name(&self) -> &str {
        &self.witness.name
    }

    /// Has the newest checkpoint cosigned, if it is not; gives its size. From what the witness has cosigned last is
    /// known here, or it says so; and it is asked once more then.
    ///
    /// # Errors
    /// As [`NotCarried`] tells.
    pub async fn carry(&self) -> Result<Option<u64>, NotCarried> {
        let Some(Unwitnessed { size, note, old }) = self.db.unwitnessed(&self.key)? else { return Ok(None) };
        let mut answer = self.ask(&note, old, size).await?;
        if let Witnessed::Conflict(held) = answer {
            if held > size {
                return Err(NotCarried::Ahead { held, newest: size });
            }
            answer = self.ask(&note, held, size).await?;
        }
        match answer {
            Witnessed::Cosigned(lines) => {
                let (line, seconds) = Signed::parse(note.as_bytes())?.cosignature(&lines, &self.witness.vkey)?;
                let at = i64::try_from(seconds).ok().and_then(|it| DateTime::from_timestamp(it, 0));
                self.db.save_cosignature(size, &self.key, &line, at.ok_or(CheckpointError::Malformed)?)?;
                Ok(Some(size))
            }
            Witnessed::Conflict(held) => {
                Err(NotCarried::Refused { status: 409, why: format!("it holds another tree of {held} leaves") })
            }
            Witnessed::Refused { status, why } => Err(NotCarried::Refused { status, why }),
        }
    }

    async fn ask(&self, note: &str, old: u64, size: u64) -> Result<Witnessed, NotCarried> {
        let proof = self.db.consistency(old, size)?;
        let request = AddCheckpoint { old, proof, checkpoint: Signed::parse(note.as_bytes())? };
        Ok(self.http.add_checkpoint(request.to_bytes()).await?)
    }
}
