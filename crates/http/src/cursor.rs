//! Opaque cursors: a place in a list, which only we read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::parse;
use crate::problem::Problem;

/// The cursor of a place.
pub fn encode(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place of a cursor, if there is one.
///
/// # Errors
/// It is none of ours.
pub fn decode<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let read = |text: &str| parse::json(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    cursor
        .map(|it| read(it).ok_or_else(|| Problem::malformed("cursor", "cursor", "is no cursor of this list")))
        .transpose()
}
