//! Would pods of a workload be refused? Found by comparing its template with what the
//! namespace allows and has, for workloads about which nothing was said.

use model::record::{Container, Known, LimitRange};
use model::{Kind, Quantity};

use super::cause::{self, Cause, Subject};
use super::message::{Exceeded, Limit};

/// What would refuse its pods, if anything is known to.
pub(crate) fn of(subject: &Subject<'_>) -> Option<Cause> {
    reference(subject).or_else(|| quota(subject)).or_else(|| limits(subject))
}

/// A name in its template that means nothing.
pub(crate) fn reference(subject: &Subject<'_>) -> Option<Cause> {
    let spec = subject.spec()?;
    let namespace = &*subject.object.namespace;
    let names = [
        (Kind::ServiceAccount, &spec.service_account, namespace),
        (Kind::PriorityClass, &spec.priority_class, ""),
        (Kind::RuntimeClass, &spec.runtime_class, ""),
    ];
    let missing = |(kind, name, namespace): &(Kind, &model::Text, &str)| {
        let own = kind == &Kind::PriorityClass && name.starts_with("system-");
        let default = kind == &Kind::ServiceAccount && *name == "default";
        !name.is_empty() && !own && !default && subject.now.is_missing(*kind, namespace, name)
    };
    let (kind, name, _) = names.into_iter().find(missing)?;
    Some(cause::missing(kind, name, subject))
}

/// A quota that has no room for one more of its pods.
fn quota(subject: &Subject<'_>) -> Option<Cause> {
    let spec = subject.spec()?;
    let ask = |resource: &str| -> Option<Quantity> {
        match resource {
            "pods" | "count/pods" => Some(Quantity::from_units(1)),
            _ => {
                let sum = |of: &dyn Fn(&Container) -> Quantity| {
                    spec.containers.iter().map(of).fold(Quantity::ZERO, Quantity::plus)
                };
                match resource.strip_prefix("limits.") {
                    Some(name) => Some(sum(&|c| c.resources.limits.amount(name))),
                    None => {
                        let name = resource.strip_prefix("requests.").unwrap_or(resource);
                        matches!(name, "cpu" | "memory" | "ephemeral-storage")
                            .then(|| spec.requests(name))
                    }
                }
            }
        }
    };
    let here = subject.now.quotas.in_namespace(&subject.object.namespace);
    here.filter(|q| q.meta.known.has(Known::STATUS)).find_map(|quota| {
        let mut full = quota.hard.iter().filter_map(|(resource, hard)| {
            let (used, asked) = (quota.used.amount(resource), ask(resource)?);
            let over = asked.is_positive() && used.plus(asked) > hard;
            over.then(|| Exceeded {
                quota: quota.meta.name.to_string(),
                resource: resource.to_owned(),
                requested: asked.text(resource),
                used: used.text(resource),
                limited: hard.text(resource),
            })
        });
        let found = full.next()?;
        Some(cause::of(&super::message::Refusal::Quota(found), subject))
    })
}

/// A container outside the limits of the namespace.
fn limits(subject: &Subject<'_>) -> Option<Cause> {
    let spec = subject.spec()?;
    let ranges = subject.now.limit_ranges.in_namespace(&subject.object.namespace);
    let broken = |range: &LimitRange| {
        let rules = range.items.iter().filter(|i| i.kind == "Container");
        rules
            .flat_map(|i| i.max.iter().map(|m| (m, false)).chain(i.min.iter().map(|m| (m, true))))
            .find_map(|((resource, bound), too_small)| {
                let given = spec.containers.iter().filter_map(|c| {
                    let (limits, requests) = (&c.resources.limits, &c.resources.requests);
                    if too_small { requests.get(resource) } else { limits.get(resource) }
                });
                let breaks = |g: &Quantity| if too_small { *g < bound } else { *g > bound };
                let amount = given.into_iter().find(breaks)?;
                Some(Limit {
                    resource: resource.to_owned(),
                    per: "Container".into(),
                    too_small,
                    part: if too_small { "requests" } else { "limits" },
                    bound: bound.text(resource),
                    amount: amount.text(resource),
                })
            })
    };
    let limit = ranges.into_iter().find_map(broken)?;
    Some(cause::of(&super::message::Refusal::LimitRange(limit), subject))
}
