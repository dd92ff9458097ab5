//! `plain`: nodes and nothing else, for those who bring their own workloads.

use std::str::FromStr;

use model::Timestamp;

use super::{NodeSpec, Scenario};
use crate::controllers;

const GIB: i64 = 1 << 30;

/// Which of the twin's own controllers run; the scheduler is one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Controllers {
    /// All of them.
    #[default]
    All,
    /// Only these: none, where others outside the twin do their work.
    Only(Vec<String>),
}

/// A controller of this name is not in the twin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no controller {name:?}; there are {}", controllers::names().join(", "))]
pub struct UnknownController {
    name: String,
}

impl Controllers {
    /// Whether the controller of this name runs.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|known| known == name),
        }
    }
}

impl FromStr for Controllers {
    type Err = UnknownController;

    /// `all`, `none`, or names separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = controllers::names();
        match text {
            "all" => Ok(Self::All),
            "none" => Ok(Self::Only(Vec::new())),
            list => {
                let named = list.split(',').map(|name| match known.iter().any(|k| k == name) {
                    true => Ok(name.to_owned()),
                    false => Err(UnknownController { name: name.to_owned() }),
                });
                Ok(Self::Only(named.collect::<Result<_, _>>()?))
            }
        }
    }
}

/// Nodes `node-1` and so on with four cores and 16 GiB each, in three zones; time begins at
/// `now`.
pub fn plain(seed: u64, now: Timestamp, nodes: u16, controllers: Controllers) -> Scenario {
    let node = |number: u16| NodeSpec {
        name: format!("node-{number}"),
        zone: format!("local-1{}", char::from(b'a' + (number % 3) as u8)),
        control_plane: false,
        cpu_milli: 4000,
        memory_bytes: 16 * GIB,
        reserved_bytes: GIB,
        daemons_bytes: GIB / 2,
    };
    Scenario {
        name: "plain".into(),
        seed,
        start: now,
        age_seconds: 0,
        nodes: (1..=nodes).map(node).collect(),
        workloads: Vec::new(),
        objects: Vec::new(),
        timeline: Vec::new(),
        duration_seconds: 0,
        controllers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_chosen_by_name() {
        let parsed = |text: &str| text.parse::<Controllers>();
        assert_eq!(parsed("all"), Ok(Controllers::All));
        assert_eq!(parsed("none"), Ok(Controllers::Only(Vec::new())));
        let two = parsed("deployment,scheduler").unwrap();
        assert!(two.has("scheduler") && !two.has("replicaset"));
        assert!(parsed("deployments").unwrap_err().to_string().contains("there are "));
    }
}
