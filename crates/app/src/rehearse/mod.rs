//! Rehearsals: something happens to a simulated cluster, which is read and judged as any cluster
//! is. It must never help the diagnosis: all it hands over is the API.

mod acts;
mod file;
mod library;
mod play;
mod record;
mod wish;

pub(crate) use library::{find, list};
pub(crate) use record::run;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use kube::Client;
use model::{Blind, Scenario, Severity, Situation, Timestamp};
use twin::Twin;

use crate::commands;
use crate::evidence::{self, Evidence};
use crate::exit::Code;
use crate::progress::Spinner;
use crate::runtime;

/// A scenario on its way.
#[derive(Debug)]
pub struct Rehearsal {
    twin: Twin,
    last_act: Timestamp,
}

impl Rehearsal {
    /// Puts up the standard cluster and makes the scenario its timeline. The same scenario and
    /// seed always run the same way.
    ///
    /// # Errors
    /// When an act cannot be read.
    pub fn new(scenario: &Scenario, seed: u64) -> anyhow::Result<Self> {
        let stage = acts::stage(scenario, seed)?;
        let last = stage.timeline.iter().map(|(at, _)| *at).max().unwrap_or(0);
        let last_act = stage.start.plus_seconds(last);
        Ok(Self { twin: Twin::new(stage), last_act })
    }

    /// The standard cluster, to which nothing happens.
    pub fn at_rest(seed: u64) -> Self {
        let stage = twin::scenario::standard(seed);
        let last_act = stage.start;
        Self { twin: Twin::new(stage), last_act }
    }

    /// Runs to so many seconds after the last act. Time never goes back.
    ///
    /// # Errors
    /// When the cluster refused something that an act applies.
    pub fn run_to(&self, seconds: u32) -> anyhow::Result<()> {
        self.twin.run_until(self.last_act.plus_seconds(i64::from(seconds)));
        match self.twin.refusals().first() {
            Some(refusal) => bail!("the cluster refused {refusal}"),
            None => Ok(()),
        }
    }

    /// What a diagnosis says now.
    ///
    /// # Errors
    /// Those of reading a cluster.
    pub fn judge(&self) -> anyhow::Result<Situation> {
        let read = evidence::of_twin(&self.twin, &Spinner::start(false));
        let evidence = read.map_err(|failure| failure.error)?.finish();
        Ok(engine::step(&evidence.now, catalog::ALL))
    }

    /// The cluster itself, e.g. to read it through a client that loses something.
    pub fn twin(&self) -> &Twin {
        &self.twin
    }

    /// Every object of the cluster as one line of JSON, in a fixed order.
    pub fn dump(&self) -> String {
        self.twin.dump()
    }
}

/// What a diagnosis says of a cluster behind a client.
#[derive(Debug)]
pub struct Judged {
    /// What it found.
    pub situation: Situation,
    /// All that it says it could not see.
    pub blind: Vec<Blind>,
    /// How the program would end.
    pub code: Code,
}

/// Reads a cluster through a client, which is made in the event loop that it needs, and judges
/// it as `diagnose` does. A page of a list is waited for as long as this.
///
/// # Errors
/// Those of reading a cluster.
pub fn judge_through(
    client: impl FnOnce() -> Client,
    page_timeout: Duration,
) -> anyhow::Result<Judged> {
    let scope = cluster::Scope { page_timeout: Some(page_timeout), ..cluster::Scope::default() };
    let read = runtime::run(async {
        evidence::through(&client(), scope, &[], &Spinner::start(false)).await
    });
    Ok(judged(read.map_err(|failure| failure.error)?.finish()))
}

/// Reads captured input and judges it as `diagnose` does.
///
/// # Errors
/// When a path does not exist.
pub fn judge_files(paths: &[&Path]) -> anyhow::Result<Judged> {
    let read = evidence::of_files(paths, &Spinner::start(false));
    Ok(judged(read.map_err(|failure| failure.error)?.finish()))
}

fn judged(evidence: Evidence) -> Judged {
    let situation = engine::step(&evidence.now, catalog::ALL);
    let blind = evidence.source.blind.iter().chain(&situation.blind).cloned().collect();
    let code = commands::code(&situation, Severity::Ticket);
    Judged { situation, blind, code }
}
