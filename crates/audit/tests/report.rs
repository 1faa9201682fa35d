//! `report` counts what the API's log tells, by Malaysian days and hours.

#![allow(dead_code, reason = "each test uses its part of what they share")]
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod export;

use std::fs;

use export::{Entry, Folder, Log, id};
use lindung_audit::report::{Report, Settings, Sheet};

/// An access by an officer of an agency, at a time, to one case of some children.
fn access(number: usize, at: &str, agency: &str, case: usize, children: usize) -> Entry {
    Entry::made(number, |it| {
        it["at"] = at.into();
        it["agency"] = agency.into();
        it["officer"] = format!("officer of {agency}").into();
        it["caseIds"] = vec![id(4, case)].into();
        it["childIds"] = (0..children).map(|it| id(3, it)).collect::<Vec<_>>().into();
    })
}

fn report(entries: Vec<Entry>) -> (Report, Folder) {
    let log = Log(entries);
    let folder = log.export(&log.checkpoint(3)).write();
    (Report::of(&lindung_audit::Folder::new(&folder.0), &Settings::default()).unwrap(), folder)
}

fn lines(report: &Report, name: &str) -> Vec<String> {
    let sheets = report.sheets();
    let sheet: &Sheet = sheets.iter().find(|it| it.name == name).unwrap();
    sheet.lines.iter().map(|it| it.join(" | ")).collect()
}

#[test]
fn it_counts_by_malaysian_hours_and_days() {
    let (report, _folder) = report(vec![
        // 06:59 and 07:00 on a Monday in Malaysia, 18:59 and 19:00, and noon on the Saturday.
        access(0, "2026-07-05T22:59:59.999999Z", "KPM", 1, 1),
        access(1, "2026-07-05T23:00:00.000000Z", "KPM", 1, 1),
        access(2, "2026-07-06T10:59:59.999999Z", "KDN", 1, 20),
        access(3, "2026-07-06T11:00:00.000000Z", "KDN", 2, 21),
        access(4, "2026-07-11T04:00:00.000000Z", "KDN", 2, 0),
        Entry::made(5, |it| {
            it["at"] = "2026-07-13T02:00:00.000000Z".into();
            it["agency"] = "KK".into();
            it["officer"] = serde_json::Value::Null;
            it["outcome"] = "denied".into();
        }),
    ]);
    assert_eq!(
        lines(&report, "agencies"),
        ["KDN | 3 | 3 | 0 | 2 | 21", "KPM | 2 | 2 | 0 | 1 | 1", "KK | 1 | 0 | 1 | 0 | 0"]
    );
    assert_eq!(lines(&report, "officers")[2], "KK | (none) | 1 | 0 | 1 | 0 | 0");
    assert_eq!(lines(&report, "purposes"), ["protection | 6 | 5 | 1 | 3 | 21"]);
    assert_eq!(lines(&report, "out-of-hours"), ["KDN | officer of KDN | 1 | 1", "KPM | officer of KPM | 1 | 0"]);
    // Case 1 was touched by two agencies, case 2 by one.
    assert_eq!(lines(&report, "own-agency-only"), ["KDN | officer of KDN | 2 | 1"]);
    assert_eq!(lines(&report, "bulk-viewing"), ["2026-07-06 | KDN | officer of KDN | 21"]);
}

#[test]
fn it_writes_sheets_without_formulas_and_charts() {
    let (report, folder) = report(vec![
        access(0, "2026-07-06T02:00:00.000000Z", "=1+1", 1, 1),
        access(1, "2026-07-09T02:00:00.000000Z", "<KK>", 1, 1),
    ]);
    let written = report.write(&folder.0.join("report")).unwrap();
    let names: Vec<_> = written.iter().map(|it| it.file_name().unwrap().to_str().unwrap()).collect();
    let csv =
        ["agencies.csv", "officers.csv", "purposes.csv", "out-of-hours.csv", "own-agency-only.csv", "bulk-viewing.csv"];
    assert_eq!(names[..6], csv);
    let agencies = fs::read_to_string(&written[0]).unwrap();
    assert_eq!(agencies, "Agency,Accesses,Permitted,Refused,Out of hours,Children\n<KK>,1,1,0,0,1\n'=1+1,1,1,0,0,1\n");
    for chart in &written[6..] {
        let svg = fs::read_to_string(chart).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && !svg.contains("<KK>"),
            "{}",
            chart.display()
        );
    }
}

#[test]
fn nothing_makes_an_empty_report() {
    let (report, folder) = report(Vec::new());
    assert!(report.sheets().iter().all(|it| it.lines.is_empty()));
    assert_eq!(report.write(&folder.0.join("report")).unwrap().len(), 8);
}
