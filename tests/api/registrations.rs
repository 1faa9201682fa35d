//! Who may vouch for what is changed by two operators, told apart by their database logins.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use lindung_domain::Refusal;
use lindung_persistence::{Client, ClientKey, Error};
use lindung_tests::TestApp;
use serde_json::json;

fn client() -> (Client, ClientKey) {
    let client = Client {
        id: "kdn-system".parse().unwrap(),
        agency: "KDN".parse().unwrap(),
        units: vec![],
        roles: vec!["officer".parse().unwrap()],
        emergency: vec![],
        name: "Another system".into(),
        active: true,
    };
    (client, ClientKey { kid: "new".into(), jwk: json!({ "kty": "OKP" }) })
}

#[actix_web::test]
async fn one_operator_proposes_and_another_confirms() {
    let app = TestApp::start().await;
    let (client, key) = client();
    let mut admin = app.database.connection();
    admin.batch_execute("do $$ begin if not exists (select from pg_roles where rolname = 'operator_two') then create role operator_two login in role lindung_maintenance; end if; end $$").unwrap();
    let (one, two) = (app.database.maintenance(), app.database.maintenance_as("operator_two"));
    let id = one.propose_client(&client, &key, app.now()).unwrap();
    assert_eq!(app.database.count("client_keys where kid = 'new'"), 0);
    assert_eq!(two.waiting_clients().unwrap().iter().map(|it| it.id).collect::<Vec<_>>(), [id]);

    assert!(matches!(one.confirm_client(id, app.now()), Err(Error::Refused(Refusal::NotYours))));
    assert_eq!(app.database.count("client_keys where kid = 'new'"), 0);
    assert_eq!(two.confirm_client(id, app.now()).unwrap(), client.id);
    assert_eq!(app.database.count("client_keys where kid = 'new'"), 1);
    let registered = two.client(&client.id).unwrap().unwrap().0;
    assert_eq!((registered.units, registered.name), (vec![], "Another system".to_owned()));
    assert!(matches!(two.confirm_client(id, app.now()), Err(Error::Refused(Refusal::NotFound))));
    assert!(two.waiting_clients().unwrap().is_empty());
    let told = app.database.rows("select proposed_by, confirmed_by from registrations");
    assert_eq!(told, [json!({ "proposed_by": "lindung", "confirmed_by": "operator_two" })]);
}

/// Not even past the service: the database itself knows who is logged in.
#[actix_web::test]
async fn the_service_changes_none() {
    let app = TestApp::start().await;
    let mut api = PgConnection::establish(&app.database.url_as("lindung_api")).unwrap();
    for change in
        ["update clients set roles = '{supervisor}'", "delete from client_keys", "select * from registrations"]
    {
        assert!(api.batch_execute(change).unwrap_err().to_string().contains("permission denied"), "{change}");
    }
}
