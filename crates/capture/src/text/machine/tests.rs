use super::*;
use crate::piece::Piece;
use crate::text::{Hints, read_text, tests::pieces};
use proptest::prelude::*;

/// One line for each piece.
fn line(piece: Piece) -> String {
    use HostFigure as F;
    let Piece::Host { node, figure, .. } = piece else {
        return match piece {
            Piece::Log { of, lines, .. } => {
                format!("log {} {} {}", of.name, of.unit.unwrap_or_default(), lines.len())
            }
            other => format!("{other:?}"),
        };
    };
    let figure = match figure {
        F::FileSystem { mount, size, used_percent, inodes } => {
            format!("{mount} {} {used_percent}%{}", size >> 20, if inodes { " inodes" } else { "" })
        }
        F::Memory { total_bytes: t, used_bytes: u, available_bytes: a, cache_bytes: c } => {
            format!("memory {} {} {} {}", t >> 20, u >> 20, a >> 20, c >> 20)
        }
        F::Load { one, five, fifteen } => format!("load {one} {five} {fifteen}"),
        F::Tasks { total, defunct } => format!("tasks {total} {defunct}"),
        F::Processes { command, count, resident_bytes } => {
            format!("{command} x{count} {}", resident_bytes >> 20)
        }
        F::Defunct { parent, parent_command, command, count } => {
            format!("defunct {command} x{count} of {parent} {parent_command}")
        }
        F::Container { name, namespace, pod, running, attempt, .. } => {
            format!("container {name} {namespace}/{pod} {running} {attempt}")
        }
        F::Conntrack { insert_failed, dropped } => format!("conntrack {insert_failed} {dropped}"),
        F::Sandbox { namespace, pod, ready } => format!("sandbox {namespace}/{pod} {ready}"),
    };
    format!("{node}: {figure}")
}

#[track_caller]
fn check(text: &str, want: &[&str]) {
    let got: Vec<String> = pieces(text).into_iter().map(line).collect();
    assert_eq!(got, want, "{text}");
}

#[test]
fn counters_of_connections_are_summed_over_the_processors() {
    let table = "\
cpu=0   \tfound=12 invalid=3 ignore=0 insert=0 insert_failed=41 drop=41 early_drop=0 error=0 \
search_restart=9
cpu=1   \tfound=7 invalid=1 insert=0 insert_failed=1 drop=2 early_drop=0 error=0 search_restart=2
";
    check(&format!("root@n1:~# conntrack -S\n{table}"), &["n1: conntrack 42 43"]);
    check(&format!("$ ssh n1 sudo conntrack -S\n{table}root@n1:~# \n"), &["n1: conntrack 42 43"]);
}

const DF: &str = "\
Filesystem      Size  Used Avail Use% Mounted on
devtmpfs        3.9G     0  3.9G   0% /dev
/dev/nvme0n1p1   20G   19G  1.0G  95% /
/dev/loop3       64M   64M     0 100% /snap/core20/1
/dev/mapper/data-a_very_long_volume_name
                100G   10G   90G  10% /var/lib/data
overlay          20G   19G  1.0G  95% /run/x
";

#[test]
fn file_systems() {
    let disks = ["n1: / 20480 95%", "n1: /var/lib/data 102400 10%"];
    check(&format!("root@n1:~# df -h\n{DF}"), &disks);
    check(&format!("$ ssh n1 df -h\n{DF}root@n1:~# \n"), &disks);
    check(&format!("=== n1 ===\n{DF}"), &disks);
    check(&format!("$ kubectl debug node/n1 -it --image=b -- chroot /host df -h\n{DF}"), &disks);
    check(DF, &disks.map(|d| d.strip_prefix("n1").unwrap_or(d)));
    let inodes = "Filesystem     Inodes  IUsed IFree IUse% Mounted on\n\
                  /dev/vda1     1310720 1310720     0  100% /\n";
    check(inodes, &[": / 1 100% inodes"]);
    let blocks =
        "Filesystem 1K-blocks  Used Available Use% Mounted on\n/dev/vda1 20971520 0 1 1% /\n";
    check(blocks, &[": / 20480 1%"]);
}

#[test]
fn a_figure_of_a_container_is_none_of_its_node() {
    check(&format!("$ kubectl exec web-1 -- df -h\n{DF}"), &["log web-1 df 7"]);
}

