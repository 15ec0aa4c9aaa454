//! Finished boards: archived, and turned into one payment for each owner who reached a tier.

use super::advance::horizon;
use super::read::load;
use super::{AsyncBoard, AsyncEngine, Board, Engine, ready};
use crate::board::{Archive, Award, Heading, Names, Row};
use crate::error::{Code, Error};
use crate::id::PlayerId;
use crate::limits::{ATTEMPTS_MAX, PAGE_LEN_MAX, ROUND_PLAYERS_MAX};
use crate::record::{BoardKey, Horizon, Key, Record, Settled, Suspicion};
use crate::rules::Payout;
use crate::store::{AsyncBoards, AsyncScan, AsyncStore, Boards, Scan, Store};
use crate::time::Timestamp;
use crate::window::Period;

impl<S: AsyncStore + AsyncBoards + AsyncScan> AsyncEngine<S> {
    /// See [`Engine::payout`].
    pub async fn payout(&self, board: &str, period: Period, now: Timestamp) -> Result<Payout, Error> {
        let mut payout = self.payout_without_holds(board, period, now, None).await?;
        payout.holds = self.rules().holds_of_period(&self.held().await?, &payout.board);
        Ok(payout)
    }

    /// `horizon` if that was read a moment ago.
    pub(super) async fn payout_without_holds(
        &self,
        board: &str,
        period: Period,
        now: Timestamp,
        horizon: Option<Horizon>,
    ) -> Result<Payout, Error> {
        let board = self.board(board)?;
        let key = board.key(period);
        // Refused before anything large is read.
        board.rules.payout_rule(&key)?;
        let (horizon, rows) = board.finished(period, now, horizon).await?;
        self.note_final(&key, &rows).await;
        board.rules.payout(&key, &rows, horizon, now)
    }

    /// Lets the store keep what the period ended in, where it has a place for that. It is for people to read: nobody goes unpaid for
    /// want of it, now or at a later run, so a failure is counted and left at that.
    async fn note_final(&self, key: &BoardKey, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        if let Err(error) = self.store.note_final(key, rows).await {
            self.counters.unnoted(error.kind.code());
        }
    }

    /// See [`Engine::payout_archived`].
    pub async fn payout_archived(&self, archive: &Archive, names: &Names, now: Timestamp) -> Result<Payout, Error> {
        let rules = self.rules();
        let Heading { board, period, start, end, closed_at, .. } = archive.heading().clone();
        let key = BoardKey { board, period };
        let rule = rules.payout_rule(&key)?;
        rules.closed_at(period, horizon(&self.store).await?)?;
        let mut awards = archive.read(names)?.awards(&rule.tiers);
        self.retain_payable(&mut awards).await?;
        let mut payout = rules.pay_awards(&key, rule, closed_at, awards, now);
        payout.holds = rules.open_holds(&self.held().await?, &key, start, end);
        Ok(payout)
    }

    /// Suspicions that hold an event back and wait.
    pub(super) async fn held(&self) -> Result<Vec<(PlayerId, u64, Suspicion)>, Error> {
        self.suspicions_where(|suspicion| suspicion.held && suspicion.settled == Settled::Open).await
    }

    /// Leaves those who are there and shown.
    async fn retain_payable(&self, awards: &mut Vec<Award>) -> Result<(), Error> {
        let mut payable = Vec::with_capacity(awards.len());
        for awards in awards.chunks(ROUND_PLAYERS_MAX) {
            let keys: Vec<_> = awards.iter().map(|award| Key::Player(award.owner.clone())).collect();
            let answers = load(&self.store, &keys).await?.into_iter();
            payable.extend(answers.map(|answer| match answer {
                Some(Record::Player(player)) => !player.hidden && !player.is_gone(),
                _ => false,
            }));
        }
        let mut payable = payable.into_iter();
        awards.retain(|_| payable.next().unwrap_or(false));
        Ok(())
    }
}

impl<S: AsyncStore + AsyncBoards> AsyncBoard<'_, S> {
    /// See [`Board::archive`].
    pub async fn archive(&self, period: Period, now: Timestamp) -> Result<(Archive, Names), Error> {
        self.rule.keep(period.window).ok_or(Code::UnknownWindow)?;
        let (horizon, rows) = self.finished(period, now, None).await?;
        let (board, sort, ranking) = (self.rule.board.clone(), self.rule.sort, self.rule.ranking);
        let heading = Heading::new(board, period, self.rules.calendar(), sort, ranking, horizon.now)?;
        Archive::new(heading, &rows)
    }

    /// Every row of a closed period, and the horizon that closed it. A board that nobody stands on is one, and not one that is
    /// still to be built or was freed while it was read.
    async fn finished(
        &self,
        period: Period,
        now: Timestamp,
        known: Option<Horizon>,
    ) -> Result<(Horizon, Vec<Row>), Error> {
        let (engine, key) = (self.engine, self.key(period));
        let mut before = match known {
            Some(known) => known,
            None => horizon(&engine.store).await?,
        };
        for _ in 0..ATTEMPTS_MAX {
            self.rules.closed_at(period, before)?;
            self.check_kept(period, now.max(before.now))?;
            let built = engine.build_what_is_due(before).await?;
            engine.store.catch_up().await?;
            let rows = self.of(period).all(PAGE_LEN_MAX).await?;
            let after = horizon(&engine.store).await?;
            self.check_kept(period, now.max(after.now))?;
            if !engine.keeps(&key, after) {
                return Err(Code::PeriodDropped.into());
            }
            if engine.builds_due() == built {
                return Ok((before, rows));
            }
            before = after;
        }
        Err(Code::Contended.into())
    }
}

