use std::fmt::Write;

use super::*;

fn rules(text: &str) -> NotificationRules {
    serde_json::from_str(text).unwrap()
}

fn quiet(from: &str, until: &str, days: &[Day]) -> QuietHours {
    QuietHours { from: from.parse().unwrap(), until: until.parse().unwrap(), days: days.iter().copied().collect() }
}

fn told(audience: Option<Audience>) -> String {
    let Some(Audience { roles, officer, urgent }) = audience else { return "-".to_owned() };
    let names = roles.iter().map(ToString::to_string).chain(officer.map(|_| "concerned".to_owned()));
    names.chain(urgent.then(|| "urgent".to_owned())).collect::<Vec<_>>().join("+")
}

/// Who hears of what as long as nothing is changed: of others' doings and of one's own, each without and with somebody
/// whom it concerns.
#[test]
fn the_defaults() {
    let rules = NotificationRules::defaults(&"PP".parse().unwrap());
    assert_eq!(parse().unwrap().rules.len(), rules.rules.len());
    let mut table = String::new();
    for kind in Kind::ALL {
        let of = |own, concerned: Option<&str>| {
            let concerned = concerned.map(|it| it.parse().unwrap());
            told(rules.audience(&Happening { kind: *kind, own, priority: None, concerned }))
        };
        let line = [of(false, None), of(false, Some("o-1")), of(true, None), of(true, Some("o-1"))];
        let [others, one, own, own_one] = line;
        writeln!(table, "{}", format!("{kind:<36} {others:<37} {one:<41} {own:<18} {own_one}").trim_end()).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_defaults_are_rules_that_every_agency_can_have() {
    for agency in ["PP", "KDN.PDRM.D11", "KPM.SEKOLAH.WBA0001"] {
        let agency = agency.parse().unwrap();
        let NotificationRules { rules, quiet_hours } = NotificationRules::defaults(&agency);
        assert!(rules.len() > 10);
        assert!(NotificationRules::new(&agency, rules, quiet_hours).is_ok());
    }
}

#[test]
fn rules_add_up() {
    let rules = rules(
        r#"{"rules": [{"types": ["my.gov.lindung.referral.*"], "roles": ["officer"], "concerned": true},
            {"types": ["my.gov.lindung.referral.accepted"], "roles": ["supervisor"], "urgent": true, "by": "anyone"}], "quietHours": null}"#,
    );
    let of = |kind, own, concerned: Option<&str>| {
        let concerned = concerned.map(|it| it.parse().unwrap());
        told(rules.audience(&Happening { kind, own, priority: None, concerned }))
    };
    assert_eq!(of(Kind::ReferralAccepted, false, None), "officer+supervisor+urgent");
    assert_eq!(of(Kind::ReferralAccepted, false, Some("o-1")), "supervisor+concerned+urgent");
    assert_eq!(of(Kind::ReferralAccepted, true, Some("o-1")), "supervisor+urgent");
    assert_eq!(of(Kind::ReferralNoted, false, Some("o-1")), "concerned");
    assert_eq!(of(Kind::ReferralNoted, true, None), "-");
    assert_eq!(of(Kind::CaseClosed, false, None), "-");
    let immediate =
        Happening { kind: Kind::ReferralNoted, own: false, priority: Some(Priority::Immediate), concerned: None };
    assert_eq!(told(rules.audience(&immediate)), "officer+urgent");
    let escalated = Happening { kind: Kind::ReferralEscalated, priority: None, ..immediate };
    assert_eq!(told(rules.audience(&escalated)), "officer+urgent", "whatever the rules say");
}

#[test]
fn rules_that_cannot_be_are_refused_by_their_field() {
    let refused = |agency: &str, change: fn(&mut NotificationRule), hours: Option<QuietHours>| {
        let agency = agency.parse().unwrap();
        let mut all = NotificationRules::defaults(&agency).rules;
        change(&mut all[0]);
        NotificationRules::new(&agency, all, hours).map_err(|it| format!("{} {}", it.field, it.code)).err()
    };
    assert_eq!(refused("KDN", |_| {}, None), None);
    assert_eq!(refused("KDN", |it| it.types.clear(), None).as_deref(), Some("rules[0].types length"));
    assert_eq!(refused("KDN", |it| it.roles.clear(), None).as_deref(), Some("rules[0].roles required"));
    assert_eq!(refused("KDN", |it| it.roles = [Role::Auditor].into(), None).as_deref(), Some("rules[0].roles no-work"));
    assert_eq!(
        refused("KDN", |it| it.roles = [Role::Coordinator].into(), None).as_deref(),
        Some("rules[0].roles not-held")
    );
    assert_eq!(refused("PP", |it| it.roles = [Role::Coordinator].into(), None), None);
    let same = Some(quiet("22:00", "22:00", &[]));
    assert_eq!(refused("KDN", |_| {}, same).as_deref(), Some("quietHours.until same"));
    let always = Some(quiet("22:00", "06:00", Day::ALL));
    assert_eq!(refused("KDN", |_| {}, always).as_deref(), Some("quietHours.days length"));
}

#[test]
fn quiet_hours_end() {
    // 24 November 2026 is a Tuesday.
    let night = quiet("22:00", "06:30", &[]);
    let noon = quiet("12:00", "14:00", &[]);
    let weekend = quiet("18:00", "08:00", &[Day::Saturday, Day::Sunday]);
    let first_day = quiet("23:00", "23:30", &[Day::Tuesday]);
    for (hours, now, end) in [
        (&night, "2026-11-24T21:59:59", "2026-11-24T21:59:59"),
        (&night, "2026-11-24T22:00:00", "2026-11-25T06:30:00"),
        (&night, "2026-11-25T06:29:59", "2026-11-25T06:30:00"),
        (&night, "2026-11-25T06:30:00", "2026-11-25T06:30:00"),
        (&noon, "2026-11-24T12:30:00", "2026-11-24T14:00:00"),
        (&noon, "2026-11-24T23:30:00", "2026-11-24T23:30:00"),
        (&weekend, "2026-11-27T17:59:00", "2026-11-27T17:59:00"),
        (&weekend, "2026-11-27T18:00:00", "2026-11-30T08:00:00"),
        (&weekend, "2026-11-28T12:00:00", "2026-11-30T08:00:00"),
        (&first_day, "2026-11-24T10:00:00", "2026-11-25T00:00:00"),
    ] {
        let at = |it: &str| DateTime::parse_from_rfc3339(&format!("{it}+08:00")).unwrap().to_utc();
        assert_eq!(hours.end(at(now)), at(end), "{now}");
    }
}

#[test]
fn a_time_of_day_is_written_in_one_way() {
    assert_eq!("06:30".parse::<TimeOfDay>().unwrap().to_string(), "06:30");
    for text in ["", "6:30", "24:00", "06:60", "06:30:00", " 06:30", "06.30"] {
        assert_eq!(text.parse::<TimeOfDay>(), Err(NoTimeOfDay), "{text:?}");
    }
}
