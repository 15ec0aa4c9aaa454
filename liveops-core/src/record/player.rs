//! Everything about one player that a decision needs.

use serde::Serialize;

use super::{BoardKey, Horizon, Paid, Standings};
use crate::anomaly::{AlertTally, DetectorState, PlayerProfile, Reason};
use crate::board::Standing;
use crate::codec::{Stable, fields};
use crate::hash::{Digest, hex};
use crate::id::Id;
use crate::limits::{
    CLAIMABLE_MAX, DOUBTS_MAX, INTEGER_MAX, LEVELS_MAX, RECEIPTS_PER_PLAYER_MAX, SUSPICIONS_PER_PLAYER_MAX,
};
use crate::progress::{Levels, Overflow, Remainders, Streak};
use crate::time::Timestamp;

/// One player's state. Lists are sorted by what names their elements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Player {
    /// Commands applied so far. It grows with every change set, so it serves as the version, and it does not depend on
    /// how commands were cut into batches. Never restarts, not by `Erase`.
    pub version: u64,
    /// Newest command time taken in.
    pub newest_ts: Timestamp,
    /// Commands no newer than this were erased.
    pub erased_through: Option<Timestamp>,
    /// On no board.
    pub hidden: bool,
    /// Experience, ever.
    pub xp: u64,
    /// Levels up to this one were rewarded.
    pub granted_through: u32,
    /// XP granted by day, for a daily cap; days that no command can reach any more are dropped.
    pub xp_by_day: Vec<(i64, u64)>,
    /// Number of receipts ever.
    pub receipts: u64,
    /// The oldest receipt still kept.
    pub receipts_from: u64,
    /// Hash of the last receipt.
    pub chain_head: Digest,
    /// Rewards that are granted once and were.
    pub marks: Vec<Id>,
    /// Rolls on each loot table.
    pub rolls: Vec<(Id, Rolls)>,
    /// What the detectors have learned.
    pub profile: Vec<Profile>,
    /// Suspicions kept, and when each came in.
    pub suspicions: Vec<(u64, Timestamp)>,
    /// Entries, by board and period.
    pub standings: Standings,
    /// Periods the player was paid for.
    #[serde(skip_serializing_if = "Paid::is_empty")]
    pub paid: Paid,
    /// The level curve that the XP total is on: that of the rules that changed it last. Without one no rules with levels have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<OnCurve>,
    /// Experience gathered beyond the highest level.
    #[serde(skip_serializing_if = "Overflow::is_empty")]
    pub overflow: Overflow,
    /// Days in a row, by streak.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub streaks: Vec<(Id, Streak)>,
    /// Receipts that wait to be claimed, by number, each with the end of its time. They are kept for it, also where others of
    /// their age are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claimable: Vec<(u64, Timestamp)>,
    /// What families of detectors have learned, by the rule's name.
    #[serde(skip)]
    pub families: Vec<(Id, PlayerProfile)>,
    /// Findings that wait for others to agree with them, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Alerts of the day.
    #[serde(skip)]
    pub alerts: AlertTally,
    /// Where suspicions stand. `None` without any, and where records of before version 4, which did not say, have added
    /// none since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<Triage>,
    /// Rolls without the entry that pity is for, by table and entry: of those that pity was ever for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub misses: Vec<Misses>,
    /// What boosts have left over of the experience.
    #[serde(skip_serializing_if = "Remainders::is_empty")]
    pub remainders: Remainders,
}

