//! Events as components print them, one for each wording.

/// Kind and name of the object, reason, message, and what it means.
pub(super) type Told = (&'static str, &'static str, &'static str, &'static str, &'static str);

const POD: &str = "api-6c9f7d8b5-k2x8q";
const SET: &str = "api-6c9f7d8b5";

pub(super) const EVENTS: &[Told] = &[
    (
        "Service",
        "front",
        "SyncLoadBalancerFailed",
        "Error syncing load balancer: failed to ensure load balancer: could not find any \
        suitable subnets for creating the ELB",
        "lb-pending/subnet-missing",
    ),
    (
        "Service",
        "front",
        "SyncLoadBalancerFailed",
        "Error syncing load balancer: failed to ensure load balancer: \
        findMatchedPIPByLoadBalancerIP: cannot find public IP with IP address 20.8.1.2 in \
        resource group mc_prod",
        "lb-pending/provider-failing",
    ),
    (
        "Service",
        "front",
        "SyncLoadBalancerFailed",
        "Error syncing load balancer: failed to ensure load balancer: failed to create \
        forwarding rule for load balancer (a1b2(shop/front)): googleapi: Error 403: \
        QUOTA_EXCEEDED - Quota 'FORWARDING_RULES' exceeded.  Limit: 15.0 globally.",
        "lb-pending/quota-exceeded",
    ),
    (
        "Service",
        "front",
        "AllocationFailed",
        "Failed to allocate IP for \"shop/front\": no available IPs",
        "lb-pending/addresses-exhausted",
    ),
    (
        "Pod",
        POD,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup \
        network for sandbox \"0f3\": plugin type=\"aws-cni\" name=\"aws-cni\" failed (add): \
        add cmd: failed to assign an IP address to container",
        "pod-sandbox-failing/addresses-exhausted",
    ),
    (
        "Pod",
        POD,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup \
        network for sandbox \"0f3\": plugin type=\"calico\" failed (add): failed to request \
        IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; No more free affine \
        blocks and strict affinity enabled",
        "pod-sandbox-failing/addresses-exhausted",
    ),
    (
        "Pod",
        POD,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup \
        network for sandbox \"0f3\": plugin type=\"flannel\" failed (add): \
        loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or \
        directory",
        "pod-sandbox-failing/network-plugin-down",
    ),
    (
        "Pod",
        POD,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup \
        network for sandbox \"0f3\": plugin type=\"cilium-cni\" failed (add): unable to \
        connect to Cilium agent: failed to create cilium agent client after 30.000000 \
        seconds timeout: Get \"http://localhost/v1/config\": dial unix \
        /var/run/cilium/cilium.sock: connect: no such file or directory\nIs the agent \
        running?",
        "pod-sandbox-failing/network-plugin-down",
    ),
    (
        "Pod",
        POD,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get \
        sandbox image \"registry.k8s.io/pause:3.9\": failed to pull image \
        \"registry.k8s.io/pause:3.9\": failed to resolve reference \
        \"registry.k8s.io/pause:3.9\": failed to do request: Head \
        \"https://registry.k8s.io/v2/pause/manifests/3.9\": dial tcp: lookup \
        registry.k8s.io: no such host",
        "pod-sandbox-failing/sandbox-image-missing",
    ),
    (
        "Node",
        "worker-1",
        "EvictionThresholdMet",
        "Attempting to reclaim ephemeral-storage",
        "node-disk-pressure/disk-full",
    ),
    (
        "Node",
        "worker-1",
        "FreeDiskSpaceFailed",
        "Failed to garbage collect required amount of images. Attempted to free 5310087168 \
        bytes, but only found 0 bytes eligible to free.",
        "node-image-gc-failing/images-in-use",
    ),
    (
        "Pod",
        POD,
        "OutOfcpu",
        "Node didn't have enough resource: cpu, requested: 500, used: 3700, capacity: 3920",
        "pod-refused-by-node/node-full",
    ),
    (
        "Pod",
        POD,
        "NodeAffinity",
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        "pod-refused-by-node/node-affinity-unmatched",
    ),
    (
        "Pod",
        POD,
        "UnexpectedAdmissionError",
        "Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. \
        Requested: 1, Available: 0, which is unexpected",
        "pod-refused-by-node/device-unavailable",
    ),
    (
        "Pod",
        POD,
        "TopologyAffinityError",
        "Resources cannot be allocated with Topology locality",
        "pod-refused-by-node/topology-unmet",
    ),
    (
        "Pod",
        POD,
        "FailedAttachVolume",
        "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) \
        api-6c9f7d8b5-77abc",
        "pod-volume-mount-failing/attach-conflict",
    ),
    (
        "Pod",
        POD,
        "FailedAttachVolume",
        "AttachVolume.Attach failed for volume \"pvc-1\" : timed out waiting for \
        external-attacher of ebs.csi.aws.com CSI driver to attach volume vol-0ab",
        "pod-volume-mount-failing/driver-missing",
    ),
    (
        "Pod",
        POD,
        "FailedMount",
        "MountVolume.SetUp failed for volume \"tls\" : references non-existent secret key: \
        tls.crt",
        "pod-volume-mount-failing/key-missing",
    ),
    (
        "Pod",
        POD,
        "FailedMount",
        "MountVolume.SetUp failed for volume \"cfg\" : configmap \"api-settings\" not found",
        "pod-volume-mount-failing/config-map-missing",
    ),
    (
        "Pod",
        POD,
        "FailedMount",
        "MountVolume.MountDevice failed for volume \"pvc-1\" : rpc error: code = Internal \
        desc = 'fsck' found errors on device /dev/nvme1n1 but could not correct them: fsck \
        from util-linux 2.37\n/dev/nvme1n1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.",
        "pod-volume-mount-failing/file-system-wrong",
    ),
    (
        "Pod",
        POD,
        "FailedMount",
        "MountVolume.SetUp failed for volume \"share\" : mount failed: exit status \
        32\nMounting command: mount\nMounting arguments: -t cifs //nas/share \
        /var/lib/kubelet/pods/1/volumes/x\nOutput: mount: wrong fs type, bad option, bad \
        superblock on //nas/share, missing codepage or helper program, or other error",
        "pod-volume-mount-failing/file-system-wrong",
    ),
    (
        "PersistentVolumeClaim",
        "data-db-0",
        "ProvisioningFailed",
        "failed to provision volume with StorageClass \"fast\": rpc error: code = Internal \
        desc = failed to create cinder volume: Expected HTTP response code [202] but got \
        413 instead: {\"overLimit\": {\"message\": \"VolumeSizeExceedsAvailableQuota: \
        Requested volume or snapshot exceeds allowed gigabytes quota.\"}}",
        "claim-pending/provisioner-failing",
    ),
    (
        "HorizontalPodAutoscaler",
        "api",
        "FailedGetPodsMetric",
        "unable to get metric http_requests_per_second: no metrics returned from custom \
        metrics API",
        "hpa-blind/metric-missing",
    ),
    (
        "HorizontalPodAutoscaler",
        "api",
        "FailedGetScale",
        "deployments/scale.apps \"api\" not found",
        "hpa-blind/target-missing",
    ),
    (
        "ReplicaSet",
        SET,
        "FailedCreate",
        "Error creating: pods \"api-6c9f7d8b5-\" is forbidden: ValidatingAdmissionPolicy \
        'require-limits' with binding 'require-limits-shop' denied request: all containers \
        must set a memory limit",
        "pods-refused-at-admission/webhook-denied",
    ),
    (
        "ReplicaSet",
        SET,
        "FailedCreate",
        "Error creating: admission webhook \"validate.kyverno.svc-fail\" denied the \
        request: \n\nresource Pod/shop/api-6c9f7d8b5-x was blocked due to the following \
        policies \n\ndisallow-latest-tag:\n  require-image-tag: 'validation error: An image \
        tag is required.'",
        "pods-refused-at-admission/webhook-denied",
    ),
    (
        "StatefulSet",
        "db",
        "FailedCreate",
        "create Pod db-0 in StatefulSet db failed error: pods \"db-0\" is forbidden: \
        exceeded quota: mem, requested: requests.memory=4Gi, used: requests.memory=30Gi, \
        limited: requests.memory=32Gi",
        "pods-refused-at-admission/quota-memory",
    ),
    (
        "DaemonSet",
        "agent",
        "FailedCreate",
        "Error creating: pods \"agent-\" is forbidden: violates PodSecurity \
        \"baseline:latest\": host namespaces (hostNetwork=true), hostPath volumes (volume \
        \"root\")",
        "pods-refused-at-admission/pod-security",
    ),
    (
        "CronJob",
        "sync",
        "JobAlreadyActive",
        "Not starting job because prior execution is running and concurrency policy is \
        Forbid",
        "job-failing/concurrency-forbid",
    ),
    (
        "CronJob",
        "sync",
        "TooManyMissedTimes",
        "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or \
        check clock skew",
        "job-failing/cron-too-many-missed",
    ),
    (
        "CronJob",
        "sync",
        "UnknownTimeZone",
        "invalid timeZone: \"Mars/Base\": unknown time zone Mars/Base",
        "job-failing/schedule-invalid",
    ),
    (
        "CronJob",
        "sync",
        "UnparseableSchedule",
        "unparseable schedule: \"61 * * * *\" : end of range (61) above maximum (59): 61",
        "job-failing/schedule-invalid",
    ),
    (
        "Job",
        "sync-1",
        "DeadlineExceeded",
        "Job was active longer than specified deadline",
        "job-failing/deadline",
    ),
    (
        "Node",
        "worker-1",
        "FailedToCreateRoute",
        "Could not create route 6b1f 10.244.9.0/24 for node worker-1 after 120.5ms: \
        googleapi: Error 403: Quota exceeded",
        "node-network-unavailable/route-quota-exceeded",
    ),
    (
        "Pod",
        POD,
        "Failed",
        "Error: couldn't find key api-token in Secret shop/api-secrets",
        "pod-config-missing/key-missing",
    ),
    (
        "Pod",
        POD,
        "InspectFailed",
        "Failed to apply default image tag \"Registry/App:1\": couldn't parse image \
        reference \"Registry/App:1\": invalid reference format: repository name must be \
        lowercase",
        "pod-image-pull-failing/image-name-invalid",
    ),
    (
        "Pod",
        POD,
        "Failed",
        "Failed to pull image \"r.example/a:1\": failed to pull and unpack image \
        \"r.example/a:1\": failed to extract layer sha256:aa: write \
        /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/9/fs/x: no \
        space left on device: unknown",
        "pod-image-pull-failing/disk-full",
    ),
    (
        "Pod",
        POD,
        "Failed",
        "Error: failed to create containerd task: failed to create shim task: OCI runtime \
        create failed: runc create failed: unable to start container process: error during \
        container init: exec: \"npm-start\": executable file not found in $PATH: unknown",
        "pod-crash-looping/command-not-found",
    ),
    (
        "Pod",
        POD,
        "Failed",
        "Error: failed to create containerd task: failed to create shim task: OCI runtime \
        create failed: runc create failed: unable to start container process: error during \
        container init: mkdir /app/work: read-only file system: unknown",
        "pod-crash-looping/read-only-file-system",
    ),
    (
        "Pod",
        POD,
        "Failed",
        "Error: failed to create containerd task: failed to create shim task: OCI runtime \
        create failed: runc create failed: unable to start container process: container \
        init was OOM-killed (memory limit too low?): unknown",
        "pod-limit-reached/memory-limit-too-low",
    ),
    (
        "Pod",
        POD,
        "Failed",
        "Error: failed to generate security options for container \"api\": failed to \
        generate seccomp security options for container: cannot load seccomp profile \
        \"/var/lib/kubelet/seccomp/profiles/audit.json\": open \
        /var/lib/kubelet/seccomp/profiles/audit.json: no such file or directory",
        "pod-crash-looping/configuration-invalid",
    ),
    (
        "Pod",
        POD,
        "AppArmor",
        "Cannot enforce AppArmor: profile \"k8s-nginx\" is not loaded",
        "pod-refused-by-node/security-profile",
    ),
    (
        "Pod",
        POD,
        "SysctlForbidden",
        "forbidden sysctl: \"net.core.somaxconn\" not allowlisted",
        "pod-refused-by-node/setting-forbidden",
    ),
    (
        "ReplicaSet",
        SET,
        "FailedCreate",
        "Error creating: etcdserver: mvcc: database space exceeded",
        "control-plane-degraded/etcd-full",
    ),
];
