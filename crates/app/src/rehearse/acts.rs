//! What the twin does for the acts of a failure kind's scenario.

use anyhow::{Context as _, bail};
use model::{Act, Scenario};
use serde_json::Value;
use twin::scenario::{Fault, Scenario as Stage, standard};

/// The standard cluster with the scenario as its timeline.
///
/// # Errors
/// When an act cannot be read, or the twin cannot do it.
pub(super) fn stage(scenario: &Scenario, seed: u64) -> anyhow::Result<Stage> {
    let mut stage = standard(seed);
    for (at_seconds, act) in &scenario.acts {
        stage.timeline.push((i64::from(*at_seconds), fault(act)?));
    }
    Ok(stage)
}

/// What the twin does for an act.
fn fault(act: &Act) -> anyhow::Result<Fault> {
    Ok(match act {
        Act::Apply(text) => Fault::Apply { manifests: manifests(text)? },
        Act::StopKubelet(node) => Fault::StopKubelet { node: (*node).to_owned() },
        Act::StartKubelet(node) => Fault::StartKubelet { node: (*node).to_owned() },
        Act::StopRuntime(node) => Fault::StopRuntime { node: (*node).to_owned() },
        Act::LoseImage(image) => Fault::LoseImage { image: (*image).to_owned() },
        Act::Crash { workload, exit_code } => {
            let (namespace, workload) = place(workload)?;
            Fault::Crash { namespace, workload, exit_code: i64::from(*exit_code) }
        }
        Act::GrowMemory { workload, bytes_per_second } => {
            let (namespace, workload) = place(workload)?;
            let bytes_per_second = i64::try_from(*bytes_per_second).unwrap_or(i64::MAX);
            Fault::GrowMemory { namespace, workload, bytes_per_second }
        }
        Act::Unmodelled(what) => bail!("the simulated cluster cannot do this yet: {what}"),
    })
}

fn manifests(text: &str) -> anyhow::Result<Vec<Value>> {
    let read = serde_saphyr::from_multiple::<Value>(text);
    let all = read.with_context(|| format!("cannot read what is applied:\n{text}"))?;
    Ok(all.into_iter().filter(|manifest| !manifest.is_null()).collect())
}

pub(super) fn place(workload: &str) -> anyhow::Result<(String, String)> {
    let place = workload.split_once('/');
    let place = place.with_context(|| format!("workload {workload:?} is not namespace/name"))?;
    Ok((place.0.to_owned(), place.1.to_owned()))
}
