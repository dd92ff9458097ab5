//! One situation in all the forms that kubectl gives it: JSON, YAML, a pasted session of
//! `describe`, and bare tables. The verdict is the same, or honestly less sure.
//!
//! The situations are in `tests/data/forms`; `base` is part of each.

mod cluster;

use std::path::PathBuf;

use capture::{Input, Limits};
use cluster::Cluster;
use model::{Certainty, Verdict};

/// What a form that prints less can tell.
#[derive(Clone, Copy, Debug)]
enum Tells {
    /// As much as everything else.
    Same,
    /// The failure and its object; of the mechanism only which ones are possible.
    LessSure,
    /// That something is wrong with the object; what it is stays possible, never more, unless
    /// the same mechanism is proven for another object on the way.
    Unsure,
    /// Nothing: they do not print what contradicts.
    Nothing,
}
use Tells::{LessSure, Nothing, Same, Unsure};

/// A situation and what every form of it must say.
struct Situation {
    /// Its folder.
    name: String,
    failure: String,
    mechanism: String,
    object: String,
    describe: Tells,
    tables: Tells,
}

/// All situations, in the order of their names.
fn situations() -> Vec<Situation> {
    let folders = std::fs::read_dir(super::data("forms")).unwrap();
    let mut names: Vec<String> =
        folders.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.into_iter().filter(|n| n != "base").map(situation).collect()
}

fn situation(name: String) -> Situation {
    let text = std::fs::read_to_string(super::data(&format!("forms/{name}/expected.yaml")));
    let expected: serde_json::Value = serde_saphyr::from_str(&text.unwrap()).unwrap();
    let text = |key: &str| expected[key].as_str().unwrap_or_else(|| panic!("{name}: {key}"));
    Situation {
        failure: text("failure").into(),
        mechanism: text("mechanism").into(),
        object: text("object").into(),
        describe: tells(expected["describe"].as_str().unwrap_or("same")),
        tables: tells(text("tables")),
        name,
    }
}

fn tells(word: &str) -> Tells {
    match word {
        "same" => Same,
        "less-sure" => LessSure,
        "unsure" => Unsure,
        "nothing" => Nothing,
        other => panic!("{other}: same, less-sure, unsure or nothing"),
    }
}

/// What happens has a situation here, or stands among those that have none yet.
#[test]
fn every_kind_is_tried_in_all_forms_or_named() {
    let situations = situations();
    let shown = |id: &str| situations.iter().any(|s| s.failure == id);
    let happens = |k: &&&model::FailureKind| k.detect.happens();
    let kinds = catalog::ALL.iter().filter(happens).map(|k| k.id);
    let missing: Vec<&str> = kinds.filter(|id| !shown(id)).collect();
    let open = std::fs::read_to_string(super::data("forms-open.txt")).unwrap();
    let open = open.lines().filter(|l| !l.starts_with('#'));
    let open: Vec<(&str, &str)> = open.map(|l| l.split_once(' ').unwrap_or((l, ""))).collect();
    for (id, why) in &open {
        assert!(why.trim().len() > 20, "{id}: say in forms-open.txt why no form shows it");
    }
    let open: Vec<&str> = open.into_iter().map(|(id, _)| id).collect();
    assert_eq!(missing, open, "add a situation to tests/data/forms, or a line to forms-open.txt");
}

#[test]
fn a_cluster_that_is_well_is_well_in_all_forms() {
    if !cluster::has_kubectl() {
        return;
    }
    let cluster = Cluster::of(cluster::objects(&[file("base")]), "well");
    for (form, text) in forms(&cluster) {
        let situation = read(&cluster, form, &text);
        assert_eq!(situation.verdict, Verdict::Healthy, "{form}: {situation:#?}");
        assert!(situation.incidents.is_empty(), "{form}: {situation:#?}");
    }
}

/// In two halves, to run side by side.
#[test]
fn all_forms_of_one_situation_give_one_verdict_first_half() {
    let situations = situations();
    check(situations.split_at(situations.len() / 2).0);
}

#[test]
fn all_forms_of_one_situation_give_one_verdict_second_half() {
    let situations = situations();
    check(situations.split_at(situations.len() / 2).1);
}

