//! Who is behind a handle, wherever that is kept: a [`Roster`](super::Roster) of one's own, or a table that threads share.

use std::cmp::Ordering;
use std::fmt;

use super::roster::Handle;
use crate::id::PlayerId;

/// Owners by handle, each handle in use.
pub(crate) trait Owners {
    fn owner(&self, handle: Handle) -> PlayerId;

    /// Whether the owner has that id.
    fn is(&self, handle: Handle, id: &[u8]) -> bool;

    /// The owner's order against an id.
    fn cmp_id(&self, handle: Handle, id: &PlayerId) -> Ordering;

    /// The order of two owners.
    fn cmp(&self, a: Handle, b: Handle) -> Ordering;

    /// The owner's order against somebody who has a handle or not.
    fn cmp_who(&self, handle: Handle, who: Who<'_>) -> Ordering {
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
