//! Network policies: which traffic to and from pods is let through.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Port, Record};
use crate::{Labels, List, Selector, Text};

/// A NetworkPolicy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NetworkPolicy {
    /// Metadata.
    pub meta: Meta,
    /// Pods it is about; empty means all of the namespace.
    pub pods: Selector,
    /// Traffic to them that is let in; `None` when it says nothing about it.
    pub ingress: Option<List<PolicyRule>>,
    /// Traffic from them that is let out; `None` when it says nothing about it.
    pub egress: Option<List<PolicyRule>>,
}

/// One kind of traffic that is let through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct PolicyRule {
    /// Peers; empty means everybody.
    #[serde(alias = "from", alias = "to")]
    pub peers: List<PolicyPeer>,
    /// Ports of the receiving pod; empty means all.
    pub ports: List<PolicyPort>,
}

/// A peer that is let through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PolicyPeer {
    /// Pods, by label.
    pub pod_selector: Option<Selector>,
    /// Namespaces, by label; `None` means the policy's own.
    pub namespace_selector: Option<Selector>,
    /// A range of addresses.
    pub ip_block: Option<AddressBlock>,
}

/// A range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct AddressBlock {
    /// The range.
    pub cidr: Text,
    /// Ranges inside of it that are not meant.
    pub except: List<Text>,
}

/// Ranges that are not routed in the internet: addresses of pods are of one of them.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

impl AddressBlock {
    /// Whether addresses of pods may be in it. Which address a pod has is not known here; a
    /// range of the internet, or all but the private ranges, holds none of them.
    pub fn may_hold_pods(&self) -> bool {
        let address = self.cidr.split('/').next().unwrap_or_default();
        let shared = |a: std::net::Ipv4Addr| matches!(a.octets(), [100, 64..=127, ..]);
        let private = match address.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(a)) => {
                a.is_private() || a.is_unspecified() || a.is_link_local() || shared(a)
            }
            _ => true,
        };
        private && !PRIVATE.iter().all(|p| self.except.iter().any(|e| e == p))
    }
}

/// A port that is let through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PolicyPort {
    /// Port of the pod, by number or name; `None` means all of the protocol.
    pub port: Option<Port>,
    /// Last port of a range.
    pub end_port: Option<u16>,
    /// Protocol; empty means TCP.
    pub protocol: Text,
}

impl PolicyPeer {
    /// Whether pods with these labels, in a namespace with these labels, are meant. A range of
    /// addresses that may hold pods counts as everybody.
    pub fn admits(&self, pod: &Labels, same_namespace: bool, namespace: &Labels) -> bool {
        if let Some(block) = &self.ip_block {
            return block.may_hold_pods();
        }
        let place = match &self.namespace_selector {
            Some(selector) => selector.matches(namespace),
            None => same_namespace,
        };
        place && self.pod_selector.as_ref().is_none_or(|s| s.matches(pod))
    }
}

impl PolicyPort {
    /// Whether this port, of this number and name, is meant.
    pub fn admits(&self, number: u16, name: &str, protocol: &str) -> bool {
        let tcp = |p: &str| p.is_empty() || p.eq_ignore_ascii_case("TCP");
        let same =
            self.protocol.eq_ignore_ascii_case(protocol) || (tcp(&self.protocol) && tcp(protocol));
        same && match (&self.port, self.end_port) {
            (None, _) => true,
            (Some(Port::Number(first)), Some(last)) => (*first..=last).contains(&number),
            (Some(Port::Number(only)), None) => *only == number,
            (Some(Port::Name(wanted)), _) => wanted == name,
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    metadata: Meta,
    spec: Option<Spec>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    pod_selector: Selector,
    ingress: Option<List<PolicyRule>>,
    egress: Option<List<PolicyRule>>,
    policy_types: List<Text>,
}

impl<'de> Deserialize<'de> for NetworkPolicy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let named = |t: &str| spec.policy_types.iter().any(|p| p == t);
        // Without types a policy is about ingress, and about egress when it has such rules.
        let none = spec.policy_types.is_empty();
        let ingress = (none || named("Ingress")).then(|| spec.ingress.clone().unwrap_or_default());
        let about_egress = named("Egress") || (none && spec.egress.is_some());
        let egress = about_egress.then(|| spec.egress.clone().unwrap_or_default());
        Ok(NetworkPolicy { meta: wire.metadata, pods: spec.pod_selector, ingress, egress })
    }
}

impl Record for NetworkPolicy {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SELECTOR, &["/spec/podSelector"]),
        (Known::SPEC, &["/spec/policyTypes", "/spec/ingress", "/spec/egress"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SELECTOR => self.pods.clone_from(&other.pods),
            Known::SPEC => {
                self.ingress.clone_from(&other.ingress);
                self.egress.clone_from(&other.egress);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_what_a_policy_is_about() {
        for (spec, ingress, egress) in [
            (r#"{"podSelector":{}}"#, true, false),
            (r#"{"podSelector":{},"policyTypes":["Egress"]}"#, false, true),
            (r#"{"podSelector":{},"egress":[{}]}"#, true, true),
            (r#"{"podSelector":{},"policyTypes":["Ingress"],"egress":[{}]}"#, true, false),
        ] {
            let text = format!(r#"{{"metadata":{{"name":"a"}},"spec":{spec}}}"#);
            let policy: NetworkPolicy = serde_json::from_str(&text).unwrap();
            assert_eq!(policy.ingress.is_some(), ingress, "{spec}");
            assert_eq!(policy.egress.is_some(), egress, "{spec}");
        }
    }

    #[test]
    fn peers_and_ports_are_matched_as_the_api_matches() {
        let peer: PolicyPeer =
            serde_json::from_str(r#"{"podSelector":{"matchLabels":{"app":"web"}}}"#).unwrap();
        let web: Labels = [("app", "web")].into_iter().collect();
        assert!(peer.admits(&web, true, &Labels::default()));
        assert!(!peer.admits(&web, false, &Labels::default()));
        assert!(!peer.admits(&Labels::default(), true, &Labels::default()));
        for (block, want) in [
            (r#"{"cidr":"10.0.0.0/8"}"#, true),
            (r#"{"cidr":"0.0.0.0/0","except":["169.254.169.254/32"]}"#, true),
            (r#"{"cidr":"203.0.113.0/24"}"#, false),
            (
                r#"{"cidr":"0.0.0.0/0",
                    "except":["10.0.0.0/8","172.16.0.0/12","192.168.0.0/16"]}"#,
                false,
            ),
        ] {
            let peer: PolicyPeer =
                serde_json::from_str(&format!(r#"{{"ipBlock":{block}}}"#)).unwrap();
            assert_eq!(peer.admits(&web, false, &Labels::default()), want, "{block}");
        }
        let port: PolicyPort = serde_json::from_str(r#"{"port":8000,"endPort":8010}"#).unwrap();
        assert!(port.admits(8005, "", "TCP") && port.admits(8005, "", ""));
        assert!(!port.admits(8011, "", "TCP") && !port.admits(8005, "", "UDP"));
    }
}
