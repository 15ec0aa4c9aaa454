//! Moving the store in time.

use super::{AsyncEngine, Engine, ready};
use crate::error::Error;
use crate::record::{Horizon, Key, Record};
use crate::store::{AsyncBoards, AsyncStore, Boards, Store};
use crate::time::Timestamp;

impl<S: AsyncStore> AsyncEngine<S> {
    /// See [`Engine::horizon`].
    pub async fn horizon(&self) -> Result<Horizon, Error> {
        horizon(&self.store).await
    }
}

impl<S: AsyncStore + AsyncBoards> AsyncEngine<S> {
    /// See [`Engine::advance`].
    pub async fn advance(&self, now: Timestamp) -> Result<Horizon, Error> {
        horizon(&self.store).await?.check_advance(now, self.newest_event())?;
        self.advance_far(now).await
    }

    /// See [`Engine::advance_by_clock`].
    pub async fn advance_by_clock(&self, now: Timestamp, clock: Timestamp) -> Result<Horizon, Error> {
        Horizon::check_clock(now, clock)?;
        self.advance_far(now).await
    }

    /// See [`Engine::advance_far`].
    pub async fn advance_far(&self, now: Timestamp) -> Result<Horizon, Error> {
        self.name_store().await?;
        let forgotten_before = now.minus_millis(self.rules().door().limits().past_millis_max);
        let horizon = self.store.advance(Horizon { now, forgotten_before }).await?;
        self.build_what_is_due(horizon).await?;
        self.retain(horizon).await?;
        Ok(horizon)
    }
}

impl<S: Store> Engine<S> {
    /// How far the store was moved in time; [`Horizon::default`] before the first advance.
    pub fn horizon(&self) -> Result<Horizon, Error> {
        ready(self.0.horizon())
    }
}

impl<S: Store + Boards> Engine<S> {
    /// Moves the horizon to `now`, never back; forgets the outcomes that no acceptable command can ask for any more,
    /// and frees boards whose period is dropped. To be called now and then: every minute, say.
    ///
    /// A time far ahead cannot be taken back: whatever comes after it is too old for good. So a jump of more than
    /// [31 days](crate::limits::ADVANCE_MILLIS_MAX) over the horizon is refused, and a time that looks like another unit by the
    /// horizon or by the newest event that this engine applied. Who has a clock at hand is measured by that instead:
    /// [`Self::advance_by_clock`]; [`Self::advance_far`] does not ask. The first advance of a store may be
    /// to anywhere. A time a little behind the horizon is no mistake, and moves nothing. Who advanced too far all the same:
    /// [`crate::MemoryStore::restore_at`].
    ///
    /// Errors: `clock_unit`, `clock_jump`, with [`AdvanceError`](crate::record::AdvanceError) as the source; those of the store.
    ///
    /// ```
    /// use liveops_core::{Code, Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let engine = Engine::new(Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?, MemoryStore::new());
    /// let now = Timestamp::from_rfc3339("2026-11-30T12:00:00Z").unwrap();
    /// engine.advance(now)?;
    /// let nanoseconds = Timestamp::from_unix_millis(now.as_unix_millis() * 1_000_000);
    /// assert_eq!(engine.advance(nanoseconds).unwrap_err().code(), Code::ClockUnit);
    /// let new_year = Timestamp::from_rfc3339("2027-01-01T00:00:00Z").unwrap();
    /// assert_eq!(engine.advance(new_year).unwrap_err().code(), Code::ClockJump);
    /// assert_eq!(engine.advance_far(new_year)?.now, new_year);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn advance(&self, now: Timestamp) -> Result<Horizon, Error> {
        ready(self.0.advance(now))
    }

    /// The same for who has a clock at hand: `now` is measured by that alone, so that a month asleep is no fault. A time behind
    /// the clock is none either; a server passes its clock's time as both.
    ///
    /// Errors: `clock_unit` for a time that looks like another unit by the clock, `clock_jump` for one more than 31 days past it;
    /// those of the store.
    ///
    /// ```
    /// use liveops_core::{Code, Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let engine = Engine::new(Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?, MemoryStore::new());
    /// let at = |text| Timestamp::from_rfc3339(text).unwrap();
    /// engine.advance(at("2026-09-01T00:00:00Z"))?;
    /// let clock = at("2026-11-30T12:00:00Z"); // Timestamp::try_from(SystemTime::now())?
    /// assert_eq!(engine.advance(clock).unwrap_err().code(), Code::ClockJump, "asleep since September, or a wrong time?");
    /// assert_eq!(engine.advance_by_clock(clock, clock)?.now, clock);
    /// let wrong = engine.advance_by_clock(at("2062-01-01T00:00:00Z"), clock);
    /// assert_eq!(wrong.unwrap_err().code(), Code::ClockJump);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn advance_by_clock(&self, now: Timestamp, clock: Timestamp) -> Result<Horizon, Error> {
        ready(self.0.advance_by_clock(now, clock))
    }

    /// The same to any time, because the caller means it: a replay, a simulation, a test, a game that slept for a quarter.
    pub fn advance_far(&self, now: Timestamp) -> Result<Horizon, Error> {
        ready(self.0.advance_far(now))
    }
}

/// Where the store is.
pub(super) async fn horizon<S: AsyncStore>(store: &S) -> Result<Horizon, Error> {
    match super::read::load(store, &[Key::Horizon]).await?.pop() {
        Some(Some(Record::Horizon(horizon))) => Ok(horizon),
        Some(None) => Ok(Horizon::default()),
        _ => Err(super::read::misconfigured()),
    }
}
