//! The traits through pointers: a reference, a box or an `Arc` of a store is one, also of `dyn` [`FullStore`](super::FullStore).

use std::io::{Read, Write};
use std::sync::Arc;

use super::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncTail, AsyncWhole, BoardAnswer, BoardRead, Boards, Consumer,
    ConsumerMark, Feed, FeedEntry, Keeps, Lag, Loaded, Partitioned, Scan, Size, Store, TailPage, Whole,
};
use crate::board::Row;
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Kind, Record};

type Page = Result<Vec<(Key, Record)>, StoreError>;

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<S: Store + ?Sized> Store for $pointer {
            fn load(&self, keys: &[Key]) -> Vec<Loaded> {
                (**self).load(keys)
            }
            fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
                (**self).commit(batch)
            }
            fn drive(&self, plan: &mut Plan<'_>) {
                (**self).drive(plan);
            }
            fn round_players(&self) -> usize {
                (**self).round_players()
            }
            fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
                (**self).advance(to)
            }
            fn header(&self) -> Result<Header, StoreError> {
                (**self).header()
            }
            fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
                (**self).replace_header(expected, new)
            }
        }

        impl<S: Partitioned + ?Sized> Partitioned for $pointer {
            fn partitions(&self) -> u16 {
                (**self).partitions()
            }
        }

        impl<S: Scan + ?Sized> Scan for $pointer {
            fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
                (**self).scan(partition, kind, after, limit)
            }
            fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
                (**self).scan_player(player, kind, after, limit)
            }
        }

        impl<S: Boards + ?Sized> Boards for $pointer {
            fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
                (**self).read(reads)
            }
            fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
                (**self).retain(keep)
            }
            fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
                (**self).rebuild(keep)
            }
            fn catch_up(&self) -> Result<(), StoreError> {
                (**self).catch_up()
            }
            fn horizon(&self) -> Horizon {
                (**self).horizon()
            }
            fn lag(&self) -> Result<Lag, StoreError> {
                (**self).lag()
            }
            fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
                (**self).note_final(key, rows)
            }
        }

        impl<S: Feed + ?Sized> Feed for $pointer {
            fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
                (**self).feed(partition, after, limit)
            }
            fn last(&self, partition: u16) -> Result<u64, StoreError> {
                (**self).last(partition)
            }
            fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
                (**self).ack(consumer, partition, through)
            }
            fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
                (**self).drop_consumer(consumer)
            }
            fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
                (**self).consumers()
            }
        }

        impl<S: Whole + ?Sized> Whole for $pointer {
            fn digest(&self) -> Result<String, StoreError> {
                (**self).digest()
            }
            fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
                (**self).snapshot(to)
            }
            fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
                (**self).restore(from)
            }
            fn size(&self) -> Result<Size, StoreError> {
                (**self).size()
            }
        }

        impl<S: AsyncStore + ?Sized> AsyncStore for $pointer {
            fn load(&self, keys: &[Key]) -> impl Future<Output = Vec<Loaded>> + Send {
                (**self).load(keys)
            }
            fn commit(&self, batch: Vec<ChangeSet>) -> impl Future<Output = Vec<CommitOutcome>> + Send {
                (**self).commit(batch)
            }
            fn round_players(&self) -> usize {
                (**self).round_players()
            }
            fn advance(&self, to: Horizon) -> impl Future<Output = Result<Horizon, StoreError>> + Send {
                (**self).advance(to)
            }
            fn header(&self) -> impl Future<Output = Result<Header, StoreError>> + Send {
                (**self).header()
            }
            fn replace_header(&self, expected: &Header, new: &Header) -> impl Future<Output = Result<bool, StoreError>> + Send {
                (**self).replace_header(expected, new)
            }
        }

        impl<S: AsyncScan + ?Sized> AsyncScan for $pointer {
            fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> impl Future<Output = Page> + Send {
                (**self).scan(partition, kind, after, limit)
            }
            fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> impl Future<Output = Page> + Send {
                (**self).scan_player(player, kind, after, limit)
            }
        }

        impl<S: AsyncBoards + ?Sized> AsyncBoards for $pointer {
            fn read(&self, reads: &[BoardRead]) -> impl Future<Output = Vec<Result<BoardAnswer, StoreError>>> + Send {
                (**self).read(reads)
            }
            fn retain(&self, keep: Keeps<'_>) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).retain(keep)
            }
            fn rebuild(&self, keep: Keeps<'_>) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).rebuild(keep)
            }
            fn catch_up(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).catch_up()
            }
            fn horizon(&self) -> Horizon {
                (**self).horizon()
            }
            fn lag(&self) -> impl Future<Output = Result<Lag, StoreError>> + Send {
                (**self).lag()
            }
            fn note_final(&self, key: &BoardKey, rows: &[Row]) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).note_final(key, rows)
            }
        }

        impl<S: AsyncTail + ?Sized> AsyncTail for $pointer {
            fn partition_of(&self, player: &PlayerId) -> u16 {
                (**self).partition_of(player)
            }
            fn tail(&self, after: &[u64], limit: usize) -> impl Future<Output = Vec<Result<TailPage, StoreError>>> + Send {
                (**self).tail(after, limit)
            }
            fn advanced_to(&self) -> impl Future<Output = Result<Horizon, StoreError>> + Send {
                (**self).advanced_to()
            }
            fn begins(&self) -> impl Future<Output = Result<Vec<u64>, StoreError>> + Send {
                (**self).begins()
            }
            fn ends(&self) -> impl Future<Output = Result<Vec<u64>, StoreError>> + Send {
                (**self).ends()
            }
        }

        impl<S: AsyncFeed + ?Sized> AsyncFeed for $pointer {
            fn feed(&self, partition: u16, after: u64, limit: usize) -> impl Future<Output = Result<Vec<FeedEntry>, StoreError>> + Send {
                (**self).feed(partition, after, limit)
            }
            fn last(&self, partition: u16) -> impl Future<Output = Result<u64, StoreError>> + Send {
                (**self).last(partition)
            }
            fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).ack(consumer, partition, through)
            }
            fn drop_consumer(&self, consumer: &Consumer) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).drop_consumer(consumer)
            }
            fn consumers(&self) -> impl Future<Output = Result<Vec<ConsumerMark>, StoreError>> + Send {
                (**self).consumers()
            }
        }

        impl<S: AsyncWhole + ?Sized> AsyncWhole for $pointer {
            fn digest(&self) -> impl Future<Output = Result<String, StoreError>> + Send {
                (**self).digest()
            }
            fn snapshot(&self, to: &mut (dyn Write + Send)) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).snapshot(to)
            }
            fn restore(&self, from: &mut (dyn Read + Send)) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).restore(from)
            }
            fn size(&self) -> impl Future<Output = Result<Size, StoreError>> + Send {
                (**self).size()
            }
        }
    )+};
}
forward!(&S, Box<S>, Arc<S>);
