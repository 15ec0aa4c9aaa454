//! One worker, from outside.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// How a worker is started, and started again.
pub type Start = Box<dyn Fn() -> Command + Send>;

/// A worker that runs, and ends when this is dropped.
pub struct Process {
    name: String,
    start: Start,
    running: Running,
}

struct Running {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it and waits until it has opened its store.
    pub fn start(name: &str, start: Start) -> Result<Self, String> {
        let running = Running::new(start()).map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { name: name.to_owned(), start, running })
    }

    /// As it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a request and waits for its answer, which may be an error of the store's.
    pub fn ask(&mut self, request: &Value) -> Result<Value, String> {
        let Self { name, running, .. } = self;
        running.send(request).and_then(|()| running.receive()).map_err(|error| format!("{name}: {error}"))
    }

    /// Sends a request, kills the process a little later, and starts another in its place. What became of the request, nobody was told.
    pub fn ask_and_kill(&mut self, request: &Value, later: Duration) -> Result<(), String> {
        let Self { name, start, running } = self;
        let failed = |error: String| format!("{name}: {error}");
        running.send(request).map_err(failed)?;
        std::thread::sleep(later);
        running.child.kill().map_err(|error| failed(error.to_string()))?;
        *running = Running::new(start()).map_err(failed)?;
        Ok(())
    }
}

impl Running {
    fn new(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("has no standard input and output".to_owned());
        };
        let mut running = Self { child, requests, answers: BufReader::new(answers) };
        running.receive().map_err(|error| format!("did not start: {error}"))?;
        Ok(running)
    }

    fn send(&mut self, request: &Value) -> Result<(), String> {
        writeln!(self.requests, "{request}").and_then(|()| self.requests.flush()).map_err(|error| error.to_string())
    }

    fn receive(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.is_empty() {
            return Err("it ended".to_owned());
        }
        serde_json::from_str(&line).map_err(|error| format!("a strange answer: {error}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
