//! Hostile files, made when they are needed.

use std::io::Write;

/// A tar of these entries; names are written as they are, wherever they lead.
pub(super) fn tarred(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A tar with one link.
pub(super) fn linked(name: &str, target: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, name, target).unwrap();
    builder.into_inner().unwrap()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// So many MiB of one letter in a few kilobytes.
pub(super) fn bomb(mebibytes: usize, letter: u8) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    let block = vec![letter; 1 << 20];
    for _ in 0..mebibytes {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

pub(super) fn utf16(text: &str, little: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
}

/// Bytes without sense, the same every time.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A YAML file that would be a hundred million letters if its references were followed.
pub(super) fn laughs() -> String {
    let mut text = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (before, name) in "abcdefg".chars().zip("bcdefgh".chars()) {
        let nine = vec![format!("*{before}"); 9].join(",");
        text.push_str(&format!("{name}: &{name} [{nine}]\n"));
    }
    text
}

/// A pod owned by a replica set owned by that pod, and an object that owns itself.
pub(super) fn owner_circle() -> String {
    let one = |kind: &str, api: &str, name: &str, owner_kind: &str, owner: &str| {
        format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: loop\n  \
             creationTimestamp: 2026-01-01T00:00:00Z\n  ownerReferences:\n  - {{apiVersion: \
             {api}, kind: {owner_kind}, name: {owner}, controller: true}}\nspec: {{}}\n"
        )
    };
    [
        one("Pod", "v1", "a", "ReplicaSet", "b"),
        one("ReplicaSet", "apps/v1", "b", "Deployment", "c"),
        one("Deployment", "apps/v1", "c", "ReplicaSet", "b"),
        one("ReplicaSet", "apps/v1", "self", "ReplicaSet", "self"),
    ]
    .join("---\n")
}

/// A node and a pod with figures that no machine has.
pub(super) fn absurd_figures() -> String {
    let pod = |name: &str, cpu: &str, memory: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: sums, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec:\n  nodeName: tiny\n  containers:\n  \
             - name: main\n    resources: {{requests: {{cpu: '{cpu}', memory: '{memory}'}}}}\n\
             status: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}\n"
        )
    };
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: tiny, creationTimestamp: \
                2026-01-01T00:00:00Z}\nstatus:\n  allocatable: {cpu: '1e400', memory: '-5Gi', \
                pods: '99999999999999999999999999'}\n  conditions: [{type: Ready, status: \
                'True'}]\n";
    let figures = [("1e400", "1e-400"), ("-1", "0x10"), ("9".repeat(500).leak(), "1Ei"), ("", "")];
    let pods = figures.iter().enumerate().map(|(i, (c, m))| pod(&format!("p{i}"), c, m));
    node.to_owned() + &pods.collect::<String>()
}
