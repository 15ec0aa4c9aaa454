//! A proxy between a client and a server that fails when it is told to, and counts.
//!
//! It knows bytes, no protocol. A **flight** is what a client sends until something comes back: so a load or a commit is
//! one flight, however many commands or packets it takes, as long as each waits for the one before.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::folder::Folder;

const CHUNK_BYTES: usize = 1 << 16;
/// PostgreSQL's clients insist on this name; others take any.
const SOCKET: &str = ".s.PGSQL.5432";

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A socket in a folder.
    Socket(PathBuf),
    /// A port of the loopback.
    Port(u16),
}

/// A server that a proxy can stand before.
pub trait Served {
    /// Where it listens.
    fn place(&self) -> Place;
    /// What its clients call a socket that leads to it.
    fn url_at(&self, socket: &Path) -> String;
}

/// What goes wrong with one flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches the server, and the connection ends.
    LoseRequest,
    /// Half of it reaches the server, and the connection ends.
    HalfRequest,
    /// The server has done it, the connection ends in place of a reply.
    LoseReply,
    /// The server has done it, the connection ends in the middle of its reply.
    HalfReply,
    /// The server has done it, the connection stays, and nothing comes back on it ever again.
    Hang,
    /// The reply comes late.
    Delay(Duration),
}

/// A proxy on a socket in a folder of its own. Passes everything on until it has orders.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
    url: String,
    folder: Folder,
}

impl Proxy {
    /// Stands before that server, whether or not it runs at the moment.
    ///
    /// # Errors
    /// There can be no socket.
    pub fn start(server: &impl Served) -> Result<Self, String> {
        let folder = Folder::new("proxy")?;
        let socket = folder.path().join(SOCKET);
        let listener = UnixListener::bind(&socket).map_err(|error| format!("{}: {error}", socket.display()))?;
        let url = server.url_at(&socket);
        let shared = Arc::new(Shared { place: server.place(), state: Mutex::new(State::default()) });
        let accepting = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Ok(Self { shared, accepting: Some(accepting), url, folder })
    }

    /// Where clients find it, in the words of its server.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// How many flights there were, on all connections.
    pub fn round_trips(&self) -> u64 {
        self.shared.state().flights
    }

    /// From now on counts the flights that hold these bytes, in place of what was watched before.
    pub fn watch(&self, bytes: impl AsRef<[u8]>) {
        self.shared.state().watched = Some(Order::new(bytes.as_ref(), u64::MAX, Fault::Hang));
    }

    /// How many flights held what is watched.
    pub fn watched(&self) -> u64 {
        self.shared.state().watched.as_ref().map_or(0, |order| order.met)
    }

    /// Arranges a fault for the first flight that holds these bytes (all do that hold none), after so many others that
    /// hold them. Each order is carried out once; see [`Self::faults`].
    pub fn order(&self, bytes: impl AsRef<[u8]>, others_before: u64, fault: Fault) {
        self.shared.state().orders.push(Order::new(bytes.as_ref(), others_before, fault));
    }

    /// How many orders were carried out.
    pub fn faults(&self) -> u64 {
        self.shared.state().faults
    }

    /// Forgets all orders, and delays and refuses nothing more.
    pub fn pass(&self) {
        let mut state = self.shared.state();
        state.orders.clear();
        state.delay = Duration::ZERO;
        state.refuses = false;
    }

    /// From now on every reply comes so late. While one is held back, whatever the client sends is still one flight: so
    /// even a long one counts once, though its server answers its beginning before its end is there.
    pub fn delay(&self, by: Duration) {
        self.shared.state().delay = by;
    }

    /// From now on nobody new is let in.
    pub fn refuse(&self) {
        self.shared.state().refuses = true;
    }

