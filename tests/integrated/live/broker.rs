//! A real broker, started by `deploy/local/broker`, with its data in a folder of its own.
//!
//! It is the child of a shell that waits for the end of its input: when this process ends, however
//! that is, the broker is killed, and its folder deleted.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use propice_kafka::{Options, Settings, Topics};

use crate::ROOT;
use crate::skipped::skipped;

/// How long a broker may take to start, on a machine that is busy.
const STARTED: Duration = Duration::from_secs(90);

/// `$0` the script, then the folder, the port, the log.
const GUARD: &str = r#"
"$0" "$1" "$2" >>"$3" 2>&1 </dev/null &
broker=$!
read -r keep
kill -9 "$broker"
wait "$broker" 2>/dev/null
[ "$keep" = keep ] || rm -rf "$1" "$3"
"#;

/// A broker.
pub(super) struct Broker {
    folder: PathBuf,
    port: u16,
    shell: Option<Child>,
}

/// The one that all tests use, one after the other.
static BROKER: Mutex<Option<Broker>> = Mutex::new(None);

/// The broker, alone; `None`, and that is said, where there can be none.
pub(super) fn broker(what: &str) -> Option<MutexGuard<'static, Option<Broker>>> {
    let missing: Vec<&str> = ["java", "mvn"].into_iter().filter(|tool| !is_there(tool)).collect();
    if !missing.is_empty() {
        skipped(&format!("{what}: {} is missing; apt-get install default-jdk-headless maven", missing.join(" and ")));
        return None;
    }
    let mut broker = BROKER.lock().unwrap_or_else(PoisonError::into_inner);
    broker.get_or_insert_with(Broker::start);
    Some(broker)
}

fn is_there(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// The folder of the jars of Kafka.
fn jars() -> PathBuf {
    std::env::var_os("PROPICE_JARS").map_or_else(|| PathBuf::from(ROOT).join("target/kafka"), PathBuf::from)
}

impl Broker {
    fn start() -> Broker {
        let folder = tempfile::Builder::new().prefix("propice-broker-").tempdir().expect("a folder").keep();
        let mut broker = Broker { folder, port: free_port(), shell: None };
        broker.run();
        broker
    }

    /// Starts it, on the data that it has, and waits until it answers.
    pub(super) fn run(&mut self) {
        let log = self.folder.with_extension("log");
        let shell = Command::new("bash")
            .args(["-c", GUARD, &format!("{ROOT}/deploy/local/broker")])
            .args([self.folder.as_os_str(), self.port.to_string().as_ref(), log.as_os_str()])
            .env("PROPICE_BROKER_MEMORY", "384m")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What a terminal sends to the tests does not end the broker before its time.
            .process_group(0)
            .spawn();
        self.shell = Some(shell.expect("bash"));
        if let Err(error) = self.topics().reachable(STARTED) {
            let said = fs::read_to_string(&log).unwrap_or_default();
            panic!("the broker does not start: {error}\n{said}");
        }
    }

    /// Starts it, if it does not run.
    pub(super) fn ensure(&mut self) {
        if self.shell.is_none() {
            self.run();
        }
    }

    /// Kills it with −9; its data stay.
    pub(super) fn kill(&mut self) {
        let mut shell = self.shell.take().expect("a broker that runs");
        shell.stdin.take().expect("its input").write_all(b"keep\n").expect("the shell reads");
        shell.wait().expect("the shell ends");
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What our own clients are made of.
    pub(super) fn settings(&self) -> Settings {
        let common = Options::from([
            ("bootstrap.servers".to_owned(), self.address()),
            // New partitions are seen soon.
            ("topic.metadata.refresh.interval.ms".to_owned(), "500".to_owned()),
            ("reconnect.backoff.max.ms".to_owned(), "500".to_owned()),
        ]);
        Settings { client_id: "checker".to_owned(), admin: common.clone(), consumer: common.clone(), producer: common }
    }

    pub(super) fn topics(&self) -> Topics {
        Topics::new(&self.settings()).expect("a client")
    }

    /// One of Kafka's own tools.
    pub(super) fn tool(&self, class: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("java");
        command
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=error")
            .arg("-cp")
            .arg(jars().join("*"))
            .arg(class)
            .args(["--bootstrap-server", &self.address()])
            .args(arguments);
        command
    }
}

/// A port that is free, with the one behind it.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let next = port.checked_add(1).and_then(|next| TcpListener::bind(("127.0.0.1", next)).ok());
        if next.is_some() {
            return port;
        }
    }
}
