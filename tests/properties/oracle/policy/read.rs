//! What a pack says of policy. It is known to be valid: whatever is wrong panics.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::expr::{Node, Op, Uses, read};
use super::super::pack::{Kind, Moment, Pack, Source as Origin, table, text};
use super::super::value::{Ty, V, read_duration};
use super::{Budget, Data, Mood, Per, Policy, Quiet, Receipts, Rest, Rules, Silence, Source};

const DAY: i64 = 86_400_000;

fn texts(declared: &Table, key: &str) -> Vec<String> {
    let list = declared.get(key).map(|list| list.as_array().expect("a list"));
    list.into_iter().flatten().map(|item| text(item).to_owned()).collect()
}

fn span(declared: &Table, key: &str) -> Option<i64> {
    declared.get(key).map(|length| read_duration(text(length)).expect("a duration"))
}

fn tables<'a>(declared: &'a Table, key: &str) -> Vec<&'a Table> {
    match declared.get(key) {
        None => Vec::new(),
        Some(Value::Table(one)) => vec![one],
        Some(list) => list.as_array().expect("a list").iter().map(|one| one.as_table().expect("a table")).collect(),
    }
}

fn inner<'a>(declared: &'a Table, key: &str) -> Option<&'a Table> {
    declared.get(key).map(|inner| inner.as_table().expect("a table"))
}

fn number(value: &Value) -> f64 {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)).expect("a number")
}

impl Policy {
    pub(crate) fn read(pack: &Pack, root: &Table) -> Policy {
        let empty = Table::new();
        let declared = root.get("policy").map_or(&empty, |policy| policy.as_table().expect("a table"));
        let over_customer = |source: &str| {
            let resolve = |path: &[&str]| match path {
                ["customer", rest @ ..] if !rest.is_empty() => pack.kinds[0].resolve(&pack.inputs, 0, rest),
                path => pack.kinds[0].resolve(&pack.inputs, 0, path),
            };
            read(source, &resolve).expect("an expression over the customer").0
        };
        let optional = |key: &str| declared.get(key).map(|source| over_customer(text(source)));
        let consent = inner(declared, "consent").unwrap_or(&empty);
        let purposes = inner(consent, "purposes").into_iter().flatten();
        let (window, window_except) = match declared.get("arbitration") {
            None => (60_000, Vec::new()),
            Some(Value::Table(long)) => (span(long, "per").unwrap_or(60_000), texts(long, "except")),
            Some(short) => (read_duration(text(short)).expect("a duration"), Vec::new()),
        };
        let mut data: Vec<Data> = table(consent, "data")
            .into_iter()
            .map(|(name, declared)| Data {
                name: name.clone(),
                allowed: over_customer(text(&declared["allowed"])),
                inputs: texts(declared, "inputs"),
                features: texts(declared, "features"),
                marks: Vec::new(),
            })
            .collect();
        data.sort_by(|a, b| a.name.cmp(&b.name));
        Policy {
            refusal: optional("refusal"),
            purposes: purposes.map(|(purpose, source)| (purpose.clone(), over_customer(text(source)))).collect(),
            data,
            mood: inner(declared, "mood").map(|mood| Mood::read(pack, mood, &over_customer)),
            quiet: tables(declared, "quiet").into_iter().map(Quiet::read).collect(),
            holidays: inner(declared, "holidays").map(|holidays| {
                let input = pack.input_of(text(&holidays["table"]));
                let field = |name: &Value| pack.inputs[input].field(text(name));
                (input, field(&holidays["day"]), holidays.get("region").map(field))
            }),
            zone: optional("zone"),
            region: optional("region"),
            timezone: root["pack"].get("timezone").map_or("UTC", text).to_owned(),
            pressure: tables(declared, "pressure").into_iter().map(Budget::read).collect(),
            window,
            window_except,
            rest: tables(declared, "rest").into_iter().map(Rest::read).collect(),
            snooze: span(declared, "snooze").unwrap_or(7 * DAY),
            rating: inner(declared, "rating").into_iter().flatten().map(|(k, v)| (k.clone(), number(v))).collect(),
            receipts: inner(declared, "receipts").map(|receipts| Receipts::read(pack, receipts)),
            keep: inner(declared, "receipts").and_then(|receipts| span(receipts, "keep")).unwrap_or(400 * DAY),
            human: declared.get("human").map(|channel| text(channel).to_owned()),
            people: table(root, "channel")
                .into_iter()
                .filter(|(_, channel)| channel.get("human").and_then(Value::as_bool) == Some(true))
                .map(|(name, _)| name.clone())
                .collect(),
        }
    }

