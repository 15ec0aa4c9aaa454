//! Everything about one player that a decision needs.

use serde::Serialize;

use super::rare::NOTHING;
use super::{BoardKey, Horizon, Paid, Rare, Standings};
use crate::anomaly::{DetectorState, PlayerProfile, Reason};
use crate::board::Standing;
use crate::codec::{Stable, fields};
use crate::hash::{Digest, hex};
use crate::id::Id;
use crate::limits::{INTEGER_MAX, LEVELS_MAX, RECEIPTS_PER_PLAYER_MAX};
use crate::progress::{Levels, Overflow, Remainders, Streak};
use crate::time::Timestamp;

/// One player's state. Lists are sorted by what names their elements. What every player has lies in the value, in 256 bytes that are
/// copied without an allocation; what few have lies behind a pointer, which the others do not have.
#[derive(Debug, Default)]
pub struct Player {
    /// Commands applied so far. It grows with every change set, so it serves as the version, and it does not depend on
    /// how commands were cut into batches. Never restarts, not by `Erase`.
    pub version: u64,
    /// Newest command time taken in.
    pub newest_ts: Timestamp,
    /// Experience, ever.
    pub xp: u64,
    /// Number of receipts ever.
    pub receipts: u64,
    /// The oldest receipt still kept.
    pub receipts_from: u64,
    /// Entries, by board and period.
    pub standings: Standings,
    /// Hash of the last receipt.
    pub chain_head: Digest,
    /// The level curve that the XP total is on: that of the rules that changed it last. Without one no rules with levels have.
    pub curve: Option<OnCurve>,
    /// Levels up to this one were rewarded.
    pub granted_through: u32,
    /// On no board.
    pub hidden: bool,
    /// What is rare; read it by [`Self::rare`], write it by [`Self::rare_mut`].
    pub rare: Option<Box<Rare>>,
}

/// Where the suspicions of a player stand, by number: those in neither list were flagged and wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Triage {
    /// Held, and waiting for a review.
    pub holds: Vec<u64>,
    /// Released or confirmed.
    pub settled: Vec<u64>,
}

/// A finding that is acted upon only when others agree with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doubt {
    /// Whose.
    pub detector: Id,
    /// Why.
    pub reason: Reason,
    /// The time of the event that it is about.
    pub ts: Timestamp,
}

/// Which curve a total is on, and how it came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnCurve {
    /// Which.
    pub mark: CurveMark,
    /// Whether the total was brought there from another curve, and so means nothing on any but this one. Rules that know nothing
    /// of the curve then refuse to go on from it.
    pub brought: bool,
}

/// The first eight bytes of a curve's hash: enough to tell the curves of one game apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CurveMark(pub [u8; 8]);

impl CurveMark {
    /// Of a curve.
    pub fn of(levels: &Levels) -> Self {
        let Digest(hash) = levels.hash();
        Self(std::array::from_fn(|at| hash[at]))
    }
}

impl Serialize for CurveMark {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl Stable for CurveMark {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Stable::take(from).map(Self)
    }
}

/// Where a player stands with one loot table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rolls {
    /// The next roll's nonce; 0 before the first.
    pub count: u64,
    /// Rolls since the pity entry last came, in a record of before version 4: it does not say which entry that is. They count for
    /// the first one that pity is for when the table is rolled again.
    pub misses: u32,
}

/// Rolls on a loot table in a row without one entry, counted while pity is for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Misses {
    /// Which table.
    pub table: Id,
    /// Which entry.
    pub entry: Id,
    /// How many; never 0.
    pub count: u32,
}

/// What one detector has learned about one activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Which detector.
    pub detector: Id,
    /// Which activity.
    pub activity: Id,
    /// What it knows.
    #[serde(skip)]
    pub state: DetectorState,
}

impl Player {
    /// What is rare, all of it empty if there is none.
    #[inline]
    pub fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to write to: for whoever has something to write, since this makes room for it.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Lets go of room for what is rare that nothing is in any more.
    pub(crate) fn shrink(&mut self) {
        self.rare = self.rare.take().filter(|rare| **rare != Rare::NONE);
    }

    /// The entry in one period of one board.
    pub fn standing(&self, key: &BoardKey) -> Option<Standing> {
        self.standings.get(&key.board, key.period)
    }

    /// What a board shows of this player.
    pub fn shown(&self, key: &BoardKey) -> Option<Standing> {
        if self.hidden { None } else { self.standing(key) }
    }