#[test]
fn memory_of_all_ages() {
    let new = "              total        used        free      shared  buff/cache   available\n\
               Mem:        8000000     6000000      200000        1000     1800000     1500000\n\
               Swap:             0           0           0\n";
    check(&format!("[root@n1 ~]# free\n{new}"), &["n1: memory 7812 5859 1464 1757"]);
    let human = "               total        used        free      shared  buff/cache   available\n\
                 Mem:           7.6Gi       5.7Gi       0.2Gi       1.0Mi       1.7Gi       1.4Gi\n";
    check(human, &[": memory 7782 5836 1433 1740"]);
    let old = "             total       used       free     shared    buffers     cached\n\
               Mem:          7812       7600        212          0        100       1700\n\
               -/+ buffers/cache:       5800       2012\nSwap:            0          0          0\n";
    check(&format!("$ free -m\n{old}"), &[": memory 7812 5800 2012 1800"]);
}

#[test]
fn top_and_uptime() {
    let top = "\
top - 10:00:00 up 5 days,  3:04,  2 users,  load average: 18.02, 17.50, 9.25
Tasks: 812 total,   2 running, 290 sleeping,   0 stopped, 520 zombie
%Cpu(s): 90.0 us,  5.0 sy,  0.0 ni,  5.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st
MiB Mem :   7812.0 total,    200.0 free,   5900.0 used,   1712.0 buff/cache
MiB Swap:      0.0 total,      0.0 free,      0.0 used.   1500.0 avail Mem

    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND
   4711 root      20   0   10.2g   4.5g  20000 R 300.0  57.0 100:00.00 java
   4712 root      20   0       0      0      0 Z   0.0   0.0   0:00.00 sh
";
    check(
        &format!("root@n1:~# top -b -n 1\n{top}"),
        &[
            "n1: load 1802 1750 925",
            "n1: tasks 812 520",
            "n1: memory 7812 5900 1500 1712",
            "n1: tasks 2 1",
            "n1: java x1 4608",
            "n1: defunct sh x1 of 0 ",
        ],
    );
    check(" 10:00:00 up 5 days, 1 user,  load average: 0.10, 0.20, 0.30\n", &[": load 10 20 30"]);
}

#[test]
fn processes_and_zombies() {
    let full = "\
UID          PID    PPID  C STIME TTY          TIME CMD
root           1       0  0 Feb01 ?        00:00:09 /sbin/init
root        1011       1  2 Feb01 ?        01:00:00 /usr/bin/containerd-shim-runc-v2 -id x
1000        2000    1011  0 10:00 ?        00:00:00 nginx: worker process
root        2001    1011  0 10:00 ?        00:00:00 [sh] <defunct>
root        2002    1011  0 10:00 ?        00:00:00 [sh] <defunct>
";
    check(
        &format!("# ps -ef\n{full}"),
        &[
            ": tasks 5 2",
            ": containerd-shim-runc-v2 x1 0",
            ": init x1 0",
            ": nginx x1 0",
            ": defunct sh x2 of 1011 containerd-shim-runc-v2",
        ],
    );
    let wide = "\
USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
root           1  0.0  0.1 169000 12000 ?        Ss   Feb01   0:09 /sbin/init
root         400  0.0  0.0      0     0 ?        I    Feb01   0:00 [kworker/0:1]
app         4711  9.0 50.0 900000 4194304 ?      Sl   Feb01   9:00 java -jar /a.jar
";
    check(wide, &[": tasks 3 0", ": init x1 11", ": java x1 4096", ": kworker x1 0"]);
    check(
        "$ ps aux | grep defunct\nroot 77 0.0 0.0 0 0 ? Z 10:00 0:00 [cat] <defunct>\n",
        &[": defunct cat x1 of 0 "],
    );
}

#[test]
fn containers() {
    let docker = "\
CONTAINER ID   IMAGE     COMMAND   CREATED        STATUS                     PORTS     NAMES
0123456789ab   9f0       \"/app\"    2 hours ago    Up 2 hours                           k8s_app_web-1_shop_7f_3
0123456789ac   9f0       \"/app\"    2 hours ago    Exited (1) 3 minutes ago             other
";
    check(
        &format!("$ ssh n1 docker ps -a\n{docker}"),
        &["n1: container app shop/web-1 true 3", "n1: container other / false 0"],
    );
    let crictl = "\
CONTAINER           IMAGE               CREATED             STATE               NAME                      ATTEMPT             POD ID              POD
0123456789abc       0123456789abc       2 hours ago         Exited              kube-apiserver            7                   0123456789abd       kube-apiserver-cp-1
";
    check(
        &format!("root@cp-1:~# crictl ps -a\n{crictl}"),
        &["cp-1: container kube-apiserver /kube-apiserver-cp-1 false 7"],
    );
    let pods = "\
POD ID              CREATED             STATE               NAME                  NAMESPACE           ATTEMPT             RUNTIME
0123456789abc       2 hours ago         NotReady            web-1                 shop                0                   (default)
";
    check(pods, &[": sandbox shop/web-1 false"]);
    let down = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.";
    check(&format!("root@n1:~# docker ps\n{down}\n"), &["log n1 docker 1"]);
}

