//! A store that is opened again, and such as lose something by it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use liveops_core::conformance::{self, WHOLE_FEED_LEN};
use liveops_core::record::{Header, Horizon};
use liveops_core::store::{FeedMarks, SnapshotReader, SnapshotWriter};
use liveops_core::{Boards as _, Feed as _, Key, MemoryStore, Record, Store as _};

/// What is lost between closing and opening.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Nothing,
    TheHeader,
    TheHorizon,
    TheNewestRecord,
    Boards,
    Consumers,
    Cursors,
    WhatWasNotAcknowledged,
}

use Lost::*;

/// The same state without something, as nobody told it.
fn copy(store: &MemoryStore, lost: Lost) -> MemoryStore {
    let snapshot = store.snapshot();
    let mut reader = SnapshotReader::open(&*snapshot).unwrap();
    let (header, mut marks) = (reader.header().unwrap().clone(), reader.marks().clone());
    let mut records: Vec<(Key, Record)> = reader.by_ref().map(Result::unwrap).collect();
    let mut horizon = match records.remove(0) {
        (Key::Horizon, Record::Horizon(horizon)) => horizon,
        other => panic!("{other:?}"),
    };
    match lost {
        TheHorizon => horizon = Horizon::default(),
        TheNewestRecord => drop(records.pop()),
        Cursors => marks = FeedMarks::default(),
        _ => {}
    }
    let mut writer = SnapshotWriter::new(Vec::new(), &header, &marks, horizon).unwrap();
    for (key, record) in &records {
        writer.record(key, &record.encode()).unwrap();
    }
    MemoryStore::with_feed(WHOLE_FEED_LEN).restored(&writer.finish().unwrap()).unwrap()
}

fn reopened(store: Arc<MemoryStore>, lost: Lost) -> Arc<MemoryStore> {
    match lost {
        Nothing => {}
        TheHeader => assert!(store.replace_header(&store.header().unwrap(), &Header::default()).unwrap()),
        Boards => store.retain(&|_| false).unwrap(),
        Consumers => {
            for mark in store.consumers().unwrap() {
                store.drop_consumer(&mark.consumer).unwrap();
            }
        }
        TheHorizon | TheNewestRecord | Cursors | WhatWasNotAcknowledged => return copy(&store, lost).into(),
    }
    store
}

#[test]
fn whatever_is_lost_by_opening_again_is_noticed() {
    let check = |lost| {
        let kept = Mutex::new(Arc::new(MemoryStore::with_feed(WHOLE_FEED_LEN)));
        conformance::check_reopen(|| {
            let mut kept = kept.lock().unwrap();
            *kept = reopened(Arc::clone(&kept), lost);
            Arc::clone(&kept)
        });
    };
    check(Nothing);
    for lost in [TheHeader, TheHorizon, TheNewestRecord, Boards, Consumers, Cursors, WhatWasNotAcknowledged] {
        assert!(catch_unwind(AssertUnwindSafe(|| check(lost))).is_err(), "nobody notices that it loses {lost:?}");
    }
}
