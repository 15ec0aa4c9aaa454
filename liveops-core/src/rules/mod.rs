//! The game's rules, and the decision they make: pure, with no clock, no randomness, no storage and no locks.
//!
//! [`Rules::from_json`] reads the document, [`Rules::keys`] says what a command needs to know, [`Rules::decide`] decides
//! one player's run of commands.

mod by_type;
mod calendar;
mod compare;
mod decide;
mod detectors;
mod document;
mod draft;
mod due;
mod explain;
mod grant;
mod header;
mod history;
mod identity;
mod known;
mod migrate;
mod names;
mod operate;
mod payout;
mod progress;
mod reader;
mod reward;
mod select;
mod warnings;
mod watch;

pub use compare::{CurveChange, RulesDiff};
pub(crate) use decide::Drafted;
pub use decide::{Decided, Decision, Found};
pub(crate) use draft::Draft;
pub use draft::{Scratch, Stored};
pub use due::DroppedPeriods;
pub use explain::{Explanation, ExplanationLine, Topic};
pub use history::{Calibration, HistoryCount};
pub use migrate::{ItemTotal, MigrationForecast, MigrationPlanner, RewardForecast};
pub use payout::{OpenHold, Payout, PayoutRule};
pub use reader::RulesError;
pub use select::{Amount, Selector};
pub use warnings::{RulesWarning, WarningCode};

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::anomaly::{Action, DetectorKind, Population};
use crate::board::{Operator, Ranking, Sort};
use crate::error::Error;
use crate::event::{Parser, Schemas, TimeLimits};
use crate::hash::{self, Digest};
use crate::id::{BoardId, Id, PlayerId};
use crate::progress::{LevelCurve, LevelProgress, Levels, MigrationPolicy, Overflow, Progression, Streak};
use crate::quota::Quota;
use crate::record::{BoardKey, Command, CurveMark, Key, Player};
use crate::reward::{Item, Loot, Trigger};
use crate::time::Timestamp;
use crate::window::{Calendar, Closings, Period, Window};

/// Which decisions this release makes: two releases with one number decide every command alike, to the last bit, so that what
/// one recorded the other can replay. Raised by a release that decides anything otherwise.
///
/// | number | what changed |
/// |---|---|
/// | 1 | the first |
/// | 2 | XP can be taken away; boosts carry their fractions; misses of pity by entry; open holds are never let go; detectors of amounts know no unit, rhythms are judged at the resolution of their clock; an event of a type that the rules do not know is refused; alerts of a day, the age of suspicions and the time to claim go by a command's own time |
/// | 3 | entries of boards and windows that the rules do not know stay; those of retired boards go, and those that sort otherwise than the board does |
pub const DECISIONS: u16 = 3;

/// The game's rules: read once from one JSON document, then shared freely. The reference of the document is `docs/rules.md`.
///
/// ```
/// use liveops_core::Rules;
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": {
///     "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "weekly": 8 } } } }"#)?;
/// assert_eq!(rules.game(), "emberfall");
///
/// let error = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "progress": {
///     "curve": { "kind": "exponential", "base": 250, "growth": 1.2, "maxLevel": 60 } } }"#).unwrap_err();
/// assert_eq!(error.path, "/progress/curve/growth");
/// assert!(error.to_string().contains(r#"write "1.2""#));
/// # Ok::<(), liveops_core::rules::RulesError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rules {
    game: String,
    door: Door,
    calendar: Calendar,
    progression: Progression,
    xp: Vec<(Selector, Amount)>,
    streaks: Vec<StreakRule>,
    overflow: Option<OverflowRule>,
    /// From the oldest curve to the one in force.
    migrations: Vec<MigrationRule>,
    /// Of the curve in force; `None` where the document has no levels.
    mark: Option<CurveMark>,
    activities: Vec<Id>,
    /// What all other activities share.
    other_activity: Id,
    rewards: Vec<RewardRule>,
    loot: BTreeMap<Id, Loot>,
    /// Secret; without one, rolls follow from the game's name.
    loot_seed: Option<[u8; 32]>,
    boards: Vec<BoardRule>,
    /// By the names of types.
    by_type: Vec<by_type::OfType>,
    /// By id.
    retired: Vec<BoardId>,
    detectors: Vec<DetectorRule>,
    families: Vec<watch::FamilyRule>,
    agreement: watch::Agreement,
    /// What families are anchored on, if it was given.
    population: Option<Population>,
    receipts_max: u64,
    suspicions_millis_max: i64,
    hash: Digest,
    fingerprint_key: hash::Key,
    /// Every leaf of the document by its path, for [`RulesDiff`].
    leaves: BTreeMap<String, String>,
}

/// What the door needs to know: which events there are, how old they may be, and how many.
#[derive(Clone, Debug)]
pub struct Door {
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) limits: TimeLimits,
    pub(crate) quotas: Vec<DoorQuota>,
}

/// One quota of the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorQuota {
    /// What is counted apart.
    pub per: Per,
    /// How many. Its name is its `id` in the rules, else its period.
    pub quota: Quota,
}

