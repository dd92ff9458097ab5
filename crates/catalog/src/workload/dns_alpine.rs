//! `dns-alpine`: images whose resolver does badly with the search list of a cluster.

use model::{Act, App, Factor, Gap, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::{dns_slow, edit};

failure! {
    /// # A musl image that asks through the search list
    ///
    /// ## Signs
    /// The image of a container is built on Alpine, and its pods ask the cluster's name server
    /// with the usual `ndots:5`. Lookups fail or are slow now and then, only in these images;
    /// the same program on another base is well.
    ///
    /// ## Why it happens
    /// Alpine uses musl instead of the GNU C library, and its resolver is another one. It asks
    /// all name servers at once and takes the first answer. It sends the questions for IPv4
    /// and IPv6 through one socket at the same moment, which meets the race in the kernel's
    /// table of connections most often, and it does not know the options that avoid this
    /// (`single-request`, `use-vc`). An answer that is neither a name nor "no such name" ends
    /// the walk through the search list. Up to version 1.2.3 of musl (Alpine 3.17) it
    /// could not ask by TCP, so answers with many addresses came cut off.
    ///
    /// `ndots:5` makes it worse: every outside name is first looked up with each of the suffixes
    /// of the search list, twice.
    ///
    /// ## What we do
    /// 1. Set `dnsConfig.options` to `ndots: 2`, or write outside names with a dot at the end.
    /// 2. Move to Alpine 3.18 or newer, or to a slim image with the GNU C library.
    /// 3. Run a cache on each node (NodeLocal DNSCache): its questions go by TCP.
    ///
    /// Do not raise the replicas of the name server for this: it answers in time.
    ///
    /// ## How to avoid it
    /// Choose the base image with the resolver in mind; small is not the same as simple.
    ///
    /// ## Sources
    /// musl documentation, "Functional differences from glibc"; Kubernetes documentation,
    /// "DNS for Services and Pods" and "Using NodeLocal DNSCache".
    id: "dns-alpine",
    mechanisms: {
        "dns-alpine": "the resolver of its image does badly with the search list",
    },
    reads: [Deployment, StatefulSet, DaemonSet],
    leads_to: ["pod-dns-slow", "workload-dependency-failing"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// The container whose image is built on musl, where its pods walk through the search list.
fn affected(app: &App) -> Option<(&str, &str)> {
    let spec = app.spec().filter(|spec| dns_slow::walks_search_list(app, spec))?;
    let musl = spec.containers.iter().find(|c| c.image.to_ascii_lowercase().contains("alpine"))?;
    Some((&musl.name, &musl.image))
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, _: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_shown(app) {
        return;
    }
    let Some((container, image)) = affected(app) else { return };
    let field = edit::container_field(app, container, "image");
    let why = format!("the resolver of {image} does badly with ndots:5 and the search list");
    gaps.push(audit::gap(KIND.id, app, field, why));
}

/// That the resolver of a workload's image makes slow lookups worse.
pub(crate) fn factor(app: &App) -> Option<Factor> {
    let (_, image) = affected(app)?;
    let why = format!("{image} has musl's resolver, which asks for everything at once");
    Some(audit::factor(KIND.id, app, why))
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    dns_slow::ask_directly(&gap.object)
}

fn rehearse() -> Option<Scenario> {
    let act = "a node loses one of two questions that shop/drill-otter sends at the same moment";
    Some(Scenario {
        story: "A workload with a musl image waits five seconds for a name now and then.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "drill-otter",
                    replicas: 2,
                    container: "image: 'registry.example/otter:1.0-alpine3.16'"
                )),
            ),
            (60, Act::Unmodelled(act)),
        ],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};
    use model::{Gap, Kind, ObjectRef};

    fn yaml(kind: &str, image: &str, more: &str) -> String {
        format!(
            "kind: {kind}\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{affinity: {{}}, \
             containers: [{{name: main, image: '{image}', resources: {{}}}}]{more}}}}}}}\n"
        )
    }

    const FIELD: &str = "spec.template.spec.containers[main].image";

    #[test]
    fn musl_and_the_search_list_together_are_a_gap() {
        let tagged = yaml("Deployment", "buoy:1.2-alpine", "");
        check_gaps(&KIND, &tagged, &[&format!("deploy/buoy {FIELD}")]);
        let named = yaml("StatefulSet", "registry.example/base/alpine:3.19", "");
        check_gaps(&KIND, &named, &[&format!("sts/buoy {FIELD}")]);
        let high = ", dnsConfig: {options: [{name: ndots, value: '5'}]}";
        check_gaps(&KIND, &yaml("DaemonSet", "x:alpine", high), &[&format!("ds/buoy {FIELD}")]);
        assert!(factor(&snapshot(&tagged).apps[0]).is_some());
    }

    #[test]
    fn either_alone_is_none() {
        check_gaps(&KIND, &yaml("Deployment", "buoy:1.2-slim", ""), &[]);
        let low = ", dnsConfig: {options: [{name: ndots, value: '2'}]}";
        check_gaps(&KIND, &yaml("Deployment", "buoy:alpine", low), &[]);
        for policy in [", dnsPolicy: Default", ", dnsPolicy: None", ", hostNetwork: true"] {
            check_gaps(&KIND, &yaml("Deployment", "buoy:alpine", policy), &[]);
        }
        let system = yaml("Deployment", "buoy:alpine", "").replace("dock", "kube-system");
        check_gaps(&KIND, &system, &[]);
    }

    #[test]
    fn the_patch_lowers_ndots() {
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: FIELD.into(), why: String::new() };
        let patch = (KIND.prevent)(&gap, &snapshot(&yaml("Deployment", "x:alpine", "")));
        assert!(patch.is_some_and(|p| p.body.contains("name: ndots")));
    }
}
