//! Two captures of one cluster: what changed, and did it cause this?

use std::path::PathBuf;

use super::{data, json, run};

/// Files of this test run, removed at its end.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("seaworthy-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Files(folder)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Deployments, as `kubectl get -o yaml` prints them: one with this image, whose pod waits for it
/// when it is wrong, and one that is as it was.
fn capture(clock: &str, image: &str, ready: bool) -> String {
    let status = if ready {
        format!(
            "{{phase: Running, startTime: '2026-01-01T08:00:00Z', conditions: [{{type: Ready, \
             status: 'True', lastTransitionTime: '2026-01-01T{clock}Z'}}]}}"
        )
    } else {
        format!(
            "{{phase: Pending, startTime: '2026-01-01T{clock}Z', conditions: [{{type: Ready, \
             status: 'False', lastTransitionTime: '2026-01-01T{clock}Z'}}], containerStatuses: \
             [{{name: c, ready: false, restartCount: 0, state: {{waiting: {{reason: \
             ImagePullBackOff, message: 'Back-off pulling image \"{image}\": ErrImagePull: \
             {image}: not found'}}}}}}]}}"
        )
    };
    let deployment = |name: &str, image: &str| {
        format!(
            "- kind: Deployment\n  apiVersion: apps/v1\n  metadata: {{name: {name}, namespace: \
             shop, creationTimestamp: '2026-01-01T07:00:00Z'}}\n  spec: {{replicas: 1, selector: \
             {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, \
             spec: {{containers: [{{name: c, image: '{image}'}}]}}}}}}\n  status: {{replicas: 1}}\n"
        )
    };
    let pod = format!(
        "- kind: Pod\n  apiVersion: v1\n  metadata: {{name: web-0, namespace: shop, \
         creationTimestamp: '2026-01-01T08:00:00Z', labels: {{app: web}}, ownerReferences: \
         [{{kind: Deployment, name: web, controller: true}}]}}\n  spec: {{nodeName: n1, containers: \
         [{{name: c, image: '{image}'}}]}}\n  status: {status}\n"
    );
    let all = [deployment("web", image), deployment("db", "db:1"), pod].concat();
    format!("apiVersion: v1\nkind: List\nitems:\n{all}")
}

#[test]
fn two_captures_are_compared_and_the_change_that_did_it_is_named() {
    let files = Files::new("compare");
    let old = files.write("old.yaml", &capture("09:00:00", "shop.example/web:1", true));
    let new = files.write("new.yaml", &capture("10:00:00", "shop.example/web:2", false));
    let field = "spec.template.spec.containers[c].image";
    let both = json(&run(&["diagnose", &old, &new, "-o", "json"]));
    let change = &both["changes"]["objects"][0];
    assert_eq!(change["object"]["name"], "web", "{both:#}");
    assert_eq!(change["change"], "edited");
    let fields = serde_json::json!([
        {"field": field, "before": "shop.example/web:1", "after": "shop.example/web:2"}
    ]);
    assert_eq!(change["fields"], fields);
    let id = &both["incidents"][0]["id"];
    assert_eq!(both["incidents"][0]["cause"]["failure"], "pod-image-pull-failing");
    assert_eq!(&change["ledTo"][0]["incident"], id);
    assert_eq!(change["ledTo"][0]["certainty"], "proven");
    assert_eq!(both["changes"]["new"], serde_json::json!([id]));
    assert_eq!(both["changes"]["objects"].as_array().unwrap().len(), 1, "db is as it was");
    // Named in either order, and named as what they are.
    let turned = json(&run(&["diagnose", &new, &old, "-o", "json"]));
    assert_eq!(turned["changes"], both["changes"]);
    let named = json(&run(&["diagnose", "--before", &old, &new, "-o", "json"]));
    assert_eq!(named["changes"], both["changes"]);
    let text = run(&["diagnose", &old, &new]);
    let said = format!("{field}: shop.example/web:1 ->");
    for part in ["What changed since 2026-01-01T09:00:00Z", &said, "=> caused this:"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert!(run(&["diagnose", &old, &new, "-o", "md"]).out.contains("## What changed since"));
    let well = run(&["diagnose", "--before", &new, &old, "-o", "json"]);
    assert_eq!(json(&well)["changes"]["gone"][0]["failure"], "pod-image-pull-failing", "{well:?}");
}

#[test]
fn two_files_that_belong_together_are_read_as_one() {
    let (base, other) = (data("forms/base/objects.yaml"), data("forms/quota/objects.yaml"));
    let value = json(&run(&["diagnose", &base, &other, "-o", "json"]));
    assert_eq!(value.get("changes"), None);
    assert_eq!(value["input"].as_array().unwrap().len(), 2);
    let files = Files::new("together");
    let capture = capture("09:00:00", "shop.example/web:1", true);
    let (a, b) = (files.write("a.yaml", &capture), files.write("b.yaml", &capture));
    assert_eq!(json(&run(&["diagnose", &a, &b, "-o", "json"])).get("changes"), None);
}

#[test]
fn an_earlier_moment_of_two_captures_is_refused() {
    let files = Files::new("refused");
    let old = files.write("old.yaml", &capture("09:00:00", "shop.example/web:1", true));
    let new = files.write("new.yaml", &capture("10:00:00", "shop.example/web:2", false));
    let run = run(&["diagnose", &old, &new, "--at", "5m"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
    assert!(run.err.contains("--at looks at one capture"), "{}", run.err);
}
