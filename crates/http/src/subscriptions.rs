//! Subscriptions: where an agency is told of its events beside the feed. For its administrators.

mod bodies;
mod deliveries;
mod view;

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post, put};
use lindung_domain::subscription::{Channel, Command, Subscription};
use lindung_domain::{DeliveryId, Refusal, SubscriptionId};
use lindung_persistence::{Db, NewSubscription, Wish, Writing};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, IfMatch, MaybeIfMatch, NewBody, Nothing, Params};
use crate::openapi::{IfMatchHeader, KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, PAGE_DEFAULT, Page, Versioned, answer};
use crate::timeline::PageParams;
use bodies::{ChangedBody, NewBody as Wanted, ReplayBody, RotateBody};
use view::{DeliveryAck, SecretView, SecretsView, SubscriptionAck, SubscriptionView};

/// The routes of subscriptions and their deliveries.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_subscriptions)
        .service(create_subscription)
        .service(get_subscription)
        .service(change_subscription)
        .service(pause_subscription)
        .service(resume_subscription)
        .service(end_subscription)
        .service(rotate_secret)
        .service(list_secrets)
        .service(test_subscription)
        .service(replay_subscription)
        .configure(deliveries::routes);
}

/// List your agency's subscriptions, newest first; ended ones too.
#[utoipa::path(
    tag = "subscriptions",
    params(PageParams),
    responses((status = 200, description = "A page of subscriptions", body = Page<SubscriptionView>), ReadProblems)
)]
#[get("/subscriptions")]
async fn list_subscriptions(
    app: Data<App>,
    Caller(call): Caller,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<SubscriptionView>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let before = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.subscriptions(call, before, limit)).await?;
    Ok(Page::new(found, limit, |it| it.record().id.0).map(|it| SubscriptionView::new(&it)))
}

/// Subscribe your agency to its events, by webhook or by mail.
///
/// It begins with the next event, so that nobody is flooded; `fromNumber` or `from` begins earlier. A webhook's secret is
/// told by `GET /v1/subscriptions/{subscription}/secrets`. An agency can have 20 subscriptions that have not ended.
#[utoipa::path(
    tag = "subscriptions",
    params(NewKeyHeader),
    request_body = Wanted,
    responses((status = 201, description = "Subscribed", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions")]
async fn create_subscription(app: Data<App>, Caller(call): Caller, body: NewBody<Wanted>) -> Result<Done, Problem> {
    let NewBody { value, repeat } = body;
    let (destination, filter, from) = value.read(app.parts().webhooks)?;
    let new = NewSubscription { id: SubscriptionId(Db::new_id()), destination, filter, from };
    let made =
        move |db: &Db, writing: Writing<'_>| db.subscribe(writing, &new, |it| answer(201, &SubscriptionAck::new(it)));
    let how = How { repeat, ..How::about_no_case() };
    app.write_reference(call, how, made).await.map(Done)
}

/// Read a subscription.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription")),
    responses((status = 200, description = "The subscription", body = SubscriptionView), ReadProblems)
)]
#[get("/subscriptions/{subscription}")]
async fn get_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    _: Params<NoParams>,
) -> Result<Versioned<SubscriptionView>, Problem> {
    let found = app.read(call, move |db, call| db.subscription(call, *id)).await?;
    Ok(Versioned { version: found.record().version.0, body: SubscriptionView::new(&found) })
}

/// Change where a subscription goes, or what it wants; its channel stays.
///
/// What is already on its way goes to the new place too.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), IfMatchHeader),
    request_body = ChangedBody,
    responses((status = 200, description = "Changed", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[put("/subscriptions/{subscription}")]
async fn change_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    IfMatch(expected): IfMatch,
    body: Body<ChangedBody>,
) -> Result<Done, Problem> {
    let (destination, filter) = body.value.read(app.parts().webhooks)?;
    let how = How { expected, ..How::about_no_case() };
    wish(app, call, *id, how, Wish::Change(destination, filter)).await
}

/// Deliver nothing for a while: what happens meanwhile is delivered once it is resumed.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Paused", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/pause")]
async fn pause_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = How { expected, repeat: body.repeat, ..How::about_no_case() };
    wish(app, call, *id, how, Wish::Does(Command::Pause)).await
}

/// Go on where it was paused or disabled: what waits is tried at once. Parked deliveries stay parked.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Resumed", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/resume")]
async fn resume_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = How { expected, repeat: body.repeat, ..How::about_no_case() };
    wish(app, call, *id, how, Wish::Does(Command::Resume)).await
}

