//! What one command did, and what is kept of it for its retries.

use serde::Serialize;

use super::{BoardKey, Receipt};
use crate::anomaly::Verdict;
use crate::codec::{Short, Stable, fields};
use crate::id::Id;
use crate::progress::Grant;
use crate::time::Timestamp;

/// What a command did. Most only move experience: that lies in the value, and all else behind one pointer, which they do not
/// have. 72 bytes.
///
/// ```
/// use liveops_core::Effect;
///
/// let mut effect = Effect { level: 2, ..Effect::default() };
/// assert!(effect.receipts().is_empty());
/// effect.more_mut().held = Some(7);
/// assert_eq!(effect.held(), Some(7));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// Experience asked for, and what became of it.
    pub xp: Grant,
    /// Experience that support added or took away.
    pub adjusted: i64,
    /// The level after it.
    pub level: u32,
    /// What is rare; read it by the functions of the same names, write it by [`Self::more_mut`].
    pub more: Option<Box<More>>,
}

/// What only some commands do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct More {
    /// Withheld, under this number of [`Key::Suspicion`](super::Key::Suspicion).
    pub held: Option<u64>,
    /// Applied, but suspicious under this number. Beside as many open holds as are kept there is no room for flags: only
    /// `verdicts` tell of it.
    pub flagged: Option<u64>,
    /// Rewards that are given, whole, so that a retry can be answered after old receipts are trimmed. Among them is what was
    /// claimed, and what more rewards that wait than are kept let be given unasked, each as [`crate::reward::ReceiptState::Claimed`].
    pub receipts: Vec<Receipt>,
    /// Periods it came too late for.
    pub late: Vec<BoardKey>,
    /// What detectors minded.
    pub verdicts: Vec<Judgement>,
    /// Rewards that wait to be claimed: nothing is given yet.
    pub claimable: Vec<Receipt>,
    /// What a change of the level curve made of the XP total, where this command was the first to meet it and it changed
    /// anything.
    pub migrated: Option<Migrated>,
}

/// A player brought from one level curve to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Migrated {
    /// Experience before.
    pub from_xp: u64,
    /// Experience after.
    pub to_xp: u64,
    /// The level before, under the old curve.
    pub from_level: u32,
    /// The level after, under the new one.
    pub to_level: u32,
}

/// What one detector said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Which one.
    pub detector: Id,
    /// What.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The first outcome of a command, for its retries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOutcome {
    /// Of the command's content.
    #[serde(skip)]
    pub fingerprint: u128,
    /// Says when this may be dropped: the command's own time, or of a payment, whose period may have closed long ago, the
    /// horizon under which it was made.
    pub ts: Timestamp,
    /// What was done.
    pub effect: Effect,
}

/// No outcome that only moves experience takes more bytes, with room for the unused bytes of the last number.
pub(super) const PLAIN_BYTES_MAX: usize = 128;

/// Of an effect without more.
static NO_MORE: More = More {
    held: None,
    flagged: None,
    receipts: Vec::new(),
    late: Vec::new(),
    verdicts: Vec::new(),
    claimable: Vec::new(),
    migrated: None,
};

impl Effect {
    /// Withheld, under this number of [`Key::Suspicion`](super::Key::Suspicion).
    pub fn held(&self) -> Option<u64> {
        self.more().held
    }

    /// Applied, but suspicious under this number: [`More::flagged`].
    pub fn flagged(&self) -> Option<u64> {
        self.more().flagged
    }

    /// Rewards that are given: [`More::receipts`].
    pub fn receipts(&self) -> &[Receipt] {
        &self.more().receipts
    }

    /// Periods it came too late for.
    pub fn late(&self) -> &[BoardKey] {
        &self.more().late
    }

    /// What detectors minded.
    pub fn verdicts(&self) -> &[Judgement] {
        &self.more().verdicts
    }

    /// Rewards that wait to be claimed.
    pub fn claimable(&self) -> &[Receipt] {
        &self.more().claimable
    }

    /// What a change of the level curve made of the XP total: [`More::migrated`].
    pub fn migrated(&self) -> Option<Migrated> {
        self.more().migrated
    }

