//! What kubelets say of how they set up the name resolution of pods: too many name servers on
//! the node, or none of the cluster's.

use std::collections::BTreeMap;

use model::record::ClusterEvent;
use model::{Finding, Kind, ObjectRef, Snapshot, State};

use crate::evidence;
use crate::wording::{self, says};

/// How long ago a kubelet may have said it, in seconds: it repeats itself with every pod.
const RECENT_SECONDS: i64 = 86_400;

/// What is wrong with the settings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// The kubelet does not know the cluster's name server.
    NoServer,
    /// The node lists more name servers or domains than a resolver takes.
    TooMany,
}

/// One finding for each node and trouble.
pub(super) fn findings(id: &'static str, now: &Snapshot) -> Vec<Finding> {
    let mut groups: BTreeMap<(Wrong, String), Vec<&ClusterEvent>> = BTreeMap::new();
    let told = |e: &ClusterEvent| {
        e.about.is_some() && matches!(e.reason.as_str(), "MissingClusterDNS" | "DNSConfigForming")
    };
    for event in now.events_where(told) {
        let wrong = match event.reason.as_str() {
            "MissingClusterDNS" => Wrong::NoServer,
            // A domain too many of the search list does no harm.
            "DNSConfigForming" if says(&event.message, wording::SERVERS_OMITTED) => Wrong::TooMany,
            _ => continue,
        };
        if evidence::is_recent(event, now, RECENT_SECONDS) {
            groups.entry((wrong, node_of(event, now))).or_default().push(event);
        }
    }
    groups.iter().map(|((wrong, node), events)| finding(id, *wrong, node, events, now)).collect()
}

/// The node an event speaks of, through its pod; empty when that is not known.
fn node_of(event: &ClusterEvent, now: &Snapshot) -> String {
    let Some(about) = &event.about else { return String::new() };
    if about.kind == Kind::Node {
        return about.name.to_string();
    }
    let apps = now.apps_in(&about.namespace).iter();
    let mut pods = apps.flat_map(|a| a.pods.iter());
    let pod = pods.find(|p| about.kind == Kind::Pod && p.meta.name == about.name);
    pod.map_or(String::new(), |p| p.node.to_string())
}

fn finding(
    id: &'static str,
    wrong: Wrong,
    node: &str,
    events: &[&ClusterEvent],
    now: &Snapshot,
) -> Finding {
    let (object, who) = match node {
        "" => (ObjectRef::component("kubelet"), "a node".to_owned()),
        node => (ObjectRef::new(Kind::Node, "", node), format!("node {node}")),
    };
    let (headline, field, value, expected) = match wrong {
        Wrong::NoServer => (
            format!("the kubelet of {who} knows no name server of the cluster"),
            "clusterDNS",
            "not set",
            "the address of the Service kube-dns",
        ),
        Wrong::TooMany => (
            format!("{who} lists more than three name servers: its pods do not get all of them"),
            "/etc/resolv.conf",
            "more than 3 name servers",
            "3 at most, those that know all names first",
        ),
    };
    let first = events.iter().filter_map(|e| evidence::first_time(e, now)).min();
    let facts = events.iter().rev().take(3).filter_map(|e| evidence::event(e, now));
    let finding = Finding::new(id, "name-resolution", object, headline)
        .field(field, value, expected)
        .since(first)
        .evidence(facts);
    match wrong {
        Wrong::TooMany => finding.state(State::Suspected),
        Wrong::NoServer => {
            let mut pods: Vec<&ObjectRef> =
                events.iter().filter_map(|e| e.about.as_ref()).collect();
            pods.sort();
            pods.dedup();
            pods.into_iter().take(20).fold(finding, |finding, pod| {
                finding.affects(pod.clone(), "resolves no names of Services")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::node::network_degraded::KIND;
    use crate::testing::check;

    fn told(reason: &str, message: &str) -> String {
        format!(
            "kind: Event\nmetadata: {{name: e, namespace: shop}}\ninvolvedObject: {{kind: Pod, \
             namespace: shop, name: web}}\ntype: Warning\nreason: {reason}\n\
             message: '{message}'\nlastTimestamp: 2026-03-01T10:00:00Z\n"
        )
    }

    #[test]
    fn kubelets_say_what_is_wrong_with_their_settings() {
        let many = "Nameserver limits were exceeded, some nameservers have been omitted, the \
            applied nameserver line is: 10.0.0.1 10.0.0.2 10.0.0.3";
        let want = "name-resolution component/kubelet Proven Suspected";
        check(&KIND, &told("DNSConfigForming", many), &[want]);
        let none = "pod: \"web_shop(1)\". kubelet does not have ClusterDNS IP configured and \
            cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy.";
        let pod = "---\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {nodeName: n1}\n";
        let want = "name-resolution node/n1 Proven Active";
        check(&KIND, &(told("MissingClusterDNS", none) + pod), &[want]);
    }

    #[test]
    fn a_long_search_list_and_other_words_are_quiet() {
        let long = "Search Line limits were exceeded, some search paths have been omitted";
        check(&KIND, &told("DNSConfigForming", long), &[]);
        check(&KIND, &told("Scheduled", "Nameserver limits were exceeded"), &[]);
    }
}
