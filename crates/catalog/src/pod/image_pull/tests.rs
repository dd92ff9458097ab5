use super::KIND;
use crate::testing::{check, snapshot};

/// A Deployment of one container that waits for its image, with one event about its pod.
fn waiting(image: &str, word: &str, reason: &str, message: &str, more: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: parcel, namespace: shop}}\nspec:\n  replicas: 1\n  \
         template:\n    metadata: {{labels: {{app: parcel}}}}\n    spec:\n      {more}\n      \
         containers: [{{name: main, image: '{image}'}}]\n\
         ---\nkind: Pod\nmetadata:\n  name: parcel-6f4d5b7c9d-x2x4z\n  namespace: shop\n  \
         creationTimestamp: 2026-01-02T10:00:00Z\n  ownerReferences: [{{kind: ReplicaSet, name: \
         parcel-6f4d5b7c9d, controller: true}}]\nspec:\n  {more}\n  containers: [{{name: main, \
         image: '{image}'}}]\nstatus:\n  phase: Pending\n  containerStatuses:\n  - name: main\n    \
         ready: false\n    state: {{waiting: {{reason: {word}, message: 'Back-off'}}}}\n\
         ---\nkind: Event\nmetadata: {{name: e, namespace: shop}}\ntype: Warning\n\
         reason: {reason}\nmessage: '{message}'\ninvolvedObject: {{kind: Pod, namespace: shop, \
         name: parcel-6f4d5b7c9d-x2x4z}}\nfirstTimestamp: 2026-01-02T10:00:05Z\n\
         lastTimestamp: 2026-01-02T10:00:30Z\n"
    )
}

fn failed(image: &str, message: &str) -> String {
    let message = format!("Failed to pull image \"{image}\": {message}");
    waiting(image, "ImagePullBackOff", "Failed", &message, "hostNetwork: false")
}

/// Another workload of the namespace that runs.
fn sibling(name: &str, image: &str, secret: &str) -> String {
    let secrets = match secret {
        "" => String::new(),
        name => format!("imagePullSecrets: [{{name: {name}}}], "),
    };
    format!(
        "---\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  replicas: 1\n  \
         template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{{secrets}containers: \
         [{{name: main, image: '{image}'}}]}}\n---\nkind: Pod\nmetadata:\n  name: \
         {name}-5d4f8c7b9-aaaaa\n  namespace: shop\n  ownerReferences: [{{kind: ReplicaSet, name: \
         {name}-5d4f8c7b9, controller: true}}]\nspec: {{{secrets}containers: [{{name: main, image: \
         '{image}'}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}\n"
    )
}

const IMAGE: &str = "reg.example/team/parcel:2.1";

#[test]
fn the_registrys_words_name_the_mechanism() {
    for (message, want) in [
        (
            "rpc error: code = NotFound desc = failed to pull and unpack image: reg.example/team/parcel:2.1: not found",
            "image-not-found",
        ),
        (
            "rpc error: code = Unknown desc = Error response from daemon: manifest for reg.example/team/parcel:2.1 not found: manifest unknown",
            "image-not-found",
        ),
        (
            "failed to do request: Head \"https://reg.example/v2/\": dial tcp: lookup reg.example on 10.0.0.2:53: no such host",
            "registry-name-unresolved",
        ),
        (
            "failed to do request: Head \"https://reg.example/v2/\": dial tcp 10.1.1.1:443: i/o timeout",
            "registry-unreachable",
        ),
        (
            "Get \"https://reg.example/v2/\": net/http: TLS handshake timeout",
            "registry-unreachable",
        ),
        (
            "failed to do request: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "registry-certificate",
        ),
        (
            "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit",
            "registry-rate-limited",
        ),
        ("no match for platform in manifest: not found", "platform-missing"),
        ("write /var/lib/x: no space left on device", "disk-full"),
        ("context deadline exceeded", "pull-slow"),
    ] {
        let line = format!("{want} deploy/parcel Proven Active");
        check(&KIND, &failed(IMAGE, message), &[&line]);
    }
}

#[test]
fn a_refusal_is_checked_against_secrets_and_siblings() {
    let denied = "failed to authorize: failed to fetch anonymous token: unexpected status from GET \
                  request to https://reg.example/token: 403 Forbidden";
    let lonely = "pull-secret-missing deploy/parcel Likely Active";
    check(&KIND, &failed(IMAGE, denied), &[lonely]);
    // Somebody else gets images from there with a secret.
    let beside = failed(IMAGE, denied) + &sibling("stamps", "reg.example/team/stamps:1", "reg-key");
    check(&KIND, &beside, &["pull-secret-missing deploy/parcel Proven Active"]);
    // Somebody else gets images from there without any.
    let open = failed(IMAGE, denied) + &sibling("stamps", "reg.example/team/stamps:1", "");
    check(&KIND, &open, &["image-not-found deploy/parcel Likely Active"]);
    // The secret that is named does not exist.
    let named =
        failed(IMAGE, denied).replace("hostNetwork: false", "imagePullSecrets: [{name: key}]");
    check(&KIND, &named, &["pull-secret-missing deploy/parcel Proven Active"]);
    // It exists, and is refused.
    let exists = named + "---\nkind: Secret\nmetadata: {name: key, namespace: shop}\n";
    let exists = exists.replace("anonymous token", "oauth token");
    check(&KIND, &exists, &["registry-unauthorized deploy/parcel Likely Active"]);
}

