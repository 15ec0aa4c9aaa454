//! What few players have.

use super::{Doubt, Misses, Paid, Profile, Rolls, Triage};
use crate::anomaly::{AlertTally, PlayerProfile};
use crate::id::Id;
use crate::limits::{CLAIMABLE_MAX, DOUBTS_MAX, INTEGER_MAX, SUSPICIONS_PER_PLAYER_MAX};
use crate::progress::{Overflow, Remainders, Streak};
use crate::time::Timestamp;

/// What of a player's state few have, by the rules or by what they did. Lists are sorted by what names their elements.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rare {
    /// Commands no newer than this were erased.
    pub erased_through: Option<Timestamp>,
    /// XP granted by day, for a daily cap; days that no command can reach any more are dropped.
    pub xp_by_day: Vec<(i64, u64)>,
    /// Rewards that are granted once and were.
    pub marks: Vec<Id>,
    /// Rolls on each loot table.
    pub rolls: Vec<(Id, Rolls)>,
    /// What the detectors have learned.
    pub profile: Vec<Profile>,
    /// Suspicions kept, and when each came in.
    pub suspicions: Vec<(u64, Timestamp)>,
    /// Periods the player was paid for.
    pub paid: Paid,
    /// Experience gathered beyond the highest level.
    pub overflow: Overflow,
    /// Days in a row, by streak.
    pub streaks: Vec<(Id, Streak)>,
    /// Receipts that wait to be claimed, by number, each with the end of its time. They are kept for it, also where others of
    /// their age are not.
    pub claimable: Vec<(u64, Timestamp)>,
    /// What families of detectors have learned, by the rule's name.
    pub families: Vec<(Id, PlayerProfile)>,
    /// Findings that wait for others to agree with them, the oldest first.
    pub doubts: Vec<Doubt>,
    /// Alerts of the day.
    pub alerts: AlertTally,
    /// Where suspicions stand. `None` without any, and where records of before version 4, which did not say, have added
    /// none since.
    pub triage: Option<Triage>,
    /// Rolls without the entry that pity is for, by table and entry: of those that pity was ever for.
    pub misses: Vec<Misses>,
    /// What boosts have left over of the experience.
    pub remainders: Remainders,
}

/// What those have of whom nothing is rare.
pub(super) static NOTHING: Rare = Rare::NONE;

impl Rare {
    /// Nothing.
    pub(super) const NONE: Self = Self {
        erased_through: None,
        xp_by_day: Vec::new(),
        marks: Vec::new(),
        rolls: Vec::new(),
        profile: Vec::new(),
        suspicions: Vec::new(),
        paid: Paid::NONE,
        overflow: Overflow { units: 0, rest: 0 },
        streaks: Vec::new(),
        claimable: Vec::new(),
        families: Vec::new(),
        doubts: Vec::new(),
        alerts: AlertTally::NONE,
        triage: None,
        misses: Vec::new(),
        remainders: Remainders::NONE,
    };

    /// Whether there is nothing that came with version 4.
    pub(super) fn is_before_version_4(&self) -> bool {
        self.triage.is_none()
            && self.misses.is_empty()
            && self.remainders.is_empty()
            && !self.profile.iter().any(|known| known.state.is_later())
            && !self.families.iter().any(|(_, profile)| profile.is_later())
    }

    /// Whether there is nothing that came with version 3.
    pub(super) fn is_before_version_3(&self) -> bool {
        self.overflow.is_empty()
            && self.streaks.is_empty()
            && self.claimable.is_empty()
            && self.families.is_empty()
            && self.doubts.is_empty()
            && self.alerts == AlertTally::default()
    }

    /// Whether decisions can have led here, of a player of that version and with so many receipts.
    pub(super) fn is_sound(&self, version: u64, receipts: u64) -> bool {
        let days = self.xp_by_day.iter().map(|(_, xp)| *xp);
        let rolls = self.rolls.iter().map(|(_, rolls)| rolls.count);
        let mut counters = [self.overflow.units, self.overflow.rest].into_iter().chain(days).chain(rolls);
        counters.all(|counter| counter <= INTEGER_MAX.unsigned_abs())
            && self.xp_by_day.is_sorted_by(|a, b| a.0 < b.0)
            && self.marks.is_sorted_by(|a, b| a < b)
            && self.rolls.is_sorted_by(|a, b| a.0 < b.0)
            && self.streaks.is_sorted_by(|a, b| a.0 < b.0)
            && self.claimable.is_sorted_by(|a, b| a.0 < b.0)
            && self.claimable.len() <= CLAIMABLE_MAX
            && self.claimable.last().is_none_or(|(number, _)| *number <= receipts)
            && self.streaks.iter().all(|(_, streak)| (1..=streak.longest).contains(&streak.length))
            && self.families.is_sorted_by(|a, b| a.0 < b.0)
            && self.doubts.len() <= DOUBTS_MAX
            && self.profile.is_sorted_by(|a, b| (&a.detector, &a.activity) < (&b.detector, &b.activity))
            && self.suspicions.is_sorted_by(|a, b| a.0 < b.0)
            && self.suspicions.last().is_none_or(|(number, _)| *number <= version)
            && self.suspicions.len() <= SUSPICIONS_PER_PLAYER_MAX
            && self.triage.as_ref().is_none_or(|triage| triage.is_of(&self.suspicions))
            && self.misses.is_sorted_by(|a, b| (&a.table, &a.entry) < (&b.table, &b.entry))
            && self.misses.iter().all(|misses| misses.count > 0)
            && self.remainders.is_sound()
    }
}

/// What was there is used again.
impl Clone for Rare {
    fn clone(&self) -> Self {
        let mut clone = Self::NONE;
        clone.clone_from(self);
        clone
    }

    fn clone_from(&mut self, from: &Self) {
        let Self {
            erased_through,
            xp_by_day,
            marks,
            rolls,
            profile,
            suspicions,
            paid,
            overflow,
            streaks,
            claimable,
            families,
            doubts,
            alerts,
            triage,
            misses,
            remainders,
        } = from;
        self.erased_through = *erased_through;
        self.overflow = *overflow;
        self.alerts = *alerts;
        self.xp_by_day.clone_from(xp_by_day);
        self.marks.clone_from(marks);
        self.rolls.clone_from(rolls);
        self.profile.clone_from(profile);
        self.suspicions.clone_from(suspicions);
        self.paid.clone_from(paid);
        self.streaks.clone_from(streaks);
        self.claimable.clone_from(claimable);
        self.families.clone_from(families);
        self.doubts.clone_from(doubts);
        self.triage.clone_from(triage);
        self.misses.clone_from(misses);
        self.remainders.clone_from(remainders);
    }
}
