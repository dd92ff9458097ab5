//! What is asked: a fixed list of queries, each with a bounded answer.

/// Who measures it: where all of one are silent, nobody scrapes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// The node exporter.
    Nodes,
    /// The kubelets' cAdvisor.
    Pods,
    /// kube-state-metrics.
    Objects,
    /// The control plane's own figures.
    ControlPlane,
    /// Prometheus itself.
    Own,
}

impl Family {
    /// What nobody sees without it, and who would have to be scraped.
    pub(crate) fn silent(self) -> Option<(&'static str, &'static str)> {
        match self {
            Family::Nodes => Some(("memory, disks and load of nodes", "node-exporter")),
            Family::Pods => Some(("processors and memory of pods", "the kubelets' cAdvisor")),
            Family::Objects => Some(("states of objects", "kube-state-metrics")),
            Family::ControlPlane => {
                Some(("figures of the control plane", "etcd, kube-apiserver and CoreDNS"))
            }
            Family::Own => None,
        }
    }
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    /// Which targets answer.
    Targets,
    /// Names of nodes.
    Names,
    /// What tools on the machine would say.
    Figures,
    /// Objects of the API.
    Objects,
    /// A measurement of a node.
    NodeSample(&'static str),
    /// A measurement of a pod.
    PodSample(&'static str),
    /// A measurement of a part of the control plane: its name, the metric.
    PartSample(&'static str, &'static str),
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// What it is about, for people.
    pub(crate) what: &'static str,
    pub(crate) family: Family,
    pub(crate) query: &'static str,
    /// Over the window; else at its end.
    pub(crate) is_course: bool,
    pub(crate) into: Into,
}

const fn at(what: &'static str, family: Family, into: Into, query: &'static str) -> Question {
    Question { what, family, query, is_course: false, into }
}

const fn course(what: &'static str, family: Family, into: Into, query: &'static str) -> Question {
    Question { what, family, query, is_course: true, into }
}

use Family::{ControlPlane, Nodes, Objects, Own, Pods};

/// Whether anybody is there, and what it reaches itself. It is asked first and alone.
pub(crate) const TARGETS: Question = at("targets", Own, Into::Targets, "up");

/// The rest, in the order in which answers are taken: names first.
pub(crate) const QUESTIONS: [Question; 19] = [
    at("names of nodes", Nodes, Into::Names, r#"{__name__=~"node_uname_info|kube_node_info"}"#),
    at(
        "memory of nodes",
        Nodes,
        Into::Figures,
        r#"{__name__=~"node_memory_(MemTotal|MemAvailable|MemFree|Buffers|Cached)_bytes"}"#,
    ),
    at(
        "disks of nodes",
        Nodes,
        Into::Figures,
        concat!(
            r#"{__name__=~"node_filesystem_(size_bytes|avail_bytes|free_bytes|files|"#,
            r#"files_free)",fstype!~"tmpfs|ramfs|overlay|squashfs|nsfs|iso9660|fuse.*"}"#,
        ),
    ),
    at("load of nodes", Nodes, Into::Figures, r#"{__name__=~"node_load(1|5|15)"}"#),
    at(
        "processes of nodes",
        Nodes,
        Into::Figures,
        concat!(
            r#"{__name__=~"node_processes_threads|node_processes_pids|"#,
            r#"node_processes_state",state=~"Z|"}"#,
        ),
    ),
    course(
        "processors of nodes",
        Nodes,
        Into::NodeSample("cpu_usage_percent"),
        concat!(
            r#"topk(100, 100 * (1 - avg by (instance, node) (rate("#,
            r#"node_cpu_seconds_total{mode="idle"}[5m]))))"#,
        ),
    ),
    course(
        "memory of nodes over time",
        Nodes,
        Into::NodeSample("memory_used_percent"),
        "topk(100, 100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes))",
    ),
    at(
        "processes killed for memory on nodes",
        Nodes,
        Into::NodeSample("oom_kills_per_hour"),
        "increase(node_vmstat_oom_kill[1h]) > 0",
    ),
    course(
        "processors of pods",
        Pods,
        Into::PodSample("cpu_usage"),
        concat!(
            r#"topk(200, sum by (namespace, pod) (rate("#,
            r#"container_cpu_usage_seconds_total{container!="",container!="POD","#,
            r#"pod!=""}[5m])))"#,
        ),
    ),
    course(
        "memory of pods",
        Pods,
        Into::PodSample("memory_usage"),
        concat!(
            r#"topk(200, sum by (namespace, pod) ("#,
            r#"container_memory_working_set_bytes{container!="",container!="POD","#,
            r#"pod!=""}))"#,
        ),
    ),
    course(
        "throttling of pods",
        Pods,
        Into::PodSample("cpu_throttled_seconds_per_second"),
        concat!(
            r#"topk(100, sum by (namespace, pod) (rate("#,
            r#"container_cpu_cfs_throttled_seconds_total{container!="",pod!=""}[5m])))"#,
        ),
    ),
    at(
        "disk use of pods",
        Pods,
        Into::PodSample("fs_usage_bytes"),
        r#"topk(200, sum by (namespace, pod) (container_fs_usage_bytes{container!="",pod!=""}))"#,
    ),
    at(
        "states of pods",
        Objects,
        Into::Objects,
        concat!(
            r#"{__name__=~"kube_pod_info|kube_pod_status_phase|kube_pod_status_ready|"#,
            r#"kube_pod_status_reason|kube_pod_container_status_waiting_reason|"#,
            r#"kube_pod_container_status_last_terminated_reason"} == 1"#,
        ),
    ),
    at("restarts of pods", Objects, Into::Objects, "kube_pod_container_status_restarts_total > 0"),
    at(
        "states of nodes, workloads and claims",
        Objects,
        Into::Objects,
        concat!(
            r#"{__name__=~"kube_node_(info|spec_unschedulable|status_condition|"#,
            r#"status_capacity|status_allocatable)|kube_deployment_(spec_replicas|"#,
            r#"status_replicas|status_replicas_available|status_replicas_ready|"#,
            r#"status_replicas_updated)|kube_statefulset_(replicas|status_replicas|"#,
            r#"status_replicas_ready|status_replicas_available)|kube_daemonset_status_("#,
            r#"desired_number_scheduled|number_ready|number_available)|"#,
            r#"kube_persistentvolumeclaim_(info|status_phase)"}"#,
        ),
    ),
    course(
        "disk writes of etcd",
        ControlPlane,
        Into::PartSample("etcd", "etcd_wal_fsync_p99_seconds"),
        concat!(
            "histogram_quantile(0.99, sum by (le) ",
            "(rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))",
        ),
    ),
    course(
        "leader of etcd",
        ControlPlane,
        Into::PartSample("etcd", "etcd_has_leader"),
        "min(etcd_server_has_leader)",
    ),
    course(
        "answers of the API server",
        ControlPlane,
        Into::PartSample("kube-apiserver", "apiserver_error_share"),
        concat!(
            r#"sum(rate(apiserver_request_total{code=~"5.."}[5m])) / sum(rate("#,
            r#"apiserver_request_total[5m]))"#,
        ),
    ),
    course(
        "answers of CoreDNS",
        ControlPlane,
        Into::PartSample("coredns", "dns_error_share"),
        concat!(
            r#"sum(rate(coredns_dns_responses_total{rcode="SERVFAIL"}[5m])) / sum(rate("#,
            r#"coredns_dns_responses_total[5m]))"#,
        ),
    ),
];
