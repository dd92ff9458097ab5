use crate::piece::Piece;
use crate::text::tests::{object, pieces};
use serde_json::{Value, json};

/// A pod as current clients print it.
pub const POD: &str = r#"Name:             web-2
Namespace:        shop
Priority:         1000
Priority Class Name:  high
Service Account:  web
Node:             node-1/10.0.0.5
Start Time:       Tue, 11 Nov 2025 15:58:50 +0800
Labels:           app=web
                  tier=front
Annotations:      example.com/note: a: b=c
                  example.com/long:
                    one two
Status:           Running
IP:               10.1.0.7
IPs:
  IP:           10.1.0.7
Controlled By:  ReplicaSet/web-5f
Init Containers:
  prepare:
    Container ID:  containerd://11
    Image:         busybox:1.36
    Port:          <none>
    Host Port:     <none>
    Command:
      sh
      -c
      echo a
      if true; then
        echo b
      fi
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Tue, 11 Nov 2025 15:58:50 +0800
      Finished:     Tue, 11 Nov 2025 15:58:51 +0800
    Ready:          True
    Restart Count:  0
    Environment:    <none>
    Mounts:         <none>
Containers:
  app:
    Container ID:  containerd://22
    Image:         example.com/web:1
    Image ID:      example.com/web@sha256:33
    Ports:         8080/TCP (http), 9090/TCP (metrics)
    Host Ports:    0/TCP (http), 9090/TCP (metrics)
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Message:      panic: no database
goroutine 1 [running]:
  main.main()
      Exit Code:    2
      Started:      Tue, 11 Nov 2025 16:00:00 +0800
      Finished:     Tue, 11 Nov 2025 16:00:01 +0800
    Ready:          False
    Restart Count:  7
    Limits:
      memory:  64Mi
    Requests:
      cpu:      100m
      memory:   64Mi
    Liveness:   http-get http://:http/healthz delay=5s timeout=1s period=10s #success=1 #failure=3
    Readiness:  exec [sh -c test -f /tmp/x &&
true] delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment Variables from:
      settings  ConfigMap with prefix 'APP_'  Optional: false
      keys      Secret  Optional: true
    Environment:
      PORT:      8080
      URL:       http://db:5432/x
      PASSWORD:  <set to the key 'password' in secret 'db'>       Optional: false
      MODE:      <set to the key 'mode' of config map 'settings'>  Optional: true
      POD_IP:     (v1:status.podIP)
      CPUS:      1 (limits.cpu)
    Mounts:
      /data from data (rw,path="sub")
      /etc/x from settings (ro)
Conditions:
  Type              Status
  Initialized       True 
  Ready             False 
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  web-data
    ReadOnly:   false
  settings:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      settings
    Optional:  true
  kube-api-access-x:
    Type:                    Projected (a volume that contains injected data from multiple sources)
    TokenExpirationSeconds:  3607
    ConfigMapName:           kube-root-ca.crt
    ConfigMapOptional:       <nil>
    DownwardAPI:             true
QoS Class:                   Burstable
Node-Selectors:              disk=ssd
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                             team=a:NoSchedule
Topology Spread Constraints:  zone:DoNotSchedule when max skew 1 is exceeded for selector app=web
Events:
  Type     Reason   Age                   From     Message
  ----     ------   ----                  ----     -------
  Normal   Pulled   9m                    kubelet  Container image already present
  Warning  BackOff  2m (x26 over 7m37s)   kubelet  Back-off restarting
failed container
"#;

#[track_caller]
fn check(text: &str, kind: &str, name: &str, want: &[(&str, Value)]) {
    let value = object(text, kind, name);
    for (pointer, want) in want {
        let got = value.pointer(pointer).cloned().unwrap_or(json!("ABSENT"));
        assert_eq!(&got, want, "{pointer} of {kind} {name}");
    }
}

fn events(text: &str) -> Vec<Value> {
    let event = |p: Piece| match p {
        Piece::Object { value, .. } if value["kind"] == "Event" => Some(value),
        _ => None,
    };
    pieces(text).into_iter().filter_map(event).collect()
}

mod configuration;
mod control;
mod objects;
mod pods;
mod scaling;
