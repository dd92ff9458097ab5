//! Volumes of a pod spec, and where a spec names config maps and secrets.

use serde::Deserialize;

use crate::record::{ConfigRef, ConfigSource, PodSpec};
use crate::{Kind, List, Text};

/// A volume of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume {
    /// Name within the pod.
    pub name: Text,
    /// What it is.
    pub source: VolumeSource,
}

/// What a volume is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeSource {
    /// A claim, by name.
    Claim(Text),
    /// A config map.
    ConfigMap(ConfigRef),
    /// A secret.
    Secret(ConfigRef),
    /// A path of the node.
    HostPath(Text),
    /// Scratch space.
    EmptyDir,
    /// Several config maps and secrets in one folder.
    Projected(List<ConfigSource>),
    /// A driver makes it for this pod alone; the driver's name.
    Csi(Text),
    /// Anything else, by the API's name of the source.
    Other(Text),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VolumeWire {
    pub(super) name: Text,
    persistent_volume_claim: Option<ClaimName>,
    config_map: Option<ConfigRef>,
    secret: Option<ConfigRef>,
    host_path: Option<HostPath>,
    empty_dir: Option<serde::de::IgnoredAny>,
    ephemeral: Option<serde::de::IgnoredAny>,
    nfs: Option<serde::de::IgnoredAny>,
    csi: Option<DriverName>,
    projected: Option<Sources>,
    #[serde(rename = "downwardAPI")]
    downward: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DriverName {
    driver: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Sources {
    sources: List<ConfigSource>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ClaimName {
    claim_name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HostPath {
    path: Text,
}

impl From<VolumeWire> for Volume {
    fn from(w: VolumeWire) -> Self {
        let source = if let Some(claim) = w.persistent_volume_claim {
            VolumeSource::Claim(claim.claim_name)
        } else if let Some(map) = w.config_map {
            VolumeSource::ConfigMap(map)
        } else if let Some(secret) = w.secret {
            VolumeSource::Secret(secret)
        } else if let Some(path) = w.host_path {
            VolumeSource::HostPath(path.path)
        } else if w.empty_dir.is_some() {
            VolumeSource::EmptyDir
        } else if w.ephemeral.is_some() {
            VolumeSource::Other("ephemeral".into())
        } else if w.nfs.is_some() {
            VolumeSource::Other("nfs".into())
        } else if let Some(csi) = w.csi {
            VolumeSource::Csi(csi.driver)
        } else if let Some(projected) = w.projected {
            let named = |s: &ConfigSource| s.config_map_ref.is_some() || s.secret_ref.is_some();
            VolumeSource::Projected(projected.sources.into_iter().filter(named).collect())
        } else if w.downward.is_some() {
            VolumeSource::Projected(List::default())
        } else {
            VolumeSource::Other("other".into())
        };
        Volume { name: w.name, source }
    }
}

/// Where a pod spec names a config map or a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigPlace<'a> {
    /// A variable of a container.
    Variable {
        /// The container.
        container: &'a str,
        /// The variable.
        variable: &'a str,
    },
    /// All variables of a container from one object.
    AllVariables {
        /// The container.
        container: &'a str,
        /// Position in its list.
        index: usize,
    },
    /// A volume.
    Volume {
        /// The volume.
        volume: &'a str,
        /// Position among the sources of a projected volume.
        source: Option<usize>,
    },
}

/// One use of a config map or secret by a pod spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigUse<'a> {
    /// ConfigMap or Secret.
    pub kind: Kind,
    /// What is named.
    pub named: &'a ConfigRef,
    /// Where.
    pub place: ConfigPlace<'a>,
}

impl ConfigSource {
    fn named(&self) -> impl Iterator<Item = (Kind, &ConfigRef)> {
        let map = self.config_map_ref.iter().map(|r| (Kind::ConfigMap, r));
        map.chain(self.secret_ref.iter().map(|r| (Kind::Secret, r)))
    }
}

impl Volume {
    fn config_uses(&self) -> impl Iterator<Item = ConfigUse<'_>> {
        let volume = self.name.as_str();
        let one = match &self.source {
            VolumeSource::ConfigMap(named) => Some((Kind::ConfigMap, named)),
            VolumeSource::Secret(named) => Some((Kind::Secret, named)),
            _ => None,
        };
        let sources: &[ConfigSource] = match &self.source {
            VolumeSource::Projected(sources) => sources,
            _ => &[],
        };
        let several = sources.iter().enumerate();
        let several = several.flat_map(|(i, s)| s.named().map(move |n| (n, Some(i))));
        one.map(|n| (n, None)).into_iter().chain(several).map(move |((kind, named), source)| {
            ConfigUse { kind, named, place: ConfigPlace::Volume { volume, source } }
        })
    }
}

impl PodSpec {
    /// Every use of a config map or secret: volumes first, as they are needed first. Secrets
    /// for pulling images are not among them.
    pub fn config_uses(&self) -> impl Iterator<Item = ConfigUse<'_>> {
        let variables = self.all_containers().flat_map(|c| {
            let container = c.name.as_str();
            let all = c.env_from.iter().enumerate().flat_map(move |(index, source)| {
                let place = ConfigPlace::AllVariables { container, index };
                source.named().map(move |(kind, named)| ConfigUse { kind, named, place })
            });
            let single = c.env.iter().flat_map(move |e| {
                let place = ConfigPlace::Variable { container, variable: &e.name };
                let from = e.value_from.as_deref();
                let map = from.and_then(|f| f.config_map_key_ref.as_ref());
                let secret = from.and_then(|f| f.secret_key_ref.as_ref());
                let map = map.map(|named| ConfigUse { kind: Kind::ConfigMap, named, place });
                let secret = secret.map(|named| ConfigUse { kind: Kind::Secret, named, place });
                map.into_iter().chain(secret)
            });
            all.chain(single)
        });
        self.volumes.iter().flat_map(Volume::config_uses).chain(variables)
    }
}
