//! Data stores and brokers that many programs use: how they are told from their words, images
//! and ports.

use model::record::Service;
use model::{App, Snapshot};

/// A kind of data store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) name: &'static str,
    /// Words by which clients and drivers name it, in lower case.
    words: &'static [&'static str],
    /// Names of images that are it.
    images: &'static [&'static str],
    pub(crate) port: u16,
    /// Variables of its image that set the names and passwords it knows.
    pub(crate) users: &'static [&'static str],
    pub(crate) passwords: &'static [&'static str],
}

const STORES: [Store; 8] = [
    Store {
        name: "MySQL",
        words: &[
            "mysql",
            "mariadb",
            "communications link failure",
            "access denied for user",
            "data source rejected establishment of connection",
            "error 1040",
        ],
        images: &["mysql", "mariadb", "percona"],
        port: 3306,
        users: &["MYSQL_USER", "MARIADB_USER"],
        passwords: &[
            "MYSQL_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "MARIADB_PASSWORD",
            "MARIADB_ROOT_PASSWORD",
        ],
    },
    Store {
        name: "PostgreSQL",
        words: &[
            "postgres",
            "pq:",
            "psycopg",
            "psql",
            "pgx",
            "libpq",
            "npgsql",
            "pg_hba",
            "password authentication failed for user",
            "too many clients already",
            "connection slots",
        ],
        images: &["postgres", "postgresql", "postgis", "timescaledb", "spilo"],
        port: 5432,
        users: &["POSTGRES_USER", "POSTGRESQL_USERNAME"],
        passwords: &["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"],
    },
    Store {
        name: "MongoDB",
        words: &["mongo"],
        images: &["mongo", "mongodb"],
        port: 27017,
        users: &["MONGO_INITDB_ROOT_USERNAME", "MONGODB_USERNAME"],
        passwords: &["MONGO_INITDB_ROOT_PASSWORD", "MONGODB_PASSWORD"],
    },
    Store {
        name: "Redis",
        words: &[
            "redis",
            "jedis",
            "lettuce",
            "noauth",
            "wrongpass",
            "write against a read only replica",
            "max number of clients reached",
        ],
        images: &["redis", "valkey", "redis-stack", "keydb"],
        port: 6379,
        users: &[],
        passwords: &["REDIS_PASSWORD", "REDIS_ARGS"],
    },
    Store {
        name: "RabbitMQ",
        words: &["rabbit", "amqp", "access_refused", "login was refused"],
        images: &["rabbitmq"],
        port: 5672,
        users: &["RABBITMQ_DEFAULT_USER", "RABBITMQ_USERNAME"],
        passwords: &["RABBITMQ_DEFAULT_PASS", "RABBITMQ_PASSWORD"],
    },
    Store {
        name: "Kafka",
        words: &["kafka", "bootstrap broker", "sasl authentication"],
        images: &["kafka", "cp-kafka", "redpanda"],
        port: 9092,
        users: &[],
        passwords: &[],
    },
    Store {
        name: "Elasticsearch",
        words: &["elasticsearch", "opensearch"],
        images: &["elasticsearch", "opensearch"],
        port: 9200,
        users: &[],
        passwords: &["ELASTIC_PASSWORD"],
    },
    Store {
        name: "Memcached",
        words: &["memcache"],
        images: &["memcached"],
        port: 11211,
        users: &[],
        passwords: &[],
    },
];

/// The store a text speaks of. Only words of errors: a query may name anything.
pub(crate) fn of_text(text: &str) -> Option<&'static Store> {
    let text = text.to_ascii_lowercase();
    STORES.iter().find(|s| s.words.iter().any(|w| text.contains(w)))
}

/// The store of this port.
pub(crate) fn of_port(port: u16) -> Option<&'static Store> {
    STORES.iter().find(|s| s.port == port)
}

/// The store that a workload is, by its images.
pub(crate) fn of_app(app: &App) -> Option<&'static Store> {
    let containers = || app.spec().into_iter().flat_map(|s| s.containers.iter());
    containers().find_map(|c| {
        let name = c.image.rsplit('/').next().unwrap_or_default();
        let name = name.split([':', '@']).next().unwrap_or_default();
        let beside = ["export", "operator", "backup", "proxy", "bouncer", "admin", "express", "ui"];
        let is = |image: &str| {
            name.strip_prefix(image).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let own = |s: &&Store| s.images.iter().any(|i| is(i));
        STORES.iter().find(own).filter(|_| !beside.iter().any(|b| name.contains(b)))
    })
}

/// The store behind a Service: by the workload it selects, else by its port.
pub(crate) fn of_service(service: &Service, now: &Snapshot) -> Option<&'static Store> {
    let apps = match service.selector.is_empty() {
        true => Vec::new(),
        false => now.apps_selected(&service.meta.namespace, &service.selector),
    };
    let by_app = apps.iter().find_map(|a| of_app(a));
    by_app.or_else(|| service.ports.iter().find_map(|p| of_port(p.port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::snapshot;

    #[test]
    fn stores_are_told_by_words_and_images() {
        for (text, want) in [
            ("Access denied; jdbc:mysql://x", Some("MySQL")),
            ("pq: sorry, too many clients already", Some("PostgreSQL")),
            ("MongoServerSelectionError", Some("MongoDB")),
            ("dial tcp 10.0.0.1:80", None),
        ] {
            assert_eq!(of_text(text).map(|s| s.name), want, "{text}");
        }
        for (image, want) in [
            ("reg.example/library/postgres:16", Some("PostgreSQL")),
            ("bitnami/redis-cluster:7", Some("Redis")),
            ("reg.example/mysqld-exporter:1", None),
            ("reg.example/redis-exporter:1", None),
        ] {
            let pod = format!(
                "kind: Pod\nmetadata: {{name: a, namespace: b}}\n\
                 spec: {{containers: [{{name: c, image: '{image}'}}]}}"
            );
            let now = snapshot(&pod);
            assert_eq!(of_app(now.apps.get(0).expect("it")).map(|s| s.name), want, "{image}");
        }
    }
}