/// Makes a list equal to another, most of which are empty.
#[inline]
fn copy<T: Clone>(list: &mut Vec<T>, other: &Vec<T>) {
    if !list.is_empty() || !other.is_empty() {
        list.clone_from(other);
    }
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
    /// Makes it equal to another, in the memory that it has.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        let Self {
            version,
            newest_ts,
            erased_through,
            hidden,
            xp,
            granted_through,
            xp_by_day,
            receipts,
            receipts_from,
            chain_head,
            marks,
            rolls,
            profile,
            suspicions,
            standings,
            paid,
            curve,
            overflow,
            streaks,
            claimable,
            families,
            doubts,
            alerts,
            triage,
            misses,
            remainders,
        } = self;
        (*version, *newest_ts, *erased_through) = (other.version, other.newest_ts, other.erased_through);
        (*hidden, *xp, *granted_through) = (other.hidden, other.xp, other.granted_through);
        (*receipts, *receipts_from, *chain_head) = (other.receipts, other.receipts_from, other.chain_head);
        (*curve, *overflow, *alerts) = (other.curve, other.overflow, other.alerts);
        standings.clone_from(&other.standings);
        copy(xp_by_day, &other.xp_by_day);
        copy(marks, &other.marks);
        copy(rolls, &other.rolls);
        copy(profile, &other.profile);
        copy(suspicions, &other.suspicions);
        copy(streaks, &other.streaks);
        copy(claimable, &other.claimable);
        copy(families, &other.families);
        copy(doubts, &other.doubts);
        copy(misses, &other.misses);
        if !paid.is_empty() || !other.paid.is_empty() {
            paid.clone_from(&other.paid);
        }
        if triage.is_some() || other.triage.is_some() {
            triage.clone_from(&other.triage);
        }
        if !remainders.is_empty() || !other.remainders.is_empty() {
            remainders.clone_from(&other.remainders);
        }
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
        let at = self.streaks.binary_search_by(|(known, _)| known.cmp(name));
        at.map_or_else(|_| Streak::default(), |at| self.streaks[at].1)
    }

    /// Changes that, or adds it.
    pub fn set_streak(&mut self, name: &Id, streak: Streak) {
        match self.streaks.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => self.streaks[at].1 = streak,
            Err(at) => self.streaks.insert(at, (name.clone(), streak)),
        }
    }

    /// Where the player stands with a loot table.
    pub fn rolls(&self, table: &Id) -> Rolls {
        self.rolls
            .binary_search_by(|(known, _)| known.cmp(table))
            .map_or_else(|_| Rolls::default(), |at| self.rolls[at].1)
    }

    /// Replaces or adds it.
    pub fn set_rolls(&mut self, table: &Id, rolls: Rolls) {
        match self.rolls.binary_search_by(|(known, _)| known.cmp(table)) {
            Ok(at) => self.rolls[at].1 = rolls,
            Err(at) => self.rolls.insert(at, (table.clone(), rolls)),
        }
    }

    /// Rolls on a table since an entry last came, as far as pity was for it.
    pub fn misses(&self, table: &Id, entry: &Id) -> u32 {
        self.misses_position(table, entry).map_or_else(|_| self.rolls(table).misses, |at| self.misses[at].count)
    }

    /// Changes that.
    pub fn set_misses(&mut self, table: &Id, entry: &Id, count: u32) {
        match self.misses_position(table, entry) {
            Ok(at) if count == 0 => drop(self.misses.remove(at)),
            Ok(at) => self.misses[at].count = count,
            Err(_) if count == 0 => {}
            Err(at) => self.misses.insert(at, Misses { table: table.clone(), entry: entry.clone(), count }),
        }
    }

    fn misses_position(&self, table: &Id, entry: &Id) -> Result<usize, usize> {
        self.misses.binary_search_by(|known| (&known.table, &known.entry).cmp(&(table, entry)))
    }

    /// Whether there is nothing that came with version 4, such as what detectors learn of amounts without a prior or a population.
    pub(super) fn is_before_version_4(&self) -> bool {
        self.triage.is_none()
            && self.misses.is_empty()
            && self.remainders.is_empty()
            && !self.profile.iter().any(|known| known.state.is_later())
            && !self.families.iter().any(|(_, profile)| profile.is_later())
    }

    /// Whether there is nothing that came with version 3.
    pub(super) fn is_before_version_3(&self) -> bool {
        self.curve.is_none()
            && self.overflow.is_empty()
            && self.streaks.is_empty()
            && self.claimable.is_empty()
            && self.families.is_empty()
            && self.doubts.is_empty()
            && self.alerts == AlertTally::default()
    }

    /// What a family of detectors has learned.
    pub fn family(&self, name: &Id) -> PlayerProfile {
        let at = self.families.binary_search_by(|(known, _)| known.cmp(name));
        at.map_or_else(|_| PlayerProfile::default(), |at| self.families[at].1)
    }

    /// Changes that, or adds it.
    pub fn set_family(&mut self, name: &Id, profile: PlayerProfile) {
        match self.families.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => self.families[at].1 = profile,
            Err(at) => self.families.insert(at, (name.clone(), profile)),
        }
    }

    /// Where a detector's state for an activity is, or belongs.
    pub fn profile_position(&self, detector: &Id, activity: &Id) -> Result<usize, usize> {
        self.profile.binary_search_by(|known| (&known.detector, &known.activity).cmp(&(detector, activity)))
    }

    /// Whether nothing is left but the mark of an erasure that no acceptable command can precede any more.
    pub fn is_idle_mark(&self, horizon: Horizon) -> bool {
        // The mark first: hardly anybody has one, and comparing the rest takes long.
        self.erased_through.is_some_and(|through| through < horizon.forgotten_before) && self.idle_mark().is_some()
    }

    /// Through when the player was erased, if nothing is left but that mark.
    pub fn idle_mark(&self) -> Option<Timestamp> {
        let through = self.erased_through?;
        let mark =
            Self { version: self.version, erased_through: Some(through), newest_ts: self.newest_ts, ..Self::default() };
        (*self == mark).then_some(through)
    }

    /// Whether nobody is there: never was, or was erased and did not come back.
    pub fn is_gone(&self) -> bool {
        self.version == 0 || self.erased_through.is_some_and(|through| self.newest_ts <= through)
    }

    /// Whether decisions can have led here: counters that can count on, lists in the order in which they are searched,
    /// no more receipts than rules can have kept.
    pub(super) fn is_sound(&self) -> bool {
        let days = self.xp_by_day.iter().map(|(_, xp)| *xp);
        let rolls = self.rolls.iter().map(|(_, rolls)| rolls.count);
        let overflow = [self.overflow.units, self.overflow.rest];
        let mut counters = [self.version, self.xp, self.receipts].into_iter().chain(overflow).chain(days).chain(rolls);
        let kept_max = RECEIPTS_PER_PLAYER_MAX.unsigned_abs();
        counters.all(|counter| counter <= INTEGER_MAX.unsigned_abs())
            && self.granted_through <= LEVELS_MAX
            && self.receipts_from <= self.receipts
            && self.receipts - self.receipts_from < kept_max
            && self.xp_by_day.is_sorted_by(|a, b| a.0 < b.0)
            && self.marks.is_sorted_by(|a, b| a < b)
            && self.rolls.is_sorted_by(|a, b| a.0 < b.0)
            && self.streaks.is_sorted_by(|a, b| a.0 < b.0)
            && self.claimable.is_sorted_by(|a, b| a.0 < b.0)
            && self.claimable.len() <= CLAIMABLE_MAX
            && self.claimable.last().is_none_or(|(number, _)| *number <= self.receipts)
            && self.streaks.iter().all(|(_, streak)| (1..=streak.longest).contains(&streak.length))
            && self.families.is_sorted_by(|a, b| a.0 < b.0)
            && self.doubts.len() <= DOUBTS_MAX
            && self.profile.is_sorted_by(|a, b| (&a.detector, &a.activity) < (&b.detector, &b.activity))
            && self.suspicions.is_sorted_by(|a, b| a.0 < b.0)
            && self.suspicions.last().is_none_or(|(number, _)| *number <= self.version)
            && self.suspicions.len() <= SUSPICIONS_PER_PLAYER_MAX
            && self.triage.as_ref().is_none_or(|triage| triage.is_of(&self.suspicions))
            && self.misses.is_sorted_by(|a, b| (&a.table, &a.entry) < (&b.table, &b.entry))
            && self.misses.iter().all(|misses| misses.count > 0)
            && self.remainders.is_sound()
    }

    /// XP granted on one day, as far as it is kept.
    pub fn xp_on(&self, day: i64) -> u64 {
        self.xp_by_day.iter().find(|(known, _)| *known == day).map_or(0, |(_, xp)| *xp)
    }
}

