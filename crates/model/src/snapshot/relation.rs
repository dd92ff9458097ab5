//! How objects depend on each other. One graph for all: a failure kind asks it, the engine
//! follows it from cause to effect.

use super::reads::{Part, note};
use super::{App, Snapshot};
use crate::record::{Budget, Container, Known, Pod, PodSpec, Port, Scaler, VolumeSource};
use crate::{Kind, Labels, ObjectRef};

/// Why trouble with one object becomes trouble with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Pods of the workload are on the node.
    RunsOn,
    /// The Service selects the workload's pods.
    Selector,
    /// Pods mount the claim.
    Mounts,
    /// The claim uses the volume or class.
    Storage,
    /// The workload calls the Service (an address in its settings).
    Calls,
    /// Both are in the namespace.
    Namespace,
    /// The workload names the config map, secret or account.
    Reference,
    /// The Ingress leads to the Service.
    Route,
    /// The workload burdens the node it is on.
    Burdens,
    /// The Service answers for the webhook.
    Answers,
    /// The component serves the whole cluster.
    Serves,
    /// The autoscaler sets the replicas of the workload.
    Scales,
    /// The budget protects the workload's pods.
    Protects,
}

impl Relation {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Relation::RunsOn => "runs on",
            Relation::Selector => "selector",
            Relation::Mounts => "mounts",
            Relation::Storage => "storage",
            Relation::Calls => "calls",
            Relation::Namespace => "namespace",
            Relation::Reference => "reference",
            Relation::Route => "route",
            Relation::Burdens => "burdens",
            Relation::Answers => "answers",
            Relation::Serves => "serves",
            Relation::Scales => "scales",
            Relation::Protects => "protects",
        }
    }
}

impl Snapshot {
    /// Objects that suffer directly when `object` does, with the reason.
    pub fn dependants(&self, object: &ObjectRef) -> Vec<(Relation, ObjectRef)> {
        let mut found: Vec<(Relation, ObjectRef)> = Vec::new();
        let mut add = |relation, object: ObjectRef| found.push((relation, object));
        match object.kind {
            Kind::Node => {
                note(Part::OnNode(&object.name));
                let mut apps: Vec<u32> = self.placed(&object.name).iter().map(|p| p.0).collect();
                apps.dedup();
                let apps = apps.into_iter().filter_map(|number| self.apps.0.number(number));
                apps.for_each(|a| add(Relation::RunsOn, a.object.clone()));
            }
            Kind::Service => found.extend(self.dependants_of_service(object)),
            Kind::PersistentVolumeClaim => {
                let apps = self.apps_in(&object.namespace).iter();
                let mounts = apps.filter(|a| self.claims_of(a).contains(&object.name.as_str()));
                mounts.for_each(|a| add(Relation::Mounts, a.object.clone()));
            }
            Kind::StorageClass => {
                let of_class =
                    |c: &&crate::record::Claim| c.class.as_deref() == Some(object.name.as_str());
                for claim in self.claims.iter().filter(of_class) {
                    add(Relation::Storage, claim.meta.object(Kind::PersistentVolumeClaim));
                }
            }
            Kind::Namespace | Kind::ResourceQuota | Kind::LimitRange => {
                let namespace =
                    if object.kind == Kind::Namespace { &object.name } else { &object.namespace };
                let apps = self.apps_in(namespace).iter();
                apps.for_each(|a| add(Relation::Namespace, a.object.clone()));
            }
            Kind::HorizontalPodAutoscaler => {
                let own = self.scalers.get(&object.namespace, &object.name);
                let target = own.and_then(|s| self.scaled_by(s));
                target.iter().for_each(|a| add(Relation::Scales, a.object.clone()));
            }
            Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount => {
                let names = |a: &&App| a.spec().is_some_and(|s| refers_to(s, object));
                let apps = self.apps_in(&object.namespace).iter().filter(names);
                apps.for_each(|a| add(Relation::Reference, a.object.clone()));
            }
            Kind::Component => {
                // Who waits for it now. What it merely serves must not be blamed on it.
                let waits = match object.name.as_str() {
                    "kube-scheduler" => {
                        self.apps_where(|a, _| a.running().any(Pod::is_unscheduled))
                    }
                    "kube-controller-manager" => self.apps_where(|a, _| lacks_pods(a)),
                    _ => Vec::new(),
                };
                waits.iter().for_each(|a| add(Relation::Serves, a.object.clone()));
            }
            _ => {
                if let Some(app) = self.app(object) {
                    found.extend(self.dependants_of_app(app));
                }
            }
        }
        found
    }

