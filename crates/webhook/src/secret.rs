//! The secrets of subscriptions. None is kept: each follows from the service's key, the subscription and a number that a
//! rotation counts up, so that whoever reads the database can sign nothing.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// What the first part of a secret says (Standard Webhooks, "Signature scheme").
const PREFIX: &str = "whsec_";

/// What the key is used for here: nothing else that follows from it can be the same.
const PURPOSE: &[u8] = b"lindung webhook secret 1\0";

/// The key that all secrets follow from.
pub struct SecretKey(hmac::Key);

impl SecretKey {
    /// Of these bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        SecretKey(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The secret of a subscription, as its rotations have counted.
    pub fn secret(&self, subscription: Uuid, generation: i32) -> Secret {
        let parts = [PURPOSE, subscription.as_bytes(), &generation.to_be_bytes()];
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|it| context.update(it));
        Secret(context.sign().as_ref().to_vec())
    }
}

/// A secret that signs.
pub struct Secret(Vec<u8>);

impl Secret {
    /// As it is handed out: `whsec_` and Base64.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The signature of a message, as one entry of `webhook-signature`: `v1,` and the Base64 of HMAC-SHA256 over id, time
    /// (seconds since 1970) and body with dots between.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }

    /// Whether one of the signatures of `webhook-signature` is this secret's.
    pub fn verify(&self, id: &str, timestamp: i64, body: &[u8], signatures: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let message = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        let mut given = signatures.split(' ').filter_map(|it| STANDARD.decode(it.strip_prefix("v1,")?).ok());
        given.any(|it| hmac::verify(&key, &message, &it).is_ok())
    }

    /// From its text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(PREFIX)?).ok().filter(|it| !it.is_empty()).map(Secret)
    }
}

#[cfg(test)]
mod tests {
    use standardwebhooks::Webhook;

    use super::*;

    #[test]
    fn the_specifications_example_has_its_signature() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_published_library_signs_alike() {
        let secret = SecretKey::new(&[7; 32]).secret(Uuid::nil(), 1);
        let body = r#"{"id": "ünïcödé"}"#;
        let theirs = Webhook::new(&secret.text()).unwrap().sign("id", 1_795_485_600, body.as_bytes()).unwrap();
        assert_eq!(theirs, secret.sign("id", 1_795_485_600, body.as_bytes()));
        assert!(secret.verify("id", 1_795_485_600, body.as_bytes(), &format!("v1,AAAA {theirs} v1a,x")));
        for (id, time, body) in
            [("other", 1_795_485_600, body), ("id", 1_795_485_601, body), ("id", 1_795_485_600, "{}")]
        {
            assert!(!secret.verify(id, time, body.as_bytes(), &theirs));
        }
        assert!(!secret.verify("id", 1_795_485_600, body.as_bytes(), ""));
    }

    #[test]
    fn each_subscription_and_each_rotation_has_its_own() {
        let key = SecretKey::new(&[7; 32]);
        let text = |key: &SecretKey, id, generation| key.secret(Uuid::from_u128(id), generation).text();
        let mut all = vec![text(&key, 1, 1), text(&key, 1, 2), text(&key, 2, 1), text(&SecretKey::new(&[8; 32]), 1, 1)];
        assert_eq!(all[0], text(&key, 1, 1));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|it| it.starts_with("whsec_") && it.len() == 6 + 44));
    }
}
