//! What admission does to a new pod: its account, its priority, its runtime.

use serde_json::{Value, json};

use super::Failure;
use crate::field;
use crate::kinds::{POD, PRIORITY_CLASS, RUNTIME_CLASS, SERVICE_ACCOUNT};
use crate::store::{Object, Store};

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Pods that a kubelet runs from files have no account.
const FROM_FILE: [&str; 2] = ["kubernetes.io/config.source", "kubernetes.io/config.mirror"];
const MIRROR: &str = "kubernetes.io/config.mirror";

/// A new pod, and where it is to be. It is told under the name that it was sent with.
pub(super) struct Joining<'a> {
    pub store: &'a Store,
    pub namespace: &'a str,
    pub told: &'a str,
}

impl Joining<'_> {
    fn refused(&self, why: &str) -> Failure {
        Failure::forbidden(&POD, self.told, why)
    }

    /// The pod's service account must exist; its token and its pull secrets come to the pod.
    pub fn give_account(&self, pod: &mut Value, volume: &str) -> Result<(), Failure> {
        if has_annotation(pod, &FROM_FILE) {
            return self.check_mirror(pod);
        }
        let spec = field::child(pod, "spec");
        field::default(spec, "serviceAccountName", "default");
        let name = spec["serviceAccountName"].clone();
        field::default(spec, "serviceAccount", name.clone());
        let (namespace, name) = (self.namespace, name.as_str().unwrap_or_default());
        // The account that every namespace gets may be on its way: the server waits for it.
        let coming = json!({});
        let found = self.store.get(SERVICE_ACCOUNT.storage, namespace, name).map(|own| &***own);
        let Some(account) = found.or((name == "default").then_some(&coming)) else {
            let why = format!(
                "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" \
                 not found"
            );
            return Err(self.refused(&why));
        };
        let pod_says = pod.pointer("/spec/automountServiceAccountToken").and_then(Value::as_bool);
        let account_says = account.get("automountServiceAccountToken").and_then(Value::as_bool);
        if pod_says.or(account_says).unwrap_or(true) {
            mount(pod, volume);
        }
        let secrets = field::list(account, "/imagePullSecrets");
        if field::list(pod, "/spec/imagePullSecrets").is_empty() && !secrets.is_empty() {
            pod["spec"]["imagePullSecrets"] = secrets.to_vec().into();
        }
        Ok(())
    }

    /// The image of a pod that a kubelet runs anyway refers to nothing.
    fn check_mirror(&self, pod: &Value) -> Result<(), Failure> {
        if !has_annotation(pod, &[MIRROR]) {
            return Ok(());
        }
        if !field::text(pod, "/spec/serviceAccountName").is_empty() {
            return Err(self.refused("a mirror pod may not reference service accounts"));
        }
        let mut volumes = field::list(pod, "/spec/volumes").iter();
        if volumes.any(|volume| volume.get("secret").is_some_and(Value::is_object)) {
            return Err(self.refused("a mirror pod may not reference secrets"));
        }
        Ok(())
    }

    /// The pod's class gives it its priority; nobody else may.
    pub fn give_priority(&self, pod: &mut Value) -> Result<(), Failure> {
        let named = field::text(pod, "/spec/priorityClassName").to_owned();
        let mut classes = self.store.table(PRIORITY_CLASS.storage).values();
        let class = classes.find(|class| match named.as_str() {
            "" => field::flag(class, "/globalDefault"),
            name => field::name(class) == name,
        });
        if class.is_none() && !named.is_empty() {
            return Err(self.refused(&format!("no PriorityClass with name {named} was found")));
        }
        let value = class.map_or(0, |class| field::number(class, "/value"));
        let policy = class.map(|class| field::text(class, "/preemptionPolicy"));
        let policy = policy.filter(|policy| !policy.is_empty()).unwrap_or("PreemptLowerPriority");
        let given = pod.pointer("/spec/priority").and_then(Value::as_i64);
        if let Some(given) = given.filter(|given| *given != value) {
            return Err(self.refused(&format!(
                "the integer value of priority ({given}) must not be provided in pod spec; \
                 priority admission controller computed {value} from the given PriorityClass name"
            )));
        }
        let given = field::text(pod, "/spec/preemptionPolicy");
        if !given.is_empty() && given != policy {
            return Err(self.refused(&format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; \
                 priority admission controller computed {policy} from the given PriorityClass name"
            )));
        }
        let spec = field::child(pod, "spec");
        if let Some(class) = class {
            spec.insert("priorityClassName".into(), field::name(class).into());
        }
        spec.insert("priority".into(), value.into());
        spec.insert("preemptionPolicy".into(), policy.into());
        Ok(())
    }

    /// The pod's runtime class says what the runtime takes and on which nodes there is one.
    pub fn give_runtime(&self, pod: &mut Value) -> Result<(), Failure> {
        let named = field::text(pod, "/spec/runtimeClassName").to_owned();
        let found = self.store.get(RUNTIME_CLASS.storage, "", &named);
        if found.is_none() && !named.is_empty() {
            let why = format!("pod rejected: RuntimeClass {named:?} not found");
            return Err(self.refused(&why));
        }
        let overhead = found.map(|class| &class["overhead"]["podFixed"]);
        let overhead = overhead.filter(|overhead| overhead.is_object());
        let given = pod.pointer("/spec/overhead").filter(|given| given.is_object());
        match (overhead, given) {
            (None, Some(_)) => {
                let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass \
                     defined Overhead";
                return Err(self.refused(why));
            }
            (Some(own), Some(given)) if own != given => {
                let why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined \
                     Overhead";
                return Err(self.refused(why));
            }
            (Some(own), _) => pod["spec"]["overhead"] = own.clone(),
            (None, None) => {}
        }
        found.map_or(Ok(()), |class| self.place(pod, class))
    }

    fn place(&self, pod: &mut Value, class: &Object) -> Result<(), Failure> {
        for (key, value) in field::map(class, "/scheduling/nodeSelector").into_iter().flatten() {
            let own = pod["spec"]["nodeSelector"].get(key).cloned().unwrap_or_default();
            if !own.is_null() && own != *value {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                return Err(self.refused(&format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; \
                     pod.spec.nodeSelector[{key}] = {}",
                    text(value),
                    text(&own)
                )));
            }
            pod["spec"]["nodeSelector"][key] = value.clone();
        }
        let more = field::list(class, "/scheduling/tolerations");
        let tolerations = field::child(pod, "spec").entry("tolerations").or_insert(json!([]));
        if let Some(all) = tolerations.as_array_mut() {
            for toleration in more {
                if !all.contains(toleration) {
                    all.push(toleration.clone());
                }
            }
        }
        Ok(())
    }
}

fn has_annotation(pod: &Value, keys: &[&str]) -> bool {
    let all = field::map(pod, "/metadata/annotations");
    all.is_some_and(|all| keys.iter().any(|key| all.contains_key(*key)))
}

/// Mounts the token of the pod's service account.
fn mount(pod: &mut Value, volume: &str) {
    let mut mounted = false;
    for list in ["containers", "initContainers"] {
        let all = pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in all.into_iter().flatten().filter_map(Value::as_object_mut) {
            let mounts = container.entry("volumeMounts").or_insert(json!([]));
            let Some(mounts) = mounts.as_array_mut() else { continue };
            if !mounts.iter().any(|m| field::text(m, "/mountPath") == MOUNT) {
                mounts.push(json!({"name": volume, "readOnly": true, "mountPath": MOUNT}));
                mounted = true;
            }
        }
    }
    let volumes = field::child(pod, "spec").entry("volumes").or_insert(json!([]));
    if let Some(volumes) = volumes.as_array_mut().filter(|_| mounted) {
        volumes.push(projected(volume));
    }
}

fn projected(name: &str) -> Value {
    let namespace = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {
            "name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}],
        }},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
    ]}})
}
