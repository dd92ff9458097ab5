//! `df`: how full file systems are.

use super::{Asked, bytes};
use crate::text::Out;
use crate::text::lines::Line;
use model::HostFigure;

/// Most file systems kept of one table.
const MAX_ROWS: usize = 256;

/// File systems that hold no data of their own, or are always full.
const NO_DISKS: &[&str] =
    &["tmpfs", "devtmpfs", "udev", "shm", "none", "overlay", "squashfs", "cgroup", "efivarfs"];

/// Reads the table that begins at the first of `lines`.
pub(super) fn read(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let header = lines.first()?.text.trim_end();
    if !header.starts_with("Filesystem") || !header.contains("Mounted on") {
        return None;
    }
    let inodes = header.contains("IUse%") || header.contains("Inodes");
    let unit = if header.contains("1K-blocks") || header.contains("1024-blocks") {
        1024.0
    } else if header.contains("1M-blocks") {
        1_048_576.0
    } else if header.contains("512-blocks") {
        512.0
    } else {
        1.0
    };
    let (mut used, mut kept) = (1, 0);
    // A long device name stands on a line of its own.
    let mut device = "";
    while let Some(line) = lines.get(used).filter(|l| !l.is_blank()) {
        let words: Vec<&str> = line.text.split_whitespace().collect();
        if let [alone] = words.as_slice()
            && !alone.ends_with('%')
            && (alone.starts_with('/') || alone.contains(':'))
        {
            device = alone;
            used += 1;
            continue;
        }
        let Some(figure) = row(&words, std::mem::take(&mut device), inodes, unit) else { break };
        used += 1;
        if let Some(figure) = figure
            && kept < MAX_ROWS
        {
            asked.send(figure, line.number, out);
            kept += 1;
        }
    }
    Some(used)
}

/// A row; the inner `None` when it is no disk; the outer one when it is no row.
fn row(words: &[&str], device: &str, inodes: bool, unit: f64) -> Option<Option<HostFigure>> {
    let share = |w: &str| -> Option<u8> {
        if w == "-" { Some(0) } else { w.strip_suffix('%')?.parse().ok() }
    };
    let at = words.iter().rposition(|w| w.ends_with('%') && share(w).is_some());
    let at = at.or_else(|| words.iter().rposition(|w| *w == "-"))?;
    let used_percent = share(words.get(at)?)?;
    let mount = words.get(at + 1..)?.join(" ");
    let size = words.get(at.checked_sub(3)?)?;
    let device = if device.is_empty() { words.first()? } else { device };
    let size = if inodes { bytes(size, 1.0) } else { bytes(size, unit) };
    let disk = !NO_DISKS.contains(&device) && !device.starts_with("/dev/loop");
    if !mount.starts_with('/') {
        return None;
    }
    let Some(size) = size.filter(|s| disk && *s > 0) else { return Some(None) };
    Some(Some(HostFigure::FileSystem { mount: mount.into(), size, used_percent, inodes }))
}
