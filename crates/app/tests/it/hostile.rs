//! Hostile input through the program: it never panics, needs little memory, names what it could
//! not read, and still says what the readable rest says.

mod made;
mod run;

use made::{bomb, gzipped, linked, noise, tarred, utf16};
use run::{Folder, Run, diagnose};

/// Most memory that any input may take, in MiB.
const MEMORY_MIB: u64 = 200;

/// A node whose container runtime is down, readable in any company.
fn good() -> Vec<u8> {
    std::fs::read(super::data("node-down.yaml")).unwrap()
}

/// A pod in JSON that is well.
const WELL: &str = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-9\",\
                    \"namespace\":\"shop\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\
                    \"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"web:1\"}]},\
                    \"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\
                    \"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:09Z\"}]}}";

/// What must be said of a file that is read alone.
#[derive(Clone, Copy)]
enum Says {
    /// All of it was read.
    Nothing,
    /// Something was not read: the reason holds this; at this line, where lines are counted.
    Unread(&'static str, Option<u64>),
}
use Says::{Nothing, Unread};

/// Reads a file alone, then beside a good one whose verdict must not change.
#[track_caller]
fn check(name: &str, bytes: &[u8], code: i32, says: Says) {
    let folder = Folder::new(name);
    let alone = diagnose(&folder.write(name, bytes));
    judge(name, &alone, says);
    assert_eq!(alone.code, code, "{name}: {:#}", alone.value);

    folder.write("zz-good.yaml", &good());
    let beside = diagnose(&folder.0);
    judge(name, &beside, says);
    let first = beside.causes().into_iter().next().unwrap_or_default();
    assert!(first.contains("runtime-slow"), "{name}: {first} {:#}", beside.value);
    assert_eq!((beside.code, &beside.value["verdict"]), (1, &"broken".into()), "{name}");
}

#[track_caller]
fn judge(name: &str, run: &Run, says: Says) {
    assert!(run.peak_mib < MEMORY_MIB, "{name}: {} MiB", run.peak_mib);
    let unread = run.unread();
    match says {
        Nothing => assert!(unread.is_empty(), "{name}: {unread:?}"),
        Unread(why, line) => {
            let told = unread.iter().any(|(document, at, reason)| {
                document.contains(&format!("/{name}"))
                    && reason.contains(why)
                    && line.is_none_or(|line| line == *at)
            });
            assert!(told, "{name}: nothing says `{why}` at {line:?}: {unread:?}");
        }
    }
}

#[test]
fn what_is_cut_off_is_named_and_the_rest_is_read() {
    let list = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n{WELL},\n{WELL}");
    check("cut-list.json", list.as_bytes(), 5, Unread("cut off here", Some(3)));
    check("cut-object.json", &WELL.as_bytes()[..WELL.len() / 2], 5, Unread("cut off", Some(1)));
    let yaml = format!("{WELL}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: x, labels: {{");
    check("cut.yaml", yaml.as_bytes(), 5, Unread("unclosed bracket", Some(3)));
    let tar = tarred(&[("a.json", WELL.as_bytes()), ("b.json", WELL.as_bytes())]);
    check("cut.tar", &tar[..512 + 1024 + 600], 5, Unread("broken or cut off here", None));
    let packed = gzipped(&tar);
    check("cut.tgz", &packed[..packed.len() - 20], 5, Unread("broken or cut off here", None));
    check("cut.gz", &gzipped(WELL.as_bytes())[..60], 5, Unread("cannot be unpacked", None));
}

#[test]
fn other_encodings_and_stray_bytes_are_read_like_plain_text() {
    let text = format!("{WELL}\n");
    check("utf16le.json", &utf16(&text, true), 0, Nothing);
    check("utf16be.json", &utf16(&text, false), 0, Nothing);
    check("bom.json", &[b"\xef\xbb\xbf", text.as_bytes()].concat(), 0, Nothing);
    let yaml = std::fs::read_to_string(super::data("well.yaml")).unwrap();
    check("crlf.yaml", yaml.replace('\n', "\r\n").as_bytes(), 0, Nothing);
    check("utf16.yaml", &utf16(&yaml.replace('\n', "\r\n"), true), 0, Nothing);
    let session = "\u{1b}[32m$ kubectl get pods -A\u{1b}[0m\r\n\u{1b}[1mNAMESPACE   NAME    READY   \
                   STATUS    RESTARTS   AGE\u{1b}[0m\r\nshop        web-1   1/1     \
                   \u{1b}[32mRunning\u{1b}[0m   0          9m\r\n";
    check("ansi.txt", session.as_bytes(), 0, Nothing);
    let nul = WELL.replace("web-9", "web-9\\u0000\\u001b[2J");
    check("escaped-nul.json", nul.as_bytes(), 0, Nothing);
    check("nul.json", &[b"\0\0\0", WELL.as_bytes()].concat(), 0, Nothing);
    check(
        "latin1.txt",
        b"$ kubectl get pods\nNo resources found in caf\xe9 namespace.\n",
        5,
        Unread("not UTF-8", Some(1)),
    );
}

#[test]
fn what_means_nothing_is_said_to_be_unread() {
    check("empty.json", b"", 5, Nothing);
    check("blank.yaml", b"\n\n   \n", 5, Nothing);
    check("noise.bin", &noise(300_000), 5, Unread("not understood", Some(1)));
    let elf = [b"\x7fELF\x02\x01\x01\0".as_slice(), &noise(5000)].concat();
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &noise(5000)].concat();
    check("program.elf", &elf, 5, Unread("a program is not read", None));
    check("picture.png", &png, 5, Unread("not UTF-8", Some(1)));
    check(
        "page.html",
        b"<html><body>502 Bad Gateway</body></html>\n",
        5,
        Unread("not understood", Some(1)),
    );
    check("prose.txt", b"dear all, the shop is down again\n", 5, Unread("not understood", Some(1)));
}

