//! Work cut by player: which lane has which part, and the outcomes put together again.

use std::borrow::Cow;

use liveops_core::error::Code;
use liveops_core::{Batch, Command, Outcome};
use parking_lot::Mutex;
use serde::Deserialize;

/// What one lane has of something, and which of its commands or lines they are.
pub(crate) struct Cut<P> {
    pub(crate) lane: usize,
    pub(crate) part: P,
    pub(crate) places: Vec<usize>,
}

/// Commands by lane, each part in their order; at least one part.
pub(crate) fn by_player(commands: Vec<Command>, lanes: usize) -> Vec<Cut<Vec<Command>>> {
    let first = commands.first().map_or(0, |command| lane_of(command.player.as_str(), lanes));
    if commands.iter().all(|command| lane_of(command.player.as_str(), lanes) == first) {
        let places = (0..commands.len()).collect();
        return vec![Cut { lane: first, part: commands, places }];
    }
    let mut cuts: Vec<Cut<Vec<Command>>> = none(lanes);
    for (place, command) in commands.into_iter().enumerate() {
        let lane = lane_of(command.player.as_str(), lanes);
        if let Some(Cut { part, places, .. }) = cuts.get_mut(lane) {
            part.push(command);
            places.push(place);
        }
    }
    some(cuts)
}

/// Lines by the lane of the player that each names, each part in their order. What is no event is refused wherever it comes to.
pub(crate) fn by_line(ndjson: &[u8], lanes: usize) -> Vec<Cut<Vec<u8>>> {
    let mut cuts: Vec<Cut<Vec<u8>>> = none(lanes);
    for (place, line) in each_line(ndjson).enumerate() {
        let named = serde_json::from_slice(line).unwrap_or(Named { player: Cow::Borrowed("") });
        if let Some(Cut { part, places, .. }) = cuts.get_mut(lane_of(&named.player, lanes)) {
            part.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                part.push(b'\n');
            }
            places.push(place);
        }
    }
    some(cuts)
}

/// Of an event all that matters here; the engine reads the rest, and more strictly.
#[derive(Deserialize)]
struct Named<'l> {
    #[serde(borrow, rename = "playerId")]
    player: Cow<'l, str>,
}

fn none<P: Default>(lanes: usize) -> Vec<Cut<P>> {
    (0..lanes).map(|lane| Cut { lane, part: P::default(), places: Vec::new() }).collect()
}

fn some<P>(mut cuts: Vec<Cut<P>>) -> Vec<Cut<P>> {
    cuts.retain(|cut| !cut.places.is_empty());
    cuts
}

/// FNV-1a, folded: the same player in the same lane for as long as the process lives.
fn lane_of(player: &str, lanes: usize) -> usize {
    if lanes == 1 {
        return 0;
    }
    let hash = player
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from((hash ^ (hash >> 32)) & u64::from(u32::MAX)).unwrap_or_default() % lanes
}

/// With their newlines.
pub(crate) fn each_line(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// Outcomes of parts that come from several lanes, for one who waits for all of them.
pub(crate) struct Gather<W>(Mutex<Gathered<W>>);

struct Gathered<W> {
    waiter: Option<W>,
    outcomes: Vec<Option<Outcome>>,
    parts_left: usize,
}

impl<W> Gather<W> {
    pub(crate) fn new(waiter: W, len: usize, parts: usize) -> Self {
        let outcomes = (0..len).map(|_| None).collect();
        Self(Mutex::new(Gathered { waiter: Some(waiter), outcomes, parts_left: parts }))
    }

    /// Adds a part, by the places that it has in all; the whole if it was the last.
    pub(crate) fn put(&self, places: Vec<usize>, outcomes: impl IntoIterator<Item = Outcome>) -> Option<(W, Batch)> {
        let mut gathered = self.0.lock();
        for (place, outcome) in places.into_iter().zip(outcomes) {
            if let Some(slot) = gathered.outcomes.get_mut(place) {
                *slot = Some(outcome);
            }
        }
        gathered.parts_left = gathered.parts_left.saturating_sub(1);
        if gathered.parts_left > 0 {
            return None;
        }
        let unknown = || Outcome::Unknown(Code::StoreOutcomeUnknown.into());
        let outcomes = std::mem::take(&mut gathered.outcomes);
        let outcomes = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unknown)).collect();
        Some((gathered.waiter.take()?, outcomes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_has_one_lane_however_it_is_written() {
        let lines = b"{\"playerId\":\"ana\",\"n\":1}\n\nnonsense\n{\"n\":{\"playerId\":\"bo\"},\"playerId\":\"\\u0061na\"}\r\n{\"playerId\":\"ana\"}";
        let cuts = by_line(lines, 8);
        let ana = cuts.iter().find(|cut| cut.lane == lane_of("ana", 8)).unwrap();
        assert_eq!(ana.places, [0, 3, 4]);
        assert!(ana.part.ends_with(b"\"}\r\n{\"playerId\":\"ana\"}\n"));
        let mut places: Vec<_> = cuts.iter().flat_map(|cut| cut.places.clone()).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3, 4], "each line is in one part");
    }

    #[test]
    fn players_spread() {
        let mut lanes = [0; 8];
        for n in 0..8_000 {
            lanes[lane_of(&format!("player-{n}"), 8)] += 1;
        }
        assert!(lanes.iter().all(|count| (700..1_300).contains(count)), "{lanes:?}");
    }

    #[test]
    fn outcomes_come_together_in_the_order_of_what_was_asked() {
        let gather = Gather::new("ana", 3, 2);
        let refused = |code: Code| Outcome::Refused(code.into());
        assert!(gather.put(vec![0, 2], vec![refused(Code::TooOld), refused(Code::Closed)]).is_none());
        let (waiter, outcomes) = gather.put(vec![1], Vec::new()).unwrap();
        let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.code()).collect();
        assert_eq!((waiter, codes), ("ana", vec!["too_old", "store_outcome_unknown", "closed"]));
    }
}
