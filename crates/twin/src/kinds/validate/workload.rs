//! Deployments, ReplicaSets, DaemonSets and StatefulSets.

use serde_json::{Value, json};

use super::{NOT_NEGATIVE, at, not_negative, number_or_percent, one_of, pod, selector};
use crate::field;
use crate::registry::Cause;

pub(super) fn deployment(object: &Value) -> Vec<Cause> {
    let mut causes = not_negative(object, &[("/spec/replicas", "spec.replicas")]);
    causes.extend(selector::of_template(object));
    causes.extend(template(object));
    causes.extend(strategy(at(object, "/spec/strategy")));
    causes.extend(not_negative(
        object,
        &[
            ("/spec/minReadySeconds", "spec.minReadySeconds"),
            ("/spec/revisionHistoryLimit", "spec.revisionHistoryLimit"),
            ("/spec/progressDeadlineSeconds", "spec.progressDeadlineSeconds"),
        ],
    ));
    let (ready, deadline) =
        (at(object, "/spec/minReadySeconds"), at(object, "/spec/progressDeadlineSeconds"));
    if let Some(most) = deadline.as_i64()
        && most <= ready.as_i64().unwrap_or(0)
    {
        let why = "must be greater than minReadySeconds";
        causes.push(Cause::invalid("spec.progressDeadlineSeconds", deadline, why));
    }
    causes.extend(counts(at(object, "/status")));
    causes
}

/// Counts of a status: none negative, none above all replicas.
fn counts(status: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for key in
        ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]
    {
        let value = at(status, &format!("/{key}"));
        if value.as_i64().is_some_and(|n| n < 0) {
            causes.push(Cause::invalid(&format!("status.{key}"), value, NOT_NEGATIVE));
        }
    }
    let all = field::number(status, "/replicas");
    for key in ["updatedReplicas", "readyReplicas", "availableReplicas"] {
        let count = field::number(status, &format!("/{key}"));
        if count > all {
            let why = "cannot be greater than status.replicas";
            causes.push(Cause::invalid(&format!("status.{key}"), &count.into(), why));
        }
    }
    if field::number(status, "/availableReplicas") > field::number(status, "/readyReplicas") {
        let value = at(status, "/availableReplicas");
        let why = "cannot be greater than readyReplicas";
        causes.push(Cause::invalid("status.availableReplicas", value, why));
    }
    causes
}

fn strategy(strategy: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.strategy";
    let rolling = at(strategy, "/rollingUpdate");
    match field::text(strategy, "/type") {
        "Recreate" if rolling.is_object() => {
            let why = "may not be specified when strategy `type` is 'Recreate'";
            vec![Cause::forbidden("spec.strategy.rollingUpdate", why)]
        }
        "Recreate" => Vec::new(),
        "RollingUpdate" => rolling_update(rolling, PATH),
        other => {
            let told = json!({"RollingUpdate": null, "Type": other}).to_string();
            let told = told.replace(
                &format!("{{\"RollingUpdate\":null,\"Type\":{other:?}}}"),
                &format!("{{\"Type\":{other:?},\"RollingUpdate\":null}}"),
            );
            let message = format!(
                "Unsupported value: {told}: supported values: \"Recreate\", \"RollingUpdate\""
            );
            vec![Cause::plain("FieldValueNotSupported", PATH, message)]
        }
    }
}

fn rolling_update(rolling: &Value, path: &str) -> Vec<Cause> {
    let here = |key: &str| format!("{path}.rollingUpdate.{key}");
    let (surge, gone) = (at(rolling, "/maxSurge"), at(rolling, "/maxUnavailable"));
    let mut causes = Vec::new();
    let is_zero = |value: &Value| *value == 0 || *value == "0%";
    let wrong = number_or_percent(gone, &here("maxUnavailable"), false);
    causes.extend(
        wrong.into_iter().filter(|_| !matches!(gone, Value::String(t) if t.ends_with('%'))),
    );
    causes.extend(number_or_percent(surge, &here("maxSurge"), false));
    if is_zero(surge) && is_zero(gone) {
        let why = "may not be 0 when `maxSurge` is 0";
        causes.push(Cause::invalid(&here("maxUnavailable"), gone, why));
    }
    if gone.as_str().is_some_and(|text| text.ends_with('%')) {
        causes.extend(number_or_percent(gone, &here("maxUnavailable"), true));
    }
    causes
}