#[test]
fn the_kubelets_word_about_a_secret_is_enough() {
    let message = "Unable to retrieve some image pull secrets (reg-key); attempting to pull the \
                   image may not succeed.";
    let told = waiting(
        IMAGE,
        "ErrImagePull",
        "FailedToRetrieveImagePullSecret",
        message,
        "hostNetwork: false",
    );
    check(&KIND, &told, &["pull-secret-missing deploy/parcel Proven Active"]);
}

#[test]
fn public_registries_say_denied_for_what_does_not_exist() {
    for image in ["postgress:16", "nobody-here/parcel:1"] {
        let message = "Error response from daemon: pull access denied, repository does not exist \
                       or may require ''docker login'': denied: requested access to the resource \
                       is denied";
        check(&KIND, &failed(image, message), &["image-not-found deploy/parcel Likely Active"]);
    }
    let mirrored = "unexpected status from HEAD request to https://mirror.example/v2/library/\
                    postgress/manifests/16: 403 Forbidden";
    check(
        &KIND,
        &failed("postgress:16", mirrored),
        &["image-not-found deploy/parcel Likely Active"],
    );
}

#[test]
fn words_alone_are_recognised() {
    let invalid = "Failed to apply default image tag \"Parcel:1\": couldn''t parse image name: \
                   invalid reference format: repository name must be lowercase";
    let yaml =
        waiting("Parcel:1", "InvalidImageName", "InspectFailed", invalid, "hostNetwork: false");
    check(&KIND, &yaml, &["image-name-invalid deploy/parcel Proven Active"]);
    let never =
        "Container image \"reg.example/team/parcel:2.1\" is not present with pull policy of Never";
    let yaml =
        waiting(IMAGE, "ErrImageNeverPull", "ErrImageNeverPull", never, "hostNetwork: false");
    check(&KIND, &yaml, &["image-not-found deploy/parcel Proven Active"]);
    let row = "kind: Pod\nmetadata: {name: parcel-6f4d5b7c9d-x2x4z, namespace: shop, ownerReferences: \
               [{kind: ReplicaSet, name: parcel-6f4d5b7c9d, controller: true}]}\nstatus: {summary: \
               {ready: 0, containers: 1, status: 'Init:ImagePullBackOff'}}\n";
    check(&KIND, row, &["image-not-found deploy/parcel Possible Active"]);
}

#[test]
fn the_right_image_is_suggested() {
    let not_found = "reg.example/team/parcel:2.1: not found";
    let yaml = failed(IMAGE, not_found)
        + &sibling("stamps", "reg.example/team/stamps:2.0", "")
        + &sibling("boxes", "reg.example/team/boxes:2.0", "");
    assert_eq!(expected(&yaml), "reg.example/team/parcel:2.0 (what the images beside it suggest)");
    let slip = failed("reg.example/team/pracel:2.0", "reg.example/team/pracel:2.0: not found");
    assert!(expected(&slip).starts_with("reg.example/team/parcel:2.0 "));
    let before = failed(IMAGE, not_found)
        + "---\nkind: ReplicaSet\nmetadata: {name: parcel-aaa, namespace: shop, annotations: \
           {deployment.kubernetes.io/revision: '3'}, ownerReferences: [{kind: Deployment, name: \
           parcel, controller: true}]}\nspec: {template: {spec: {containers: [{name: main, image: \
           'reg.example/team/parcel:1.9'}]}}}\n";
    assert!(expected(&before).starts_with("reg.example/team/parcel:1.9 "));
}

fn expected(yaml: &str) -> String {
    let now = snapshot(yaml);
    let mut findings = model::Findings::default();
    now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
    findings.found[0].expected.clone().unwrap()
}

#[test]
fn look_alikes_stay_quiet() {
    // Pulled well after a first failure.
    let ready = failed(IMAGE, "i/o timeout")
        .replace("phase: Pending", "phase: Running\n  conditions: [{type: Ready, status: 'True'}]")
        .replace("ready: false", "ready: true")
        .replace("{waiting: {reason: ImagePullBackOff, message: 'Back-off'}}", "{running: {}}");
    check(&KIND, &ready, &[]);
    // A pull in progress.
    let pulling =
        waiting(IMAGE, "ContainerCreating", "Pulling", "Pulling image \"x\"", "hostNetwork: false");
    check(&KIND, &pulling, &[]);
    // One that hangs.
    let hanging = pulling
        + "---\nkind: Event\nmetadata: {name: f, namespace: shop}\nreason: Other\ninvolvedObject: \
           {kind: Pod, name: other}\nlastTimestamp: 2026-01-02T10:20:00Z\n";
    check(&KIND, &hanging, &["pull-slow deploy/parcel Likely Active"]);
    // A missing secret that nobody needs.
    let message = "Unable to retrieve some image pull secrets (old); attempting to pull the image \
                   may not succeed.";
    let fine = waiting(
        IMAGE,
        "ContainerCreating",
        "FailedToRetrieveImagePullSecret",
        message,
        "hostNetwork: false",
    );
    check(&KIND, &fine, &[]);
}
