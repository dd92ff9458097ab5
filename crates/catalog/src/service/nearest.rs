//! Which workload a Service that selects nothing was meant for: compares its selector with the
//! labels of what is there.

use model::record::Service;
use model::{App, Kind, Labels, Snapshot};

use crate::pod::edit;

/// One label on which selector and pods differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) key: String,
    /// What the selector wants.
    pub(crate) wanted: String,
    /// What the pods carry under this key.
    pub(crate) carried: Option<String>,
    /// The key under which the pods carry the wanted value, when it is another one.
    pub(crate) other_key: Option<String>,
}

impl Difference {
    /// What the selector should have said.
    pub(crate) fn expected(&self) -> String {
        match (&self.carried, &self.other_key) {
            (Some(value), _) => value.clone(),
            (None, Some(key)) => format!("the key {key} instead: pods carry {key}={}", self.wanted),
            (None, None) => "no such key: its pods do not carry it".into(),
        }
    }
}

/// The workload that a Service was most likely meant for.
pub(crate) struct Nearest<'s> {
    pub(crate) app: &'s App,
    pub(crate) differences: Vec<Difference>,
    /// Whether another workload is as near.
    pub(crate) ambiguous: bool,
    /// Whether the Service and the workload bear the same name.
    pub(crate) same_name: bool,
}

/// The nearest workload, if any is near at all.
pub(crate) fn of<'s>(service: &Service, now: &'s Snapshot) -> Option<Nearest<'s>> {
    let here = now.apps_in(&service.meta.namespace).iter();
    let runs = |a: &&App| !matches!(a.object.kind, Kind::Job | Kind::CronJob);
    let mut near: Vec<(u32, &App)> =
        here.filter(runs).filter_map(|a| Some((nearness(service, a, now)?, a))).collect();
    near.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let (best, app) = *near.first()?;
    let ambiguous = near.get(1).is_some_and(|(score, _)| *score == best);
    let differences = differences(&service.selector, app.pod_labels()?);
    let same_name = bears_name(service, app);
    Some(Nearest { app, differences, ambiguous, same_name })
}

/// Labels on which a selector and pods differ.
fn differences(selector: &Labels, labels: &Labels) -> Vec<Difference> {
    let differ = selector.iter().filter(|(k, v)| labels.get(k) != Some(v.as_str()));
    differ
        .map(|(key, wanted)| {
            let free = |k: &str| selector.get(k).is_none();
            let other = labels.iter().find(|(k, v)| v == wanted && free(k));
            Difference {
                key: key.to_string(),
                wanted: wanted.to_string(),
                carried: labels.get(key).map(str::to_owned),
                other_key: other.map(|(k, _)| k.to_string()),
            }
        })
        .collect()
}

fn bears_name(service: &Service, app: &App) -> bool {
    let label = |l: &Labels| l.iter().any(|(_, v)| *v == service.meta.name);
    app.object.name == service.meta.name || app.pod_labels().is_some_and(label)
}

/// How near a workload is; `None` when nothing but the namespace is common.
fn nearness(service: &Service, app: &App, now: &Snapshot) -> Option<u32> {
    let labels = app.pod_labels()?;
    let differ = differences(&service.selector, labels);
    let equal = service.selector.len() - differ.len();
    let alike = differ.iter().any(|d| {
        d.other_key.is_some() || d.carried.as_ref().is_some_and(|c| is_like(c, &d.wanted))
    });
    let named = bears_name(service, app);
    if !named && equal == 0 && !alike {
        return None;
    }
    let exact = u32::from(app.object.name == service.meta.name);
    let selected = now.services.in_namespace(&service.meta.namespace).any(|s| {
        s.meta.name != service.meta.name && !s.selector.is_empty() && s.selector.all_in(labels)
    });
    let equal = u32::try_from(equal).unwrap_or(u32::MAX).min(3);
    Some(exact * 8 + u32::from(named) * 8 + u32::from(alike) * 4 + equal * 2 + u32::from(!selected))
}

/// Whether one value looks like the other, misspelt or extended.
fn is_like(a: &str, b: &str) -> bool {
    let plain = |t: &str| -> String {
        t.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let (a, b) = (plain(a), plain(b));
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    (short.len() >= 3 && long.contains(short.as_str()))
        || (short.len() >= 4 && edit::distance(&a, &b) <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_look_alike_are_near() {
        for (a, b, want) in [
            ("basket", "basket-v2", true),
            ("basket", "bas_ket", true),
            ("basket", "baskte", true),
            ("basket", "invoice", false),
            ("a", "b", false),
        ] {
            assert_eq!(is_like(a, b), want, "{a} {b}");
        }
    }
}
