//! Containers as a pod spec describes them.

use serde::Deserialize;

use crate::record::Port;
use crate::{List, Resources, Shared, Text};

/// One container of a pod spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Name.
    pub name: Text,
    /// Image as written.
    pub image: Text,
    /// Entry point; empty for the image's own.
    pub command: Shared<List<Text>>,
    /// Arguments.
    pub args: Shared<List<Text>>,
    /// Declared ports.
    pub ports: Shared<List<ContainerPort>>,
    /// Environment.
    pub env: Shared<List<Env>>,
    /// Whole config maps and secrets read into the environment.
    pub env_from: Shared<List<ConfigSource>>,
    /// Requests and limits.
    pub resources: Shared<Needs>,
    /// Liveness probe: failing it restarts the container.
    pub liveness_probe: Option<Shared<Probe>>,
    /// Readiness probe: failing it takes the pod out of its Services, nothing else.
    pub readiness_probe: Option<Shared<Probe>>,
    /// Startup probe.
    pub startup_probe: Option<Shared<Probe>>,
    /// Where volumes are mounted.
    pub volume_mounts: Shared<List<Mount>>,
    /// Whether something is done in it before it is asked to stop.
    #[serde(rename = "lifecycle", deserialize_with = "has_pre_stop")]
    pub pre_stop: bool,
    /// Restart policy of an init container that runs on (a sidecar): `Always`.
    pub restart_policy: Option<Text>,
}

fn has_pre_stop<'de, D: serde::Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Lifecycle {
        pre_stop: Option<serde::de::IgnoredAny>,
    }
    let hooks = Option::<Lifecycle>::deserialize(d)?;
    Ok(hooks.is_some_and(|h| h.pre_stop.is_some()))
}

/// Requests and limits of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct Needs {
    /// What the scheduler reserves.
    pub requests: Resources,
    /// What the kernel allows.
    pub limits: Resources,
}

/// A declared port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerPort {
    /// Name, may be empty.
    pub name: Text,
    /// Number.
    pub container_port: u16,
    /// `TCP`, `UDP` or `SCTP`; empty means TCP.
    pub protocol: Text,
    /// Port of the node it takes, 0 for none.
    pub host_port: u16,
    /// Whether it may have a name that the text did not print.
    pub name_hidden: bool,
}

/// One environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Env {
    /// Name.
    pub name: Text,
    /// Literal value.
    pub value: Option<Text>,
    /// Where the value comes from instead.
    pub value_from: Option<Box<EnvFrom>>,
}

/// Sources of one variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvFrom {
    /// A key of a config map.
    pub config_map_key_ref: Option<ConfigRef>,
    /// A key of a secret.
    pub secret_key_ref: Option<ConfigRef>,
}

/// A reference to a config map or secret, or to a key in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct ConfigRef {
    /// Name of the object.
    #[serde(alias = "secretName")]
    pub name: Text,
    /// Key, or empty for all of it.
    pub key: Text,
    /// Keys that a volume takes from it; empty for all of them.
    #[serde(rename = "items", deserialize_with = "keys")]
    pub keys: List<Text>,
    /// Whether it may be missing.
    pub optional: Option<bool>,
}

fn keys<'de, D: serde::Deserializer<'de>>(d: D) -> Result<List<Text>, D::Error> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Item {
        key: Text,
    }
    Ok(List::<Item>::deserialize(d)?.into_iter().map(|i| i.key).collect())
}

/// A whole config map or secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConfigSource {
    /// The config map, if it is one.
    #[serde(alias = "configMap")]
    pub config_map_ref: Option<ConfigRef>,
    /// The secret, if it is one.
    #[serde(alias = "secret")]
    pub secret_ref: Option<ConfigRef>,
}

/// A mounted volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Mount {
    /// Volume.
    pub name: Text,
    /// Path in the container.
    pub mount_path: Text,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// A health check by the kubelet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Probe {
    /// HTTP request.
    pub http_get: Option<ProbeAction>,
    /// TCP connection.
    pub tcp_socket: Option<ProbeAction>,
    /// gRPC health check.
    pub grpc: Option<ProbeAction>,
    /// Command in the container.
    pub exec: Option<Exec>,
    /// Delay before the first check.
    pub initial_delay_seconds: Option<u32>,
    /// Time a check may take; the API's default is 1.
    pub timeout_seconds: Option<u32>,
    /// Time between checks; the API's default is 10.
    pub period_seconds: Option<u32>,
    /// Failures in a row that count; the API's default is 3.
    pub failure_threshold: Option<u32>,
}

