//! Which pods a Service selects, which of them take traffic, and where its ports lead.

use model::record::{Port, Service};
use model::{App, Explanation, Kind, Question, Snapshot};

use crate::pod::pending::cause::listed;
use crate::service::nearest;

/// Names told in one row.
const NAMES_TOLD: usize = 3;

pub(super) fn explain(service: &Service, now: &Snapshot) -> Explanation {
    let object = service.meta.object(Kind::Service);
    let apps = if service.selector.is_empty() {
        Vec::new()
    } else {
        now.apps_selected(&service.meta.namespace, &service.selector)
    };
    let addresses = now.addresses(service);
    let mut explanation = Explanation::new(object, answer(service, &apps, addresses));
    explanation.ask(selected(service, &apps, now));
    explanation.ask(ports(service, &apps));
    if addresses.is_none() {
        let namespace = &service.meta.namespace;
        let look = format!("kubectl get endpointslices -n {namespace} -o json");
        explanation.not_shown("the addresses behind it", look);
    }
    explanation
}

fn answer(service: &Service, apps: &[&App], addresses: Option<(u32, u32)>) -> String {
    let pods: usize = apps.iter().map(|a| a.running().count()).sum();
    let pods = if pods == 1 { "1 pod".to_owned() } else { format!("{pods} pods") };
    match addresses {
        _ if service.kind == "ExternalName" => "is a name for something outside the cluster".into(),
        Some((0, 0)) if service.selector.is_empty() => "has no selector and no address".into(),
        Some((ready, not)) if service.selector.is_empty() => {
            format!("has no selector; {ready} addresses kept by hand are ready, {not} are not")
        }
        Some((ready, not)) => {
            format!("selects {pods}; {ready} addresses take traffic, {not} do not")
        }
        None => {
            let ready: usize = apps.iter().map(|a| a.ready()).sum();
            format!("selects {pods}, of which {ready} are ready")
        }
    }
}

/// The workloads behind it, or the one it was most likely meant for.
fn selected(service: &Service, apps: &[&App], now: &Snapshot) -> Question {
    let mut question = Question::new("Which pods does it select?", "");
    if service.selector.is_empty() {
        return question;
    }
    question.fact("selector", service.selector.to_string());
    for app in apps {
        let unready = app.running().filter(|p| p.is_ready() == Some(false));
        let unready: Vec<&str> = unready.map(|p| p.meta.name.as_str()).collect();
        let mut value = format!("{} of {} pods ready", app.ready(), app.running().count());
        if !unready.is_empty() {
            value.push_str(&format!("; not: {}", listed(unready.into_iter(), NAMES_TOLD)));
        }
        question.fact(format!("{}/{}", app.object.kind.short(), app.object.name), value);
    }
    if apps.is_empty() {
        question.answer = "None of the workloads that were shown.".into();
        if let Some(near) = nearest::of(service, now) {
            let differs = near.differences.iter().map(|d| {
                let carried = d
                    .carried
                    .as_deref()
                    .map_or_else(|| format!("no {}", d.key), |value| format!("{}={value}", d.key));
                format!("wants {}={}, its pods carry {carried}", d.key, d.wanted)
            });
            let differs: Vec<String> = differs.collect();
            question.fact(format!("nearest: {}", near.app.object), differs.join("; "));
        }
    }
    question
}

/// Where each port leads.
fn ports(service: &Service, apps: &[&App]) -> Question {
    let mut question = Question::new("Where do its ports lead?", "");
    for port in service.ports.iter() {
        let target = port.target_port.clone().unwrap_or(Port::Number(port.port));
        let leads = apps.iter().map(|app| match app.resolve_port(&target) {
            Some(number) if app.ports().iter().any(|(_, p, _)| *p == number) => {
                format!("{number} of {}", app.object.name)
            }
            Some(number) => format!("{number} of {}, which declares no such port", app.object.name),
            None => format!("nothing in {}: it has no port called {target}", app.object.name),
        });
        let leads: Vec<String> = leads.collect();
        let leads = if leads.is_empty() { format!("{target}") } else { leads.join("; ") };
        question.fact(format!("port {}", port.port), format!("to {leads}"));
    }
    question
}
