//! A data key: AES-256-GCM (NIST SP 800-38D) under random 96-bit nonces, of which one child never needs 2^32.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::{Error, Place};

/// How values are sealed with a data key; stands in front of each, and is part of its associated data.
const SCHEME: u8 = 1;

/// The bytes of every key here.
pub(crate) const LENGTH: usize = 32;

/// With which whatever is known of one child is sealed. Forgotten in memory when it is dropped.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; LENGTH]>);

impl DataKey {
    /// A new one.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; LENGTH]);
        rand::fill(key.as_mut_slice()).map_err(|_| Error::NoRandomness)?;
        Ok(DataKey(key))
    }

    /// The key of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(|it| DataKey(Zeroizing::new(it))).map_err(|_| Error::DoesNotOpen)
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Seals `plain` at a place: scheme, nonce, and what AES-256-GCM makes of it.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = vec![SCHEME];
        sealed.extend(seal(&aead(&self.0)?, &place.under(SCHEME.into()), plain)?);
        Ok(sealed)
    }

    /// Opens what was sealed at that place.
    ///
    /// # Errors
    /// It was not, or not with this key.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (scheme, sealed) = sealed.split_first().ok_or(Error::DoesNotOpen)?;
        if *scheme != SCHEME {
            return Err(Error::DoesNotOpen);
        }
        open(&aead(&self.0)?, &place.under(SCHEME.into()), sealed)
    }
}

pub(crate) fn aead(key: &[u8; LENGTH]) -> Result<RandomizedNonceKey, Error> {
    RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| Error::DoesNotOpen)
}

/// A random nonce and what is sealed under it.
pub(crate) fn seal(key: &RandomizedNonceKey, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut text = plain.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(associated), &mut text).map_err(|_| Error::NoRandomness)?;
    Ok([nonce.as_ref().as_slice(), &text].concat())
}

pub(crate) fn open(key: &RandomizedNonceKey, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::DoesNotOpen)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::DoesNotOpen)?;
    let mut text = text.to_vec();
    let length = key.open_in_place(nonce, Aad::from(associated), &mut text).map_err(|_| Error::DoesNotOpen)?.len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(row: &[u8]) -> Place {
        Place::new("child_identities", "sealed", &[row])
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_at_its_place_alone(plain: Vec<u8>, row: [u8; 16], other: [u8; 16]) {
            let key = DataKey::random().unwrap();
            let sealed = key.seal(&place(&row), &plain).unwrap();
            prop_assert_eq!(key.open(&place(&row), &sealed), Ok(plain));
            prop_assert_eq!(key.open(&place(&other), &sealed), Err(Error::DoesNotOpen));
            let elsewhere = Place::new("sections", "sealed", &[&row]);
            prop_assert_eq!(key.open(&elsewhere, &sealed), Err(Error::DoesNotOpen));
            prop_assert_eq!(DataKey::random().unwrap().open(&place(&row), &sealed), Err(Error::DoesNotOpen));
        }

        #[test]
        fn no_byte_can_be_changed(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8_u32) {
            let key = DataKey::random().unwrap();
            let mut sealed = key.seal(&place(b"x"), &plain).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert_eq!(key.open(&place(b"x"), &sealed), Err(Error::DoesNotOpen));
            prop_assert_eq!(key.open(&place(b"x"), &sealed[..at]), Err(Error::DoesNotOpen));
        }
    }

    #[test]
    fn the_same_is_never_sealed_alike() {
        let key = DataKey::random().unwrap();
        assert_ne!(key.seal(&place(b"x"), b"same"), key.seal(&place(b"x"), b"same"));
    }
}
