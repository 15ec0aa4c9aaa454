//! Snapshots, with the seal that they should have: those that are read are those that would be written, of the present version and
//! of the first, and a store takes exactly these.

use liveops_core::codec::Stable as _;
use liveops_core::error::StoreErrorKind;
use liveops_core::hash::Digest;
use liveops_core::record::Horizon;
use liveops_core::store::{SnapshotReader, SnapshotWriter};
use liveops_core::{Key, MemoryStore, Record};

const HEAD: &[u8; 16] = b"liveops snapshot";

pub fn check(bytes: &[u8]) {
    // As it came, it is hardly ever sealed.
    read(bytes);
    let sealed = [bytes, &Digest::of(&[bytes]).0].concat();
    let Some(again) = read(&sealed) else {
        assert!(MemoryStore::restore(&sealed).is_err());
        return;
    };
    assert_eq!(again, sealed);
    for end in [0, 16, 17, sealed.len() / 2, sealed.len() - 1] {
        assert!(read(&sealed[..end]).is_none(), "a part of it is read as well");
    }
    assert!(read(&[&sealed[..], &[0]].concat()).is_none(), "it is read with more behind it");
    let mut flipped = sealed.clone();
    flipped[sealed.len() / 2] ^= 1;
    assert!(read(&flipped).is_none(), "it is read with a bit the other way");
    let store = MemoryStore::restore(&sealed).unwrap();
    let copy = MemoryStore::restore(&store.snapshot()).unwrap();
    assert_eq!(copy.digest(), store.digest());
}

/// What is read of it, written again.
fn read(bytes: &[u8]) -> Option<Vec<u8>> {
    let records = |reader: &mut SnapshotReader<_>| reader.collect::<Result<Vec<(Key, Record)>, _>>();
    let opened = SnapshotReader::open(bytes).and_then(|mut reader| Ok((records(&mut reader)?, reader)));
    let (records, reader) = match opened {
        Ok(read) => read,
        Err(error) => {
            assert!(matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::TooNew), "{error:?}");
            return None;
        }
    };
    assert!(records.is_sorted_by(|(a, _), (b, _)| a < b));
    let Some((Key::Horizon, Record::Horizon(horizon))) = records.first() else { panic!("no horizon: {records:?}") };
    Some(match reader.header() {
        Some(_) => as_version_2(&reader, *horizon, &records[1..]),
        None => as_version_1(&records),
    })
}

fn as_version_2(reader: &SnapshotReader<&[u8]>, horizon: Horizon, records: &[(Key, Record)]) -> Vec<u8> {
    let header = reader.header().unwrap();
    let mut writer = SnapshotWriter::new(Vec::new(), header, reader.marks(), horizon).unwrap();
    for (key, record) in records {
        writer.record(key, &record.encode()).unwrap();
    }
    writer.finish().unwrap()
}

fn as_version_1(records: &[(Key, Record)]) -> Vec<u8> {
    let mut bytes = [&HEAD[..], &[1]].concat();
    records.to_vec().put(&mut bytes);
    Digest::of(&[&bytes]).put(&mut bytes);
    bytes
}
