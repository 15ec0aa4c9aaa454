//! Whether rules go with the records of a store.

use super::{BoardRule, Rules};
use crate::error::{Code, Error};
use crate::limits::HEADER_BOARDS_MAX;
use crate::record::{BoardHeader, Header, Retired};
use crate::time::Timestamp;
use crate::window::Calendar;

/// How a calendar may follow another.
#[derive(Clone, Copy)]
pub(super) enum Follow {
    /// It may only grow: nobody says what time it is.
    Grow,
    /// Up to this time it must be the same.
    After(Timestamp),
}

impl Follow {
    fn allows(self, old: &Calendar, new: &Calendar) -> bool {
        match self {
            Self::Grow => old.grows_into(new),
            Self::After(counted_through) => old.differs_from(new).is_none_or(|from| counted_through < from),
        }
    }
}

impl Rules {
    /// What these rules alone make records of.
    pub fn header(&self) -> Header {
        Header {
            game: Some(self.game.clone()),
            calendar: (!self.boards.is_empty()).then(|| self.calendar.clone()),
            boards: self.boards.iter().map(|rule| (rule.board.clone(), rule.into())).collect(),
            retired: Vec::new(),
        }
    }

    /// The header that a store with a given one has once these rules are in force: what it knows, and what they add. A board stays
    /// in it, whether these rules have it or not, until some list it among `retiredBoards`.
    ///
    /// The calendar is compared as [`Self::diff`] does, or if a time is given, as [`Self::diff_at`]: also while these rules have none of
    /// the store's boards.
    ///
    /// Errors: `store_misconfigured` for the records of another game; `board_incompatible` for a board that counted or sorted
    /// otherwise or under another calendar, also of the name of a retired one unless it now sorts otherwise (or is what it was);
    /// `too_long` for more boards than [`HEADER_BOARDS_MAX`].
    ///
    /// ```
    /// use liveops_core::{Code, Rules};
    ///
    /// let rules = |members: &str| Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall", {members} }}"#));
    /// let points = rules(r#""boards": { "arena": { "value": "grantedXp", "keepPeriods": { "weekly": 8 } } }"#)?;
    /// let times = rules(r#""boards": { "arena": { "value": 1, "order": "asc", "keepPeriods": { "weekly": 8 } } }"#)?;
    ///
    /// let stored = points.header();
    /// let stored = rules(r#""boards": {}"#)?.fit(&stored, None)?;
    /// assert_eq!(times.fit(&stored, None).unwrap_err().code(), Code::BoardIncompatible, "players have entries of it");
    /// let stored = rules(r#""retiredBoards": ["arena"]"#)?.fit(&stored, None)?;
    /// assert_eq!(times.fit(&stored, None)?.boards, times.header().boards);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fit(&self, stored: &Header, now: Option<Timestamp>) -> Result<Header, Error> {
        if stored.game.as_ref().is_some_and(|game| *game != self.game) {
            return Err(Code::StoreMisconfigured.into());
        }
        // Events may be ahead of their arrival.
        let through = now.map(|now| now.plus_millis(self.door.limits.future_millis_max));
        self.follow(stored, through.map_or(Follow::Grow, Follow::After))
    }

    /// The same for a header of this game.
    pub(super) fn follow(&self, stored: &Header, calendar: Follow) -> Result<Header, Error> {
        let incompatible = || Error::new(Code::BoardIncompatible);
        let (mut boards, mut retired) = (Vec::with_capacity(self.boards.len()), stored.retired.clone());
        for (board, header) in &stored.boards {
            if self.retired.binary_search(board).is_ok() {
                let BoardHeader { operator, sort } = *header;
                retired.push(Retired { board: board.clone(), sort, operator: Some(operator) });
                continue;
            }
            if self.board(board).is_some_and(|rule| *header != rule.into()) {
                return Err(incompatible());
            }
            boards.push((board.clone(), *header));
        }
        // Without boards nothing counts by these rules' calendar.
        let old = stored.calendar.as_ref().filter(|_| !self.boards.is_empty());
        if old.is_some_and(|old| !calendar.allows(old, &self.calendar)) {
            if !boards.is_empty() {
                return Err(incompatible());
            }
            retired.iter_mut().for_each(|known| known.operator = None);
        }
        let known = boards.len();
        for rule in &self.boards {
            if boards[..known].binary_search_by(|(board, _)| board.cmp(&rule.board)).is_ok() {
                continue;
            }
            if let Some(at) = retired.iter().position(|known| known.board == rule.board && known.sort == rule.sort)
                && retired.remove(at).operator != Some(rule.operator)
            {
                return Err(incompatible());
            }
            boards.push((rule.board.clone(), rule.into()));
        }
        if boards.len() + retired.len() > HEADER_BOARDS_MAX {
            return Err(Code::TooLong.into());
        }
        boards.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        retired.sort_unstable();
        let calendar = if self.boards.is_empty() { stored.calendar.clone() } else { Some(self.calendar.clone()) };
        Ok(Header { game: Some(self.game.clone()), calendar, boards, retired })
    }
}

impl From<&BoardRule> for BoardHeader {
    fn from(rule: &BoardRule) -> Self {
        Self { operator: rule.operator, sort: rule.sort }
    }
}