/// Paying boards. A period is closed once the store was advanced past its closing, and not by the clock: until then an
/// event that came in earlier may still be on its way.
impl<S: Store + Boards + Scan> Engine<S> {
    /// Who gets what for a finished period of a board, and the commands that give it: read the board in one go, submit
    /// [`Payout::commands`], and repeat both after any trouble. Each player is paid once, because the player's record
    /// keeps a mark:
    ///
    /// - sent again while the first outcome is kept (`max_past` from the last advance before it was paid), a command is `Replayed` with its
    ///   receipt; sent again later it is `Replayed` without one;
    /// - a player who is hidden gets nothing, also when hidden between this call and `submit`: `player_hidden`. When shown
    ///   again, the next run pays what is due then;
    /// - when players were hidden or shown between two runs, ranks move. Whoever was paid stays paid as before: the command
    ///   with another rank or tier is refused as `event_id_reused` and gives nothing.
    ///
    /// Walks through all suspicions, a page at a time, for [`Payout::holds`]. A store whose boards lag behind its records brings them
    /// up to date first.
    ///
    /// Boards that new rules gained and that could not be built then are built first, too.
    ///
    /// A store with a place for what a period ended in (PostgreSQL's `leaderboard_snapshots`) is given the rows to keep, the first time. If
    /// that fails, the payout is what it is all the same: `unnoted` of [`Self::stats`] counts it, and this call, made again, makes it good.
    ///
    /// Errors: `unknown_board`; `unknown_window` for a window that the board does not have; `unknown_payout` where the rules pay
    /// nothing; `period_open`; `period_dropped` for a period that is no longer kept (see [`Self::payout_archived`]); `contended`;
    /// those of the store.
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp, Window};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": { "xp": {
    ///     "value": "grantedXp", "keepPeriods": { "weekly": 8 },
    ///     "payouts": { "weekly": [
    ///         { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } },
    ///         { "tier": "top-half", "percent": "50", "grant": { "kind": "currency", "id": "gem", "amount": 5 } } ] } } } }"#)?;
    /// let engine = Engine::new(rules, MemoryStore::new());
    /// let friday = Timestamp::from_rfc3339("2026-11-06T12:00:00Z").unwrap();
    /// for (player, xp) in [("ana", 120), ("bo", 90), ("cy", 60)] {
    ///     engine.submit_ndjson(&EventBuilder::progression(player, xp, friday).id("e1").body(), friday);
    /// }
    ///
    /// // Later: every period that closed since the mark that we keep.
    /// let monday = Timestamp::from_rfc3339("2026-11-09T00:05:00Z").unwrap();
    /// engine.advance(monday)?;
    /// for (_, period) in engine.closed_between(friday, monday) {
    ///     let payout = engine.payout("xp", period, monday)?;
    ///     let tiers: Vec<_> = payout.awards.iter().map(|a| format!("{} {}", a.owner, a.tier)).collect();
    ///     assert_eq!(tiers, ["ana gold", "bo top-half"]);
    ///     for outcome in engine.submit_batch(payout.commands()) {
    ///         assert_eq!(outcome.into_effect()?.receipts().len(), 1);
    ///     }
    ///     // Crashed before the mark was stored? Again, then.
    ///     for outcome in engine.submit_batch(engine.payout("xp", period, monday)?.commands()) {
    ///         assert_eq!(outcome.code(), "replayed");
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn payout(&self, board: &str, period: Period, now: Timestamp) -> Result<Payout, Error> {
        ready(self.0.payout(board, period, now))
    }

    /// The same from an archive, under the tiers of now: for a period that the store no longer keeps. Whoever is hidden,
    /// forgotten or erased gets nothing, and nobody moves up into their ranks. Nobody is paid twice whether the first
    /// payment was made from the board or from the archive.
    ///
    /// An entry is no longer there to tell that a player took part: forget erased players ([`Names::forget`]), or one
    /// who came back later may be paid for what was earned before.
    ///
    /// Errors: those of [`Self::payout`]; `invalid_argument` for the names of another archive.
    pub fn payout_archived(&self, archive: &Archive, names: &Names, now: Timestamp) -> Result<Payout, Error> {
        ready(self.0.payout_archived(archive, names, now))
    }
}

impl<S: Store + Boards> Board<'_, S> {
    /// Archives a finished period that is still kept: everyone who is shown now. Store both values, the names where
    /// [`Names::forget`] can reach them when a player is erased. See [`Archive`].
    ///
    /// Errors: `unknown_window` for a window that the board does not have; `period_open` until the store was advanced past its
    /// closing; `period_dropped` for a period that is no longer kept; `contended`; those of the store.
    pub fn archive(&self, period: Period, now: Timestamp) -> Result<(Archive, Names), Error> {
        ready(self.inner().archive(period, now))
    }
}
