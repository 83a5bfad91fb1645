//! Random lines for the inputs of a world: out of order, corrected, deleted, of equal times, some
//! of them bad.

use super::condition::{AMOUNTS, SHARES};
use super::world::{Field, Input, World};
use super::{Rng, Ty};

/// Mixed lines in order of arrival.
pub(crate) fn lines(rng: &mut Rng, world: &World) -> Vec<String> {
    let count = match rng.below(10) {
        _ if !world.contact.is_empty() => 25 + rng.below(90),
        0..=5 => 3 + rng.below(25),
        6..=8 => 20 + rng.below(40),
        _ => 60 + rng.below(100),
    };
    let pace = 1 + rng.below(800 / count.max(2)) as i64;
    let disorder = *rng.pick(&[0, 10, 30, 70]);
    let mut clock = 0;
    let mut lines: Vec<String> = Vec::new();
    for number in 0..count {
        if rng.chance(65) {
            clock = (clock + rng.between(0, pace)).min(449);
        }
        let at = if rng.chance(disorder) { (clock - rng.between(0, 80)).max(0) } else { clock };
        let of_contact = !world.contact.is_empty() && rng.chance(45);
        let input = rng.pick(if of_contact { &world.contact } else { &world.inputs });
        let line = match rng.below(100) {
            0..=2 => bad(rng, world, input, at, number),
            3..=4 if !world.orderly && !lines.is_empty() => rng.pick(&lines).clone(),
            _ => line(&input.name, &record(rng, world, input, at, number)),
        };
        lines.push(line);
    }
    lines
}

fn line(stream: &str, record: &[(String, String)]) -> String {
    let mut text = format!("{{\"stream\":\"{stream}\"");
    for (key, value) in record {
        text += &format!(",\"{key}\":{value}");
    }
    text + "}"
}

