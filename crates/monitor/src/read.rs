//! Asks Prometheus all questions and joins the answers into evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use model::{Blind, HostFact, Kind, Object, Sample, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::answer::{self, Series};
use crate::ask::{self, encoded};
use crate::figures::Figures;
use crate::names::Names;
use crate::objects::Objects;
use crate::questions::{Family, Into, QUESTIONS, Question, TARGETS};
use crate::{Source, Trouble};

/// Questions that are asked at the same time.
const AT_A_TIME: usize = 4;
/// After so long nothing more is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Points of a course.
const POINTS: i64 = 60;
/// Points of a course are at least so far apart.
const LEAST_STEP_SECONDS: i64 = 15;
/// Targets that are named.
const NAMED_TARGETS: usize = 5;

/// The time that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its begin.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// What Prometheus told.
#[derive(Debug, Default)]
pub struct Reading {
    /// Measurements.
    pub samples: Vec<Sample>,
    /// What tools on machines would have said.
    pub hosts: Vec<HostFact>,
    /// Objects, as far as they are told of.
    pub objects: Vec<Object>,
    /// Alerts of its own rules, in its own form.
    pub alerts: Vec<Value>,
    /// What it does not see, or did not tell.
    pub blind: Vec<Blind>,
    /// Whether a question was asked in vain: something may be wrong that we were not told.
    pub is_lost: bool,
}

/// Asks about a window of time. Objects are told of only where their kind is wanted: whoever
/// reads the API knows better. `document` is what the evidence is said to be from.
pub async fn prometheus(
    source: &Source,
    window: Window,
    wants: impl Fn(Kind) -> bool,
    document: u16,
) -> Reading {
    let mut reading = Reading::default();
    let targets = match answer(source, &TARGETS, window).await {
        Ok((series, None)) if series.is_empty() => Err(Trouble::Empty),
        Ok((series, _)) => Ok(series),
        Err(trouble) => Err(trouble),
    };
    match targets {
        Ok(series) => reading.blind.extend(unreached(source, &series)),
        Err(trouble) => {
            reading.is_lost = true;
            let what = "what Prometheus measured".to_owned();
            reading.blind.push(source.blind(what, &trouble, &path(&TARGETS, window)));
            return reading;
        }
    }
    let until = Instant::now() + PATIENCE;
    let wants_objects = wants(Kind::Pod) || wants(Kind::Node);
    let asked: Vec<&Question> =
        QUESTIONS.iter().filter(|q| q.family != Family::Objects || wants_objects).collect();
    let mut answers = stream::iter(&asked)
        .map(|q| async move {
            let late = || Err(Trouble::Late(PATIENCE.as_secs()));
            tokio::time::timeout_at(until, answer(source, q, window))
                .await
                .unwrap_or_else(|_| late())
        })
        .buffered(AT_A_TIME);
    let mut sorted = Sorted { document, ..Sorted::default() };
    let mut in_vain: BTreeMap<Trouble, Vec<&Question>> = BTreeMap::new();
    let mut turn = asked.iter();
    while let (Some(answer), Some(question)) = (answers.next().await, turn.next()) {
        let trouble = match answer {
            Ok((series, partial)) => {
                sorted.take(question, &series);
                partial
            }
            Err(trouble) => Some(trouble),
        };
        if let Some(trouble) = trouble {
            sorted.heard.insert(question.family);
            let is_over = trouble.is_of_the_source();
            in_vain.entry(trouble).or_default().push(question);
            // Who is gone in the middle is not asked on.
            if is_over {
                break;
            }
        }
    }
    let rest: Vec<&Question> = turn.copied().collect();
    if let Some((_, questions)) = in_vain.iter_mut().find(|(t, _)| t.is_of_the_source()) {
        sorted.heard.extend(rest.iter().map(|q| q.family));
        questions.extend(rest);
    }
    drop(answers);
    reading.is_lost = !in_vain.is_empty();
    reading.blind.extend(untold(source, &in_vain, window));
    let families: BTreeSet<Family> = asked.iter().map(|q| q.family).collect();
    reading.blind.extend(silent(source, families, &sorted.heard));
    sorted.finish(&mut reading, wants);
    rules(source, &mut reading).await;
    reading
}

/// What was asked in vain, by what came instead.
fn untold(
    source: &Source,
    in_vain: &BTreeMap<Trouble, Vec<&Question>>,
    window: Window,
) -> Vec<Blind> {
    let told = in_vain.iter().filter_map(|(trouble, questions)| {
        let what: Vec<&str> = questions.iter().map(|q| q.what).collect();
        let path = path(questions.first()?, window);
        Some(source.blind(what.join(", "), trouble, &path))
    });
    told.collect()
}