#[test]
fn lines_of_the_kernel_and_the_kubelet_are_known_without_a_command() {
    check("[12345.678901] java invoked oom-killer: x\n[12345.7] y\n", &["log  kernel 2"]);
    check("[Sun Mar  1 10:00:00 2026] Out of memory: Killed process 1 (a)\n", &["log  kernel 1"]);
    check("E0301 10:00:00.000000    1011 kubelet.go:2528] x\n", &["log  kubelet 1"]);
    check("E0301 10:00:00.000000    1011 main.go:25] x\n", &["log   1"]);
    check("root@n1:~# dmesg\n[1.0] oom-kill\n", &["log n1 kernel 1"]);
}

#[test]
fn files_are_of_the_machine_whose_folder_they_lie_in() {
    for (path, want) in [
        ("bundle/nodes/worker-1/df.txt", Some("worker-1")),
        ("worker-1/ps_aux.txt", Some("worker-1")),
        ("worker-1/dmesg", Some("worker-1")),
        ("bundle/logs/dmesg.txt", None),
        ("df.txt", None),
        ("worker-1/notes.txt", None),
    ] {
        assert_eq!(host_of_file(path), want, "{path}");
    }
    let hints = Hints { file: Some("b/worker-1/df-h.txt".into()), ..Hints::default() };
    let mut seen = Vec::new();
    read_text("d", DF, &hints, &mut |p| seen.push(line(p)));
    assert_eq!(seen, ["worker-1: / 20480 95%", "worker-1: /var/lib/data 102400 10%"]);
    for (text, want) in [
        ("=== worker-1 ===", Some("worker-1")),
        ("--- node worker-1 ---", Some("worker-1")),
        ("worker-1:", Some("worker-1")),
        ("worker-1", None),
        ("Here is what it says:", None),
        ("-----", None),
    ] {
        assert_eq!(host_of_heading(text), want, "{text}");
    }
}

const WORD: &str = "(Filesystem  Size  Used Avail Use% Mounted on\n|/dev/vda1 |20G |95% |/var\n|\n|\
total used free shared buff/cache available\n|Mem: |MiB Mem : |Tasks: |Swap:|1e99 |9 |-1 |zombie,|\
load average: | up |PID PPID CMD\n|USER PID RSS STAT COMMAND\n|Z |<defunct>|\\[a|CONTAINER ID  STATUS  NAMES  X\n\
|POD ID  STATE  NAME  NAMESPACE\n|0123456789ab  |\\$ df -h\n|# ps -ef\n|root@n1:~# |ü|\\[1.0\\] )";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_words_are_borne(words in proptest::collection::vec(WORD, 0..80)) {
        pieces(&words.concat());
    }

    #[test]
    fn any_damage_is_borne(at in 0usize..2000, with in "[ \t\n:/<>%0-9-]{0,8}") {
        let text: Vec<char> = DF.repeat(3).chars().collect();
        let at = at.min(text.len());
        let (before, after) = (text[..at].iter().copied(), text[at..].iter().copied());
        pieces(&before.chain(with.chars()).chain(after).collect::<String>());
    }

    #[test]
    fn many_processes_are_few_figures(count in 1u32..3000) {
        let mut text = String::from("UID PID PPID C STIME TTY TIME CMD\n");
        for pid in 1..=count {
            text.push_str(&format!("root {pid} 1 0 10:00 ? 00:00:00 job-{}\n", pid % 977));
        }
        let got = pieces(&text);
        prop_assert!(got.len() <= 32, "{} pieces", got.len());
        let Piece::Host { figure: HostFigure::Tasks { total, .. }, .. } = &got[0] else {
            panic!("no tasks first")
        };
        prop_assert_eq!(*total, count);
    }
}
