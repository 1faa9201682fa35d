//! What may be done to a referral: one operation for each action of its lifecycle.

use actix_web::post;
use actix_web::web::{Data, Path};
use chrono::{DateTime, SubsecRound, Utc};
use lindung_domain::message::{Message, MessageKind};
use lindung_domain::referral::{Coded, Command};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::values::{CancelReason, FailReason, Outcome, RejectReason};
use lindung_domain::{AgencyCode, OfficerId, ReferralId};
use lindung_persistence::Target;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::view::ReferralAck;
use crate::app::{App, How};
use crate::caller::Caller;
use crate::extract::{Body, IfMatch, MaybeIfMatch, Nothing};
use crate::openapi::{IfMatchHeader, KeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::Done;

/// Declares request bodies.
macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize, Validate, ToSchema)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        struct $name { $($(#[$field_doc])* $field: $kind,)* }
    )*};
}

bodies! {
    /// A coded reason to decline.
    Decline {
        /// The code.
        reason: RejectReason,
        /// In words; `other` needs them.
        #[schema(min_length = 1, max_length = 4000)]
        text: Option<String>,
    }
    /// How it is accepted.
    Accept {
        /// The officer who works on it.
        assignee: Option<OfficerId>,
        /// The date agreed, in the future.
        due_at: Option<DateTime<Utc>>,
    }
    /// A coded reason to reject.
    Reject {
        /// The code.
        reason: RejectReason,
        /// In words; `other` needs them.
        #[schema(min_length = 1, max_length = 4000)]
        text: Option<String>,
        /// Who might be asked instead.
        suggested_recipient: Option<AgencyCode>,
    }
    /// To whom it is passed on.
    Redirect {
        /// A listed alternative, a unit of your own ministry, or anyone where `onward`.
        to: AgencyCode,
        /// Why.
        #[schema(min_length = 1, max_length = 4000)]
        reason: String,
    }
    /// Why.
    Because {
        /// In words.
        #[schema(min_length = 1, max_length = 4000)]
        reason: String,
    }
    /// A question or its answer.
    Words {
        /// In words.
        #[schema(min_length = 1, max_length = 4000)]
        text: String,
    }
    /// A note on the work.
    Note {
        /// In words.
        #[schema(min_length = 1, max_length = 4000)]
        text: String,
        /// An interim outcome: it closes nothing.
        interim_outcome: Option<Outcome>,
    }
    /// What came of it.
    Complete {
        /// The coded outcome.
        outcome: Outcome,
        /// In words.
        #[schema(min_length = 1, max_length = 4000)]
        summary: String,
    }
    /// Why the work ended without an outcome.
    Fail {
        /// The code.
        reason: FailReason,
        /// In words; `other` needs them.
        #[schema(min_length = 1, max_length = 4000)]
        text: Option<String>,
    }
    /// Why it is withdrawn.
    Cancel {
        /// The code.
        reason: CancelReason,
        /// In words; `other` needs them.
        #[schema(min_length = 1, max_length = 4000)]
        text: Option<String>,
    }
    /// What was done before it was cancelled.
    WorkDone {
        /// In words.
        #[schema(min_length = 1, max_length = 4000)]
        work_done: String,
    }
    /// A reminder.
    Reminder {
        /// In words.
        #[schema(min_length = 1, max_length = 4000)]
        text: Option<String>,
    }
}

/// Declares the operations: name, path, body, which `If-Match`, and the command that it becomes.
macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident $path:literal $version:ident($($header:ident),*) $kind:ident: |$body:pat_param| $command:expr;)*) => {
        /// The routes of actions.
        pub(super) fn routes(config: &mut ServiceConfig<'_>) {
            config$(.service($name))*;
        }

        $(
            $(#[doc = $doc])*
            #[utoipa::path(
                tag = "referrals",
                params(("referral" = ReferralId, Path, description = "The referral"), $($header),*),
                request_body = $kind,
                responses((status = 200, description = "Done", body = ReferralAck), ReadProblems, WriteProblems)
            )]
            #[post($path)]
            async fn $name(
                app: Data<App>,
                caller: Caller,
                referral: Path<ReferralId>,
                $version(expected): $version,
                body: Body<$kind>,
            ) -> Result<Done, Problem> {
                let Body { value: $body, repeat } = body;
                act(app, caller, *referral, expected, repeat, $command?).await
            }
        )*
    };
}

