//! Every operation, tried by everybody: the reviewer's page of who gets through which door.
//!
//! No token and a token for another audience are 401 everywhere. Of the others the table says how they are answered:
//! `yes` is past the door (2xx, or 409 where its present state stands in the way).

use lindung_tests::{Session, TestApp};
use serde_json::json;

use super::world::World;
use super::{document, is_open, operations};
use crate::tokens::forged_for_another_audience;

/// `stranger` is an officer of an agency without any grant. `wrong` has a grant, but for another section, and is the
/// recipient of the referral. `granted` has a grant that shows and lets write what is asked for. `auditor` is of the
/// lead's ministry, `administrator` of the recipient's, `client` the lead's system alone; `officer` and `supervisor`
/// are of the lead.
const TABLE: &str = "
                               stranger      wrong         granted       coordinator   auditor       administrator client        officer       supervisor
read_access_log                403           403           403           403           yes           403           403           403           403
list_openings                  403           403           403           403           yes           403           403           403           403
get_entry_bundle               403           403           403           403           403           403           403           403           403
get_inclusion_proof            403           403           403           403           404           403           403           403           403
list_agencies                  yes           yes           yes           yes           yes           yes           yes           yes           yes
register_unit                  403           403           403           403           403           yes           403           403           403
get_agency                     yes           yes           yes           yes           yes           yes           yes           yes           yes
change_agency                  403           403           403           403           403           yes           403           403           403
list_cases                     yes           yes           yes           yes           403           403           403           yes           yes
create_case                    yes           yes           yes           403           403           403           403           yes           yes
get_case                       404           yes           yes           yes           404           404           404           yes           yes
amend_case                     404           403           403           403           404           404           404           yes           yes
list_accesses                  404           403           403           403           404           404           404           403           yes
release_accesses               404           403           403           403           404           404           404           403           yes
get_release                    404           403           403           403           404           404           404           403           yes
withhold_access                404           404           404           404           404           404           404           403           yes
list_children                  404           yes           yes           yes           404           404           404           yes           yes
add_child                      404           403           403           403           404           404           404           yes           yes
get_child                      404           yes           yes           404           404           404           404           yes           yes
list_consents                  404           403           403           404           404           404           404           yes           yes
create_consent                 404           403           403           404           404           404           404           yes           yes
get_child_section              404           403           yes           403           404           404           404           yes           yes
put_child_section              404           403           yes           403           404           404           404           yes           yes
shield_child                   404           403           403           403           404           404           404           403           yes
close_case                     404           403           403           403           404           404           404           403           yes
list_grants                    404           yes           yes           403           404           404           404           yes           yes
give_grant                     404           403           403           403           404           404           404           403           yes
list_case_handoffs             404           yes           yes           yes           404           404           404           yes           yes
offer_case                     404           403           403           403           404           404           404           403           yes
ask_for_handoff                404           403           403           403           404           404           404           403           yes
list_case_messages             404           403           403           403           404           404           404           yes           yes
list_occurrences               404           yes           yes           403           404           404           404           yes           yes
record_occurrence              404           yes           yes           403           404           404           404           yes           yes
list_overrides                 404           403           403           403           404           404           404           yes           yes
list_proposals                 404           403           403           403           404           404           404           403           yes
create_proposal                404           403           403           403           404           404           404           403           yes
list_case_referrals            404           yes           yes           yes           404           404           404           yes           yes
create_referral                404           403           403           403           404           404           404           yes           yes
reopen_case                    404           403           403           403           404           404           404           403           yes
get_section                    404           403           yes           403           404           404           404           yes           yes
put_section                    404           403           yes           403           404           404           404           yes           yes
shield_case                    404           403           403           403           404           404           404           403           yes
get_timeline                   404           yes           yes           yes           404           404           404           yes           yes
search_children                yes           yes           yes           403           403           403           403           yes           yes
list_clocks                    yes           yes           yes           yes           403           403           403           yes           yes
list_code_lists                yes           yes           yes           yes           yes           yes           yes           yes           yes
get_code_list                  yes           yes           yes           yes           yes           yes           yes           yes           yes
get_consent                    404           404           yes           404           404           404           404           yes           yes
confirm_consent                404           404           yes           404           404           404           404           403           403
withdraw_consent               404           404           403           404           404           404           404           yes           yes
list_data_sharing_requests     yes           yes           yes           yes           403           403           403           yes           yes
request_data                   yes           yes           yes           403           403           403           403           yes           yes
read_data_sharing_register     403           403           403           yes           403           403           403           403           yes
get_data_sharing_request       404           yes           404           yes           404           404           404           yes           yes
defer_data_request             404           403           404           403           404           404           404           403           yes
grant_data_request             404           403           404           403           404           404           404           403           yes
refuse_data_request            404           403           404           403           404           404           404           403           yes
withdraw_data_request          404           yes           404           403           404           404           404           403           403
list_emergency_accesses        yes           yes           yes           403           yes           403           403           yes           yes
open_emergency_access          403           yes           yes           403           403           403           403           403           403
get_emergency_access           404           404           404           404           404           404           404           403           yes
confirm_emergency_access       404           404           404           404           404           404           404           403           403
review_emergency_access        404           404           404           404           404           404           404           403           yes
follow_feed                    403           403           403           403           403           403           yes           403           403
end_grant                      404           403           403           403           404           404           404           403           yes
list_handoffs                  yes           yes           yes           403           403           403           403           yes           yes
get_handoff                    404           404           yes           yes           404           404           404           yes           yes
accept_handoff                 404           404           403           403           404           404           404           403           403
decline_handoff                404           404           403           403           404           404           404           403           403
offer_handoff                  404           404           403           403           404           404           404           403           yes
refuse_handoff                 404           404           403           403           404           404           404           403           yes
withdraw_handoff               404           404           403           403           404           404           404           403           yes
list_inbox                     yes           yes           yes           403           403           403           403           yes           yes
get_notification_rules         403           403           403           403           403           yes           403           403           403
change_notification_rules      403           403           403           403           403           yes           403           403           403
reset_notification_rules       403           403           403           403           403           yes           403           403           403
list_notifications             yes           yes           yes           yes           yes           yes           403           yes           yes
count_notifications            yes           yes           yes           yes           yes           yes           403           yes           yes
get_notification               404           404           404           404           404           404           403           404           yes
acknowledge_notification       404           404           404           404           404           404           403           404           yes
read_notification              404           404           404           404           404           404           403           404           yes
list_outbox                    yes           yes           yes           403           403           403           403           yes           yes
review_override                404           404           404           404           404           404           404           403           yes
confirm_proposal               404           404           404           404           404           404           404           403           403
decline_proposal               404           404           404           404           404           404           404           403           yes
get_referral                   404           yes           404           yes           404           404           404           yes           yes
amend_referral                 404           403           404           403           404           404           404           yes           yes
accept_referral                404           yes           404           403           404           404           404           403           403
answer_referral                404           403           404           403           404           404           404           yes           yes
ask_referral                   404           yes           404           403           404           404           404           403           403
cancel_referral                404           403           404           403           404           404           404           yes           yes
claim_referral                 404           yes           404           403           404           404           404           403           403
complete_referral              404           yes           404           403           404           404           404           403           403
confirm_cancel_referral        404           yes           404           403           404           404           404           403           403
decline_referral               404           yes           404           403           404           404           404           403           403
decline_cancel_referral        404           yes           404           403           404           404           404           403           403
escalate_referral              404           403           404           yes           404           404           404           403           403
fail_referral                  404           yes           404           403           404           404           404           403           403
hold_referral                  404           yes           404           403           404           404           404           403           403
mark_referral_entered_in_error 404           403           404           403           404           404           404           403           yes
list_referral_messages         404           yes           404           403           404           404           404           yes           yes
note_referral                  404           yes           404           403           404           404           404           yes           yes
receive_referral               404           yes           404           403           404           404           404           403           403
redirect_referral              404           yes           404           403           404           404           404           403           403
reject_referral                404           yes           404           403           404           404           404           403           403
remind_referral                404           403           404           yes           404           404           404           403           403
request_cancel_referral        404           403           404           403           404           404           404           yes           yes
resume_referral                404           yes           404           403           404           404           404           403           403
send_referral                  404           403           404           403           404           404           404           yes           yes
start_referral                 404           yes           404           403           404           404           404           403           403
get_referral_timeline          404           yes           404           yes           404           404           404           yes           yes
withdraw_cancel_referral       404           403           404           403           404           404           404           yes           yes
get_response_times             yes           yes           yes           yes           403           403           403           yes           yes
check_status                   yes           yes           yes           403           403           403           403           yes           yes
list_subscriptions             403           403           403           403           403           yes           403           403           403
create_subscription            403           403           403           403           403           yes           403           403           403
get_subscription               403           403           403           403           403           yes           403           403           403
change_subscription            403           403           403           403           403           yes           403           403           403
list_deliveries                403           403           403           403           403           yes           403           403           403
get_delivery                   403           403           403           403           403           yes           403           403           403
redeliver                      403           403           403           403           403           yes           403           403           403
end_subscription               403           403           403           403           403           yes           403           403           403
pause_subscription             403           403           403           403           403           yes           403           403           403
replay_subscription            403           403           403           403           403           yes           403           403           403
resume_subscription            403           403           403           403           403           yes           403           403           403
rotate_secret                  403           403           403           403           403           yes           403           403           403
list_secrets                   403           403           403           403           403           yes           403           403           403
test_subscription              403           403           403           403           403           yes           403           403           403
list_suspensions               403           403           403           403           403           yes           403           403           403
create_suspension              403           403           403           403           403           yes           403           403           403
lift_suspension                404           404           404           404           404           yes           404           404           404
";

