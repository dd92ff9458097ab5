//! Compares where a Service sends traffic with where its pods listen.

use model::record::{Backends, Known, Port, Service, ServicePort};
use model::{
    App, Certainty, Dial, Evidence, Finding, Findings, Impact, Kind, ObjectRef, Snapshot, State,
};

use super::{KIND, port_field, readiness, target_field};
use crate::evidence;
use crate::listening::{self, Sign, Source};
use crate::pod::edit;
use crate::service::callers;

pub(super) fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if service.kind == "ExternalName" || service.selector.is_empty() {
        return;
    }
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let (apps, hidden): (Vec<&App>, Vec<&App>) = apps.into_iter().partition(|a| a.shows_spec());
    let [app, rest @ ..] = apps.as_slice() else {
        return readiness::detect(service, &hidden, now, findings);
    };
    if !service.meta.known.has(Known::SPEC) {
        return from_endpoints(service, app, now, findings);
    }
    let named = |p: &ServicePort| matches!(p.target_port, Some(Port::Name(_)));
    if apps.iter().any(|a| a.hides_port_names()) && service.ports.iter().any(named) {
        readiness::detect(service, &apps, now, findings);
    }
    for port in &service.ports {
        let question = Question { service, port, app, others: rest, now };
        let found = match &port.target_port {
            Some(Port::Name(name)) => question.name(name),
            Some(Port::Number(n)) if *n > 0 => question.number(*n),
            _ => question.number(port.port),
        };
        match found {
            Some(f) if question.dial().is_some_and(|d| d.connected) => {
                let why = "a connection through it was opened";
                findings.rule_out(KIND.id, f.object, why);
            }
            Some(f) => findings.push(f),
            None => {}
        }
    }
}

/// One port of a Service and the workload behind it.
struct Question<'a> {
    service: &'a Service,
    port: &'a ServicePort,
    app: &'a App,
    others: &'a [&'a App],
    now: &'a Snapshot,
}

impl<'a> Question<'a> {
    fn object(&self) -> ObjectRef {
        self.service.meta.object(Kind::Service)
    }

