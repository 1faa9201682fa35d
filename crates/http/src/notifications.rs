//! Notifications: what people of an agency hear of, each by their roles or by name, and how they mark it.

mod rules;

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use lindung_domain::notification::SUBSCRIPTION_DISABLED;
use lindung_domain::values::Priority;
use lindung_domain::{CaseId, NotificationId, OfficerId};
use lindung_persistence::{Db, NotificationCounts, NotificationFilter, NotificationItem, NotificationPage, Writing};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::events;
use crate::extract::{Body, Nothing, Params};
use crate::language::Language;
use crate::openapi::{KeyHeader, LanguageHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, Localized, PAGE_DEFAULT, PAGE_LIMIT, Page, answer};

/// The routes of notifications and their rules.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_notifications)
        .service(count_notifications)
        .service(get_notification)
        .service(read_notification)
        .service(acknowledge_notification)
        .configure(rules::routes);
}

/// A notification. Thin, as events are: what it is about is read where it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification)]
struct NotificationView {
    #[serde(flatten)]
    item: NotificationItem,
    /// What its type is called, in `language`.
    #[schema(example = "Rujukan diterima")]
    label: String,
    /// The language of `label`.
    language: Language,
    /// Where it is, and what it is about.
    links: NotificationLinks,
}

/// Where a notification is, and what it is about.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationLinks {
    /// Itself.
    #[serde(rename = "self")]
    #[schema(example = "/v1/notifications/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01")]
    this: String,
    /// What it is about, to be read by whoever may.
    #[schema(example = "/v1/referrals/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a02")]
    subject: String,
}

impl NotificationView {
    fn new(mut item: NotificationItem, language: Language) -> Self {
        let (ms, en) = std::mem::take(&mut item.labels);
        let links = NotificationLinks { this: place(item.id), subject: std::mem::take(&mut item.link) };
        NotificationView { item, label: language.of(ms, en), language, links }
    }
}

fn place(id: NotificationId) -> String {
    format!("/v1/notifications/{id}")
}

/// A notification as it was just marked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NotificationAck {
    /// Its id.
    id: NotificationId,
    /// When you read it.
    read_at: Option<DateTime<Utc>>,
    /// Who was the first to take note, for all who hear of it.
    acknowledged_by: Option<OfficerId>,
    /// When that was.
    acknowledged_at: Option<DateTime<Utc>>,
    /// Where it is.
    links: Links,
}

impl NotificationAck {
    fn new(item: &NotificationItem) -> Self {
        let NotificationItem { id, read_at, acknowledged_by, acknowledged_at, .. } = item.clone();
        NotificationAck { id, read_at, acknowledged_by, acknowledged_at, links: Links::to(place(id)) }
    }
}

/// Which notifications are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NotificationParams {
    /// Only those that you have not read; or only those that you have.
    unread: Option<bool>,
    /// Only those of which somebody has taken note; or only those of which nobody has.
    acknowledged: Option<bool>,
    /// Only those that are for you by name; or only those that are not.
    mine: Option<bool>,
    /// Only of these types, with commas between; one that ends in `.*` stands for all that begin so.
    #[validate(length(min = 1, max = 2000))]
    #[param(min_length = 1, max_length = 2000, example = "my.gov.lindung.referral.*")]
    r#type: Option<String>,
    /// Only about this case; an emergency access names none to the agency that asked for it.
    case: Option<CaseId>,
    /// Only with this priority.
    priority: Option<Priority>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