/// What a quota counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Per {
    /// The address that the caller gives; asked before the signature is checked.
    Ip,
    /// The player; asked once it is known that the message is genuine.
    Player,
}

impl Door {
    /// A parser of event bodies.
    pub fn parser(&self) -> Parser {
        Parser::new(Arc::clone(&self.schemas), self.limits)
    }

    /// How old and how new a command may be.
    pub const fn limits(&self) -> TimeLimits {
        self.limits
    }

    /// The quotas.
    pub fn quotas(&self) -> &[DoorQuota] {
        &self.quotas
    }
}

/// What counts on a board.
#[derive(Clone, Debug)]
pub struct BoardRule {
    /// Which board.
    pub board: BoardId,
    /// Which events.
    pub select: Selector,
    /// What is counted.
    pub value: Amount,
    /// What decides between equal values.
    pub subvalue: Option<Amount>,
    /// How.
    pub operator: Operator,
    /// How entries sort.
    pub sort: Sort,
    /// How ranks are counted.
    pub ranking: Ranking,
    /// Windows, each with the number of closed periods that stay readable.
    pub windows: Vec<(Window, u32)>,
    /// What finished periods pay, by window.
    pub payouts: Vec<PayoutRule>,
}

impl BoardRule {
    /// How many closed periods of a window stay readable; `None` if the board has no such window.
    pub fn keep(&self, window: Window) -> Option<u32> {
        self.windows.iter().find(|(known, _)| *known == window).map(|(_, keep)| *keep)
    }

    /// What a finished period of a window pays; `None` if nothing.
    pub fn payout(&self, window: Window) -> Option<&PayoutRule> {
        self.payouts.iter().find(|rule| rule.window == window)
    }
}

/// When something is given, and what.
#[derive(Clone, Debug)]
struct RewardRule {
    name: Id,
    trigger: Trigger,
    /// What the event must say beside.
    select: Selector,
    prize: Prize,
    /// How long it can be claimed, counted from the time of what set it off; given at once without.
    claim_within_millis: Option<i64>,
}

#[derive(Clone, Debug)]
enum Prize {
    Items(Vec<Item>),
    Loot(Id),
}

/// Days in a row on which the player did something.
#[derive(Clone, Debug)]
struct StreakRule {
    name: Id,
    select: Selector,
    missed_days_max: u32,
}

/// What experience beyond the highest level is turned into.
#[derive(Clone, Debug)]
struct OverflowRule {
    reward: Id,
    every: NonZeroU64,
    items: Vec<Item>,
}

/// How players leave an earlier curve for the next.
#[derive(Clone, Debug)]
struct MigrationRule {
    from: Levels,
    mark: CurveMark,
    policy: MigrationPolicy,
}

/// What is watched, and what happens when it looks wrong.
#[derive(Clone, Debug)]
struct DetectorRule {
    name: Id,
    select: Selector,
    value: Amount,
    kind: DetectorKind,
    action: Action,
}

impl Rules {
    /// The JSON Schema (draft 2020-12) of a rules document, for editors and for programs that write rules: name a file that holds it
    /// in the document's `$schema`, which is no part of the rules. Whatever [`Self::from_json`] takes it takes too. It finds
    /// what can be said of each part alone; what parts must be to each other, such as that a name refers to something, only
    /// reading finds.
    ///
    /// ```
    /// use liveops_core::Rules;
    ///
    /// let schema: serde_json::Value = serde_json::from_str(Rules::SCHEMA)?;
    /// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    /// assert_eq!(schema["$defs"]["Document"]["required"], serde_json::json!(["version", "game"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub const SCHEMA: &'static str = include_str!("../../schema/rules.v1.json");

    /// Reads a rules document; the error names the path of what is wrong in it.
    pub fn from_json(text: &str) -> Result<Self, RulesError> {
        document::read(text.as_bytes())
    }

