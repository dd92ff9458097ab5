//! Log files: whose they are, by their path, and their lines in bounded pieces.
//!
//! What the lines mean is not decided here.

use crate::piece::{LogOwner, Piece, Place};
use crate::text;
use std::io::{BufRead, BufReader, Read};

/// Lines in one [`Piece::Log`]; a longer log comes as several pieces in order.
pub const CHUNK_LINES: usize = 10_000;
/// Bytes in one [`Piece::Log`].
pub const CHUNK_BYTES: usize = 1024 * 1024;
/// Longest line kept.
pub const LINE_LIMIT_BYTES: usize = 64 * 1024;

/// Units that run on machines beside the cluster.
const UNITS: &[&str] = &[
    "kubelet",
    "containerd",
    "crio",
    "docker",
    "dockerd",
    "kube-proxy",
    "chronyd",
    "ntpd",
    "NetworkManager",
    "systemd-networkd",
    "kernel",
    "dmesg",
    "k3s",
    "rke2",
    "etcd",
];

/// Owner of a log known by a short name: `cart`, `shop/cart-x1`, `shop/cart-x1/app`.
pub fn owner_of_name(name: &str) -> LogOwner {
    let parts: Vec<&str> = name.split('/').filter(|p| !p.is_empty()).collect();
    let owned = |s: &&str| (*s).to_owned();
    match parts.as_slice() {
        [namespace, pod] => {
            LogOwner { name: owned(pod), namespace: Some(owned(namespace)), ..LogOwner::default() }
        }
        [namespace, pod, container] => LogOwner {
            name: owned(pod),
            namespace: Some(owned(namespace)),
            container: Some(owned(container)),
            ..LogOwner::default()
        },
        _ => LogOwner { name: name.to_owned(), ..LogOwner::default() },
    }
}

/// Owner of a log file by its path; nothing when the path does not look like one of a log.
pub fn owner_of_path(path: &str) -> Option<LogOwner> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let file = *parts.last()?;
    let stem = file.strip_suffix(".log").or_else(|| file.strip_suffix(".log.gz"));
    match parts.as_slice() {
        // `kubectl cluster-info dump --output-directory`
        [.., namespace, pod, "logs.txt"] => Some(pod_log(Some(namespace), pod, None, false)),
        // must-gather
        [.., "namespaces", namespace, "pods", pod, container, _, "logs", _] => {
            let stem = stem?;
            Some(pod_log(Some(namespace), pod, Some(container), stem.starts_with("previous")))
        }
        // support bundle
        [.., "pods", "logs", namespace, pod, _] => Some(bundle_log(Some(namespace), pod, stem?)),
        [.., "all-logs", pod, _] => Some(bundle_log(None, pod, stem?)),
        // /var/log/pods on a node
        [.., "pods", directory, container, _] => {
            let (namespace, rest) = directory.split_once('_')?;
            let (pod, _uid) = rest.rsplit_once('_')?;
            let _number: u32 = stem?.parse().ok()?;
            Some(pod_log(Some(namespace), pod, Some(container), false))
        }
        // /var/log/containers on a node
        [.., "containers", _] => {
            let (pod, rest) = stem?.split_once('_')?;
            let (namespace, rest) = rest.split_once('_')?;
            let (container, _id) = rest.rsplit_once('-')?;
            Some(pod_log(Some(namespace), pod, Some(container), false))
        }
        _ => Some(loose_log(&parts, stem?)),
    }
}

fn pod_log(ns: Option<&str>, pod: &str, container: Option<&str>, previous: bool) -> LogOwner {
    LogOwner {
        name: pod.to_owned(),
        namespace: ns.map(str::to_owned),
        container: container.map(str::to_owned),
        unit: None,
        previous,
    }
}

fn bundle_log(namespace: Option<&str>, pod: &str, stem: &str) -> LogOwner {
    let current = stem.strip_suffix("-previous");
    pod_log(namespace, pod, Some(current.unwrap_or(stem)), current.is_some())
}

/// A log file in no layout we know: its name is the owner's, or a unit's and its folder the
/// node's.
fn loose_log(parts: &[&str], stem: &str) -> LogOwner {
    let current = stem.strip_suffix("-previous").or_else(|| stem.strip_suffix(".previous"));
    let name = current.unwrap_or(stem);
    let unit = name.trim_end_matches(".service").trim_end_matches("_service");
    if UNITS.contains(&unit) {
        let folder = parts.iter().rev().nth(1).copied().unwrap_or_default();
        return LogOwner {
            name: folder.to_owned(),
            unit: Some(unit.to_owned()),
            ..LogOwner::default()
        };
    }
    LogOwner { name: name.to_owned(), previous: current.is_some(), ..LogOwner::default() }
}

/// `==== START logs for container app of pod shop/cart ====`, as `kubectl cluster-info dump`
/// prints before a log.
pub fn heading(line: &str) -> Option<LogOwner> {
    let rest = line.strip_prefix("==== START logs for container ")?;
    let (container, rest) = rest.split_once(" of pod ")?;
    let (namespace, name) = rest.trim_end_matches([' ', '=', '\r']).split_once('/')?;
    Some(pod_log(Some(namespace), name, Some(container), false))
}