impl NotificationParams {
    fn filter(self) -> Result<NotificationFilter, Problem> {
        let NotificationParams { unread, acknowledged, mine, r#type, case, priority, limit, cursor } = self;
        let types = r#type.map(|it| events::types(&it, &[SUBSCRIPTION_DISABLED])).transpose()?;
        let (after, limit) = (cursor::decode(cursor.as_deref())?, limit.unwrap_or(PAGE_DEFAULT));
        Ok(NotificationFilter { read: unread.map(|it| !it), acknowledged, mine, types, case, priority, after, limit })
    }
}

/// List what you are notified of, newest first: what is for your roles in your agency or unit, and what is for you.
///
/// For people; systems follow the feed. What a shield or an erasure hides meanwhile is left out. A page with `unread` is
/// of at most two thousand that were looked at: it may be short, or empty, and lead to another.
#[utoipa::path(
    tag = "notifications",
    params(NotificationParams, LanguageHeader),
    responses((status = 200, description = "A page of notifications", body = Page<NotificationView>), ReadProblems)
)]
#[get("/notifications")]
async fn list_notifications(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<NotificationParams>,
    language: Language,
) -> Result<Localized<Page<NotificationView>>, Problem> {
    let filter = params.filter()?;
    let NotificationPage { items, next } = app.read(call, move |db, call| db.notifications(call, &filter)).await?;
    let items = items.into_iter().map(|it| NotificationView::new(it, language)).collect();
    Ok(Localized(language, Page { items, next: next.as_ref().map(cursor::encode) }))
}

/// Count what waits for you: unread by you, and without note taken by anybody.
#[utoipa::path(
    tag = "notifications",
    responses((status = 200, description = "How many", body = NotificationCounts), ReadProblems)
)]
#[get("/notifications/counts")]
async fn count_notifications(
    app: Data<App>,
    Caller(call): Caller,
    _: Params<NoParams>,
) -> Result<Json<NotificationCounts>, Problem> {
    app.read(call, |db, call| db.notification_counts(call)).await.map(Json)
}

/// Read a notification. It stays unread until you mark it.
#[utoipa::path(
    tag = "notifications",
    params(("notification" = NotificationId, Path, description = "The notification"), LanguageHeader),
    responses((status = 200, description = "The notification", body = NotificationView), ReadProblems)
)]
#[get("/notifications/{notification}")]
async fn get_notification(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<NotificationId>,
    _: Params<NoParams>,
    language: Language,
) -> Result<Localized<Json<NotificationView>>, Problem> {
    let found = app.read(call, move |db, call| db.notification(call, *id)).await?;
    Ok(Localized(language, Json(NotificationView::new(found, language))))
}

/// What to mark.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadBody {
    /// Whether all that stand after it in the list are marked too, up to two thousand at once.
    #[serde(default)]
    older: bool,
}

/// A notification as it was just read, and how many were marked with it.
#[derive(Debug, Serialize, ToSchema)]
struct ReadAck {
    #[serde(flatten)]
    notification: NotificationAck,
    /// So many that you had not read before.
    marked: usize,
    /// The next older one, where not all were looked at: go on with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<NotificationId>,
}

/// Mark a notification as read, or it and all older ones: for you alone.
#[utoipa::path(
    tag = "notifications",
    params(("notification" = NotificationId, Path, description = "The notification"), KeyHeader),
    request_body = ReadBody,
    responses((status = 200, description = "Read", body = ReadAck), ReadProblems, WriteProblems)
)]
#[post("/notifications/{notification}/read")]
async fn read_notification(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<NotificationId>,
    body: Body<ReadBody>,
) -> Result<Done, Problem> {
    let Body { value: ReadBody { older }, repeat } = body;
    let marked = move |db: &Db, writing: Writing<'_>| {
        db.mark_read(writing, *id, older, |it, marked, next| {
            answer(200, &ReadAck { notification: NotificationAck::new(it), marked, next })
        })
    };
    app.write_reference(call, How { repeat, ..How::about_no_case() }, marked).await.map(Done)
}

/// Take note of a notification, for all who hear of it. Whoever did so first is named, and stays.
#[utoipa::path(
    tag = "notifications",
    params(("notification" = NotificationId, Path, description = "The notification"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Noted", body = NotificationAck), ReadProblems, WriteProblems)
)]
#[post("/notifications/{notification}/acknowledge")]
async fn acknowledge_notification(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<NotificationId>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = How { repeat: body.repeat, ..How::about_no_case() };
    let noted =
        move |db: &Db, writing: Writing<'_>| db.acknowledge(writing, *id, |it| answer(200, &NotificationAck::new(it)));
    app.write_reference(call, how, noted).await.map(Done)
}
