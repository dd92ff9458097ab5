//! Evidence from a cluster, read through its API. The twin is read by the same code.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cluster::{Access, News, Progress, Reading, Scope, Server, Sight};
use kube::Client;
use model::{Blind, Change, Kind, Timestamp};

use super::{Raw, Request};
use crate::exit::{Code, Failure};
use crate::progress::Spinner;
use crate::render::clean;
use crate::runtime;
use crate::views::{InputDocument, Source};

/// Kinds that are read whatever the catalogue asks for: a verdict on anything needs them.
const ALWAYS_READ: [Kind; 17] = [
    Kind::ConfigMap,
    Kind::CronJob,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::EndpointSlice,
    Kind::Event,
    Kind::Ingress,
    Kind::Job,
    Kind::Namespace,
    Kind::Node,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::ResourceQuota,
    Kind::Secret,
    Kind::Service,
    Kind::StatefulSet,
];

/// Reads the cluster that the options name.
///
/// # Errors
/// When no cluster is configured (2), or it does not answer or refuses us (3).
pub(super) fn read(request: &Request<'_>, spinner: &Spinner) -> Result<Raw, Failure> {
    let access = access(request);
    runtime::run(async {
        let (client, namespace) = connect(&access, request).await?;
        let scope = Scope { fallback_namespace: Some(namespace), ..Scope::default() };
        through(&client, scope, request.also, spinner).await
    })
}

fn access(request: &Request<'_>) -> Access {
    Access { kubeconfig: request.input.kubeconfig.clone(), context: request.input.context.clone() }
}

async fn connect(access: &Access, request: &Request<'_>) -> Result<(Client, String), Failure> {
    let client = cluster::connect(access).await.map_err(failure)?;
    let namespace = request.namespace.map(str::to_owned);
    let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    Ok((client, namespace))
}

/// The verdict is looked at again after so long even when nothing was seen to change: what
/// becomes late or is over shows only by the clock.
const PATIENCE: Duration = Duration::from_secs(15);
/// A cluster that does not answer any more is asked again after so long.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What is seen of a cluster that is kept in sight.
pub(crate) enum Sighted {
    /// All of it.
    Whole(Box<Raw>),
    /// What changed since, up to this moment.
    Changed(Vec<Change>, Timestamp, Source),
}

/// Keeps the cluster in sight and shows what is known whenever that has changed, until nobody
/// wants to see it or Ctrl-C.
///
/// # Errors
/// When no cluster is configured (2), or it does not answer or refuses us at the beginning (3).
pub(crate) fn watch(
    request: &Request<'_>,
    spinner: Spinner,
    show: &mut dyn FnMut(Sighted) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let access = access(request);
    runtime::run(async {
        let (client, namespace) = connect(&access, request).await?;
        let progress = |p: Progress| spinner.say(progress_text(p));
        let scope = Scope { fallback_namespace: Some(namespace), ..Scope::default() };
        let opened = Sight::open(client, scope, &kinds(request.also), &progress).await;
        let mut sight = opened.map_err(failure)?;
        drop(spinner);
        let mut seen = Sighted::Whole(Box::new(raw(sight.reading())));
        while show(seen)? {
            let mut told = false;
            let news = loop {
                match sight.changed(PATIENCE).await {
                    Ok(news) => break news,
                    Err(e) if !told => tell(&e),
                    Err(_) => {}
                }
                told = true;
                tokio::time::sleep(ASK_AGAIN).await;
            };
            seen = match news {
                News { is_other: true, .. } => Sighted::Whole(Box::new(raw(sight.reading()))),
                News { changes, .. } => {
                    let now = sight.server().time.unwrap_or_else(wall_clock);
                    let source = source(sight.server(), sight.counts(), sight.blind());
                    Sighted::Changed(changes, now, source)
                }
            };
        }
        Ok(())
    })
}

/// Says on standard error that nothing is seen for now.
fn tell(error: &cluster::Error) {
    let error = clean(&error.to_string());
    let seconds = ASK_AGAIN.as_secs();
    let _ = writeln!(io::stderr(), "seaworthy: {error}; asking again every {seconds} s");
}

/// Reads through a client. Ages are counted by the server's clock, else by ours.
pub(crate) async fn through(
    client: &Client,
    scope: Scope,
    also: &[Kind],
    spinner: &Spinner,
) -> Result<Raw, Failure> {
    let progress = |p: Progress| spinner.say(progress_text(p));
    let reading = cluster::read(client, &scope, &kinds(also), &progress).await.map_err(failure)?;
    Ok(raw(reading))
}

fn progress_text(p: Progress) -> String {
    let rest = p.remaining.map(|r| format!(" of {}", p.objects + r)).unwrap_or_default();
    format!("reading {}: {}{rest}", p.kind.plural(), p.objects)
}

/// What was read, with the server's time, else ours.
fn raw(reading: Reading) -> Raw {
    let Reading { evidence, blind, server } = reading;
    let now = server.time.unwrap_or_else(wall_clock);
    let source = source(&server, evidence.counts(), blind);
    Raw { evidence, now: Some(now), source }
}

/// Where it was read, with how much there was and what could not be seen.
fn source(server: &Server, (objects, events): (usize, usize), blind: Vec<Blind>) -> Source {
    let version = server.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
    let document = InputDocument {
        name: "live".to_owned(),
        format: format!("kubernetes-api{version}"),
        objects,
        events,
        lines: 0,
        skipped: 0,
    };
    Source { documents: vec![document], blind, ..Source::default() }
}

/// What the catalogue reads, what is always of use, and what was asked for.
fn kinds(also: &[Kind]) -> Vec<Kind> {
    let asked = catalog::ALL.iter().flat_map(|k| k.reads).copied();
    let kinds: BTreeSet<Kind> = asked.chain(ALWAYS_READ).chain(also.iter().copied()).collect();
    kinds.into_iter().collect()
}

pub(super) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// With the exit code, and what to do next.
fn failure(error: cluster::Error) -> Failure {
    use cluster::Error;
    let (code, next) = match &error {
        Error::Configuration(_) => (
            Code::Usage,
            "Name a captured file or folder, or a kubeconfig with --kubeconfig; or try --twin.",
        ),
        Error::Setup(_) => (Code::Usage, "Check certificates and login in the kubeconfig."),
        Error::Unreachable { .. } => (Code::Unreachable, "Does `kubectl get nodes` work here?"),
        Error::Unauthorised { .. } => (Code::Unreachable, "Does `kubectl auth whoami` work here?"),
        Error::NothingReadable { .. } => {
            (Code::Unreachable, "`kubectl auth can-i --list` shows what we may read.")
        }
    };
    Failure::new(code, error).next(next)
}
