//! Addresses in settings that contradict what is there, whoever has complained yet.

use model::{App, Certainty, Finding, Findings, Snapshot};

use crate::dependency::complaint::Complaint;
use crate::dependency::settings::{self, Contradiction};
use crate::evidence;
use crate::pod::edit::container_field;

const ID: &str = super::super::dependency_failing::KIND.id;

pub(in crate::workload) fn detect(
    now: &Snapshot,
    complaints: &[Complaint<'_>],
    findings: &mut Findings,
) {
    for c in settings::contradictions(now) {
        if let Some(finding) = finding(&c, complaints) {
            findings.push(finding);
        }
    }
}

fn finding(c: &Contradiction<'_>, complaints: &[Complaint<'_>]) -> Option<Finding> {
    let app = c.app;
    if app.wanted() == Some(0) {
        return None;
    }
    let host = c.value.split(':').next().unwrap_or_default();
    let heard: Vec<&Complaint<'_>> = complaints
        .iter()
        .filter(|x| x.app.object == app.object)
        .filter(|x| x.seen.as_ref().is_some_and(|s| s.host == host))
        .collect();
    // A slip of the pen, or siblings that agree on another, is wrong whether it is felt or not.
    // A name that nobody has and nobody complains of may be of something left out on purpose.
    if c.signs < 2 && heard.is_empty() {
        return None;
    }
    let headline = format!("{} is told {} in {}, but {}", app.object, c.value, c.setting, c.why);
    let field = field(app, c.setting);
    let fact = evidence::field(app.document(), &app.object, field.clone(), c.value.clone());
    let mut finding = Finding::new(ID, "dependency-address-wrong", app.object.clone(), headline)
        .field(field, c.value.clone(), c.expected.clone())
        .evidence(heard.iter().map(|x| x.evidence.clone()))
        .evidence([fact])
        .since(heard.iter().filter_map(|x| x.first).min());
    finding = finding.affects(app.object.clone(), format!("cannot reach what {} means", c.setting));
    let proven = !heard.is_empty() || (c.is_dangling && c.signs >= 2);
    if !proven {
        let look = format!("kubectl logs {} --tail=50", app.object.for_kubectl());
        finding = finding.unsure(Certainty::Likely, &["dependency-unreachable"], look);
    }
    Some(finding)
}

/// The field of the container that has the variable.
pub(super) fn field(app: &App, setting: &str) -> String {
    let has = |c: &&model::record::Container| c.env.iter().any(|e| e.name == setting);
    let containers = || app.spec().into_iter().flat_map(|s| s.containers.iter());
    let name = containers().find(has).map_or("", |c| c.name.as_str());
    let inside = if setting == "args" { "args".into() } else { format!("env[{setting}]") };
    container_field(app, name, &inside)
}
