//! The whole state of a store as bytes that can be written and read without holding them all.
//!
//! ```text
//! "liveops snapshot" 2
//! length  header, marks of the feed
//! length  key, record                 the horizon, then the others in the order of keys
//! ...
//! 0
//! SHA-256 of all that
//! ```
//!
//! Lengths, keys and records are written as [`crate::codec`] and [`Record::encode`] say. Version 1, which is read for ever, is
//! the number of records, keys and records without lengths, and the SHA-256.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use super::ConsumerMark;
use crate::codec::{Seal, Stable};
use crate::error::{StoreError, StoreErrorKind};
use crate::hash::Digest;
use crate::id::{Id, PlayerId};
use crate::limits::SNAPSHOT_PART_BYTES_MAX;
use crate::record::{Header, Horizon, Key, Record};

const HEAD: &[u8; 16] = b"liveops snapshot";
const VERSION: u8 = 2;
/// The largest cursor that a snapshot may say. No feed comes there: that takes tens of thousands of copies of copies.
const LAST_MAX: u64 = 1 << 63;
/// How far apart the epochs of two copies may be.
const EPOCHS_LEAPT_MAX: u64 = 1 << 16;
/// Bytes written at once.
const WRITTEN_BYTES: usize = 64 * 1024;
const VERSION_1: Seal = Seal { head: HEAD, version: 1 };

/// Where the feed stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedMarks {
    /// The cursor of the newest entry ever, by partition; empty where nobody knows.
    pub last: Vec<u64>,
    /// Everybody who was known, by name. The entries that they were still to read are not in a snapshot.
    pub consumers: Vec<ConsumerMark>,
}

impl FeedMarks {
    /// The marks of a feed that goes on from here, in so many partitions and in a new epoch: from a multiple of 2^32 above all earlier
    /// cursors. Those are `feed_gap`, and from there on every consumer is still known.
    ///
    /// One snapshot may be restored twice, and each copy goes its own way: so it is not the next multiple, but one of the next 65,536.
    #[must_use]
    pub fn in_new_epoch(&self, partitions: u16) -> Self {
        let newest = self.last.iter().copied().max().unwrap_or(0);
        let leap = 1 + RandomState::new().hash_one(newest) % EPOCHS_LEAPT_MAX;
        let epoch = (newest >> 32).saturating_add(leap).min(u64::from(u32::MAX));
        let last = vec![epoch << 32; partitions.into()];
        let anew = |mark: &ConsumerMark| ConsumerMark { consumer: mark.consumer.clone(), acked: last.clone() };
        Self { consumers: self.consumers.iter().map(anew).collect(), last }
    }

    /// Whether every consumer is known once, in order, and has acknowledged what there was, and cursors have room to rise.
    fn is_sound(&self) -> bool {
        let is_behind = |mark: &ConsumerMark| {
            mark.acked.len() == self.last.len() && mark.acked.iter().zip(&self.last).all(|(acked, last)| acked <= last)
        };
        self.last.iter().all(|last| *last <= LAST_MAX)
            && self.consumers.is_sorted_by(|a, b| a.consumer < b.consumer)
            && self.consumers.iter().all(is_behind)
    }
}

