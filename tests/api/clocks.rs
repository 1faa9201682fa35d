//! Clocks: by when something has to be answered, and what happens when it is not.

mod lists;
mod occurrences;
mod passing;

use lindung_tests::{Ref, Session};
use serde_json::Value;

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";

/// The clocks of an answer: name, limit, state.
fn clocks(items: &Value) -> String {
    let line = |it: &Value| {
        let due = it["dueAt"].as_str().unwrap_or("-");
        format!("{} {due} {}", it["code"].as_str().unwrap(), it["state"].as_str().unwrap())
    };
    let mut lines: Vec<String> = items.as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines.join("\n")
}

/// The clocks on a case or referral, as somebody sees it.
async fn on(who: &Session, it: &Ref) -> String {
    clocks(&who.get(&it.path).await.is(200).body["clocks"])
}

/// What somebody was told of a referral, or of a case: the kinds of events, and what a clock's say.
async fn told(who: &Session, it: &Ref) -> String {
    let page = who.get(&format!("{}/timeline", it.path)).await;
    let line = |it: &Value| {
        let kind = it["type"].as_str().unwrap().trim_start_matches("my.gov.lindung.");
        let (clock, late) = (it["data"]["clock"].as_str().unwrap_or_default(), &it["data"]["late"]);
        let late = if late == true { "late" } else { "" };
        format!("{kind} {clock} {late}").trim_end().to_owned()
    };
    page.items().iter().map(line).collect::<Vec<_>>().join("\n")
}