    /// What is rare, all of it empty if there is none.
    #[inline]
    pub fn more(&self) -> &More {
        self.more.as_deref().unwrap_or(&NO_MORE)
    }

    /// The same, to write to: for whoever has something to write, since this makes room for it.
    pub fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The same, taken out.
    pub fn into_more(self) -> More {
        self.more.map(|more| *more).unwrap_or_default()
    }
}

/// Room for what is rare with nothing in it says no more than none.
impl PartialEq for Effect {
    fn eq(&self, other: &Self) -> bool {
        let Self { xp, adjusted, level, more } = self;
        let same = *xp == other.xp && *adjusted == other.adjusted && *level == other.level;
        let plain = more.is_none() && other.more.is_none();
        same && (plain || self.more() == other.more())
    }
}

impl Eq for Effect {}

impl Serialize for Effect {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Whole<'a> {
            held: Option<u64>,
            flagged: Option<u64>,
            xp: Grant,
            adjusted: i64,
            level: u32,
            receipts: &'a [Receipt],
            late: &'a [BoardKey],
            verdicts: &'a [Judgement],
            #[serde(skip_serializing_if = "<[Receipt]>::is_empty")]
            claimable: &'a [Receipt],
            #[serde(skip_serializing_if = "Option::is_none")]
            migrated: Option<Migrated>,
        }
        let Self { xp, adjusted, level, .. } = *self;
        let More { held, flagged, receipts, late, verdicts, claimable, migrated } = self.more();
        let (held, flagged, migrated) = (*held, *flagged, *migrated);
        Whole { held, flagged, xp, adjusted, level, receipts, late, verdicts, claimable, migrated }.serialize(to)
    }
}

impl Judgement {
    /// Whether records of the first versions cannot say it.
    pub(super) const fn is_later(&self) -> bool {
        self.verdict.reason.is_later()
    }
}

/// As of the first version: what came later, `StoredOutcome::put_version` writes behind it.
impl Stable for Effect {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { xp, adjusted, level, more } = self;
        let more = more.as_deref();
        let (held, flagged) = more.map_or((None, None), |more| (more.held, more.flagged));
        held.put(out);
        flagged.put(out);
        xp.put(out);
        adjusted.put(out);
        level.put(out);
        match more {
            Some(More { receipts, late, verdicts, .. }) => {
                receipts.put(out);
                late.put(out);
                verdicts.put(out);
            }
            // Three lists of nothing.
            None => out.extend_from_slice(&[0; 3]),
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (held, flagged) = (Stable::take(from)?, Stable::take(from)?);
        let (xp, adjusted, level) = (Stable::take(from)?, Stable::take(from)?, Stable::take(from)?);
        let (receipts, late, verdicts) = (Stable::take(from)?, Stable::take(from)?, Stable::take(from)?);
        let more = More { held, flagged, receipts, late, verdicts, ..More::default() };
        Some(Self { xp, adjusted, level, more: (more != NO_MORE).then(|| Box::new(more)) })
    }
}

impl StoredOutcome {
    /// The first version of its form that can say it: 2 has payments, 3 what can be claimed, revoked and
    /// migrated, and reasons that came with more detectors, 4 what was taken away.
    pub(crate) fn version(&self) -> u8 {
        if self.effect.xp.taken > 0 {
            return 4;
        }
        let Some(More { receipts, claimable, migrated, verdicts, .. }) = self.effect.more.as_deref() else { return 1 };
        let plain = claimable.is_empty() && migrated.is_none() && !verdicts.iter().any(Judgement::is_later);
        let receipts = receipts.iter().map(super::encode::receipt_version).max().unwrap_or(1);
        if plain { receipts } else { 3 }
    }

    /// Its bytes in that form, without the version.
    pub(crate) fn put_version(&self, version: u8, out: &mut Vec<u8>) {
        self.put(out);
        if version > 2 {
            let More { receipts, claimable, migrated, .. } = self.effect.more();
            for receipt in receipts {
                receipt.put_later(out);
            }
            (claimable.len() as u64).put(out);
            for receipt in claimable {
                receipt.put(out);
                receipt.put_later(out);
            }
            migrated.put(out);
        }
        if version > 3 {
            self.effect.xp.taken.put(out);
        }
    }