    /// Ends all connections there are.
    pub fn cut(&self) {
        for link in self.shared.state().links.drain(..) {
            link.cut();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        // Wakes who accepts.
        _ = UnixStream::connect(self.folder.path().join(SOCKET));
        if let Some(accepting) = self.accepting.take() {
            _ = accepting.join();
        }
        self.cut();
    }
}

#[derive(Debug)]
struct Shared {
    place: Place,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    links: Vec<Arc<Link>>,
    orders: Vec<Order>,
    watched: Option<Order>,
    flights: u64,
    faults: u64,
    delay: Duration,
    refuses: bool,
    closed: bool,
}

#[derive(Debug)]
struct Order {
    bytes: Vec<u8>,
    others_before: u64,
    met: u64,
    /// The flight that was met last: it may hold the bytes more than once.
    last: Option<u64>,
    fault: Fault,
}

/// One connection of a client, and ours to the server on its behalf.
#[derive(Debug)]
struct Link {
    client: UnixStream,
    server: Stream,
    state: Mutex<LinkState>,
}

#[derive(Debug, Default)]
struct LinkState {
    /// The flight under way, by its number among all.
    flight: Option<u64>,
    /// What goes wrong with the reply.
    fault: Option<Fault>,
}

#[derive(Debug)]
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Order {
    fn new(bytes: &[u8], others_before: u64, fault: Fault) -> Self {
        Self { bytes: bytes.to_vec(), others_before, met: 0, last: None, fault }
    }

    /// Whether it is this flight's turn. `before` is what the connection sent just before the chunk.
    fn is_due(&mut self, flight: u64, before: &[u8], chunk: &[u8]) -> bool {
        if self.last == Some(flight) || !self.is_in(before, chunk) {
            return false;
        }
        self.last = Some(flight);
        self.met += 1;
        self.met > self.others_before
    }

    fn is_in(&self, before: &[u8], chunk: &[u8]) -> bool {
        let Some(overlap) = self.bytes.len().checked_sub(1) else { return true };
        let start = before.len().saturating_sub(overlap);
        let border = [&before[start..], &chunk[..overlap.min(chunk.len())]].concat();
        [border.as_slice(), chunk].iter().any(|part| part.windows(self.bytes.len()).any(|window| window == self.bytes))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: Arc<Self>, listener: &UnixListener) {
        for client in listener.incoming() {
            let mut state = self.state();
            if state.closed {
                return;
            }
            let Ok(client) = client else { continue };
            // A connection that is dropped here ends: so it looks when nobody listens behind us.
            if state.refuses {
                continue;
            }
            let Ok(server) = Stream::connect(&self.place) else { continue };
            let link = Arc::new(Link { client, server, state: Mutex::default() });
            state.links.push(Arc::clone(&link));
            drop(state);
            let (up, down) = ((Arc::clone(&self), Arc::clone(&link)), (Arc::clone(&self), link));
            std::thread::spawn(move || {
                up.0.requests(&up.1);
                up.1.cut();
            });
            std::thread::spawn(move || {
                down.0.replies(&down.1);
                down.1.cut();
            });
        }
    }

    /// Carries what the client sends, until one side ends or a fault ends both.
    fn requests(&self, link: &Link) {
        let (mut buffer, mut before) = (vec![0; CHUNK_BYTES], Vec::new());
        loop {
            let Ok(len @ 1..) = (&link.client).read(&mut buffer) else { return };
            let chunk = &buffer[..len];
            let fault = self.next_fault(link, &before, chunk);
            let part = match fault {
                Some(Fault::LoseRequest) => return,
                Some(Fault::HalfRequest) => &chunk[..len / 2],
                _ => chunk,
            };
            if link.server.write_all(part).is_err() || fault == Some(Fault::HalfRequest) {
                return;
            }
            before.clear();
            before.extend_from_slice(chunk);
        }
    }

    /// Counts a chunk of the client's, and says what goes wrong with it. What concerns the reply is noted before the server
    /// can answer.
    fn next_fault(&self, link: &Link, before: &[u8], chunk: &[u8]) -> Option<Fault> {
        let mut state = self.state();
        let mut at = link.at();
        let flight = *at.flight.get_or_insert_with(|| {
            state.flights += 1;
            state.flights
        });
        if let Some(watched) = &mut state.watched {
            watched.is_due(flight, before, chunk);
        }
        let due = state.orders.iter_mut().position(|order| order.is_due(flight, before, chunk))?;
        let fault = state.orders.remove(due).fault;
        state.faults += 1;
        if !matches!(fault, Fault::LoseRequest | Fault::HalfRequest) {
            at.fault = Some(fault);
        }
        Some(fault)
    }

    /// Carries what the server answers.
    fn replies(&self, link: &Link) {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let Ok(len @ 1..) = link.server.read(&mut buffer) else { return };
            let fault = {
                let mut at = link.at();
                if at.fault == Some(Fault::Hang) { Some(Fault::Hang) } else { at.fault.take() }
            };
            let part = match fault {
                Some(Fault::LoseReply) => return,
                Some(Fault::HalfReply) => &buffer[..len / 2],
                Some(Fault::Hang) => &[],
                _ => &buffer[..len],
            };
            let late = self.state().delay;
            let late = if let Some(Fault::Delay(by)) = fault { late.max(by) } else { late };
            if !late.is_zero() {
                std::thread::sleep(late);
            }
            // Whatever the client sends from here on may be because of this.
            link.at().flight = None;
            if (&link.client).write_all(part).is_err() || fault == Some(Fault::HalfReply) {
                return;
            }
        }
    }
}

