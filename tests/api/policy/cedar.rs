//! The policy a third time, in Cedar, written from the words of the domain (`tests/cedar`). Rust and Cedar are held
//! against each other over every role, relation, act, state and purpose, and over random ones; what is read is held
//! against row-level security too.

mod kept;
mod matrix;
mod random;

mod scene;

use std::cell::OnceCell;
use std::str::FromStr;
use std::sync::LazyLock;

use cedar_policy::{
    Authorizer, Context, Decision as Answer, Entities, EntityUid, PolicySet, Request, Schema, ValidationMode, Validator,
};
use lindung_domain::Actor;
use lindung_domain::grant::Grant;
use lindung_domain::shield::Shield;
use serde_json::{Value, json};

use scene::{Asked, Decision, Scene};

struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    schema: Schema,
}

static CEDAR: LazyLock<Cedar> = LazyLock::new(|| {
    let policies = PolicySet::from_str(include_str!("../../cedar/policy.cedar")).unwrap();
    let schema = Schema::from_cedarschema_str(include_str!("../../cedar/policy.cedarschema")).unwrap().0;
    Cedar { authorizer: Authorizer::new(), policies, schema }
});

fn uid((kind, id): (&str, &str)) -> EntityUid {
    EntityUid::from_str(&format!("{kind}::\"{id}\"")).unwrap()
}

/// Without what is unset: Cedar has no null.
fn set(mut attributes: Value) -> Value {
    attributes.as_object_mut().unwrap().retain(|_, it| !it.is_null());
    attributes
}

fn names(shield: &Shield) -> Value {
    let named = |it: &lindung_domain::shield::Admitted| json!({ "agency": it.agency, "officer": it.officer.as_ref().map_or("", |it| it.as_str()) });
    shield.names().iter().map(named).collect()
}

fn grant(it: &Grant) -> Value {
    set(json!({
        "agency": it.agency, "officer": it.officer, "source": it.source, "sections": it.sections,
        "contributes": it.contributes, "children": it.children, "purposes": it.purposes, "onward": it.onward,
        "since": it.since.timestamp_millis(), "until": it.until.map(|it| it.timestamp_millis()),
    }))
}

/// What Cedar is told of what is asked about, but for a grant: its type and attributes.
fn resource(actor: &Actor, scene: &Scene, asked: Asked) -> (&'static str, Value) {
    let (case, referral, access) = (scene.file.case.record(), scene.referral.record(), scene.access.record());
    let mut about = match asked {
        Asked::Case(_) => ("Case", json!({})),
        Asked::Section(_, section, child) => {
            let shield = child.and_then(|it| scene.file.shield_of(Some(it))).map(names);
            ("Section", json!({ "section": section, "child": child, "childShield": shield }))
        }
        Asked::Referral(..) | Asked::OfReferral(_) => (
            "Referral",
            json!({
                "status": referral.status, "sent": referral.requested_at.is_some(), "sender": referral.sender,
                "recipient": referral.recipient, "listed": referral.listed, "former": referral.former,
            }),
        ),
        Asked::Access(_) => ("Access", json!({ "agency": access.agency, "officer": access.officer })),
        Asked::Handoff(_) => {
            let handoff = scene.handoff.record();
            ("Handoff", json!({ "from": handoff.from, "to": handoff.to }))
        }
        Asked::DataRequest(_) => {
            let request = scene.request.record();
            return ("DataRequest", json!({ "requester": request.requester, "provider": request.demand.provider }));
        }
        Asked::Agency(_) => {
            let whose = if scene.own { actor.agency().as_str() } else { "AGC" };
            return ("Agency", json!({ "agency": whose, "kept": scene.kept }));
        }
    };
    about.1["lead"] = json!(case.lead);
    about.1["shield"] = case.shield.as_ref().map(names).into();
    (about.0, set(about.1))
}

/// One actor and one thing, as Cedar is told of them: a request for each grant of the case, and one for none.
struct Told {
    kind: &'static str,
    about: Vec<Entities>,
    context: Context,
    known: OnceCell<bool>,
}

impl Told {
    fn of(actor: &Actor, scene: &Scene, asked: Asked) -> Told {
        let principal = set(json!({
            "agency": actor.agency(), "officer": actor.officer_id(), "roles": actor.roles(), "purpose": actor.purpose(),
        }));
        let (kind, attributes) = resource(actor, scene, asked);
        let grants =
            scene.file.grants.iter().filter(|_| !matches!(kind, "Agency" | "DataRequest")).map(grant).map(Some);
        let entities = |grant: Option<Value>| {
            let mut attributes = attributes.clone();
            attributes["grant"] = grant.into();
            let entity = |kind: &str, id: &str, attributes: &Value| json!({ "uid": { "type": kind, "id": id }, "attrs": attributes, "parents": [] });
            let both = json!([entity("Actor", "who", &principal), entity(kind, "what", &set(attributes))]);
            Entities::from_json_value(both, None).unwrap()
        };
        let about = grants.chain([None]).map(entities).collect();
        let context = json!({ "now": scene.now.timestamp_millis(), "trusted": scene.trusted() });
        Told { kind, about, context: Context::from_json_value(context, None).unwrap(), known: OnceCell::new() }
    }

    /// The union of what the requests permit.
    fn permits(&self, action: &str) -> bool {
        let [principal, action, resource] = [("Actor", "who"), ("Action", action), (self.kind, "what")].map(uid);
        let request = Request::new(principal, action, resource, self.context.clone(), None).unwrap();
        self.about.iter().any(|entities| {
            let response = CEDAR.authorizer.is_authorized(&request, &CEDAR.policies, entities);
            let errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
            assert_eq!(errors, [] as [String; 0], "{request}");
            response.decision() == Answer::Allow
        })
    }

    /// What Cedar says.
    fn decide(&self, asked: Asked) -> Decision {
        if self.permits(&asked.action()) {
            Decision::Permitted
        } else if self.kind == "Agency" || *self.known.get_or_init(|| self.permits("Know")) {
            Decision::NotYours
        } else {
            Decision::NotFound
        }
    }
}

/// What is decided of one thing: Rust and Cedar say the same.
fn agreed(actor: &Actor, scene: &Scene, asked: &[Asked]) -> Vec<Decision> {
    let case = Told::of(actor, scene, asked[0]);
    let decided = |asked: &Asked| {
        let (rust, cedar) = (scene.decide(actor, *asked), case.decide(*asked));
        assert_eq!(rust, cedar, "Rust and Cedar on {asked:?} by {actor:?} in {scene:#?}");
        rust
    };
    asked.iter().map(decided).collect()
}

#[test]
fn it_is_valid_by_its_schema() {
    let result = Validator::new(CEDAR.schema.clone()).validate(&CEDAR.policies, ValidationMode::Strict);
    assert!(result.validation_passed(), "{result}");
    let action = |it: lindung_domain::policy::Act| Asked::every(it).map(|it| it.action());
    let acts = lindung_domain::policy::Act::all().into_iter().filter_map(action);
    for action in acts {
        let known = CEDAR.schema.actions().any(|it| it.id().escaped() == action.as_str());
        assert!(known, "Cedar does not know {action}");
    }
}
