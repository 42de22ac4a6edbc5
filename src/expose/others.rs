//! Entities that are no Flink jobs, as they are published: shared with the views before where they have not changed.

use std::sync::Arc;

use super::view::View;
use crate::model::retention::Configured;
use crate::model::{Application, Deployment, Fleet, Storied, VvpJob};

/// Every such entity, by kind; those of one kind by id.
#[derive(Debug, Clone, Default)]
pub struct Others {
    /// Applications of Managed Service for Apache Flink.
    pub applications: Vec<Arc<Application>>,
    /// Jobs of the Ververica Platform.
    pub platform_jobs: Vec<Arc<VvpJob>>,
    /// Resources of the Flink Kubernetes operator.
    pub deployments: Vec<Arc<Deployment>>,
}

impl Others {
    /// Takes up what is new or has changed, and forgets what the model has removed.
    pub(super) fn follow(&mut self, fleet: &Fleet) {
        follow(&mut self.applications, fleet.applications());
        follow(&mut self.platform_jobs, fleet.platform_jobs());
        follow(&mut self.deployments, fleet.deployments());
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.applications.len() + self.platform_jobs.len() + self.deployments.len()
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Both are sorted by id.
fn follow<'e, E: Storied + 'e>(known: &mut Vec<Arc<E>>, now: impl Iterator<Item = &'e E>) {
    let before = std::mem::take(known);
    let mut before = before.into_iter().peekable();
    for entity in now {
        let id = entity.id();
        while before.next_if(|old| old.id() < id).is_some() {}
        let same = before.next_if(|old| old.id() == id);
        let same = same.filter(|old| old.story().revision == entity.story().revision);
        known.push(same.unwrap_or_else(|| Arc::new(entity.clone())));
    }
}

/// Those whose series are there: what has ended too long ago is left out.
pub(super) fn shown<'v, E>(entities: &'v [Arc<E>], view: &'v View) -> impl Iterator<Item = &'v E>
where
    E: Storied,
    E::State: Configured,
{
    let is_shown = |entity: &&E| {
        let hidden_from = view.settings().retention.hides(entity.story());
        hidden_from.is_none_or(|from| view.at() < from)
    };
    entities.iter().map(|entity| &**entity).filter(is_shown)
}