    /// The same from bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, RulesError> {
        document::read(bytes)
    }

    /// The curve of a document that is what `progress.curve` of one would be, before it is compiled: it may be a piece of another.
    pub fn level_curve(bytes: &[u8]) -> Result<LevelCurve, RulesError> {
        document::level_curve(bytes)
    }

    /// The same rules with a secret seed for loot, which stays when an engine's rules are replaced by others without one: 32 random bytes, kept by the game and published when it wants its
    /// rolls verified. Without one, rolls follow from the game's name, and anyone can predict them.
    #[must_use]
    pub fn with_loot_seed(self, loot_seed: [u8; 32]) -> Self {
        Self { loot_seed: Some(loot_seed), ..self }
    }

    /// What to publish before the first roll: see [`seed_commitment`](crate::reward::seed_commitment). `None` without a seed
    /// of its own: a commitment to what everybody knows would promise luck where there is none.
    pub fn loot_commitment(&self) -> Option<Digest> {
        self.loot_seed.as_ref().map(crate::reward::seed_commitment)
    }

    /// The same rules with the seed of earlier ones, unless they have one of their own.
    pub(crate) fn with_loot_seed_of(self, old: &Self) -> Self {
        Self { loot_seed: self.loot_seed.or(old.loot_seed), ..self }
    }

    fn rolls_by(&self) -> [u8; 32] {
        self.loot_seed.unwrap_or_else(|| Digest::of(&[b"liveops loot seed v1\0", self.game.as_bytes()]).0)
    }

    /// The game's name: part of every receipt's id.
    pub fn game(&self) -> &str {
        &self.game
    }

    /// Hash over the document without the door: what a receipt says it was granted under.
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// What the door needs to know.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// When periods begin, close and are dropped.
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The level curve, and what is done at its end.
    pub const fn progression(&self) -> &Progression {
        &self.progression
    }

    /// The boards, by id.
    pub fn boards(&self) -> &[BoardRule] {
        &self.boards
    }

    /// One board.
    pub fn board(&self, board: &BoardId) -> Option<&BoardRule> {
        let at = self.boards.binary_search_by(|rule| rule.board.cmp(board)).ok()?;
        self.boards.get(at)
    }

    /// The loot tables, by name.
    pub const fn loot(&self) -> &BTreeMap<Id, Loot> {
        &self.loot
    }

    /// Where an XP total stands on the level curve.
    pub fn level_progress(&self, xp: u64) -> LevelProgress {
        self.progression.levels.progress(xp)
    }

    /// Everything that deciding `command` reads beside the horizon and the player.
    pub fn keys(command: &Command, mut read: impl FnMut(Key)) {
        use crate::record::Action;
        read(Key::Outcome(command.player.clone(), command.id.clone()));
        match &command.action {
            Action::Review { suspicion, .. } => read(Key::Suspicion(command.player.clone(), *suspicion)),
            Action::Claim(receipt) | Action::Revoke { receipt, .. } => {
                read(Key::Receipt(command.player.clone(), receipt.number));
            }
            _ => {}
        }
    }

    /// Windows that some board has, in order.
    pub fn windows(&self) -> Vec<Window> {
        let mut windows: Vec<_> = self.boards.iter().flat_map(|rule| rule.windows.iter().map(|(w, _)| *w)).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// Periods that close in `after < t <= through`, once and in order: what a caller acts on after an advance, from
    /// the mark up to which it has acted. Lazy: the cost is that of the closings taken.
    pub fn closed_between(&self, after: Timestamp, through: Timestamp) -> Closings {
        self.calendar.closed_between(&self.windows(), after, through)
    }

    /// Whether a board's period is kept: it can still be read, or these rules do not know the board or its window. Others may
    /// know it, such as those of a process that was deployed a moment ago; a board goes when rules list it as retired.
    pub fn keeps(&self, key: &BoardKey, now: Timestamp) -> bool {
        let BoardKey { board, period } = key;
        match self.board(board) {
            Some(rule) => rule.keep(period.window).is_none_or(|keep| !self.calendar.is_dropped(*period, keep, now)),
            None => self.retired.binary_search(board).is_err(),
        }
    }

    /// Until when a player's entry is kept; [`Timestamp::MAX`] is for ever. Not at all if a retired board made it, of whose name
    /// there is another now.
    fn entry_kept_until(&self, board: &BoardId, period: Period, sort: Sort) -> Timestamp {
        match self.board(board) {
            Some(rule) if rule.sort != sort => Timestamp::MIN,
            Some(rule) => {
                rule.keep(period.window).map_or(Timestamp::MAX, |keep| self.calendar.dropped_at(period, keep))
            }
            None if self.retired.binary_search(board).is_ok() => Timestamp::MIN,
            None => Timestamp::MAX,
        }
    }

    /// Boards that are no more, by id.
    pub fn retired_boards(&self) -> &[BoardId] {
        &self.retired
    }

    /// A player's record as callers read it: on the curve in force, as the player's next command finds it.
    pub fn view(&self, id: &PlayerId, player: &Player) -> PlayerView {
        let xp = self.xp_of(player);
        let LevelProgress { level, into_level, to_next } = self.level_progress(xp);
        PlayerView {
            player_id: id.clone(),
            xp,
            level,
            into_level,
            to_next,
            hidden: player.hidden,
            receipts: player.receipts,
            version: player.version,
            overflow: player.rare().overflow,
            streaks: player.rare().streaks.iter().cloned().collect(),
        }
    }
}

/// What callers read of a player.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayerView {
    /// Who.
    pub player_id: PlayerId,
    /// Experience, ever.
    pub xp: u64,
    /// The level.
    pub level: u32,
    /// XP since the level began.
    pub into_level: u64,
    /// XP until the next; none at the last level.
    pub to_next: Option<u64>,
    /// On no board.
    pub hidden: bool,
    /// Receipts ever.
    pub receipts: u64,
    /// Commands applied.
    pub version: u64,
    /// XP gathered beyond the highest level.
    #[serde(skip_serializing_if = "Overflow::is_empty")]
    pub overflow: Overflow,
    /// Days in a row, by streak.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub streaks: BTreeMap<Id, Streak>,
}

/// Seconds as the documents give them.
fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

/// The door takes no part in decisions; it is here because one document describes both.
impl AsRef<Door> for Rules {
    fn as_ref(&self) -> &Door {
        &self.door
    }
}

/// What reading a rules document needs from everywhere, under one name.
type Result<T, E = Error> = std::result::Result<T, E>;