    fn dependants_of_service(&self, object: &ObjectRef) -> Vec<(Relation, ObjectRef)> {
        let mut callers = self.callers_of(&object.namespace, &object.name);
        callers.dedup_by_key(|(app, _)| &app.object);
        let callers = callers.iter().map(|(a, _)| (Relation::Calls, a.object.clone()));
        let own = (object.namespace.clone(), object.name.clone());
        let answers = |c: &&crate::record::Webhooks| {
            c.hooks.iter().any(|hook| hook.service.as_ref() == Some(&own))
        };
        let hooks = self.webhooks.iter().filter(answers);
        let hooks = hooks.map(|c| (Relation::Answers, c.meta.object(c.kind)));
        let routes = self.ingresses.in_namespace(&object.namespace);
        let routes = routes.filter(|i| i.paths.iter().any(|p| p.service == object.name));
        let routes = routes.map(|i| (Relation::Route, i.meta.object(Kind::Ingress)));
        callers.chain(hooks).chain(routes).collect()
    }

    fn dependants_of_app(&self, app: &App) -> Vec<(Relation, ObjectRef)> {
        let services = self.services_of(app).into_iter().map(|s| (Relation::Selector, s));
        let scalers = self.scalers_of(app);
        let scalers =
            scalers.map(|s| (Relation::Scales, s.meta.object(Kind::HorizontalPodAutoscaler)));
        let budgets = self.budgets_of(app);
        let budgets =
            budgets.map(|b| (Relation::Protects, b.meta.object(Kind::PodDisruptionBudget)));
        let nodes = self.nodes_of(app).into_iter().map(|n| (Relation::Burdens, n));
        services.chain(scalers).chain(budgets).chain(nodes).collect()
    }

    /// Services whose selector matches the workload's pods.
    pub fn services_of(&self, app: &App) -> Vec<ObjectRef> {
        let Some(labels) = app.pod_labels() else { return Vec::new() };
        note(Part::Selectors(&app.object.namespace));
        self.services
            .space(&app.object.namespace)
            .iter()
            .filter(|s| !s.selector.is_empty() && s.selector.all_in(labels))
            .map(|s| s.meta.object(Kind::Service))
            .collect()
    }

    /// Workloads that a selector matches.
    pub fn apps_selected(&self, namespace: &str, selector: &Labels) -> Vec<&App> {
        self.apps_labelled(namespace, |l| selector.all_in(l))
    }

    fn apps_labelled(&self, namespace: &str, fits: impl Fn(&Labels) -> bool) -> Vec<&App> {
        note(Part::Labels(namespace));
        let matched = |a: &&App| a.pod_labels().is_some_and(&fits);
        let found: Vec<&App> = self.apps.space(namespace).iter().filter(matched).collect();
        found.iter().for_each(|a| a.heard());
        found
    }

    /// The workload that an autoscaler scales.
    pub fn scaled_by(&self, scaler: &Scaler) -> Option<&App> {
        let (kind, name) = &scaler.target;
        self.app(&ObjectRef::new(Kind::from_name(kind)?, &scaler.meta.namespace, name))
    }

