//! Whether rules go with the records of a store.

use super::{BoardRule, Rules};
use crate::error::{Code, Error};
use crate::limits::{HEADER_BOARDS_MAX, HEADER_RULES_MAX};
use crate::record::{BoardHeader, Header, Retired};
use crate::time::Timestamp;
use crate::window::Calendar;

/// How a calendar may follow another.
#[derive(Clone, Copy)]
pub(super) enum Follow {
    /// It may only grow: nobody says what time it is.
    Grow,
    /// One of the two grew: rules of before a deployment are put in force by a process that begins again.
    EitherGrew,
    /// Up to this time it must be the same.
    After(Timestamp),
}

impl Follow {
    fn allows(self, old: &Calendar, new: &Calendar) -> bool {
        match self {
            Self::Grow => old.grows_into(new),
            Self::EitherGrew => old.grows_into(new) || new.grows_into(old),
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
            rules: vec![self.identity()],
        }
    }

    /// The header that a store with a given one has once these rules are in force: what it knows, and what they add. A board stays
    /// in it, whether these rules have it or not, until some list it among `retiredBoards`. Their [identity](Self::identity) is the
    /// last that it names.
    ///
    /// The calendar is compared as [`Self::diff`] does, or if a time is given, as [`Self::diff_at`]: also while these rules have none of
    /// the store's boards. Without a time a calendar that grew into the store's fits as well, and the store keeps its own: a process of
    /// before a deployment begins again.
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
        let mut fitting = self.follow(stored, through.map_or(Follow::EitherGrew, Follow::After))?;
        let own = self.identity();
        fitting.rules.retain(|known| *known != own);
        fitting.rules.push(own);
        let oldest = fitting.rules.len().saturating_sub(HEADER_RULES_MAX);
        fitting.rules.drain(..oldest);
        Ok(fitting)
    }

    /// The same for a header of this game, without a word of the rules themselves.
    pub(super) fn follow(&self, stored: &Header, calendar: Follow) -> Result<Header, Error> {
        let incompatible = || Error::new(Code::BoardIncompatible);
        let (mut boards, mut retired) = (Vec::with_capacity(self.boards.len()), stored.retired.clone());
        for (board, header) in &stored.boards {
            if self.retired.binary_search(board).is_ok() {
                let BoardHeader { operator, sort } = *header;
                let is_it = |known: &Retired| known.board == *board && known.sort == sort;
                // No header that rules made has both. Of one that has, nobody knows which entries are whose.
                let operator = (!retired.iter().any(is_it)).then_some(operator);
                retired.retain(|known| !is_it(known));
                retired.push(Retired { board: board.clone(), sort, operator });
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
            for known in &mut retired {
                known.operator = None;
            }
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
        let grew_into = |old: &&Calendar| matches!(calendar, Follow::EitherGrew) && self.calendar.grows_into(old);
        let calendar = match &stored.calendar {
            Some(old) if self.boards.is_empty() || grew_into(&old) => Some(old.clone()),
            None if self.boards.is_empty() => None,
            _ => Some(self.calendar.clone()),
        };
        Ok(Header { game: Some(self.game.clone()), calendar, boards, retired, rules: stored.rules.clone() })
    }
}

impl From<&BoardRule> for BoardHeader {
    fn from(rule: &BoardRule) -> Self {
        Self { operator: rule.operator, sort: rule.sort }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boards by name, operator and order, under seasons of a table that ends so.
    fn rules(boards: &[(&str, &str, &str)], retired: &str, last_season_ends: &str) -> Rules {
        let boards: Vec<_> = boards
            .iter()
            .map(|(name, operator, order)| {
                format!(
                    r#""{name}": {{ "value": 1, "operator": "{operator}", "order": "{order}", "keepPeriods": {{ "seasonal": 4 }} }}"#
                )
            })
            .collect();
        Rules::from_json(&format!(
            r#"{{ "version": 1, "game": "emberfall", "calendar": {{ "seasons": {{ "table": [
                {{ "label": "s1", "from": "2026-09-01T00:00:00Z", "until": "{last_season_ends}" }} ] }} }},
                "boards": {{ {} }}, "retiredBoards": [{retired}] }}"#,
            boards.join(",")
        ))
        .unwrap()
    }

    const END: &str = "2026-12-01T00:00:00Z";
    const LATER: &str = "2026-12-24T00:00:00Z";
    const ARENA: (&str, &str, &str) = ("arena", "best", "desc");

    fn at(text: &str) -> Option<Timestamp> {
        Timestamp::from_rfc3339(text)
    }

    fn code(result: Result<Header, Error>) -> Code {
        result.unwrap_err().code()
    }

    #[test]
    fn a_board_stays_until_it_is_retired() {
        let first = rules(&[ARENA], "", END).fit(&Header::default(), None).unwrap();
        assert_eq!(first, rules(&[ARENA], "", END).header());
        let without = rules(&[], "", END).fit(&first, None).unwrap();
        assert_eq!(without.boards, first.boards, "gone from the rules, not from the records");
        let with_another = rules(&[("xp", "incr", "desc")], "", END).fit(&without, None).unwrap();
        assert_eq!(with_another.boards.len(), 2);
        // A process of before a deployment begins again: what the later one knows stays.
        let again = rules(&[ARENA], "", END).fit(&with_another, None).unwrap();
        assert_eq!(Header { rules: Vec::new(), ..again }, Header { rules: Vec::new(), ..with_another.clone() });
        for changed in [("arena", "incr", "desc"), ("arena", "best", "asc")] {
            assert_eq!(
                code(rules(&[changed], "", END).fit(&with_another, None)),
                Code::BoardIncompatible,
                "{changed:?}"
            );
        }
        let retired = rules(&[], r#""arena""#, END).fit(&with_another, None).unwrap();
        assert_eq!((retired.boards.len(), retired.retired.len()), (1, 1));
        assert_eq!(rules(&[], r#""arena""#, END).fit(&retired, None).unwrap(), retired, "once");
    }

    #[test]
    fn a_retired_name_comes_back_as_it_was_or_sorting_otherwise() {
        let live = rules(&[ARENA], "", END).header();
        let retired = rules(&[], r#""arena""#, END).fit(&live, None).unwrap();
        assert_eq!(rules(&[ARENA], "", END).fit(&retired, None).unwrap().boards, live.boards);
        let counted = ("arena", "incr", "desc");
        assert_eq!(code(rules(&[counted], "", END).fit(&retired, None)), Code::BoardIncompatible);
        let sorted = rules(&[("arena", "incr", "asc")], "", END).fit(&retired, None).unwrap();
        assert_eq!((sorted.boards.len(), sorted.retired.len()), (1, 1), "entries of the old one may still be there");
        let twice = rules(&[], r#""arena""#, END).fit(&sorted, None).unwrap();
        assert_eq!(twice.retired.len(), 2);
        assert_eq!(code(rules(&[counted], "", END).fit(&twice, None)), Code::BoardIncompatible, "for ever");
        // Its periods would be others.
        let moved = rules(&[("xp", "incr", "desc")], "", LATER).fit(&retired, None).unwrap();
        assert_eq!(code(rules(&[ARENA], "", LATER).fit(&moved, None)), Code::BoardIncompatible);
        assert!(rules(&[("arena", "best", "asc")], "", LATER).fit(&moved, None).is_ok());
    }

    #[test]
    fn the_calendar_stays_while_there_are_boards() {
        let live = rules(&[ARENA], "", END).header();
        let (before, during) = (at("2026-08-01T00:00:00Z"), at("2026-10-01T00:00:00Z"));
        let moved = rules(&[ARENA], "", LATER);
        assert_eq!(code(moved.fit(&live, None)), Code::BoardIncompatible);
        assert_eq!(code(moved.fit(&live, during)), Code::BoardIncompatible);
        assert_eq!(moved.fit(&live, before).unwrap().calendar, moved.header().calendar, "not begun");
        // Another board does not make room for it, and neither does none for a while.
        let other = rules(&[("xp", "incr", "desc")], "", LATER);
        assert_eq!(code(other.fit(&live, during)), Code::BoardIncompatible);
        let none = rules(&[], "", LATER).fit(&live, during).unwrap();
        assert_eq!(none.calendar, live.calendar);
        assert_eq!(code(moved.fit(&none, during)), Code::BoardIncompatible);
        let retires = rules(&[("xp", "incr", "desc")], r#""arena""#, LATER);
        assert_eq!(retires.fit(&live, during).unwrap().calendar, retires.header().calendar);
    }

    #[test]
    fn rules_put_in_force_are_named_once_and_the_last_of_them_last() {
        let named = |name: usize| rules(&[(&format!("b{name}"), "incr", "desc")], "", END);
        let identities = |names: &[usize]| names.iter().map(|name| named(*name).identity()).collect::<Vec<_>>();
        let fit = |header: &Header, name| named(name).fit(header, None).unwrap();
        let mut header = Header::default();
        for (name, all) in [(1, &[1][..]), (2, &[1, 2]), (2, &[1, 2]), (1, &[2, 1]), (3, &[2, 1, 3])] {
            header = fit(&header, name);
            assert_eq!(header.rules, identities(all));
        }
        assert_eq!(fit(&header, 3), header, "the last again: nothing to write");
        header = (4..20).fold(header, |header, name| fit(&header, name));
        assert_eq!(header.rules, identities(&[12, 13, 14, 15, 16, 17, 18, 19]));
    }

    #[test]
    fn records_of_another_game_are_refused() {
        let header = Header { game: Some("other".to_owned()), ..Header::default() };
        assert_eq!(code(rules(&[], "", END).fit(&header, None)), Code::StoreMisconfigured);
    }

    /// Rules that follow others fit the store that these began, and no others do.
    #[test]
    fn what_fits_is_what_differs_as_it_may() {
        let all = [
            rules(&[ARENA], "", END),
            rules(&[("arena", "best", "asc")], "", END),
            rules(&[ARENA, ("xp", "incr", "desc")], "", LATER),
            rules(&[("xp", "incr", "desc")], r#""arena""#, LATER),
            rules(&[], "", END),
        ];
        for (old, new) in all.iter().flat_map(|old| all.iter().map(move |new| (old, new))) {
            let code = |result: Result<(), Error>| result.map_err(|error| error.code());
            let fits = |now| code(new.fit(&old.header(), now).map(drop));
            assert_eq!(code(old.diff(new).map(drop)), fits(None));
            for now in ["2026-08-01T00:00:00Z", "2026-10-01T00:00:00Z"].map(at) {
                assert_eq!(code(old.diff_at(new, now.unwrap()).map(drop)), fits(now));
            }
        }
    }

    #[test]
    fn a_header_has_its_bytes() {
        let mut header = rules(&[ARENA, ("xp", "incr", "desc")], "", END).header();
        header = rules(&[("xp", "incr", "desc")], r#""arena""#, END).fit(&header, None).unwrap();
        assert_eq!(Header::decode(&header.encode()), Ok(header));
        assert_eq!(Header::decode(&Header::default().encode()), Ok(Header::default()));
    }
}
