//! `conntrack -S`: what the kernel counted about its table of connections.

use super::Asked;
use crate::text::Out;
use crate::text::lines::Line;
use model::HostFigure;

/// Reads the counters that begin at the first of `lines`, a line for each processor.
pub(super) fn read(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let of_cpu =
        |line: &&Line<'_>| line.text.starts_with("cpu=") && line.text.contains("insert_failed=");
    let all: Vec<&Line<'_>> = lines.iter().take_while(of_cpu).collect();
    let first = all.first()?;
    let sum = |name: &str| {
        let counts = all.iter().filter_map(|line| {
            let mut pairs = line.text.split_whitespace().filter_map(|w| w.split_once('='));
            pairs.find(|(key, _)| *key == name)?.1.parse::<u64>().ok()
        });
        counts.fold(0, u64::saturating_add)
    };
    let figure =
        HostFigure::Conntrack { insert_failed: sum("insert_failed"), dropped: sum("drop") };
    asked.send(figure, first.number, out);
    Some(all.len())
}