impl Stable for FeedMarks {
    fn put(&self, out: &mut Vec<u8>) {
        self.last.put(out);
        (self.consumers.len() as u64).put(out);
        for ConsumerMark { consumer, acked } in &self.consumers {
            consumer.put(out);
            acked.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let last = Stable::take(from)?;
        let consumers: Vec<(Id, Vec<u64>)> = Stable::take(from)?;
        let consumers = consumers.into_iter().map(|(consumer, acked)| ConsumerMark { consumer, acked }).collect();
        let marks = Self { last, consumers };
        marks.is_sound().then_some(marks)
    }
}

/// Writes a snapshot, one record at a time.
#[derive(Debug)]
pub struct SnapshotWriter<W> {
    to: W,
    sha: Sha256,
    part: Vec<u8>,
    /// Not written yet.
    bytes: Vec<u8>,
}

impl<W: Write> SnapshotWriter<W> {
    /// Begins with everything but the records of players.
    ///
    /// Errors: as those of every method, `store_unavailable` where the bytes cannot be written.
    pub fn new(to: W, header: &Header, marks: &FeedMarks, horizon: Horizon) -> Result<Self, StoreError> {
        let mut writer = Self { to, sha: Sha256::new(), part: Vec::new(), bytes: Vec::with_capacity(WRITTEN_BYTES) };
        writer.write(HEAD)?;
        writer.write(&[VERSION])?;
        writer.part(|out| {
            let header = header.encode();
            (header.len() as u64).put(out);
            out.extend(header);
            marks.put(out);
        })?;
        writer.record(&Key::Horizon, &Record::Horizon(horizon).encode())?;
        Ok(writer)
    }

    /// Writes the next record, by its stable bytes: in the order of keys.
    pub fn record(&mut self, key: &Key, record: &[u8]) -> Result<(), StoreError> {
        self.part(|out| {
            key.put(out);
            out.extend_from_slice(record);
        })
    }

    /// Writes the end. What is read without it is not a snapshot.
    pub fn finish(mut self) -> Result<W, StoreError> {
        self.write(&[0])?;
        let seal: [u8; 32] = self.sha.finalize_reset().into();
        self.write(&seal)?;
        self.to.write_all(&self.bytes).and_then(|()| self.to.flush()).map_err(unavailable)?;
        Ok(self.to)
    }

