//! Tables of all players, from history, in one pass.

use std::collections::BTreeMap;

use super::curve::{Curve, steps};
use super::histogram::Histogram;
use super::observation::logarithm;
use super::population::{ActivityTable, BossTable, Population, RhythmTable, usual_upper};
use super::rhythm::{Beat, Rhythm};
use super::whole::{LEARN_REACH, LEARN_SPREADS, RECENT, rate};
use super::{count, narrow};
use crate::error::Code;
use crate::hash;
use crate::id::Id;
use crate::limits::{ACTIVITIES_MAX, HISTORY_PLAYERS_MAX};
use crate::time::Timestamp;

/// Most bosses that tables keep apart.
pub(super) const BOSSES_MAX: usize = 255;
/// Values of one player in one activity that count, so that nobody shapes a table alone.
const VALUES_MAX: u32 = 256;
/// Intervals of one player that count.
const INTERVALS_MAX: u16 = 128;
/// Of a player's values one in so many may lie far out: cheaters have more, and are not to teach that it is usual.
const FAR_ONE_IN: u32 = 64;
/// What far out is, in standard deviations.
const FAR: f64 = 2.5;
/// Values of a player before the next says how far values lie from a player's mean.
const MEAN_FROM: u32 = 3;
/// Values a fifth apart are alike, however regular players are: levels that bring a little more are no tail.
const SPREAD_MIN: f64 = 0.2;
/// Before the last of them say how far they have drifted.
const DRIFT_FROM: u32 = 16;
/// Fewer values or players than this make no table of their own.
const VALUES_MIN: u64 = 200;
const PLAYERS_MIN: usize = 20;
/// A tail with fewer values than this is continued from what lies before it.
const TAIL_MIN: f64 = 8.0;

/// Builds a [`Population`] from history in one pass, in any order of players, events of a player in their order.
///
/// What one player can contribute is bounded, and far values more so: a few cheaters in the history move the tables
/// little. It keeps about 200 bytes a player while it runs.
///
/// ```
/// use liveops_core::Timestamp;
/// use liveops_core::anomaly::PopulationBuilder;
///
/// let mut builder = PopulationBuilder::new();
/// for player in 0..100_i64 {
///     for n in 0..50_i64 {
///         let at = Timestamp::from_unix_seconds(1_794_000_000 + n * (40 + player % 9));
///         let xp = 100.0 + ((player * 31 + n * 17) % 50) as f64;
///         builder.gain(&player.to_string(), at, "dungeon", xp, 1.0)?;
///     }
/// }
/// let population = builder.finish();
/// assert_eq!(population.activities().collect::<Vec<_>>(), ["dungeon"]);
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PopulationBuilder {
    /// In the order in which they came.
    activities: Vec<(Id, Spread)>,
    bosses: Vec<Id>,
    crowd: Crowd,
}

/// Everybody, and how regularly they act.
#[derive(Clone, Debug)]
struct Crowd {
    players: BTreeMap<u64, Player>,
    intervals: Histogram,
    /// Intervals and breaks that count.
    within: u64,
    breaks: u64,
    left_out: u64,
}

/// How one player's values of an activity spread about their mean.
#[derive(Clone, Debug)]
struct Spread {
    off: Histogram,
    /// Mean square of those that do not lie far out.
    square: f64,
    n: u64,
}

#[derive(Clone, Debug, Default)]
struct Player {
    tracks: Vec<(u8, Track)>,
    /// Logarithm of the fastest kill of each boss.
    fastest: Vec<(u8, f64)>,
    rhythm: Rhythm,
    intervals: u16,
}

/// One player in one activity.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    n: u32,
    mean: f64,
    far: u32,
    /// How far the last values lie above the mean, and the most that was.
    recent: f64,
    drift: f64,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { players: BTreeMap::new(), intervals: usual_intervals(), within: 0, breaks: 0, left_out: 0 }
    }
}

