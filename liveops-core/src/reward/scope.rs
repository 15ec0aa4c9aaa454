//! What rewards are given for, and the ids that follow from it.

use crate::codec::Stable;
use crate::hash::Digest;
use crate::id::{BoardId, EventId, Id, PlayerId};
use crate::time::Timestamp;
use crate::window::Period;

const ID_DOMAIN: &[u8] = b"liveops/receipt-id/v1\0";

/// What a reward was given for: within one scope, none is given twice.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Scope {
    /// A level reached.
    Level(u32),
    /// An event; its time too, because an id may come again once its first outcome is forgotten.
    Event {
        /// The event's id.
        id: EventId,
        /// The event's time.
        ts: Timestamp,
    },
    /// A tier of a finished period of a board.
    Payout {
        /// The board.
        board: BoardId,
        /// The period.
        #[serde(flatten)]
        period: Period,
        /// The tier, which is also the reward's name.
        tier: Id,
    },
    /// A day of a streak.
    Streak {
        /// The streak's name.
        streak: Id,
        /// The day's index in the calendar: it never comes twice.
        day: i64,
    },
    /// Experience beyond the highest level, turned into units.
    Overflow {
        /// Units made, ever, with those of this receipt: it only grows.
        units: u64,
    },
    /// Nothing: an earlier receipt is taken back.
    Revoke {
        /// Its number.
        number: u64,
        /// Its id.
        receipt: Digest,
    },
}

/// One byte for the kind, then its fields.
impl Stable for Scope {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Level(level) => {
                out.push(0);
                level.put(out);
            }
            Self::Event { id, ts } => {
                out.push(1);
                id.put(out);
                ts.put(out);
            }
            Self::Payout { board, period, tier } => {
                out.push(2);
                board.put(out);
                period.put(out);
                tier.put(out);
            }
            Self::Streak { streak, day } => {
                out.push(3);
                streak.put(out);
                day.put(out);
            }
            Self::Overflow { units } => {
                out.push(4);
                units.put(out);
            }
            Self::Revoke { number, receipt } => {
                out.push(5);
                number.put(out);
                receipt.put(out);
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => u32::take(from).map(Self::Level),
            1 => Some(Self::Event { id: EventId::take(from)?, ts: Timestamp::take(from)? }),
            2 => Some(Self::Payout { board: BoardId::take(from)?, period: Period::take(from)?, tier: Id::take(from)? }),
            3 => Some(Self::Streak { streak: Id::take(from)?, day: i64::take(from)? }),
            4 => u64::take(from).map(|units| Self::Overflow { units }),
            5 => Some(Self::Revoke { number: u64::take(from)?, receipt: Digest::take(from)? }),
            _ => None,
        }
    }
}

/// Names a reward by what it is given for: SHA-256 of `"liveops/receipt-id/v1" 0`, the game with its length first,
/// and the stable bytes of the rest. `index` tells apart what one reward gives several of in one scope.
///
/// Neither the rules nor the cause are in it: the same level reached again, under other rules or by another command,
/// is the same reward.
///
/// ```
/// use liveops_core::reward::{Scope, receipt_id};
/// use liveops_core::{Id, PlayerId};
///
/// let (ana, gold) = (PlayerId::new("ana")?, Id::new("level-gold")?);
/// let id = receipt_id("emberfall", &ana, &gold, &Scope::Level(2), 0);
/// assert_eq!(id.to_hex(), "a76289df63fa4752f272b4e4ca2735d9f99b3958396cf8e46ec2b43d6bd98edc");
/// # Ok::<(), liveops_core::Error>(())
/// ```
pub fn receipt_id(game: &str, player: &PlayerId, reward: &Id, scope: &Scope, index: u32) -> Digest {
    receipt_id_in(&mut Vec::new(), game, player, reward, scope, index)
}

/// The same in memory that is overwritten.
pub(crate) fn receipt_id_in(
    bytes: &mut Vec<u8>,
    game: &str,
    player: &PlayerId,
    reward: &Id,
    scope: &Scope,
    index: u32,
) -> Digest {
    bytes.clear();
    bytes.extend_from_slice(ID_DOMAIN);
    (game.len() as u64).put(bytes);
    bytes.extend_from_slice(game.as_bytes());
    player.put(bytes);
    reward.put(bytes);
    scope.put(bytes);
    index.put(bytes);
    Digest::of(&[bytes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Window;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn event(text: &str, millis: i64) -> Scope {
        Scope::Event { id: EventId::new(text).unwrap(), ts: Timestamp::from_unix_millis(millis) }
    }

    fn payout(board: &str, index: i64, tier: &str) -> Scope {
        let period = Period { window: Window::Weekly, index };
        Scope::Payout { board: BoardId::new(board).unwrap(), period, tier: id(tier) }
    }

    #[test]
    fn no_two_meanings_share_an_id() {
        let mut all = Vec::new();
        for game in ["a", "ab"] {
            for player in ["b", "bc"] {
                for reward in ["c", "cd"] {
                    let payouts =
                        [payout("d", 1, "t"), payout("d", 2, "t"), payout("dd", 1, "t"), payout("d", 1, "tt")];
                    let others = [Scope::Level(1), Scope::Level(2), event("d", 1), event("d", 2), event("dd", 1)];
                    let others = others.into_iter().chain([
                        Scope::Streak { streak: id("d"), day: 1 },
                        Scope::Streak { streak: id("d"), day: 2 },
                        Scope::Streak { streak: id("dd"), day: 1 },
                        Scope::Overflow { units: 1 },
                        Scope::Overflow { units: 2 },
                        Scope::Revoke { number: 1, receipt: Digest([1; 32]) },
                        Scope::Revoke { number: 2, receipt: Digest([1; 32]) },
                        Scope::Revoke { number: 1, receipt: Digest([2; 32]) },
                    ]);
                    for scope in others.chain(payouts) {
                        for index in [0, 1] {
                            all.push(receipt_id(game, &PlayerId::new(player).unwrap(), &id(reward), &scope, index));
                        }
                    }
                }
            }
        }
        let len = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), len);
    }
}