fn record(rng: &mut Rng, world: &World, input: &Input, at: i64, number: usize) -> Vec<(String, String)> {
    let identifies = |field: &Field| input.key.contains(&field.name) || field.name == "at";
    let deletion = if input.is_table { rng.below(100) } else { 100 };
    let mut record = Vec::new();
    for field in &input.fields {
        let keeps = match deletion {
            // Nothing but key and time says that the key is deleted, when anything else is
            // required.
            0..=5 => identifies(field) || (world.orderly && field.name == "v"),
            6..=9 => identifies(field) || field.name == "v" || rng.chance(50),
            _ => !(field.optional && rng.chance(12)),
        };
        if keeps {
            let text = match field.name {
                _ if !field.among.is_empty() => (*rng.pick(field.among)).to_owned(),
                "at" => time(rng, world, world.grain * (world.base + at), field.unit),
                "v" if world.orderly => number.to_string(),
                "role" => format!("\"{}\"", rng.pick(&["O", "O", "O", "R", "X"])),
                "h" => key(rng, &field.ty),
                _ => value(rng, world, field),
            };
            record.push((field.column.to_owned(), text));
        }
    }
    if rng.chance(12) {
        let mut undeclared = UNDECLARED.to_vec();
        rng.shuffle(&mut undeclared);
        let some = undeclared.into_iter().take(1 + rng.below(3));
        record.extend(some.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    if rng.chance(8) {
        rng.shuffle(&mut record);
    }
    if rng.chance(4) && !record.is_empty() {
        let at = rng.below(record.len());
        record[at].0 = escaped(&record[at].0);
    }
    if (6..=9).contains(&deletion) || (world.orderly && deletion <= 5) {
        record.push(("_deleted".to_owned(), "true".to_owned()));
    }
    record
}

/// What no input declares. Within a value a key may well be given twice.
const UNDECLARED: [(&str, &str); 5] = [
    ("extra", "1"),
    ("note", "\"a;b\\tc \\\"d\\\"\""),
    ("meta", "{\"at\":1,\"at\":[2]}"),
    ("Zone", "null"),
    ("é", "\"\""),
];

/// The same key, written with an escape.
fn escaped(key: &str) -> String {
    let first = key.chars().next().map_or(0, u32::from);
    format!("\\u{first:04x}{}", key.chars().skip(1).collect::<String>())
}

/// A value of a key: equal ones are not always written in the same way.
fn key(rng: &mut Rng, ty: &Ty) -> String {
    match ty {
        Ty::Int => rng.between(1, 4).to_string(),
        Ty::Text => format!("\"{}\"", rng.pick(&["p", "q"])),
        Ty::Float => rng.pick(&["1", "1.0", "0.0", "-0.0", "2.5"]).to_string(),
        _ => rng.pick(&["1", "1.0", "\"1.00\"", "0", "-0.0", "2.5"]).to_string(),
    }
}

fn time(rng: &mut Rng, world: &World, ms: i64, unit: Option<&str>) -> String {
    if rng.chance(12)
        && !world.orderly
        && let Some(text) = local_time(ms, world.zone.unwrap_or("UTC"))
    {
        return format!("\"{text}\"");
    }
    if rng.chance(70) {
        return match unit {
            // What is finer than a millisecond is cut off.
            Some("s") if rng.chance(50) => format!("{}.{:03}{}", ms / 1_000, ms % 1_000, rng.below(1_000)),
            Some("s") if ms % 1_000 == 0 => (ms / 1_000).to_string(),
            Some("s") => format!("{}.{:03}", ms / 1_000, ms % 1_000),
            Some("us") => (ms * 1_000 + rng.between(0, 999)).to_string(),
            Some("ns") => (ms * 1_000_000 + rng.between(0, 999_999)).to_string(),
            _ => ms.to_string(),
        };
    }
    format!("\"{}\"", jiff::Timestamp::from_millisecond(ms).expect("within the calendar"))
}

/// A time without its offset. None where that means another time: the clock was put back, or the
/// offset has seconds.
fn local_time(ms: i64, zone: &str) -> Option<String> {
    let zone = jiff::tz::TimeZone::get(zone).expect("a known zone");
    let time = jiff::Timestamp::from_millisecond(ms).expect("within the calendar");
    let local = zone.to_datetime(time);
    let is_same = zone.to_timestamp(local).is_ok_and(|other| other == time);
    let is_midnight = local.time() == jiff::civil::Time::midnight();
    is_same.then(|| if is_midnight { local.date().to_string() } else { local.to_string() })
}

const IDS: [&[&str]; 3] =
    [&["\"c1\"", "\"c2\"", "7", "\"7\"", "\"07\"", "10"], &["\"a1\"", "3", "\"a2\""], &["\"k1\"", "20", "\"k\""]];

fn value(rng: &mut Rng, world: &World, field: &Field) -> String {
    if field.optional && rng.chance(10) {
        return "null".to_owned();
    }
    match &field.ty {
        Ty::Int if field.huge => {
            rng.pick(&["9223372036854775807", "-9223372036854775808", "4611686018427387904", "1"]).to_string()
        }
        Ty::Int if rng.chance(3) => format!("{}.0", rng.between(-3, 6)),
        Ty::Int if rng.chance(2) => rng.pick(&["2e0", "20e-1", "-0.3E1", "1e1"]).to_string(),
        Ty::Int => rng.between(-3, 6).to_string(),
        Ty::Decimal(2) if !field.huge && rng.chance(40) => rng.pick(&AMOUNTS).to_string(),
        Ty::Decimal(scale) => {
            let scale = usize::from(*scale);
            let tenth = 10_i64.pow(scale.max(1) as u32) / 10;
            let units = match field.huge {
                true => *rng.pick(&[i64::MAX, i64::MIN + 1, 5]),
                false if scale == 0 => rng.between(-3, 7),
                false => rng.between(-40, 200) * tenth + rng.between(0, 9),
            };
            let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let point = if scale == 0 { "" } else { "." };
            let number = format!("{}{whole}{point}{fraction}", if units < 0 { "-" } else { "" });
            if rng.chance(20) { format!("\"{number}\"") } else { number }
        }
        Ty::Float if rng.chance(4) => rng.pick(&["1000000000000.0", "-1e12", "-0.0"]).to_string(),
        Ty::Float if rng.chance(50) => rng.pick(&SHARES).to_string(),
        Ty::Float => format!("{}", rng.between(-40, 160) as f64 / 8.0),
        Ty::Text => format!("\"{}\"", rng.pick(&["a", "b", "c", "ab", "é\\n\\\"", ""])),
        Ty::Bool => rng.chance(50).to_string(),
        Ty::Time => {
            let ms = world.grain * (world.base + rng.between(0, 449));
            time(rng, world, ms, field.unit)
        }
        Ty::Duration if rng.chance(50) => format!("\"{}ms\"", world.grain * rng.between(0, 50)),
        Ty::Duration => (world.grain * rng.between(-5, 50)).to_string(),
        Ty::Id(kind) => rng.pick(IDS[*kind]).to_string(),
        Ty::List(_) => unreachable!("no field is a list"),
    }
}

/// A line that is no record, most likely.
fn bad(rng: &mut Rng, world: &World, input: &Input, at: i64, number: usize) -> String {
    let mut record = record(rng, world, input, at, number);
    let values = record.iter().filter(|(key, _)| key != "_deleted").count();
    let replacement = *rng.pick(&["{}", "\"?!\"", "1e400", "[]", "true"]);
    match rng.below(11) {
        0 => return "{\"stream\":".to_owned(),
        3 => record.push(("_deleted".to_owned(), "true".to_owned())),
        4 if values > 0 => record.push(record[rng.below(values)].clone()),
        1 => return line("unknown", &record),
        2 => return "[]".to_owned(),
        5..=6 => {
            let (key, value) = *rng.pick(&UNDECLARED);
            record.retain(|(other, _)| other != key);
            let again = if rng.chance(50) { key.to_owned() } else { escaped(key) };
            record.insert(rng.below(record.len() + 1), (key.to_owned(), value.to_owned()));
            record.insert(rng.below(record.len() + 1), (again, "1".to_owned()));
        }
        7 => record.push(("_deleted".to_owned(), (*rng.pick(&["1", "\"yes\"", "null", "false"])).to_owned())),
        _ if values > 0 => {
            let position = rng.below(values);
            record[position].1 = replacement.to_owned();
        }
        _ => {}
    }
    line(&input.name, &record)
}
