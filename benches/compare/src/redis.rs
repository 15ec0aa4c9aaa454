//! What it takes to talk to a Redis of the testbed.
//!
//! The protocol is RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>, as much of it as sorted sets
//! answer with. The client crates would bring a hundred others along.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use liveops_testbed::Redis;

/// A connection, with commands that wait to be sent together.
#[derive(Debug)]
pub struct Client {
    socket: BufReader<UnixStream>,
    queued: Vec<u8>,
    waiting: usize,
}

/// An answer. An error is no answer: it fails the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is no such thing.
    Nil,
    /// A count, a rank.
    Integer(i64),
    /// A status, a member, a score: scores come as text.
    Text(String),
    /// A page.
    List(Vec<Reply>),
}

impl Client {
    /// A new connection.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(server: &Redis) -> Result<Self, String> {
        let socket = UnixStream::connect(server.socket()).map_err(|error| error.to_string())?;
        Ok(Self { socket: BufReader::with_capacity(1 << 16, socket), queued: Vec::new(), waiting: 0 })
    }

    /// Adds a command to those that wait.
    pub fn queue<W: AsRef<[u8]>>(&mut self, command: &[W]) {
        let mut put = |text: &[&[u8]]| text.iter().for_each(|part| self.queued.extend_from_slice(part));
        put(&[b"*", command.len().to_string().as_bytes(), b"\r\n"]);
        for word in command.iter().map(AsRef::as_ref) {
            put(&[b"$", word.len().to_string().as_bytes(), b"\r\n", word, b"\r\n"]);
        }
        self.waiting += 1;
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends all that wait at once, and returns their answers in order.
    ///
    /// # Errors
    /// The first command that was refused, or a broken connection.
    pub fn send(&mut self) -> Result<Vec<Reply>, String> {
        self.socket.get_mut().write_all(&self.queued).map_err(|error| error.to_string())?;
        self.queued.clear();
        (0..std::mem::take(&mut self.waiting)).map(|_| self.reply()).collect()
    }

    /// One command and its answer.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn call(&mut self, command: &[&str]) -> Result<Reply, String> {
        self.queue(command);
        self.send()?.pop().ok_or_else(|| "no answer".to_owned())
    }

    fn reply(&mut self) -> Result<Reply, String> {
        let mut line = String::new();
        self.socket.read_line(&mut line).map_err(|error| error.to_string())?;
        let strange = || format!("a strange answer: {line:?}");
        let (kind, rest) = line.trim_end().split_at_checked(1).ok_or_else(strange)?;
        let length = || rest.parse::<i64>().map_err(|_| strange()).map(|length| usize::try_from(length).ok());
        Ok(match kind {
            "+" => Reply::Text(rest.to_owned()),
            ":" => Reply::Integer(rest.parse().map_err(|_| strange())?),
            "$" => match length()? {
                Some(length) => Reply::Text(self.text(length)?),
                None => Reply::Nil,
            },
            "*" => match length()? {
                Some(length) => Reply::List((0..length).map(|_| self.reply()).collect::<Result<_, _>>()?),
                None => Reply::Nil,
            },
            "-" => return Err(rest.to_owned()),
            _ => return Err(strange()),
        })
    }

    fn text(&mut self, length: usize) -> Result<String, String> {
        let mut bytes = vec![0; length + 2];
        self.socket.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        bytes.truncate(length);
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
}

impl Reply {
    /// A count or a rank, or a score that is an integer.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// A page with scores.
    pub fn scored(&self) -> Option<Vec<(String, i64)>> {
        let Self::List(items) = self else { return None };
        items
            .chunks(2)
            .map(|pair| match pair {
                [Self::Text(member), score] => Some((member.clone(), score.integer()?)),
                _ => None,
            })
            .collect()
    }
}
