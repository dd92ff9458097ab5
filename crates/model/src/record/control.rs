//! Leases, admission webhooks, and what the API says of its own parts.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Condition, Kind, List, Selector, Text, Timestamp};

/// A Lease: somebody says at short intervals that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Lease {
    /// Metadata.
    pub meta: Meta,
    /// Who holds it; empty when it was given up or is not known.
    pub holder: Text,
    /// Last renewal.
    pub renewed: Option<Timestamp>,
    /// How long a renewal holds, in seconds.
    pub duration_seconds: Option<u32>,
}

/// What the API says of an extension of it (APIService) or of a part of the control plane
/// (ComponentStatus).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Metadata.
    pub meta: Meta,
    /// APIService or ComponentStatus.
    pub kind: Kind,
    /// `Available` or `Healthy`.
    pub conditions: List<Condition>,
    /// Namespace and name of the Service that answers for it; `None` when it is built in.
    pub service: Option<(Text, Text)>,
}

/// A configuration of admission webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Metadata.
    pub meta: Meta,
    /// Mutating or validating.
    pub kind: Kind,
    /// Its webhooks.
    pub hooks: List<Webhook>,
}

/// One admission webhook.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Webhook {
    /// Name.
    pub name: Text,
    /// Namespace and name of the Service that answers; `None` when it is a URL.
    pub service: Option<(Text, Text)>,
    /// Port of that Service.
    pub port: u16,
    /// Whether a request is refused when the webhook does not answer.
    pub must_answer: bool,
    /// How long it may take, in seconds.
    pub timeout_seconds: u32,
    /// Namespaces it is asked about; empty means all.
    pub namespaces: Selector,
    /// Labels of the objects it is asked about; empty means all.
    pub objects: Selector,
    /// Resources whose creation it is asked about, e.g. `pods`, `*`, `*/*`.
    pub creates: List<Text>,
    /// Whether conditions in its own language narrow it further.
    pub narrowed: bool,
}

impl Webhook {
    /// Whether it is asked when a pod is made, as far as its rules go.
    pub fn guards_pods(&self) -> bool {
        self.creates.iter().any(|r| matches!(r.as_str(), "pods" | "*" | "*/*" | "pods/*"))
    }
}

impl<'de> Deserialize<'de> for Lease {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: Meta,
            spec: Option<Spec>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Spec {
            holder_identity: Option<Text>,
            renew_time: Option<Timestamp>,
            lease_duration_seconds: Option<u32>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        Ok(Lease {
            meta: wire.metadata,
            holder: spec.holder_identity.unwrap_or_default(),
            renewed: spec.renew_time,
            duration_seconds: spec.lease_duration_seconds,
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ServiceWire {
    namespace: Text,
    name: Text,
    port: Option<u16>,
}

impl Availability {
    /// Decodes one of this kind.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: Meta,
            spec: Option<Spec>,
            status: Option<Status>,
            #[serde(default)]
            conditions: List<Condition>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Spec {
            service: Option<ServiceWire>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Status {
            conditions: List<Condition>,
        }
        let wire = Wire::deserialize(d)?;
        let status = wire.status.unwrap_or_default().conditions;
        Ok(Availability {
            meta: wire.metadata,
            kind,
            conditions: if status.is_empty() { wire.conditions } else { status },
            service: wire.spec.unwrap_or_default().service.map(|s| (s.namespace, s.name)),
        })
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct HookWire {
    name: Text,
    client_config: ClientWire,
    failure_policy: Option<Text>,
    timeout_seconds: Option<u32>,
    namespace_selector: Option<Selector>,
    object_selector: Option<Selector>,
    rules: List<RuleWire>,
    match_conditions: List<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ClientWire {
    service: Option<ServiceWire>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RuleWire {
    operations: List<Text>,
    resources: List<Text>,
}

impl Webhooks {
    /// Decodes a configuration of this kind.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            metadata: Meta,
            #[serde(default)]
            webhooks: List<HookWire>,
        }
        let wire = Wire::deserialize(d)?;
        let hooks = wire.webhooks.into_iter().map(Webhook::from).collect();
        Ok(Webhooks { meta: wire.metadata, kind, hooks })
    }
}

impl From<HookWire> for Webhook {
    fn from(w: HookWire) -> Self {
        let service = w.client_config.service;
        let creates = |r: &RuleWire| r.operations.iter().any(|o| o == "CREATE" || o == "*");
        let rules = w.rules.iter().filter(|r| creates(r));
        Webhook {
            name: w.name,
            port: service.as_ref().and_then(|s| s.port).unwrap_or(443),
            service: service.map(|s| (s.namespace, s.name)),
            // Since v1 a webhook must answer unless it says otherwise.
            must_answer: w.failure_policy.is_none_or(|p| p == "Fail"),
            timeout_seconds: w.timeout_seconds.unwrap_or(10),
            namespaces: w.namespace_selector.unwrap_or_default(),
            objects: w.object_selector.unwrap_or_default(),
            creates: rules.flat_map(|r| r.resources.iter().cloned()).collect(),
            narrowed: !w.match_conditions.is_empty(),
        }
    }
}

macro_rules! record {
    ($name:ident, [$($part:tt)*], |$mine:ident, $known:ident, $other:ident| $take:block) => {
        impl Record for $name {
            const SHOWN_BY: &'static [(Known, &'static [&'static str])] =
                common_parts![$($part)*];

            fn meta(&self) -> &Meta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.meta
            }

            fn take(&mut self, $known: Known, $other: &Self) {
                let $mine = self;
                $take
            }
        }
    };
}

record!(
    Lease,
    [(Known::SPEC, &["/spec/holderIdentity"]), (Known::STATUS, &["/spec/renewTime"])],
    |mine, part, other| {
        match part {
            Known::SPEC => mine.holder.clone_from(&other.holder),
            Known::STATUS => {
                mine.renewed = mine.renewed.max(other.renewed);
                mine.duration_seconds = other.duration_seconds.or(mine.duration_seconds);
            }
            _ => {}
        }
    }
);

record!(
    Availability,
    [(Known::SPEC, &["/spec"]), (Known::CONDITIONS, &["/status/conditions", "/conditions"])],
    |mine, part, other| {
        match part {
            Known::SPEC => mine.service = other.service.clone().or(mine.service.take()),
            Known::CONDITIONS => mine.conditions.clone_from(&other.conditions),
            _ => {}
        }
    }
);

record!(Webhooks, [(Known::SPEC, &["/webhooks"])], |mine, part, other| {
    if part == Known::SPEC {
        mine.hooks.clone_from(&other.hooks);
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_read_with_the_defaults_of_the_api() {
        let text = r#"{"metadata":{"name":"a"},"webhooks":[{"name":"x.y.z",
            "clientConfig":{"service":{"namespace":"n","name":"s"}},
            "rules":[{"operations":["CREATE"],"resources":["pods"]},
                     {"operations":["DELETE"],"resources":["nodes"]}]}]}"#;
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Webhooks::read(Kind::ValidatingWebhookConfiguration, &mut json).unwrap();
        let hook = read.hooks.iter().next().unwrap();
        assert!(hook.must_answer && hook.guards_pods());
        assert_eq!((hook.port, hook.creates.len()), (443, 1));
    }

    #[test]
    fn conditions_of_a_component_stand_at_the_top() {
        let text = r#"{"metadata":{"name":"etcd-0"},
            "conditions":[{"type":"Healthy","status":"False","message":"no answer"}]}"#;
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Availability::read(Kind::ComponentStatus, &mut json).unwrap();
        assert_eq!(read.condition("Healthy").map(Condition::message), Some("no answer"));
    }
}
