//! Bytes that must stay decodable for ever: what feeds, outboxes, journals and replicas are given. When one of these changes, what
//! was written cannot be read any more: add a version instead.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use liveops_core::anomaly::{Action as Ruled, Finite, Reason as Why, Verdict};
use liveops_core::board::{Operator, Order, Sort, Standing, Ties};
use liveops_core::codec::Stable as _;
use liveops_core::error::StoreErrorKind;
use liveops_core::event::{FieldValue, Payload};
use liveops_core::hash::{Digest, hex, unhex};
use liveops_core::record::{
    BoardHeader, BoardKey, ChangeSet, Effect, Header, Horizon, Judgement, Notice, Payment, Player, Reason, Receipt,
    ReceiptName, RecordRef, Retired, Run, Settled, StoredOutcome, Suspicion, Told,
};
use liveops_core::reward::{Item, ReceiptState, Scope};
use liveops_core::store::{ConsumerMark, FeedMarks, SnapshotReader, SnapshotWriter};
use liveops_core::window::{Calendar, OffsetChange, Season, Seasons, Weekday};
use liveops_core::{
    Action, BoardId, Command, CommandId, EventId, Id, Key, Origin, Period, PlayerId, Record, Ruling, Timestamp, Window,
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_052_800);

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn ana() -> PlayerId {
    PlayerId::new("ana").unwrap()
}

fn day(index: i64) -> BoardKey {
    BoardKey { board: BoardId::new("xp").unwrap(), period: Period { window: Window::Daily, index } }
}

fn standing() -> Standing {
    let sort = Sort { order: Order::Asc, ties: Ties::LastToReach };
    Standing { score: 120.into(), reached_at: NOW, newest_ts: NOW.minus_millis(5), sort }
}

fn receipt(number: u64) -> Receipt {
    Receipt {
        number,
        id: Digest([7; 32]),
        reward: id("gold"),
        scope: Scope::Level(2),
        items: vec![Item::new(id("currency"), id("gold"), 10).unwrap()],
        cause: CommandId { origin: Origin::Event, id: EventId::new("e1").unwrap() },
        ts: NOW,
        rules: Digest([8; 32]),
        previous: Digest::default(),
        claim_until: None,
        roll: None,
        state: ReceiptState::Issued,
        settled_at: None,
    }
}

/// One of every kind.
fn commands() -> Vec<Command> {
    let event = |text: &str| EventId::new(text).unwrap();
    let text = |text: &str| Reason::new(text).unwrap();
    let fields = vec![(id("bossId"), FieldValue::Id(id("hydra"))), (id("durationMs"), FieldValue::Int(60_000))];
    let kill = Action::Event { kind: id("boss_kill"), payload: Payload::new(fields).unwrap() };
    let name = ReceiptName { number: 1, id: Digest([7; 32]) };
    let items = vec![Item::new(id("item"), id("crown"), 1).unwrap()];
    let payment = Payment { board: day(20_764), tier: id("gold"), rank: 3, items };
    let mut all = vec![Command {
        id: CommandId { origin: Origin::Event, id: event("e1") },
        player: ana(),
        ts: NOW,
        received_at: NOW.plus_millis(250),
        action: kill,
    }];
    let operators = [
        Action::Review { suspicion: 9, ruling: Ruling::Confirm },
        Action::SetVisibility { hidden: true },
        Action::Erase,
        Action::Adjust { xp: -50, reason: text("a mistake") },
        Action::Payout(Box::new(payment)),
        Action::Claim(name),
        Action::Revoke { receipt: name, reason: text("stolen") },
        Action::Migrate { curve: Digest([9; 32]) },
    ];
    all.extend(operators.map(|action| Command::operator(event("o"), ana(), NOW, NOW.minus_millis(1), action)));
    all
}

