//! The file of a rehearsal: YAML in the words of those who write one. It must never guess: a
//! field it does not know is an error that names it.

mod cluster;
mod fault;
mod wish;

#[cfg(test)]
mod tests;

use anyhow::{Context as _, ensure};
use model::Quantity;
use serde::Deserialize;
use twin::scenario::standard;

use super::play::Play;
use super::wish::Wish;
use crate::moment::duration_seconds;
use cluster::ClusterPart;
use fault::FaultPart;
use wish::WishPart;

/// Reads a rehearsal.
///
/// # Errors
/// When it is no YAML, has a field that no rehearsal has, or names a node or value that cannot be.
pub(super) fn parse(text: &str, seed: u64) -> anyhow::Result<Play> {
    let file: File = serde_saphyr::from_str(text)?;
    let hopes = file.expect.len() + file.forbid.len();
    ensure!(hopes > 0, "`expect` and `forbid` are both empty: it could not go wrong");
    let mut stage = standard(seed);
    if let Some(cluster) = file.cluster {
        cluster.build(&mut stage)?;
    }
    stage.name.clone_from(&file.name);
    for (index, fault) in file.faults.into_iter().enumerate() {
        fault.schedule(&mut stage).with_context(|| format!("faults[{index}]"))?;
    }
    let wishes = |all: Vec<WishPart>, what: &str| -> anyhow::Result<Vec<Wish>> {
        let read = |(index, wish): (usize, WishPart)| {
            wish.read().with_context(|| format!("{what}[{index}]"))
        };
        all.into_iter().enumerate().map(read).collect()
    };
    Ok(Play {
        name: file.name,
        story: file.story.split_whitespace().collect::<Vec<_>>().join(" "),
        lasts_seconds: file.lasts.seconds()?,
        expect: wishes(file.expect, "expect")?,
        forbid: wishes(file.forbid, "forbid")?,
        assumes: file.assumes,
        stage,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    name: String,
    story: String,
    lasts: Span,
    #[serde(default)]
    assumes: Vec<String>,
    cluster: Option<ClusterPart>,
    #[serde(default)]
    faults: Vec<FaultPart>,
    expect: Vec<WishPart>,
    #[serde(default)]
    forbid: Vec<WishPart>,
}

/// `90s`, `5m`, `1h30m`.
#[derive(Deserialize)]
struct Span(String);

impl Span {
    fn seconds(&self) -> anyhow::Result<i64> {
        let read = duration_seconds(&self.0);
        read.with_context(|| format!("{:?} is no duration such as 90s or 1h30m", self.0))
    }
}

/// `8Gi`, `500m`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(i64),
    Text(String),
}

impl Amount {
    fn quantity(&self) -> anyhow::Result<Quantity> {
        match self {
            Amount::Number(units) => Ok(Quantity::from_units(*units)),
            Amount::Text(text) => {
                text.parse().with_context(|| format!("{text:?} is no quantity such as 8Gi"))
            }
        }
    }

    fn bytes(this: Option<&Amount>, otherwise: i64) -> anyhow::Result<i64> {
        this.map_or(Ok(otherwise), |amount| Ok(amount.quantity()?.units()))
    }
}