    /// The version and the bytes behind it, if it only moves experience.
    #[inline]
    pub(crate) fn plain(&self) -> Option<Short<PLAIN_BYTES_MAX>> {
        let Self { fingerprint, ts, effect: Effect { xp, adjusted, level, more } } = self;
        if more.is_some() || xp.taken > 0 {
            return None;
        }
        let Grant { requested, boost, over_daily_cap, over_max_level, granted, taken: _ } = *xp;
        let mut out = Short::new();
        out.bytes([1]);
        out.bytes(fingerprint.to_be_bytes());
        out.time(*ts);
        // Neither held nor flagged.
        out.bytes([0; 2]);
        out.unsigned(requested);
        out.signed(boost);
        out.unsigned(over_daily_cap);
        out.unsigned(over_max_level);
        out.unsigned(granted);
        out.signed(*adjusted);
        out.unsigned((*level).into());
        // Three lists of nothing.
        out.bytes([0; 3]);
        Some(out)
    }

    /// Takes them.
    pub(crate) fn take_version(version: u8, from: &mut &[u8]) -> Option<Self> {
        let mut outcome = Self::take(from)?;
        let effect = &mut outcome.effect;
        if version > 2 {
            if let Some(more) = &mut effect.more {
                more.receipts.iter_mut().try_for_each(|receipt| receipt.take_later(from))?;
            }
            for _ in 0..u64::take(from)? {
                let mut receipt = Receipt::take(from)?;
                receipt.take_later(from)?;
                effect.more_mut().claimable.push(receipt);
            }
            if let Some(migrated) = Stable::take(from)? {
                effect.more_mut().migrated = Some(migrated);
            }
        }
        if version > 3 {
            effect.xp.taken = Stable::take(from)?;
        }
        let sound = effect.receipts().iter().chain(effect.claimable()).all(Receipt::is_sound);
        sound.then_some(outcome)
    }
}

fields!(Migrated { from_xp, to_xp, from_level, to_level });
fields!(Judgement { detector, verdict });
fields!(StoredOutcome { fingerprint, ts, effect });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_effect_takes_72_bytes_and_its_outcome_96() {
        assert_eq!((size_of::<Effect>(), size_of::<StoredOutcome>()), (72, 96));
    }

    #[test]
    fn plain_bytes_are_those_of_the_long_way() {
        for at in 0..64 {
            let (some, signed) = (u64::MAX >> at, i64::MIN >> at);
            let xp = Grant {
                requested: some,
                boost: signed,
                over_daily_cap: some >> 1,
                over_max_level: some >> 2,
                granted: some >> 3,
                taken: 0,
            };
            let effect = Effect { xp, adjusted: signed >> 1, level: u32::MAX >> (at / 2), more: None };
            let ts = Timestamp::from_unix_millis(signed);
            let mut outcome = StoredOutcome { fingerprint: (u128::MAX / 3) >> at, ts, effect };
            let plain = outcome.plain().unwrap();
            let mut wanted = vec![outcome.version()];
            outcome.put_version(outcome.version(), &mut wanted);
            assert_eq!(plain.get().unwrap(), wanted);
            outcome.effect.xp.taken = 1;
            assert!(outcome.plain().is_none());
        }
    }

    #[test]
    fn room_for_what_is_rare_says_nothing() {
        let plain = Effect { level: 3, ..Effect::default() };
        let mut roomy = plain.clone();
        roomy.more_mut();
        assert_eq!((&plain, plain.to_bytes()), (&roomy, roomy.to_bytes()));
        assert_eq!(serde_json::to_string(&plain).unwrap(), serde_json::to_string(&roomy).unwrap());
        roomy.more_mut().held = Some(1);
        assert_ne!(plain, roomy);
        assert_eq!(Effect::take(&mut &roomy.to_bytes()[..]), Some(roomy));
    }
}