impl Triage {
    /// Whether each number is that of a suspicion, in order and in one list.
    fn is_of(&self, suspicions: &[(u64, Timestamp)]) -> bool {
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

fields!(Rolls { count, misses });
fields!(Profile { detector, activity, state });
fields!(Player {
    version,
    newest_ts,
    erased_through,
    hidden,
    xp,
    granted_through,
    xp_by_day,
    receipts,
    receipts_from,
    chain_head,
    marks,
    rolls,
    profile,
    suspicions,
    standings,
} later { paid, curve, overflow, streaks, claimable, families, doubts, alerts, triage, misses, remainders });
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
        Player {
            version: INTEGER_MAX.unsigned_abs(),
            xp: INTEGER_MAX.unsigned_abs(),
            receipts: 2_000_000,
            receipts_from: 1_000_001,
            xp_by_day: vec![(-1, 5), (1, INTEGER_MAX.unsigned_abs())],
            marks: vec![id("a"), id("b")],
            rolls: vec![(id("a"), Rolls::default()), (id("b"), Rolls::default())],
            overflow: Overflow { units: INTEGER_MAX.unsigned_abs(), rest: 7 },
            streaks: ["a", "b"].map(|name| (id(name), Streak { last_day: 9, length: 2, longest: 2 })).to_vec(),
            curve: Some(OnCurve { mark: CurveMark([7; 8]), brought: true }),
            claimable: vec![(3, Timestamp::MIN), (1_000_005, Timestamp::MAX)],
            profile: vec![profile("a"), profile("b")],
            suspicions: vec![(3, Timestamp::MIN), (4, Timestamp::MIN)],
            triage: Some(Triage { holds: vec![3], settled: vec![4] }),
            standings: [(key(1), Standing::default()), (key(2), Standing::default())].into_iter().collect(),
            misses: [("a", "y"), ("a", "z"), ("b", "x")]
                .map(|(table, entry)| Misses { table: id(table), entry: id(entry), count: 1 })
                .to_vec(),
            remainders: remainders([(0, 1, 2, 1), (1, 1, 4, 3)]),
            ..Player::default()
        }
    }

