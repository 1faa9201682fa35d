//! The people around one referral, every state that it can be brought to, and a good body for every action.

pub use lindung_tests::action_body as good;
use lindung_tests::{Ref, Session, TestApp, referral_body};
use serde_json::{Value, json};

/// Everybody who could want something of a referral from a school to the police.
pub struct Cast {
    /// The case that all referrals are of.
    pub case: Ref,
    pub sender: Session,
    pub sender_supervisor: Session,
    pub recipient: Session,
    pub recipient_client: Session,
    pub listed: Session,
    pub coordinator: Session,
    pub stranger: Session,
    pub auditor: Session,
}

/// The states in which an action can find a referral: its status, and what else the action depends on.
pub const STATES: [&str; 16] = [
    "draft",
    "requested",
    "requested, open",
    "received",
    "received, asked",
    "received, claimed",
    "accepted",
    "in-progress",
    "in-progress, to cancel",
    "on-hold",
    "on-hold, to cancel",
    "completed",
    "rejected",
    "failed",
    "cancelled",
    "entered-in-error",
];

/// Every action.
pub const ACTIONS: [&str; 24] = [
    "amend",
    "send",
    "receive",
    "claim",
    "decline",
    "accept",
    "reject",
    "redirect",
    "start",
    "hold",
    "resume",
    "ask",
    "answer",
    "note",
    "complete",
    "fail",
    "cancel",
    "request-cancel",
    "withdraw-cancel",
    "confirm-cancel",
    "decline-cancel",
    "mark-entered-in-error",
    "remind",
    "escalate",
];

impl Cast {
    pub async fn of(app: &TestApp) -> Cast {
        let sender = app.officer("KPM.SEKOLAH.WBA0001").await;
        Cast {
            case: sender.opens_case().await,
            sender,
            sender_supervisor: app.supervisor("KPM.SEKOLAH.WBA0001").await,
            recipient: app.officer("KDN.PDRM.D11").await,
            recipient_client: app.client("KDN.PDRM.D11").await,
            listed: app.officer("KPWKM.JKM").await,
            coordinator: app.coordinator().await,
            stranger: app.officer("KK.MCMC").await,
            auditor: app.auditor("KDN.PDRM.D11").await,
        }
    }

    /// Each side, by name.
    pub fn sides(&self) -> [(&'static str, &Session); 8] {
        [
            ("sender", &self.sender),
            ("supervisor", &self.sender_supervisor),
            ("recipient", &self.recipient),
            ("its client", &self.recipient_client),
            ("listed", &self.listed),
            ("coordinator", &self.coordinator),
            ("stranger", &self.stranger),
            ("auditor", &self.auditor),
        ]
    }

    /// A referral brought to a state.
    pub async fn referral_in(&self, state: &str) -> Ref {
        let case = &self.case;
        let (to, none) = (&self.recipient, json!({}));
        let mut terms = referral_body(&to.agency);
        let open = async || self.sender.refers_openly(case, &[to, &self.listed]).await;
        match state {
            "draft" => {
                terms["draft"] = json!(true);
                self.sender.refers_in(case, &terms).await
            }
            "requested" => self.sender.refers_in(case, &terms).await,
            "requested, open" => open().await,
            "received, claimed" => to.does(&open().await, "claim", none).await,
            _ => {
                let sent = self.sender.refers_in(case, &terms).await;
                self.brought_to(state, sent).await
            }
        }
    }

    async fn brought_to(&self, state: &str, sent: Ref) -> Ref {
        let (from, to) = (&self.sender, &self.recipient);
        match state {
            "received" => return to.does(&sent, "receive", json!({})).await,
            "received, asked" => {
                let received = to.does(&sent, "receive", json!({})).await;
                return to.does(&received, "ask", good("ask")).await;
            }
            "rejected" => return to.does(&sent, "reject", good("reject")).await,
            "cancelled" => return from.does(&sent, "cancel", good("cancel")).await,
            "entered-in-error" => {
                return from.does(&sent, "mark-entered-in-error", good("mark-entered-in-error")).await;
            }
            _ => {}
        }
        let accepted = to.does(&sent, "accept", json!({})).await;
        let step = match state {
            "accepted" => return accepted,
            "in-progress" | "in-progress, to cancel" => "start",
            "on-hold" | "on-hold, to cancel" => "hold",
            "completed" => "complete",
            "failed" => "fail",
            other => panic!("no such state: {other}"),
        };
        let stepped = to.does(&accepted, step, good(step)).await;
        if state.ends_with("to cancel") {
            return from.does(&stepped, "request-cancel", good("request-cancel")).await;
        }
        stepped
    }
}

/// Takes any action, amending included, whatever the version.
pub async fn take(who: &Session, on: &Ref, action: &str, body: &Value) -> lindung_tests::Answered {
    if action == "amend" {
        return who.send("PUT", &on.path, &[("if-match", "*")], Some(body)).await;
    }
    who.act_anyhow(on, action, body).await
}
