//! How the kernel, and programs that it refuses something, say what they lack.

/// The machine as a whole had no memory left.
pub const OOM_SYSTEM: &[&str] = &[
    "system oom encountered",
    "out of memory: kill",
    "constraint=constraint_none",
    "global_oom",
    "out of memory and no killable processes",
];

/// A group of processes reached its own memory limit; the machine may have memory left.
pub const OOM_GROUP: &[&str] = &[
    "memory cgroup out of memory",
    "constraint=constraint_memcg",
    "as a result of limit of",
    "memory: usage ",
];

/// The processes that may be started are used up, for the whole machine or for one group.
pub const NO_PROCESSES: &[&str] = &[
    "fork: resource temporarily unavailable",
    "fork: retry: resource temporarily unavailable",
    "fork failed: resource temporarily unavailable",
    "cannot fork",
    "can't fork",
    "unable to fork",
    "fork rejected by pids controller",
    "pthread_create failed",
    "failed to create new os thread",
    "unable to create new native thread",
    "unable to create native thread",
    "can't start new thread",
    "could not create thread",
    "clone: resource temporarily unavailable",
    "cannot allocate new process",
];

/// A program could not be started for lack of processes: `fork/exec /bin/x: ...`.
pub const EXEC_REFUSED: &[&str] = &["resource temporarily unavailable", "errno=11", "eagain"];

/// A pod's own bound on processes was reached, not the machine's.
pub const POD_PROCESSES: &[&str] = &["rejected by pids controller in"];

/// A process could not be put into its group, so the runtime could not run it.
pub const GROUP_REFUSED: &[&str] = &["to cgroup.procs", "to cgroups caused", "cgroup.procs: "];

/// The kernel could not tell the runtime of its own process.
pub const PROCESS_UNREADABLE: &[&str] = &["/status: bad address", "/stat: bad address"];

/// No further memory group can be made: the kernel does not give back those that are gone.
pub const GROUP_LEAK: &[&str] = &["mkdir /sys/fs/cgroup/memory", "mkdir: /sys/fs/cgroup/memory"];

/// The kernel's table of connections has no room: packets of new ones are dropped.
pub const CONNECTION_TABLE_FULL: &[&str] =
    &["conntrack: table full", "conntrack table full", "conntrack table is full"];

/// The kernel made a file system of the machine read-only, after an error of the disk below it.
pub const FILE_SYSTEM_SHUT: &[&str] = &[
    "remounting filesystem read-only",
    "remounted filesystem read-only",
    "filesystem is read-only",
    "shutting down filesystem",
    "shut down due to log error",
];

/// The disk of the machine does not answer: who writes to it hangs.
pub const DISK_HANGS: &[&str] = &[
    "blocked for more than",
    "i/o error, dev",
    "buffer i/o error",
    "timeout, aborting",
    "timeout, reset controller",
    "rejecting i/o to offline device",
    "lost async page write",
    "medium error",
];

/// The kernel itself failed.
pub const KERNEL_FAILED: &[&str] = &[
    "kernel panic - not syncing",
    "unable to handle page fault",
    "unable to handle kernel",
    "general protection fault",
    "kernel bug at",
    "soft lockup - cpu",
    "hard lockup",
    "self-detected stall on cpu",
    "detected stalls on cpu",
    "fatal exception in interrupt",
];

/// The hardware reports an error that it could not correct.
pub const HARDWARE_FAILED: &[&str] =
    &["machine check exception", "uncorrected error", "uncorrectable error", "hardware error"];

/// Whether a program could not start another for lack of processes.
pub fn lacks_processes(text: &str) -> bool {
    let refused = || super::says(text, &["fork/exec", "forkexec", "fork:", "clone("]);
    super::says(text, NO_PROCESSES) || (refused() && super::says(text, EXEC_REFUSED))
}

/// Whether the runtime failed to run a process for the kernel's sake, not for the command's.
pub fn is_group_trouble(text: &str) -> bool {
    super::says(text, GROUP_REFUSED) || super::says(text, PROCESS_UNREADABLE)
}
