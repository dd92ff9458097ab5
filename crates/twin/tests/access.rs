//! Who may do what, and what admission says: requests as other users, against the words of the
//! real server.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;
use twin::{Authorization, Twin, scenario};

/// A twin in which roles decide.
struct Server(Twin);

struct Answer {
    code: u16,
    warnings: Vec<String>,
    body: Value,
}

impl Server {
    fn start() -> Self {
        let twin = Twin::new(scenario::cascade(7));
        twin.authorize(Authorization::Rbac);
        twin.advance_seconds(1);
        Self(twin)
    }

    async fn ask(&self, headers: &[(&str, &str)], line: &str, body: Value) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = http::Request::builder().method(method).uri(path);
        let media = if method == "PATCH" { "merge-patch+json" } else { "json" };
        request = request.header("content-type", format!("application/{media}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = request.body(Full::new(bytes::Bytes::from(body))).unwrap();
        let answer = self.0.service().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let warnings = parts.headers.get_all("warning").iter();
        Answer {
            code: parts.status.as_u16(),
            warnings: warnings.map(|w| w.to_str().unwrap().to_owned()).collect(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    /// As an administrator, who may.
    async fn make(&self, line: &str, body: Value) -> Value {
        let answer = self.ask(&[], line, body).await;
        assert!(answer.code < 300, "{line}: {}", answer.body);
        answer.body
    }

    /// As jane: the code, and the message of a refusal.
    async fn check(&self, line: &str, body: Value, code: u16, message: &str) {
        let answer = self.ask(&[("impersonate-user", "jane")], line, body).await;
        assert_eq!((answer.code, text(&answer.body, "/message")), (code, message), "{line}");
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";

fn role(name: &str, rules: Value) -> Value {
    json!({"metadata": {"name": name}, "rules": rules})
}

fn binding(name: &str, kind: &str, role: &str) -> Value {
    json!({
        "metadata": {"name": name}, "subjects": [{"kind": "User", "name": "jane"}],
        "roleRef": {"kind": kind, "name": role, "apiGroup": "rbac.authorization.k8s.io"},
    })
}

#[tokio::test]
async fn roles_decide() {
    let server = Server::start();
    let maps = "/api/v1/namespaces/default/configmaps";
    let refused = "configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in \
                   API group \"\" in the namespace \"default\"";
    server.check(&format!("GET {maps}"), Value::Null, 403, refused).await;
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]);
    server.make(&format!("POST {RBAC}/roles"), role("reader", rules)).await;
    server.make(&format!("POST {RBAC}/rolebindings"), binding("b", "Role", "reader")).await;
    server.check(&format!("GET {maps}"), Value::Null, 200, "").await;
    let path = "forbidden: User \"jane\" cannot get path \"/metrics\"";
    server.check("GET /metrics", Value::Null, 403, path).await;
    server.check("GET /version", Value::Null, 200, "").await;
}

#[tokio::test]
async fn aggregated_roles_hold_what_they_gather() {
    let server = Server::start();
    let view = binding("v", "ClusterRole", "view");
    server.make(&format!("POST {RBAC}/rolebindings"), view).await;
    server.check("GET /api/v1/namespaces/default/pods", Value::Null, 200, "").await;
    let secrets = "secrets is forbidden: User \"jane\" cannot list resource \"secrets\" in API \
                   group \"\" in the namespace \"default\"";
    server.check("GET /api/v1/namespaces/default/secrets", Value::Null, 403, secrets).await;
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_have() {
    let server = Server::start();
    let rules = json!([{
        "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create"],
    }]);
    server.make(&format!("POST {RBAC}/roles"), role("maker", rules)).await;
    server.make(&format!("POST {RBAC}/rolebindings"), binding("m", "Role", "maker")).await;
    let more = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]);
    let refused = "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"jane\" \
                   (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions \
                   not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], \
                   Verbs:[\"*\"]}";
    let line = format!("POST {RBAC}/roles");
    server.check(&line, role("more", more), 403, refused).await;
    server.check(&line, role("none", json!([])), 201, "").await;
}

#[tokio::test]
async fn a_token_is_its_account_until_one_of_both_ends() {
    let server = Server::start();
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    server.make(&format!("POST {accounts}"), json!({"metadata": {"name": "bot"}})).await;
    let asked = server.make(&format!("POST {accounts}/bot/token"), json!({"spec": {}})).await;
    let bearer = format!("Bearer {}", text(&asked, "/status/token"));
    let own = [("authorization", bearer.as_str())];
    let who = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews";
    let review = server.ask(&own, who, json!({})).await;
    let name = "system:serviceaccount:default:bot";
    assert_eq!(text(&review.body, "/status/userInfo/username"), name);
    let other = [("authorization", "Bearer other")];
    assert_eq!(server.ask(&other, who, json!({})).await.code, 401);
    server.0.advance_seconds(3700);
    assert_eq!(server.ask(&own, who, json!({})).await.code, 401);
}

#[tokio::test]
async fn policies_deny_and_warn() {
    let server = Server::start();
    let group = "/apis/admissionregistration.k8s.io/v1";
    let policy = json!({
        "metadata": {"name": "few"},
        "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "DELETE"],
                "resources": ["configmaps"],
            }]},
            "variables": [{"name": "name", "expression": "request.name"}],
            "validations": [{
                "expression": "variables.name != 'a'", "reason": "Forbidden",
                "messageExpression": "'not ' + variables.name",
            }],
        },
    });
    server.make(&format!("POST {group}/validatingadmissionpolicies"), policy).await;
    let bind = |actions: Value| {
        json!({
            "metadata": {"name": "few"},
            "spec": {"policyName": "few", "validationActions": actions},
        })
    };
    let bindings = format!("{group}/validatingadmissionpolicybindings");
    server.make(&format!("POST {bindings}"), bind(json!(["Warn"]))).await;
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = json!({"metadata": {"name": "a"}});
    let told = "ValidatingAdmissionPolicy 'few' with binding 'few'";
    let warned = server.ask(&[], &format!("POST {maps}"), map.clone()).await;
    let warning = format!("299 - \"Validation failed for {told}: not a\"");
    assert_eq!((warned.code, warned.warnings), (201, vec![warning]));
    server.make(&format!("DELETE {bindings}/few"), Value::Null).await;
    server.make(&format!("POST {bindings}"), bind(json!(["Deny"]))).await;
    let denied = server.ask(&[], &format!("DELETE {maps}/a"), Value::Null).await;
    let message = format!("configmaps \"a\" is forbidden: {told} denied request: not a");
    assert_eq!((denied.code, text(&denied.body, "/message")), (403, message.as_str()));
}

#[tokio::test]
async fn a_running_container_has_a_log() {
    let server = Server::start();
    let pods =
        server.make("GET /api/v1/pods?fieldSelector=status.phase=Running", json!(null)).await;
    let running = |pod: &&Value| pod.pointer("/status/containerStatuses/0/state/running").is_some();
    let pod = pods["items"].as_array().unwrap().iter().find(running).unwrap();
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let log = format!("GET /api/v1/namespaces/{namespace}/pods/{name}/log");
    assert_eq!(server.ask(&[], &log, Value::Null).await.code, 200);
    let bad = server.ask(&[], &format!("{log}?container=zz"), Value::Null).await;
    let message = format!("container zz is not valid for pod {name}");
    assert_eq!((bad.code, text(&bad.body, "/message")), (400, message.as_str()));
}
