use super::*;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::fs;
use std::io::Write;

/// What a walk found: `name: content` of documents, `name! why` of what was not opened.
#[derive(Default)]
struct Found(Vec<String>);

impl Visit for Found {
    fn document(&mut self, document: &mut Document<'_>) {
        let mut bytes = Vec::new();
        let result = document.read_to_end(&mut bytes);
        let failed = result.err().map(|e| format!(" ({e})")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let text: String = text.chars().take(40).collect();
        self.0.push(format!("{}: {text}{failed}", document.name()));
    }

    fn skipped(&mut self, piece: Piece) {
        let Piece::Skipped { why, place } = piece else { panic!("only reports: {piece:?}") };
        self.0.push(format!("{}! {why}", place.document));
    }

    fn lost(&mut self) {}
}

fn limits() -> Limits {
    Limits { ratio: 100, ..Limits::default() }
}

/// What a stream of bytes called `in` comes to.
fn stream(bytes: &[u8], limits: Limits) -> Vec<String> {
    let mut found = Found::default();
    let mut walker = Walker { limits, documents: 0, visit: &mut found };
    walker.stream("in", &mut &bytes[..], 0);
    found.0
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new(bytes, 1).read_to_end(&mut packed).unwrap();
    packed
}

/// A tar with these names, also forbidden ones.
fn tarred(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        if name.len() < 100 {
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        } else {
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

#[test]
fn archives_are_known_by_their_bytes() {
    let long = format!("dump/{}.json", "x".repeat(150));
    let tar = tarred(&[("./b.json", b"{}"), ("a/c.log", b"up"), (&long, b"long")]);
    let long_line = format!("in/{long}: long");
    let want = ["in/b.json: {}", "in/a/c.log: up", long_line.as_str()];
    for bytes in [tar.clone(), gz(&tar), xz(&tar)] {
        assert_eq!(stream(&bytes, limits()), want);
    }
    assert_eq!(stream(&gz(b"plain"), limits()), ["in: plain"]);
    assert_eq!(
        stream(b"PK\x03\x04...", limits()),
        ["in! a zip archive is not read: unpack it first"]
    );
    assert_eq!(stream(b"", limits()), ["in: "]);
}

#[test]
fn archives_inside_archives_one_level() {
    let inner = gz(&tarred(&[("x", b"1")]));
    let middle = tarred(&[("inner.tgz", &inner), ("y", b"2")]);
    let outer = gz(&tarred(&[("middle.tar", &middle), ("z.log.gz", &gz(b"3"))]));
    assert_eq!(
        stream(&outer, limits()),
        [
            "in/middle.tar/inner.tgz! an archive this deep inside archives is not read",
            "in/middle.tar/y: 2",
            "in/z.log.gz: 3",
        ]
    );
}

#[test]
fn hostile_archives_are_bounded_and_reported() {
    let names = tarred(&[("../up", b"1"), ("/etc/x", b"2"), ("a/../../b", b"3"), ("ok", b"4")]);
    assert_eq!(
        stream(&names, limits()),
        ["in/ok: 4", "in! 3 entries have a name that leads out of the archive",]
    );
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "link", "/etc/passwd").unwrap();
    let links = builder.into_inner().unwrap();
    assert_eq!(
        stream(&links, limits()),
        ["in! 1 entries are links; what they point to is read where it stands",]
    );
    let bomb = gz(&vec![b' '; 80 << 20]);
    let found = stream(&bomb, limits());
    assert!(found[0].ends_with("(it unpacks to more than 100 times its size)"), "{found:?}");
    let few = Limits { documents: 2, ..limits() };
    let many = tarred(&[("1", b"1"), ("2", b"2"), ("3", b"3"), ("4", b"4")]);
    assert_eq!(stream(&many, few), ["in/1: 1", "in/2: 2"]);
    let small = Limits { entry_bytes: 10, archive_bytes: 4096, ..limits() };
    let big =
        tarred(&[("1", b"12345678901"), ("2", b"2"), ("3", &[b'3'; 5]), ("4", b""), ("5", b"")]);
    let found = stream(&big, small);
    assert_eq!(found[..2], ["in/1! the entry is larger than 10 bytes", "in/2: 2"]);
    assert!(found.last().unwrap().contains("unpacks to more than 4096 bytes"), "{found:?}");
}

#[test]
fn cut_archives_give_what_stands_before_the_cut() {
    let tar = tarred(&[("a", b"1"), ("b", b"2")]);
    let found = stream(&tar[..1300], limits());
    assert_eq!(found[0], "in/a: 1");
    assert!(found[1].contains("cut off"), "{found:?}");
    let packed = gz(&tar);
    for end in 0..packed.len() {
        assert!(stream(&packed[..end], limits()).len() <= 4);
    }
}

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("capture-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_a_cut_archive_held_was_not_seen() {
    let folder = Folder::new("cut");
    let path = folder.0.join("dump.tgz");
    let packed = gz(&tarred(&[("a", b"1"), ("b", &[b'2'; 9000])]));
    let unseen = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let read = crate::read(&[Input::Path(path.clone())], &Limits::default());
        read.evidence.coverage.has_lost_source()
    };
    assert!(!unseen(&packed));
    assert!(unseen(&packed[..packed.len() - 20]));
}

#[cfg(unix)]
#[test]
fn folders_in_order_links_as_files_no_loops() {
    use std::os::unix::fs::symlink;
    let (folder, other) = (Folder::new("folder"), Folder::new("other"));
    let path = |name: &str| folder.0.join(name);
    fs::create_dir(path("sub")).unwrap();
    fs::write(path("b.json"), "{}").unwrap();
    fs::write(path("sub/a.txt"), "sub").unwrap();
    fs::write(path("z.bin"), gz(&tarred(&[("in.txt", b"packed")]))).unwrap();
    fs::write(other.0.join("real.txt"), "linked").unwrap();
    symlink(other.0.join("real.txt"), path("c-link")).unwrap();
    symlink(path("sub/a.txt"), path("a-link-inside")).unwrap();
    symlink(&folder.0, path("sub/loop")).unwrap();
    symlink("nowhere", path("dead")).unwrap();
    let mut found = Found::default();
    walk(&[Input::Path(folder.0.clone())], &limits(), &mut found);
    let prefix = format!("{}/", folder.0.display());
    let found: Vec<String> = found.0.iter().map(|f| f.replace(&prefix, "")).collect();
    assert_eq!(found[..2], ["b.json: {}", "c-link: linked"]);
    assert!(found[2].starts_with("dead! cannot be opened"), "{found:?}");
    assert_eq!(found[3..], ["sub/a.txt: sub", "z.bin/in.txt: packed"]);
    // A link named by the user himself is followed wherever it leads.
    let mut found = Found::default();
    walk(&[Input::Path(path("a-link-inside"))], &limits(), &mut found);
    assert!(found.0[0].ends_with(": sub"));
    let mut found = Found::default();
    walk(&[Input::from_argument("/nowhere/at/all")], &limits(), &mut found);
    assert!(found.0[0].starts_with("/nowhere/at/all! cannot be opened"));
}

#[test]
fn documents_go_to_the_reader_of_their_form() {
    for (name, bytes, want) in [
        ("x", "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}", ("json", 1, 0, 0)),
        ("x", "kind: Pod\nmetadata: {name: a}\n", ("yaml", 1, 0, 0)),
        ("x", "time,a-cpu,b-cpu\n2026-03-01 10:00:00,1,2\n", ("csv", 0, 2, 0)),
        ("x/all-logs/p/c.log", "{\"level\":\"info\"}\n", ("json", 0, 1, 0)),
        ("x/namespaces/shop/core/pods.yaml", "---\nkind: PodList\nitems: []\n", ("yaml", 0, 1, 0)),
        (
            "x/cluster-resources/pods/shop.json",
            "{\"kind\":\"PodList\",\"items\":[]}",
            ("json", 0, 1, 0),
        ),
        (
            "x/cluster-resources/pods/shop.json",
            "{\"kind\":\"PodList\",\"items\":[",
            ("json", 0, 0, 1),
        ),
        ("x", "\0\u{1}\u{2}\u{3}\u{4}", ("binary", 0, 0, 1)),
        ("x", "", ("empty", 0, 0, 0)),
    ] {
        let mut sink = |_| {};
        let mut out = crate::json::ToPieces::new(name, &mut sink);
        let mut input = bytes.as_bytes();
        let report = super::read(&mut Document::new(name, &mut input).unwrap(), &mut out);
        let got = (report.form.name(), report.objects, report.pieces, report.skipped);
        assert_eq!(got, want, "{name} {bytes}");
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
        magic in 0..4_usize,
    ) {
        let magic: &[u8] = [&b""[..], b"\x1f\x8b\x08\0", b"\xfd7zXZ\0", b"\xff\xfe"][magic];
        stream(&[magic, &bytes].concat(), limits());
    }

    #[test]
    fn a_damaged_archive_never_panics(at in any::<prop::sample::Index>(), to: u8) {
        let mut tar = tarred(&[("a", b"1"), ("b", b"2"), (&"c".repeat(120), b"3")]);
        let at = at.index(tar.len());
        tar[at] = to;
        stream(&tar, limits());
    }

    #[test]
    fn every_form_survives_any_text(
        text in "[ -~\n\t\r\0é{}\\[\\]:,\"-]{0,600}",
        start in 0..6_usize,
    ) {
        let start = ["", "{\"", "---\nkind: ", "a,b\n1,2\n", "[{", "Name:  "][start];
        let text = format!("{start}{text}");
        let mut sink = |_| {};
        let mut out = crate::json::ToPieces::new("x", &mut sink);
        let mut input = text.as_bytes();
        super::read(&mut Document::new("x", &mut input).unwrap(), &mut out);
    }
}