    /// All that boards show of this player.
    pub fn shown_anywhere(&self) -> Vec<(BoardKey, Standing)> {
        if self.hidden { Vec::new() } else { self.standings.to_vec() }
    }

    /// Where the player stands with a streak.
    pub fn streak(&self, name: &Id) -> Streak {
        let at = self.rare().streaks.binary_search_by(|(known, _)| known.cmp(name));
        at.map_or_else(|_| Streak::default(), |at| self.rare().streaks[at].1)
    }

    /// Changes that, or adds it.
    pub fn set_streak(&mut self, name: &Id, streak: Streak) {
        match self.rare().streaks.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => self.rare_mut().streaks[at].1 = streak,
            Err(at) => self.rare_mut().streaks.insert(at, (name.clone(), streak)),
        }
    }

    /// Where the player stands with a loot table.
    pub fn rolls(&self, table: &Id) -> Rolls {
        self.rare()
            .rolls
            .binary_search_by(|(known, _)| known.cmp(table))
            .map_or_else(|_| Rolls::default(), |at| self.rare().rolls[at].1)
    }

    /// Replaces or adds it.
    pub fn set_rolls(&mut self, table: &Id, rolls: Rolls) {
        match self.rare().rolls.binary_search_by(|(known, _)| known.cmp(table)) {
            Ok(at) => self.rare_mut().rolls[at].1 = rolls,
            Err(at) => self.rare_mut().rolls.insert(at, (table.clone(), rolls)),
        }
    }

    /// Rolls on a table since an entry last came, as far as pity was for it.
    pub fn misses(&self, table: &Id, entry: &Id) -> u32 {
        self.misses_position(table, entry).map_or_else(|_| self.rolls(table).misses, |at| self.rare().misses[at].count)
    }

    /// Changes that.
    pub fn set_misses(&mut self, table: &Id, entry: &Id, count: u32) {
        match self.misses_position(table, entry) {
            Ok(at) if count == 0 => drop(self.rare_mut().misses.remove(at)),
            Ok(at) => self.rare_mut().misses[at].count = count,
            Err(_) if count == 0 => {}
            Err(at) => self.rare_mut().misses.insert(at, Misses { table: table.clone(), entry: entry.clone(), count }),
        }
    }

    fn misses_position(&self, table: &Id, entry: &Id) -> Result<usize, usize> {
        self.rare().misses.binary_search_by(|known| (&known.table, &known.entry).cmp(&(table, entry)))
    }

    /// Whether there is nothing that came with version 4, such as what detectors learn of amounts without a prior or a population.
    pub(super) fn is_before_version_4(&self) -> bool {
        self.rare.as_deref().is_none_or(Rare::is_before_version_4)
    }

    /// Whether there is nothing that came with version 3.
    pub(super) fn is_before_version_3(&self) -> bool {
        self.curve.is_none() && self.rare.as_deref().is_none_or(Rare::is_before_version_3)
    }

    /// What a family of detectors has learned.
    pub fn family(&self, name: &Id) -> PlayerProfile {
        let at = self.rare().families.binary_search_by(|(known, _)| known.cmp(name));
        at.map_or_else(|_| PlayerProfile::default(), |at| self.rare().families[at].1)
    }

    /// Changes that, or adds it.
    pub fn set_family(&mut self, name: &Id, profile: PlayerProfile) {
        match self.rare().families.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => self.rare_mut().families[at].1 = profile,
            Err(at) => self.rare_mut().families.insert(at, (name.clone(), profile)),
        }
    }

    /// Where a detector's state for an activity is, or belongs.
    pub fn profile_position(&self, detector: &Id, activity: &Id) -> Result<usize, usize> {
        self.rare().profile.binary_search_by(|known| (&known.detector, &known.activity).cmp(&(detector, activity)))
    }

    /// Of a player of whom nothing is left but the mark of an erasure.
    pub fn erased(version: u64, newest_ts: Timestamp, through: Timestamp) -> Self {
        let rare = Some(Box::new(Rare { erased_through: Some(through), ..Rare::default() }));
        Self { version, newest_ts, rare, ..Self::default() }
    }

    /// Whether nothing is left but the mark of an erasure that no acceptable command can precede any more.
    pub fn is_idle_mark(&self, horizon: Horizon) -> bool {
        // The mark first: hardly anybody has one, and comparing the rest takes long.
        self.rare.is_some()
            && self.rare().erased_through.is_some_and(|through| through < horizon.forgotten_before)
            && self.idle_mark().is_some()
    }

    /// Through when the player was erased, if nothing is left but that mark.
    pub fn idle_mark(&self) -> Option<Timestamp> {
        let through = self.rare.as_deref()?.erased_through?;
        (*self == Self::erased(self.version, self.newest_ts, through)).then_some(through)
    }

    /// Whether nobody is there: never was, or was erased and did not come back.
    pub fn is_gone(&self) -> bool {
        self.version == 0 || self.rare().erased_through.is_some_and(|through| self.newest_ts <= through)
    }

    /// Whether decisions can have led here: counters that can count on, lists in the order in which they are searched,
    /// no more receipts than rules can have kept.
    fn is_sound(&self) -> bool {
        let counters = [self.version, self.xp, self.receipts];
        counters.iter().all(|counter| *counter <= INTEGER_MAX.unsigned_abs())
            && self.granted_through <= LEVELS_MAX
            && self.receipts_from <= self.receipts
            && self.receipts - self.receipts_from < RECEIPTS_PER_PLAYER_MAX.unsigned_abs()
            && self.rare.as_deref().is_none_or(|rare| rare.is_sound(self.version, self.receipts))
    }

    /// XP granted on one day, as far as it is kept.
    pub fn xp_on(&self, day: i64) -> u64 {
        self.rare().xp_by_day.iter().find(|(known, _)| *known == day).map_or(0, |(_, xp)| *xp)
    }
}