/// The pods that a workload makes; they run for ever.
fn template(object: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.template.spec";
    let mut spec = at(object, "/spec/template/spec").clone();
    with_claims(object, &mut spec);
    let spec = &spec;
    let mut causes = super::metadata::labels(
        at(object, "/spec/template/metadata/labels"),
        "spec.template.labels",
    );
    causes.extend(pod::spec_rules(spec, PATH));
    let policy = at(spec, "/restartPolicy");
    causes.extend(one_of(policy, &format!("{PATH}.restartPolicy"), &["Always"]));
    causes
}

/// The claims of a StatefulSet are volumes of its pods.
fn with_claims(object: &Value, spec: &mut Value) {
    let claims = field::list(object, "/spec/volumeClaimTemplates");
    if claims.is_empty() || !spec.is_object() {
        return;
    }
    let names: Vec<&str> = claims.iter().map(field::name).collect();
    let mut volumes: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}))
        .collect();
    let own = field::list(spec, "/volumes").iter();
    volumes.extend(own.filter(|v| !names.contains(&field::text(v, "/name"))).cloned());
    spec["volumes"] = volumes.into();
}

pub(super) fn replica_set(object: &Value) -> Vec<Cause> {
    let mut causes = not_negative(
        object,
        &[("/spec/replicas", "spec.replicas"), ("/spec/minReadySeconds", "spec.minReadySeconds")],
    );
    causes.extend(selector::of_template(object));
    causes.extend(template(object));
    causes
}

pub(super) fn replication_controller(object: &Value) -> Vec<Cause> {
    let mut causes = not_negative(object, &[("/spec/minReadySeconds", "spec.minReadySeconds")]);
    let wanted = field::map(object, "/spec/selector");
    if wanted.is_none_or(|selector| selector.is_empty()) {
        causes.push(Cause::required("spec.selector"));
    }
    causes.extend(not_negative(object, &[("/spec/replicas", "spec.replicas")]));
    if object.pointer("/spec/template").is_none() {
        causes.push(Cause::required("spec.template"));
        return causes;
    }
    let labels = at(object, "/spec/template/metadata/labels");
    let missed = |(key, value): (&String, &Value)| labels.get(key) != Some(value);
    if wanted.into_iter().flatten().any(missed) {
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
    }
    causes.extend(template(object));
    causes
}

pub(super) fn daemon_set(object: &Value) -> Vec<Cause> {
    let mut causes = selector::of_template(object);
    causes.extend(template(object));
    causes.extend(not_negative(object, &[("/spec/minReadySeconds", "spec.minReadySeconds")]));
    let strategy = at(object, "/spec/updateStrategy");
    if !matches!(field::text(strategy, "/type"), "RollingUpdate" | "OnDelete" | "") {
        let told = super::internal("@apps.DaemonSetUpdateStrategy", strategy);
        let known = "supported values: \"RollingUpdate\", \"OnDelete\"";
        let message = format!("Unsupported value: {told}: {known}");
        causes.push(Cause::plain("FieldValueNotSupported", "spec.updateStrategy", message));
    }
    causes
}

pub(super) fn stateful_set(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let policy = at(object, "/spec/podManagementPolicy");
    if !matches!(policy.as_str(), Some("OrderedReady" | "Parallel")) {
        let why = "must be 'OrderedReady' or 'Parallel'";
        causes.push(Cause::invalid("spec.podManagementPolicy", policy, why));
    }
    let strategy = at(object, "/spec/updateStrategy");
    if !matches!(field::text(strategy, "/type"), "RollingUpdate" | "OnDelete" | "") {
        let told = super::internal("@apps.StatefulSetUpdateStrategy", strategy);
        let why = "must be 'RollingUpdate' or 'OnDelete'";
        let message = format!("Invalid value: {told}: {why}");
        causes.push(Cause::plain("FieldValueInvalid", "spec.updateStrategy", message));
    }
    causes.extend(not_negative(
        object,
        &[
            (
                "/spec/updateStrategy/rollingUpdate/partition",
                "spec.updateStrategy.rollingUpdate.partition",
            ),
            ("/spec/replicas", "spec.replicas"),
            ("/spec/minReadySeconds", "spec.minReadySeconds"),
        ],
    ));
    causes.extend(selector::of_template(object));
    for (index, claim) in field::list(object, "/spec/volumeClaimTemplates").iter().enumerate() {
        let path = format!("spec.volumeClaimTemplates[{index}].spec");
        causes.extend(super::storage::claim_spec(at(claim, "/spec"), &path));
    }
    causes.extend(template(object));
    causes
}
