//! Manifests of what is applied in rehearsals: a workload and its Service in namespace `shop`.
//!
//! They are put together when this is compiled. Nothing here may depend on a snapshot.

/// A Deployment for a rehearsal. `container` is what its one container has besides the name
/// `main`, `pod` what its pods have besides that container; both are parts of a YAML map.
///
/// ```text
/// drill_deployment!("drill-till", replicas: 2, container: "image: 'drill:1'")
/// drill_deployment!("drill-till", replicas: 2, container: "image: 'drill:1'",
///     pod: "nodeSelector: {disk: nvme}")
/// ```
macro_rules! drill_deployment {
    ($name:literal, replicas: $replicas:literal, container: $container:literal) => {
        drill_deployment!($name, replicas: $replicas, container: $container, pod: "")
    };
    (
        $name:literal, replicas: $replicas:literal, container: $container:literal,
        pod: $pod:literal
    ) => {
        concat!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ",
            $name,
            ", namespace: shop}\nspec:\n  replicas: ",
            $replicas,
            "\n  selector: {matchLabels: {app: ",
            $name,
            "}}\n  template:\n    metadata: {labels: {app: ",
            $name,
            "}}\n    spec: {containers: [{name: main, ",
            $container,
            "}], ",
            $pod,
            "}\n",
        )
    };
}

/// A Service for a rehearsal: its name, the value of the label `app` that it selects, and its
/// ports as YAML.
macro_rules! drill_service {
    ($name:literal, selects: $app:literal, ports: $ports:literal) => {
        concat!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {name: ",
            $name,
            ", namespace: shop}\nspec: {selector: {app: ",
            $app,
            "}, ports: [",
            $ports,
            "]}\n",
        )
    };
}

#[cfg(test)]
mod tests {
    use crate::ALL;
    use crate::testing::snapshot;
    use model::Act;

    #[test]
    fn what_is_applied_in_a_rehearsal_can_be_read() {
        for kind in ALL {
            for (_, act) in (kind.rehearse)().map(|s| s.acts).unwrap_or_default() {
                let Act::Apply(text) = act else { continue };
                let read = serde_saphyr::from_multiple::<serde_json::Value>(text);
                let all = read.unwrap_or_else(|e| panic!("{}: {e}\n{text}", kind.id));
                assert!(all.iter().any(|m| m["kind"].is_string()), "{}: {text}", kind.id);
            }
        }
    }

    #[test]
    fn the_pods_of_a_drill_are_behind_its_service() {
        let yaml = concat!(
            drill_deployment!(
                "drill-till",
                replicas: 2,
                container: "image: 'drill:1', ports: [{containerPort: 8080}]",
                pod: "nodeSelector: {disk: nvme}"
            ),
            drill_service!("drill-till", selects: "drill-till", ports: "{port: 80}"),
        );
        let now = snapshot(yaml);
        let app = &now.apps[0];
        assert_eq!(app.wanted(), Some(2));
        assert!(app.spec().is_some_and(|s| !s.node_selector.is_empty()));
        assert_eq!(now.services_of(app).len(), 1);
    }
}