    /// Autoscalers of a workload.
    pub fn scalers_of<'s>(&'s self, app: &'s App) -> impl Iterator<Item = &'s Scaler> {
        let here = self.scalers.in_namespace(&app.object.namespace);
        here.filter(|s| s.target.1 == app.object.name && s.target.0 == app.object.kind.name())
    }

    /// Workloads whose pods a budget protects.
    pub fn protected_by(&self, budget: &Budget) -> Vec<&App> {
        self.apps_labelled(&budget.meta.namespace, |l| budget.selector.matches(l))
    }

    /// Budgets that protect a workload's pods.
    pub fn budgets_of<'s>(&'s self, app: &'s App) -> impl Iterator<Item = &'s Budget> {
        let here = self.budgets.in_namespace(&app.object.namespace);
        let labels = app.pod_labels();
        here.filter(move |b| labels.is_some_and(|l| b.selector.matches(l)))
    }

    /// Nodes the workload's pods are on.
    pub fn nodes_of(&self, app: &App) -> Vec<ObjectRef> {
        let mut nodes: Vec<ObjectRef> = app
            .pods
            .iter()
            .filter(|p| !p.node.is_empty())
            .map(|p| ObjectRef::new(Kind::Node, "", &p.node))
            .collect();
        nodes.sort();
        nodes.dedup();
        nodes
    }

    /// Names of the claims a workload mounts, those from templates included.
    pub fn claims_of<'s>(&'s self, app: &'s App) -> Vec<&'s str> {
        let mounted = |spec: &'s PodSpec| {
            spec.volumes.iter().filter_map(|v| match &v.source {
                VolumeSource::Claim(name) => Some(name.as_str()),
                _ => None,
            })
        };
        let mut names: Vec<&str> = app.spec().into_iter().flat_map(mounted).collect();
        names.extend(app.pods.iter().flat_map(|p| mounted(&p.spec)));
        if let Some(workload) = &app.workload {
            for template in &workload.claim_templates {
                let prefix = format!("{}-{}-", template.meta.name, app.object.name);
                let here = self.claims.in_namespace(&app.object.namespace);
                names.extend(here.map(|c| c.meta.name.as_str()).filter(|n| n.starts_with(&prefix)));
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the workload's settings name the Service as a peer.
    pub fn calls(&self, app: &App, namespace: &str, service: &str) -> bool {
        app.spec().is_some_and(|spec| {
            peers(spec).any(|peer| peer.is(service, namespace, &app.object.namespace))
        })
    }

    /// Peers that the workload's settings name, with the variable that names them.
    pub fn peers_of<'s>(&self, app: &'s App) -> Vec<Peer<'s>> {
        app.spec().map(|spec| peers(spec).collect()).unwrap_or_default()
    }
}

/// Whether a workload waits for the controller manager to make its pods.
fn lacks_pods(app: &App) -> bool {
    app.wanted().is_some_and(|wanted| (app.running().count() as i64) < wanted)
}

/// A peer named in the settings of a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer<'a> {
    /// The variable or `args`.
    pub setting: &'a str,
    /// Host as written.
    pub host: &'a str,
    /// Port, if written.
    pub port: Option<u16>,
}

impl Peer<'_> {
    /// Name and namespace that the host means, seen from a namespace, if it means a Service.
    pub(super) fn parts<'p>(&'p self, seen_from: &'p str) -> (&'p str, &'p str) {
        let mut parts = self.host.split('.');
        let name = parts.next().unwrap_or_default();
        (name, parts.next().unwrap_or(seen_from))
    }

    /// Whether the host means this Service, seen from a namespace.
    pub fn is(&self, service: &str, namespace: &str, seen_from: &str) -> bool {
        let mut parts = self.host.split('.');
        let name = parts.next().unwrap_or_default();
        let in_namespace = match parts.next() {
            None => seen_from == namespace,
            Some(ns) => ns == namespace && parts.next().is_none_or(|p| p == "svc"),
        };
        name == service && in_namespace
    }
}

