//! Ended processes that nobody takes note of, and who leaves them behind.

use model::record::{Container, Exec};
use model::{App, HostFact, HostFigure, Kind, Snapshot};

use crate::listening;

/// Ended processes of one command, on one machine.
pub(super) struct Pile<'s> {
    pub(super) count: u32,
    /// What they were, where only one command was named.
    pub(super) command: &'s str,
    pub(super) parent: u32,
    pub(super) parent_command: &'s str,
    pub(super) document: u16,
}

/// Fewer are no fault: every machine has a few for a moment.
const LEAST: u32 = 500;

/// The largest pile on a machine; nothing when there are few.
pub(super) fn pile<'s>(node: &'s str, now: &'s Snapshot) -> Option<Pile<'s>> {
    let of = |h: &'s HostFact| match &h.figure {
        HostFigure::Tasks { defunct, .. } => Some(Pile {
            count: *defunct,
            command: "",
            parent: 0,
            parent_command: "",
            document: h.document,
        }),
        HostFigure::Defunct { parent, parent_command, command, count } => Some(Pile {
            count: *count,
            command,
            parent: *parent,
            parent_command,
            document: h.document,
        }),
        _ => None,
    };
    let piles: Vec<Pile<'s>> = now.host_figures(node).filter_map(of).collect();
    let most = piles.iter().map(|p| p.count).max().filter(|c| *c >= LEAST)?;
    // The one that names the command says more than the sum that it is most of.
    let fits = |p: &Pile<'_>| p.count >= most / 2;
    piles.into_iter().filter(fits).max_by_key(|p| (!p.command.is_empty(), p.count))
}

/// A probe whose command leaves such processes behind: its workload, container and field.
pub(super) type Source<'s> = (&'s App, &'s Container, &'static str);

/// The only workload on the node whose probe runs this command.
pub(super) fn source<'s>(node: &str, command: &str, now: &'s Snapshot) -> Option<Source<'s>> {
    if command.is_empty() {
        return None;
    }
    let mut here = now.apps_on(node);
    here.retain(|(a, pods)| a.object.kind != Kind::Job && pods.iter().any(|p| p.runs_on()));
    let mut found = here.into_iter().flat_map(|(app, _)| {
        let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
        containers.flat_map(move |c| {
            let own = listening::probes(c)
                .filter(|(_, p)| p.exec.as_ref().is_some_and(|e| runs(e, command)));
            own.map(move |(field, _)| (app, c, field))
        })
    });
    let first = found.next()?;
    found.all(|(app, ..)| app.object == first.0.object).then_some(first)
}

/// Whether a probe's command starts this program, itself or by a shell.
fn runs(exec: &Exec, program: &str) -> bool {
    let words = exec.command.iter().flat_map(|w| w.split([' ', ';', '|', '&', '(', ')', '`']));
    words.map(|w| w.rsplit('/').next().unwrap_or(w)).any(|w| w == program)
}
