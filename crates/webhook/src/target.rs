//! Where a webhook goes.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::network::is_public;

/// What is let through beside the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// Nothing.
    Nothing,
    /// This machine itself, without TLS too: for development and tests.
    Loopback,
}

/// The most bytes of a URL.
const LENGTH: usize = 2000;

/// The URL of a webhook that one may try. To what its name leads is only known when it is resolved: see [`Allow::lets`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

/// Why a URL is none that we send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// It is none at all.
    #[error("is no absolute URL of at most 2000 bytes")]
    NoUrl,
    /// It is not encrypted.
    #[error("must begin with https://")]
    NotHttps,
    /// It carries a user's name or a password.
    #[error("must not carry a name or a password")]
    UserInfo,
    /// It has a fragment.
    #[error("must not have a fragment (#)")]
    Fragment,
    /// It names something that is not on the public internet.
    #[error("must lead to the public internet")]
    NotPublic,
}

impl BadTarget {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            BadTarget::NoUrl => "format",
            BadTarget::NotHttps => "not-https",
            BadTarget::UserInfo => "user-info",
            BadTarget::Fragment => "fragment",
            BadTarget::NotPublic => "not-public",
        }
    }
}

impl Allow {
    /// Whether something may be sent to this address.
    pub fn lets(self, address: IpAddr) -> bool {
        is_public(address) || (self == Allow::Loopback && address.to_canonical().is_loopback())
    }
}

impl Target {
    /// Reads a URL. Addresses are understood in every spelling that browsers know (the URL standard's), names that only
    /// mean something in here are refused.
    ///
    /// # Errors
    /// It is none to send to.
    pub fn parse(text: &str, allow: Allow) -> Result<Self, BadTarget> {
        let clean = text.len() <= LENGTH && !text.chars().any(|it| it.is_control() || it.is_whitespace());
        let url = Url::parse(text).ok().filter(|_| clean).ok_or(BadTarget::NoUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(BadTarget::Fragment);
        }
        let (here, public) = match url.host().ok_or(BadTarget::NoUrl)? {
            Host::Ipv4(it) => (it.is_loopback(), allow.lets(it.into())),
            Host::Ipv6(it) => (it.is_loopback(), allow.lets(it.into())),
            Host::Domain(name) => {
                let here = is_localhost(name);
                (here, if here { allow == Allow::Loopback } else { leads_outside(name) })
            }
        };
        match url.scheme() {
            "https" => {}
            "http" if here && allow == Allow::Loopback => {}
            _ => return Err(BadTarget::NotHttps),
        }
        if public { Ok(Target(url)) } else { Err(BadTarget::NotPublic) }
    }

    /// As it is requested.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Of whom it is: host and port, which share their connections.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether a name can be one of the public internet: it has a dot, and none of the endings that are for use in here
/// (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what ICANN keeps for private use).
fn leads_outside(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    const INSIDE: &[&str] =
        &["local", "internal", "home.arpa", "localdomain", "intranet", "corp", "home", "lan", "alt", "onion"];
    name.contains('.') && !INSIDE.iter().any(|it| name == *it || name.ends_with(&format!(".{it}")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none("", BadTarget::NoUrl)]
    #[case::relative("/hook", BadTarget::NoUrl)]
    #[case::line("https://example.com/\r\nx", BadTarget::NoUrl)]
    #[case::plain("http://example.com/hook", BadTarget::NotHttps)]
    #[case::other("ftp://example.com/hook", BadTarget::NotHttps)]
    #[case::file("file:///etc/passwd", BadTarget::NoUrl)]
    #[case::user("https://user@example.com/", BadTarget::UserInfo)]
    #[case::password("https://:secret@example.com/", BadTarget::UserInfo)]
    #[case::fragment("https://example.com/#x", BadTarget::Fragment)]
    #[case::localhost("https://localhost/", BadTarget::NotPublic)]
    #[case::below("https://a.localhost./", BadTarget::NotPublic)]
    #[case::dotted("https://127.0.0.1/", BadTarget::NotPublic)]
    #[case::decimal("https://2130706433/", BadTarget::NotPublic)]
    #[case::hexadecimal("https://0x7f000001/", BadTarget::NotPublic)]
    #[case::octal("https://0177.0.0.1/", BadTarget::NotPublic)]
    #[case::short("https://127.1/", BadTarget::NotPublic)]
    #[case::wide("https://１２７.0.0.1/", BadTarget::NotPublic)]
    #[case::dot("https://127.0.0.1./", BadTarget::NotPublic)]
    #[case::escaped("https://%31%32%37.0.0.1/", BadTarget::NotPublic)]
    #[case::metadata("https://169.254.169.254/latest/meta-data", BadTarget::NotPublic)]
    #[case::private("https://10.0.0.1:8443/", BadTarget::NotPublic)]
    #[case::six("https://[::1]/", BadTarget::NotPublic)]
    #[case::mapped("https://[::ffff:127.0.0.1]/", BadTarget::NotPublic)]
    #[case::mapped_hex("https://[::ffff:7f00:1]/", BadTarget::NotPublic)]
    #[case::unique_local("https://[fd00::1]/", BadTarget::NotPublic)]
    #[case::nat64("https://[64:ff9b::7f00:1]/", BadTarget::NotPublic)]
    #[case::single("https://intranet/", BadTarget::NotPublic)]
    #[case::internal("https://metadata.google.internal/", BadTarget::NotPublic)]
    #[case::mdns("https://printer.local/", BadTarget::NotPublic)]
    fn it_is_none_to_send_to(#[case] url: &str, #[case] why: BadTarget) {
        assert_eq!(Target::parse(url, Allow::Nothing), Err(why), "{url}");
    }

    #[rstest]
    #[case("https://hooks.kdn.example.my/lindung?x=1")]
    #[case("https://hooks.kdn.example.my:8443/")]
    #[case("https://1.1.1.1/")]
    #[case("https://[2606:4700::1111]/")]
    fn it_is_one(#[case] url: &str) {
        assert_eq!(Target::parse(url, Allow::Nothing).unwrap().to_string(), url);
    }

    #[test]
    fn this_machine_is_let_through_where_that_is_said_and_nothing_else_is() {
        for url in ["http://127.0.0.1:9000/", "http://localhost:9000/", "https://[::1]/"] {
            assert!(Target::parse(url, Allow::Loopback).is_ok(), "{url}");
        }
        for url in ["http://10.0.0.1/", "http://example.com/"] {
            assert_eq!(Target::parse(url, Allow::Loopback), Err(BadTarget::NotHttps), "{url}");
        }
        assert_eq!(Target::parse("https://169.254.169.254/", Allow::Loopback), Err(BadTarget::NotPublic));
        let lets = |address: &str| Allow::Loopback.lets(address.parse().unwrap());
        assert!(lets("127.0.0.1") && lets("::1") && lets("::ffff:127.0.0.1") && lets("1.1.1.1") && !lets("10.0.0.1"));
    }
}
