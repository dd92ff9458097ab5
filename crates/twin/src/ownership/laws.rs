//! Laws of field ownership and of patches, on made-up Deployments.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::patch;
use crate::schema::{self, Raw};

const NOW: &str = "2026-01-01T00:00:00Z";

fn view() -> View<'static> {
    schema::of_kind("apps/v1", "Deployment").unwrap()
}

fn manager(name: &str) -> Manager {
    Manager {
        name: name.into(),
        applies: true,
        api_version: "apps/v1".into(),
        subresource: String::new(),
    }
}

/// Some of the names, in some order, each at most once.
fn names() -> impl Strategy<Value = Vec<&'static str>> {
    let all = vec!["a", "b", "c", "d"];
    (0..=4_usize, Just(all).prop_shuffle()).prop_map(|(n, all)| all.into_iter().take(n).collect())
}

prop_compose! {
    fn container(name: &'static str)(
        image in 1..4_u8,
        env in names(),
        limit in proptest::option::of(1..4_u8),
    ) -> Value {
        let env: Vec<_> = env.into_iter().map(|n| json!({"name": n, "value": "x"})).collect();
        let mut container = json!({"name": name, "image": format!("i:{image}")});
        if !env.is_empty() {
            container["env"] = env.into();
        }
        if let Some(limit) = limit {
            container["resources"] = json!({"limits": {"cpu": limit.to_string()}});
        }
        container
    }
}

/// What a manager may want of a Deployment.
fn wanted() -> impl Strategy<Value = Value> {
    let containers =
        names().prop_flat_map(|all| all.into_iter().map(container).collect::<Vec<_>>());
    let labels = names();
    (containers, labels, proptest::option::of(0..5_i64)).prop_map(|(all, labels, replicas)| {
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"template": {"spec": {}}},
        });
        if !all.is_empty() {
            object["spec"]["template"]["spec"]["containers"] = all.into();
        }
        for label in labels {
            object["metadata"]["labels"][label] = label.into();
        }
        if let Some(replicas) = replicas {
            object["spec"]["replicas"] = replicas.into();
        }
        object
    })
}

fn applied(live: &Value, config: &Value, name: &str) -> Value {
    let none = Set::default();
    let done =
        apply(view(), live, config, &manager(name), NOW, (true, &none), &|_, _| None).unwrap();
    schema::decode(view(), Raw::from(done)).unwrap().value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn applying_twice_changes_nothing(config in wanted()) {
        let once = applied(&schema::empty(view()), &config, "one");
        prop_assert_eq!(&applied(&once, &config, "one"), &once);
    }

    #[test]
    fn what_its_only_manager_drops_is_gone(first in wanted(), second in wanted()) {
        let both = applied(&applied(&schema::empty(view()), &first, "one"), &second, "one");
        let fresh = applied(&schema::empty(view()), &second, "one");
        let mut a = both["spec"]["template"]["spec"]["containers"].clone();
        let mut b = fresh["spec"]["template"]["spec"]["containers"].clone();
        for list in [&mut a, &mut b] {
            if let Some(list) = list.as_array_mut() {
                list.sort_by_key(|c| c["name"].to_string());
            }
        }
        prop_assert_eq!(a, b);
        prop_assert_eq!(&both["metadata"]["labels"], &fresh["metadata"]["labels"]);
    }

    #[test]
    fn what_another_wants_stays(first in wanted(), second in wanted()) {
        let live = applied(&schema::empty(view()), &first, "one");
        let live = applied(&live, &second, "two");
        let nothing = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        });
        let left = applied(&live, &nothing, "one");
        for (key, value) in second["metadata"]["labels"].as_object().into_iter().flatten() {
            prop_assert_eq!(&left["metadata"]["labels"][key], value);
        }
        let containers = &second["spec"]["template"]["spec"]["containers"];
        for container in containers.as_array().into_iter().flatten() {
            let all = left["spec"]["template"]["spec"]["containers"].as_array().unwrap();
            prop_assert!(all.iter().any(|c| c["name"] == container["name"]));
        }
    }

    #[test]
    fn field_sets_are_written_as_they_are_read(config in wanted()) {
        let set = fields_of(view(), &config);
        let read = Set::parse(&set.to_value());
        prop_assert_eq!(read.to_value(), set.to_value());
        let mut none = set.clone();
        none.subtract(&set);
        prop_assert!(none.is_empty());
        prop_assert_eq!(set.intersection(&set).to_value(), set.to_value());
    }

    #[test]
    fn a_strategic_patch_of_the_object_itself_changes_nothing(object in wanted()) {
        let merged = patch::strategic(view(), object.clone(), object.clone()).unwrap();
        prop_assert_eq!(merged, object);
    }

    #[test]
    fn a_strategic_patch_holds_afterwards(object in wanted(), change in wanted()) {
        let merged = patch::strategic(view(), object, change.clone()).unwrap();
        let containers = &change["spec"]["template"]["spec"]["containers"];
        for wanted in containers.as_array().into_iter().flatten() {
            let all = merged["spec"]["template"]["spec"]["containers"].as_array().unwrap();
            let found: Vec<_> = all.iter().filter(|c| c["name"] == wanted["name"]).collect();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0]["image"], &wanted["image"]);
        }
        let again = patch::strategic(view(), merged.clone(), change).unwrap();
        prop_assert_eq!(again, merged);
    }
}

#[test]
fn a_change_of_anothers_field_is_a_conflict_that_names_it() {
    let first = json!({"metadata": {"name": "d"}, "spec": {"replicas": 1}});
    let second = json!({"metadata": {"name": "d"}, "spec": {"replicas": 2}});
    let live = applied(&schema::empty(view()), &first, "one");
    let none = Set::default();
    let refused = apply(view(), &live, &second, &manager("two"), NOW, (false, &none), &|_, _| None)
        .unwrap_err();
    let told: Vec<_> = refused.iter().map(|c| (c.told.as_str(), c.path.as_str())).collect();
    assert_eq!(told, [("conflict with \"one\"", ".spec.replicas")]);
    let forced = applied(&live, &second, "two");
    assert_eq!(forced["spec"]["replicas"], 2);
    assert_eq!(forced["metadata"]["managedFields"].as_array().unwrap().len(), 1);
}
