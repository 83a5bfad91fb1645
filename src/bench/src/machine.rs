//! Where and of what was measured.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// The machine and the build.
#[derive(Clone, Debug, Serialize)]
pub struct MachineFacts {
    /// The model of its processors.
    pub cpu: String,
    /// How many of them there are for this process.
    pub cores: usize,
    /// Its memory, in MiB.
    pub memory_mib: u64,
    /// Processes that wanted a core when the measuring began: those of others, above 0.
    pub load: f64,
    /// Operating system and architecture.
    pub system: String,
    /// Version of propice.
    pub version: &'static str,
    /// The commit, when it was run in its repository; with `+` when files were changed.
    pub commit: Option<String>,
    /// Whether it was built with optimisations.
    pub optimised: bool,
}

impl MachineFacts {
    /// This one, now.
    pub fn this() -> MachineFacts {
        MachineFacts {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_mib().unwrap_or(0),
            load: load().unwrap_or(0.0),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            version: env!("CARGO_PKG_VERSION"),
            commit: commit(),
            optimised: !cfg!(debug_assertions),
        }
    }

    /// On one line.
    pub fn text(&self) -> String {
        let commit = self.commit.as_deref().unwrap_or("unknown");
        let debug = if self.optimised { "" } else { ", NOT OPTIMISED" };
        format!(
            "{}, {} cores, {} MiB, {}, load {:.1}; propice {} (commit {commit}{debug})",
            self.cpu, self.cores, self.memory_mib, self.system, self.load, self.version
        )
    }
}

/// The bytes of memory that this process has resident.
pub fn resident_bytes() -> Option<u64> {
    let text = field("/proc/self/status", "VmRSS")?;
    text.trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kib| kib * 1_024)
}

fn memory_mib() -> Option<u64> {
    let text = field("/proc/meminfo", "MemTotal")?;
    text.trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kib| kib / 1_024)
}

/// The load of the last minute.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn commit() -> Option<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty=+", "--exclude=*"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
