//! Whole sessions, and what must hold for any input.

use super::*;
use proptest::prelude::*;

/// Everything read from `text`.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    read_text("d", text, &Hints::default(), &mut |p| pieces.push(p));
    pieces
}

/// The first object of a kind and name.
#[track_caller]
pub fn object(text: &str, kind: &str, name: &str) -> Value {
    let found = pieces(text).into_iter().find_map(|p| match p {
        Piece::Object { value, .. }
            if value["kind"] == kind && value["metadata"]["name"] == name =>
        {
            Some(value)
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {kind} {name} in {:#?}", pieces(text)))
}

/// One line for each piece.
fn summary(piece: &Piece) -> String {
    let scope = |n: &Option<String>| n.clone().unwrap_or_else(|| "*".to_owned());
    match piece {
        Piece::Object { value, form, .. } => {
            let text = |p: &str| value.pointer(p).and_then(Value::as_str).unwrap_or("-").to_owned();
            let kind = text("/kind");
            let name = match kind.as_str() {
                "Event" => text("/reason"),
                _ => text("/metadata/name"),
            };
            format!("{kind} {}/{name} {form:?}", text("/metadata/namespace"))
        }
        Piece::Listed { kind, namespace, .. } => format!("all {kind} in {}", scope(namespace)),
        Piece::Missing { kind, namespace, name, .. } => {
            format!("no {kind} {}/{name}", scope(namespace))
        }
        Piece::Log { of, lines, .. } => {
            let unit = of.unit.clone().map(|u| format!(" unit {u}")).unwrap_or_default();
            let container = of.container.clone().map(|c| format!(":{c}")).unwrap_or_default();
            let previous = if of.previous { " previous" } else { "" };
            let (n, namespace) = (lines.len(), scope(&of.namespace));
            format!("log {namespace}/{}{container}{unit}{previous} {n}", of.name)
        }
        Piece::Unit { node, unit, active, .. } => format!("unit {node}/{unit} {active}"),
        Piece::Dial { host, port, connected, from, .. } => {
            format!("dial {host}:{port} {connected} from {}", scope(from))
        }
        Piece::Sample { subject, metric, value, .. } => format!("{subject} {metric} {value}"),
        Piece::ClientError { .. } => "told".to_owned(),
        Piece::Check { name, healthy, .. } => format!("check {name} {healthy}"),
        Piece::Skipped { why, .. } => {
            format!("skipped {}", why.chars().take(50).collect::<String>())
        }
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(text: &str, want: &[&str]) {
    let got: Vec<String> = pieces(text).iter().map(summary).collect();
    assert_eq!(got, want, "{text}");
}

const PODS: &str = "\
NAME    READY   STATUS             RESTARTS      AGE
web-1   1/1     Running            0             9m
web-2   0/1     CrashLoopBackOff   7 (3m ago)    9m
";

#[test]
fn lists_are_whole_only_when_all_was_asked_for() {
    let rows = ["Pod shop/web-1 Text", "Pod shop/web-2 Text"];
    let whole = [rows[0], rows[1], "all Pod in shop"];
    check(&format!("$ kubectl get pods -n shop\n{PODS}"), &whole);
    check(
        &format!("root@m:~# k get po -n shop -o wide\n{PODS}\nroot@m:~# "),
        &[rows[0], rows[1], "all Pod in shop"],
    );
    check(&format!("$ kubectl get pods -n shop -l app=web\n{PODS}"), &rows);
    check(&format!("$ kubectl get pods -n shop | head\n{PODS}"), &rows);
    check(&format!("$ kubectl get pods -n shop\n{PODS}<truncated>\n"), &rows);
    let error = "Error from server (Forbidden): x";
    check(
        &format!("$ kubectl get pods -n shop\n{PODS}{error}\n"),
        &[rows[0], rows[1], "skipped the command failed: Error from server (Forbidden):", "told"],
    );
    check(&format!("$ kubectl get pods\n{PODS}"), &["Pod -/web-1 Text", "Pod -/web-2 Text"]);
    check(PODS, &["Pod -/web-1 Text", "Pod -/web-2 Text"]);
}

#[test]
fn nothing_found_and_not_found() {
    check(
        "$ kubectl get pods -n shop\nNo resources found in shop namespace.\n",
        &["all Pod in shop"],
    );
    check(
        "$ kubectl get pods\nNo resources found in default namespace.\n",
        &["all Pod in default"],
    );
    check("$ kubectl get po,svc -A\nNo resources found\n", &["all Pod in *", "all Service in *"]);
    check("$ kubectl get pods -n shop -l a=b\nNo resources found in shop namespace.\n", &[]);
    check(
        "$ kubectl get deploy x -n shop\nError from server (NotFound): deployments.apps \"x\" not found\n",
        &["no Deployment shop/x"],
    );
    check(
        "$ kubectl get no x\nError from server (NotFound): nodes \"x\" not found\n",
        &["no Node */x"],
    );
}

#[test]
fn noise_around() {
    let text = format!(
        "Welcome to Ubuntu\n\nstdout:\n```\n$ kubectl get pods -n shop\nstdout:\n{PODS}\nstderr:\n\n```\nWhy?\n"
    );
    check(
        &text,
        &[
            "skipped 1 line not understood, from: Welcome to Ubuntu",
            "Pod shop/web-1 Text",
            "Pod shop/web-2 Text",
            "all Pod in shop",
            "skipped 1 line not understood, from: Why?",
        ],
    );
    let crlf = format!("$ kubectl get pods -n shop\n{PODS}").replace('\n', "\r\n");
    assert_eq!(pieces(&crlf).len(), 3);
    let moved = format!("    $ kubectl get pods -n shop\n{PODS}").replace('\n', "\n    ");
    assert_eq!(pieces(&moved).len(), 3);
    let colour = format!("\u{1b}[32m$ \u{1b}[0mkubectl get pods -n shop\n{PODS}");
    assert_eq!(pieces(&colour).len(), 3);
}

#[test]
fn objects_of_the_api_inside() {
    let yaml = "$ kubectl get cm a -n shop -o yaml\napiVersion: v1\nkind: ConfigMap\n\
        metadata:\n  name: a\n  namespace: shop\n$ kubectl get svc -n shop -o json\n\
        {\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [\n    \
        {\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"s\"}}\n  ]\n}\n";
    check(yaml, &["ConfigMap shop/a Api", "Service -/s Api", "all Service in shop"]);
    check(
        "$ kubectl get po x -o json\n{\n  \"kind\": \"Pod\",\n",
        &["skipped JSON that ends early or is broken: EOF while parsi"],
    );
    check(
        "$ kubectl get pods -n a -o name\npod/x\npod/y\n",
        &["Pod a/x Text", "Pod a/y Text", "all Pod in a"],
    );
}

#[test]
fn logs() {
    check(
        "$ kubectl logs web-1 -c app -n shop --previous\na\n\nb\n",
        &["log shop/web-1:app previous 3"],
    );
    check(
        "$ kubectl logs -l app=web --prefix\n[pod/web-1/app] a\n[pod/web-2/app] b\n",
        &["log */web-1:app 1", "log */web-2:app 1"],
    );
    check("$ kubectl logs deploy/web\nError: cannot reach db\nexit\n", &["log */web 2"]);
    check(
        "$ kubectl logs web\nError from server (BadRequest): container is waiting\n",
        &["skipped the command failed: Error from server (BadRequest)", "told"],
    );
    check("2026-01-01T10:00:00Z up\n2026-01-01T10:00:01Z down\n", &["log */ 2"]);
    check(
        "Jan 01 10:00:00 n1 kubelet[1]: a\nJan 01 10:00:00 n1 containerd[2]: b\n",
        &["log */n1 unit kubelet 1", "log */n1 unit containerd 1"],
    );
}

#[test]
fn units() {
    let text = "$ ssh n1 systemctl status kubelet\n○ kubelet.service - Kubelet\n     \
        Loaded: loaded\n     Active: inactive (dead) since Mon\n\n\
        Jan 01 10:00:00 n1 systemd[1]: Stopped Kubelet.\n";
    check(text, &["unit n1/kubelet false", "log */n1 unit kubelet 1"]);
    check("$ ssh n1 systemctl is-active kubelet\nfailed\n", &["unit n1/kubelet false"]);
    check("$ systemctl status foo\nUnit foo.service could not be found.\n", &["unit /foo false"]);
    check(
        "$ journalctl -u kubelet\nJan 01 10:00:00 n1 kubelet[1]: a\n",
        &["log */n1 unit kubelet 1"],
    );
    check("$ ssh n2 dmesg\n[1.0] oom-kill\n", &["log */n2 unit kernel 1"]);
}

#[test]
fn dials() {
    check("$ nc -zv web.shop 80\nweb.shop (10.0.0.1:80) open\n", &["dial web.shop:80 true from *"]);
    check(
        "$ nc -zv db 5432\nnc: connect to db port 5432 (tcp) failed: Connection refused\n",
        &["dial db:5432 false from *"],
    );
    check(
        "$ kubectl exec web-1 -n a -- curl -sv http://api:8080/x\n* Connected to api\n<html>\n",
        &["dial api:8080 true from web-1"],
    );
    check("$ curl https://api/x\n{\"error\": \"failed\"}\n", &["dial api:443 true from *"]);
    check(
        "$ curl api:81\ncurl: (7) Failed to connect to api port 81\n",
        &["dial api:81 false from *"],
    );
    check(
        "$ telnet db 5432\nTrying 10.0.0.1...\nConnected to db.\n",
        &["dial db:5432 true from *"],
    );
    check("$ wget -qO- http://api\nwget: bad address 'api'\n", &["dial api:80 false from *"]);
    check(
        "$ nc -zv web 80\n== report ==\nrun on n1: web (10.0.0.1:80) open\nrun on n2: timed out\n",
        &["dial web:80 true from n1", "dial web:80 false from n2"],
    );
    check("$ nc -zv web 80\n", &["skipped the connection test to web:80 has no answer"]);
}

#[test]
fn figures() {
    check(
        "$ kubectl top pods -n a\nNAME   CPU(cores)   MEMORY(bytes)\nweb    250m         2Mi\n",
        &["a/web cpu_usage 0.25", "a/web memory_usage 2097152"],
    );
    check(
        "NAME   CPU(cores)   CPU%   MEMORY(bytes)   MEMORY%\nn1     500m   12%    1Gi   40%\n",
        &[
            "n1 cpu_usage 0.5",
            "n1 memory_usage 1073741824",
            "n1 cpu_usage_percent 12",
            "n1 memory_usage_percent 40",
        ],
    );
}

#[test]
fn scripts_in_data_are_no_commands() {
    let text = "$ kubectl describe cm a -n b\nName:         a\nNamespace:    b\n\nData\n====\n\
        run.sh:\n----\n#!/bin/sh\nkubectl get pods -n x\nName: y\n\nBinaryData\n====\n\n\
        Events:  <none>\n\n$ kubectl get pods -n c\nNo resources found in c namespace.\n";
    check(text, &["ConfigMap b/a Text", "all Pod in c"]);
    check("$ kubectl logs a -n b\nkubectl get pods\n# kubectl get ns\n", &["log b/a 2"]);
}

/// A session with most forms in it, for cutting.
fn session() -> String {
    format!(
        "$ kubectl get pods -n shop\n{PODS}\n$ kubectl describe pod web-2 -n shop\n{}\n\
         $ kubectl logs web-2 -n shop\nup\ndown\n$ kubectl get svc -A\n\
         NAMESPACE   NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE\n\
         shop        web    ClusterIP   10.0.0.9     <none>        80/TCP    9m\n\
         $ nc -zv web.shop 80\nweb (10.0.0.9:80) open\n",
        super::describe::tests::POD
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn cutting_changes_only_the_last_block(at in 0usize..4000) {
        let text = session();
        let at = (0..=at.min(text.len())).rev().find(|a| text.is_char_boundary(*a)).unwrap_or(0);
        let cut = &text[..at];
        // The block that holds the cut begins at the last command above it.
        let block = cut.rfind("\n$ ").map_or(0, |b| b + 1);
        let line = cut[..block].matches('\n').count() as u32 + 1;
        let before = |pieces: Vec<Piece>| -> Vec<Piece> {
            pieces.into_iter().filter(|p| p.place().line < line).collect()
        };
        prop_assert_eq!(before(pieces(cut)), before(pieces(&text)));
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        pieces(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words(words in proptest::collection::vec(WORD, 0..120)) {
        pieces(&words.concat());
    }

    #[test]
    fn any_damage(at in 0usize..3000, len in 0usize..40, with in "[ \t\n:/<>(),-]{0,6}") {
        let text: Vec<char> = session().chars().collect();
        let (at, end) = (at.min(text.len()), (at + len).min(text.len()));
        let (before, after) = (text[..at].iter().copied(), text[end..].iter().copied());
        let damaged: String = before.chain(with.chars()).chain(after).collect();
        pieces(&damaged);
    }

    #[test]
    fn widths_do_not_matter(gaps in proptest::collection::vec(1usize..9, 5), rows in 1usize..4) {
        let row = |cells: [&str; 5]| -> String {
            let padded = cells.iter().zip(&gaps).map(|(c, gap)| format!("{c:<width$}", width = 16 + gap));
            padded.collect::<String>().trim_end().to_owned() + "\n"
        };
        let mut text = row(["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
        for _ in 0..rows {
            text += &row(["web-1", "0/1", "Error", "7 (3m ago)", "9m"]);
        }
        let got = pieces(&text);
        prop_assert_eq!(got.len(), rows);
        let Piece::Object { value, .. } = &got[0] else { panic!("no object") };
        prop_assert_eq!(&value["status"]["summary"]["restarts"], 7);
        prop_assert_eq!(&value["status"]["summary"]["lastRestartAgeSeconds"], 180);
    }
}

/// Words that readers look for.
const WORD: &str = "(Name:  |Events:|  Type  Reason|\n|\n  |\n    |NAME  READY  AGE\n|Containers:\n\
|State:  |Message: |Conditions:\n|Rules:\n|Host  Path\n|----|====|Data\n|Resource Used Hard\n|<none>|\
\\$ kubectl get po\n|\\$ curl x\n|a=b|10m|1/1|\\(x3 over |exec \\[|#failure=|Liveness: |   |ü|● a.service\n|\
Active: |\\{\"kind\"|apiVersion: v1\n|items:\n|\t|\\$ nc -zv a 1\n| on a: |Labels: |x: )";

#[test]
fn deep_and_wide_input_is_bounded() {
    pieces(&"[".repeat(100_000));
    pieces(&format!("$ kubectl get x -o json\n{}", "{\"a\":".repeat(50_000)));
    pieces(&format!(
        "Name: x\n{}",
        (0..2_000).map(|i| " ".repeat(i % 700) + "a:\n").collect::<String>()
    ));
    pieces(&"a  ".repeat(300_000));
    pieces(&format!("$ kubectl get x -o yaml\napiVersion: v1\n{}", "- ".repeat(20_000)));
}