impl Triage {
    /// Whether each number is that of a suspicion, in order and in one list.
    pub(super) fn is_of(&self, suspicions: &[(u64, Timestamp)]) -> bool {
        let sorted = |list: &[u64]| list.is_sorted_by(|a, b| a < b);
        let known = |number: &u64| suspicions.binary_search_by(|(known, _)| known.cmp(number)).is_ok();
        !suspicions.is_empty()
            && sorted(&self.holds)
            && sorted(&self.settled)
            && self.holds.iter().chain(&self.settled).all(known)
            && self.holds.iter().all(|number| self.settled.binary_search(number).is_err())
    }

    /// Books a review.
    pub(crate) fn settle(&mut self, number: u64) {
        self.holds.retain(|known| *known != number);
        if let Err(at) = self.settled.binary_search(&number) {
            self.settled.insert(at, number);
        }
    }
}

/// The bytes behind the version.
impl Player {
    pub(super) fn put_version(&self, version: u8, out: &mut Vec<u8>) {
        let rare = self.rare();
        self.version.put(out);
        self.newest_ts.put(out);
        rare.erased_through.put(out);
        self.hidden.put(out);
        self.xp.put(out);
        self.granted_through.put(out);
        rare.xp_by_day.put(out);
        self.receipts.put(out);
        self.receipts_from.put(out);
        self.chain_head.put(out);
        rare.marks.put(out);
        rare.rolls.put(out);
        rare.profile.put(out);
        rare.suspicions.put(out);
        self.standings.put(out);
        if version > 1 {
            rare.paid.put(out);
        }
        if version > 2 {
            self.curve.put(out);
            rare.overflow.put(out);
            rare.streaks.put(out);
            rare.claimable.put(out);
            rare.families.put(out);
            rare.doubts.put(out);
            rare.alerts.put(out);
        }
        if version > 3 {
            rare.triage.put(out);
            rare.misses.put(out);
            rare.remainders.put(out);
        }
    }

    pub(super) fn take_version(version: u8, from: &mut &[u8]) -> Option<Box<Self>> {
        let mut player = Box::new(Self::default());
        let mut rare = Rare::default();
        player.version = Stable::take(from)?;
        player.newest_ts = Stable::take(from)?;
        rare.erased_through = Stable::take(from)?;
        player.hidden = Stable::take(from)?;
        player.xp = Stable::take(from)?;
        player.granted_through = Stable::take(from)?;
        rare.xp_by_day = Stable::take(from)?;
        player.receipts = Stable::take(from)?;
        player.receipts_from = Stable::take(from)?;
        player.chain_head = Stable::take(from)?;
        rare.marks = Stable::take(from)?;
        rare.rolls = Stable::take(from)?;
        rare.profile = Stable::take(from)?;
        rare.suspicions = Stable::take(from)?;
        player.standings = Stable::take(from)?;
        if version > 1 {
            rare.paid = Stable::take(from)?;
        }
        if version > 2 {
            player.curve = Stable::take(from)?;
            rare.overflow = Stable::take(from)?;
            rare.streaks = Stable::take(from)?;
            rare.claimable = Stable::take(from)?;
            rare.families = Stable::take(from)?;
            rare.doubts = Stable::take(from)?;
            rare.alerts = Stable::take(from)?;
        }
        if version > 3 {
            rare.triage = Stable::take(from)?;
            rare.misses = Stable::take(from)?;
            rare.remainders = Stable::take(from)?;
        }
        if rare != Rare::NONE {
            player.rare = Some(Box::new(rare));
        }
        player.is_sound().then_some(player)
    }
}

