//! Clocks that run, and how fast agencies answer.

use actix_web::get;
use actix_web::web::Data;
use chrono::{DateTime, Duration, Utc};
use lindung_domain::clock::{self, Span};
use lindung_domain::refusal::Invalid;
use lindung_domain::values::Priority;
use lindung_persistence::{ClockFilter, ClockItem, ResponseTime, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::caller::Caller;
use crate::cursor;
use crate::extract::Params;
use crate::openapi::ReadProblems;
use crate::problem::Problem;
use crate::respond::{PAGE_DEFAULT, PAGE_LIMIT, Page};

/// The routes of clocks.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_clocks).service(get_response_times);
}

/// What is due soon when nobody says.
const SOON: Span = Span::Hours(24);
/// How far back statistics go when nobody says.
const PERIOD: Duration = Duration::days(30);
/// The longest period of statistics.
const LONGEST_PERIOD: Duration = Duration::days(366);

/// Which clocks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ClockWish {
    /// Those whose limit has passed.
    Overdue,
    /// Those whose limit passes soon.
    DueSoon,
    /// All whose limit has not passed.
    Running,
}

/// Which clocks are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClockParams {
    /// By where they stand; left out: those that are overdue.
    #[param(inline)]
    state: Option<ClockWish>,
    /// Of this name.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "referral-decide")]
    code: Option<String>,
    /// With this priority.
    priority: Option<Priority>,
    /// With `due-soon`: within which time, `PTnH` or `PnD`.
    #[validate(length(max = 10))]
    #[param(max_length = 10, pattern = "^P(T[0-9]{1,4}H|[0-9]{1,3}D)$", default = "PT24H", example = "PT4H")]
    within: Option<String>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

impl ClockParams {
    fn filter(self) -> Result<ClockFilter, Problem> {
        let ClockParams { state, code, priority, within, limit, cursor } = self;
        let wish = state.unwrap_or(ClockWish::Overdue);
        if code.as_deref().is_some_and(|it| clock::rule(it).is_none()) {
            return Err(Problem::malformed("code", "unknown-code", "is no clock"));
        }
        let span = within.as_deref().map(str::parse::<Span>).transpose();
        let span =
            span.map_err(|_| Problem::malformed("within", "format", "must be PTnH or PnD, of a year at most"))?;
        if span.is_some() && wish != ClockWish::DueSoon {
            return Err(Problem::malformed("within", "conflict", "goes with state=due-soon alone"));
        }
        let wanted = match wish {
            ClockWish::Overdue => Wanted::Overdue,
            ClockWish::DueSoon => Wanted::DueWithin(span.unwrap_or(SOON).elapsed()),
            ClockWish::Running => Wanted::Running,
        };
        let after = cursor::decode(cursor.as_deref())?;
        Ok(ClockFilter { wanted, code, priority, after, limit: limit.unwrap_or(PAGE_DEFAULT) })
    }
}

/// List clocks that run, the one whose limit comes first first.
///
/// For officers those for which their agency waits or has to act; for coordinators those of all unshielded cases. A
/// clock without a limit is in no list.
#[utoipa::path(tag = "clocks", params(ClockParams), responses((status = 200, description = "A page of clocks", body = Page<ClockItem>), ReadProblems))]
#[get("/clocks")]
async fn list_clocks(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<ClockParams>,
) -> Result<Page<ClockItem>, Problem> {
    let filter = params.filter()?;
    let limit = filter.limit;
    let found = app.read(call, move |db, call| db.clocks(call, &filter)).await?;
    Ok(Page::new(found, limit, ClockItem::place))
}

/// Which period is asked about.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodParams {
    /// What began from then on; left out: 30 days before `until`.
    from: Option<DateTime<Utc>>,
    /// And before then; left out: now. At most 366 days after `from`.
    until: Option<DateTime<Utc>>,
}

impl PeriodParams {
    /// From when on, and before when.
    ///
    /// # Errors
    /// It is too long, or ends before it begins.
    pub(crate) fn period(self, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        let until = self.until.unwrap_or(now);
        let from = self.from.or_else(|| until.checked_sub_signed(PERIOD)).unwrap_or(until);
        if from > until || until - from > LONGEST_PERIOD {
            return Err(Invalid::new("from", "range", "must lie before `until`, by 366 days at most").into());
        }
        Ok((from, until))
    }
}

/// How fast agencies answered in a period.
#[derive(Debug, Serialize, ToSchema)]
struct ResponseTimes {
    /// From then on.
    from: DateTime<Utc>,
    /// Before then.
    until: DateTime<Utc>,
    /// By who waited, who had to act, priority and clock.
    items: Vec<ResponseTime>,
}

/// Read how fast referrals were acknowledged, decided and completed.
///
/// Of those that were met, by the period in which their clock began; pauses do not count, nor do shielded cases. For
/// officers between their agency and others; for coordinators between all.
#[utoipa::path(
    tag = "clocks",
    params(PeriodParams),
    responses((status = 200, description = "The times", body = ResponseTimes), ReadProblems)
)]
#[get("/statistics/response-times")]
async fn get_response_times(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<PeriodParams>,
) -> Result<actix_web::web::Json<ResponseTimes>, Problem> {
    let (from, until) = params.period(call.now)?;
    let items = app.read(call, move |db, call| db.response_times(call, (from, until))).await?;
    Ok(actix_web::web::Json(ResponseTimes { from, until, items }))
}