/// With something of everything that one can have.
fn full() -> ChangeSet {
    let command = |text: &str| CommandId { origin: Origin::Operator, id: EventId::new(text).unwrap() };
    let verdict = Verdict {
        score: Finite::new(5.0).unwrap(),
        threshold: Finite::new(1000.0).unwrap(),
        reason: Why::BelowFloor,
        action: Ruled::Hold,
        ..floor()
    };
    let event = liveops_core::event::Event {
        id: EventId::new("e3").unwrap(),
        player: ana(),
        ts: NOW,
        kind: id("boss_kill"),
        payload: Payload::new(Vec::new()).unwrap(),
    };
    let suspicion = Suspicion {
        event,
        received_at: NOW,
        held: true,
        verdicts: vec![Judgement { detector: id("floor"), verdict }],
        settled: Settled::Open,
    };
    let standings = [(day(5), standing())].into_iter().collect();
    let record = Player { version: 4, newest_ts: NOW, xp: 120, standings, ..Player::default() };
    ChangeSet {
        player: ana(),
        expected: 3,
        forgotten_before: NOW.minus_millis(86_400_000),
        closes_at: NOW.plus_millis(3_600_000),
        forget: true,
        record: Box::new(record),
        outcomes: vec![(command("c1"), StoredOutcome { fingerprint: 77, ts: NOW, effect: Effect::default() })],
        receipts: vec![receipt(1), Receipt { state: ReceiptState::Claimable, claim_until: Some(NOW), ..receipt(2) }],
        suspicions: vec![(4, suspicion)],
        removed: vec![Key::Receipt(ana(), 1), Key::Outcome(ana(), command("c0"))],
        shown: vec![(day(4), None), (day(5), Some(standing()))],
        run: Some(Box::new(Run {
            rules: Digest([6; 32]),
            horizon: Horizon { now: NOW, forgotten_before: NOW.minus_millis(86_400_000) },
            commands: commands(),
        })),
    }
}

/// What a floor says of a value below it.
fn floor() -> Verdict {
    let mut floor = liveops_core::anomaly::TimeFloor { minimum_ms: 1000 };
    floor.observe(5.0)
}

/// The least that one can be.
fn plain() -> ChangeSet {
    ChangeSet {
        player: ana(),
        expected: 0,
        forgotten_before: Timestamp::MIN,
        closes_at: Timestamp::MAX,
        forget: false,
        record: Box::new(Player { version: 1, ..Player::default() }),
        outcomes: Vec::new(),
        receipts: Vec::new(),
        suspicions: Vec::new(),
        removed: Vec::new(),
        shown: Vec::new(),
        run: None,
    }
}

fn header() -> Header {
    let at = Timestamp::from_unix_seconds;
    let changes =
        [(1_774_746_000, 120), (1_792_890_000, 60)].map(|(from, minutes)| OffsetChange { from: at(from), minutes });
    let season = Season { label: id("s1"), from: at(1_788_220_800), until: at(1_796_083_200) };
    let calendar = Calendar::utc().utc_offsets(60, &changes).unwrap().reset_minute(300).unwrap();
    let calendar = calendar.week_start(Weekday::Sunday).grace_seconds(3600).unwrap();
    let by = |operator, order| BoardHeader { operator, sort: Sort { order, ties: Ties::FirstToReach } };
    let retired = |operator, ties| {
        let board = BoardId::new("cup").unwrap();
        Retired { board, sort: Sort { order: Order::Desc, ties }, operator }
    };
    Header {
        game: Some("golden".to_owned()),
        calendar: Some(calendar.seasons(Seasons::Table(vec![season])).unwrap()),
        boards: [("arena", by(Operator::Best, Order::Asc)), ("xp", by(Operator::Incr, Order::Desc))]
            .map(|(board, header)| (BoardId::new(board).unwrap(), header))
            .to_vec(),
        retired: vec![retired(Some(Operator::Set), Ties::FirstToReach), retired(None, Ties::OwnerId)],
        rules: Vec::new(),
    }
}

/// The second form: rules were put in force.
fn header_with_rules() -> Header {
    Header { rules: vec![Digest([10; 32]), Digest([9; 32])], ..header() }
}

fn told() -> [Told; 2] {
    let shown = vec![(day(4), standing()), (day(5), standing())];
    [Told::Stands { player: ana(), version: 300, shown }, Told::Gone { player: ana() }]
}

