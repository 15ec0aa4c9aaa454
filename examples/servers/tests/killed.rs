//! The server is killed under load, and everything that a client saw accepted is there.
#![expect(clippy::unwrap_used, reason = "tests: what fails here should say where")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use liveops_core::signing::{Secret, Signer};
use liveops_core::testing::EventBuilder;
use liveops_core::{Engine, PlayerId, Rules, Timestamp};
use liveops_sqlite::SqliteStore;

const SECRET: &str = include_str!("../../data/secret.txt");
const RULES: &str = include_str!("../../data/rules.json");
const CLIENTS: usize = 4;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(file: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_axum_app"))
            .arg(file)
            .env("LIVEOPS_SECRET", SECRET.trim())
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap_or_else(|| panic!("says where it listens: {line:?}"));
        Self { address: address.to_owned(), child }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Sends one request on a connection of its own; the status, and the body. `None` if the server was gone.
fn request(address: &str, head: &str, body: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    stream
        .write_all(format!("{head}Host: game\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n").as_bytes())
        .ok()?;
    stream.write_all(body).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

#[expect(clippy::disallowed_methods, reason = "the server goes by the clock, so its clients do")]
fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

/// Sends events of one player until the server is gone; how many were accepted.
fn play(address: &str, player: &str, round: usize) -> u64 {
    let key = Signer::new(Secret::parse(SECRET.trim()).unwrap()).unwrap();
    for number in 0.. {
        let (id, now) = (format!("{player}-{round}-{number}"), now());
        let body = EventBuilder::progression(player, 1, now).body();
        let signed = key.sign(&id, &body, now).unwrap();
        let headers: Vec<String> = signed.pairs().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST /events HTTP/1.1\r\n{}", headers.concat());
        match request(address, &head, &body) {
            Some((202, _)) => {}
            // The door's quota is used up, or the server is gone.
            Some((429, _)) | None => return number,
            Some((status, body)) => panic!("{status}: {body}"),
        }
    }
    0
}

#[test]
fn what_a_client_saw_accepted_is_there_once() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("killed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("game.db");
    let mut accepted = [0_u64; CLIENTS];
    for round in 0..5 {
        let server = Server::start(&file);
        let address = server.address.clone();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let address = address.clone();
                thread::spawn(move || play(&address, &format!("p{client}"), round))
            })
            .collect();
        thread::sleep(Duration::from_millis(150));
        server.kill();
        for (sum, client) in accepted.iter_mut().zip(clients) {
            *sum += client.join().unwrap();
        }
    }
    assert!(accepted.iter().all(|sum| *sum > 0), "the server answered before it was killed: {accepted:?}");

    let rules = Rules::from_json(RULES).unwrap();
    let store = SqliteStore::open(&file, rules.game()).unwrap();
    let engine = Engine::open(rules, store).unwrap();
    for (client, accepted) in accepted.into_iter().enumerate() {
        let player = engine.player(&PlayerId::new(&format!("p{client}")).unwrap()).unwrap().unwrap();
        // One event a round may have been taken in without its answer getting through.
        let taken = player.version;
        assert!((accepted..=accepted + 5).contains(&taken), "{accepted} accepted, {taken} taken in");
    }
    drop(engine);
    fs::remove_dir_all(&folder).unwrap();
}
