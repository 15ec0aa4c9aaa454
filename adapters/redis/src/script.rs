//! Scripts: sent by their hash, and whole to a server that does not have them yet.

use std::sync::LazyLock;

use redis::{Arg, Cmd};

use crate::error::Fault;
use crate::link::{Answer, Ask, Link};

/// A script and its hash.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) body: &'static str,
    hash: String,
}

macro_rules! scripts {
    ($($name:ident $file:literal),+ $(,)?) => {
        $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!(concat!("lua/", $file, ".lua"))));)+
        /// All of them, to be put where they will be needed.
        pub(crate) fn every() -> Vec<&'static Script> {
            vec![$(&*$name),+]
        }
    };
}

scripts!(
    COMMIT "commit", RAISE "raise", GLOBAL "global", GONE "gone", SWEEP "sweep", OPEN "open", BEGIN "begin", SET "set",
    HEADER "header", FEED "feed", CONSUMER "consumer", TRIM "trim", EMPTY "empty", FILLED "filled", EMPTIED "emptied",
);

impl Script {
    fn new(body: &'static str) -> Self {
        Self { body, hash: redis::Script::new(body).get_hash().to_owned() }
    }

    /// A call, its keys to be followed by its arguments.
    pub(crate) fn call<K: AsRef<[u8]>>(&self, keys: &[K]) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.hash).arg(keys.len());
        for key in keys {
            command.arg(key.as_ref());
        }
        command
    }

    /// The same call with the script in it.
    fn whole(&self, call: &Cmd) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.body);
        for arg in call.args_iter().skip(2) {
            if let Arg::Simple(arg) = arg {
                command.arg(arg);
            }
        }
        command
    }

    /// The answers to calls, each for a partition, in order.
    pub(crate) async fn run(&self, link: &Link, calls: &[Ask], replicas: u16) -> Vec<Answer> {
        let mut answers = link.all_replicated(calls, replicas).await;
        let is_unknown = |answer: &Answer| answer.as_ref().is_err_and(|fault| fault.code() == "NOSCRIPT");
        let unknown: Vec<usize> = (0..answers.len()).filter(|at| is_unknown(&answers[*at])).collect();
        if !unknown.is_empty() {
            let whole: Vec<Ask> = unknown
                .iter()
                .map(|at| Ask { slot: calls[*at].slot, command: self.whole(&calls[*at].command) })
                .collect();
            for (at, answer) in unknown.into_iter().zip(link.all_replicated(&whole, replicas).await) {
                answers[at] = answer;
            }
        }
        answers
    }

    /// The answer to one call.
    pub(crate) async fn run_one(&self, link: &Link, call: Ask, replicas: u16) -> Answer {
        self.run(link, &[call], replicas).await.pop().unwrap_or(Err(Fault::Strange))
    }
}