const GOLDEN_PLAIN: &str = "01616e610000ffffffffffffffffff01feffffffffffffffff0100010101000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
const GOLDEN_FULL: &str = "01616e6100038088d78bb66880b2c1e1b6680101010480f889deb6680000780000000000000000000000000000000000000000000000000000000000000000000000000000000001787000000af0010080f889deb668f6f789deb6680101010163310002010000000000000000000000000000004d80f889deb668000000000000000000000000020301010707070707070707070707070707070707070707070707070707070707070707676f6c640000020163757272656e637900676f6c64000a0065310080f889deb668080808080808080808080808080808080808080808080808080808080808080800000000000000000000000000000000000000000000000000000000000000000303020707070707070707070707070707070707070707070707070707070707070707676f6c640000020163757272656e637900676f6c64000a0065310080f889deb668080808080808080808080808080808080808080808080808080808080808080800000000000000000000000000000000000000000000000000000000000000000180f889deb66800010001040401653300616e610080f889deb668626f73735f6b696c6c000080f889deb6680101666c6f6f72004014000000000000408f400000000000010600408f40000000000000000000000000000202000201616e610002000000000000000101616e6100010163300002787000000800787000000a01f0010080f889deb668f6f789deb668010101060606060606060606060606060606060606060606060606060606060606060680f889deb6688088d78bb668090065310080f889deb668f40300626f73735f6b696c6c0002626f7373496400026879647261006475726174696f6e4d730000c0a907016f0080f889deb66801010901016f0080f889deb668010201016f0080f889deb6680103016f0080f889deb6680104630961206d697374616b65016f0080f889deb668010578700000b8c402676f6c640003016974656d0063726f776e0001016f0080f889deb6680106010707070707070707070707070707070707070707070707070707070707070707016f0080f889deb66801070107070707070707070707070707070707070707070707070707070707070707070673746f6c656e016f0080f889deb66801080909090909090909090909090909090909090909090909090909090909090909";
const GOLDEN_HEADER: &str = "010106676f6c64656e01780280ead6f1a667f00180ca9289ae6878d80406a038010173310080f09fa48b6880c0b5eec568026172656e610001010078700000000002637570000000010263757000000200";
const GOLDEN_HEADER_2: &str = "020106676f6c64656e01780280ead6f1a667f00180ca9289ae6878d80406a038010173310080f09fa48b6880c0b5eec568026172656e610001010078700000000002637570000000010263757000000200020a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0909090909090909090909090909090909090909090909090909090909090909";
const GOLDEN_NO_HEADER: &str = "0100000000";
const GOLDEN_STANDS: &str =
    "0101616e6100ac02027870000008f0010080f889deb668f6f789deb6680101787000000af0010080f889deb668f6f789deb6680101";
const GOLDEN_GONE: &str = "0100616e6100";
const GOLDEN_ADVANCED: &str = "010280f889deb668fef789deb668";
const GOLDEN_SNAPSHOT: &str = "6c6976656f707320736e617073686f74026751010106676f6c64656e01780280ead6f1a667f00180ca9289ae6878d80406a038010173310080f09fa48b6880c0b5eec568026172656e61000101007870000000000263757000000001026375700000020001ac02026275730001006a6f75726e616c0001ab020f00000180f889deb668f6f789deb6685101616e61000001010480f889deb6680000780000000000000000000000000000000000000000000000000000000000000000000000000000000001787000000af0010080f889deb668f6f789deb66801012e01616e6100010163310002010000000000000000000000000000004d80f889deb668000000000000000000000000920101616e61000200000000000000010301010707070707070707070707070707070707070707070707070707070707070707676f6c640000020163757272656e637900676f6c64000a0065310080f889deb668080808080808080808080808080808080808080808080808080808080808080800000000000000000000000000000000000000000000000000000000000000009c0101616e61000200000000000000020303020707070707070707070707070707070707070707070707070707070707070707676f6c640000020163757272656e637900676f6c64000a0065310080f889deb668080808080808080808080808080808080808080808080808080808080808080800000000000000000000000000000000000000000000000000000000000000000180f889deb6680001005c01616e61000300000000000000040401653300616e610080f889deb668626f73735f6b696c6c000080f889deb6680101666c6f6f72004014000000000000408f400000000000010600408f400000000000000000000000000002020000689b7214df4dabb74d4b9bce4465c09de122e345a6150b435528ffa4f88569c4";

