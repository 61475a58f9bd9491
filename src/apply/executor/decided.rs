//! What the registry decides later (1001), as the account's message queue tells.

use super::super::inbox::Message;
use super::{Executor, QUEUE, Reading, Task, Waiting};
use crate::base::Result;
use crate::journal::{Entry, MessageRow};
use crate::model::PendingData;
use crate::plan::vault_name;
use crate::session::{Now, Outcome};
use crate::store::sealed_cell;

impl Executor {
    /// The operations that wait for the registry's decision, where the queue that tells it is watched.
    pub(super) fn undecided(&self) -> impl Iterator<Item = u64> + '_ {
        let waits = |task: &Task| matches!(task.waiting, Waiting::Moment(Reading::Pending));
        let tasks = self.settings.queue.is_some().then_some(&self.tasks).into_iter().flatten();
        tasks.filter(move |(_, task)| waits(task)).map(|(ticket, _)| *ticket)
    }

    /// Takes what the message queue told: keeps a message, and looks at what it decides.
    pub(super) fn heard(&mut self, outcome: Outcome, now: Now) {
        let Some(watch) = self.settings.queue else { return };
        let Some(message) = self.inbox.heard(outcome, watch.takes, self.settings.again, now) else { return };
        let decided = message.decision.as_ref().and_then(|(_, decision)| Some((self.meant(decision)?, decision.result)));
        if let Err(problem) = if watch.takes { self.keep_message(message, now) } else { Ok(()) } {
            self.failed.get_or_insert(problem);
        }
        if let Some((ticket, is_granted)) = decided {
            if let Some(task) = self.tasks.get_mut(&ticket) {
                task.show_by = now.at + self.settings.settle;
            }
            self.ask(ticket, if is_granted { Reading::After } else { Reading::Declined });
        }
    }

    /// The operation that waits for a decision, by the identifier that its command had.
    pub(super) fn meant(&self, decision: &PendingData) -> Option<u64> {
        let told = decision.cl_trid.as_deref()?;
        self.undecided().find(|ticket| self.tasks.get(ticket).is_some_and(|task| *self.cltrid(task, task.sends) == *told))
    }

    /// Seals a message, and says so in the journal: only then may it be acknowledged.
    pub(super) fn keep_message(&mut self, message: Message, now: Now) -> Result<()> {
        let Message { id, frame, decision } = message;
        let registry = self.settings.registry.clone();
        let name = match &decision {
            Some((kind, told)) => vault_name(&registry, *kind, &told.id),
            None => format!("{registry}/message/{id}"),
        };
        let key = self.parts.values.enrol(&name, &mut *self.parts.entropy)?;
        let sealed = key.seal(&MessageRow::field(&id), frame.reveal(), self.settings.keep)?;
        let granted = decision.map(|(_, told)| told.result);
        let row = MessageRow { registry, id, reference: key.reference(), digest: sealed.digest(), granted, at: now.wall };
        self.commit(Some(QUEUE), vec![Entry::Message(row)], vec![sealed_cell(&sealed)]);
        Ok(())
    }
}
