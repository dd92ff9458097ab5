//! Losing sight of any one list, in any way, never looks better than seeing everything: no
//! better verdict, no surer cause, no quieter exit code; and what was lost is named.

mod lossy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Certainty, Kind, Scenario, Severity, Verdict};
use seaworthy::Code;
use seaworthy::rehearse::{Judged, Rehearsal, judge_files, judge_through};

use lossy::{Asked, Loss, client};

const PAGE_TIMEOUT: Duration = Duration::from_millis(100);

/// Everything that a diagnosis lists, as it was answered.
fn lists(rehearsal: &Rehearsal) -> BTreeMap<Kind, String> {
    let asked = Asked::default();
    judge_through(|| client(rehearsal.twin(), None, &asked), PAGE_TIMEOUT).unwrap();
    let asked = asked.lock().unwrap();
    let all = catalog::ALL.iter().flat_map(|k| k.reads.iter().copied());
    let all = all.chain([Kind::Secret, Kind::ConfigMap, Kind::CronJob, Kind::Namespace]);
    let listed = |kind: Kind| Some((kind, asked.get(&lossy::path(kind))?.clone()));
    let lists: BTreeMap<Kind, String> = all.filter_map(listed).collect();
    let paths: Vec<&String> = asked.keys().filter(|p| *p != "/version").collect();
    assert_eq!(paths.len(), lists.len(), "a list that this test does not know: {paths:?}");
    lists
}

fn judge(rehearsal: &Rehearsal, loss: Option<(Kind, Loss)>) -> Judged {
    let asked = Asked::default();
    judge_through(|| client(rehearsal.twin(), loss, &asked), PAGE_TIMEOUT).unwrap()
}

/// How good the news are. Knowing too little is no good news.
fn comfort(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Broken | Verdict::Inconclusive => 0,
        Verdict::Degraded => 1,
        Verdict::Recovering => 2,
        Verdict::AtRisk => 3,
        Verdict::Healthy => 4,
    }
}

/// What is better with less seen.
fn better(all: &Judged, less: &Judged) -> Vec<String> {
    let mut found = Vec::new();
    let (was, is) = (all.situation.verdict, less.situation.verdict);
    if comfort(is) > comfort(was) {
        found.push(format!("{is:?} instead of {was:?}"));
    }
    if all.code != Code::Clean && less.code == Code::Clean {
        found.push("it ends as if all were well".to_owned());
    }
    for incident in &less.situation.incidents {
        let now = incident.cause();
        let same = |i: &&model::Incident| {
            let c = i.cause();
            (c.failure, c.mechanism, &c.object) == (now.failure, now.mechanism, &now.object)
        };
        let before = all.situation.incidents.iter().find(same).map(|i| i.cause().certainty);
        if before.is_some_and(|before| before < now.certainty) {
            found.push(format!("surer of {} of {}", now.failure, now.object));
        }
        // Seeing less is no evidence of anything new.
        let sure = now.certainty == Certainty::Proven && incident.severity > Severity::Note;
        let members = || all.situation.incidents.iter().flat_map(|i| &i.members);
        let known = members().any(|m| m.finding.object == now.object);
        if sure && !known {
            found.push(format!("it proves {} of {}", now.failure, now.object));
        }
    }
    found
}

/// What is wrong with a verdict on less, given the one on everything.
fn wrong(all: &Judged, less: &Judged, kind: Kind) -> Vec<String> {
    let mut wrong = better(all, less);
    if !less.blind.iter().any(|b| b.what.contains(kind.plural())) {
        wrong.push(format!("it is not said that {} were not seen", kind.plural()));
    }
    if kind == Kind::Pod && less.code == Code::Clean {
        wrong.push("without pods nobody can say that all is well".to_owned());
    }
    wrong
}

