//! Namespaces' rules and objects of which mostly the name matters.

use serde::Deserialize;

use super::config_value::ReadValue;
use super::meta::common_parts;
use super::rules::GroupWire;
use super::{ConfigValue, Known, Meta, Record, Rules};
use crate::{Condition, Kind, List, Resources, Text};

/// A ResourceQuota.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Quota {
    /// Metadata.
    pub meta: Meta,
    /// Allowed.
    pub hard: Resources,
    /// Used.
    pub used: Resources,
}

/// A LimitRange.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LimitRange {
    /// Metadata.
    pub meta: Meta,
    /// Rules.
    pub items: List<LimitItem>,
}

/// One rule of a LimitRange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LimitItem {
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Most allowed.
    pub max: Resources,
    /// Least allowed.
    pub min: Resources,
    /// Limits given to containers without.
    pub default: Resources,
    /// Requests given to containers without.
    pub default_request: Resources,
}

/// An object of which the name, and sometimes its keys, matter: ConfigMap, Secret (never its
/// data), ServiceAccount, Namespace, PriorityClass, RuntimeClass, IngressClass and others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Metadata.
    pub meta: Meta,
    /// Kind.
    pub kind: Kind,
    /// Names of the keys of its data, or of a service account's pull secrets.
    pub keys: List<Text>,
    /// What the keys hold, in their order, as far as two captures need it to be compared.
    pub values: List<ConfigValue>,
    /// `Active` or `Terminating` (Namespace); the type of a Secret; the controller of an
    /// IngressClass.
    pub state: Text,
    /// Settings of the cluster's name server (`Corefile`) or of its kubelets (`kubelet`): of other
    /// values of config maps only rules are read.
    pub settings: Option<Box<str>>,
    /// Rules by which somebody is told: those of a PrometheusRule, or of files in a ConfigMap.
    pub rules: Option<Box<Rules>>,
    /// Whether its data can never be changed.
    pub immutable: bool,
    /// Why a namespace that is being deleted is still there.
    pub conditions: List<Condition>,
}

#[derive(Deserialize)]
struct QuotaWire {
    metadata: Meta,
    spec: Option<HardWire>,
    status: Option<HardWire>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HardWire {
    hard: Resources,
    used: Resources,
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = QuotaWire::deserialize(deserializer)?;
        let status = wire.status.unwrap_or_default();
        let spec = wire.spec.unwrap_or_default();
        let hard = if spec.hard.is_empty() { status.hard } else { spec.hard };
        Ok(Quota { meta: wire.metadata, hard, used: status.used })
    }
}

impl<'de> Deserialize<'de> for LimitRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: Meta,
            spec: Option<Items>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Items {
            limits: List<LimitItem>,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(LimitRange { meta: wire.metadata, items: wire.spec.unwrap_or_default().limits })
    }
}

impl Named {
    /// Decodes an object of this kind. Of values only what tells that they changed is kept; of
    /// those of a Secret a digest.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Wire {
            metadata: Meta,
            data: Keys,
            string_data: Keys,
            binary_data: Keys,
            // Only the names, as text forms print them.
            data_keys: List<Text>,
            immutable: Option<bool>,
            image_pull_secrets: List<NameWire>,
            status: Option<Status>,
            spec: Option<Spec>,
            #[serde(rename = "type")]
            kind: Option<Text>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Spec {
            controller: Text,
            groups: List<GroupWire>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct NameWire {
            name: Text,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Status {
            phase: Text,
            conditions: List<Condition>,
        }
        let wire = Wire::deserialize(d)?;
        let mut rules = if kind == Kind::ConfigMap { wire.data.rules } else { Rules::default() };
        let settings = wire.data.settings;
        let secrets = wire.image_pull_secrets.into_iter().map(|s| s.name);
        let data = wire.data.keys.into_iter().chain(wire.string_data.keys);
        let data = data.chain(wire.binary_data.keys);
        let (keys, values): (Vec<Text>, Vec<ConfigValue>) =
            data.map(|(key, value)| (key, value.of_kind(kind))).unzip();
        let keys = keys.into_iter().chain(wire.data_keys);
        let mut meta = wire.metadata;
        if kind != Kind::Namespace {
            // Nobody compares the labels of a config map, and there are very many.
            meta.labels = Default::default();
        }
        let status = wire.status.unwrap_or_default();
        let is_namespace = kind == Kind::Namespace;
        let conditions = if is_namespace { status.conditions } else { List::default() };
        let told = wire.kind.or(Some(status.phase)).filter(|s| !s.is_empty());
        let spec = wire.spec.unwrap_or_default();
        let state = told.unwrap_or(spec.controller);
        if kind == Kind::PrometheusRule {
            rules.alerts = spec.groups.into_iter().flat_map(GroupWire::alerts).collect();
        }
        let rules = (!rules.is_empty()).then(|| Box::new(rules));
        let keys = keys.chain(secrets).collect();
        let immutable = wire.immutable.unwrap_or(false);
        let values = values.into();
        Ok(Named { meta, kind, keys, values, state, settings, rules, immutable, conditions })
    }
}

/// Longest settings that are kept, in bytes: real ones have one or two thousand.
const SETTINGS_BYTES: usize = 32 * 1024;

/// Whether the value of a key is kept. A `kubelet` may be anything unless it says what it is.
fn is_kept(key: &str, text: &str) -> bool {
    let kubelet = key == "kubelet" && text.contains("KubeletConfiguration");
    (key == "Corefile" || kubelet) && text.len() <= SETTINGS_BYTES
}

/// The keys of a map with what tells that their values changed, settings, and rules.
#[derive(Default)]
struct Keys {
    keys: Vec<(Text, ConfigValue)>,
    settings: Option<Box<str>>,
    rules: Rules,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Keys;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }
            fn visit_unit<E>(self) -> Result<Keys, E> {
                Ok(Keys::default())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut read = Keys::default();
                while let Some(key) = map.next_key::<Text>()? {
                    let value = if key == "Corefile" || key == "kubelet" {
                        let text = map.next_value::<Option<String>>()?.unwrap_or_default();
                        let value = ConfigValue::of(&text);
                        if is_kept(&key, &text) {
                            read.settings = Some(text.into());
                        }
                        value
                    } else {
                        let ReadValue { value, rules } = map.next_value()?;
                        read.rules.extend(rules);
                        value
                    };
                    read.keys.push((key, value));
                }
                Ok(read)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Record for Quota {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/hard", "/status/hard"]),
        (Known::STATUS, &["/status/used"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => self.hard.clone_from(&other.hard),
            Known::STATUS => self.used.clone_from(&other.used),
            _ => {}
        }
    }
}

impl Record for LimitRange {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
        common_parts![(Known::SPEC, &["/spec/limits"]),];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        if part == Known::SPEC {
            self.items.clone_from(&other.items);
        }
    }
}

impl Record for Named {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/data", "/dataKeys", "/imagePullSecrets", "/spec/groups"]),
        (Known::STATUS, &["/status/phase", "/type", "/spec/controller"]),
        (Known::CONDITIONS, &["/status/conditions"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => {
                self.keys.clone_from(&other.keys);
                self.settings = other.settings.clone().or(self.settings.take());
                self.rules.clone_from(&other.rules);
                self.immutable |= other.immutable;
                self.values.clone_from(&other.values);
            }
            Known::STATUS => self.state.clone_from(&other.state),
            Known::CONDITIONS => self.conditions.clone_from(&other.conditions),
            _ => {}
        }
    }
}
