//! Image names: their parts, and which name was probably meant.

use std::collections::BTreeMap;

use model::{App, Snapshot};

use super::edit::{container, distance, nearest, previous_spec};

/// The parts of `host/path/name:tag@digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image<'a> {
    /// Registry; `docker.io` when none is written.
    pub(super) host: &'a str,
    /// What stands between registry and name, may be empty.
    pub(super) path: &'a str,
    /// Name.
    pub(super) name: &'a str,
    /// Tag; empty when none is written.
    pub(super) tag: &'a str,
    /// Everything before the name, as written, with its slash.
    prefix: &'a str,
}

/// Registries that serve everything they have to everybody.
const OPEN: [&str; 3] = ["registry.k8s.io", "mcr.microsoft.com", "public.ecr.aws"];

impl<'a> Image<'a> {
    /// Takes a name apart; it never fails, odd names only give odd parts.
    pub(super) fn parse(text: &'a str) -> Self {
        let bare = text.split_once('@').map_or(text, |(name, _)| name);
        let (prefix, last) = match bare.rfind('/') {
            Some(slash) => bare.split_at(slash + 1),
            None => ("", bare),
        };
        let (name, tag) = last.split_once(':').unwrap_or((last, ""));
        let rest = prefix.trim_end_matches('/');
        let (first, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_host = first.contains(['.', ':']) || first == "localhost";
        let (host, path) = if is_host { (first, path) } else { ("docker.io", rest) };
        Image { host, path, name, tag, prefix }
    }

    /// Whether its registry never asks for credentials for it, so that a refusal can only mean
    /// that there is no such image.
    pub(super) fn is_open(&self) -> bool {
        OPEN.contains(&self.host)
            || (self.host == "docker.io" && matches!(self.path, "" | "library"))
    }

    fn with(&self, name: &str, tag: &str) -> String {
        let colon = if tag.is_empty() { "" } else { ":" };
        format!("{}{name}{colon}{tag}", self.prefix)
    }
}

/// Whether an image name may mean another program tomorrow: no digest, and no tag or the one
/// that moves with every build.
pub(crate) fn is_floating(image: &str) -> bool {
    let tag = Image::parse(image).tag;
    !image.is_empty() && !image.contains('@') && matches!(tag, "" | "latest")
}

/// Images of other workloads of the namespace, each once for a workload.
pub(super) fn of_siblings<'s>(app: &'s App, now: &'s Snapshot) -> Vec<(&'s App, &'s str)> {
    let others = now.apps_in(&app.object.namespace).iter().filter(|a| a.object != app.object);
    let images = |a: &'s App| {
        let spec = a.spec().into_iter();
        spec.flat_map(|s| s.all_containers()).map(move |c| (a, c.image.as_str()))
    };
    let mut found: Vec<_> = others.flat_map(images).filter(|(_, i)| !i.is_empty()).collect();
    found.dedup_by(|a, b| a.1 == b.1 && a.0.object == b.0.object);
    found
}

/// What the image of a container probably should be, with the reason: what it was before, or
/// what its siblings suggest.
pub(super) fn meant(
    app: &App,
    container_name: &str,
    image: &str,
    now: &Snapshot,
) -> Option<(String, String)> {
    let before = previous_spec(app).and_then(|s| container(s, container_name));
    if let Some(old) = before.filter(|c| c.image != image && !c.image.is_empty()) {
        return Some((old.image.to_string(), "the image of the revision before".into()));
    }
    if let Some(old) = pulled_before(app, image, now) {
        return Some((old, "the image its earlier pods ran".into()));
    }
    let own = Image::parse(image);
    let siblings: Vec<Image<'_>> =
        of_siblings(app, now).into_iter().map(|(_, i)| Image::parse(i)).collect();
    let beside = |i: &&Image<'_>| i.host == own.host && i.path == own.path;
    let same_name: Vec<_> = siblings.iter().filter(beside).filter(|i| i.name == own.name).collect();
    if let Some(tag) = most_common(same_name.iter().map(|i| i.tag)).filter(|t| *t != own.tag) {
        return Some((own.with(own.name, tag), "the tag other workloads use".into()));
    }
    if own.prefix.is_empty() {
        let common = ["latest", "stable", "alpine", "slim"];
        let tag = nearest(own.tag, common)?;
        return Some((own.with(own.name, tag), "the usual spelling of this tag".into()));
    }
    let tag = most_common(siblings.iter().filter(beside).map(|i| i.tag)).unwrap_or(own.tag);
    let name = nearest(own.name, [app.object.name.as_str()]).unwrap_or(own.name);
    let changed = own.with(name, tag);
    (changed != image).then(|| (changed, "what the images beside it suggest".into()))
}

/// The image that earlier pods of the workload ran, as events still tell.
fn pulled_before(app: &App, image: &str, now: &Snapshot) -> Option<String> {
    let own = Image::parse(image);
    let prefix = format!("{}-", app.object.name);
    let of_app = |e: &&model::record::ClusterEvent| {
        let pod = e.about.as_ref();
        e.reason == "Pulled" && pod.is_some_and(|o| o.name.starts_with(&prefix))
    };
    let events = now.events_in(model::Kind::Pod, &app.object.namespace).filter(of_app);
    let named = events.filter_map(|e| crate::wording::between(&e.message, "\"", "\""));
    let like = named.filter(|i| *i != image).filter(|i| {
        let other = Image::parse(i);
        other.name == own.name || distance(other.name, own.name) <= 2
    });
    like.last().map(str::to_owned)
}

fn most_common<'a>(words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words.filter(|w| !w.is_empty()) {
        *counts.entry(word).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map(|(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let i = Image::parse("reg.example:5000/team/web:1.2@sha256:00");
        assert_eq!((i.host, i.path, i.name, i.tag), ("reg.example:5000", "team", "web", "1.2"));
        let i = Image::parse("redis:7");
        assert_eq!((i.host, i.path, i.name, i.tag), ("docker.io", "", "redis", "7"));
        assert!(i.is_open());
        let i = Image::parse("someone/web");
        assert_eq!((i.host, i.path, i.name, i.tag), ("docker.io", "someone", "web", ""));
        assert!(!i.is_open());
        Image::parse("://@:");
    }
}
