//! The fields of a pod spec, named as the API names them below the object a person edits.

use model::App;
use model::record::{
    ConfigRef, ConfigSource, Container, Env, NodeTerm, PodSpec, PodTerm, Probe, Toleration,
    VolumeSource,
};

use super::Fields;
use super::fields::{Value, set};

/// All fields of a pod spec.
pub(super) fn fields(app: &App, spec: &PodSpec, fields: &mut Fields) {
    let at = |name: &str| app.spec_field(name);
    for (list, containers) in
        [("containers", &spec.containers), ("initContainers", &spec.init_containers)]
    {
        for c in containers {
            container(&at(&format!("{list}[{}]", c.name)), c, fields);
        }
    }
    for (key, value) in spec.node_selector.iter() {
        set(fields, at(&format!("nodeSelector.{key}")), value.as_str());
    }
    if let Some(affinity) = &spec.affinity {
        set(fields, at("affinity.nodeAffinity"), words(&affinity.nodes, node_term));
        set(fields, at("affinity.podAffinity"), words(&affinity.pods, pod_term));
        set(fields, at("affinity.podAntiAffinity"), words(&affinity.anti, pod_term));
    }
    set(fields, at("tolerations"), words(&spec.tolerations, toleration));
    let spread = |s: &model::record::Spread| format!("{} within {}", s.topology_key, s.max_skew);
    set(fields, at("topologySpreadConstraints"), words(&spec.spread, spread));
    for volume in &spec.volumes {
        set(fields, at(&format!("volumes[{}]", volume.name)), source(&volume.source));
    }
    for (name, value) in [
        ("serviceAccountName", &spec.service_account),
        ("schedulerName", &spec.scheduler),
        ("priorityClassName", &spec.priority_class),
        ("runtimeClassName", &spec.runtime_class),
        ("restartPolicy", &spec.restart_policy),
    ] {
        set(fields, at(name), value.as_str());
    }
    set(fields, at("imagePullSecrets"), spec.pull_secrets.join(", "));
    set(fields, at("schedulingGates"), spec.scheduling_gates.join(", "));
    set(fields, at("hostNetwork"), if spec.host_network { "true" } else { "" });
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    set(fields, at("securityContext.runAsUser"), number(spec.run_as_user));
    set(fields, at("securityContext.fsGroup"), number(spec.fs_group));
}

fn words<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn node_term(term: &NodeTerm) -> String {
    let all = term.match_expressions.iter().chain(&term.match_fields);
    all.map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn pod_term(term: &PodTerm) -> String {
    let pods = term.label_selector.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{pods} by {}", term.topology_key)
}

fn toleration(t: &Toleration) -> String {
    let value = if t.value.is_empty() { String::new() } else { format!("={}", t.value) };
    let effect = if t.effect.is_empty() { String::new() } else { format!(":{}", t.effect) };
    format!("{}{value}{effect}", t.key)
}

fn source(source: &VolumeSource) -> String {
    match source {
        VolumeSource::Claim(name) => format!("claim {name}"),
        VolumeSource::ConfigMap(r) => format!("config map {}", r.name),
        VolumeSource::Secret(r) => format!("secret {}", r.name),
        VolumeSource::HostPath(path) => format!("host path {path}"),
        VolumeSource::EmptyDir => "empty dir".into(),
        VolumeSource::Other(kind) => kind.to_string(),
        VolumeSource::Csi(driver) => format!("csi driver {driver}"),
        VolumeSource::Projected(sources) => words(sources, whole),
    }
}

/// A whole config map or secret.
fn whole(source: &ConfigSource) -> String {
    let map = source.config_map_ref.as_ref().map(|r| format!("config map {}", r.name));
    let secret = || source.secret_ref.as_ref().map(|r| format!("secret {}", r.name));
    map.or_else(secret).unwrap_or_default()
}

fn container(at: &str, c: &Container, fields: &mut Fields) {
    set(fields, format!("{at}.image"), c.image.as_str());
    set(fields, format!("{at}.command"), c.command.join(" "));
    set(fields, format!("{at}.args"), c.args.join(" "));
    let port = |p: &model::record::ContainerPort| p.container_port.to_string();
    set(fields, format!("{at}.ports"), words(&c.ports, port));
    for env in c.env.iter() {
        let value = Value::named(&env.name, setting(env));
        fields.insert(format!("{at}.env[{}]", env.name), value);
    }
    set(fields, format!("{at}.envFrom"), words(&c.env_from, whole));
    for (part, amounts) in [("requests", &c.resources.requests), ("limits", &c.resources.limits)] {
        for (name, amount) in amounts.iter() {
            set(fields, format!("{at}.resources.{part}.{name}"), amount.text(name));
        }
    }
    for (name, probe) in [
        ("livenessProbe", &c.liveness_probe),
        ("readinessProbe", &c.readiness_probe),
        ("startupProbe", &c.startup_probe),
    ] {
        if let Some(probe) = probe {
            self::probe(&format!("{at}.{name}"), probe, fields);
        }
    }
    for mount in c.volume_mounts.iter() {
        set(fields, format!("{at}.volumeMounts[{}]", mount.name), mount.mount_path.as_str());
    }
}

/// What a variable is set to.
fn setting(env: &Env) -> String {
    let from = |what: &str, r: &ConfigRef| format!("(key {} of {what} {})", r.key, r.name);
    if let Some(value) = &env.value {
        return value.to_string();
    }
    let source = env.value_from.as_deref();
    let map = source.and_then(|s| s.config_map_key_ref.as_ref()).map(|r| from("config map", r));
    let secret = || source.and_then(|s| s.secret_key_ref.as_ref()).map(|r| from("secret", r));
    map.or_else(secret).unwrap_or_default()
}

fn probe(at: &str, probe: &Probe, fields: &mut Fields) {
    for (name, action) in
        [("httpGet", &probe.http_get), ("tcpSocket", &probe.tcp_socket), ("grpc", &probe.grpc)]
    {
        let Some(action) = action else { continue };
        set(fields, format!("{at}.{name}.port"), action.port.to_string());
        set(fields, format!("{at}.{name}.path"), action.path.as_deref().unwrap_or_default());
        set(fields, format!("{at}.{name}.scheme"), action.scheme.as_deref().unwrap_or_default());
    }
    if let Some(exec) = &probe.exec {
        set(fields, format!("{at}.exec.command"), exec.command.join(" "));
    }
    for (name, seconds) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("failureThreshold", probe.failure_threshold),
    ] {
        set(fields, format!("{at}.{name}"), seconds.map(|s| s.to_string()).unwrap_or_default());
    }
}