    fn triage(player: &mut Player) -> &mut Triage {
        player.triage.as_mut().unwrap()
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
    fn a_copy_is_equal_whatever_was_there() {
        let id = |text: &str| Id::new(text).unwrap();
        let at = Timestamp::from_unix_seconds;
        let rich = Player {
            version: 7,
            hidden: true,
            xp: 5,
            receipts: 3,
            chain_head: Digest([9; 32]),
            xp_by_day: vec![(1, 2)],
            marks: vec![id("a"), id("b")],
            rolls: vec![(id("chest"), Rolls { count: 1, misses: 2 })],
            suspicions: vec![(1, at(1))],
            claimable: vec![(3, at(9))],
            triage: Some(Triage { holds: vec![1], settled: Vec::new() }),
            misses: vec![Misses { table: id("chest"), entry: id("crown"), count: 4 }],
            ..Player::default()
        };
        let other = Player { marks: vec![id("c")], erased_through: Some(at(3)), ..Player::default() };
        let all = [Player::default(), rich, other];
        for before in &all {
            for wanted in &all {
                let mut copy = before.clone();
                copy.copy_from(wanted);
                assert_eq!(copy, *wanted);
            }
        }
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
            ("XP of a day beyond the integers", |p| p.xp_by_day[0].1 = BEYOND),
            ("rolls that cannot grow", |p| p.rolls[1].1.count = u64::MAX),
            ("units that cannot grow", |p| p.overflow.units = BEYOND),
            ("a rest beyond the integers", |p| p.overflow.rest = BEYOND),
            ("waiting receipts out of order", |p| p.claimable.reverse()),
            ("a waiting receipt to come", |p| p.claimable[1].0 = p.receipts + 1),
            ("streaks out of order", |p| p.streaks.reverse()),
            ("a streak longer than its longest", |p| p.streaks[0].1.longest = 1),
            ("days out of order", |p| p.xp_by_day.reverse()),
            ("marks out of order", |p| p.marks.reverse()),
            ("a mark twice", |p| p.marks[0] = p.marks[1].clone()),
            ("loot tables out of order", |p| p.rolls.reverse()),
            ("profiles out of order", |p| p.profile.reverse()),
            ("suspicions out of order", |p| p.suspicions.reverse()),
            ("a suspicion of a version to come", |p| p.version = 3),
            ("more suspicions than are kept", |p| p.suspicions = (0..257).map(|n| (n, Timestamp::MIN)).collect()),
            ("open holds out of order", |p| triage(p).holds = vec![4, 3]),
            ("a hold that is no suspicion", |p| triage(p).holds = vec![5]),
            ("a settled suspicion that is none", |p| triage(p).settled = vec![2]),
            ("a hold that is settled", |p| triage(p).holds = vec![4]),
            ("reviews of nothing", |p| p.suspicions.clear()),
            ("misses out of order", |p| p.misses.swap(0, 1)),
            ("misses of an entry twice", |p| p.misses[0] = p.misses[1].clone()),
            ("misses that are none", |p| p.misses[2].count = 0),
            ("a remainder of nothing", |p| p.remainders = remainders([(1, 1, 4, 0)])),
            ("a remainder of one", |p| p.remainders = remainders([(1, 1, 4, 4)])),
            ("a remainder of a whole factor", |p| p.remainders = remainders([(2, 0, 1, 1)])),
            ("a factor that can be reduced", |p| p.remainders = remainders([(1, 2, 4, 1)])),
            ("a part of a factor that is more than one", |p| p.remainders = remainders([(1, 5, 4, 1)])),
            ("a factor that is too fine", |p| p.remainders = remainders([(1, 1, BEYOND, 1)])),
            ("a factor beyond the integers", |p| p.remainders = remainders([(BEYOND, 1, 2, 1)])),
            ("two remainders of one factor", |p| p.remainders = remainders([(1, 1, 2, 1), (1, 1, 2, 1)])),
            ("too many remainders", |p| p.remainders = remainders([2, 3, 5, 7, 9].map(|d| (1, 1, d, 1)))),
        ];
        for (why, spoil) in spoiled {
            let mut player = player();
            spoil(&mut player);
            assert_eq!(read(player), Err(StoreErrorKind::Corrupt), "{why}");
        }
    }
}
