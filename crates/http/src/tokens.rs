//! The token endpoint: from an assertion that a client signed to an access token.
//!
//! Two grants: `client_credentials` with `private_key_jwt` (RFC 7523, 2.2) for the client itself,
//! and `jwt-bearer` (RFC 7523, 2.1) in which the client vouches for an officer.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use chrono::{DateTime, Utc};
use jsonwebtoken::Header;
use lindung_domain::{Actor, AgencyCode, OfficerId, Purpose, Role};
use lindung_persistence::{Client, Db, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::assertion::{self, Assertion};
use crate::caller::{ACCESS_TOKEN, AccessClaims, Confirmation, audience};
use crate::extract::Form;
use crate::limits::Throttled;
use crate::observe::RequestId;
use crate::openapi::ProofHeader;
use crate::problem::{Problem, ProblemView};
use crate::proof::{self, About, BadProof, Proven};

/// How long an access token holds, in seconds.
const LIFETIME: i64 = 600;

/// `grant_type` of a client acting alone.
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
/// `grant_type` of a client acting for an officer.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is asked of the token endpoint.
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `client_credentials`, or `urn:ietf:params:oauth:grant-type:jwt-bearer` for an officer.
    #[schema(max_length = 100, example = "client_credentials")]
    grant_type: Option<String>,
    /// With `client_credentials`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(max_length = 100, example = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")]
    client_assertion_type: Option<String>,
    /// With `client_credentials`: a JWT signed by the client. `iss` and `sub` are its id, `aud` the issuer,
    /// `exp` at most 300 seconds after `iat`, `jti` used once; `agency` picks one of its units.
    #[schema(max_length = 8192)]
    client_assertion: Option<String>,
    /// With `jwt-bearer`: a JWT signed by the client. As above, but `sub` is the officer's id, with
    /// their `name`, `roles`, `purpose` and `agency`.
    #[schema(max_length = 8192)]
    assertion: Option<String>,
    /// The client's id; may be left out, since the assertion names it.
    #[schema(max_length = 64, example = "kdn-system")]
    client_id: Option<String>,
}

/// An access token (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// A JWT (RFC 9068) for `Authorization: Bearer`, or for `Authorization: DPoP` with a proof for each request.
    access_token: String,
    /// `DPoP` when the request had a proof (RFC 9449): the token is bound to its key. `Bearer` otherwise.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long it holds, in seconds.
    #[schema(example = 600)]
    expires_in: i64,
}

/// Why there is no token (RFC 6749, 5.2).
#[derive(Serialize, ToSchema)]
pub struct TokenRefusal {
    /// `invalid_request`, `unsupported_grant_type`, `invalid_client`, `invalid_grant`, `invalid_dpop_proof` or
    /// `use_dpop_nonce`, which comes with the nonce to use as `DPoP-Nonce`.
    #[schema(example = "invalid_client")]
    error: &'static str,
    /// What is wrong with it.
    error_description: String,
}

