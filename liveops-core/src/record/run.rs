//! What led to a change set.

use super::{Command, Horizon};
use crate::hash::Digest;

/// One player's commands, decided together, and under what: the same rules and horizon decide them alike for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Of the rules: [`crate::Rules::identity`].
    pub rules: Digest,
    /// The horizon they were decided under.
    pub horizon: Horizon,
    /// As they were given.
    pub commands: Vec<Command>,
}