#[test]
fn great_depth_and_length_are_bounded() {
    check("deep.json", "[".repeat(100_000).as_bytes(), 5, Unread("cut off", Some(1)));
    check("deep-object.json", "{\"a\":".repeat(100_000).as_bytes(), 5, Unread("cut off", Some(1)));
    let (open, close) = ("[".repeat(50_000), "]".repeat(50_000));
    let inside =
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\",\"annotations\":";
    let inside = format!("{inside}{open}1{close}}}}}");
    check("deep-inside.json", inside.as_bytes(), 5, Unread("Pod x cannot be read", Some(1)));
    check("deep.yaml", "[".repeat(100_000).as_bytes(), 5, Unread("cut off", Some(1)));
    let steps: String = (0..3000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    check("stairs.yaml", steps.as_bytes(), 5, Unread("not understood", Some(1)));
    let line = "x".repeat(50 << 20);
    check("line.txt", line.as_bytes(), 5, Unread("was cut off", Some(1)));
    check("lines.txt", "x\n".repeat(600_000).as_bytes(), 5, Unread("not understood", Some(1)));
    let blanks = format!("{}{WELL}", " ".repeat(100_000));
    check("blanks.json", blanks.as_bytes(), 5, Unread("begins with white space only", None));
    let string = WELL.replace("web:1", &"x".repeat(50 << 20));
    check("string.json", string.as_bytes(), 5, Unread("longer than 16 MiB", Some(1)));
    check("laughs.yaml", made::laughs().as_bytes(), 5, Unread("not understood", Some(1)));
}

#[test]
fn archives_cannot_lead_out_or_blow_up() {
    let well = WELL.as_bytes();
    let names =
        tarred(&[("../../../tmp/out.json", well), ("/etc/out.json", well), ("in.json", well)]);
    check("names.tar", &names, 0, Unread("a name that leads out", None));
    check("links.tar", &linked("passwd", "/etc/passwd"), 5, Unread("links", None));
    check("blanks.xz", &bomb(300, b' '), 5, Unread("times its size", None));
    check("line.xz", &bomb(300, b'x'), 5, Unread("times its size", None));
    let nested =
        gzipped(&tarred(&[("a.gz", &gzipped(&tarred(&[("b.gz", &gzipped(&gzipped(well)))])))]));
    check("nested.tgz", &nested, 5, Unread("this deep inside archives", None));
    check("archive.zip", b"PK\x03\x04\x14\0\0\0\x08\0", 5, Unread("zip", None));
}

#[cfg(unix)]
#[test]
fn links_in_folders_make_no_circle() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("links");
    folder.write("good.yaml", &good());
    let inner = folder.0.join("inner");
    std::fs::create_dir(&inner).unwrap();
    symlink(&folder.0, inner.join("up")).unwrap();
    symlink(inner.join("self"), inner.join("self")).unwrap();
    symlink("/nowhere/at/all", inner.join("dead")).unwrap();
    symlink(folder.0.join("good.yaml"), inner.join("twice.yaml")).unwrap();
    let run = diagnose(&folder.0);
    assert_eq!(run.code, 1, "{:#}", run.value);
    assert!(run.causes()[0].contains("runtime-slow"), "{:#}", run.value);
    let input = run.value["input"].as_array().unwrap();
    assert!(input.len() <= 2, "each file once: {input:?}");
    let unread = run.unread();
    assert!(unread.iter().any(|(d, ..)| d.ends_with("self")), "{unread:?}");
    assert!(unread.iter().any(|(d, ..)| d.ends_with("dead")), "{unread:?}");
}

#[test]
fn objects_that_contradict_themselves_are_no_harm() {
    check("circle.yaml", made::owner_circle().as_bytes(), 5, Nothing);
    check("figures.yaml", made::absurd_figures().as_bytes(), 0, Nothing);
    let event = |note: &str| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{{\"name\":\"e\",\"namespace\":\
             \"shop\"}},\"involvedObject\":{{\"kind\":\"Pod\",\"name\":\"web-9\",\"namespace\":\
             \"shop\"}},\"reason\":\"Failed\",\"type\":\"Warning\",\"message\":\"{note}\"}}\n"
        )
    };
    let long = format!("{WELL}\n{}", event(&"ü\\n".repeat(32_000)));
    check("note.json", long.as_bytes(), 0, Nothing);
    let many: String = (0..20_000).map(|i| event(&format!("note {i}"))).collect();
    check("notes.json", format!("{WELL}\n{many}").as_bytes(), 0, Nothing);
    let odd = "apiVersion: v1\nkind: Pod\nmetadata: {name: [1], namespace: {a: b}}\n---\n\
               apiVersion: v1\nkind: [Pod]\n---\n- 1\n- 2\n---\nnull\n---\n\
               apiVersion: v1\nkind: Node\nmetadata: 7\nstatus: {conditions: {Ready: yes}}\n";
    check("odd.yaml", odd.as_bytes(), 5, Unread("no Kubernetes object: no kind", Some(5)));
}
