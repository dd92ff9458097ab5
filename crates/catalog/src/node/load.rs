//! How loaded a node is, from whatever measured it. Shared by the kinds about loaded nodes.

use model::record::Node;
use model::{Evidence, HostFigure, Kind, Snapshot};

use crate::evidence;
use crate::wording::says;

/// Tasks that run or wait for each processor over fifteen minutes; more than this is overload.
pub(crate) const LOAD_PER_CORE: f64 = 2.0;

/// The load of a node over its last fifteen minutes.
pub(crate) struct Load {
    /// Tasks for each processor.
    pub(crate) per_core: f64,
    /// The load itself.
    pub(crate) fifteen: f64,
    pub(crate) cores: f64,
    pub(crate) evidence: Evidence,
}

/// The load of a node; `None` when it or the number of its processors is not known.
pub(crate) fn of(node: &Node, now: &Snapshot) -> Option<Load> {
    let cores = node.capacity.amount("cpu").milli() as f64 / 1000.0;
    let name = node.meta.name.as_str();
    let object = node.meta.object(Kind::Node);
    let (fifteen, document, field) = printed(name, now).or_else(|| sampled(name, now))?;
    let value = format!("{fifteen:.1} on {cores:.0} processors");
    (cores > 0.0).then(|| Load {
        per_core: fifteen / cores,
        fifteen,
        cores,
        evidence: evidence::field(document, &object, field, value),
    })
}

/// The load that `uptime` or `top` printed; the lowest of its three means from the last
/// fifteen minutes on, so that what is over does not count.
fn printed(name: &str, now: &Snapshot) -> Option<(f64, u16, &'static str)> {
    now.host_figures(name).find_map(|h| match h.figure {
        HostFigure::Load { one, five, fifteen } => {
            let lasting = f64::from(one.min(five).min(fifteen)) / 100.0;
            Some((lasting, h.document, "load over 15 minutes"))
        }
        _ => None,
    })
}

/// The load from a series of measurements: the lowest of the last ones.
fn sampled(name: &str, now: &Snapshot) -> Option<(f64, u16, &'static str)> {
    let fifteen = |metric: &str| says(metric, &["load15", "load_15", "loadavg_15", "load.15"]);
    let host = |subject: &str| subject.split(':').next() == Some(name) || subject == name;
    let own = now.samples.iter().filter(|s| host(&s.subject) && fifteen(&s.metric));
    let mut own: Vec<_> = own.map(|s| (s.at, s.value, s.document)).collect();
    own.sort_by_key(|s| std::cmp::Reverse(s.0));
    let last = own.iter().take(5);
    let lowest = last.map(|(_, v, d)| (*v, *d)).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some((lowest.0, lowest.1, "load15"))
}

/// What shows that a node is overloaded.
pub(crate) fn evidence_of_load(node: &Node, now: &Snapshot) -> Option<Evidence> {
    of(node, now).filter(|l| l.per_core > LOAD_PER_CORE).map(|l| l.evidence)
}