impl PopulationBuilder {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An amount that an activity brought, boosts included, and what the rules multiplied it by. `invalid_argument`, and
    /// nothing learned, for amounts and boosts that an [`super::Observation`] may not have, and for a name that is no
    /// id. Activities beyond the 64th teach only the rhythm.
    pub fn gain(&mut self, player: &str, at: Timestamp, activity: &str, amount: f64, boost: f64) -> Result<(), Code> {
        let value = logarithm(amount, boost)?;
        let place = place(self.activities.iter().map(|(name, _)| name), activity, ACTIVITIES_MAX)?;
        if let Some(new) = place.new {
            self.activities.push((new, Spread::default()));
        }
        let Some(known) = self.crowd.player(player, at) else { return Ok(()) };
        let Some(at) = place.at else { return Ok(()) };
        let place = known.tracks.iter().position(|(activity, _)| *activity == at).unwrap_or_else(|| {
            known.tracks.push((at, Track::default()));
            known.tracks.len() - 1
        });
        let Some((_, track)) = known.tracks.get_mut(place) else { return Ok(()) };
        if let Some((_, spread)) = self.activities.get_mut(usize::from(at)) {
            spread.learn(track, value);
        }
        Ok(())
    }

    /// The same of a whole amount that nothing was multiplied by: what an event asks for, before the rules' boosts.
    #[expect(clippy::cast_precision_loss, reason = "exact for every amount that an event can have")]
    pub fn gain_whole(&mut self, player: &str, at: Timestamp, activity: &str, amount: u64) -> Result<(), Code> {
        self.gain(player, at, activity, amount as f64, 1.0)
    }

    /// A boss and how many milliseconds it took. `invalid_argument`, and nothing learned, for 0 and for a name that is
    /// no id. Bosses beyond the 255th teach only the rhythm.
    pub fn kill(&mut self, player: &str, at: Timestamp, boss: &str, duration_ms: u32) -> Result<(), Code> {
        if duration_ms == 0 {
            return Err(Code::InvalidArgument);
        }
        let place = place(self.bosses.iter(), boss, BOSSES_MAX)?;
        self.bosses.extend(place.new);
        let (Some(known), Some(at)) = (self.crowd.player(player, at), place.at) else { return Ok(()) };
        let logarithm = libm::log(f64::from(duration_ms));
        match known.fastest.iter_mut().find(|(boss, _)| *boss == at) {
            Some((_, fastest)) => *fastest = fastest.min(logarithm),
            None => known.fastest.push((at, logarithm)),
        }
        Ok(())
    }

    /// Events of players who came when there were four million already, and who were left out.
    pub const fn left_out(&self) -> u64 {
        self.crowd.left_out
    }

    /// The tables. What too little is known of keeps the width of [`Population::default`].
    pub fn finish(&self) -> Population {
        let mut pooled = Spread::default();
        let mut all_means = Vec::new();
        let mut activities = Vec::new();
        for (place, (name, spread)) in self.activities.iter().enumerate() {
            let of_activity = |player: &Player| player.tracks.iter().find(|t| usize::from(t.0) == place).map(|t| t.1);
            let tracks: Vec<Track> =
                self.crowd.players.values().filter_map(of_activity).filter(|track| track.n > 1).collect();
            all_means.extend(tracks.iter().copied());
            pooled.off.merge(&spread.off);
            pooled.square += (spread.square - pooled.square) * count(spread.n) / count((pooled.n + spread.n).max(1));
            pooled.n += spread.n;
            activities.extend(spread.table(tracks).map(|table| (name.clone(), table)));
        }
        activities.sort_by(|a, b| a.0.cmp(&b.0));
        let mut bosses: Vec<_> = self.bosses.iter().enumerate().filter_map(|(at, name)| self.boss(at, name)).collect();
        bosses.sort_by(|a, b| a.0.cmp(&b.0));
        let rhythm = rhythm_table(&self.crowd.intervals, count(self.crowd.within), count(self.crowd.breaks));
        let other = pooled.table(all_means).unwrap_or_default();
        Population {
            activities,
            other,
            bosses,
            rhythm: if self.crowd.within < VALUES_MIN { RhythmTable::default() } else { rhythm },
        }
    }

    fn boss(&self, at: usize, name: &Id) -> Option<(Id, BossTable)> {
        let of_boss = |player: &Player| player.fastest.iter().find(|f| usize::from(f.0) == at).map(|f| f.1);
        let mut fastest: Vec<f64> = self.crowd.players.values().filter_map(of_boss).collect();
        if fastest.len() < PLAYERS_MIN {
            return None;
        }
        fastest.sort_by(f64::total_cmp);
        // Between one player in fifty and one in ten; cheaters are fewer, and beyond it is as steep.
        let (edge, tenth) = (quantile(&fastest, 0.02), quantile(&fastest, 0.1));
        let scale = ((tenth - edge) / libm::log(5.0)).max(0.01);
        Some((name.clone(), BossTable { edge: narrow(edge), slope: narrow(1.0 / scale) }))
    }
}