/// End a subscription for good. What was delivered stays to be seen.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Ended", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/end")]
async fn end_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = How { expected, repeat: body.repeat, ..How::about_no_case() };
    wish(app, call, *id, how, Wish::Does(Command::End)).await
}

/// Take a new secret for a webhook. For 24 hours the former one signs beside it, so that receivers can be changed in peace.
///
/// While a former secret still signs there is no third one, unless `immediately` ends it at once: for a secret that was lost.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), KeyHeader),
    request_body = RotateBody,
    responses((status = 200, description = "Rotated", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/rotate")]
async fn rotate_secret(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: Body<RotateBody>,
) -> Result<Done, Problem> {
    let how = How { expected, repeat: body.repeat, ..How::about_no_case() };
    wish(app, call, *id, how, Wish::Does(Command::Rotate { immediately: body.value.immediately })).await
}

/// Read the secrets that sign a webhook: the present one, and the former as long as it does.
///
/// They are kept nowhere, but follow from a key of the service's; so they can be read as often as need be, and each
/// reading is an access.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription")),
    responses((status = 200, description = "Its secrets", body = SecretsView), ReadProblems)
)]
#[get("/subscriptions/{subscription}/secrets")]
async fn list_secrets(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    _: Params<NoParams>,
) -> Result<Json<SecretsView>, Problem> {
    let now = call.now;
    let found = app.read(call, move |db, call| db.subscription(call, *id)).await?;
    let record = found.record();
    if record.destination.channel() != Channel::Webhook {
        return Err(lindung_persistence::Error::from(Refusal::NotFound).into());
    }
    let secret = |generation| app.parts().webhook_key.secret(record.id.0, generation).text();
    let former = found.former_until(now).map(|until| SecretView {
        secret: secret(record.generation - 1),
        since: None,
        until: Some(until),
    });
    let present = SecretView { secret: secret(record.generation), since: record.rotated_at, until: None };
    Ok(Json(SecretsView { items: [Some(present), former].into_iter().flatten().collect() }))
}

/// Have a test delivered at once, to see whether it arrives. Its type is `my.gov.lindung.subscription.tested`.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), NewKeyHeader),
    request_body = Nothing,
    responses((status = 202, description = "On its way: the delivery tells how it goes", body = DeliveryAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/test")]
async fn test_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    body: NewBody<Nothing>,
) -> Result<Done, Problem> {
    let (of, delivery) = (*id, DeliveryId(Db::new_id()));
    let how = How { repeat: body.repeat, ..How::about_no_case() };
    let tested = move |db: &Db, writing: Writing<'_>| {
        db.test_subscription(writing, (of, delivery), || answer(202, &DeliveryAck::new(of, delivery)))
    };
    app.write_reference(call, how, tested).await.map(Done)
}

/// Have everything delivered again from a number or a time on, each under its `webhook-id` of before.
///
/// What was delivered before comes with the header field `lindung-again: true`. Events that were never delivered, because
/// of another filter or a later beginning, come too if they are wanted now.
#[utoipa::path(
    tag = "subscriptions",
    params(("subscription" = SubscriptionId, Path, description = "The subscription"), KeyHeader),
    request_body = ReplayBody,
    responses((status = 202, description = "It begins", body = SubscriptionAck), ReadProblems, WriteProblems)
)]
#[post("/subscriptions/{subscription}/replay")]
async fn replay_subscription(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<SubscriptionId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: Body<ReplayBody>,
) -> Result<Done, Problem> {
    let (wanted, id) = (Wish::Replay(body.value.read()?), *id);
    let how = How { expected, repeat: body.repeat, ..How::about_no_case() };
    let replayed = move |db: &Db, writing: Writing<'_>| {
        db.change_subscription(writing, id, &wanted, |it| answer(202, &SubscriptionAck::new(it)))
    };
    app.write_reference(call, how, replayed).await.map(Done)
}

async fn wish(
    app: Data<App>,
    call: lindung_persistence::Call,
    id: SubscriptionId,
    how: How,
    wish: Wish,
) -> Result<Done, Problem> {
    let acknowledged = |it: &Subscription| answer(200, &SubscriptionAck::new(it));
    let changed = move |db: &Db, writing: Writing<'_>| db.change_subscription(writing, id, &wish, acknowledged);
    app.write_reference(call, how, changed).await.map(Done)
}
