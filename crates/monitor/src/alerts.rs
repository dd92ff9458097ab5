//! What an Alertmanager complains about.

use model::Blind;
use serde_json::Value;

use crate::{Source, Trouble, ask};

/// Alerts taken; a storm of more says nothing new.
const MOST_ALERTS: usize = 10_000;
const PATH: &str = "/api/v2/alerts";

/// All alerts that fire, muted ones too, in Alertmanager's own form; and why there may be more.
pub async fn alerts(source: &Source) -> (Vec<Value>, Vec<Blind>) {
    let (alerts, trouble) = match ask::get(source, PATH).await {
        Ok(answer) => match serde_json::from_slice::<Vec<Value>>(&answer) {
            Ok(mut alerts) => {
                let text = format!("{} alerts, of which {MOST_ALERTS} are read", alerts.len());
                let is_more = alerts.len() > MOST_ALERTS;
                alerts.truncate(MOST_ALERTS);
                (alerts, is_more.then_some(Trouble::Partial(text)))
            }
            Err(e) => (Vec::new(), Some(Trouble::Unreadable(e.to_string()))),
        },
        Err(trouble) => (Vec::new(), Some(trouble)),
    };
    let what = || "alerts of the Alertmanager".to_owned();
    let blind = trouble.map(|trouble| source.blind(what(), &trouble, PATH));
    (alerts, blind.into_iter().collect())
}
