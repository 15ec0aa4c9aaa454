//! What a caller of an asynchronous store may rely on who stops waiting.

use std::pin::pin;
use std::task::Poll;

use super::sample::{parts, player, set};
use crate::record::{CommitOutcome, Key};
use crate::store::{AsyncStore, BlockOn};

/// More often than anybody has to be asked.
const POLLS_MAX: usize = 200;

/// A commit whose future is dropped half way is like one whose answer is lost: it is written whole or not at all, set by set, and
/// holds nobody up.
pub(super) fn a_dropped_commit_is_whole_or_absent<S: AsyncStore, X: BlockOn>(
    new_store: &dyn Fn() -> S,
    runtime: &dyn Fn() -> X,
) {
    for polls in 0..POLLS_MAX {
        let store = new_store();
        let done = runtime().block_on(async {
            let done = {
                let mut commit = pin!(store.commit(vec![set("a", 0), set("b", 0)]));
                let mut left = polls;
                std::future::poll_fn(|context| {
                    if left == 0 {
                        return Poll::Ready(false);
                    }
                    left -= 1;
                    commit.as_mut().poll(context).map(|_| true)
                })
                .await
            };
            for name in ["a", "b"] {
                let keys = [&[Key::Player(player(name))], &parts(name, 1)[..]].concat();
                let answers = store.load(&keys).await.into_iter().map(|answer| answer.expect("a load").is_some());
                let present: Vec<bool> = answers.collect();
                let whole = present.iter().all(|there| *there);
                assert!(whole || !present.contains(&true), "dropped after {polls} polls, half of a set is written");
                assert!(whole || !done, "a commit that answered is written");
            }
            let after = store.commit(vec![set("c", 0)]).await;
            assert!(matches!(&after[..], [CommitOutcome::Applied]), "a commit that was dropped holds nobody up");
            done
        });
        if done.expect("the kit is run where one may wait") {
            return;
        }
    }
    panic!("a commit was asked {POLLS_MAX} times and is not done");
}
