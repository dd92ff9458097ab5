//! `pod-dns-slow`: programs wait seconds for names, though the name server answers.

use model::record::{Known, PodSpec};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy,
    Scenario, Snapshot, Step,
};

use super::edit;
use crate::control_plane::name_server;
use crate::workload::dns_alpine;

mod callers;
mod server;

use callers::Caller;
use server::Reason;

failure! {
    /// # Looking up names takes seconds
    ///
    /// ## Signs
    /// Programs log lookups of five or ten seconds, `time_namelookup` of curl is near 5, calls
    /// are fast but for a few that take exactly five seconds longer. The name server runs, and
    /// most lookups are fast.
    ///
    /// ## Why it happens
    /// Five seconds are what a resolver waits before it asks again, so one question or its
    /// answer was lost. There are four usual reasons.
    ///
    /// The search list: pods have `ndots:5`, so a name with fewer than five dots is first looked
    /// up with each suffix of the list, for IPv4 and IPv6: eight or ten questions for one
    /// outside name, most of them answered with "no such name" (NXDOMAIN).
    ///
    /// The kernel's table of connections: both questions leave one socket at the same moment,
    /// and when their entries collide one packet is dropped. `insert_failed` counts these.
    ///
    /// The servers behind: for outside names CoreDNS asks others and waits for them; its log
    /// says `i/o timeout`.
    ///
    /// The name server itself: its limit of cpu holds it back, or two replicas serve too many
    /// nodes. Images with musl (Alpine) meet all of this first.
    ///
    /// ## What we do
    /// 1. See how the time is distributed: exactly five seconds mean a lost packet, anything
    ///    else means somebody who is slow.
    /// 2. Read the name server's log and what it uses of its limit.
    /// 3. `conntrack -S` on the nodes of the callers.
    /// 4. Set `ndots: 2` for those who call outside names, or write such names with a dot at
    ///    the end. Run NodeLocal DNSCache: it asks by TCP, without that race.
    ///
    /// Do not restart the name server: its cache is empty then, and everybody asks at once.
    ///
    /// ## How to avoid it
    /// NodeLocal DNSCache from the start; scale CoreDNS with the number of nodes; no limit of
    /// cpu for it; programs that keep connections instead of looking up a name for each call.
    ///
    /// ## Sources
    /// Kubernetes documentation, "DNS for Services and Pods", "Using NodeLocal DNSCache" and
    /// "Autoscale the DNS Service"; kubernetes/kubernetes issue 56903.
    id: "pod-dns-slow",
    mechanisms: {
        "search-list": "each outside name is first looked up with every suffix of the search list",
        "packets-lost": "questions or answers get lost and are asked again after five seconds",
        "upstream-slow": "the name server waits for the servers that it asks itself",
        "server-starved": "the name server has less processor time than it needs",
    },
    reads: [Pod, Deployment, StatefulSet, DaemonSet, ConfigMap, Node],
    leads_to: [
        "pod-probe-failing",
        "service-unreachable-by-client",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// What a name needs, as pods are set up by default, to be asked for as it is.
const NDOTS: u8 = 5;
/// What makes outside names be asked for as they are.
const FEW_DOTS: u8 = 2;
/// Callers whose lines are shown as evidence.
const SHOWN: usize = 4;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let servers = name_server::apps(now);
    let callers = callers::of(&servers, now);
    if callers.is_empty() {
        return;
    }
    let shown: Vec<&&App> = servers.iter().filter(|a| !a.pods.is_empty()).collect();
    if !shown.is_empty() && shown.iter().all(|a| a.ready() == 0) {
        let object = ObjectRef::component("coredns");
        return findings.rule_out(KIND.id, object, "the name server is down, not slow");
    }
    if let Some(reason) = server::reason(&servers, now) {
        return findings.push(of_reason(reason, &callers));
    }
    // Who got no answer at all may have lost it on a way that others judge.
    let late: Vec<&Caller<'_>> = callers.iter().filter(|c| c.milliseconds.is_some()).collect();
    let storm = server::storm(&servers, now);
    let (list, others): (Vec<&Caller<'_>>, Vec<&Caller<'_>>) =
        late.into_iter().partition(|c| walks_with(c, now));
    for caller in list {
        findings.push(of_search_list(caller, storm.as_ref()));
    }
    if let Some(found) = unexplained(&others, &servers) {
        findings.push(found);
    }
}

/// Whether a caller asked for an outside name through the search list.
fn walks_with(caller: &Caller<'_>, now: &Snapshot) -> bool {
    let outside = caller.name.is_some_and(|name| is_outside(name, now));
    let spec = caller.app.spec().filter(|spec| walks_search_list(caller.app, spec));
    outside && spec.is_some()
}

/// Whether a name is none of the cluster's, and has too few dots to be asked for as it is.
fn is_outside(name: &str, now: &Snapshot) -> bool {
    let dots = name.matches('.').count();
    !super::peer::is_address(name)
        && (1..usize::from(NDOTS)).contains(&dots)
        && !super::peer::is_in_cluster(name, now)
        && !name.ends_with(".cluster.local")
}

/// Whether the pods of a workload try the suffixes of the cluster's search list before they
/// ask for an outside name; not where that part of their template was not shown.
pub(crate) fn walks_search_list(app: &App, spec: &PodSpec) -> bool {
    let shown = app.workload.as_ref().is_some_and(|w| w.meta.known.has(Known::PLACEMENT))
        || app.pods.iter().any(|p| p.meta.known.has(Known::PLACEMENT));
    let cluster = match spec.dns_policy.as_str() {
        "" | "ClusterFirst" => !spec.host_network,
        policy => policy == "ClusterFirstWithHostNet",
    };
    shown && cluster && spec.ndots.is_none_or(|n| n >= NDOTS)
}

/// What the name server, or the table of connections, told of itself.
fn of_reason(reason: Reason, callers: &[Caller<'_>]) -> Finding {
    let Reason { mechanism, object, headline, field, evidence, certainty } = reason;
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(callers.iter().filter_map(|c| c.since).min())
        .evidence(evidence);
    if let Some((field, value, expected)) = field {
        finding = finding.field(field, value, expected);
    }
    let others: &[&str] = match mechanism {
        "upstream-slow" => &["packets-lost"],
        "server-starved" => &["upstream-slow", "packets-lost"],
        _ => &["upstream-slow"],
    };
    let timed = callers.iter().any(|c| c.milliseconds.is_some());
    let certainty = if timed { certainty } else { certainty.min(Certainty::Likely) };
    if certainty < Certainty::Proven {
        finding = finding.unsure(certainty, others, LOOK);
    }
    suffered(finding, callers.iter())
}

fn of_search_list(caller: &Caller<'_>, storm: Option<&Evidence>) -> Finding {
    let app = caller.app;
    let name = caller.name.unwrap_or_default();
    let headline = format!(
        "{} waits {} for {name}: with ndots:5 it is first looked up with every suffix of the \
         search list",
        app.object,
        caller.time()
    );
    let spec = app.spec().and_then(|s| s.ndots);
    let value = spec.map_or("not set, which means ndots:5".into(), |n| format!("ndots:{n}"));
    let sure = if storm.is_some() { Certainty::Likely } else { Certainty::Possible };
    let finding = Finding::new(KIND.id, "search-list", app.object.clone(), headline)
        .field(edit::spec_field(app, "dnsConfig.options"), value, format!("ndots:{FEW_DOTS}"))
        .since(caller.since)
        .evidence(storm.cloned())
        .unsure(sure, &["packets-lost", "upstream-slow", "server-starved"], LOOK);
    suffered(finding, std::iter::once(caller))
}

/// Lookups are slow, and nothing was shown that says why.
fn unexplained(callers: &[&Caller<'_>], servers: &[&App]) -> Option<Finding> {
    let first = callers.first()?;
    let lost = callers.iter().all(|c| c.is_of_lost_packets());
    let (mechanism, others): (_, &[&'static str]) = if lost {
        ("packets-lost", &["upstream-slow", "server-starved"])
    } else {
        ("server-starved", &["upstream-slow", "packets-lost"])
    };
    let object = servers.first().map(|a| a.object.clone());
    let object = object.unwrap_or_else(|| ObjectRef::component("coredns"));
    let who = match callers.len() {
        1 => format!("{} waits", first.app.object),
        n => format!("{n} workloads wait"),
    };
    let longest = callers.iter().max_by_key(|c| c.milliseconds)?;
    let headline = format!("{who} {} for names, though they are found", longest.time());
    let finding = Finding::new(KIND.id, mechanism, object, headline)
        .since(callers.iter().filter_map(|c| c.since).min())
        .unsure(Certainty::Possible, others, LOOK);
    Some(suffered(finding, callers.iter().copied()))
}

/// Adds who waits, with a line of each.
fn suffered<'c>(
    mut finding: Finding,
    callers: impl Iterator<Item = &'c Caller<'c>> + Clone,
) -> Finding {
    finding.evidence.extend(callers.clone().take(SHOWN).map(|c| c.evidence.clone()));
    finding.factors.extend(callers.clone().filter_map(|c| dns_alpine::factor(c.app)).take(SHOWN));
    callers.fold(finding, |finding, c| finding.affects(c.app.object.clone(), c.how()))
}

/// The command that tells the reasons apart.
const LOOK: &str = "kubectl logs -n kube-system -l k8s-app=kube-dns --tail=200; kubectl top pods \
                    -n kube-system -l k8s-app=kube-dns; conntrack -S";

/// Who calls outside names through the search list.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| !a.object.namespace.starts_with("kube-")) {
        let Some(workload) = &app.workload else { continue };
        let spec = app.spec().filter(|_| workload.meta.shows(Known::PLACEMENT));
        if !spec.is_some_and(|spec| walks_search_list(app, spec)) {
            continue;
        }
        let peers = now.peers_of(app);
        let Some(peer) = peers.iter().find(|p| is_outside(p.host, now)) else { continue };
        gaps.push(Gap {
            failure: KIND.id,
            object: app.object.clone(),
            field: edit::spec_field(app, "dnsConfig.options"),
            why: format!("with ndots:5 each lookup of {} is eight or more questions", peer.host),
        });
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    ask_directly(&gap.object)
}

/// A patch that lets outside names be asked for as they are.
pub(crate) fn ask_directly(object: &ObjectRef) -> Option<Patch> {
    let templated = matches!(object.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
    let option = format!("{{name: ndots, value: '{FEW_DOTS}'}}");
    let body =
        format!("spec:\n  template:\n    spec:\n      dnsConfig:\n        options: [{option}]\n");
    templated.then(|| Patch { object: object.clone(), body })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let mut next = vec![Step::look("See what the name server and the nodes say", LOOK)];
    next.push(match finding.mechanism {
        "search-list" => {
            let body = format!(
                "{{\"spec\":{{\"template\":{{\"spec\":{{\"dnsConfig\":{{\"options\":[{{\"name\":\
                 \"ndots\",\"value\":\"{FEW_DOTS}\"}}]}}}}}}}}}}"
            );
            Step::change(
                "Ask for outside names as they are",
                format!("kubectl patch {object} -p '{body}'"),
                format!("kubectl rollout undo {object}"),
            )
        }
        "server-starved" if finding.object.kind == Kind::Deployment => Step::change(
            "Give the name server more replicas",
            format!("kubectl scale {object} --replicas=4"),
            format!("kubectl scale {object} --replicas=2"),
        ),
        "upstream-slow" => Step::look(
            "See which servers it asks, and try them from a node",
            "kubectl get configmap coredns -n kube-system -o yaml | grep -A2 forward",
        ),
        _ => {
            Step::advice("Run NodeLocal DNSCache: pods then ask their own node, and it asks by TCP")
        }
    });
    Remedy {
        next,
        do_not: vec![
            "Do not restart the name server: with an empty cache everybody asks at once".into(),
        ],
    }
}

fn rehearse() -> Option<Scenario> {
    let act = "one of a hundred questions that pods on worker-2 ask is lost, and their resolvers \
               ask again after 5 s";
    Some(Scenario {
        story: "Lookups of names take five seconds now and then.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests;
