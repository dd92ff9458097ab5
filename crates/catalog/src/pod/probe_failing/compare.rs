//! Compares a probe with everything else that says where its container listens and what it
//! speaks there.

use model::record::{Container, Port, Probe};
use model::{App, Evidence, Snapshot};

use super::message::Which;
use crate::evidence;
use crate::listening::{self, Sign, Source, Speech};
use crate::pod::edit;

/// What contradicts a probe.
pub(super) struct Contradiction {
    /// Field of the probe, below the container.
    pub(super) field: String,
    pub(super) value: String,
    pub(super) expected: String,
    /// Whether it is certain without any sign of failure.
    pub(super) strong: bool,
    pub(super) evidence: Vec<Evidence>,
}

/// A probe in its place.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) app: &'a App,
    pub(super) container: &'a Container,
    pub(super) which: Which,
    pub(super) probe: &'a Probe,
    pub(super) now: &'a Snapshot,
}

impl Place<'_> {
    fn sign_evidence(&self, sign: &Sign) -> Evidence {
        let field = edit::container_field(self.app, &sign.container, &sign.field);
        evidence::field(self.app.document(), &self.app.object, field, sign.value.clone())
    }

    fn own_evidence(&self, field: &str, value: &str) -> Evidence {
        let field = edit::container_field(self.app, &self.container.name, field);
        evidence::field(self.app.document(), &self.app.object, field, value)
    }

    fn own_sign(&self, sign: &Sign) -> bool {
        sign.container == self.container.name && sign.field.starts_with(self.which.field())
    }

    /// Whether the probe goes to a port where nothing else says that the pod listens.
    pub(super) fn wrong_port(&self) -> Option<Contradiction> {
        let (how, action) = self.probe.target()?;
        let field = format!("{}.{}.port", self.which.field(), listening::action_field(how));
        let signs = self.app.spec().map(listening::signs)?;
        if let Port::Name(name) = &action.port {
            return match self.container.port(&action.port) {
                Some(_) => None,
                None if self.container.hides_port_names() => None,
                None => Some(self.unknown_name(field, name, &signs)),
            };
        }
        let number = listening::number(self.container, &action.port)?;
        let probes = |s: &&Sign| s.source == Source::Probe;
        if signs.iter().any(|s| s.port == number && s.source != Source::Probe) {
            return self.declared_elsewhere(field, number, &signs);
        }
        let others: Vec<Sign> = signs.into_iter().filter(|s| s.port != number).collect();
        let old = self.previous_port().filter(|p| *p != number);
        let expected = old.or_else(|| self.expected(&others, number));
        if others.is_empty() && old.is_none() {
            return self.siblings(field, number);
        }
        let told = others.iter().any(|s| s.source >= Source::Argument);
        let strong = told
            || old.is_some()
            || others.iter().any(|s| s.source == Source::Declared)
            || others.iter().filter(probes).count() > 0;
        let mut best: Vec<&Sign> =
            others.iter().filter(|s| expected.is_none_or(|e| s.port == e)).collect();
        best.sort_by_key(|s| std::cmp::Reverse(s.source));
        let facts = [self.own_evidence(&field, &number.to_string())];
        Some(Contradiction {
            field,
            value: number.to_string(),
            expected: expected.map_or("a port the container listens on".into(), |p| p.to_string()),
            strong,
            evidence: facts
                .into_iter()
                .chain(best.iter().take(3).map(|s| self.sign_evidence(s)))
                .collect(),
        })
    }

    /// The port is declared, but the program is told to listen on another one only.
    fn declared_elsewhere(
        &self,
        field: String,
        number: u16,
        signs: &[Sign],
    ) -> Option<Contradiction> {
        let own = |s: &&Sign| s.container == self.container.name;
        let told = || signs.iter().filter(own).filter(|s| s.source >= Source::Argument);
        let first = told().next()?;
        if told().any(|s| s.port == number) {
            return None;
        }
        let facts = vec![self.own_evidence(&field, &number.to_string()), self.sign_evidence(first)];
        Some(Contradiction {
            field,
            value: number.to_string(),
            expected: first.port.to_string(),
            strong: false,
            evidence: facts,
        })
    }

    fn unknown_name(&self, field: String, name: &str, signs: &[Sign]) -> Contradiction {
        let names: Vec<&str> = self
            .container
            .ports
            .iter()
            .map(|p| p.name.as_str())
            .filter(|n| !n.is_empty())
            .collect();
        let only = || names.first().copied().filter(|_| names.len() == 1);
        let near = edit::nearest(name, names.iter().copied()).or_else(only);
        let number = || {
            let port = listening::likeliest(signs, 0)?;
            Some(port.to_string())
        };
        let expected = near.map(str::to_owned).or_else(number);
        let declared = if names.is_empty() { "no named port".into() } else { names.join(", ") };
        let evidence = vec![self.own_evidence(&field, name), self.own_evidence("ports", &declared)];
        let expected = expected.unwrap_or_else(|| "a port the container declares".into());
        Contradiction { field, value: name.into(), expected, strong: true, evidence }
    }

    /// The port it should have been: one that speaks what the probe speaks, else the likeliest.
    fn expected(&self, others: &[Sign], number: u16) -> Option<u16> {
        let speech = Speech::of_probe(self.probe);
        let own: Vec<Sign> =
            others.iter().filter(|s| s.container == self.container.name).cloned().collect();
        let own = if own.is_empty() { others } else { &own };
        let fitting: Vec<Sign> = own
            .iter()
            .filter(|s| s.speech.is_some() && speech.is_some() && s.speech == speech)
            .cloned()
            .collect();
        listening::likeliest(own, number).or_else(|| listening::likeliest(&fitting, number))
    }

    /// The same probe in the revision before.
    fn previous_probe(&self) -> Option<&Probe> {
        let old = edit::container(edit::previous_spec(self.app)?, &self.container.name)?;
        listening::probes(old).find(|(f, _)| *f == self.which.field()).map(|(_, p)| p)
    }

    fn previous_port(&self) -> Option<u16> {
        listening::number(self.container, &self.previous_probe()?.target()?.1.port)
    }

    /// Other workloads with the same image, whose probes are well.
    fn siblings(&self, field: String, number: u16) -> Option<Contradiction> {
        let image = |i: &str| i.rsplit_once(':').map_or(i.to_owned(), |(name, _)| name.to_owned());
        let mine = image(&self.container.image);
        let here = self.now.apps_in(&self.app.object.namespace).iter();
        let well =
            here.filter(|a| a.object != self.app.object && a.ready() > 0 && a.lost_replicas() == 0);
        let mut ports: Vec<(u16, &App)> = well
            .filter_map(|a| {
                let c = a.spec()?.containers.iter().find(|c| image(&c.image) == mine)?;
                let (_, probe) = listening::probes(c).find(|(f, _)| *f == self.which.field())?;
                Some((listening::number(c, &probe.target()?.1.port)?, a))
            })
            .collect();
        ports.sort_by_key(|(p, _)| *p);
        let (port, app) = ports.first().filter(|_| !mine.is_empty())?;
        if ports.iter().any(|(p, _)| p != port || *p == number) {
            return None;
        }
        let other = evidence::field(app.document(), &app.object, field.clone(), port.to_string());
        Some(Contradiction {
            value: number.to_string(),
            expected: port.to_string(),
            strong: false,
            evidence: vec![self.own_evidence(&field, &number.to_string()), other],
            field,
        })
    }

    /// Whether the probe speaks what nothing else says is spoken on its port.
    pub(super) fn wrong_speech(&self) -> Option<Contradiction> {
        let (how, action) = self.probe.target()?;
        let mine = Speech::of_probe(self.probe)?;
        let number = listening::number(self.container, &action.port)?;
        let signs = self.app.spec().map(listening::signs)?;
        let told: Vec<&Sign> = signs
            .iter()
            .filter(|s| s.port == number && s.speech.is_some() && !self.own_sign(s))
            .collect();
        if told.iter().any(|s| s.speech == Some(mine)) {
            return None;
        }
        let field = format!("{}.{}", self.which.field(), listening::action_field(how));
        let own = self.own_evidence(&field, &format!("{how} on port {}", action.port));
        let best = told.iter().min_by_key(|s| s.source);
        if let Some(sign) = best {
            let expected = sign.speech.map_or("tcp", Speech::name);
            return Some(Contradiction {
                field,
                value: how.into(),
                expected: expected.into(),
                strong: sign.source == Source::Probe,
                evidence: vec![own, self.sign_evidence(sign)],
            });
        }
        self.wrong_for_service(field, own, mine, number)
    }

    /// The name of the Service's port says what is spoken behind it.
    fn wrong_for_service(
        &self,
        field: String,
        own: Evidence,
        mine: Speech,
        number: u16,
    ) -> Option<Contradiction> {
        for object in self.now.services_of(self.app) {
            let service = self.now.services.get(&object.namespace, &object.name)?;
            for port in &service.ports {
                let target = port.target_port.clone().unwrap_or(Port::Number(port.port));
                let leads = self.app.resolve_port(&target) == Some(number);
                let Some(speech) = Speech::of_name(&port.name).filter(|_| leads) else { continue };
                if speech == mine {
                    return None;
                }
                let place = format!("spec.ports[{}]", port.name);
                let fact = evidence::field(service.meta.source, &object, place, port.name.as_str());
                return Some(Contradiction {
                    field,
                    value: mine.name().into(),
                    expected: speech.name().into(),
                    strong: false,
                    evidence: vec![own, fact],
                });
            }
        }
        None
    }

    /// A path that answers: of another probe of the container, or of the revision before.
    pub(super) fn other_path(&self) -> Option<String> {
        let path = |p: &Probe| p.http_get.as_ref()?.path.as_ref().map(ToString::to_string);
        let mine = path(self.probe);
        let others = listening::probes(self.container);
        let mut others =
            others.filter(|(f, _)| *f != self.which.field()).filter_map(|(_, p)| path(p));
        let old = self.previous_probe().and_then(path);
        old.filter(|p| Some(p) != mine.as_ref())
            .or_else(|| others.find(|p| Some(p) != mine.as_ref()))
    }
}