fn class(status: u16) -> String {
    match status {
        200 | 201 | 202 | 409 => "yes".to_owned(),
        other => other.to_string(),
    }
}

/// The answer has its one row in the access log, under the operation's name.
fn is_logged(app: &TestApp, who: &Session, reply: &lindung_client::Reply, name: &str) {
    let request = reply.header("x-request-id").unwrap();
    let rows = app.database.rows(&format!("select action from access_log where request_id = '{request}'"));
    assert_eq!(rows, [json!({ "action": name })], "{} {name}", who.agency);
}

#[actix_web::test]
async fn every_operation_is_open_to_whom_the_table_says_and_logged() {
    let (app, document) = (TestApp::start().await, document());
    let crowd = World::crowd(&app).await;
    let forged = forged_for_another_audience(&app).await;
    let names: Vec<&str> = crowd.iter().map(|it| it.0).collect();
    let mut lines = vec![format!("{:<31}{}", "", row(&names))];
    let (mut world, mut changed) = (World::new(&app, 0).await, false);
    for (n, (method, template, operation)) in operations(&document).into_iter().enumerate() {
        let name = operation["operationId"].as_str().unwrap();
        if is_open(operation) {
            continue;
        }
        if changed || method != "get" {
            world = World::new(&app, n + 1).await;
        }
        changed = method != "get";
        let path = world.path(template);
        for headers in [&[][..], &[("authorization", forged.as_str())]] {
            let reply = app.raw(&method.to_uppercase(), &path, headers, None).await;
            assert_eq!((reply.status, reply.problem()), (401, Some("unauthenticated")), "{name}");
        }
        let mut cells = Vec::new();
        for (at, (_, who)) in crowd.iter().enumerate() {
            let body = world.body(name, 100 * n + at);
            let answered = world.asks(who, (method, &path), body.as_ref()).await;
            // A feed that tells nothing is no access; its own tests have what it tells.
            if name != "follow_feed" || answered.status != 200 {
                is_logged(&app, who, &answered, name);
            }
            cells.push(class(answered.status));
        }
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        lines.push(format!("{name:<31}{}", row(&cells)));
    }
    let told: Vec<&str> = TABLE.trim_matches('\n').lines().collect();
    assert!(lines == told, "the table is not what happens, which is:\n{}", lines.join("\n"));
}

fn row(cells: &[&str]) -> String {
    cells.iter().map(|it| format!("{it:<14}")).collect::<String>().trim_end().to_owned()
}