/// Reads a log in pieces, never holding more than one of them.
pub fn read<R: Read>(input: R, document: &str, of: &LogOwner, sink: &mut dyn FnMut(Piece)) {
    let mut input = BufReader::with_capacity(64 * 1024, input);
    let mut chunk = Chunk { of: of.clone(), first: 1, next: 1, lines: 0, bytes: Vec::new() };
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = LINE_LIMIT_BYTES as u64 * 4;
        match (&mut input).take(limit).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e) => {
                chunk.emit(document, sink);
                let place = Place { document: document.to_owned(), line: chunk.next };
                sink(Piece::Skipped { why: format!("reading stopped: {e}"), place });
                return;
            }
        }
        let whole = line.ends_with(b"\n");
        if line.starts_with(b"==== ") {
            let text = String::from_utf8_lossy(&line);
            let other = heading(text.trim_end());
            if other.is_some() || text.starts_with("==== END logs") {
                chunk.emit(document, sink);
                chunk.of = other.unwrap_or_else(|| of.clone());
                chunk.next += 1;
                chunk.first = chunk.next;
                continue;
            }
        }
        chunk.bytes.extend_from_slice(&line);
        if whole {
            chunk.lines += 1;
            chunk.next = chunk.next.saturating_add(1);
        }
        if whole && (chunk.lines >= CHUNK_LINES || chunk.bytes.len() >= CHUNK_BYTES) {
            chunk.emit(document, sink);
        } else if chunk.bytes.len() >= 8 * CHUNK_BYTES {
            chunk.bytes.push(b'\n');
            chunk.emit(document, sink);
        }
    }
    chunk.emit(document, sink);
}

/// The lines gathered so far.
struct Chunk {
    of: LogOwner,
    first: u32,
    next: u32,
    lines: usize,
    bytes: Vec<u8>,
}

impl Chunk {
    fn emit(&mut self, document: &str, sink: &mut dyn FnMut(Piece)) {
        if !self.bytes.trim_ascii().is_empty() {
            let text = String::from_utf8_lossy(&self.bytes);
            let hints = text::Hints { log_of: Some(self.of.clone()), ..text::Hints::default() };
            let above = self.first.saturating_sub(1);
            text::read_text(document, &text, &hints, &mut |mut piece| {
                let place = piece.place_mut();
                place.line = place.line.saturating_add(above);
                sink(piece);
            });
        }
        self.bytes.clear();
        self.lines = 0;
        self.first = self.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        let show = |o: LogOwner| {
            let LogOwner { name, namespace, container, unit, previous } = o;
            let parts = [namespace, Some(name), container, unit.map(|u| format!("unit {u}"))];
            let text: Vec<String> = parts.into_iter().flatten().collect();
            format!("{}{}", text.join(" "), if previous { " previous" } else { "" })
        };
        for (path, want) in [
            ("mg/x/namespaces/shop/pods/cart-1/app/app/logs/current.log", "shop cart-1 app"),
            (
                "mg/namespaces/shop/pods/cart-1/app/app/logs/previous.log",
                "shop cart-1 app previous",
            ),
            ("sb/all-logs/cart-1/app.log", "cart-1 app"),
            (
                "sb/cluster-resources/pods/logs/shop/cart-1/app-previous.log",
                "shop cart-1 app previous",
            ),
            ("dump/shop/cart-1/logs.txt", "shop cart-1"),
            ("var/log/pods/shop_cart-1_12-ab/app/0.log", "shop cart-1 app"),
            ("var/log/containers/cart-1_shop_app-0123ab.log", "shop cart-1 app"),
            ("nodes/worker-1/kubelet.log", "worker-1 unit kubelet"),
            ("cart.log", "cart"),
            ("cart-previous.log", "cart previous"),
        ] {
            assert_eq!(owner_of_path(path).map(show).as_deref(), Some(want), "{path}");
        }
        for path in ["shop/pods.json", "notes.txt", "", "containers/x.log", "pods/a/b/c.log"] {
            let got = owner_of_path(path).map(show);
            assert!(got.is_none(), "{path}: {got:?}");
        }
        for (name, want) in [("cart", "cart"), ("a/b", "a b"), ("a/b/c", "a b c")] {
            assert_eq!(show(owner_of_name(name)), want);
        }
    }

    #[test]
    fn long_logs_come_in_pieces_and_headings_change_the_owner() {
        let mut log = String::from("==== START logs for container app of pod shop/cart ====\n");
        for i in 0..25_000 {
            log.push_str(&format!("line {i}\n"));
        }
        log.push_str("==== END logs for container app of pod shop/cart ====\n");
        log.push_str("==== START logs for container web of pod shop/cart ====\nlast\n");
        let mut got = Vec::new();
        let of = LogOwner::default();
        read(log.as_bytes(), "logs.txt", &of, &mut |piece| {
            if let Piece::Log { of, lines, place } = piece {
                got.push((of.container.unwrap_or_default(), lines.len(), place.line));
            }
        });
        let app = |n, line| ("app".to_owned(), n, line);
        let want = [
            app(10_000, 2),
            app(10_000, 10_002),
            app(5_000, 20_002),
            ("web".to_owned(), 1, 25_004),
        ];
        assert_eq!(got, want);
    }
}
