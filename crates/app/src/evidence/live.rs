//! Evidence from a cluster, read through its API. The twin is read by the same code.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use cluster::{Access, Progress, Reading, Scope};
use kube::Client;
use model::{Kind, Timestamp};

use super::Evidence;
use crate::exit::{Code, Failure};
use crate::progress::Spinner;
use crate::runtime;
use crate::settings::Diagnose;
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
pub(super) fn read(options: &Diagnose, spinner: &Spinner) -> Result<Evidence, Failure> {
    let access = Access {
        kubeconfig: options.cluster.kubeconfig.clone(),
        context: options.cluster.context.clone(),
    };
    runtime::run(async {
        let client = cluster::connect(&access).await.map_err(failure)?;
        let namespace = options.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
        through(&client, Some(namespace), spinner).await
    })
}

/// Reads through a client. Ages are counted by the server's clock, else by ours.
pub(super) async fn through(
    client: &Client,
    fallback_namespace: Option<String>,
    spinner: &Spinner,
) -> Result<Evidence, Failure> {
    let progress = |p: Progress| {
        let rest = p.remaining.map(|r| format!(" of {}", p.objects + r)).unwrap_or_default();
        spinner.say(format!("reading {}: {}{rest}", p.kind.plural(), p.objects));
    };
    let scope = Scope { fallback_namespace };
    let reading = cluster::read(client, &scope, &kinds(), &progress).await.map_err(failure)?;
    let Reading { evidence, blind, server } = reading;
    let now = server.time.unwrap_or_else(wall_clock);
    let (objects, events) = evidence.counts();
    let version = server.version.map(|v| format!(" {v}")).unwrap_or_default();
    let document = InputDocument {
        name: "live".to_owned(),
        format: format!("kubernetes-api{version}"),
        objects,
        events,
        lines: 0,
        skipped: 0,
    };
    let source = Source { documents: vec![document], skipped: Vec::new(), blind };
    Ok(Evidence { now: evidence.finish(Some(now)), source })
}

/// What the catalogue reads, and what is always of use.
fn kinds() -> Vec<Kind> {
    let asked = catalog::ALL.iter().flat_map(|k| k.reads).copied();
    let kinds: BTreeSet<Kind> = asked.chain(ALWAYS_READ).collect();
    kinds.into_iter().collect()
}

fn wall_clock() -> Timestamp {
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