/// That bytes are what they were, that they come back, and that nothing else is read: no part of them, nothing longer, and with
/// a bit the other way only what would be written so. `newest` is the newest version that this release knows.
fn keep<T: std::fmt::Debug + PartialEq>(
    value: &T,
    golden: &str,
    newest: u8,
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, StoreErrorKind>,
) {
    assert_eq!(hex(&encode(value)), golden, "{value:?}");
    let bytes = unhex(golden).unwrap();
    assert_eq!(decode(&bytes).as_ref(), Ok(value));
    for cut in 0..bytes.len() {
        assert_eq!(decode(&bytes[..cut]), Err(StoreErrorKind::Corrupt), "cut at {cut}");
    }
    assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(StoreErrorKind::Corrupt));
    for version in (0..=newest + 1).chain([255]).filter(|version| *version != bytes[0]) {
        let wanted = if version > newest { StoreErrorKind::TooNew } else { StoreErrorKind::Corrupt };
        assert_eq!(decode(&[&[version], &bytes[1..]].concat()), Err(wanted), "version {version}");
    }
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut other = bytes.clone();
        other[at] ^= 1 << bit;
        if let Ok(read) = decode(&other) {
            assert_eq!(encode(&read), other, "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn change_sets_keep_their_bytes() {
    keep(&plain(), GOLDEN_PLAIN, 1, ChangeSet::encode, ChangeSet::decode);
    keep(&full(), GOLDEN_FULL, 1, ChangeSet::encode, ChangeSet::decode);
    let mut appended = vec![5];
    full().encode_into(&mut appended);
    assert_eq!(hex(&appended[1..]), GOLDEN_FULL);
}

/// Each once, and not too many: what no rules write is not read.
#[test]
fn a_header_names_each_of_a_few_rules_once() {
    let of = |rules: Vec<Digest>| Header::decode(&Header { rules, ..header() }.encode());
    let digests = |count: u8| (0..count).map(|n| Digest([n; 32])).collect::<Vec<_>>();
    assert_eq!(of(digests(8)).unwrap().rules, digests(8));
    assert_eq!(of(digests(9)), Err(StoreErrorKind::Corrupt));
    assert_eq!(of(vec![Digest([1; 32]); 2]), Err(StoreErrorKind::Corrupt));
    let none = [&[2][..], &header().encode()[1..], &[0]].concat();
    assert_eq!(Header::decode(&none), Err(StoreErrorKind::Corrupt), "the first form says it");
}

#[test]
fn headers_and_what_replicas_are_told_keep_their_bytes() {
    keep(&header(), GOLDEN_HEADER, 2, Header::encode, Header::decode);
    keep(&Header::default(), GOLDEN_NO_HEADER, 2, Header::encode, Header::decode);
    keep(&header_with_rules(), GOLDEN_HEADER_2, 2, Header::encode, Header::decode);
    let [stands, gone] = told();
    keep(&stands, GOLDEN_STANDS, 1, Told::encode, Told::decode);
    keep(&gone, GOLDEN_GONE, 1, Told::encode, Told::decode);
}

/// What is inside is in its own form.
#[test]
fn notices_keep_their_bytes() {
    let horizon = Horizon { now: NOW, forgotten_before: NOW.minus_millis(1) };
    let [stands, gone] = told();
    for (notice, golden) in [
        (Notice::Told(stands), format!("0100{GOLDEN_STANDS}")),
        (Notice::Told(gone), format!("0100{GOLDEN_GONE}")),
        (Notice::Committed(Arc::new(plain())), format!("0101{GOLDEN_PLAIN}")),
        (Notice::Advanced(horizon), GOLDEN_ADVANCED.to_owned()),
    ] {
        keep(&notice, &golden, 1, Notice::encode, Notice::decode);
    }
    assert_eq!(hex(&Notice::gone(&ana())), format!("0100{GOLDEN_GONE}"));
    for set in [plain(), full()] {
        assert_eq!(Notice::committed(&set), Notice::Committed(Arc::new(set.clone())).encode());
        assert_eq!(Notice::told_of(&set), Notice::Told(Told::of(&set.player, &set.record)).encode());
    }
    let later = format!("010002{}", &GOLDEN_GONE[2..]);
    assert_eq!(Notice::decode(&unhex(&later).unwrap()), Err(StoreErrorKind::TooNew), "also what is inside");
}

/// As they stand in a run, and alone.
#[test]
fn every_kind_of_command_comes_back() {
    let wrapped = Command { received_at: Timestamp::MAX, ts: Timestamp::MIN, ..commands().remove(0) };
    for command in commands().into_iter().chain([wrapped]) {
        let bytes = command.to_bytes();
        assert_eq!(Command::take(&mut &bytes[..]), Some(command));
        (0..bytes.len()).for_each(|cut| assert_eq!(Command::take(&mut &bytes[..cut]), None, "cut at {cut}"));
    }
}

/// Records in a change set have versions of their own, and a later one is known as such.
#[test]
fn a_later_record_in_a_change_set_is_known_as_such() {
    let bytes = full().encode();
    for (key, record) in full().written() {
        let mut own = Vec::new();
        record.encode_into(&mut own);
        let at = bytes.windows(own.len()).position(|part| part == own).unwrap();
        let mut later = bytes.clone();
        later[at + 1] = 99;
        assert_eq!(ChangeSet::decode(&later), Err(StoreErrorKind::TooNew), "{key:?}");
    }
}

#[test]
fn a_change_set_is_of_one_player_and_says_each_entry_once() {
    let others = ChangeSet { removed: vec![Key::Receipt(PlayerId::new("bo").unwrap(), 1)], ..full() };
    let unsorted = ChangeSet { shown: vec![(day(5), None), (day(4), None)], ..full() };
    let twice = ChangeSet { shown: vec![(day(5), None), (day(5), Some(standing()))], ..full() };
    for bad in [others, unsorted, twice] {
        assert_eq!(ChangeSet::decode(&bad.encode()), Err(StoreErrorKind::Corrupt), "{bad:?}");
    }
}

/// What a store writes of a change set are the bytes of the records themselves.
#[test]
fn what_a_change_set_writes_is_read_as_records() {
    let set = full();
    let written: Vec<_> = set.written().collect();
    assert_eq!(written.len(), 1 + set.outcomes.len() + set.receipts.len() + set.suspicions.len());
    for (key, record) in written {
        let mut bytes = Vec::new();
        record.encode_into(&mut bytes);
        let read = Record::decode(&bytes).unwrap();
        assert_eq!(read.encode(), bytes);
        let is_under_its_key = matches!(
            (&key, &record, &read),
            (Key::Player(_), RecordRef::Player(_), Record::Player(_))
                | (Key::Outcome(..), RecordRef::Outcome(_), Record::Outcome(_))
                | (Key::Receipt(..), RecordRef::Receipt(_), Record::Receipt(_))
                | (Key::Suspicion(..), RecordRef::Suspicion(_), Record::Suspicion(_))
        );
        assert!(is_under_its_key && key.player() == Some(&ana()), "{key:?}");
    }
}

#[test]
fn a_set_that_leaves_a_mark_says_so() {
    let mark = Player::erased(4, NOW, NOW);
    let erases = ChangeSet { forget: true, record: Box::new(mark.clone()), outcomes: full().outcomes, ..plain() };
    assert_eq!(erases.idle_mark(), Some(NOW), "whatever outcomes stand beside it");
    assert_eq!(full().idle_mark(), None);
    assert_eq!(ChangeSet { receipts: vec![receipt(1)], ..erases.clone() }.idle_mark(), None);
    let plays_on = Player { xp: 1, ..mark };
    assert_eq!(ChangeSet { record: Box::new(plays_on), ..erases }.idle_mark(), None);
}

/// The second version of a snapshot, of what these are: golden records have their own test.
#[test]
fn a_snapshot_keeps_its_bytes() {
    let mark = |name: &str, acked: u64| ConsumerMark { consumer: id(name), acked: vec![acked] };
    let marks = FeedMarks { last: vec![300], consumers: vec![mark("bus", 0), mark("journal", 299)] };
    let horizon = Horizon { now: NOW, forgotten_before: NOW.minus_millis(5) };
    let mut writer = SnapshotWriter::new(Vec::new(), &header(), &marks, horizon).unwrap();
    let (set, mut bytes) = (full(), Vec::new());
    let mut written: Vec<_> = set.written().collect();
    written.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, record) in &written {
        bytes.clear();
        record.encode_into(&mut bytes);
        writer.record(key, &bytes).unwrap();
    }
    assert_eq!(hex(&writer.finish().unwrap()), GOLDEN_SNAPSHOT);
    let golden = unhex(GOLDEN_SNAPSHOT).unwrap();
    let mut reader = SnapshotReader::open(&golden[..]).unwrap();
    assert_eq!((reader.header(), reader.marks()), (Some(&header()), &marks));
    let records = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(records[0], (Key::Horizon, Record::Horizon(horizon)));
    assert!(records[1..].iter().map(|(key, _)| key).eq(written.iter().map(|(key, _)| key)));
}