/// Alerts of Prometheus' own rules: they fire also where no Alertmanager is told of them.
async fn rules(source: &Source, reading: &mut Reading) {
    const PATH: &str = "/api/v1/alerts";
    if reading.is_lost {
        return;
    }
    let answer = ask::get(source, PATH).await.and_then(|answer| {
        let value: Value =
            serde_json::from_slice(&answer).map_err(|e| Trouble::Unreadable(e.to_string()))?;
        match value.pointer("/data/alerts") {
            Some(Value::Array(alerts)) => Ok(alerts.clone()),
            _ => Err(Trouble::Unreadable("it has no alerts".into())),
        }
    });
    let firing = |a: &Value| a.get("state").and_then(Value::as_str) == Some("firing");
    match answer {
        Ok(alerts) => reading.alerts = alerts.into_iter().filter(firing).take(10_000).collect(),
        // What only speaks its query language has no rules.
        Err(Trouble::Status(404, _)) => {}
        Err(trouble) => {
            reading.is_lost = true;
            let what = "alerts of Prometheus' rules".to_owned();
            reading.blind.push(source.blind(what, &trouble, PATH));
        }
    }
}

type Answer = Result<(Vec<Series>, Option<Trouble>), Trouble>;

async fn answer(source: &Source, question: &Question, window: Window) -> Answer {
    let answer = ask::get(source, &path(question, window)).await?;
    answer::read(&answer)
}

fn path(question: &Question, window: Window) -> String {
    let query = encoded(question.query);
    let Window { start, end } = window;
    let (from, to) = (start.seconds(), end.seconds());
    if question.is_course {
        let step = (to.saturating_sub(from) / POINTS).max(LEAST_STEP_SECONDS);
        format!("/api/v1/query_range?query={query}&start={from}&end={to}&step={step}")
    } else {
        format!("/api/v1/query?query={query}&time={to}")
    }
}

/// What Prometheus itself does not reach.
fn unreached(source: &Source, targets: &[Series]) -> Option<Blind> {
    let down: BTreeSet<String> = targets
        .iter()
        .filter(|s| s.last() == Some(0.0))
        .map(|s| format!("{} {}", s.label("job"), s.label("instance")))
        .collect();
    let named: Vec<&str> = down.iter().take(NAMED_TARGETS).map(String::as_str).collect();
    let more = match down.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let place = source.place();
    (!down.is_empty()).then(|| Blind {
        what: format!("what {} measures", named.join(", ") + &more),
        why: format!("{} of {} targets do not answer Prometheus", down.len(), targets.len()),
        ask: format!("curl -sS '{place}/api/v1/targets?state=active'"),
    })
}

/// Families of which not one question had an answer with anything in it.
fn silent(source: &Source, asked: BTreeSet<Family>, heard: &BTreeSet<Family>) -> Vec<Blind> {
    let all = asked.into_iter().filter(|f| !heard.contains(f));
    let place = source.place();
    let silent = all.filter_map(|family| {
        let (what, who) = family.silent()?;
        Some(Blind {
            what: what.to_owned(),
            why: format!("{place} has none at this time: it does not scrape {who}"),
            ask: format!("curl -sS '{place}/api/v1/targets?state=active'"),
        })
    });
    silent.collect()
}

/// Answers, sorted into what they become.
#[derive(Default)]
struct Sorted {
    document: u16,
    names: Names,
    figures: Figures,
    objects: Objects,
    samples: Vec<Sample>,
    heard: BTreeSet<Family>,
}

impl Sorted {
    fn take(&mut self, question: &Question, series: &[Series]) {
        if series.is_empty() {
            return;
        }
        self.heard.insert(question.family);
        match question.into {
            Into::Targets => {}
            Into::Names => self.names.learn(series),
            Into::Figures => self.figures.take(series, &self.names),
            Into::Objects => self.objects.take(series),
            Into::NodeSample(metric) => {
                for s in series {
                    let node = self.names.node(s).to_owned();
                    self.sample(s, &node, metric);
                }
            }
            Into::PodSample(metric) => {
                for s in series {
                    let subject = format!("{}/{}", s.label("namespace"), s.label("pod"));
                    self.sample(s, &subject, metric);
                }
            }
            Into::PartSample(part, metric) => {
                series.iter().for_each(|s| self.sample(s, part, metric));
            }
        }
    }

    fn sample(&mut self, series: &Series, subject: &str, metric: &str) {
        for (at, value) in series.points() {
            self.samples.push(Sample {
                subject: subject.into(),
                metric: metric.into(),
                value,
                at: Some(at),
                document: self.document,
            });
        }
    }

    fn finish(self, reading: &mut Reading, wants: impl Fn(Kind) -> bool) {
        reading.samples = self.samples;
        reading.hosts = self.figures.facts(self.document);
        reading.objects = self.objects.decoded(wants);
    }
}
