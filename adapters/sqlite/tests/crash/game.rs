//! What is played in every crash test, and its twin in memory that never crashes.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use liveops_bench::Random;
use liveops_bench::traffic::RULES;
use liveops_core::record::Command;
use liveops_core::store::FullStore;
use liveops_core::testing::EventBuilder;
use liveops_core::{Engine, EventId, MemoryStore, Outcome, PlayerId, Rules, Timestamp, Window};
use parking_lot::Mutex;

pub(crate) const GAME: &str = "bench";

/// Of what is played; printed by each test.
pub(crate) const SEED: u64 = 20_261_130;
/// Steps of the whole game: at ten minutes each two days and more, so that outcomes are forgotten on the way.
pub(crate) const STEPS: usize = 360;
const STEP_MILLIS: i64 = 600_000;
const PLAYERS: u64 = 150;
const EVENTS_A_BATCH: u64 = 24;

pub(crate) fn rules() -> Rules {
    Rules::from_json(RULES).expect("rules that benches use too")
}

/// What is acknowledged as a whole, because one commit writes it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Events(Vec<Command>),
    Order(Command),
    Advance(Timestamp),
}

/// When a step is taken.
pub(crate) fn time(step: usize) -> Timestamp {
    Timestamp::from_unix_millis(liveops_bench::traffic::NOW_MS).plus_millis(step as i64 * STEP_MILLIS)
}

/// The game: batches of events; each eighth step an order of the operator, each twelfth an advance.
pub(crate) fn steps() -> &'static [Step] {
    static ALL: OnceLock<Vec<Step>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut random = Random::new(SEED);
        (0..STEPS).map(|at| step(at, &mut random)).collect()
    })
}

fn step(at: usize, random: &mut Random) -> Step {
    let now = time(at);
    let player = |random: &mut Random| format!("player-{:03}", random.below(PLAYERS));
    if at % 12 == 11 {
        return Step::Advance(now);
    }
    if at % 8 == 7 {
        let id = EventId::new(&format!("order-{at}")).expect("an id");
        let player = PlayerId::new(&player(random)).expect("an id");
        return Step::Order(match random.below(3) {
            0 => Command::erase(id, player, now),
            1 => Command::set_visibility(id, player, now, random.below(2) == 0),
            _ => Command::adjust(id, player, now, 40, "a present").expect("a small number"),
        });
    }
    let parser = rules().door().parser();
    let event = |number| {
        let body = EventBuilder::progression(&player(random), 50 + random.below(400) as i64, now)
            .id(&format!("event-{at}-{number}"));
        let mut parsed = parser.parse(&body.body(), now).expect("an event of ours");
        let id = parsed.id.take().expect("it was named");
        Command::event(parsed.into_event(id), now)
    };
    Step::Events((0..EVENTS_A_BATCH).map(event).collect())
}

/// Takes one step; an error is told by its code.
pub(crate) fn take<S: FullStore>(engine: &Engine<S>, step: &Step) -> Result<(), String> {
    let outcomes = match step {
        Step::Events(batch) => engine.submit_batch(batch),
        Step::Order(command) => vec![engine.submit(command)],
        Step::Advance(to) => return engine.advance(*to).map(drop).map_err(|error| error.code().to_string()),
    };
    match outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Applied(_) | Outcome::Replayed(_))) {
        None => Ok(()),
        Some(other) => Err(other.code().to_owned()),
    }
}

/// All that a store may be compared by: its records, and what its boards show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) digest: String,
    pub(crate) boards: String,
}

/// The state of an engine; boards as they are at a step.
pub(crate) fn state<S: FullStore>(engine: &Engine<S>, steps_taken: usize) -> Result<State, String> {
    let code = |error: liveops_core::Error| error.code().to_string();
    let digest = engine.digest().map_err(code)?;
    let mut boards = String::new();
    for window in [Window::Daily, Window::Weekly, Window::Seasonal] {
        let rows = engine.board("xp").map_err(code)?.top(window, 1_000, time(steps_taken)).map_err(code)?;
        _ = writeln!(boards, "{rows:?}");
    }
    Ok(State { digest, boards })
}

/// The twin's state after so many steps; `None` beyond the end of the game. It plays on as far as it is asked for.
fn twin(steps_taken: usize) -> Option<State> {
    static TWIN: Mutex<Option<(Engine<MemoryStore>, Vec<State>)>> = Mutex::new(None);
    let mut twin = TWIN.lock();
    let (engine, states) = twin.get_or_insert_with(|| {
        let engine = Engine::new(rules(), MemoryStore::new());
        let first = state(&engine, 0).expect("memory answers");
        (engine, vec![first])
    });
    while states.len() <= steps_taken {
        let at = states.len();
        take(engine, steps().get(at - 1)?).unwrap_or_else(|code| panic!("step {at} is no game: {code}"));
        states.push(state(engine, at).expect("memory answers"));
    }
    states.get(steps_taken).cloned()
}

/// After how many steps the twin looked like this: its digest, then its boards at that time.
pub(crate) fn steps_taken<S: FullStore>(
    engine: &Engine<S>,
    candidates: RangeInclusive<usize>,
) -> Result<Option<usize>, String> {
    let digest = engine.digest().map_err(|error| error.code().to_string())?;
    let mut candidates = candidates.rev().filter_map(|at| twin(at).map(|state| (at, state)));
    let Some((at, twin)) = candidates.find(|(_, state)| state.digest == digest) else { return Ok(None) };
    assert_eq!(state(engine, at)?.boards, twin.boards, "boards are not those of {at} steps, records are");
    Ok(Some(at))
}

/// The step taken last is a retry now.
pub(crate) fn assert_replayed<S: FullStore>(engine: &Engine<S>, steps_taken: usize) {
    let Some(Step::Events(batch)) = steps_taken.checked_sub(1).map(|last| &steps()[last]) else { return };
    let outcomes = engine.submit_batch(batch);
    assert!(
        outcomes.iter().all(|outcome| outcome.code() == "replayed"),
        "an acknowledged batch was {}",
        outcomes[0].code()
    );
}

/// A step of somebody who plays a game of one's own beside others: one XP more. Whose number it is tells what was taken.
pub(crate) fn take_own<S: FullStore>(engine: &Engine<S>, who: &str, number: u64) -> Result<(), String> {
    let id = EventId::new(&format!("own-{number}")).expect("an id");
    let player = PlayerId::new(who).expect("an id");
    take(engine, &Step::Order(Command::adjust(id, player, time(0), 1, "a step").expect("a small number")))
}

/// How many steps of one's own were taken.
pub(crate) fn own_taken<S: FullStore>(engine: &Engine<S>, who: &str) -> u64 {
    let player = engine.record(&PlayerId::new(who).expect("an id")).expect("it can be read");
    player.map_or(0, |player| player.xp)
}
