//! Evidence that is not of the API, beside the evidence that is: Prometheus and Alertmanager.

use std::path::PathBuf;

use model::{Blind, Kind, Timestamp};
use monitor::{Access, Source as Asked, Window};
use serde_json::Value;

use super::{Raw, Request};
use crate::exit::{Code, Failure};
use crate::progress::Spinner;
use crate::runtime;
use crate::settings::Monitoring;
use crate::views::InputDocument;

/// How far back is looked when nobody says.
const WINDOW_SECONDS: i64 = 3600;
/// Further back nobody looks for the begin of an incident.
const LONGEST_WINDOW_SECONDS: i64 = 7 * 86_400;
/// A larger file of alerts is none.
const ALERT_FILE_BYTES: u64 = 32 << 20;

/// Adds what the sources that were named tell of the time that the evidence is of.
///
/// # Errors
/// When an address, a token or a file cannot be used at all.
pub(super) fn add(raw: &mut Raw, request: &Request<'_>, spinner: &Spinner) -> Result<(), Failure> {
    let options = &request.input.monitoring;
    if let Some(url) = &options.prometheus {
        spinner.say("asking Prometheus".to_owned());
        let access = access(options, url, options.prometheus_token_file.clone());
        prometheus(raw, &access, request)?;
    }
    if let Some(place) = &options.alertmanager {
        spinner.say("reading alerts".to_owned());
        if place.contains("://") {
            let access = access(options, place, options.alertmanager_token_file.clone());
            let (place, (alerts, blind)) = runtime::run(async {
                let source = source(&access, ALERTMANAGER)?;
                Ok((source.place().to_owned(), monitor::alerts(&source).await))
            })?;
            take_alerts(raw, &place, "alertmanager", alerts, blind);
        } else {
            take_alerts(raw, place, "alertmanager-json", from_file(place)?, Vec::new());
        }
    }
    Ok(())
}

const PROMETHEUS: (&str, &str) = ("--prometheus", "--prometheus-token-file");
const ALERTMANAGER: (&str, &str) = ("--alertmanager", "--alertmanager-token-file");

fn access(options: &Monitoring, url: &str, token_file: Option<PathBuf>) -> Access {
    Access { url: url.to_owned(), token_file, ca_file: options.monitoring_ca.clone() }
}

/// Whom the options name; it lives as long as the event loop that it is made in.
fn source(
    access: &Access,
    (option, token): (&'static str, &'static str),
) -> Result<Asked, Failure> {
    Asked::new(access, option, token).map_err(|e| Failure::new(Code::Usage, e))
}

fn prometheus(raw: &mut Raw, access: &Access, request: &Request<'_>) -> Result<(), Failure> {
    let window = window(raw, request);
    let (objects, _) = raw.evidence.counts();
    // Whoever reads objects themselves knows more of them than who counts them.
    let wants = |kind: Kind| objects == 0 && kind.is_api_object();
    let document = u16::try_from(raw.source.documents.len()).unwrap_or(u16::MAX);
    let (place, reading) = runtime::run(async {
        let source = source(access, PROMETHEUS)?;
        let reading = monitor::prometheus(&source, window, wants, document).await;
        Ok((source.place().to_owned(), reading))
    })?;
    let figures = reading.samples.len() + reading.hosts.len();
    let told = reading.objects.len();
    raw.evidence.samples.extend(reading.samples);
    raw.evidence.hosts.extend(reading.hosts);
    reading.objects.into_iter().for_each(|o| raw.evidence.add(o, document));
    if reading.is_lost {
        raw.evidence.coverage.note_lost_source();
    }
    raw.source.documents.push(InputDocument {
        name: place,
        format: "prometheus".to_owned(),
        objects: told,
        events: 0,
        lines: figures,
        skipped: 0,
    });
    raw.source.blind.extend(reading.blind);
    if !reading.alerts.is_empty() {
        let alerts = reading.alerts.into_iter().filter_map(capture::alerts::alert);
        let alerts = alerts.map(|a| capture::alerts::record(&a, document));
        raw.evidence.alerts.extend(alerts);
    }
    raw.now = raw.now.or((objects == 0).then_some(window.end));
    Ok(())
}

/// The time that is asked about: up to the present of the evidence.
fn window(raw: &Raw, request: &Request<'_>) -> Window {
    let now = raw.now.or(raw.evidence.newest()).unwrap_or_else(super::live::wall_clock);
    let end = request.at.map_or(now, |at| at.resolve(now)).min(now);
    let since = request.since.map(|since| since.resolve(end));
    let longest = end.minus_seconds(LONGEST_WINDOW_SECONDS);
    let usual = end.minus_seconds(WINDOW_SECONDS);
    // What began just now is told from what was usual before.
    Window { start: since.unwrap_or(usual).min(usual).max(longest), end }
}

fn take_alerts(raw: &mut Raw, name: &str, format: &str, alerts: Vec<Value>, blind: Vec<Blind>) {
    let document = u16::try_from(raw.source.documents.len()).unwrap_or(u16::MAX);
    let given = alerts.len();
    let alerts = alerts.into_iter().filter_map(capture::alerts::alert);
    let alerts: Vec<_> = alerts.map(|a| capture::alerts::record(&a, document)).collect();
    raw.source.documents.push(InputDocument {
        name: name.to_owned(),
        format: format.to_owned(),
        objects: 0,
        events: 0,
        lines: alerts.len(),
        skipped: given - alerts.len(),
    });
    // An alert that was sent twice is one.
    for alert in alerts {
        let same = |a: &model::Alert| a.name == alert.name && a.subjects == alert.subjects;
        if !raw.evidence.alerts.iter().any(same) {
            raw.evidence.alerts.push(alert);
        }
    }
    if !blind.is_empty() {
        raw.evidence.coverage.note_lost_source();
    }
    raw.source.blind.extend(blind);
}

/// Alerts as the API of Alertmanager or Prometheus answers them.
fn from_file(path: &str) -> Result<Vec<Value>, Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("--alertmanager: cannot read alerts of {path}: {why}"))
            .next("It wants the answer of /api/v2/alerts, or the address of an Alertmanager.")
    };
    let size = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.len();
    if size > ALERT_FILE_BYTES {
        return Err(wrong(format!("it is larger than {} MiB", ALERT_FILE_BYTES >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
    let list = [value.pointer("/data/alerts"), value.pointer("/data"), Some(&value)];
    let list = list.into_iter().flatten().find_map(Value::as_array);
    list.cloned().ok_or_else(|| wrong("it has no list of alerts".to_owned()))
}

/// What stands for the cluster's own API when it cannot be asked.
pub(super) fn alone(failure: Option<&Failure>) -> Raw {
    let mut raw = Raw {
        evidence: model::Builder::default(),
        now: Some(present()),
        source: crate::views::Source::default(),
    };
    let why = match failure {
        Some(failure) => {
            raw.evidence.coverage.note_lost_source();
            format!("{:#}", failure.error)
        }
        None => "no cluster is configured here".to_owned(),
    };
    raw.source.blind.push(Blind {
        what: "objects and events of the Kubernetes API".to_owned(),
        why: why.chars().take(300).collect(),
        ask: "kubectl get pods,nodes,events -A".to_owned(),
    });
    raw
}

fn present() -> Timestamp {
    super::live::wall_clock()
}