    /// Which slots are of which kind of data, and which kinds of data the moments use.
    pub(crate) fn mark_data(&mut self, pack: &Pack, moments: &mut [Moment]) {
        for data in &mut self.data {
            let is_named = |kind: usize, name: &str| {
                let path = if kind == 0 { name.to_owned() } else { format!("{}.{name}", pack.kinds[kind].name) };
                data.features.contains(&path) || data.features.contains(&format!("{}.{name}", pack.kinds[kind].name))
            };
            let is_input = |input: usize| data.inputs.contains(&pack.inputs[input].name);
            let mut marks: Vec<Vec<bool>> = pack.kinds.iter().map(|_| Vec::new()).collect();
            for (number, kind) in pack.kinds.iter().enumerate().rev() {
                let mut of_kind: Vec<bool> = Vec::new();
                for feature in &kind.features {
                    let reads = match feature.source {
                        Origin::Records(input, _) => is_input(input),
                        Origin::Entities(over) => {
                            let nodes = feature.argument.iter().chain(&feature.filter);
                            nodes.flat_map(Node::slots).any(|(_, slot)| marks[over][slot])
                        }
                    };
                    of_kind.push(reads || is_named(number, &feature.name));
                }
                of_kind.extend(kind.attributes.iter().map(|attribute| is_named(number, &attribute.name)));
                of_kind.extend(kind.extras.iter().map(|(input, _)| is_input(*input)));
                for &at in &kind.evaluation {
                    let uses = kind.attributes[at].expr.slots().into_iter().any(|(_, slot)| of_kind[slot]);
                    of_kind[kind.features.len() + at] |= uses;
                }
                marks[number] = of_kind;
            }
            data.marks = marks;
        }
        for moment in moments {
            let kind_of = |scope: usize| if scope == 0 { 0 } else { moment.about.expect("an entity") };
            let uses = |data: &Data| moment.rules.used.iter().any(|(scope, slot)| data.marks[kind_of(*scope)][*slot]);
            moment.rules.data = (0..self.data.len()).filter(|at| uses(&self.data[*at])).collect();
        }
    }
}

impl Node {
    /// The slots that it uses, with their scopes.
    pub(crate) fn slots(&self) -> BTreeSet<(usize, usize)> {
        match &self.op {
            Op::Slot(scope, slot) => BTreeSet::from([(*scope, *slot)]),
            Op::Call(_, parts) | Op::List(parts) => parts.iter().flat_map(Node::slots).collect(),
            Op::Const(_) | Op::Now => BTreeSet::new(),
        }
    }
}

impl Mood {
    fn read(pack: &Pack, declared: &Table, over_customer: &dyn Fn(&str) -> Node) -> Mood {
        let from = declared.get("from").map(|from| match over_customer(text(from)).op {
            Op::Slot(_, slot) => slot,
            _ => panic!("a feature of the customer"),
        });
        let condition = |value: &Value| (text(value) != "off").then(|| over_customer(text(value)));
        let entries = |key: &str| inner(declared, key).into_iter().flatten();
        Mood {
            negative: texts(declared, "negative"),
            positive: texts(declared, "positive"),
            map: entries("map").map(|(from, to)| (from.clone(), text(to).to_owned())).collect(),
            half_life: span(declared, "half_life"),
            threshold: declared.get("threshold").map_or(0.5, number),
            modalities: entries("modalities").map(|(name, value)| (name.clone(), condition(value))).collect(),
            from,
            sources: tables(declared, "signals").into_iter().map(|one| Source::read(pack, one)).collect(),
        }
    }
}

impl Source {
    fn read(pack: &Pack, declared: &Table) -> Source {
        let input = pack.input_of(text(&declared["from"]));
        let optional = |key: &str| declared.get(key).map(|source| pack.over_record(input, text(source)));
        Source {
            input,
            filter: optional("where"),
            label: optional("label").expect("a label"),
            numbers: [optional("intensity"), optional("confidence")],
            texts: [optional("modality"), optional("source")],
        }
    }
}

impl Quiet {
    fn read(declared: &Table) -> Quiet {
        let minutes = |clock: &str| {
            let (hours, minutes) = clock.split_once(':').expect("a time of day");
            hours.parse::<i64>().expect("hours") * 60 + minutes.parse::<i64>().expect("minutes")
        };
        let hours = |range: &Value| {
            let (from, until) = text(range).split_once('-').expect("a range");
            (minutes(from), minutes(until))
        };
        Quiet {
            hours: match declared.get("hours") {
                Some(Value::Array(list)) => list.iter().map(hours).collect(),
                one => one.into_iter().map(hours).collect(),
            },
            days: texts(declared, "days"),
            holidays: declared.get("holidays").and_then(Value::as_bool) == Some(true),
            channels: texts(declared, "channels"),
            purposes: texts(declared, "purposes"),
            except: texts(declared, "except"),
        }
    }
}

