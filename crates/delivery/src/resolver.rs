//! Names, resolved to addresses that one may send to. The connection is made to the very addresses that were looked at,
//! so that a name that leads elsewhere a moment later leads nobody in here.

use std::net::SocketAddr;

use lindung_webhook::Allow;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// All addresses of a name are ones that nothing is sent to.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no address of the public internet")]
pub(crate) struct Forbidden;

/// The name leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("the name leads nowhere")]
pub(crate) struct Unknown;

/// Resolves by the system, and leaves out what is not allowed.
pub(crate) struct Resolver(pub(crate) Allow);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.0;
        Box::pin(async move {
            // The port is put in by the client.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Unknown)?;
            let found: Vec<SocketAddr> = found.collect();
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(|it| allow.lets(it.ip())).collect();
            match (found.is_empty(), allowed.is_empty()) {
                (true, _) => Err(Unknown.into()),
                (false, true) => Err(Forbidden.into()),
                (false, false) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
