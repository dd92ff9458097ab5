//! Slim records of Kubernetes objects: what the catalogue reads and nothing else, decoded
//! straight from the wire. A typed API object costs about 50 kB of heap; a pod's record costs
//! well under one.

mod access;
mod budget;
mod certificate;
mod cluster;
mod config_value;
mod container;
mod container_status;
mod control;
mod event;
mod ingress;
mod job;
mod meta;
mod network;
mod node;
mod pod;
mod pod_spec;
mod policy;
mod rollout;
mod rules;
mod scaler;
mod storage;
mod volume;
mod workload;

pub use access::{AccessBinding, AccessRole, AccessRule, Subject};
pub use budget::{Budget, Share};
pub use certificate::{CertificateState, validity};
pub use cluster::{LimitItem, LimitRange, Named, Quota};
pub use config_value::ConfigValue;
pub use container::{
    ConfigRef, ConfigSource, Container, ContainerPort, Env, Exec, Mount, Needs, Probe, ProbeAction,
};
pub use container_status::{ContainerState, ContainerStatus, Terminated};
pub use control::{Availability, Lease, Webhook, Webhooks};
pub use event::{ClusterEvent, EventTime};
pub use ingress::{Ingress, IngressPath};
pub use job::{JobPlan, JobStatus};
pub use meta::{ByHand, Known, Meta, Owner, Record};
pub use network::{Backends, Port, Service, ServicePort};
pub use node::{Node, Taint};
pub use pod::{Phase, Pod, Ready, Summary};
pub use pod_spec::{
    Affinity, EverySpec, NodeTerm, PlacedSpec, PodSpec, PodTerm, SpecReader, Spread, Toleration,
};
pub use policy::{AddressBlock, NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule};
pub use rollout::Rollout;
pub use rules::{AlertRule, LogRule, Rules};
pub use scaler::{Amount, MetricSource, Scaler, ScalerMetric, ScalingPolicy, ScalingRules};
pub use storage::{Claim, PersistentVolume, StorageClass};
pub use volume::{ConfigPlace, ConfigUse, Volume, VolumeSource};
pub use workload::{Counts, Workload};