/// Why no token is issued.
pub(crate) enum NoToken {
    /// The request is not one of the two.
    Request(&'static str),
    /// Neither grant.
    Grant,
    /// The assertion proves nothing.
    Assertion(&'static str),
    /// The client may not speak like that.
    NotVouched(String),
    /// The proof of possession is not good, or missing.
    Proof(BadProof),
    /// Asked too often.
    Throttled(Throttled),
    /// Not for want of right.
    Failed(Error),
}

impl From<Error> for NoToken {
    fn from(error: Error) -> Self {
        match error {
            Error::ProofReused => NoToken::Proof(BadProof::Bad("the proof was used before")),
            other => NoToken::Failed(other),
        }
    }
}

/// A token that is given.
struct Issued {
    access_token: String,
    proven: Option<Proven>,
}

/// Get an access token.
///
/// A client signs a short-lived assertion with its registered key and gets a token of at most ten
/// minutes for itself or for one of its officers and one purpose. Another purpose needs another token.
/// With a proof of possession (RFC 9449) the token is bound to the key of the proof; outside development
/// an officer's token must be.
#[utoipa::path(
    tag = "tokens",
    params(ProofHeader),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token", body = TokenAnswer),
        (status = 400, description = "The request, the grant or the proof is not good", body = TokenRefusal),
        (status = 401, description = "The client's assertion is not good", body = TokenRefusal),
        (status = 408, description = "The form did not come in time", body = ProblemView, content_type = "application/problem+json"),
        (status = 413, description = "The form is larger than 1 MiB", body = ProblemView, content_type = "application/problem+json"),
        (status = 415, description = "The body is no form, or is encoded", body = ProblemView, content_type = "application/problem+json"),
        (status = 429, description = "The client has asked too often", body = ProblemView, content_type = "application/problem+json"),
        (status = 503, description = "Not available now", body = ProblemView, content_type = "application/problem+json"),
    ),
    security(())
)]
#[post("/oauth2/token")]
pub async fn issue_token(
    app: Data<App>,
    request: HttpRequest,
    form: Result<Form<TokenRequest>, Problem>,
) -> Result<HttpResponse, Problem> {
    let (now, service) = (app.now(), app.clone());
    let asked =
        Asked { proof: proof::brought(&request).map(|it| it.map(str::to_owned)), id: RequestId::of(&request), now };
    let issued = match form {
        Ok(Form(form)) => app.ask(move |db| Ok(issue(&service, db, form, asked))).await?,
        // RFC 6749, 3.2: parameters must not be included more than once.
        Err(Problem::Malformed(_)) => Err(NoToken::Request("the form cannot be read, or a parameter stands twice")),
        Err(problem) => return Err(problem),
    };
    let mut response = match &issued {
        Ok(_) => HttpResponse::Ok(),
        Err(NoToken::Assertion(_)) => HttpResponse::Unauthorized(),
        Err(_) => HttpResponse::BadRequest(),
    };
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    let refused = |error, description: &str| TokenRefusal { error, error_description: description.to_owned() };
    Ok(match issued {
        Ok(Issued { access_token, proven }) => {
            let token_type = if proven.is_some() { "DPoP" } else { "Bearer" };
            let mut response = response.json(TokenAnswer { access_token, token_type, expires_in: LIFETIME });
            if proven.is_some_and(|it| it.aging) {
                proof::renew(response.headers_mut(), &app);
            }
            response
        }
        Err(NoToken::Request(why)) => response.json(refused("invalid_request", why)),
        Err(NoToken::Grant) => response.json(refused(
            "unsupported_grant_type",
            "the grant is client_credentials or urn:ietf:params:oauth:grant-type:jwt-bearer",
        )),
        Err(NoToken::Assertion(why)) => response
            .status(StatusCode::UNAUTHORIZED)
            .insert_header((WWW_AUTHENTICATE, "Bearer error=\"invalid_client\""))
            .json(refused("invalid_client", why)),
        Err(NoToken::Proof(BadProof::Bad(why))) => response.json(refused("invalid_dpop_proof", why)),
        Err(NoToken::Proof(BadProof::Nonce)) => {
            let mut response = response.json(refused("use_dpop_nonce", "sign the nonce of DPoP-Nonce in the proof"));
            proof::renew(response.headers_mut(), &app);
            response
        }
        Err(NoToken::Throttled(throttled)) => return Err(throttled.into()),
        Err(NoToken::NotVouched(why)) => response.json(refused("invalid_grant", &why)),
        Err(NoToken::Failed(error)) => return Err(error.into()),
    })
}

/// What is known of the request beside its form.
struct Asked {
    proof: Result<Option<String>, BadProof>,
    id: Uuid,
    now: DateTime<Utc>,
}

fn issue(app: &App, db: &Db, form: TokenRequest, asked: Asked) -> Result<Issued, NoToken> {
    let Asked { proof, id, now } = asked;
    let TokenRequest { grant_type, client_assertion_type, client_assertion, assertion, client_id } = form;
    let (text, alone) = match grant_type.as_deref() {
        None => return Err(NoToken::Request("grant_type is missing")),
        Some(CLIENT_CREDENTIALS) => {
            if client_assertion_type.as_deref() != Some(ASSERTION_TYPE) {
                return Err(NoToken::Request("client_assertion_type is missing or not jwt-bearer"));
            }
            (client_assertion.ok_or(NoToken::Request("client_assertion is missing"))?, true)
        }
        Some(JWT_BEARER) => (assertion.ok_or(NoToken::Request("assertion is missing"))?, false),
        Some(_) => return Err(NoToken::Grant),
    };
    // First, so that the assertion is still good once the client has a nonce.
    let proven = proven(app, proof, now.timestamp()).map_err(NoToken::Proof)?;
    if proven.is_none() && !alone && app.parts().proofs_required {
        return Err(NoToken::Proof(BadProof::Bad("an officer's token is bound to a key: send a proof as DPoP")));
    }
    let (client, claims) = assertion::verify(app, db, &text, now).map_err(|it| match it {
        // As a grant it is the grant that is bad (RFC 7521, 4.1.1), not the authentication.
        NoToken::Assertion(why) if !alone => NoToken::NotVouched(why.to_owned()),
        other => other,
    })?;
    if client_id.is_some_and(|it| it != client.id.as_str()) {
        return Err(NoToken::Request("client_id is not the one of the assertion"));
    }
    if let Some(proven) = &proven {
        db.spend_proof(&proven.proof, id)?;
    }
    let agency = agency_of(db, &client, claims.agency.as_deref())?;
    let actor = if alone {
        if claims.sub != claims.iss {
            return Err(NoToken::Assertion("sub of a client's assertion is the client"));
        }
        Actor::client(client.id.clone(), agency)
    } else {
        vouched(db, &client, agency, &claims, now)?
    };
    if !db.may_act(&actor)? {
        return Err(NoToken::NotVouched("the client or the officer is suspended".to_owned()));
    }
    let access_token = sign(app, &actor, proven.as_ref(), now)?;
    Ok(Issued { access_token, proven })
}

