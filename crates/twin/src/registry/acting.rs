//! Under whose name the cluster's own components delete, and what became of it.
//!
//! Policies mean them as they mean any client. It must never decide what is deleted.

use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::{Asked, DeleteOptions, Failure, Registry};
use crate::access::User;
use crate::field;
use crate::kinds::{Kind, POD};

/// A component that asked for the end of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When it asked.
    pub at: Timestamp,
    /// Its user name.
    pub user: String,
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Status code of the answer.
    pub code: u16,
    /// Why not, "" if it was done.
    pub message: String,
}

/// The component whose turn it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acting {
    /// `None` while a client is served.
    user: Option<Arc<User>>,
    deletions: Option<Vec<Deletion>>,
}

impl Registry {
    /// Whoever acts from now on; `None` for a client, whose requests are admitted as they come.
    pub fn act_as(&mut self, user: Option<Arc<User>>) {
        self.acting.user = user;
    }

    /// Keeps the deletions of pods by components from now on.
    pub fn keep_deletions(&mut self) {
        self.acting.deletions.get_or_insert_default();
    }

    /// The deletions that were kept so far.
    pub fn take_deletions(&mut self) -> Vec<Deletion> {
        self.acting.deletions.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether policies let the component whose turn it is delete this.
    pub(super) fn admit_component(
        &mut self,
        kind: &'static Kind,
        old: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Failure> {
        let Some(user) = self.acting.user.clone() else { return Ok(()) };
        let admitted = self.admit(&Asked {
            operation: "DELETE",
            kind,
            subresource: "",
            namespace: field::namespace(old),
            name: field::name(old),
            object: None,
            old: Some(old),
            user: &user,
            dry: options.dry_run,
        });
        let kept = self.acting.deletions.as_mut().filter(|_| kind.storage == POD.storage);
        if let Some(kept) = kept {
            let (code, message) = match &admitted {
                Ok(()) => (200, String::new()),
                Err(failure) => (failure.code, failure.message.clone()),
            };
            kept.push(Deletion {
                at: self.now,
                user: user.name.clone(),
                namespace: field::namespace(old).to_owned(),
                pod: field::name(old).to_owned(),
                code,
                message,
            });
        }
        admitted
    }

    /// The user for whom policies judge a write: the client, or the component that acts.
    pub(super) fn writer(&self, client: Option<&User>) -> Option<Arc<User>> {
        client.map(|client| Arc::new(client.clone())).or_else(|| self.acting.user.clone())
    }
}