impl Link {
    fn at(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        _ = self.client.shutdown(Shutdown::Both);
        match &self.server {
            Stream::Unix(stream) => _ = stream.shutdown(Shutdown::Both),
            Stream::Tcp(stream) => _ = stream.shutdown(Shutdown::Both),
        }
    }
}

impl Stream {
    fn connect(place: &Place) -> std::io::Result<Self> {
        match place {
            Place::Socket(path) => UnixStream::connect(path).map(Self::Unix),
            Place::Port(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).map(Self::Tcp),
        }
    }

    fn read(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => { stream }.read(buffer),
            Self::Tcp(stream) => { stream }.read(buffer),
        }
    }

    fn write_all(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Unix(stream) => { stream }.write_all(bytes),
            Self::Tcp(stream) => { stream }.write_all(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every byte with the same byte.
    struct Echo(Folder);

    impl Echo {
        fn start() -> Self {
            let folder = Folder::new("echo").unwrap();
            let listener = UnixListener::bind(folder.path().join("echo")).unwrap();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
                }
            });
            Self(folder)
        }
    }

    impl Served for Echo {
        fn place(&self) -> Place {
            Place::Socket(self.0.path().join("echo"))
        }

        fn url_at(&self, socket: &Path) -> String {
            socket.display().to_string()
        }
    }

    fn ask(client: &mut UnixStream, request: &[u8]) -> Vec<u8> {
        let mut reply = vec![0; request.len()];
        let mut len = 0;
        _ = client.write_all(request);
        while len < reply.len() {
            match client.read(&mut reply[len..]) {
                Ok(more @ 1..) => len += more,
                _ => break,
            }
        }
        reply.truncate(len);
        reply
    }

    #[test]
    fn faults_hit_the_flight_they_were_ordered_for_and_no_other() {
        let echo = Echo::start();
        let proxy = Proxy::start(&echo).unwrap();
        let connect = || UnixStream::connect(proxy.url()).unwrap();
        let mut client = connect();
        proxy.watch("two");
        for fault in [Fault::LoseRequest, Fault::HalfRequest, Fault::LoseReply, Fault::HalfReply] {
            proxy.order("two", 1, fault);
            assert_eq!(ask(&mut client, b"one"), b"one");
            assert_eq!(ask(&mut client, b"two"), b"two");
            let half = [Fault::HalfReply, Fault::HalfRequest].contains(&fault);
            let answered = ask(&mut client, b"xtwo");
            assert!(answered.is_empty() || (half && answered == b"xt"), "{fault:?}: {answered:?}");
            client = connect();
        }
        assert_eq!((proxy.faults(), proxy.watched(), proxy.round_trips()), (4, 8, 12));

        proxy.order("", 0, Fault::Delay(Duration::from_millis(20)));
        assert_eq!(ask(&mut client, b"late"), b"late");
        proxy.order("", 0, Fault::Hang);
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert_eq!(ask(&mut client, b"gone"), b"");
        assert_eq!(ask(&mut client, b"gone as well"), b"");
        assert_eq!(ask(&mut connect(), b"others are well"), b"others are well");

        let mut client = connect();
        assert_eq!(ask(&mut client, b"one"), b"one");
        proxy.cut();
        assert_eq!(ask(&mut client, b"two"), b"");
        proxy.refuse();
        assert_eq!(ask(&mut connect(), b"three"), b"");
        proxy.pass();
        assert_eq!(ask(&mut connect(), b"four"), b"four");
    }

    #[test]
    fn bytes_are_found_across_chunks() {
        let order = Order::new(b"needle", 0, Fault::Hang);
        assert!(order.is_in(b"hay nee", b"dle hay"));
        assert!(order.is_in(b"", b"a needle"));
        // What lay wholly in the chunk before was met there.
        assert!(!order.is_in(b"needle", b"dle"));
    }
}
