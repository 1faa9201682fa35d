//! Data-sharing requests (Act 864): made, read and listed here; answers are in [`answers`], the register in [`register`].

mod answers;
mod register;
mod view;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use lindung_domain::case::Asking;
use lindung_domain::data_sharing::{DataSharing, DataSharingSide, DataSharingStatus, Demand, SharingPurpose};
use lindung_domain::refusal::Expected;
use lindung_domain::section::text;
use lindung_domain::{AgencyCode, DataSharingId};
use lindung_persistence::{DataSharingFilter, DataSharingItem, Db, Target};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::cases;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{NewBody, Params};
use crate::openapi::{NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, PAGE_DEFAULT, PAGE_LIMIT, Page, Versioned};
use view::{DataSharingAck, DataSharingView};

/// The routes of data-sharing requests. The register comes before whatever is taken for an id.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(request_data)
        .service(list_data_sharing_requests)
        .configure(register::routes)
        .service(get_data_sharing_request)
        .configure(answers::routes);
}

/// What is asked of another agency (Act 864 s.12(2)). It names no case; do not name a child.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RequestData {
    /// Which data.
    #[schema(min_length = 1, max_length = 4000)]
    data_requested: String,
    /// What for (s.13).
    purpose: SharingPurpose,
    /// The same in words.
    #[schema(min_length = 1, max_length = 4000)]
    purpose_text: String,
    /// The agency that has the data. The recipient is your own.
    provider: AgencyCode,
    /// How your agency will handle the data.
    #[schema(min_length = 1, max_length = 4000)]
    handling: String,
}

impl RequestData {
    fn into_demand(self) -> Result<Demand, Problem> {
        let RequestData { data_requested, purpose, purpose_text, provider, handling } = self;
        let data = text("dataRequested", &data_requested)?;
        let purpose_text = text("purposeText", &purpose_text)?;
        Ok(Demand { data, purpose, purpose_text, provider, handling: text("handling", &handling)? })
    }
}

/// Which data-sharing requests are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DataSharingParams {
    /// Those that your agency made, or was asked. Left out: both, and for coordinators all.
    #[param(inline)]
    side: Option<DataSharingSide>,
    /// In this status.
    status: Option<DataSharingStatus>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// Ask another agency for data about children whom yours cannot see.
///
/// For officers. The provider has 14 days to answer (Act 864 s.14): until the end of the fourteenth day.
#[utoipa::path(
    tag = "data-sharing",
    params(NewKeyHeader),
    request_body = RequestData,
    responses((status = 201, description = "Made", body = DataSharingAck), ReadProblems, WriteProblems)
)]
#[post("/data-sharing-requests")]
async fn request_data(app: Data<App>, Caller(call): Caller, body: NewBody<RequestData>) -> Result<Done, Problem> {
    let demand = body.value.into_demand()?;
    let named = vec![demand.provider.to_string()];
    let how = How { target: Target::New, expected: Expected::Any, named, repeat: body.repeat };
    let made = app.write_reference(call, how, move |db, writing| {
        db.ask_for_data(&writing, move |tx, parties, asking| {
            let reference = cases::reference("DSR", tx.next_data_sharing_number()?, asking.now);
            let change = DataSharing::ask(DataSharingId(Db::new_id()), reference, demand, parties, asking)?;
            let answer = DataSharingAck::answer(201, change.entity())?;
            Ok((change, answer))
        })
    });
    made.await.map(Done)
}

/// List the data-sharing requests that your agency made or was asked, newest first.
///
/// For officers; for coordinators all.
#[utoipa::path(
    tag = "data-sharing",
    params(DataSharingParams),
    responses((status = 200, description = "A page of data-sharing requests", body = Page<DataSharingItem>), ReadProblems)
)]
#[get("/data-sharing-requests")]
async fn list_data_sharing_requests(
    app: Data<App>,
    Caller(call): Caller,
    Params(DataSharingParams { side, status, limit, cursor }): Params<DataSharingParams>,
) -> Result<Page<DataSharingItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let filter = DataSharingFilter { side, status, after: cursor::decode(cursor.as_deref())?, limit };
    let found = app.read(call, move |db, call| db.data_sharing_requests(call, &filter)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// Read a data-sharing request, with the clocks that run on it and what you may do to it now.
///
/// For officers of both sides; coordinators see no words.
#[utoipa::path(
    tag = "data-sharing",
    params(("request" = DataSharingId, Path, description = "The data-sharing request")),
    responses((status = 200, description = "The data-sharing request", body = DataSharingView), ReadProblems)
)]
#[get("/data-sharing-requests/{request}")]
async fn get_data_sharing_request(
    app: Data<App>,
    Caller(call): Caller,
    request: Path<DataSharingId>,
    _: Params<NoParams>,
) -> Result<Versioned<DataSharingView>, Problem> {
    let (actor, now) = (call.actor.clone(), call.now);
    let (request, clocks) = app.read(call, move |db, call| db.data_sharing_request(call, *request)).await?;
    let asking = Asking { actor: &actor, expected: Expected::Any, now };
    Ok(Versioned { version: request.record().version.0, body: DataSharingView::new(&request, clocks, &asking) })
}
