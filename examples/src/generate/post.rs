//! How events are written and sent.

use liveops_core::Timestamp;
use liveops_core::signing::{Secret, SignatureError, Signer};

use super::crowd::Player;
use super::play::Deed;
use crate::line::Line;
use crate::random::SplitMix64;

/// One event, as the sender knows it.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) id_in_body: bool,
    pub(super) player: String,
    pub(super) kind: &'static str,
    pub(super) ts: i64,
    pub(super) payload: String,
    pub(super) sent_ms: i64,
}

impl Event {
    pub(super) fn new(player: &Player, deed: Deed, random: &mut SplitMix64) -> Self {
        Self {
            id: id(random),
            id_in_body: player.id_in_body,
            player: player.name.clone(),
            kind: deed.kind,
            ts: deed.at_ms.div_euclid(1000),
            payload: deed.payload,
            sent_ms: deed.at_ms + random.between(20, 400),
        }
    }

    pub(super) fn body(&self) -> String {
        let Self { id, player, kind, ts, payload, .. } = self;
        let id = if self.id_in_body { format!(r#""id":"{id}","#) } else { String::new() };
        format!(r#"{{{id}"type":"{kind}","playerId":"{player}","ts":{ts},"payload":{payload}}}"#)
    }
}

pub(super) fn id(random: &mut SplitMix64) -> String {
    format!("evt_{:016x}", random.next())
}

/// Signs, and carries to the server.
#[derive(Debug)]
pub(super) struct Post {
    signer: Signer,
    /// Somebody who does not know the secret.
    forger: Signer,
}

impl Post {
    pub(super) fn new(secret: &str) -> Result<Self, SignatureError> {
        Ok(Self { signer: Signer::new(secret)?, forger: Signer::new(Secret::generate([0x66; 32]))? })
    }

    /// An event, signed when it is sent.
    pub(super) fn send(&self, event: &Event, random: &mut SplitMix64) -> Line {
        self.send_body(&event.id, event.body(), event.sent_ms, random)
    }

    /// Any body, signed when it is sent.
    pub(super) fn send_body(&self, id: &str, body: String, sent_ms: i64, random: &mut SplitMix64) -> Line {
        let received_at = Timestamp::from_unix_millis(sent_ms + random.between(30, 500));
        let headers = headers(&self.signer, id, &body, sent_ms);
        Line { received_at, headers, body }
    }

    /// The same, signed with another secret.
    pub(super) fn forge(&self, event: &Event, random: &mut SplitMix64) -> Line {
        let line = self.send(event, random);
        let headers = headers(&self.forger, &event.id, &line.body, event.sent_ms);
        Line { headers, ..line }
    }
}

/// The three of Standard Webhooks; none for an id or a time that cannot be signed, and there are no such here.
fn headers(signer: &Signer, id: &str, body: &str, at_ms: i64) -> Vec<(String, String)> {
    let made = signer.sign(id, body.as_bytes(), Timestamp::from_unix_millis(at_ms));
    made.iter().flat_map(|signed| signed.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// Of a header, the value to change.
pub(super) fn header<'l>(line: &'l mut Line, name: &str) -> &'l mut String {
    let at = line.headers.iter().position(|(known, _)| known == name);
    let at = at.unwrap_or_else(|| {
        line.headers.push((name.to_owned(), String::new()));
        line.headers.len() - 1
    });
    &mut line.headers[at].1
}