    fn dial(&self) -> Option<&'a Dial> {
        callers::dialled(self.service, self.port.port, self.now)
    }

    /// Whether ready addresses are listed without a port for the name, which happens only when
    /// no pod has a port of it, or, where addresses are not shown, a connection failed.
    fn is_contradicted(&self) -> bool {
        let service = &self.service.meta;
        let behind = || self.now.backends.in_namespace(&service.namespace);
        let mut ready = behind().filter(|b| b.service == service.name && b.ready > 0).peekable();
        if ready.peek().is_none() {
            return self.dial().is_some_and(|d| !d.connected);
        }
        // As many ports as the Service has: each of its names was found.
        let short = |b: &Backends| b.ports.is_empty() || b.ports.len() < self.service.ports.len();
        ready.all(short)
    }

    /// A port of the name is there, or may be behind the number that clients use, and speaks
    /// another protocol: then it is no port of that name.
    fn named_protocol(&self, name: &str) -> Option<Finding> {
        let ports = self.app.ports();
        let by_name = ports.iter().find(|(n, _, _)| *n == name);
        let hidden = self.app.hides_port_names() && self.is_contradicted();
        let by_number = || ports.iter().find(|(_, n, _)| hidden && *n == self.port.port);
        let (_, target, _) = by_name.or_else(by_number)?;
        self.protocol(*target, &self.signs())
    }

    fn signs(&self) -> Vec<Sign> {
        self.app.spec().map(listening::signs).unwrap_or_default()
    }

    /// Somebody suffers only when the pods behind are well: else that is the reason.
    fn finish(&self, finding: Finding) -> Finding {
        let all = || [self.app].into_iter().chain(self.others.iter().copied());
        let ready = all().any(|a| a.ready() > 0)
            || all().any(|a| a.workload.as_ref().is_some_and(|w| w.counts.ready > 0))
            || self.now.addresses(self.service).is_some_and(|(ready, _)| ready > 0);
        let mut finding = finding;
        if let Some(dial) = self.dial().filter(|d| !d.connected) {
            finding.evidence.insert(0, callers::dial_evidence(self.service, dial));
        }
        for caller in callers::of(self.service, self.now) {
            if caller.peer.port.is_none_or(|p| p == self.port.port) {
                let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
                finding = finding.affects(caller.app.object.clone(), how);
            }
        }
        if !ready {
            return finding.state(State::Suspected);
        }
        match finding.state {
            State::Active => finding.impact(Impact { services: 1, ..Impact::default() }),
            _ => finding,
        }
    }

    fn target_evidence(&self, value: &str) -> Evidence {
        let field = target_field(&self.port.name, self.port.port);
        evidence::field(self.service.meta.source, &self.object(), field, value)
    }

    fn sign_evidence(&self, sign: &Sign) -> Evidence {
        let field = edit::container_field(self.app, &sign.container, &sign.field);
        evidence::field(self.app.document(), &self.app.object, field, sign.value.clone())
    }

    /// A target given by name.
    fn name(&self, name: &str) -> Option<Finding> {
        if let Some(finding) = self.named_protocol(name) {
            return Some(finding);
        }
        // A port whose name was not printed may have it, unless traffic says otherwise.
        let trusted = !self.is_contradicted();
        let hidden = |a: &App| trusted && a.hides_port_names();
        let has = |a: &App| hidden(a) || a.ports().iter().any(|(n, _, _)| *n == name);
        if has(self.app) || self.others.iter().any(|a| has(a)) {
            return None;
        }
        let ports = self.app.ports();
        let expected = self.expected_name(&ports);
        let object = self.object();
        let declared = match ports.len() {
            0 => "declare no ports".to_owned(),
            _ => format!("declare {}", list(&ports)),
        };
        let headline = format!(
            "Service {object} sends port {} to the port named {name}, which {} {} does not have",
            self.port.port, self.app.object.kind, self.app.object.name
        );
        let field = target_field(&self.port.name, self.port.port);
        let place = edit::spec_field(self.app, "containers[*].ports");
        let facts = [
            self.target_evidence(name),
            evidence::field(self.app.document(), &self.app.object, place, declared),
        ];
        let mut finding = Finding::new(KIND.id, "port-name-unmatched", object, headline)
            .field(field, name, expected)
            .evidence(facts)
            .evidence(self.endpoint_ports());
        finding = finding.since(None);
        Some(self.finish(finding))
    }

    /// What the name should have been: the port with the number that clients use, the one
    /// that is named alike, the only one there is, or where the program listens.
    fn expected_name(&self, ports: &[(&str, u16, &str)]) -> String {
        let text = |(name, number, _): &(&str, u16, &str)| {
            if name.is_empty() { number.to_string() } else { (*name).to_owned() }
        };
        let same = ports.iter().find(|(_, n, _)| *n == self.port.port);
        let named = || ports.iter().find(|(n, _, _)| !n.is_empty() && *n == self.port.name);
        let only = || ports.first().filter(|_| ports.len() == 1);
        if let Some(port) = same.or_else(named).or_else(only) {
            return text(port);
        }
        match listening::likeliest(&self.signs(), 0) {
            Some(number) => number.to_string(),
            None => "the name or number of a port of its pods".into(),
        }
    }

    fn endpoint_ports(&self) -> Option<Evidence> {
        let mut here = self.now.backends.in_namespace(&self.service.meta.namespace);
        let of = here.find(|b| b.service == self.service.meta.name && b.ready > 0)?;
        let kind = if of.is_slice { Kind::EndpointSlice } else { Kind::Endpoints };
        let ports: Vec<String> = of.ports.iter().map(u16::to_string).collect();
        let value = if ports.is_empty() { "none".into() } else { ports.join(", ") };
        Some(evidence::field(of.meta.source, &of.meta.object(kind), "ports", value))
    }

    /// A target given by number.
    fn number(&self, target: u16) -> Option<Finding> {
        let signs = self.signs();
        if signs.iter().any(|s| s.port == target && s.source != Source::Probe) {
            return self.protocol(target, &signs);
        }
        let probed = signs.iter().any(|s| s.port == target && s.source == Source::Probe);
        let in_others = self.others.iter().filter_map(|a| a.spec());
        if (probed && self.app.ready() > 0)
            || in_others.flat_map(listening::signs).any(|s| s.port == target)
        {
            return None;
        }
        let taken: Vec<u16> = self.other_targets();
        let free: Vec<Sign> = signs.into_iter().filter(|s| !taken.contains(&s.port)).collect();
        let failed = self.dial().is_some_and(|d| !d.connected);
        let expected = self.expected_number(&free, target);
        let finding = match (failed || self.is_main(expected), failed) {
            (true, _) if !free.is_empty() => self.contradicted(target, expected, &free),
            (_, true) => self.undeclared(target),
            _ => return None,
        };
        Some(self.finish(finding))
    }

    /// Whether this port must be where the program mainly listens. Ports for metrics and the
    /// like are often opened without being declared, and so is one port of several.
    fn is_main(&self, expected: Option<u16>) -> bool {
        let aside = ["metric", "prom", "health", "admin", "debug", "webhook", "profil", "monitor"];
        let is_aside = |name: &str| aside.iter().any(|a| name.contains(a));
        if is_aside(&self.port.name) || is_aside(&self.service.meta.name) {
            return false;
        }
        let named = || {
            let mut ports = self.app.ports().into_iter();
            ports.any(|(n, number, _)| {
                !n.is_empty() && n == self.port.name && Some(number) == expected
            })
        };
        let same = expected == Some(self.port.port);
        self.service.ports.len() == 1 || same || named()
    }

    /// Where the port should lead: to the number that clients use, to the port of its name,
    /// else to where most signs point.
    fn expected_number(&self, free: &[Sign], target: u16) -> Option<u16> {
        let same = free.iter().find(|s| s.port == self.port.port);
        let ports = self.app.ports();
        let named = || {
            let of_name = ports.iter().find(|(n, _, _)| !n.is_empty() && *n == self.port.name)?;
            free.iter().find(|s| s.port == of_name.1)
        };
        let found = same.or_else(named).map(|s| s.port);
        found.or_else(|| listening::likeliest(free, target))
    }

    /// Where the other ports of the Service lead.
    fn other_targets(&self) -> Vec<u16> {
        let others = self.service.ports.iter().filter(|p| *p != self.port);
        let target = |p: &ServicePort| match &p.target_port {
            Some(port @ Port::Name(_)) => self.app.resolve_port(port),
            Some(Port::Number(n)) if *n > 0 => Some(*n),
            _ => Some(p.port),
        };
        others.filter_map(target).collect()
    }

    fn contradicted(&self, target: u16, expected: Option<u16>, signs: &[Sign]) -> Finding {
        let object = self.object();
        let places = match expected {
            Some(port) => format!("listen on {port}"),
            None => "listen elsewhere".into(),
        };
        let headline = format!(
            "Service {object} sends port {} to {target}, but the pods of {} {} {places}",
            self.port.port, self.app.object.kind, self.app.object.name
        );
        let expected_text = expected.map_or("a port its pods listen on".into(), |p| p.to_string());
        let mut best: Vec<&Sign> =
            signs.iter().filter(|s| expected.is_none_or(|e| s.port == e)).collect();
        best.sort_by_key(|s| std::cmp::Reverse(s.source));
        let field = target_field(&self.port.name, self.port.port);
        let finding = Finding::new(KIND.id, "target-port-wrong", object, headline)
            .field(field, target.to_string(), expected_text)
            .evidence([self.target_evidence(&target.to_string())])
            .evidence(best.iter().take(3).map(|s| self.sign_evidence(s)))
            .evidence(self.endpoint_ports());
        if expected.is_some() {
            return finding;
        }
        let look = format!("kubectl exec {} -- ss -lnt", self.app.object.for_kubectl());
        finding.unsure(Certainty::Likely, &["network-policy-blocks"], look)
    }

    /// Nothing says where the pods listen, but nobody answers on the target.
    fn undeclared(&self, target: u16) -> Finding {
        let object = self.object();
        let headline = format!(
            "Service {object}: nobody answers on port {} (target {target}), though its pods are \
             ready",
            self.port.port
        );
        let look = format!("kubectl exec {} -- ss -lnt", self.app.object.for_kubectl());
        let field = target_field(&self.port.name, self.port.port);
        Finding::new(KIND.id, "target-port-wrong", object, headline)
            .field(field, target.to_string(), "a port its pods listen on")
            .evidence([self.target_evidence(&target.to_string())])
            .unsure(Certainty::Possible, &["network-policy-blocks", "protocol-mismatch"], look)
    }

    /// The right number, but another protocol.
    fn protocol(&self, target: u16, signs: &[Sign]) -> Option<Finding> {
        let plain = |p: &str| if p.is_empty() { "TCP".to_owned() } else { p.to_ascii_uppercase() };
        let wanted = plain(&self.port.protocol);
        let all = [self.app].into_iter().chain(self.others.iter().copied());
        let declared: Vec<String> = all
            .flat_map(App::ports)
            .filter(|(_, n, _)| *n == target)
            .map(|(_, _, p)| plain(p))
            .collect();
        if declared.is_empty() || declared.contains(&wanted) {
            return None;
        }
        let has = declared.join(", ");
        let object = self.object();
        let headline = format!(
            "Service {object} sends {wanted} to port {target}, where the pods of {} {} speak {has}",
            self.app.object.kind, self.app.object.name
        );
        // Every probe over the network is TCP: one on this port settles it.
        let probe = signs.iter().find(|s| s.port == target && s.source == Source::Probe);
        let failed = self.dial().is_some_and(|d| !d.connected);
        let field = format!("{}.protocol", port_field(&self.port.name, self.port.port));
        let place = edit::spec_field(self.app, &format!("containers[*].ports[{target}].protocol"));
        let facts = [
            evidence::field(self.service.meta.source, &object, field.clone(), wanted.clone()),
            evidence::field(self.app.document(), &self.app.object, place, has.clone()),
        ];
        let mut finding = Finding::new(KIND.id, "protocol-mismatch", object, headline)
            .field(field, wanted.clone(), has)
            .evidence(facts)
            .evidence(probe.map(|s| self.sign_evidence(s)));
        if !(failed || (probe.is_some() && wanted == "UDP")) {
            let look = format!("kubectl exec {} -- ss -lntu", self.app.object.for_kubectl());
            finding = finding.unsure(Certainty::Likely, &["target-port-wrong"], look);
        }
        Some(self.finish(finding))
    }
}

/// The Service's own target is not shown, but its endpoints are.
fn from_endpoints(service: &Service, app: &App, now: &Snapshot, findings: &mut Findings) {
    let signs = app.spec().map(listening::signs).unwrap_or_default();
    let backends = now.backends.in_namespace(&service.meta.namespace);
    let mut of = backends.filter(|b| b.service == service.meta.name && b.ready > 0);
    let Some(backends) = of.next() else { return };
    if service.ports.len() != 1 || backends.ports.len() != 1 {
        return;
    }
    let (Some(port), Some(target)) = (service.ports.first(), backends.ports.first()) else {
        return;
    };
    let known = ServicePort { target_port: Some(Port::Number(*target)), ..port.clone() };
    let question = Question { service, port: &known, app, others: &[], now };
    if signs.is_empty() || question.dial().is_some_and(|d| d.connected) {
        return;
    }
    if let Some(finding) = question.number(*target) {
        findings.push(finding);
    }
}

fn list(ports: &[(&str, u16, &str)]) -> String {
    let text = |(name, number, _): &(&str, u16, &str)| match *name {
        "" => number.to_string(),
        name => format!("{name} ({number})"),
    };
    ports.iter().map(text).collect::<Vec<_>>().join(", ")
}