pub(super) fn peers(spec: &PodSpec) -> impl Iterator<Item = Peer<'_>> {
    spec.containers.iter().flat_map(|c| {
        let env = c.env.iter().filter_map(|e| {
            let value = e.value.as_deref()?;
            let (host, port) = address(value)?;
            let port = port.or_else(|| port_beside(c, &e.name));
            Some(Peer { setting: &e.name, host, port })
        });
        let args = c.command.iter().chain(&c.args).filter_map(|arg| {
            let value = arg.rsplit_once('=').map_or(arg.as_str(), |(_, v)| v);
            let (host, port) = address(value)?;
            port.map(|p| Peer { setting: "args", host, port: Some(p) })
        });
        env.chain(args)
    })
}

/// The port of `DB_PORT` that stands beside `DB_HOST`.
fn port_beside(c: &Container, setting: &str) -> Option<u16> {
    let ends = ["_HOSTNAME", "_HOST", "_SERVER", "_ADDRESS", "_ADDR"];
    let stem = ends.iter().find_map(|end| setting.strip_suffix(end))?;
    let beside = |name: &str| name.strip_prefix(stem) == Some("_PORT");
    c.env.iter().find(|e| beside(&e.name))?.value.as_deref()?.parse().ok()
}

/// Host and port of `redis:6379`, `http://api.shop:80/v1`, `user:word@tcp(db:3306)/x`, `api`.
fn address(value: &str) -> Option<(&str, Option<u16>)> {
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest);
    let bare = bare.rsplit_once('@').map_or(bare, |(_, rest)| rest);
    let bare = bare
        .strip_prefix("tcp(")
        .map_or(bare, |rest| rest.split_once(')').map_or(rest, |(inside, _)| inside));
    let bare = bare.split(['/', '?', ',']).next()?;
    let (host, port) = match bare.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (bare, None),
    };
    let name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    let ok = host.len() > 1
        && host.bytes().all(name)
        && host.starts_with(|c: char| c.is_ascii_lowercase());
    ok.then_some((host, port))
}

fn refers_to(spec: &PodSpec, object: &ObjectRef) -> bool {
    let name = object.name.as_str();
    let uses = || spec.config_uses().any(|u| u.kind == object.kind && u.named.name == name);
    match object.kind {
        Kind::ServiceAccount => spec.service_account == name,
        Kind::ConfigMap => uses(),
        Kind::Secret => spec.pull_secrets.iter().any(|s| s == name) || uses(),
        _ => false,
    }
}

impl App {
    /// Notes that somebody reads it.
    pub(super) fn heard(&self) {
        note(Part::App(self.object.kind, &self.object.namespace, &self.object.name));
    }

    /// Ports its containers declare, with protocol and name.
    pub fn ports(&self) -> Vec<(&str, u16, &str)> {
        let spec = self.spec().into_iter();
        let ports = spec.flat_map(|s| s.containers.iter().flat_map(|c| c.ports.iter()));
        ports.map(|p| (p.name.as_str(), p.container_port, p.protocol.as_str())).collect()
    }

    /// The number a target port means for this workload; `None` when it means nothing.
    pub fn resolve_port(&self, port: &Port) -> Option<u16> {
        match port {
            Port::Number(n) => Some(*n),
            Port::Name(_) => {
                let containers = self.spec().into_iter().flat_map(|s| s.containers.iter());
                let mut meant = containers.filter_map(|c| c.port(port));
                meant.next().map(|p| p.container_port)
            }
        }
    }

    /// Whether its ports may have names that the text did not print.
    pub fn hides_port_names(&self) -> bool {
        self.spec().is_some_and(|s| s.containers.iter().any(Container::hides_port_names))
    }

    /// Whether its pod template was shown in the input.
    pub fn shows_spec(&self) -> bool {
        let own = self.workload.as_ref().is_some_and(|w| w.meta.known.has(Known::SPEC));
        own || self.pods.iter().any(|p| p.meta.known.has(Known::SPEC))
    }
}
