use super::*;

#[track_caller]
fn check_prompt(line: &str, want: Option<&str>) {
    assert_eq!(command_text(line), want, "{line:?}");
}

#[test]
fn prompts() {
    check_prompt("$ kubectl get pods -n shop", Some("kubectl get pods -n shop"));
    check_prompt("$: kubectl get pods", Some("kubectl get pods"));
    check_prompt("# kubectl get pods", Some("kubectl get pods"));
    check_prompt("> kubectl get pods", Some("kubectl get pods"));
    check_prompt("root@master-1:~# kubectl get no", Some("kubectl get no"));
    check_prompt("[root@x ~]# systemctl status kubelet", Some("systemctl status kubelet"));
    check_prompt("(prod) ann@mac shop % ls", Some("ls"));
    check_prompt("PS C:\\Users\\ann> kubectl get pods", Some("kubectl get pods"));
    check_prompt("C:\\Users\\ann>kubectl get pods", Some("kubectl get pods"));
    check_prompt("➜  ~ kubectl get pods", Some("kubectl get pods"));
    check_prompt("kubectl get pods", Some("kubectl get pods"));
    check_prompt("kubectl -n shop get pods", Some("kubectl -n shop get pods"));
    check_prompt("sudo journalctl -u kubelet", Some("sudo journalctl -u kubelet"));
}

#[test]
fn output_is_no_prompt() {
    check_prompt("# number of workers", None);
    check_prompt("kubectl get pods shows this:", None);
    check_prompt("  $ kubectl get pods", None);
    check_prompt("> quoted answer", None);
    check_prompt("NAME   READY   STATUS", None);
    check_prompt("mail from ann@example.com costs # 5", None);
    check_prompt("$ 5 per month", None);
    check_prompt("", None);
}

#[track_caller]
fn check(text: &str, want: &str) {
    let c = Command::parse(text);
    let kinds: Vec<&str> = c.kinds.iter().map(|k| k.kind).collect();
    let mut got = format!("{:?} {} {} {}", c.tool, c.verb, kinds.join("+"), c.names.join("+"));
    match &c.scope {
        Scope::Unsaid => {}
        Scope::Named(n) => got.push_str(&format!(" ns={n}")),
        Scope::All => got.push_str(" all"),
    }
    if let Some(host) = &c.host {
        got.push_str(&format!(" on={host}"));
    }
    if let Some(container) = &c.container {
        got.push_str(&format!(" c={container}"));
    }
    if c.previous {
        got.push_str(" previous");
    }
    if c.narrowed {
        got.push_str(" narrowed");
    }
    let got: Vec<&str> = got.split_whitespace().collect();
    assert_eq!(got.join(" "), want, "{text}");
}

#[test]
fn commands() {
    check("kubectl get pods -n shop", "Kubectl get Pod ns=shop");
    check("kubectl -n shop get po,svc -o wide", "Kubectl get Pod+Service ns=shop");
    check("oc get pods -nshop --all-namespaces=false", "Kubectl get Pod ns=shop");
    check("kubectl get pods -A | grep x", "Kubectl get Pod all narrowed");
    check("kubectl get pods -A 2>&1 | cat", "Kubectl get Pod all");
    check("kubectl get pods -l 'app in (a,b)'", "Kubectl get Pod narrowed");
    check(
        "kubectl get events --sort-by='.lastTimestamp' | tail -n 20",
        "Kubectl get Event narrowed",
    );
    check("kubectl get pod web-1 -n shop -oyaml", "Kubectl get Pod web-1 ns=shop narrowed");
    check("kubectl describe deploy/web", "Kubectl describe Deployment web narrowed");
    check("kubectl describe pods  -n shop", "Kubectl describe Pod ns=shop");
    check("kubectl logs -f web-1 app -p", "Kubectl logs web-1 c=app previous");
    check("kubectl logs deploy/web -c app --tail 5", "Kubectl logs deploy/web c=app");
    check("kubectl_describe command", "Kubectl describe narrowed");
    check("kubectl_top_pods command", "Kubectl top Pod narrowed");
    check("kubectl events --for pod/x -n shop", "Kubectl events Event x ns=shop narrowed");
    check("ssh worker-1 systemctl status kubelet", "Systemctl status kubelet on=worker-1");
    check("ssh root@worker-1 'systemctl status kubelet'", "Systemctl status kubelet on=worker-1");
    check("sudo systemctl status -l kubelet.service", "Systemctl status kubelet.service");
    check("kubectl exec -it web-1 -n shop -- curl -v http://db:80", "Dial on=web-1");
    check("kubectl exec web-1 -- sh -c 'nc -zv db 80'", "Dial on=web-1");
    check("kubectl get pods -n a; kubectl get svc -n a", "Kubectl get ns=a narrowed");
    check("KUBECONFIG=/x kubectl get ns", "Kubectl get Namespace");
    check("journalctl -u kubelet -n 50", "Machine");
    check("ls -la", "Other");
    check("", "Other");
}
