//! Who is behind a handle, wherever that is kept: a [`Roster`](super::Roster) of one's own, or a table that threads share.

use std::cmp::Ordering;
use std::fmt;

use super::roster::Handle;
use crate::id::{Lead, PlayerId, cmp_leads};

/// Owners by handle, each handle in use.
pub(crate) trait Owners {
    fn owner(&self, handle: Handle) -> PlayerId;

    /// Whether the owner has that id.
    fn is(&self, handle: Handle, id: &[u8]) -> bool;

    /// The owner's order against an id.
    fn cmp_id(&self, handle: Handle, id: &PlayerId) -> Ordering;

    /// The order of two owners.
    fn cmp(&self, a: Handle, b: Handle) -> Ordering;

    /// How the owner's id begins.
    fn lead(&self, handle: Handle) -> Lead;

    /// How the id of somebody who is looked for begins.
    fn lead_of(&self, who: Who<'_>) -> Lead {
        match who {
            Who::Has(handle) => self.lead(handle),
            Who::Is(id) => id.lead(),
        }
    }

    /// The owner's order against somebody who has a handle or not, and of whom it is known how the id begins.
    #[inline]
    fn cmp_who(&self, handle: Handle, who: Who<'_>, lead: &Lead) -> Ordering {
        cmp_leads(&self.lead(handle), lead).then_with(|| self.cmp_beyond(handle, who))
    }

    /// The same of one whose id begins alike.
    #[cold]
    fn cmp_beyond(&self, handle: Handle, who: Who<'_>) -> Ordering {
        match who {
            Who::Has(other) => self.cmp(handle, other),
            Who::Is(id) => self.cmp_id(handle, id),
        }
    }
}

/// Somebody whose place is looked for. Where entries differ by their places, nobody looks at who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'i> {
    Has(Handle),
    Is(&'i PlayerId),
}

/// Owners who are also found by their ids.
pub(crate) trait Directory: Owners + fmt::Debug {
    /// The handle of an owner.
    fn find(&self, id: &[u8]) -> Option<Handle>;
}