/// Loses each list in these ways; lists without anything in them too, if told so.
fn check(name: &str, rehearsal: &Rehearsal, losses: &[Loss], also_empty: bool) -> Vec<String> {
    let all = judge(rehearsal, None);
    let mut found = Vec::new();
    for (kind, list) in lists(rehearsal) {
        if !also_empty && list.contains("\"items\":[]") {
            continue;
        }
        for loss in losses {
            let less = judge(rehearsal, Some((kind, *loss)));
            let wrong = wrong(&all, &less, kind).into_iter();
            found.extend(wrong.map(|w| format!("{name}, {kind} {loss:?}: {w}")));
        }
    }
    found
}

/// A folder with one file for each list, removed at the end.
struct Dump(PathBuf);

impl Dump {
    fn of(lists: &BTreeMap<Kind, String>) -> Self {
        let folder = std::env::temp_dir();
        let folder = folder.join(format!("seaworthy-{}-dump", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (kind, list) in lists {
            std::fs::write(folder.join(kind.plural()).with_extension("json"), list).unwrap();
        }
        Dump(folder)
    }

    fn judge(&self) -> Judged {
        judge_files(&[Path::new(&self.0)]).unwrap()
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Kinds of which a cluster in use may well have none: that their list is not in a capture does
/// not show that it was lost. It is named, and that is all that can be done.
/// Endpoints say nothing that their slices do not.
const MAY_BE_NONE: [Kind; 4] =
    [Kind::Endpoints, Kind::Event, Kind::Ingress, Kind::PersistentVolumeClaim];

#[test]
fn no_file_that_a_capture_lacks_or_that_ends_early_makes_it_look_better() {
    let mut found = Vec::new();
    for id in ["", "node-not-ready", "pod-crash-looping", "service-without-endpoints"] {
        let rehearsal = match catalog::ALL.iter().find(|k| k.id == id) {
            None => Rehearsal::at_rest(1),
            Some(kind) => Rehearsal::new(&(kind.rehearse)().unwrap(), 1).unwrap(),
        };
        rehearsal.run_to(300).unwrap();
        let lists = lists(&rehearsal);
        let dump = Dump::of(&lists);
        let all = dump.judge();
        for (kind, list) in &lists {
            let file = dump.0.join(kind.plural()).with_extension("json");
            // Few captures have lists of these at all, so that nobody misses one.
            if list.contains("\"items\":[]") || kind.is_optional() {
                continue;
            }
            let mut look = |how: &str| {
                let wrong = wrong(&all, &dump.judge(), *kind).into_iter();
                found.extend(wrong.map(|w| format!("{id}, {kind} {how}: {w}")));
            };
            std::fs::write(&file, &list[..list.len() * 2 / 3]).unwrap();
            look("cut");
            std::fs::remove_file(&file).unwrap();
            if !MAY_BE_NONE.contains(kind) {
                look("removed");
            }
            std::fs::write(&file, list).unwrap();
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_list_that_is_lost_makes_a_healthy_cluster_look_surely_well() {
    let rest = Rehearsal::at_rest(1);
    rest.run_to(600).unwrap();
    let wrong = check("healthy", &rest, &Loss::ALL, true);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_list_that_is_lost_makes_a_broken_cluster_look_better() {
    let mut wrong = Vec::new();
    let mut played = 0;
    for kind in catalog::ALL {
        let playable = |s: &Scenario| s.waits_for().is_empty();
        let Some(scenario) = (kind.rehearse)().filter(playable) else { continue };
        let rehearsal = Rehearsal::new(&scenario, 1).unwrap();
        rehearsal.run_to(scenario.found_within_seconds).unwrap();
        // One way of losing a list is as good as another, which the first one shows.
        let losses = if played < 1 { &Loss::ALL[..] } else { &Loss::ALL[..1] };
        played += 1;
        wrong.extend(check(kind.id, &rehearsal, losses, false));
    }
    assert!(played > 10, "{played} scenarios");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_fails_every_list_is_told_apart_from_who_is_well() {
    let rest = Rehearsal::at_rest(1);
    for loss in [Loss::Refused, Loss::Failed, Loss::Hangs, Loss::Cut] {
        let client = || lossy::client_without_lists(rest.twin(), loss);
        let error = judge_through(client, PAGE_TIMEOUT).err();
        assert!(error.is_some(), "{loss:?}");
    }
}
