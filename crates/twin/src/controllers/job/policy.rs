//! What a Job makes of failed pods, and when it has succeeded early.

use serde_json::Value;

use super::index::{Indexes, read};
use crate::field;

/// What follows from a failed pod.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The Job fails, for this reason.
    FailJob(String),
    /// Its index fails.
    FailIndex,
    /// It does not count.
    Ignore,
    /// It counts.
    Count,
}

/// The first rule that fits a failed pod decides.
pub(super) fn judge(job: &Value, pod: &Value) -> Verdict {
    for (place, rule) in field::list(job, "/spec/podFailurePolicy/rules").iter().enumerate() {
        let action = field::text(rule, "/action");
        let why = match rule.get("onExitCodes").filter(|codes| !codes.is_null()) {
            Some(codes) => exit_code(codes, pod),
            None => condition(field::list(rule, "/onPodConditions"), pod),
        };
        let Some(why) = why else { continue };
        return match action {
            "FailJob" => Verdict::FailJob(format!("{why} matching {action} rule at index {place}")),
            "FailIndex" => Verdict::FailIndex,
            "Ignore" => Verdict::Ignore,
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

fn exit_code(codes: &Value, pod: &Value) -> Option<String> {
    let wanted = codes["containerName"].as_str();
    let values = field::list(codes, "/values");
    let of = |list| field::list(pod, list).iter();
    let mut all = of("/status/initContainerStatuses").chain(of("/status/containerStatuses"));
    let found = all.find_map(|container| {
        let name = field::text(container, "/name");
        let code = container.pointer("/state/terminated/exitCode")?.as_i64()?;
        let listed = values.iter().any(|value| value.as_i64() == Some(code));
        let fits = match field::text(codes, "/operator") {
            "In" => listed,
            _ => !listed,
        };
        let concerned = wanted.is_none_or(|wanted| wanted == name);
        (code != 0 && fits && concerned).then_some((name, code))
    });
    let (name, code) = found?;
    let (namespace, pod) = (field::namespace(pod), field::name(pod));
    Some(format!("Container {name} for pod {namespace}/{pod} failed with exit code {code}"))
}

fn condition(patterns: &[Value], pod: &Value) -> Option<String> {
    let fits = |pattern: &&Value| {
        let status = match field::text(pattern, "/status") {
            "" => "True",
            status => status,
        };
        field::condition_is(pod, field::text(pattern, "/type"), status)
    };
    let found = patterns.iter().find(fits)?;
    let (namespace, pod) = (field::namespace(pod), field::name(pod));
    Some(format!("Pod {namespace}/{pod} has condition {}", field::text(found, "/type")))
}

/// The rule of the success policy that is met.
pub(super) fn success_rule(job: &Value, done: &Indexes) -> Option<usize> {
    let end = field::number(job, "/spec/completions");
    field::list(job, "/spec/successPolicy/rules").iter().position(|rule| {
        let count = rule["succeededCount"].as_i64();
        match rule["succeededIndexes"].as_str() {
            Some(text) => {
                let wanted = read(text, end);
                let met = wanted.intersection(done).count();
                met as i64 >= count.unwrap_or(wanted.len() as i64)
            }
            None => count.is_some_and(|count| done.len() as i64 >= count),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(code: i64) -> Value {
        json!({
            "metadata": {"namespace": "a", "name": "p"},
            "status": {
                "containerStatuses": [
                    {"name": "app", "state": {"terminated": {"exitCode": code}}},
                ],
                "conditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
        })
    }

    #[track_caller]
    fn check(rules: Value, code: i64, verdict: Verdict) {
        let job = json!({"spec": {"podFailurePolicy": {"rules": rules}}});
        assert_eq!(judge(&job, &pod(code)), verdict);
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let codes = |action: &str, operator: &str, values: Value| -> Value {
            let codes = json!({"operator": operator, "values": values});
            json!({"action": action, "onExitCodes": codes})
        };
        check(json!([]), 1, Verdict::Count);
        let why = "Container app for pod a/p failed with exit code 42 matching FailJob rule at \
                   index 0";
        check(json!([codes("FailJob", "In", json!([42]))]), 42, Verdict::FailJob(why.into()));
        check(json!([codes("FailJob", "In", json!([42]))]), 41, Verdict::Count);
        check(json!([codes("Ignore", "NotIn", json!([1]))]), 2, Verdict::Ignore);
        check(json!([codes("FailIndex", "In", json!([3]))]), 3, Verdict::FailIndex);
        let lost = json!({"action": "FailJob",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]});
        let why = "Pod a/p has condition DisruptionTarget matching FailJob rule at index 1";
        let rules = json!([codes("Count", "In", json!([9])), lost]);
        check(rules, 1, Verdict::FailJob(why.into()));
    }

    #[test]
    fn a_success_rule_counts_indexes() {
        for (rule, done, met) in [
            (json!({"succeededIndexes": "0,2"}), "0,2", true),
            (json!({"succeededIndexes": "0,2"}), "0,1", false),
            (json!({"succeededIndexes": "0-4", "succeededCount": 2}), "1,3", true),
            (json!({"succeededCount": 3}), "1,3", false),
            (json!({"succeededCount": 2}), "1,3", true),
        ] {
            let job = json!({"spec": {"completions": 5, "successPolicy": {"rules": [rule]}}});
            assert_eq!(success_rule(&job, &read(done, 5)).is_some(), met, "{rule}");
        }
    }
}
