//! Numbers, as a person meets them: quotients, means and deviations that floats get wrong, in both
//! engines.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const PACK: &str = r#"
[pack]
name = "numbers"

[stream.payments]
time   = "at"
about  = "who"
fields = { at = "time", who = "id(customer)", paid = "decimal(2)?", due = "decimal(2)?", share = "float?", n = "int?" }

[customer.feature]
paid       = { from = "payments", sum = "paid" }
due        = { from = "payments", sum = "due" }
payments   = { from = "payments", count = "paid" }
mean_paid  = { from = "payments", avg = "paid" }
mean_share = { from = "payments", avg = "share" }
mean_n     = { from = "payments", avg = "n" }
spread     = { from = "payments", stddev = "share" }
spread_n   = { from = "payments", stddev = "n" }

[customer.attribute]
ratio   = "paid / due"
days    = "int(paid / due * 90.0)"
percent = "int(paid / due * 100)"
each    = "paid / payments"

[moment.quotient_above]
when    = "paid / payments > 8.29"
purpose = "service"
value   = { kind = "economic", benefit = "Sees a mean that is above 8.29" }

[moment.quotient_below]
when    = "paid / payments < 8.29"
purpose = "service"
value   = { kind = "economic", benefit = "Sees a mean that is below 8.29" }

[moment.quotient_is]
when    = "paid / payments == 8.29 && paid / payments * 3 >= 24.87"
purpose = "service"
value   = { kind = "economic", benefit = "Sees a mean that is 8.29" }

[moment.named_above]
when    = "each > 8.29"
purpose = "service"
value   = { kind = "economic", benefit = "Sees a named mean above 8.29" }

[moment.sevenfold]
when    = "paid / due >= 7"
purpose = "service"
value   = { kind = "economic", benefit = "Has paid seven times" }

[moment.share_above]
when    = "mean_share > 0.2"
purpose = "service"
value   = { kind = "economic", benefit = "Has a share above one fifth" }

[moment.spread_at_all]
when    = "spread > 0.0"
purpose = "service"
value   = { kind = "economic", benefit = "Has shares that differ" }
"#;

/// Three payments of 8.29 and shares of 0.2; one of 1902.60 for 271.80; 0.29 of 1.00; numbers
/// beyond 53 bit.
const PAYMENTS: &str = r#"{"at":"2026-01-01","who":"mean","paid":8.29,"share":0.2}
{"at":"2026-01-01","who":"mean","paid":8.29,"share":0.2}
{"at":"2026-01-01","who":"mean","paid":8.29,"share":0.2}
{"at":"2026-01-01","who":"seven","paid":1902.60,"due":271.80,"share":0.1}
{"at":"2026-01-01","who":"seven","share":0.2}
{"at":"2026-01-01","who":"seven","share":0.3}
{"at":"2026-01-01","who":"cents","paid":0.29,"due":1.00,"n":1}
{"at":"2026-01-01","who":"cents","n":2}
{"at":"2026-01-01","who":"cents","n":9}
{"at":"2026-01-01","who":"large","n":9007199254740993}
{"at":"2026-01-01","who":"large","n":9007199254740993}
{"at":"2026-01-01","who":"large","n":9007199254740999}
"#;

/// The views and the opened episodes (`customer moment`) of a run.
fn run(folder: &Path, engine: &str, workers: &str) -> (Vec<String>, Vec<String>) {
    let out = format!("out_{engine}_{workers}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder).args(["run", "numbers.toml", "-i", "data", "-q", "--views", "changes"]);
    command.args(["--engine", engine, "--workers", workers, "--output", &out]);
    command.assert().success();
    let read = |name: &str| fs::read_to_string(folder.join(&out).join(name)).expect("an output");
    assert_eq!(read("dead_letters.jsonl"), "");
    let episodes = read("episodes.jsonl");
    let opened = episodes.lines().map(|line| {
        let episode: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let part = |name: &str| episode[name].as_str().expect("a text").to_owned();
        assert_eq!(part("transition"), "opened");
        format!("{} {}", part("customer"), part("moment"))
    });
    let opened = opened.collect();
    (read("views.jsonl").lines().map(str::to_owned).collect(), opened)
}

#[test]
fn numbers_are_rounded_once_and_compared_exactly() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder");
    fs::write(folder.path().join("numbers.toml"), PACK).expect("a pack");
    fs::write(folder.path().join("data/payments.jsonl"), PAYMENTS).expect("records");
    for (engine, workers) in [("fused", "1"), ("fused", "2"), ("reference", "1"), ("reference", "4")] {
        let (views, mut opened) = run(folder.path(), engine, workers);
        opened.sort();
        let of_seven = ["seven named_above", "seven quotient_above", "seven sevenfold", "seven spread_at_all"];
        let expected = [&["cents quotient_below", "mean quotient_is"], of_seven.as_slice()].concat();
        assert_eq!(opened, expected, "{engine}, {workers} workers");
        let of = |customer: &str| {
            let mine = format!("\"customer\":\"{customer}\"");
            views.iter().find(|line| line.contains(&mine)).unwrap_or_else(|| panic!("no view of {customer}: {views:?}"))
        };
        for (customer, part) in [
            ("mean", "\"mean_paid\":8.29,\"mean_share\":0.2,"),
            ("mean", "\"spread\":0.0,"),
            ("mean", "\"each\":8.29"),
            ("seven", "\"mean_share\":0.2,"),
            ("seven", "\"spread\":0.0816496580927726,"),
            ("seven", "\"ratio\":7.0,\"days\":630,\"percent\":700,"),
            ("cents", "\"ratio\":0.29,\"days\":26,\"percent\":29,"),
            ("cents", "\"mean_n\":4.0,"),
            ("cents", "\"spread_n\":3.559026084010437,"),
            ("large", "\"mean_n\":9007199254740996.0,"),
            ("large", "\"spread_n\":2.8284271247461903,"),
        ] {
            assert!(of(customer).contains(part), "{engine}, {workers} workers: {part} in {}", of(customer));
        }
    }
}
