//! The vault: data keys made, unwrapped and wrapped anew, and the tokens of blind indexes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;

use crate::{DataKey, Error, KeyEncryptionKeys, Place, Version, Wrapped};

/// How many unwrapped keys are kept in memory, where unwrapping is slow.
const REMEMBERED: usize = 256;
/// The bytes of a token: few enough that equal tokens prove nothing, many enough to be rare.
const TOKEN: usize = 8;

/// Makes and opens the keys of children. There is no way to a key but through what wraps it.
pub struct Vault {
    keys: Option<Box<dyn KeyEncryptionKeys>>,
    remembered: Mutex<VecDeque<(Wrapped, DataKey)>>,
    decoy: Mutex<Option<Decoy>>,
}

/// What is opened where there is nothing to open.
struct Decoy {
    wrapped: Wrapped,
    sealed: Vec<u8>,
}

/// What stands for an identifier in a blind index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Of the key that made it.
    pub version: Version,
    /// Tells nothing without that key.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// A vault of these keys, which are tried: what starts will also work.
    ///
    /// # Errors
    /// The keys cannot be reached, or do not unwrap what they wrapped.
    pub fn new(keys: impl KeyEncryptionKeys + 'static) -> Result<Self, Error> {
        let vault = Vault { keys: Some(Box::new(keys)), ..Vault::locked() };
        vault.open_decoy()?;
        Ok(vault)
    }

    /// A vault without keys, for whatever has nothing to do with who a child is.
    pub fn locked() -> Self {
        Vault { keys: None, remembered: Mutex::default(), decoy: Mutex::default() }
    }

    fn keys(&self) -> Result<&dyn KeyEncryptionKeys, Error> {
        self.keys.as_deref().ok_or(Error::Locked)
    }

    /// The versions of the keys that there are, in ascending order.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn versions(&self) -> Result<Vec<Version>, Error> {
        self.keys()?.versions()
    }

    /// The version that wraps and indexes: the highest.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn current(&self) -> Result<Version, Error> {
        self.versions()?.last().copied().ok_or(Error::Locked)
    }

    /// A new data key, and what is kept of it at the place.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn new_key(&self, place: &Place) -> Result<(DataKey, Wrapped), Error> {
        let key = DataKey::random()?;
        let wrapped = self.wrap(&key, place)?;
        Ok((key, wrapped))
    }

    /// The data key that is kept at the place. What was unwrapped before may be remembered under the
    /// very bytes that wrap it: who has none, because they were destroyed, gets no key.
    ///
    /// # Errors
    /// It was not wrapped for this place; its version is missing; the keys cannot be reached.
    pub fn unwrap(&self, wrapped: &Wrapped, place: &Place) -> Result<DataKey, Error> {
        let keys = self.keys()?;
        if !keys.is_slow() {
            return keys.unwrap(wrapped, place);
        }
        let lock = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = lock().iter().find(|it| it.0 == *wrapped) {
            return Ok(key.clone());
        }
        let key = keys.unwrap(wrapped, place)?;
        let mut remembered = lock();
        remembered.truncate(REMEMBERED - 1);
        remembered.push_front((wrapped.clone(), key.clone()));
        Ok(key)
    }

    /// As [`Vault::unwrap`], but always by the keys themselves: how long it takes tells nothing.
    ///
    /// # Errors
    /// As there.
    pub fn unwrap_afresh(&self, wrapped: &Wrapped, place: &Place) -> Result<DataKey, Error> {
        self.keys()?.unwrap(wrapped, place)
    }

    /// The data key, wrapped by the current version.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn wrap(&self, key: &DataKey, place: &Place) -> Result<Wrapped, Error> {
        self.keys()?.wrap(self.current()?, key, place)
    }

    /// The token of an identifier: of the register and of the value in it, as they are written.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn token(&self, system: &str, value: &str) -> Result<Token, Error> {
        self.token_of(self.current()?, system, value)
    }

    /// The tokens that the identifier has under all versions.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn tokens(&self, system: &str, value: &str) -> Result<Vec<Token>, Error> {
        self.versions()?.into_iter().map(|it| self.token_of(it, system, value)).collect()
    }

    fn token_of(&self, version: Version, system: &str, value: &str) -> Result<Token, Error> {
        let compound = Place::new("identity_indexes", "token", &[system.as_bytes(), value.as_bytes()]);
        let mac = hmac::sign(&self.keys()?.index_key(version)?, &compound.under(version));
        Ok(Token { version, bytes: mac.as_ref()[..TOKEN].to_vec() })
    }

    /// Unwraps and opens something that is nobody's: as much work as for a child that was found.
    ///
    /// # Errors
    /// The keys cannot be reached.
    pub fn open_decoy(&self) -> Result<(), Error> {
        let place = Place::new("decoys", "sealed", &[]);
        let mut decoy = self.decoy.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current()?;
        let decoy = match decoy.take().filter(|it| it.wrapped.version == current) {
            Some(made) => decoy.insert(made),
            None => {
                let (key, wrapped) = self.new_key(&place)?;
                decoy.insert(Decoy { sealed: key.seal(&place, &[0; 256])?, wrapped })
            }
        };
        self.unwrap_afresh(&decoy.wrapped, &place)?.open(&place, &decoy.sealed).map(|_| ())
    }
}

#[cfg(test)]
mod tests;