    fn part(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Result<(), StoreError> {
        let mut part = std::mem::take(&mut self.part);
        part.clear();
        put(&mut part);
        if part.len() as u64 > SNAPSHOT_PART_BYTES_MAX {
            return Err(StoreErrorKind::Corrupt.into());
        }
        let len = (part.len() as u64).to_bytes();
        self.write(&len)?;
        self.write(&part)?;
        self.part = part;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.sha.update(bytes);
        if self.bytes.len() + bytes.len() > WRITTEN_BYTES {
            self.to.write_all(&self.bytes).map_err(unavailable)?;
            self.bytes.clear();
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

/// Reads a snapshot, one record at a time: the horizon, then each of the others once and in the order of keys, every player's
/// record before what else is of the player.
///
/// It ends with `None` only if the whole was sound to its seal, and with one error otherwise. **Until then nothing that was read may
/// be relied upon**: whoever restores keeps it apart (in a transaction, in a new store, in a file under another name), and lets go of it
/// after an error.
///
/// Errors: `store_corrupt` for bytes that no store writes, `record_too_new` for a later version's, `store_unavailable` where they cannot
/// be read.
#[derive(Debug)]
pub struct SnapshotReader<R> {
    source: Source<R>,
    header: Option<Header>,
    marks: FeedMarks,
    last: Option<Key>,
    owner: Option<PlayerId>,
    ended: bool,
}

#[derive(Debug)]
enum Source<R> {
    /// Sealed, as was found; how many records are left, and where the next begins.
    Version1 {
        content: Vec<u8>,
        at: usize,
        left: u64,
    },
    Stream(Stream<R>),
}

impl<R: Read> SnapshotReader<R> {
    /// Reads what stands before the records. A snapshot of version 1 is read whole: it was made by a store in memory.
    pub fn open(from: R) -> Result<Self, StoreError> {
        let mut stream = Stream::new(from);
        let mut head = [0; 17];
        stream.fill(&mut head)?;
        let version = head[16];
        if head[..16] != *HEAD {
            return Err(StoreErrorKind::Corrupt.into());
        }
        let (source, header, marks) = match version {
            1 => (version_1(stream, &head)?, None, FeedMarks::default()),
            VERSION => {
                let begin = stream.part()?.ok_or(StoreErrorKind::Corrupt).and_then(begin);
                let (header, marks) = begin.map_err(|kind| stream.confirm(kind))?;
                (Source::Stream(stream), Some(header), marks)
            }
            0 => return Err(StoreErrorKind::Corrupt.into()),
            _ => return Err(StoreErrorKind::TooNew.into()),
        };
        Ok(Self { source, header, marks, last: None, owner: None, ended: false })
    }

    /// What the records are of; `None` in version 1, which did not say.
    pub const fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Where the feed stood; nobody knows of version 1.
    pub const fn marks(&self) -> &FeedMarks {
        &self.marks
    }

    fn read(&mut self) -> Result<Option<(Key, Record)>, StoreError> {
        let next = match &mut self.source {
            Source::Version1 { content, at, left } => next_of_version_1(content, at, left)?,
            Source::Stream(stream) => {
                if let Some(part) = stream.part()? {
                    let record = keyed(part);
                    Some(record.map_err(|kind| stream.confirm(kind))?)
                } else {
                    stream.end()?;
                    None
                }
            }
        };
        let Some((key, record)) = next else {
            return if self.last.is_some() { Ok(None) } else { Err(StoreErrorKind::Corrupt.into()) };
        };
        if !self.may_follow(&key, &record) {
            return Err(StoreErrorKind::Corrupt.into());
        }
        self.last = Some(key.clone());
        Ok(Some((key, record)))
    }

    /// Whether it is of the key's kind, behind the one before, and not of somebody without a record.
    fn may_follow(&mut self, key: &Key, record: &Record) -> bool {
        let is_of_kind = matches!(
            (key, record),
            (Key::Horizon, Record::Horizon(_))
                | (Key::Player(_), Record::Player(_))
                | (Key::Outcome(..), Record::Outcome(_))
                | (Key::Receipt(..), Record::Receipt(_))
                | (Key::Suspicion(..), Record::Suspicion(_))
        );
        if let Key::Player(player) = key {
            self.owner = Some(player.clone());
        }
        let is_first = matches!(key, Key::Horizon);
        is_of_kind
            && is_first == self.last.is_none()
            && self.last.as_ref() < Some(key)
            && key.player() == self.owner.as_ref()
    }
}

impl<R: Read> Iterator for SnapshotReader<R> {
    type Item = Result<(Key, Record), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn begin(mut part: &[u8]) -> Result<(Header, FeedMarks), StoreErrorKind> {
    let corrupt = StoreErrorKind::Corrupt;
    let len = u64::take(&mut part).and_then(|len| usize::try_from(len).ok()).ok_or(corrupt)?;
    let (header, mut marks) = part.split_at_checked(len).ok_or(corrupt)?;
    let header = Header::decode(header)?;
    let marks = FeedMarks::take(&mut marks).filter(|_| marks.is_empty()).ok_or(corrupt)?;
    Ok((header, marks))
}

fn keyed(mut part: &[u8]) -> Result<(Key, Record), StoreErrorKind> {
    let key = Key::take(&mut part).ok_or(StoreErrorKind::Corrupt)?;
    Ok((key, Record::decode(part)?))
}

fn version_1<R: Read>(mut stream: Stream<R>, head: &[u8]) -> Result<Source<R>, StoreError> {
    let mut bytes = head.to_vec();
    stream.from.read_to_end(&mut bytes).map_err(unavailable)?;
    let mut content = VERSION_1.open(&bytes)?;
    let left = u64::take(&mut content).ok_or(StoreErrorKind::Corrupt)?;
    Ok(Source::Version1 { content: content.to_vec(), at: 0, left })
}

fn next_of_version_1(content: &[u8], at: &mut usize, left: &mut u64) -> Result<Option<(Key, Record)>, StoreErrorKind> {
    let mut rest = content.get(*at..).unwrap_or_default();
    if *left == 0 {
        return if rest.is_empty() { Ok(None) } else { Err(StoreErrorKind::Corrupt) };
    }
    let key = Key::take(&mut rest).ok_or(StoreErrorKind::Corrupt)?;
    let record = Record::take_known(&mut rest)?;
    (*at, *left) = (content.len() - rest.len(), *left - 1);
    Ok(Some((key, record)))
}

/// Bytes as they come, and the hash over what was read.
#[derive(Debug)]
struct Stream<R> {
    from: io::BufReader<R>,
    sha: Sha256,
    part: Vec<u8>,
}

impl<R: Read> Stream<R> {
    fn new(from: R) -> Self {
        Self { from: io::BufReader::new(from), sha: Sha256::new(), part: Vec::new() }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.from.read_exact(bytes).map_err(unreadable)?;
        self.sha.update(bytes);
        Ok(())
    }

    /// The next part; `None` at the end mark. Memory is taken as bytes come, not on the word of a length.
    fn part(&mut self) -> Result<Option<&[u8]>, StoreError> {
        let len = self.len()?;
        if len == 0 {
            return Ok(None);
        }
        if len > SNAPSHOT_PART_BYTES_MAX {
            return Err(StoreErrorKind::Corrupt.into());
        }
        self.part.clear();
        (&mut self.from).take(len).read_to_end(&mut self.part).map_err(unreadable)?;
        if self.part.len() as u64 != len {
            return Err(StoreErrorKind::Corrupt.into());
        }
        self.sha.update(&self.part);
        Ok(Some(&self.part))
    }

    fn len(&mut self) -> Result<u64, StoreError> {
        let (mut bytes, mut read) = ([0; 10], 0);
        loop {
            let Some(next) = bytes.get_mut(read..=read) else { return Err(StoreErrorKind::Corrupt.into()) };
            self.fill(next)?;
            read += 1;
            if bytes[read - 1] < 0x80 {
                return u64::take(&mut &bytes[..read]).ok_or_else(|| StoreErrorKind::Corrupt.into());
            }
        }
    }

    /// Behind the end mark: the seal, and then nothing.
    fn end(&mut self) -> Result<(), StoreError> {
        let sealed: [u8; 32] = self.sha.finalize_reset().into();
        let (mut seal, mut more) = ([0; 32], [0]);
        self.fill(&mut seal)?;
        let is_end = loop {
            match self.from.read(&mut more) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(unreadable)? == 0,
            }
        };
        if is_end && Digest(seal) == Digest(sealed) { Ok(()) } else { Err(StoreErrorKind::Corrupt.into()) }
    }

    /// A fault of content. That something is of a later version holds only if the seal does.
    fn confirm(&mut self, kind: StoreErrorKind) -> StoreError {
        if kind != StoreErrorKind::TooNew {
            return kind.into();
        }
        loop {
            match self.part().map(|part| part.is_some()) {
                Ok(true) => {}
                Ok(false) => return self.end().err().unwrap_or_else(|| kind.into()),
                Err(error) => return error,
            }
        }
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, error)
}

/// What ends too early is no snapshot; anything else is the reader's.
fn unreadable(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => StoreErrorKind::Corrupt.into(),
        _ => unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CommandId;
    use crate::id::{EventId, Origin};
    use crate::record::{Effect, Player, StoredOutcome};
    use crate::time::Timestamp;

    const HORIZON: Horizon = Horizon { now: Timestamp::from_unix_millis(7), forgotten_before: Timestamp::MIN };

    fn player(id: &str) -> PlayerId {
        PlayerId::new(id).unwrap()
    }

    fn records() -> Vec<(Key, Record)> {
        let command = CommandId { origin: Origin::Event, id: EventId::new("e1").unwrap() };
        let outcome = StoredOutcome { fingerprint: 5, ts: Timestamp::from_unix_millis(3), effect: Effect::default() };
        let of = |version| Record::Player(Player { version, ..Player::default() }.into());
        vec![
            (Key::Player(player("ana")), of(1)),
            (Key::Outcome(player("ana"), command), Record::Outcome(outcome.into())),
            (Key::Player(player("bo")), of(2)),
        ]
    }

    fn marks() -> FeedMarks {
        let mark = |name: &str, acked: &[u64]| ConsumerMark { consumer: Id::new(name).unwrap(), acked: acked.to_vec() };
        FeedMarks { last: vec![9, 300], consumers: vec![mark("bus", &[9, 0]), mark("log", &[1, 300])] }
    }

    fn header() -> Header {
        Header { game: Some("golden".to_owned()), ..Header::default() }
    }

    fn written(records: &[(Key, Record)]) -> Vec<u8> {
        let mut writer = SnapshotWriter::new(Vec::new(), &header(), &marks(), HORIZON).unwrap();
        for (key, record) in records {
            writer.record(key, &record.encode()).unwrap();
        }
        writer.finish().unwrap()
    }

    fn sealed_1(records: &[(Key, Record)]) -> Vec<u8> {
        VERSION_1.close(|out| records.to_vec().put(out))
    }

    fn read(bytes: &[u8]) -> Result<Vec<(Key, Record)>, StoreErrorKind> {
        let all = SnapshotReader::open(bytes).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        all.map_err(|error| error.kind)
    }

    fn whole(records: &[(Key, Record)]) -> Vec<(Key, Record)> {
        [&[(Key::Horizon, Record::Horizon(HORIZON))], records].concat()
    }

    #[test]
    fn what_is_written_comes_back() {
        let bytes = written(&records());
        let reader = SnapshotReader::open(&bytes[..]).unwrap();
        assert_eq!((reader.header(), reader.marks()), (Some(&header()), &marks()));
        assert_eq!(read(&bytes), Ok(whole(&records())));
        let of_version_1 = sealed_1(&whole(&records()));
        let reader = SnapshotReader::open(&of_version_1[..]).unwrap();
        assert_eq!((reader.header(), reader.marks()), (None, &FeedMarks::default()));
        assert_eq!(read(&of_version_1), Ok(whole(&records())));
    }

    /// No part of it is one, nor is it with a bit the other way, or with more behind it.
    #[test]
    fn what_is_cut_or_flipped_is_refused() {
        for bytes in [written(&records()), sealed_1(&whole(&records()))] {
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), Err(StoreErrorKind::Corrupt), "cut at {end}");
            }
            for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                // Of the version's own byte nobody can tell.
                let kind = read(&other).expect_err("not what was written");
                assert!(kind == StoreErrorKind::Corrupt || at == 16, "bit {bit} of byte {at}: {kind:?}");
            }
            assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(StoreErrorKind::Corrupt));
        }
    }