/// What was there is used again.
impl Clone for Player {
    fn clone(&self) -> Self {
        Self { standings: self.standings.clone(), rare: self.rare.clone(), ..*self }
    }

    fn clone_from(&mut self, from: &Self) {
        let Self { version, newest_ts, xp, receipts, receipts_from, ref standings, chain_head, curve, .. } = *from;
        (self.version, self.newest_ts, self.xp) = (version, newest_ts, xp);
        (self.receipts, self.receipts_from, self.chain_head) = (receipts, receipts_from, chain_head);
        (self.curve, self.granted_through, self.hidden) = (curve, from.granted_through, from.hidden);
        self.standings.clone_from(standings);
        self.rare.clone_from(&from.rare);
    }
}

/// Room for what is rare with nothing in it says no more than none.
impl PartialEq for Player {
    fn eq(&self, other: &Self) -> bool {
        let Self { version, newest_ts, xp, receipts, receipts_from, standings, .. } = self;
        let Self { chain_head, curve, granted_through, hidden, rare, .. } = self;
        *version == other.version
            && *newest_ts == other.newest_ts
            && *xp == other.xp
            && (*receipts, *receipts_from) == (other.receipts, other.receipts_from)
            && *chain_head == other.chain_head
            && *curve == other.curve
            && (*granted_through, *hidden) == (other.granted_through, other.hidden)
            && *standings == other.standings
            && (rare.is_none() && other.rare.is_none() || self.rare() == other.rare())
    }
}

impl Eq for Player {}

impl Serialize for Player {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Whole<'a> {
            version: u64,
            newest_ts: Timestamp,
            erased_through: Option<Timestamp>,
            hidden: bool,
            xp: u64,
            granted_through: u32,
            xp_by_day: &'a [(i64, u64)],
            receipts: u64,
            receipts_from: u64,
            chain_head: Digest,
            marks: &'a [Id],
            rolls: &'a [(Id, Rolls)],
            profile: &'a [Profile],
            suspicions: &'a [(u64, Timestamp)],
            standings: &'a Standings,
            #[serde(skip_serializing_if = "Paid::is_empty")]
            paid: &'a Paid,
            #[serde(skip_serializing_if = "Option::is_none")]
            curve: Option<OnCurve>,
            #[serde(skip_serializing_if = "Overflow::is_empty")]
            overflow: Overflow,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            streaks: &'a [(Id, Streak)],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            claimable: &'a [(u64, Timestamp)],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            doubts: &'a [Doubt],
            #[serde(skip_serializing_if = "Option::is_none")]
            triage: Option<&'a Triage>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            misses: &'a [Misses],
            #[serde(skip_serializing_if = "Remainders::is_empty")]
            remainders: &'a Remainders,
        }
        let rare = self.rare();
        let whole = Whole {
            version: self.version,
            newest_ts: self.newest_ts,
            erased_through: rare.erased_through,
            hidden: self.hidden,
            xp: self.xp,
            granted_through: self.granted_through,
            xp_by_day: &rare.xp_by_day,
            receipts: self.receipts,
            receipts_from: self.receipts_from,
            chain_head: self.chain_head,
            marks: &rare.marks,
            rolls: &rare.rolls,
            profile: &rare.profile,
            suspicions: &rare.suspicions,
            standings: &self.standings,
            paid: &rare.paid,
            curve: self.curve,
            overflow: rare.overflow,
            streaks: &rare.streaks,
            claimable: &rare.claimable,
            doubts: &rare.doubts,
            triage: rare.triage.as_ref(),
            misses: &rare.misses,
            remainders: &rare.remainders,
        };
        whole.serialize(to)
    }
}