impl Crowd {
    /// The player, with this event's time learned.
    fn player(&mut self, name: &str, at: Timestamp) -> Option<&mut Player> {
        let key = hash::short(name.as_bytes());
        if self.players.len() >= HISTORY_PLAYERS_MAX && !self.players.contains_key(&key) {
            self.left_out += 1;
            return None;
        }
        let player = self.players.entry(key).or_default();
        let beat = player.rhythm.beat(at.as_unix_millis());
        if player.intervals < INTERVALS_MAX {
            match beat {
                Beat::None => {}
                Beat::Break => self.breaks += 1,
                Beat::Off(off) | Beat::Within(_, _, off) => {
                    self.intervals.add(off);
                    self.within += 1;
                    player.intervals += 1;
                }
            }
        }
        Some(player)
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self { off: Histogram::new(-8.0, 1.0 / 32.0, 768), square: 1.0, n: 0 }
    }
}

impl Spread {
    /// How far a value is from the mean of those before, if there are enough, and then learns it.
    fn learn(&mut self, track: &mut Track, value: f64) {
        let n = f64::from(track.n);
        let sd = self.square.sqrt().max(SPREAD_MIN);
        let off = value - track.mean;
        if (MEAN_FROM..VALUES_MAX).contains(&track.n) {
            // A mean of few values is off itself; and players who have risen are judged by where they are.
            let off = (off - track.recent) / (1.0 + 1.0 / n).sqrt();
            let far = off > FAR * sd;
            if !far || track.far <= track.n / FAR_ONE_IN {
                self.off.add(off);
                self.n += 1;
                let clamped = off.max(-FAR * sd).min(FAR * sd);
                self.square += (clamped * clamped - self.square) / count(self.n).min(10_000.0);
            }
            track.far += u32::from(far);
        }
        let reach = if track.n == 0 { f64::INFINITY } else { (LEARN_SPREADS * sd).max(LEARN_REACH) };
        let step = off.max(-reach).min(reach);
        track.mean += step * rate(n);
        // The first value is the mean.
        if track.n > 0 {
            track.recent += (off - track.recent).max(-reach).min(reach) * RECENT;
        }
        if track.n >= DRIFT_FROM {
            track.drift = track.drift.max(track.recent);
        }
        track.n = track.n.saturating_add(1);
    }

    fn table(&self, mut tracks: Vec<Track>) -> Option<ActivityTable> {
        if self.off.total() < VALUES_MIN || tracks.len() < PLAYERS_MIN {
            return None;
        }
        tracks.sort_by(|a, b| a.mean.total_cmp(&b.mean));
        let means: Vec<f64> = tracks.iter().map(|track| track.mean).collect();
        let each = tracks.iter().map(|track| 1.0 / f64::from(track.n)).sum::<f64>() / steps(tracks.len());
        let mean = quantile(&means, 0.5);
        let spread = self.off.spread().max(0.5 * self.square.sqrt()).max(SPREAD_MIN);
        let half = (quantile(&means, 0.841) - quantile(&means, 0.159)) / 2.0;
        let between = (half * half - spread * spread * each).max(0.01).sqrt();
        let mut drifts: Vec<f64> = tracks.iter().filter(|t| t.n > 2 * DRIFT_FROM).map(|track| track.drift).collect();
        drifts.sort_by(f64::total_cmp);
        let noise = 2.5 * spread * (RECENT / (2.0 - RECENT)).sqrt();
        let most = quantile(&drifts, 0.98);
        let drift = (most * most - noise * noise).max(0.04).sqrt() / 2.0;
        let upper = upper(&self.off, spread);
        let [mean, spread, between, drift] = [mean, spread, between, drift].map(narrow);
        Some(ActivityTable { mean, spread, between, drift, upper })
    }
}

