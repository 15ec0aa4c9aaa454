//! A store that is opened again, and such as lose something by it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use liveops_core::conformance::{self, WHOLE_FEED_LEN};
use liveops_core::record::{Header, Horizon};
use liveops_core::store::{SnapshotReader, SnapshotWriter};
use liveops_core::{Boards as _, Feed as _, Id, Key, MemoryStore, Record, Store as _};

use crate::careless::{Careless, Mistake};

/// What is lost between closing and opening.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Nothing,
    TheHeader,
    TheHorizon,
    TheNewestRecord,
    Consumers,
    Cursors,
    WhatWasNotAcknowledged,
}

use Lost::*;

/// The same state without something, as nobody told it. A copy begins its cursors anew, which is what is lost, if nothing else is.
fn copy(store: &MemoryStore, lost: Lost) -> MemoryStore {
    let snapshot = store.snapshot();
    let mut reader = SnapshotReader::open(&*snapshot).unwrap();
    let (header, marks) = (reader.header().unwrap().clone(), reader.marks().clone());
    let mut records: Vec<(Key, Record)> = reader.by_ref().map(Result::unwrap).collect();
    let mut horizon = match records.remove(0) {
        (Key::Horizon, Record::Horizon(horizon)) => horizon,
        other => panic!("{other:?}"),
    };
    match lost {
        TheHorizon => horizon = Horizon::default(),
        TheNewestRecord => drop(records.pop()),
        _ => {}
    }
    let mut writer = SnapshotWriter::new(Vec::new(), &header, &marks, horizon).unwrap();
    for (key, record) in &records {
        writer.record(key, &record.encode()).unwrap();
    }
    MemoryStore::with_feed(WHOLE_FEED_LEN).restored(&writer.finish().unwrap()).unwrap()
}

fn reopened(store: &Arc<MemoryStore>, lost: Lost) -> Arc<MemoryStore> {
    match lost {
        TheHeader => assert!(store.replace_header(&store.header().unwrap(), &Header::default()).unwrap()),
        Consumers => {
            for mark in store.consumers().unwrap() {
                store.drop_consumer(&mark.consumer).unwrap();
            }
        }
        WhatWasNotAcknowledged => {
            let (known, other) = (store.consumers().unwrap(), Id::new("other").unwrap());
            for mark in &known {
                store.drop_consumer(&mark.consumer).unwrap();
            }
            store.ack(&other, 0, store.last(0).unwrap()).unwrap();
            store.drop_consumer(&other).unwrap();
            for mark in &known {
                store.ack(&mark.consumer, 0, mark.acked[0]).unwrap();
            }
        }
        // Once there is something to lose.
        TheHorizon if store.advance(Horizon::default()).unwrap() != Horizon::default() => {
            return copy(store, lost).into();
        }
        TheNewestRecord | Cursors if store.size().players > 0 => return copy(store, lost).into(),
        _ => {}
    }
    Arc::clone(store)
}

#[test]
fn whatever_is_lost_by_opening_again_is_noticed() {
    let check = |lost| {
        let kept = Mutex::new(Arc::new(MemoryStore::with_feed(WHOLE_FEED_LEN)));
        conformance::check_reopen(|| {
            let mut kept = kept.lock().unwrap();
            *kept = reopened(&kept, lost);
            Arc::clone(&kept)
        });
    };
    check(Nothing);
    for (lost, why) in [
        (TheHeader, "the header is what it was"),
        (TheHorizon, "the horizon is where it was"),
        (TheNewestRecord, "the records are what they were"),
        (Consumers, "consumers are known, each where it was"),
        (Cursors, "cursors go on where they were"),
        (WhatWasNotAcknowledged, "what was not acknowledged is still told"),
    ] {
        let broken = catch_unwind(AssertUnwindSafe(|| check(lost))).unwrap_err();
        let message = broken.downcast_ref::<String>().unwrap();
        assert!(message.contains(why), "it loses {lost:?}, and the kit says {message}");
    }
}

#[test]
fn boards_that_are_not_built_are_noticed() {
    let kept = Arc::new(MemoryStore::with_feed(WHOLE_FEED_LEN));
    let open = || {
        kept.retain(&|_| false).unwrap();
        Careless::new(Arc::clone(&kept), Mistake::RebuildsNothing)
    };
    assert!(catch_unwind(AssertUnwindSafe(|| conformance::check_reopen(open))).is_err());
}
