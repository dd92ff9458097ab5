//! An API server that holds given objects, and the real kubectl that asks it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use twin::{Options, Speed, Twin};

/// The moment at which the situations in the files are what they are.
const WRITTEN_FOR: &str = "2026-01-02T10:00:00Z";

/// Whether there is a kubectl to test with. Without one the tests say so and pass, except where
/// `CI=true` promises one.
pub(super) fn has_kubectl() -> bool {
    let found = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "kubectl is missing");
        eprintln!("SKIPPED: there is no kubectl on this machine");
    }
    found
}

/// The objects of YAML files, as they would be stored if all had happened just now.
pub(super) fn objects(files: &[PathBuf]) -> Vec<Value> {
    let by = wall_now().since(WRITTEN_FOR.parse::<model::Timestamp>().unwrap());
    let mut objects = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for document in text.split("\n---\n") {
            let mut object: Value = serde_saphyr::from_str(document).unwrap();
            shift(&mut object, by);
            identify(&mut object);
            objects.push(object);
        }
    }
    objects
}

/// kubectl counts ages of `describe` by the clock of its machine.
fn wall_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap())
}

/// Moves every time in an object.
fn shift(value: &mut Value, by: i64) {
    match value {
        Value::String(text) if text.ends_with('Z') => {
            if let Ok(at) = text.parse::<Timestamp>() {
                // Times of 1970 mean that there is none.
                if at.seconds() > 0 {
                    *text = at.plus_seconds(by).to_string();
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| shift(v, by)),
        Value::Object(map) => map.values_mut().for_each(|v| shift(v, by)),
        _ => {}
    }
}

/// Gives an object and its references the identities that an API server would.
fn identify(object: &mut Value) {
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let namespace = text(&object["metadata"], "namespace");
    let uid = |kind: &str, namespace: &str, name: &str| format!("uid-{kind}-{namespace}-{name}");
    let own = uid(&text(object, "kind"), &namespace, &text(&object["metadata"], "name"));
    object["metadata"]["uid"] = json!(own);
    for owner in object["metadata"]["ownerReferences"].as_array_mut().into_iter().flatten() {
        owner["uid"] = json!(uid(&text(owner, "kind"), &namespace, &text(owner, "name")));
    }
    if let Some(about) = object.get_mut("involvedObject") {
        let (kind, name) = (text(about, "kind"), text(about, "name"));
        // Events about nodes carry the name as the identity.
        let about_uid = match kind.as_str() {
            "Node" => name,
            _ => uid(&kind, &text(about, "namespace"), &name),
        };
        about["uid"] = json!(about_uid);
    }
}

/// A served cluster, ended with the test.
pub(super) struct Cluster {
    folder: PathBuf,
    _ends: oneshot::Sender<()>,
}

impl Cluster {
    /// Serves these objects. `name` tells apart the tests that run at the same time.
    pub(super) fn of(objects: Vec<Value>, name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("seaworthy-forms-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let twin = Twin::from_objects(objects, wall_now()).unwrap();
        let (ends, ended) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || serve(&twin, &tell, ended));
        std::fs::write(folder.join("kubeconfig"), told.recv().unwrap()).unwrap();
        Cluster { folder, _ends: ends }
    }

    /// What kubectl prints, its complaints too, as a terminal shows it.
    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(self.folder.join("kubeconfig"))
            // A cache of its own: another server's discovery must not answer for this one.
            .arg("--cache-dir")
            .arg(self.folder.join("cache"))
            .args(arguments)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "kubectl {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap() + &error
    }

    /// Keeps a rendering for the reader.
    pub(super) fn keep(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What was rendered is the first thing to look at when a form disagrees.
        if !std::thread::panicking() {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}

fn serve(twin: &Twin, tell: &mpsc::Sender<String>, ended: oneshot::Receiver<()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(async {
        let options = Options {
            address: "127.0.0.1:0".parse().unwrap(),
            token: "secret-token".into(),
            speed: Speed::Pause,
            plain: false,
            authorization: twin::Authorization::AlwaysAllow,
        };
        let server = twin::serve(twin, options).await.unwrap();
        tell.send(server.kubeconfig()).unwrap();
        drop(ended.await);
    });
}
