//! The deliveries of a subscription.

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use lindung_domain::delivery::DeliveryStatus;
use lindung_domain::{DeliveryId, SubscriptionId};
use lindung_persistence::{Db, DeliveryItem, Writing};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::view::DeliveryAck;
use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, Nothing, Params};
use crate::openapi::{KeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, PAGE_DEFAULT, PAGE_LIMIT, Page, answer};

/// The routes of deliveries.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_deliveries).service(get_delivery).service(redeliver);
}

/// Which deliveries are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveryParams {
    /// Only those that stand there.
    status: Option<DeliveryStatus>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// List the deliveries of a subscription, newest first, each with its attempts.
///
/// Delivered ones are forgotten after 30 days. Parked ones stay.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), DeliveryParams),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryItem>), ReadProblems)
)]
#[get("/subscriptions/{subscription}/deliveries")]
async fn list_deliveries(
    app: Data<App>,
    Caller(call): Caller,
    of: Path<SubscriptionId>,
    Params(DeliveryParams { status, limit, cursor }): Params<DeliveryParams>,
) -> Result<Page<DeliveryItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let before = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.deliveries(call, *of, status, before, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// Read a delivery, with its attempts.
#[utoipa::path(
    tag = "subscriptions",
    params(
        ("subscription" = SubscriptionId, Path, description = "The subscription"),
        ("delivery" = DeliveryId, Path, description = "The delivery"),
    ),
    responses((status = 200, description = "The delivery", body = DeliveryItem), ReadProblems)
)]
#[get("/subscriptions/{subscription}/deliveries/{delivery}")]
async fn get_delivery(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(SubscriptionId, DeliveryId)>,
    _: Params<NoParams>,
) -> Result<Json<DeliveryItem>, Problem> {
    let (of, id) = *path;
    app.read(call, move |db, call| db.delivery(call, of, id)).await.map(Json)
}

/// Have one delivered again, under its `webhook-id` of before, with the header field `lindung-again: true`.
#[utoipa::path(
    tag = "subscriptions",
    params(
        ("subscription" = SubscriptionId, Path, description = "The subscription"),
        ("delivery" = DeliveryId, Path, description = "The delivery"),
        KeyHeader,
    ),
    request_body = Nothing,
    responses((status = 202, description = "On its way", body = DeliveryAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/deliveries/{delivery}/redeliver")]
async fn redeliver(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(SubscriptionId, DeliveryId)>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let (of, id) = *path;
    let how = How { repeat: body.repeat, ..How::about_no_case() };
    let again =
        move |db: &Db, writing: Writing<'_>| db.redeliver(writing, (of, id), || answer(202, &DeliveryAck::new(of, id)));
    app.write_reference(call, how, again).await.map(Done)
}