impl Budget {
    fn read(declared: &Table) -> Budget {
        let per = text(&declared["per"]);
        let only =
            |units: &str| per.ends_with(|unit| units.contains(unit)) && per[..per.len() - 1].parse::<i64>().is_ok();
        let per = match per {
            "day" | "week" | "month" | "quarter" | "year" => Per::Current(per.to_owned()),
            per if only("dw") => Per::Days(read_duration(per).expect("a duration") / DAY),
            per => Per::Rolling(read_duration(per).expect("a duration")),
        };
        let optional = |key: &str| declared.get(key).map(|value| text(value).to_owned());
        Budget {
            purpose: optional("purpose"),
            channel: optional("channel"),
            at_most: declared["at_most"].as_integer().expect("a number") as usize,
            per,
            except: texts(declared, "except"),
        }
    }
}

impl Rest {
    fn read(declared: &Table) -> Rest {
        Rest {
            after: declared["after"].as_integer().expect("a number") as usize,
            of: texts(declared, "of"),
            within: span(declared, "within"),
            length: span(declared, "for").expect("a length"),
        }
    }
}

impl Receipts {
    fn read(pack: &Pack, declared: &Table) -> Receipts {
        let input = pack.input_of(text(&declared["from"]));
        let field = |key: &str| {
            let name = declared.get(key).map_or(key, text);
            pack.inputs[input].fields.iter().position(|field| field.name == name)
        };
        Receipts {
            input,
            kind: field("kind").expect("a kind"),
            trigger: field("trigger"),
            channel: field("channel"),
            purpose: field("purpose"),
            until: field("until"),
        }
    }
}

/// A moment with its rules. Which data it uses is not known yet.
pub(crate) fn moment(pack: &Pack, name: &str, declared: &Table, kinds: &[Kind]) -> Moment {
    let about = declared
        .get("about")
        .map(|about| kinds.iter().position(|kind| kind.name == text(about)).expect("a kind"))
        .filter(|&about| about > 0);
    let resolve = |path: &[&str]| {
        let entity = |path: &[&str]| about.and_then(|kind| kinds[kind].resolve(&pack.inputs, 1, path));
        let customer = |path: &[&str]| kinds[0].resolve(&pack.inputs, 0, path);
        match path {
            [kind, rest @ ..] if about.is_some_and(|about| kinds[about].name == **kind) && !rest.is_empty() => {
                entity(rest)
            }
            ["customer", rest @ ..] if !rest.is_empty() => customer(rest),
            path => entity(path).or_else(|| customer(path)),
        }
    };
    let expr = |source: &str| read(source, &resolve).expect("an expression of a moment");
    let (when, uses) = expr(text(&declared["when"]));
    let rules = rules(declared, &when, &expr);
    Moment {
        name: name.to_owned(),
        version: declared.get("version").map_or(pack.version.as_str(), text).to_owned(),
        about,
        when,
        for_ms: span(declared, "for").unwrap_or(0),
        uses,
        rules,
    }
}

fn rules(declared: &Table, when: &Node, expr: &dyn Fn(&str) -> (Node, Uses)) -> Rules {
    let word = |key: &str, otherwise: &str| declared.get(key).map_or(otherwise, text).to_owned();
    let priority = match declared.get("priority") {
        None => constant(0.0),
        Some(Value::String(source)) => expr(source).0,
        Some(plain) => constant(number(plain)),
    };
    let evidence: Vec<(String, Node)> =
        texts(declared, "evidence").into_iter().map(|source| (source.clone(), expr(&source).0)).collect();
    let nodes = [when, &priority].into_iter().chain(evidence.iter().map(|(_, node)| node));
    let used: BTreeSet<(usize, usize)> = nodes.flat_map(Node::slots).collect();
    let purposes = |silence: &Table, key: &str| texts(silence, key);
    Rules {
        purpose: word("purpose", ""),
        channels: texts(declared, "channels"),
        priority,
        valid_for: span(declared, "valid_for"),
        cooldown: span(declared, "cooldown"),
        on_negative_mood: word("on_negative_mood", "defer"),
        success: declared.get("success").map(|source| expr(text(source))),
        success_within: span(declared, "success_within").unwrap_or(30 * DAY),
        evidence,
        used,
        silence: inner(declared, "silence").map(|silence| Silence {
            purposes: purposes(silence, "purposes"),
            moments: texts(silence, "moments"),
            except: purposes(silence, "except"),
            after: span(silence, "after").unwrap_or(0),
        }),
        holdout: declared.get("holdout").map_or(0.0, number),
        drops: word("on_suppressed", "wait") == "drop",
        expires_to_human: word("on_expiry", "expire") == "human",
        data: BTreeSet::new(),
    }
}

fn constant(number: f64) -> Node {
    Node { ty: Ty::Float, op: Op::Const(V::Float(number)) }
}
