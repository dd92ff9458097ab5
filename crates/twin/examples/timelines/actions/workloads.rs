//! What somebody did to workloads: scaled, changed, deleted, created, loaded.

use regex::Captures;
use serde_json::{Value, json};
use twin::scenario::Fault;

use super::{group, place, pod, workload};
use crate::client::{kind_of, path};
use crate::replay::Play;

pub(super) fn scale_named(
    play: &mut Play<'_>,
    found: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    let at = place(play, group(found, 1), group(found, 2))?;
    let replicas: i64 = group(found, 3).parse().map_err(|_| "no number".to_owned())?;
    play.client.merge(&at, &json!({"spec": {"replicas": replicas}}))
}

pub(super) fn scale(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let replicas: i64 = group(found, 1).parse().map_err(|_| "no number".to_owned())?;
    play.client.merge(&workload(play)?, &json!({"spec": {"replicas": replicas}}))
}

pub(super) fn suspend(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let at = place(play, "job", group(found, 1))?;
    play.client.merge(&at, &json!({"spec": {"suspend": true}}))
}

pub(super) fn delete(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let how = found.get(3).or_else(|| found.get(4)).map_or("", |part| part.as_str());
    let how = match how.to_lowercase().as_str() {
        "background" => "Background",
        "foreground" => "Foreground",
        "orphan" => "Orphan",
        _ => "",
    };
    let at = match kind_of(group(found, 1)) {
        Some("Pod") => {
            let (namespace, name) = pod(play, group(found, 2));
            path("Pod", &namespace, &name)
        }
        _ => place(play, group(found, 1), group(found, 2))?,
    };
    play.client.delete(&at, how)
}

/// Another image, and labels of its pods besides.
fn roll(play: &Play<'_>, at: &str, image: &str, never: Option<bool>) -> Result<(), String> {
    let object = play.client.get(at);
    let containers = object["spec"]["template"]["spec"]["containers"].as_array();
    let containers: Vec<Value> = containers
        .into_iter()
        .flatten()
        .map(|container| json!({"name": container["name"], "image": image}))
        .collect();
    let mut template = json!({"spec": {"containers": containers}});
    if let Some(never) = never {
        let value = if never { json!("true") } else { Value::Null };
        template["metadata"] = json!({"labels": {"never-ready": value}});
    }
    play.client.strategic(at, &json!({"spec": {"template": template}}))
}

pub(super) fn change_image(
    play: &mut Play<'_>,
    found: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    let at = place(play, group(found, 1), group(found, 2))?;
    roll(play, &at, "app:2", None)
}

pub(super) fn set_image(
    play: &mut Play<'_>,
    found: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    roll(play, &workload(play)?, group(found, 1), Some(false))
}

pub(super) fn never_ready(
    play: &mut Play<'_>,
    found: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    roll(play, &workload(play)?, group(found, 1), Some(true))
}

pub(super) fn select_node(
    play: &mut Play<'_>,
    found: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    let at = place(play, "daemonset", group(found, 1))?;
    let selector = json!({"kubernetes.io/hostname": group(found, 2)});
    play.client.merge(&at, &json!({"spec": {"template": {"spec": {"nodeSelector": selector}}}}))
}

pub(super) fn create_pods(play: &mut Play<'_>, _: &Captures<'_>, _: &Value) -> Result<(), String> {
    let made = play.apply_where(|_, one| one["kind"] == "Pod");
    if made == 0 { Err("there is no pod left to create".into()) } else { Ok(()) }
}

pub(super) fn create_all(play: &mut Play<'_>, _: &Captures<'_>, _: &Value) -> Result<(), String> {
    let made = play.apply_where(|_, _| true);
    if made == 0 { Err("there is nothing left to create".into()) } else { Ok(()) }
}

/// Namespace and name of the one Deployment.
fn scaled(play: &Play<'_>) -> Result<(String, String), String> {
    let mut all = play.trace["manifests"].as_array().into_iter().flatten();
    let found = all.find(|one| one["kind"] == "Deployment").ok_or("there is no Deployment")?;
    let text = |key: &str| found["metadata"][key].as_str().unwrap_or("default").to_owned();
    Ok((text("namespace"), text("name")))
}

pub(super) fn load(play: &mut Play<'_>, _: &Captures<'_>, action: &Value) -> Result<(), String> {
    let (namespace, workload) = scaled(play)?;
    let cpu_milli = action["total_millicores"].as_i64().ok_or("no millicores")?;
    play.twin.strike(&Fault::Load { namespace, workload, cpu_milli });
    Ok(())
}

pub(super) fn hide_metrics(
    play: &mut Play<'_>,
    found: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    let (namespace, workload) = scaled(play)?;
    let pods = group(found, 1).parse().map_err(|_| "no number".to_owned())?;
    play.twin.strike(&Fault::HideMetrics { namespace, workload, pods });
    Ok(())
}

pub(super) fn stop_metrics(play: &mut Play<'_>, _: &Captures<'_>, _: &Value) -> Result<(), String> {
    let message = "the server is currently unable to handle the request (get pods.metrics.k8s.io)";
    play.twin.strike(&Fault::StopMetrics { message: message.to_owned() });
    Ok(())
}

pub(super) fn start_metrics(
    play: &mut Play<'_>,
    _: &Captures<'_>,
    _: &Value,
) -> Result<(), String> {
    let (namespace, workload) = scaled(play)?;
    play.twin.strike(&Fault::HideMetrics { namespace, workload, pods: 0 });
    play.twin.strike(&Fault::StartMetrics);
    Ok(())
}
