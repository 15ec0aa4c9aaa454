//! Sorted sets of a Redis, each with all players of the workload: the peer of rows about boards.

use liveops_testbed::Redis;

use crate::redis::{Client, Reply};
use crate::workload::{Drawn, players};

/// Commands that are sent together.
const PIPELINED: usize = 100;

/// A server and a connection to it.
#[derive(Debug)]
pub struct SortedSets {
    server: Redis,
    client: Client,
    keys: &'static [&'static str],
}

impl SortedSets {
    /// Starts a server and gives each key so many players with their first scores.
    ///
    /// # Errors
    /// There is no server.
    pub fn new(keys: &'static [&'static str], len: u64) -> Result<Self, String> {
        let server = Redis::start(&[])?;
        let mut client = Client::connect(&server)?;
        for key in keys {
            for (id, score) in players(len) {
                client.queue(&["ZADD", key, &score.to_string(), &id]);
                send_if(&mut client, PIPELINED)?;
            }
        }
        send_if(&mut client, 1)?;
        Ok(Self { server, client, keys })
    }

    /// The keys.
    pub const fn keys(&self) -> &'static [&'static str] {
        self.keys
    }

    /// One round: the commands that each event queues, sent 100 at once. Returns what the server used of a processor for an
    /// event, in nanoseconds.
    ///
    /// # Errors
    /// The server refuses a command, does not know a player, or its time cannot be read.
    pub fn time(&mut self, drawn: &Drawn, mut queue: impl FnMut(&mut Client, &str, &str)) -> Result<f64, String> {
        let used = |server: &Redis| server.processor_ns().ok_or("no /proc/<pid>/schedstat: this row needs Linux");
        let before = used(&self.server)?;
        for (id, points) in drawn.iter() {
            queue(&mut self.client, id, &points.to_string());
            send_if(&mut self.client, PIPELINED)?;
        }
        send_if(&mut self.client, 1)?;
        Ok((used(&self.server)? - before) as f64 / drawn.len() as f64)
    }

    /// The highest scores of a set, best first.
    ///
    /// # Errors
    /// The server does not answer with scores.
    pub fn best_scores(&mut self, key: &str, len: usize) -> Result<Vec<i64>, String> {
        let reply = self.client.call(&["ZREVRANGE", key, "0", &(len - 1).to_string(), "WITHSCORES"])?;
        let rows = reply.scored().ok_or("no scores")?;
        Ok(rows.into_iter().map(|(_, score)| score).collect())
    }

    /// What all sets take together: keys, members, scores and tables, each looked at and none estimated.
    ///
    /// # Errors
    /// The server does not answer with a number.
    pub fn bytes(&mut self) -> Result<f64, String> {
        let mut sum = 0;
        for key in self.keys {
            let usage = self.client.call(&["MEMORY", "USAGE", key, "SAMPLES", "0"])?;
            sum += usage.integer().ok_or("no memory usage")?;
        }
        Ok(sum as f64)
    }
}

/// Sends what waits, if so many do.
fn send_if(client: &mut Client, waiting: usize) -> Result<(), String> {
    if client.waiting() >= waiting && client.send()?.contains(&Reply::Nil) {
        return Err("the server does not know a player".to_owned());
    }
    Ok(())
}
