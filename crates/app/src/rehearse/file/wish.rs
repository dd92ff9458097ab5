//! What must and what must not be seen in a rehearsal.

use anyhow::{bail, ensure};
use serde::Deserialize;

use super::super::acts::place;
use super::super::wish::{Sight, Wish};
use super::Span;

/// Something to see: exactly one of the fields beside the times and bounds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WishPart {
    after: Option<Span>,
    within: Option<Span>,
    finds: Option<String>,
    object: Option<String>,
    ready: Option<String>,
    least: Option<u32>,
    most: Option<u32>,
    event: Option<String>,
    about: Option<String>,
}

impl WishPart {
    pub(super) fn read(self) -> anyhow::Result<Wish> {
        let sight = match (self.finds, self.ready, self.event) {
            (Some(failure), None, None) => {
                ensure!(catalog::find(&failure).is_some(), "no failure kind is called {failure}");
                Sight::Finds { failure, object: self.object }
            }
            (None, Some(service), None) => {
                ensure!(self.least.or(self.most).is_some(), "`ready` needs `least` or `most`");
                let (namespace, service) = place(&service)?;
                let (least, most) = (self.least.unwrap_or(0), self.most.unwrap_or(u32::MAX));
                Sight::Ready { namespace, service, least, most }
            }
            (None, None, Some(reason)) => {
                Sight::Event { reason, about: self.about.unwrap_or_default() }
            }
            _ => bail!("one of finds, ready and event is needed, and only one"),
        };
        Ok(Wish {
            sight,
            after_seconds: self.after.map_or(Ok(0), |s| s.seconds())?,
            within_seconds: self.within.map(|s| s.seconds()).transpose()?,
        })
    }
}