/// Where a check goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct ProbeAction {
    /// Port, by number or name.
    pub port: Port,
    /// Path (HTTP).
    pub path: Option<Text>,
    /// `HTTP` or `HTTPS`.
    pub scheme: Option<Text>,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct Exec {
    /// Program and arguments.
    pub command: List<Text>,
}

impl Probe {
    /// The network check, if it is one, with its protocol: `http`, `https`, `tcp` or `grpc`.
    pub fn target(&self) -> Option<(&'static str, &ProbeAction)> {
        if let Some(action) = &self.http_get {
            let https = action.scheme.as_deref().is_some_and(|s| s.eq_ignore_ascii_case("https"));
            return Some((if https { "https" } else { "http" }, action));
        }
        let tcp = self.tcp_socket.as_ref().map(|a| ("tcp", a));
        tcp.or_else(|| self.grpc.as_ref().map(|a| ("grpc", a)))
    }
}

/// What stands before the sign of a hidden value.
const HIDDEN: &str = "(hidden) ";

impl Env {
    /// Whether it says anything a rule can compare: where a value comes from, a peer, a port.
    pub(crate) fn tells(&self) -> bool {
        if let Some(from) = &self.value_from {
            return from.config_map_key_ref.is_some() || from.secret_key_ref.is_some();
        }
        let value = self.value.as_deref().unwrap_or_default();
        let number = !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit());
        let port = ["PORT", "LISTEN", "BIND", "ADDR"].iter().any(|w| self.name.contains(w));
        if self.is_credential() {
            return !value.is_empty();
        }
        if number { port } else { value.contains([':', '.', '/']) || port || self.names_host() }
    }

    /// Whether it names a user, a password or the like.
    pub fn is_credential(&self) -> bool {
        let name = self.name.to_ascii_uppercase();
        self.is_secret() || ["USERNAME", "_USER", "USER_NAME"].iter().any(|w| name.contains(w))
    }

    /// Whether its value is a secret: a literal one is hidden when it is read.
    pub fn is_secret(&self) -> bool {
        let name = self.name.to_ascii_uppercase();
        let word = ["PASSWORD", "PASSWD", "_PASS", "_PWD", "SECRET", "TOKEN"];
        word.iter().any(|w| name.contains(w)) && !self.names_host() && !name.contains("FILE")
    }

    /// What is kept of it: nothing when it tells nothing, and of a secret only a sign, equal
    /// for equal secrets and not to be turned back.
    pub(crate) fn kept(&self) -> Option<Env> {
        let mut kept = self.tells().then(|| self.clone())?;
        let literal = self.value.as_deref().filter(|v| self.is_secret() && !v.starts_with(HIDDEN));
        if let Some(value) = literal {
            let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            let sign = value.bytes().fold(0x811c_9dc5, mix);
            kept.value = Some(format!("{HIDDEN}{sign:08x}").into());
        }
        Some(kept)
    }

    /// Whether its value was a secret.
    pub fn is_hidden(&self) -> bool {
        self.value.as_deref().is_some_and(|v| v.starts_with(HIDDEN))
    }

    fn names_host(&self) -> bool {
        let name = self.name.to_ascii_uppercase();
        ["HOST", "SERVER", "URL", "URI", "ENDPOINT", "SERVICE"].iter().any(|w| name.contains(w))
    }
}

impl Container {
    /// The declared port a reference means. Where names were not printed, the only port there
    /// is has the name.
    pub fn port(&self, port: &Port) -> Option<&ContainerPort> {
        let known = self.ports.iter().find(|p| match port {
            Port::Number(n) => p.container_port == *n,
            Port::Name(name) => !name.is_empty() && p.name == *name,
        });
        let only = || match self.ports.as_ref() {
            [one] if one.name_hidden && matches!(port, Port::Name(_)) => Some(one),
            _ => None,
        };
        known.or_else(only)
    }

    /// Whether its ports may have names that the text did not print.
    pub fn hides_port_names(&self) -> bool {
        self.ports.iter().any(|p| p.name_hidden)
    }
}