    #[test]
    fn records_stand_once_and_in_order_behind_their_player() {
        let all = records();
        let swapped = [all[2].clone(), all[0].clone()];
        let misplaced = [(all[0].0.clone(), all[1].1.clone())];
        let twice = [all[0].clone(), all[0].clone()];
        let orphan = [all[1].clone()];
        let horizon = whole(&[]);
        for bad in [&swapped[..], &misplaced, &twice, &orphan, &horizon] {
            assert_eq!(read(&written(bad)), Err(StoreErrorKind::Corrupt), "{bad:?}");
            assert_eq!(read(&sealed_1(&whole(bad))), Err(StoreErrorKind::Corrupt), "{bad:?}");
        }
        assert_eq!(read(&sealed_1(&all)), Err(StoreErrorKind::Corrupt), "no horizon");
        assert_eq!(read(&sealed_1(&[])), Err(StoreErrorKind::Corrupt), "nothing");
    }

    /// It is told only of bytes that are otherwise sound.
    #[test]
    fn a_later_version_is_known_as_such() {
        let later = |spoiled: bool| {
            let mut writer = SnapshotWriter::new(Vec::new(), &header(), &marks(), HORIZON).unwrap();
            writer.record(&Key::Player(player("ana")), &[1, 99, 5]).unwrap();
            writer.record(&Key::Player(player("bo")), &records()[2].1.encode()).unwrap();
            let mut bytes = writer.finish().unwrap();
            let last = bytes.len() - 40;
            bytes[last] ^= u8::from(spoiled);
            read(&bytes)
        };
        assert_eq!(later(false), Err(StoreErrorKind::TooNew));
        assert_eq!(later(true), Err(StoreErrorKind::Corrupt));
        let mut bytes = written(&[]);
        bytes[16] = 3;
        assert_eq!(read(&bytes), Err(StoreErrorKind::TooNew));
        bytes[16] = 0;
        assert_eq!(read(&bytes), Err(StoreErrorKind::Corrupt));
    }

