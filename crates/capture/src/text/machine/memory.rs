//! Memory as `free` and the head of `top` print it.

use super::{Asked, bytes};
use crate::text::Out;
use crate::text::lines::Line;
use model::HostFigure;

/// A total below this, without any unit, counts MiB, not KiB.
const LEAST_KIB: u64 = 131_072;

/// Reads `free`, or a line of `top` about memory.
pub(super) fn read(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let first = lines.first()?;
    let text = first.trimmed();
    if text.starts_with("total ") && text.contains(" used ") && text.contains(" free") {
        return free(lines, asked, out);
    }
    let units = [("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)];
    let found = units.iter().find_map(|(name, unit)| Some((*unit, text.strip_prefix(name)?)));
    let (unit, rest) = found.map(|(unit, rest)| (unit, rest.trim_start()))?;
    if rest.starts_with("Swap") {
        return Some(1);
    }
    let rest = rest.strip_prefix("Mem")?.trim_start().strip_prefix(':')?;
    let named = |text: &str, name: &str| -> Option<u64> {
        let part = text.split(',').find(|p| p.trim_end().trim_end_matches('.').ends_with(name))?;
        bytes(part.split_whitespace().next()?.trim_end_matches('+'), unit)
    };
    let total = named(rest, "total")?;
    let (unused, cache) = (named(rest, "free")?, named(rest, "buff/cache").unwrap_or(0));
    let swap = lines.get(1).map_or("", |l| l.text.as_ref());
    let swap = swap.replace(". ", ", ");
    let available = named(&swap, "avail Mem").unwrap_or(unused.saturating_add(cache));
    let figure = HostFigure::Memory {
        total_bytes: total,
        used_bytes: named(rest, "used").unwrap_or(total.saturating_sub(available)),
        available_bytes: available,
        cache_bytes: cache,
    };
    asked.send(figure, first.number, out);
    Some(1)
}

/// The table of `free`, of all ages.
fn free(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let names: Vec<&str> = lines.first()?.text.split_whitespace().collect();
    let row = lines.get(1)?;
    let cells: Vec<&str> = row.trimmed().strip_prefix("Mem:")?.split_whitespace().collect();
    let raw = |name: &str| cells.get(names.iter().position(|n| *n == name)?).copied();
    let total = raw("total")?;
    let unit = match total.parse::<u64>() {
        _ if asked.flag('b') => 1.0,
        _ if asked.flag('m') => 1_048_576.0,
        _ if asked.flag('g') => 1_073_741_824.0,
        Ok(total) if total < LEAST_KIB && !asked.flag('k') => 1_048_576.0,
        _ => 1024.0,
    };
    let amount = |name: &str| raw(name).and_then(|c| bytes(c, unit));
    let cache = match amount("buff/cache") {
        Some(both) => both,
        // Before 2014 `used` counted what caches hold.
        None => amount("buffers").unwrap_or(0).saturating_add(amount("cached").unwrap_or(0)),
    };
    let old = names.contains(&"cached");
    let used = amount("used")?;
    let figure = HostFigure::Memory {
        total_bytes: amount("total")?,
        used_bytes: if old { used.saturating_sub(cache) } else { used },
        available_bytes: amount("available")
            .unwrap_or_else(|| amount("free").unwrap_or(0).saturating_add(cache)),
        cache_bytes: cache,
    };
    asked.send(figure, row.number, out);
    let rest = lines.iter().skip(2);
    let more = ["Swap:", "-/+ buffers", "Total:", "Low:", "High:"];
    let tail = rest.take_while(|l| more.iter().any(|m| l.trimmed().starts_with(m))).count();
    Some(2 + tail)
}