/// The proof of a token request, if it brings one.
fn proven(app: &App, brought: Result<Option<String>, BadProof>, now: i64) -> Result<Option<Proven>, BadProof> {
    let url = format!("{}/oauth2/token", app.parts().issuer);
    let about = About { method: "POST", url, token: None };
    brought?.map(|it| proof::verify(&it, &about, app.nonces(), now)).transpose()
}

/// The agency spoken for: the client's own, or one of its units.
fn agency_of(db: &Db, client: &Client, asked: Option<&str>) -> Result<AgencyCode, NoToken> {
    let not_registered = || NoToken::NotVouched("the client is not registered for this agency or unit".to_owned());
    let agency = match asked {
        None => client.agency.clone(),
        Some(code) => code.parse().map_err(|_| not_registered())?,
    };
    if agency != client.agency && !client.units.contains(&agency) {
        return Err(not_registered());
    }
    if !db.takes_part(&agency)? {
        return Err(NoToken::NotVouched("the agency does not take part".to_owned()));
    }
    Ok(agency)
}

/// The officer that the client vouches for: only with roles it was registered for.
fn vouched(
    db: &Db,
    client: &Client,
    agency: AgencyCode,
    claims: &Assertion,
    now: DateTime<Utc>,
) -> Result<Actor, NoToken> {
    let not = |why: &str| NoToken::NotVouched(why.to_owned());
    let officer: OfficerId = claims.sub.parse().map_err(|_| not("sub is no officer id"))?;
    let name = claims.name.as_deref().unwrap_or_default().trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(not("name is missing, too long or not plain"));
    }
    let roles: Vec<Role> = claims
        .roles
        .iter()
        .flatten()
        .map(|it| it.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| not("roles has a role that does not exist"))?;
    if let Some(role) = roles.iter().find(|it| !client.roles.contains(it)) {
        return Err(NoToken::NotVouched(format!("the client may not vouch for the role {role}")));
    }
    let purpose: Option<Purpose> =
        claims.purpose.as_deref().map(str::parse).transpose().map_err(|_| not("purpose is none that exists"))?;
    let actor = Actor::officer(client.id.clone(), agency, officer.clone(), &roles, purpose)
        .map_err(|why| NoToken::NotVouched(why.to_string()))?;
    if purpose == Some(Purpose::Emergency) && !db.has_open_emergency(&actor, now)? {
        return Err(not("no case is open to the officer in an emergency"));
    }
    db.remember_officer(actor.agency(), &officer, name, &client.id, now)?;
    Ok(actor)
}

fn sign(app: &App, actor: &Actor, proven: Option<&Proven>, now: DateTime<Utc>) -> Result<String, NoToken> {
    let parts = app.parts();
    let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = Some(ACCESS_TOKEN.to_owned());
    header.kid = Some(parts.token_keys.kid.clone());
    let claims = AccessClaims {
        iss: parts.issuer.clone(),
        aud: audience(&parts.issuer),
        sub: actor.officer_id().map_or_else(|| actor.client_id().to_string(), ToString::to_string),
        client_id: actor.client_id().clone(),
        agency: actor.agency().clone(),
        roles: actor.roles().to_vec(),
        purpose: actor.purpose(),
        iat: now.timestamp(),
        exp: now.timestamp() + LIFETIME,
        jti: Db::new_id().to_string(),
        cnf: proven.map(|it| Confirmation { jkt: it.proof.jkt.clone() }),
    };
    jsonwebtoken::encode(&header, &claims, &parts.token_keys.signing)
        .map_err(|_| NoToken::Failed(Error::Fault("a token cannot be signed".to_owned())))
}