/// What a command needs from a body can be wrong with it.
type Wanted = Result<Command, Invalid>;

fn words(kind: MessageKind, field: &str, text: &str, command: fn(Message) -> Command) -> Wanted {
    Message::required(kind, field, text).map(command)
}

fn because(text: &str, command: fn(Message) -> Command) -> Wanted {
    words(MessageKind::Reason, "reason", text, command)
}

fn reminder(text: Option<&str>, command: fn(Option<Message>) -> Command) -> Wanted {
    Message::optional(MessageKind::Reminder, "text", text).map(command)
}

actions! {
    /// Send a draft. For its sender.
    send_referral "/referrals/{referral}/send" IfMatch(IfMatchHeader, KeyHeader) Nothing: |_| Wanted::Ok(Command::Send);
    /// Acknowledge receipt. For the recipient, or its client alone.
    receive_referral "/referrals/{referral}/receive" IfMatch(IfMatchHeader, KeyHeader) Nothing: |_| Wanted::Ok(Command::Receive);
    /// Take an open referral. For those it is open to: exactly one wins, to all others it is then as if it did not exist.
    claim_referral "/referrals/{referral}/claim" IfMatch(IfMatchHeader, KeyHeader) Nothing: |_| Wanted::Ok(Command::Claim);
    /// Decline an open referral. When the last one declines it is rejected.
    decline_referral "/referrals/{referral}/decline" IfMatch(IfMatchHeader, KeyHeader)
        Decline: |Decline { reason, text }| Coded::reject(reason, text.as_deref()).map(Command::Decline);
    /// Accept. The recipient then sees what the referral shares.
    accept_referral "/referrals/{referral}/accept" IfMatch(IfMatchHeader, KeyHeader)
        Accept: |Accept { assignee, due_at }| Wanted::Ok(Command::Accept { assignee, due_at: due_at.map(|it| it.trunc_subsecs(6)) });
    /// Reject, with a coded reason. The recipient's sight of the case ends.
    reject_referral "/referrals/{referral}/reject" IfMatch(IfMatchHeader, KeyHeader)
        Reject: |Reject { reason, text, suggested_recipient: suggested }|
        Coded::reject(reason, text.as_deref()).map(|reason| Command::Reject { reason, suggested });
    /// Pass on to another agency, at most three times.
    redirect_referral "/referrals/{referral}/redirect" IfMatch(IfMatchHeader, KeyHeader)
        Redirect: |Redirect { to, reason }|
        Message::required(MessageKind::Reason, "reason", &reason).map(|reason| Command::Redirect { to, reason });
    /// Begin work.
    start_referral "/referrals/{referral}/start" IfMatch(IfMatchHeader, KeyHeader) Nothing: |_| Wanted::Ok(Command::Start);
    /// Hold work, with a reason.
    hold_referral "/referrals/{referral}/hold" IfMatch(IfMatchHeader, KeyHeader)
        Because: |Because { reason }| because(&reason, Command::Hold);
    /// Go on with work.
    resume_referral "/referrals/{referral}/resume" IfMatch(IfMatchHeader, KeyHeader) Nothing: |_| Wanted::Ok(Command::Resume);
    /// Ask the sender something. For the recipient.
    ask_referral "/referrals/{referral}/ask" IfMatch(IfMatchHeader, KeyHeader)
        Words: |Words { text }| words(MessageKind::Question, "text", &text, Command::Ask);
    /// Answer the recipient's question. For the sender.
    answer_referral "/referrals/{referral}/answer" IfMatch(IfMatchHeader, KeyHeader)
        Words: |Words { text }| words(MessageKind::Answer, "text", &text, Command::Answer);
    /// Write a note, with or without an interim outcome. For sender and recipient; needs no `If-Match`.
    note_referral "/referrals/{referral}/note" MaybeIfMatch(KeyHeader)
        Note: |Note { text, interim_outcome: interim }|
        Message::required(MessageKind::Note, "text", &text).map(|text| Command::Note { text, interim });
    /// Complete with a coded outcome. The recipient's sight of the case ends, after the retention that the sender set.
    complete_referral "/referrals/{referral}/complete" IfMatch(IfMatchHeader, KeyHeader)
        Complete: |Complete { outcome, summary }|
        Message::required(MessageKind::Summary, "summary", &summary).map(|summary| Command::Complete { outcome, summary });
    /// End work without an outcome, with a coded reason.
    fail_referral "/referrals/{referral}/fail" IfMatch(IfMatchHeader, KeyHeader)
        Fail: |Fail { reason, text }| Coded::fail(reason, text.as_deref()).map(Command::Fail);
    /// Withdraw before work has begun. For the sender.
    cancel_referral "/referrals/{referral}/cancel" IfMatch(IfMatchHeader, KeyHeader)
        Cancel: |Cancel { reason, text }| Coded::cancel(reason, text.as_deref()).map(Command::Cancel);
    /// Ask to cancel work that has begun. For the sender.
    request_cancel_referral "/referrals/{referral}/request-cancel" IfMatch(IfMatchHeader, KeyHeader)
        Because: |Because { reason }| because(&reason, Command::RequestCancel);
    /// Take back the request to cancel. For the sender.
    withdraw_cancel_referral "/referrals/{referral}/withdraw-cancel" IfMatch(IfMatchHeader, KeyHeader)
        Nothing: |_| Wanted::Ok(Command::WithdrawCancel);
    /// Agree to cancel; the work done is recorded. For the recipient.
    confirm_cancel_referral "/referrals/{referral}/confirm-cancel" IfMatch(IfMatchHeader, KeyHeader)
        WorkDone: |WorkDone { work_done }| words(MessageKind::Summary, "workDone", &work_done, Command::ConfirmCancel);
    /// Refuse to cancel, with a reason. For the recipient.
    decline_cancel_referral "/referrals/{referral}/decline-cancel" IfMatch(IfMatchHeader, KeyHeader)
        Because: |Because { reason }| because(&reason, Command::DeclineCancel);
    /// Say that it should never have been, with a reason. For the sender; once it was accepted, for the sender's supervisor.
    mark_referral_entered_in_error "/referrals/{referral}/mark-entered-in-error" IfMatch(IfMatchHeader, KeyHeader)
        Because: |Because { reason }| because(&reason, Command::MarkEnteredInError);
    /// Remind the agencies. For coordinators; changes no status and needs no `If-Match`.
    remind_referral "/referrals/{referral}/remind" MaybeIfMatch(KeyHeader)
        Reminder: |Reminder { text }| reminder(text.as_deref(), Command::Remind);
    /// Escalate to the agencies' supervisors. For coordinators; changes no status and needs no `If-Match`.
    escalate_referral "/referrals/{referral}/escalate" MaybeIfMatch(KeyHeader)
        Reminder: |Reminder { text }| reminder(text.as_deref(), Command::Escalate);
}

async fn act(
    app: Data<App>,
    caller: Caller,
    referral: ReferralId,
    expected: Expected,
    repeat: Option<lindung_persistence::Repeat>,
    command: Command,
) -> Result<Done, Problem> {
    let named = match &command {
        Command::Redirect { to, .. } => vec![to.to_string()],
        Command::Reject { suggested, .. } => suggested.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    carry_out(app, caller, How { target: Target::Referral(referral), expected, named, repeat }, command).await
}

/// Carries out a command on a referral.
pub(super) async fn carry_out(
    app: Data<App>,
    Caller(call): Caller,
    how: How,
    command: Command,
) -> Result<Done, Problem> {
    let changed = app.write(call, how, move |_, loaded, asking| {
        let change = loaded.referral()?.clone().apply(command, loaded.file()?, asking)?;
        let answer = ReferralAck::answer(200, change.entity())?;
        Ok((change, answer))
    });
    changed.await.map(Done)
}