/// `-ln P(off >= x)` in spreads from -1 to 15, continued from where there is enough to see.
fn upper(off: &Histogram, spread: f64) -> Curve {
    const STEP: f64 = 0.25;
    let total = count(off.total()) + 1.0;
    let place = |step: usize| -1.0 + STEP * steps(step);
    let above = |step: usize| off.above(place(step) * spread) + 0.5;
    let surprise = |step: usize| libm::log(total / above(step));
    let last = (0..=64).take_while(|step| above(*step) >= TAIL_MIN).last().unwrap_or(0);
    // The slope of the last stretch in which the tail became twenty times as thin.
    let from = (0..last).rev().find(|step| surprise(*step) < surprise(last) - 3.0).unwrap_or(0);
    if last == 0 {
        return usual_upper();
    }
    let slope = (surprise(last) - surprise(from)) / (place(last) - place(from));
    Curve::new(-1.0, STEP, slope.clamp(0.7, 8.0), (0..=last).map(surprise))
}

/// How much likelier each distance from the usual interval is from a program than from people.
pub(super) fn rhythm_table(intervals: &Histogram, within: f64, breaks: f64) -> RhythmTable {
    const RATIO_MAX: f64 = 3.0;
    // A program: nearly always close to its interval, exactly or with some jitter; now and then something comes between.
    let spread = intervals.spread().max(0.1);
    let sds = [0.08, 0.2, 0.4].map(|part| (part * spread).max(0.02));
    let below = |x: f64| {
        let parts = sds.map(|sd| 0.5 * (1.0 + libm::erf(x / (sd * std::f64::consts::SQRT_2))));
        (parts[0] + parts[1] + parts[2]) * 0.97 / 3.0 + 0.03 * (x + 4.0) / 8.0
    };
    let counts = intervals.counts();
    let total = count(intervals.total()) + steps(counts.len());
    let breaking = ((breaks + 1.0) / (within + breaks + 2.0)).clamp(0.002, 0.9);
    let going_on = libm::log(0.995 / (1.0 - breaking)).clamp(0.0, 1.0);
    let pause = libm::log(0.005 / breaking).clamp(-RATIO_MAX, 0.0);
    let knots = counts.iter().enumerate().map(|(bin, _)| {
        // Smoothed over three bins, so that few intervals make no cliffs.
        let near = bin.saturating_sub(1)..(bin + 2).min(counts.len());
        let width = steps(near.len());
        let people = counts.get(near).into_iter().flatten().map(|n| count(*n) + 1.0).sum::<f64>() / width / total;
        let left = -4.0 + steps(bin) * INTERVAL_BIN;
        let program = below(left + INTERVAL_BIN) - below(left);
        (libm::log(program / people) + going_on).clamp(-RATIO_MAX, RATIO_MAX)
    });
    RhythmTable { ratio: Curve::new(-4.0 + INTERVAL_BIN / 2.0, INTERVAL_BIN, 0.0, knots), pause: narrow(pause) }
}

const INTERVAL_BIN: f64 = 1.0 / 16.0;

fn usual_intervals() -> Histogram {
    Histogram::new(-4.0, INTERVAL_BIN, 128)
}

/// Intervals that are spread normally about the usual one, two thirds of them within a factor of two.
pub(super) fn usual_rhythm() -> Histogram {
    let mut intervals = usual_intervals();
    for bin in 0..128 {
        let x = -4.0 + (steps(bin) + 0.5) * INTERVAL_BIN;
        let density = libm::exp(-0.5 * (x / 0.7) * (x / 0.7));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 4000")]
        let times = (4_000.0 * density) as u32;
        (0..times).for_each(|_| intervals.add(x));
    }
    intervals
}

/// Where a name stands, and the name if it is new.
struct Place {
    at: Option<u8>,
    new: Option<Id>,
}

/// `invalid_argument` if it is no id.
fn place<'a>(names: impl ExactSizeIterator<Item = &'a Id>, name: &str, most: usize) -> Result<Place, Code> {
    let len = names.len();
    let mut names = names;
    let known = names.position(|known| known.as_str() == name);
    let new =
        if known.is_none() && len < most { Some(Id::new(name).map_err(|_| Code::InvalidArgument)?) } else { None };
    let at = known.or_else(|| new.as_ref().map(|_| len)).and_then(|at| u8::try_from(at).ok());
    Ok(Place { at, new })
}

/// Of sorted values, straight between two.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * steps(sorted.len().saturating_sub(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the values")]
    let left = place as usize;
    let at = |place: usize| sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default();
    at(left) + (at(left + 1) - at(left)) * (place - steps(left))
}
