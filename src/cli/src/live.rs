//! `propice live`: beside Kafka, until it is stopped.

use std::env::VarError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use propice_define::deployment::{
    Deployment, LogFormat, LogLevel, Variable, load_deployment, print as printed, shown_text,
};
use propice_define::{PackErrors, Plan};
use propice_live::{LiveError, Options};

use super::run::EngineName;
use super::signals::Signals;
use super::{CommandResult, Failure, instant, load_pack, print, read_pack, say, told};

const EXAMPLES: &str = "\
Examples:
  propice live dataflows/bank.toml --config deploy/local.toml
  propice live dataflows/bank.toml --config deploy/local.toml --print-config
  propice live dataflows/bank.toml --config deploy/local.toml --publish-from 2026-12-01";

const EXIT_CODES: &str = "\
Exit codes:
  0    stopped by Ctrl-C or a request to terminate; everything that was read is decided and published
  1    the pack or the configuration has mistakes, or what is stored does not allow to go on: somebody has to look
  2    the command line is wrong
  75   the broker, the disk or another process ended it: start it again";

/// Run a pack beside Kafka: records in as they arrive, triggers out, nothing lost and nothing said
/// twice
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    /// Where records come from, where triggers go, where state lives: docs/deployment.md
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Show what is in force, with where each value came from, and end. Secrets are hidden
    #[arg(long)]
    print_config: bool,
    /// Publish nothing that is decided before this time, so that years of history can be read in
    /// without a word to a customer; instead of what the configuration says
    #[arg(long, value_name = "TIME")]
    publish_from: Option<String>,
    /// Which dataflow runs the pack; both mean the same
    #[arg(long, value_enum, default_value_t = EngineName::Fused)]
    engine: EngineName,
}

/// Runs until a signal comes, or it cannot go on.
pub(crate) fn run(args: &Args) -> CommandResult {
    let mut plan = load_pack(&args.pack)?;
    let deployment = load(&args.config, &plan)?;
    if args.print_config {
        return print(&printed(&deployment));
    }
    let publish_from = args.publish_from.as_deref().map(|text| instant("--publish-from", text, &plan)).transpose()?;
    if let Some(from) = publish_from.or(deployment.cluster.publish_from) {
        plan.policy.publish_from = from;
    }
    log_to_standard_error(deployment.observe.log, deployment.observe.log_format);
    let signals = Signals::listen()?;
    let stop = signals.stop().clone();
    let options = Options::new(plan, deployment, args.engine.into(), stop);
    propice_live::run(&options).map_err(|error| ended(&error))
}

/// Reads and checks the deployment.
pub(crate) fn load(config: &Path, plan: &Plan) -> Result<Deployment, Failure> {
    let name = config.display().to_string();
    let text = read_pack(config)?;
    let lookup = |variable: &Variable| match variable {
        Variable::Environment(name) => match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err("its value is not UTF-8".to_owned()),
        },
        Variable::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim_end().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        },
    };
    let mut deployment =
        load_deployment(&name, &text, plan, &lookup).map_err(|errors| Failure::Wrong(told(&errors)))?;
    let warnings = std::mem::take(&mut deployment.warnings);
    if !warnings.is_empty() {
        say(&told(&PackErrors::new(&name, &shown_text(&text), warnings)));
    }
    Ok(deployment)
}

/// What the end of a process means for whoever supervises it.
fn ended(error: &LiveError) -> Failure {
    let text = format!("propice live: {error}");
    if error.is_transient() { Failure::TryAgain(text) } else { Failure::Wrong(text) }
}

/// Logs as the deployment says.
fn log_to_standard_error(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
}
