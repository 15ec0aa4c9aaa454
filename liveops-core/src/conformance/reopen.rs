//! What whoever opens a store again may rely on: everything that was there, and nothing else.

use super::boards::assert_folded;
use super::sample::{
    advance, applied, commit, horizon, horizon_of, id, operator, parts, player, present, progression, rules, season,
    set, under,
};
use super::time::erase_some;
use crate::engine::Engine;
use crate::error::StoreErrorKind;
use crate::record::{Action, Header, Horizon, Key};
use crate::store::{ConsumerMark, FeedEntry, FullStore, Size};

/// What is told of a store, in few words.
#[derive(Debug, PartialEq)]
struct Told {
    horizon: Horizon,
    header: Header,
    digest: String,
    size: Size,
    last: Vec<u64>,
    consumers: Vec<ConsumerMark>,
    /// What the consumer has yet to read, by partition; an error is as good as nothing.
    feed: Result<Vec<Vec<FeedEntry>>, StoreErrorKind>,
}

impl Told {
    /// A store may leave it to whoever opens an engine to have the boards built.
    fn by<S: FullStore>(store: &S) -> Self {
        store.rebuild(&|_| true).expect("rebuild");
        store.catch_up().expect("catch_up");
        let (partitions, bus) = (0..store.partitions(), id("bus"));
        let consumers = store.consumers().expect("consumers");
        let acked = |at: u16| {
            let mark = consumers.iter().find(|mark| mark.consumer == bus);
            mark.map_or(0, |mark| mark.acked[usize::from(at)])
        };
        let feed = partitions.clone().map(|at| store.feed(at, acked(at), 1_000).map_err(|error| error.kind)).collect();
        let last = partitions.map(|at| store.last(at).expect("last")).collect();
        Self {
            horizon: horizon_of(store),
            header: store.header().expect("header"),
            digest: store.digest().expect("digest"),
            size: Size { feed: 0, ..store.size().expect("size") },
            last,
            feed,
            consumers,
        }
    }

    /// Field by field, so that what is lost has a name.
    fn assert_same(&self, now: &Self) {
        assert_eq!(now.horizon, self.horizon, "the horizon is where it was");
        assert_eq!(now.header, self.header, "the header is what it was");
        assert_eq!(now.digest, self.digest, "the records are what they were");
        assert_eq!(now.last, self.last, "cursors go on where they were");
        assert_eq!(now.consumers, self.consumers, "consumers are known, each where it was");
        assert_eq!(now.feed.as_ref().ok(), self.feed.as_ref().ok(), "what was not acknowledged is still told");
        assert_eq!(now.size, self.size, "as much is counted");
    }
}

fn acknowledge_all<S: FullStore>(store: &S) {
    for at in 0..store.partitions() {
        store.ack(&id("bus"), at, store.last(at).expect("last")).expect("ack");
    }
}

pub(super) fn everything_is_there_again<S: FullStore>(open: &dyn Fn() -> S) {
    let again = |before: &Told, store: S| {
        drop(store);
        let store = open();
        before.assert_same(&Told::by(&store));
        store
    };
    // A new store is empty, and still is when it is opened again.
    let store = open();
    let store = again(&Told::by(&store), store);

    // A season. Of the feed, something is not acknowledged.
    let engine = Engine::open(rules(), &store).expect("rules that fit");
    let season = season();
    for (n, commands) in (0..).zip(season.chunks(64)) {
        assert!(engine.submit_batch(commands).iter().all(|outcome| outcome.status() == "applied"), "a plain season");
        if n == 1 {
            acknowledge_all(&store);
        }
    }
    let store = again(&Told::by(&store), store);
    assert_folded(&store);
    let engine = Engine::open(rules(), &store).expect("rules that fit");
    for (outcome, command) in engine.submit_batch(&season).iter().zip(&season) {
        // Of whom the season erases, outcomes of before went.
        let is_erased = command.player == player("p4");
        assert!(is_erased || outcome.status() == "replayed", "a retry gets its first outcome: {outcome:?}");
    }

    // Everything is acknowledged, and nothing of the feed is left but where it stood.
    acknowledge_all(&store);
    let before = Told::by(&store);
    let store = again(&before, store);
    applied(&store, set("next", 0));
    let told = Told::by(&store);
    let entries = told.feed.as_ref().map_or(0, |feed| feed.iter().map(Vec::len).sum());
    assert_eq!(entries, 1, "the next commit is told");
    assert!(told.last.iter().zip(&before.last).all(|(now, then)| now >= then), "behind all of before");

    // Time went on: what is forgotten stays forgotten, and who was erased may begin again.
    erase_some(&store);
    advance(&store, horizon(400, 1));
    acknowledge_all(&store);
    let store = again(&Told::by(&store), store);
    let idle = Key::Player(player("idle"));
    assert_eq!(present(&store, std::slice::from_ref(&idle)), [false], "nobody comes back who is nobody");
    assert!(!present(&store, &parts("next", 1))[0], "no outcome comes back");
    let forgotten = horizon_of(&store).forgotten_before;
    assert_eq!(commit(&store, vec![set("idle", 0)]), [false], "a commit that was held up all the while conflicts");
    assert_eq!(commit(&store, vec![under(forgotten, set("idle", 0))]), [true], "who comes again is new");
    let store = again(&Told::by(&store), store);
    assert_folded(&store);

    // And it goes on as if nothing had been.
    let engine = Engine::open(rules(), &store).expect("rules that fit");
    assert_eq!(engine.submit(&operator("hide", "p0", 500, Action::SetVisibility { hidden: true })).code(), "applied");
    assert_eq!(engine.submit(&progression("more", "p5", 500, 10)).code(), "applied");
    let store = again(&Told::by(&store), store);
    assert_folded(&store);
}
