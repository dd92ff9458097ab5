//! The questions that can be asked of all of a sort.

use std::sync::Arc;

use super::super::events::Group;
use super::super::{App, Snapshot};
use super::read;
use super::subject::{Space, Whole};
use crate::Text;
use crate::record::{ClusterEvent, Node};

impl Snapshot {
    /// Workloads of which this holds, in order. The question must be a function or a closure
    /// that captures nothing: it is known by its type, and its answers are kept.
    pub fn apps_where<F>(&self, is: F) -> Vec<&App>
    where
        F: Fn(&App, &Snapshot) -> bool + Copy + Send + Sync + 'static,
    {
        let kept = self.kept(is, move |app: &App, now| is(app, now).then_some(()));
        self.found::<App>(&kept)
    }

    /// Whether this holds of any workload; the question as for [`Snapshot::apps_where`].
    pub fn is_any_app<F>(&self, is: F) -> bool
    where
        F: Fn(&App, &Snapshot) -> bool + Copy + Send + Sync + 'static,
    {
        let kept = self.kept(is, move |app: &App, now| is(app, now).then_some(()));
        !read(&kept).is_empty()
    }

    /// Namespaces of workloads of which this holds, in order; the question as for
    /// [`Snapshot::apps_where`].
    pub fn namespaces_where<F>(&self, is: F) -> Vec<Text>
    where
        F: Fn(&str, &Snapshot) -> bool + Copy + Send + Sync + 'static,
    {
        let kept = self.kept(is, move |s: &Space, now| is(&s.0, now).then(|| s.0.clone()));
        read(&kept).values().cloned().collect()
    }

    /// The answer to a question about the snapshot as a whole, which is asked again only after a
    /// change of what it rests on; the question as for [`Snapshot::apps_where`].
    pub fn answer<F, T>(&self, ask: F) -> Arc<T>
    where
        F: Fn(&Snapshot) -> T + Copy + Send + Sync + 'static,
        T: PartialEq + Send + Sync + 'static,
    {
        let kept = self.kept(ask, move |_: &Whole, now| Some(Arc::new(ask(now))));
        let answer = read(&kept).values().next().cloned();
        answer.unwrap_or_else(|| Arc::new(ask(self)))
    }

    /// Nodes of which this holds, also those of which only events or logs tell, in order; the
    /// question as for [`Snapshot::apps_where`].
    pub fn nodes_where<F>(&self, is: F) -> Vec<&Node>
    where
        F: Fn(&Node, &Snapshot) -> bool + Copy + Send + Sync + 'static,
    {
        let kept = self.kept(is, move |node: &Node, now| is(node, now).then_some(()));
        self.found::<Node>(&kept)
    }

    /// Events of which this holds, in order; the question as for [`Snapshot::apps_where`].
    pub fn events_where<F>(&self, is: F) -> Vec<&ClusterEvent>
    where
        F: Fn(&ClusterEvent) -> bool + Copy + Send + Sync + 'static,
    {
        let kept = self.kept(is, move |g: &Group, _| g.events.iter().any(is).then_some(()));
        let groups = self.found::<Group>(&kept).into_iter();
        groups.flat_map(|g| &g.events).filter(|e| is(e)).collect()
    }

    /// What is to be said of each workload, in order; the question as for
    /// [`Snapshot::apps_where`]. Who asks rests on the answers alone.
    pub fn signs_of_apps<F, T>(&self, look: F) -> Vec<T>
    where
        F: Fn(&App, &Snapshot) -> Option<T> + Copy + Send + Sync + 'static,
        T: PartialEq + Clone + Send + Sync + 'static,
    {
        let kept = self.kept::<_, App, _>(look, look);
        read(&kept).values().cloned().collect()
    }

    /// What is to be said of each node, in order; the question as for
    /// [`Snapshot::apps_where`]. Who asks rests on the answers alone.
    pub fn signs_of_nodes<F, T>(&self, look: F) -> Vec<T>
    where
        F: Fn(&Node, &Snapshot) -> Option<T> + Copy + Send + Sync + 'static,
        T: PartialEq + Clone + Send + Sync + 'static,
    {
        let kept = self.kept::<_, Node, _>(look, look);
        read(&kept).values().cloned().collect()
    }
}
