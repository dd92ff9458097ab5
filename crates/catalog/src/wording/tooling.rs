//! Names of programs that watch, collect and build: of their images and of their tools.

/// Images that hold measurements, judge them or show them.
pub const WATCHERS: &[&str] = &[
    "alertmanager",
    "cortex",
    "grafana",
    "grafana-enterprise",
    "mimir",
    "netdata",
    "prometheus",
    "thanos",
    "victoria-metrics",
    "vmalert",
    "vmsingle",
];

/// Images that look for lines of logs and tell people.
pub const LOG_ALERTERS: &[&str] = &["elastalert", "elastalert2", "elastalert-docker"];

/// Images that collect logs for all, or show them.
pub const LOG_COLLECTORS: &[&str] =
    &["graylog", "kibana", "logstash", "loki", "opensearch-dashboards", "praeco"];

/// Images that build and deliver.
pub const PIPELINES: &[&str] = &[
    "actions-runner",
    "buildkit",
    "concourse",
    "drone",
    "gitlab-ce",
    "gitlab-ee",
    "gitlab-runner",
    "jenkins",
    "nexus3",
    "sonarqube",
    "teamcity-agent",
    "teamcity-server",
];

/// Images that carry measurements out of the cluster.
pub const CARRIERS: &[&str] = &[
    "agent-metrics",
    "alloy",
    "amazon-cloudwatch-agent",
    "datadog-agent",
    "dynatrace-oneagent",
    "gke-metrics-agent",
    "grafana-agent",
    "metricbeat",
    "newrelic-infrastructure",
    "oneagent",
    "prometheus-to-sd",
    "telegraf",
];

/// Arguments by which a watcher sends its measurements elsewhere.
pub const SENDS_ELSEWHERE: &[&str] =
    &["--remote-write", "-remoteWrite.url", "--objstore.config", "--receive.remote-write"];

/// Names of alerts that always fire, so that their silence tells.
pub const ALWAYS_FIRING: &[&str] =
    &["watchdog", "deadman", "dead-man", "deadmansswitch", "dead mans switch", "heartbeat"];

/// What only an expression about the memory of nodes names.
pub const ALERT_ON_MEMORY: &[&str] =
    &["node_memory_", "memorypressure", "windows_memory_", "machine_memory_bytes"];

/// Processors of nodes.
pub const ALERT_ON_CPU: &[&str] =
    &["node_load", "node_cpu_", "node_pressure_cpu", "windows_cpu_", "machine_cpu_cores"];

/// Disks of nodes.
pub const ALERT_ON_DISK: &[&str] =
    &["node_filesystem_", "diskpressure", "windows_logical_disk_", "container_fs_usage"];

/// Processes of nodes.
pub const ALERT_ON_PROCESSES: &[&str] = &[
    "pidpressure",
    "node_processes_",
    "container_processes",
    "container_threads",
    "namedprocess_namegroup_num",
];

/// Rules by the names that their makers give them, where only the name was read.
pub const NODE_PRESSURE_RULES: &[&str] = &["kubenodepressure"];

/// An alert on how fast an error budget is spent.
pub const BUDGET_BURN: &[&str] =
    &["errorbudgetburn", "error budget burn", "budgetburn", "burnrate", "burn rate", "burn_rate"];

/// That of the API server.
pub const API_BUDGET_BURN: &[&str] = &["kubeapierrorbudgetburn"];

/// Measurements that say how many times too fast a budget is spent. What rules record as
/// `burnrate1h` is a share of errors, and is not meant.
pub const BURN_RATE_METRICS: &[&str] = &["burn_rate"];