    #[test]
    fn a_length_that_lies_takes_no_memory() {
        for len in [SNAPSHOT_PART_BYTES_MAX, SNAPSHOT_PART_BYTES_MAX + 1, u64::MAX] {
            let bytes = [&HEAD[..], &[VERSION], &len.to_bytes(), &[1, 2, 3]].concat();
            assert_eq!(read(&bytes), Err(StoreErrorKind::Corrupt));
        }
        let bytes = [&HEAD[..], &[VERSION], &[0xff; 11]].concat();
        assert_eq!(read(&bytes), Err(StoreErrorKind::Corrupt));
    }

    #[test]
    fn a_fault_of_reading_or_writing_is_not_one_of_the_bytes() {
        #[derive(Debug)]
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("a broken pipe"))
            }
        }
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("a full disk"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let bytes = written(&records());
        for end in 0..bytes.len() {
            let mut reader = match SnapshotReader::open(bytes[..end].chain(Broken)) {
                Ok(reader) => reader,
                Err(error) => {
                    assert_eq!(error.kind, StoreErrorKind::Unavailable);
                    continue;
                }
            };
            let error = reader.find_map(Result::err).unwrap();
            assert_eq!((error.kind, error.source.is_some()), (StoreErrorKind::Unavailable, true), "cut at {end}");
            assert!(reader.next().is_none(), "once");
        }
        let writer = SnapshotWriter::new(Broken, &header(), &marks(), HORIZON);
        let error = writer.and_then(SnapshotWriter::finish).unwrap_err();
        assert_eq!((error.kind, error.source.is_some()), (StoreErrorKind::Unavailable, true));
    }

    #[test]
    fn cursors_begin_a_new_epoch_and_copies_are_apart() {
        let is_base = |last: u64| last > 0 && last.trailing_zeros() >= 32;
        let moved = marks().in_new_epoch(3);
        assert!(
            is_base(moved.last[0]) && moved.last.iter().all(|last| *last == moved.last[0]) && moved.last.len() == 3
        );
        assert!(moved.is_sound() && moved.consumers.iter().all(|mark| mark.acked == moved.last));
        assert!(moved.in_new_epoch(1).last[0] > moved.last[0]);
        assert!(is_base(FeedMarks::default().in_new_epoch(1).last[0]), "of before there were marks");
        let copies: std::collections::BTreeSet<_> = (0..50).map(|_| marks().in_new_epoch(1).last).collect();
        assert!(copies.len() > 40, "two copies of one snapshot are hardly ever in one epoch");
        let end = FeedMarks { last: vec![LAST_MAX, 0], consumers: Vec::new() };
        assert!(end.is_sound() && end.in_new_epoch(1).last[0] > LAST_MAX);
        let beyond = FeedMarks { last: vec![LAST_MAX + 1], consumers: Vec::new() };
        assert_eq!(FeedMarks::take(&mut &beyond.to_bytes()[..]), None, "no room to rise");
    }
}
