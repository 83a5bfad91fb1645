//! `propice live` as a process: started, killed, held, started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The exit code that asks to be started again.
pub(super) const TRY_AGAIN: i32 = 75;

/// A process, killed when it is dropped.
pub(super) struct Live {
    child: Child,
    log: PathBuf,
}

impl Live {
    /// Starts it in a folder that has `desk.toml` and `live.toml`. The log is one more in `logs`.
    pub(super) fn start(folder: &Path, workers: u64) -> Live {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).expect("a folder");
        let number = fs::read_dir(&logs).expect("a folder").count();
        let log = logs.join(format!("{number:03}.log"));
        let file = File::create(&log).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_propice"))
            .args(["live", "desk.toml", "--config", "live.toml"])
            .current_dir(folder)
            .env("WORKERS", workers.to_string())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("propice starts");
        Live { child, log }
    }

    /// What it said.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has ended, and how.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it can be waited for")
    }

    /// Waits until it ends.
    pub(super) fn end(&mut self, within: Duration) -> Option<i32> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Some(status) = self.ended() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end within {within:?}:\n{}", self.said());
    }

    /// Waits until it has begun; false if it ended before.
    pub(super) fn begun(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if self.said().contains("beginning") {
                return true;
            }
            if self.ended().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not begin within {within:?}:\n{}", self.said());
    }

    /// Kills it with −9.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "a signal is sent");
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // One that has ended is not there any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