fields!(Rolls { count, misses });
fields!(Profile { detector, activity, state });
fields!(Misses { table, entry, count });
fields!(Triage { holds, settled });
fields!(Doubt { detector, reason, ts });
fields!(OnCurve { mark, brought });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreErrorKind;
    use crate::id::BoardId;
    use crate::record::Record;
    use crate::window::{Period, Window};

    fn player() -> Player {
        let id = |text| Id::new(text).unwrap();
        let key =
            |index| BoardKey { board: BoardId::new("b").unwrap(), period: Period { window: Window::Daily, index } };
        let profile = |activity| Profile { detector: id("d"), activity: id(activity), state: DetectorState::TimeFloor };
        let rare = Rare {
            xp_by_day: vec![(-1, 5), (1, INTEGER_MAX.unsigned_abs())],
            marks: vec![id("a"), id("b")],
            rolls: vec![(id("a"), Rolls::default()), (id("b"), Rolls::default())],
            overflow: Overflow { units: INTEGER_MAX.unsigned_abs(), rest: 7 },
            streaks: ["a", "b"].map(|name| (id(name), Streak { last_day: 9, length: 2, longest: 2 })).to_vec(),
            claimable: vec![(3, Timestamp::MIN), (1_000_005, Timestamp::MAX)],
            profile: vec![profile("a"), profile("b")],
            suspicions: vec![(3, Timestamp::MIN), (4, Timestamp::MIN)],
            triage: Some(Triage { holds: vec![3], settled: vec![4] }),
            misses: [("a", "y"), ("a", "z"), ("b", "x")]
                .map(|(table, entry)| Misses { table: id(table), entry: id(entry), count: 1 })
                .to_vec(),
            remainders: remainders([(0, 1, 2, 1), (1, 1, 4, 3)]),
            ..Rare::default()
        };
        Player {
            version: INTEGER_MAX.unsigned_abs(),
            xp: INTEGER_MAX.unsigned_abs(),
            receipts: 2_000_000,
            receipts_from: 1_000_001,
            curve: Some(OnCurve { mark: CurveMark([7; 8]), brought: true }),
            standings: [(key(1), Standing::default()), (key(2), Standing::default())].into_iter().collect(),
            rare: Some(Box::new(rare)),
            ..Player::default()
        }
    }

    fn triage(player: &mut Player) -> &mut Triage {
        player.rare_mut().triage.as_mut().unwrap()
    }

    /// Of factors, each a whole number and parts of a denominator; and what they left over.
    fn remainders<const N: usize>(all: [(u64, u64, u64, u64); N]) -> Remainders {
        let bytes =
            all.map(|(whole, part, denominator, rest)| ((whole, part), (denominator, rest))).to_vec().to_bytes();
        Remainders::take(&mut &bytes[..]).unwrap()
    }

    fn read(player: Player) -> Result<Record, StoreErrorKind> {
        Record::decode(&Record::Player(player.into()).encode())
    }

    #[test]
    fn a_plain_player_takes_256_bytes_in_one_piece() {
        assert_eq!(size_of::<Player>(), 256);
    }

    #[test]
    fn room_for_what_is_rare_says_nothing() {
        let plain = Player { version: 3, xp: 5, ..Player::default() };
        let mut roomy = plain.clone();
        roomy.rare_mut();
        assert_eq!(plain, roomy);
        let record = |player: &Player| Record::Player(player.clone().into()).encode();
        assert_eq!(record(&plain), record(&roomy));
        assert_eq!(serde_json::to_string(&plain).unwrap(), serde_json::to_string(&roomy).unwrap());
        roomy.shrink();
        assert!(roomy.rare.is_none());
        roomy.rare_mut().marks.push(Id::new("a").unwrap());
        roomy.shrink();
        assert_ne!(plain, roomy);
        assert_eq!(read(roomy.clone()), Ok(Record::Player(roomy.into())));
    }

    #[test]
    fn a_copy_over_another_is_the_same_as_a_copy() {
        let all = [Player::default(), player(), Player::erased(3, Timestamp::MIN, Timestamp::MAX)];
        for from in &all {
            for over in &all {
                let mut copy = over.clone();
                copy.clone_from(from);
                assert_eq!((&copy, read_bytes(&copy)), (from, read_bytes(from)));
            }
        }
    }

    fn read_bytes(player: &Player) -> Vec<u8> {
        Record::Player(player.clone().into()).encode()
    }

    #[test]
    fn a_player_that_no_decision_makes_is_corrupt() {
        const BEYOND: u64 = INTEGER_MAX.unsigned_abs() + 1;
        type Spoiled = (&'static str, fn(&mut Player));
        assert_eq!(read(player()), Ok(Record::Player(player().into())));
        let spoiled: [Spoiled; 39] = [
            ("a version that cannot grow", |p| p.version = BEYOND),
            ("XP beyond the integers", |p| p.xp = u64::MAX),
            ("a level that no curve has", |p| p.granted_through = LEVELS_MAX + 1),
            ("receipts that cannot grow", |p| (p.receipts, p.receipts_from) = (BEYOND, BEYOND)),
            ("a first receipt behind the last", |p| p.receipts_from = p.receipts + 1),
            ("more receipts than rules keep", |p| p.receipts_from -= 1),
            ("XP of a day beyond the integers", |p| p.rare_mut().xp_by_day[0].1 = BEYOND),
            ("rolls that cannot grow", |p| p.rare_mut().rolls[1].1.count = u64::MAX),
            ("units that cannot grow", |p| p.rare_mut().overflow.units = BEYOND),
            ("a rest beyond the integers", |p| p.rare_mut().overflow.rest = BEYOND),
            ("waiting receipts out of order", |p| p.rare_mut().claimable.reverse()),
            ("a waiting receipt to come", |p| p.rare_mut().claimable[1].0 = p.receipts + 1),
            ("streaks out of order", |p| p.rare_mut().streaks.reverse()),
            ("a streak longer than its longest", |p| p.rare_mut().streaks[0].1.longest = 1),
            ("days out of order", |p| p.rare_mut().xp_by_day.reverse()),
            ("marks out of order", |p| p.rare_mut().marks.reverse()),
            ("a mark twice", |p| p.rare_mut().marks[0] = p.rare_mut().marks[1].clone()),
            ("loot tables out of order", |p| p.rare_mut().rolls.reverse()),
            ("profiles out of order", |p| p.rare_mut().profile.reverse()),
            ("suspicions out of order", |p| p.rare_mut().suspicions.reverse()),
            ("a suspicion of a version to come", |p| p.version = 3),
            ("more suspicions than are kept", |p| {
                p.rare_mut().suspicions = (0..257).map(|n| (n, Timestamp::MIN)).collect();
            }),
            ("open holds out of order", |p| triage(p).holds = vec![4, 3]),
            ("a hold that is no suspicion", |p| triage(p).holds = vec![5]),
            ("a settled suspicion that is none", |p| triage(p).settled = vec![2]),
            ("a hold that is settled", |p| triage(p).holds = vec![4]),
            ("reviews of nothing", |p| p.rare_mut().suspicions.clear()),
            ("misses out of order", |p| p.rare_mut().misses.swap(0, 1)),
            ("misses of an entry twice", |p| p.rare_mut().misses[0] = p.rare_mut().misses[1].clone()),
            ("misses that are none", |p| p.rare_mut().misses[2].count = 0),
            ("a remainder of nothing", |p| p.rare_mut().remainders = remainders([(1, 1, 4, 0)])),
            ("a remainder of one", |p| p.rare_mut().remainders = remainders([(1, 1, 4, 4)])),
            ("a remainder of a whole factor", |p| p.rare_mut().remainders = remainders([(2, 0, 1, 1)])),
            ("a factor that can be reduced", |p| p.rare_mut().remainders = remainders([(1, 2, 4, 1)])),
            ("a part of a factor that is more than one", |p| p.rare_mut().remainders = remainders([(1, 5, 4, 1)])),
            ("a factor that is too fine", |p| p.rare_mut().remainders = remainders([(1, 1, BEYOND, 1)])),
            ("a factor beyond the integers", |p| p.rare_mut().remainders = remainders([(BEYOND, 1, 2, 1)])),
            ("two remainders of one factor", |p| p.rare_mut().remainders = remainders([(1, 1, 2, 1), (1, 1, 2, 1)])),
            ("too many remainders", |p| p.rare_mut().remainders = remainders([2, 3, 5, 7, 9].map(|d| (1, 1, d, 1)))),
        ];
        for (why, spoil) in spoiled {
            let mut player = player();
            spoil(&mut player);
            assert_eq!(read(player), Err(StoreErrorKind::Corrupt), "{why}");
        }
    }
}