fn check(situations: &[Situation]) {
    if !cluster::has_kubectl() {
        return;
    }
    let mut wrong = Vec::new();
    for expected in situations {
        let files = [file("base"), file(&expected.name)];
        let cluster = Cluster::of(cluster::objects(&files), &expected.name);
        for (form, text) in forms(&cluster) {
            let seen = read(&cluster, form, &text);
            if let Err(why) = judge(expected, form, &seen) {
                wrong.push(format!("{} as {form}: {why}", expected.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a form says what it must.
fn judge(expected: &Situation, form: &str, seen: &model::Situation) -> Result<(), String> {
    let causes: Vec<&model::Finding> = seen.incidents.iter().map(model::Incident::cause).collect();
    let object = |c: &model::Finding| format!("{} {}", c.object.kind, c.object);
    let first = causes.first();
    let same_failure =
        first.is_some_and(|c| object(c) == expected.object && c.failure == expected.failure);
    let same = same_failure && first.is_some_and(|c| c.mechanism == expected.mechanism);
    let open = |c: &&model::Finding| {
        c.certainty == Certainty::Possible || c.alternatives.contains(&&*expected.mechanism)
    };
    let known = expected.mechanism.as_str();
    let tells = match form {
        "json" | "yaml" => Same,
        "tables" => expected.tables,
        _ => expected.describe,
    };
    let fine = match tells {
        Same => same && causes.len() == 1,
        LessSure => same_failure && (same || causes.iter().all(open)),
        Unsure => !causes.is_empty() && causes.iter().all(|c| open(c) || c.mechanism == known),
        Nothing => causes.is_empty(),
    };
    let say = |c: &&model::Finding| {
        format!("{}/{} of {} ({:?})", c.failure, c.mechanism, object(c), c.certainty)
    };
    if fine { Ok(()) } else { Err(format!("{:?}", causes.iter().map(say).collect::<Vec<_>>())) }
}

fn file(name: &str) -> PathBuf {
    super::data(&format!("forms/{name}/objects.yaml")).into()
}

/// Everything kubectl lists that a diagnosis may want.
const KINDS: &str = "nodes,pods,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,\
                     services,endpoints,endpointslices,persistentvolumeclaims,persistentvolumes,\
                     storageclasses,resourcequotas,limitranges,configmaps,secrets,\
                     serviceaccounts,namespaces,leases,ingresses,ingressclasses,\
                     horizontalpodautoscalers,poddisruptionbudgets";
/// Those that have more to tell when described.
const DESCRIBED: [&str; 9] = [
    "nodes",
    "pods",
    "deployments,replicasets,statefulsets",
    "services",
    "persistentvolumeclaims,persistentvolumes,storageclasses",
    "resourcequotas,limitranges",
    "configmaps,secrets,serviceaccounts,namespaces",
    "jobs,cronjobs",
    "ingresses,horizontalpodautoscalers,poddisruptionbudgets",
];

/// The cluster as kubectl shows it, by the name of the form.
fn forms(cluster: &Cluster) -> Vec<(&'static str, String)> {
    let everything = format!("{KINDS},events");
    let session = |commands: &[Vec<&str>]| -> String {
        let ran =
            commands.iter().map(|c| format!("$ kubectl {}\n{}", c.join(" "), cluster.kubectl(c)));
        ran.collect()
    };
    let described: Vec<Vec<&str>> = DESCRIBED.iter().map(|k| vec!["describe", k, "-A"]).collect();
    let described = session(&described);
    let tables = session(&[vec!["get", KINDS, "-A", "-o", "wide"], vec!["get", "events", "-A"]]);
    vec![
        ("json", cluster.kubectl(&["get", &everything, "-A", "-o", "json"])),
        ("yaml", cluster.kubectl(&["get", &everything, "-A", "-o", "yaml"])),
        // What was said in detail stays known when less is said again, and the other way round.
        ("describe, tables", format!("{described}{tables}")),
        ("tables, describe", format!("{tables}{described}")),
        ("describe", described),
        ("tables", tables),
    ]
}

fn read(cluster: &Cluster, form: &str, text: &str) -> model::Situation {
    let file = cluster.keep(form, text);
    let read = capture::read(&[Input::Path(file)], &Limits::default());
    let unread: Vec<String> =
        read.skipped.iter().map(|s| format!("{}:{}: {}", s.document, s.line, s.why)).collect();
    assert_eq!(unread, Vec::<String>::new(), "{form} in {}", cluster.folder().display());
    engine::step(&read.evidence.finish(None), catalog::ALL)
}
