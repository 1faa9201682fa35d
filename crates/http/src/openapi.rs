//! The contract's frame: what it says before any route, and what all operations have in common.

use actix_web::App;
use lindung_domain::ClientId;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi, ToSchema};
use utoipa_actix_web::AppExt;

use crate::problem::ProblemView;
use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lindung",
        description = include_str!("openapi.md"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Task-force secretariat"),
    ),
    servers((url = "/", description = "This service")),
    tags(
        (name = "tokens", description = "Who is asking"),
        (name = "agencies", description = "Agencies, units and their contacts"),
        (name = "code-lists", description = "Codes with labels in Malay and English"),
        (name = "cases", description = "Cases, their children, sections and timelines"),
        (name = "referrals", description = "What one agency asks of another, and how it is answered"),
        (name = "clocks", description = "By when something has to be answered, what a law counts from, and how fast agencies are"),
        (name = "access-log", description = "Who saw what"),
        (name = "accesses", description = "Who has seen a case, and what a child's representative is told of that"),
        (name = "events", description = "The feed: what agencies are told, in its order"),
        (name = "subscriptions", description = "Where an agency is told of its events beside the feed: webhooks and mail"),
        (name = "notifications", description = "What people hear of, and how they mark it"),
        (name = "notification-rules", description = "Who hears of what in an agency, and when that can wait"),
        (name = "handoffs", description = "Who leads a case, and who is to lead it"),
        (name = "grants", description = "Who may see what of a case"),
        (name = "data-sharing", description = "What one agency asks of another under the Data Sharing Act 2025, and the register of that"),
        (name = "shields", description = "What is visible only to those named, and what needs two people"),
        (name = "consents", description = "What disclosures rest on: consents on a child, and overrides"),
        (name = "emergency-accesses", description = "Break-glass: a case seen at once, told to its lead and reviewed"),
        (name = "status-checks", description = "Whether a child is known, and whom to call about it"),
        (name = "suspensions", description = "Officers and clients whose requests are refused"),
        (name = "service", description = "Health and measurements"),
    ),
    // What only parameters name is not found by itself.
    components(schemas(ClientId)),
    modifiers(&Schemes),
    security(("bearer" = []), ("dpop" = [])),
)]
struct Frame;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token from `POST /oauth2/token`, at most ten minutes old."));
        let dpop = HttpBuilder::new().scheme(STAND_IN).description(Some(
            "An access token that is bound to a key, with a proof for this one request in the header field `DPoP` \
             (RFC 9449). Outside development, the only way for officers.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        components.add_security_scheme("dpop", SecurityScheme::Http(dpop.build()));
    }
}

/// utoipa has no name for the scheme `dpop`: one that we do not have stands for it until it is text.
const STAND_IN: HttpAuthScheme = HttpAuthScheme::Vapid;

/// The whole contract as JSON.
///
/// # Errors
/// It cannot be written as such.
pub fn text() -> serde_json::Result<String> {
    Ok(document().to_pretty_json()?.replace("\"scheme\": \"vapid\"", "\"scheme\": \"dpop\""))
}

/// The whole contract, as the routes declare it.
pub fn document() -> utoipa::openapi::OpenApi {
    let frame = Frame::openapi();
    App::new().into_utoipa_app().openapi(frame).configure(routes).split_for_parts().1
}

/// A code of a code list.
#[derive(ToSchema)]
#[schema(value_type = String, max_length = 64, example = "A792.15B")]
#[expect(dead_code, reason = "only described")]
pub struct ListedCode(String);

/// What can go wrong with any read.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub enum ReadProblems {
    /// A parameter or a header cannot be read; the problem names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemView),
    /// No access token, or one that is not good; or no good proof that its key is yours.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(ProblemView),
    /// Yours to know of, but not to do.
    #[response(status = 403, content_type = "application/problem+json")]
    NotYours(ProblemView),
    /// There is none, or you are no party to it: which of the two is not told.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemView),
    /// Only what this operation answers with can be accepted.
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(ProblemView),
    /// A parameter breaks a rule; the problem names it.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemView),
    /// Asked too often, by this officer or this client; `Retry-After` says how many seconds to wait.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemView),
    /// Something went wrong here.
    #[response(status = 500, content_type = "application/problem+json")]
    Fault(ProblemView),
    /// Not available now; nothing was read or changed.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemView),
}

/// What more can go wrong with a change.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub enum WriteProblems {
    /// The body did not come in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(ProblemView),
    /// Not possible in its present state (with what is), or a request with this key is still running.
    #[response(status = 409, content_type = "application/problem+json")]
    NotNow(ProblemView),
    /// It has changed since the version that you have.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(ProblemView),
    /// The body is larger than 1 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemView),
    /// The body is not JSON, or is encoded.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(ProblemView),
    /// `If-Match` is needed.
    #[response(status = 428, content_type = "application/problem+json")]
    PreconditionRequired(ProblemView),
}

/// The version that the caller has.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub struct IfMatchHeader {
    /// The `ETag` that you have; `*` takes any.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: String,
}

/// The key of a request that creates something.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub struct NewKeyHeader {
    /// Of your choice, a new one for each new request. Within 24 hours the same key and body are answered
    /// alike, with `Idempotency-Replayed: true`, and done once.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324"
    )]
    key: String,
}

/// The key of a request that need not have one.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub struct KeyHeader {
    /// Makes it safe to send the request again: within 24 hours the same key and body are done once.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    key: Option<String>,
}

/// A proof of possession.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub struct ProofHeader {
    /// A proof (RFC 9449) for this request, without `ath` and with the `nonce` of the last `DPoP-Nonce`: the token
    /// will be bound to its key.
    #[param(rename = "DPoP", max_length = 8192)]
    proof: Option<String>,
}

/// The preferred language of labels.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub struct LanguageHeader {
    /// `ms` or `en`; Malay when neither is preferred. The answer names its language.
    #[param(rename = "Accept-Language", example = "en")]
    language: Option<String>,
}
