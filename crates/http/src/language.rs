//! In which language labels are given: Malay, or English where it is preferred (RFC 9110, 12.5.4).

use std::cmp::Reverse;
use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AcceptLanguage, Header, Preference, Quality};
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use utoipa::ToSchema;

/// A language of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Bahasa Melayu, which is also the answer to whoever asks for neither.
    Ms,
    /// English.
    En,
}

impl Language {
    /// Its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Language::Ms => "ms",
            Language::En => "en",
        }
    }

    /// The one of two texts that is in this language.
    pub fn of(self, ms: String, en: String) -> String {
        match self {
            Language::Ms => ms,
            Language::En => en,
        }
    }
}

impl FromRequest for Language {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ranked = AcceptLanguage::parse(request).map(|it| it.0).unwrap_or_default();
        let mut ranked: Vec<_> = ranked.into_iter().filter(|it| it.quality > Quality::ZERO).collect();
        ranked.sort_by_key(|it| Reverse(it.quality));
        let known = |tag: &str| match tag.split('-').next() {
            Some("ms") => Some(Language::Ms),
            Some("en") => Some(Language::En),
            _ => None,
        };
        let asked = ranked.iter().find_map(|it| match &it.item {
            Preference::Any => Some(Language::Ms),
            Preference::Specific(tag) => known(&tag.to_string().to_lowercase()),
        });
        ready(Ok(asked.unwrap_or(Language::Ms)))
    }
}
