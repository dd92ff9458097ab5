//! One event, or a few lines of text, as Kubernetes and what runs beside it print them: each
//! wording alone must lead to its mechanism.

mod events;

use serde_json::json;

use super::run_with_input;

/// What the program says first: `failure/mechanism`.
fn said(evidence: &str) -> String {
    let value = super::json(&run_with_input(&["diagnose", "-", "-o", "json"], evidence.as_bytes()));
    let cause = &value["incidents"][0]["cause"];
    let [failure, mechanism] =
        ["failure", "mechanism"].map(|key| cause[key].as_str().unwrap_or("nothing").to_owned());
    format!("{failure}/{mechanism}")
}

#[test]
fn every_wording_of_an_event_leads_to_its_mechanism() {
    let mut wrong = Vec::new();
    for (kind, name, reason, message, want) in events::EVENTS {
        let namespace = if *kind == "Node" { "" } else { "shop" };
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "e.1", "namespace": if namespace.is_empty() { "default" } else { namespace }},
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
            "type": "Warning", "reason": reason, "message": message, "count": 5,
            "firstTimestamp": "2026-03-01T09:50:00Z", "lastTimestamp": "2026-03-01T10:00:00Z",
        });
        let said = said(&event.to_string());
        if said != *want {
            wrong.push(format!("{said}, not {want}: {reason} {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TEXTS: &[(&str, &str)] = &[
    (
        "$ kubectl logs -n kube-system cloud-controller-manager-6d4f7\nE0301 \
        10:00:00.000000       1 controller.go:302] error processing service shop/front \
        (will retry): failed to ensure load balancer: error creating load balancer: \
        Expected HTTP response code [200] when accessing [POST \
        https://lb.example/v2/lbaas/loadbalancers], but got 403 instead: {\"faultstring\": \
        \"Quota exceeded for resources: ['loadbalancer']\"}\n",
        "lb-pending/quota-exceeded",
    ),
    (
        "$ kubectl logs -n ingress-nginx ingress-nginx-controller-5f6\nW0301 \
        10:00:00.000000       7 controller.go:1112] Error obtaining Endpoints for Service \
        \"shop/checkout-v2\": no object matching key \"shop/checkout-v2\" in local store\n",
        "ingress-misrouted/backend-service-missing",
    ),
    (
        "$ kubectl logs -n ingress-nginx ingress-nginx-controller-5f6\nW0301 \
        10:00:00.000000       7 controller.go:1402] Error getting SSL certificate \
        \"shop/shop-tls\": local SSL certificate shop/shop-tls was not found. Using default \
        certificate\n",
        "ingress-misrouted/certificate-secret-missing",
    ),
    (
        "root@worker-1:~# journalctl -u kubelet --no-pager\nMar 01 10:00:00 worker-1 \
        kubelet[1011]: E0301 10:00:00.000000    1011 run.go:74] \"command failed\" \
        err=\"failed to run Kubelet: validate service connection: validate CRI v1 runtime \
        API for endpoint \\\"unix:///run/containerd/containerd.sock\\\": rpc error: code = \
        Unavailable desc = connection error: desc = \\\"transport: Error while dialing: \
        dial unix /run/containerd/containerd.sock: connect: no such file or \
        directory\\\"\"\n",
        "node-runtime-hung/runtime-down",
    ),
    (
        "$ kubectl drain worker-1 --ignore-daemonsets\nnode/worker-1 cordoned\nevicting pod \
        shop/cart-5f6d8-abcde\nerror when evicting pods/\"cart-5f6d8-abcde\" -n \"shop\" \
        (will retry after 5s): Cannot evict pod as it would violate the pod's disruption \
        budget.\n",
        "pdb-blocking/budget-allows-none",
    ),
];

#[test]
fn every_line_of_a_client_or_a_component_leads_to_its_mechanism() {
    let mut wrong = Vec::new();
    for (text, want) in TEXTS {
        let said = said(text);
        if said != *want {
            wrong.push(format!("{said}, not {want}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
