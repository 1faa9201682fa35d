//! Requests to the service, and its answers.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;

use crate::assertion::{Assertion, Speaker};
use crate::bound::ProofKey;
use crate::credentials::Credentials;
use crate::error::Error;

const TIMEOUT: Duration = Duration::from_secs(30);
const TOKEN_PATH: &str = "/oauth2/token";
const PROBLEM: &str = "urn:lindung:problem:";

/// The service, as a client reaches it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    issuer: String,
    http: Client,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body: parsed where it is JSON, a string where it is other text, null where there is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// A header field, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    /// The slug of a problem's type, as in `not-found`; nothing if the answer is no problem.
    pub fn problem(&self) -> Option<&str> {
        let is_problem = self.header("content-type").is_some_and(|it| it.starts_with("application/problem+json"));
        self.body.get("type")?.as_str()?.strip_prefix(PROBLEM).filter(|_| is_problem)
    }
}

impl Api {
    /// The service at `issuer`, as in `https://lindung.example`. Follows no redirect, asks no proxy,
    /// and waits for 30 seconds.
    ///
    /// # Errors
    /// The machine's root certificates cannot be loaded.
    pub fn new(issuer: &str) -> Result<Self, Error> {
        let http = http(issuer, TIMEOUT)?;
        Ok(Api { issuer: issuer.to_owned(), http })
    }

    /// Where the service is, exactly as it was given: the audience of assertions.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// An access token for the speaker, by this machine's clock.
    ///
    /// # Errors
    /// The service gives none, or does not answer.
    pub async fn token(&self, credentials: &Credentials, speaker: &Speaker) -> Result<String, Error> {
        self.token_at(credentials, speaker, crate::now()).await
    }

    /// An access token for the speaker, asked for at `now`.
    ///
    /// # Errors
    /// The service gives none, or does not answer.
    pub async fn token_at(
        &self,
        credentials: &Credentials,
        speaker: &Speaker,
        now: DateTime<Utc>,
    ) -> Result<String, Error> {
        self.token_of(credentials, speaker, None, now).await
    }

    /// The same, bound to a key where there is one.
    pub(crate) async fn token_of(
        &self,
        credentials: &Credentials,
        speaker: &Speaker,
        key: Option<&ProofKey>,
        now: DateTime<Utc>,
    ) -> Result<String, Error> {
        let assertion = Assertion::new(credentials, speaker, &self.issuer, now).sign(credentials)?;
        let grant: &[(&str, &str)] = if speaker.officer.is_some() {
            &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)]
        } else {
            &[
                ("grant_type", "client_credentials"),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &assertion),
            ]
        };
        let reply = match key {
            None => self.ask_for_token(grant).await?,
            Some(key) => {
                let url = self.url(TOKEN_PATH)?;
                let make = || key.proof("POST", &url, None, now);
                key.prove(make, async |proof| self.ask_for_bound_token(grant, &proof).await).await?
            }
        };
        let told = |field: &str| reply.body.get(field).and_then(Value::as_str);
        match told("access_token") {
            Some(token) if reply.status == 200 => Ok(token.to_owned()),
            _ => Err(Error::NoToken {
                agency: speaker.agency.clone(),
                client: credentials.client_id.clone(),
                status: reply.status,
                error: [told("error"), told("error_description")].into_iter().flatten().collect::<Vec<_>>().join(": "),
            }),
        }
    }

    /// Sends a form to the token endpoint.
    ///
    /// # Errors
    /// The service does not answer.
    pub async fn ask_for_token(&self, form: &[(&str, &str)]) -> Result<Reply, Error> {
        self.send(&format!("POST {TOKEN_PATH}"), self.http.post(self.url(TOKEN_PATH)?).form(form)).await
    }

    /// Sends a form to the token endpoint, with a proof of the key that the token shall be bound to.
    ///
    /// # Errors
    /// The service does not answer.
    pub async fn ask_for_bound_token(&self, form: &[(&str, &str)], proof: &str) -> Result<Reply, Error> {
        let request = self.http.post(self.url(TOKEN_PATH)?).form(form).header("dpop", proof);
        self.send(&format!("POST {TOKEN_PATH}"), request).await
    }

    /// Sends a request. The path begins with `/` and may have a query; a body is sent as JSON.
    ///
    /// # Errors
    /// The method, path or a header field is none; the service does not answer.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, Error> {
        let no = |what: String, why: &dyn std::fmt::Display| Error::Request { what, why: why.to_string() };
        let verb = Method::from_bytes(method.as_bytes()).map_err(|it| no(format!("the method {method:?}"), &it))?;
        let mut request = self.http.request(verb, self.url(path)?);
        for (name, value) in headers {
            let field = HeaderName::try_from(*name).map_err(|it| no(format!("the header {name:?}"), &it))?;
            let value = HeaderValue::from_str(value).map_err(|it| no(format!("the value of {name}"), &it))?;
            request = request.header(field, value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(&format!("{method} {path}"), request).await
    }

    /// Where a path is.
    pub(crate) fn url(&self, path: &str) -> Result<String, Error> {
        if path.starts_with('/') {
            return Ok(format!("{}{path}", self.issuer.trim_end_matches('/')));
        }
        Err(Error::Request { what: format!("the path {path:?}"), why: "it does not begin with /".to_owned() })
    }

    async fn send(&self, what: &str, request: RequestBuilder) -> Result<Reply, Error> {
        let failed = |it: reqwest::Error| Error::NoAnswer { request: what.to_owned(), why: reason(&it) };
        let response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.map_err(failed)?.to_vec();
        let is_json = headers
            .get(CONTENT_TYPE)
            .and_then(|it| it.to_str().ok())
            .and_then(|it| it.split(';').next())
            .is_some_and(|it| it.ends_with("/json") || it.ends_with("+json"));
        let body = match (bytes.is_empty(), is_json) {
            (true, _) => Value::Null,
            (false, false) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
            (false, true) => serde_json::from_slice(&bytes)
                .map_err(|it| Error::NoAnswer { request: what.to_owned(), why: format!("its JSON is none: {it}") })?,
        };
        Ok(Reply { status, headers, body, bytes })
    }
}

/// What speaks to a service: it follows no redirect, asks no proxy, and waits so long.
pub(crate) fn http(url: &str, timeout: Duration) -> Result<Client, Error> {
    let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy().timeout(timeout);
    // Without TLS there is nothing to trust, and a machine may have no root certificates.
    let builder = if url.starts_with("http://") { builder.tls_certs_only([]) } else { builder };
    builder.build().map_err(|it| Error::Request { what: format!("anything to {url}"), why: reason(&it) })
}

/// What went wrong and why, down to the ground: reqwest itself tells the outermost cause only.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason.push_str(": ");
        reason.push_str(&inner.to_string());
        cause = inner.source();
    }
    reason
}
