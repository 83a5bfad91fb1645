//! Random policies, and the inputs that they read.

use super::concerned::Concerned;
use super::condition::Place;
use super::pack::{entry, extras, quoted};
use super::world::{Field, Input, World, field};
use super::{Body, Declaration, Name, PackText, Rng, Ty};

/// The instants shortly before which cases of milliseconds begin: midnight, and where clocks are
/// moved on (the last one in a place without midnight that day).
const TURNS: [i64; 5] = [1_767_225_600_000, 1_774_746_000_000, 1_772_953_200_000, 1_772_442_000_123, 1_776_981_600_000];
/// Minutes, quarters of an hour, hours, days: and something that fits no calendar.
const GRAINS: [i64; 7] = [60_000, 900_000, 3_600_000, 3_600_000, 21_600_000, 86_400_000, 999_983];
/// The mornings on which cases of the calendar begin.
const MORNINGS: [i64; 4] = [1_773_964_800_000, 1_792_454_400_000, 1_766_188_800_000, 0];

/// A grain, and the least event time in grains.
pub(super) fn times(rng: &mut Rng) -> (i64, i64) {
    if rng.chance(55) {
        return (1, *rng.pick(&TURNS) - rng.between(0, 300));
    }
    let grain = *rng.pick(&GRAINS);
    (grain, *rng.pick(&MORNINGS) / grain)
}

const PURPOSES: [&str; 5] = ["safety", "assistance", "service", "relationship", "sales"];
pub(super) const CHANNELS: [&str; 3] = ["push", "adviser", "call"];
const WHOM: &[&str] = &["\"c1\"", "\"c1\"", "7", "\"7\"", "10"];
const FLAGS: &[&str] = &["true", "false", "false"];
const CONSENTS: &[&str] = &["true", "true", "true", "false"];
const ZONES: &[&str] = &[
    "\"Europe/Paris\"",
    "\"America/New_York\"",
    "\"Asia/Kathmandu\"",
    "\"Australia/Lord_Howe\"",
    "\"Africa/Cairo\"",
    "\"Mars/Phobos\"",
    "\"UTC\"",
];
const REGIONS: &[&str] = &["\"idf\"", "\"alsace\""];
const LABELS: &[&str] = &["\"anger\"", "\"anger\"", "\"anxiety\"", "\"furious\"", "\"joy\"", "\"calm\"", "\"bored\""];
const NUMBERS: &[&str] = &["1", "0.5", "0.25", "0.9", "1.5", "-0.5", "0"];
const MODALITIES: &[&str] = &["\"voice\"", "\"text\"", "\"face\""];
pub(super) const KINDS: &[&str] = &[
    "\"delivered\"",
    "\"seen\"",
    "\"acted\"",
    "\"dismissed\"",
    "\"snoozed\"",
    "\"useful\"",
    "\"not_useful\"",
    "\"wrong\"",
    "\"contacted\"",
    "\"contacted\"",
    "\"contacted\"",
    "\"opened\"",
];
const ON_CHANNELS: &[&str] = &["\"push\"", "\"adviser\"", "\"call\"", "\"letter\""];
const FOR_PURPOSES: &[&str] = &["\"sales\"", "\"assistance\"", "\"relationship\"", "\"other\""];
const DAYS: &[&str] = &[
    "\"2026-03-21\"",
    "\"2026-03-29\"",
    "\"2026-01-01\"",
    "\"2025-12-25\"",
    "\"2026-10-25\"",
    "\"1970-01-02\"",
    "\"a day\"",
];

fn of(name: &'static str, among: &'static [&'static str], optional: bool) -> Field {
    let ty = match name {
        "no" | "sell" | "loc" | "hear" => Ty::Bool,
        "i" | "q" => Ty::Decimal(2),
        _ => Ty::Text,
    };
    Field { among, ..field(name, ty, optional) }
}

fn table(name: &str, about: Option<&'static str>, key: &'static str, fields: Vec<Field>) -> Input {
    let (name, key) = (name.to_owned(), vec![key]);
    Input { name, is_table: true, fields, key, about, timed: true, deletes: false, format: None }
}

/// What the policy reads.
pub(super) fn inputs(rng: &mut Rng, orderly: bool) -> Vec<Input> {
    // Few, so that much happens to each.
    let whom = || Field { among: WHOM, ..field("c", Ty::Id(0), false) };
    let who = || [whom(), field("at", Ty::Time, false)];
    let mut inputs = Vec::new();
    let flags = [
        ("no", FLAGS),
        ("sell", CONSENTS),
        ("loc", CONSENTS),
        ("hear", CONSENTS),
        ("zone", ZONES),
        ("region", REGIONS),
    ];
    let fields = flags.map(|(name, among)| of(name, among, true));
    inputs.push(table("people", Some("c"), "c", who().into_iter().chain(fields).collect()));
    for number in 0..rng.below(4).min(2) {
        let mut fields = Vec::from(who());
        fields.push(of("label", LABELS, rng.chance(30)));
        for (name, among) in [("i", NUMBERS), ("q", NUMBERS), ("m", MODALITIES), ("src", ON_CHANNELS)] {
            fields.extend(rng.chance(60).then(|| of(name, among, rng.chance(60))));
        }
        let is_table = rng.chance(30);
        fields.extend(is_table.then(|| field("h", Ty::Int, false)));
        let input = table(&format!("mood{number}"), Some("c"), "h", fields);
        inputs.push(Input { is_table, key: if is_table { vec!["h"] } else { Vec::new() }, ..input });
    }
    if rng.chance(90) {
        let mut fields = Vec::from(who());
        fields.push(of("kind", KINDS, false));
        fields.push(field("trigger", Ty::Text, true));
        fields.extend(rng.chance(80).then(|| of("channel", ON_CHANNELS, true)));
        fields.extend(rng.chance(80).then(|| of("purpose", FOR_PURPOSES, true)));
        fields.extend(rng.chance(60).then(|| field("until", Ty::Time, true)));
        let is_table = rng.chance(60);
        fields.extend(is_table.then(|| field("h", Ty::Int, false)));
        let input = table("receipts", Some("c"), "h", fields);
        inputs.push(Input { is_table, key: if is_table { vec!["h"] } else { Vec::new() }, ..input });
    }
    if rng.chance(50) {
        let mut fields = vec![of("day", DAYS, false), field("at", Ty::Time, false)];
        fields.extend(rng.chance(60).then(|| of("region", REGIONS, true)));
        inputs.push(table("holidays", None, "day", fields));
    }
    for input in inputs.iter_mut().filter(|_| orderly) {
        input.fields.push(field("v", Ty::Int, false));
    }
    inputs
}

/// What a pack says of policy, moment by moment and then of all.
pub(super) struct Contact {
    /// By moment.
    purposes: Vec<&'static str>,
    grain: i64,
    written: bool,
}

impl Contact {
    pub(super) fn new(rng: &mut Rng, world: &World) -> Contact {
        let written = !world.contact.is_empty();
        let purpose = |rng: &mut Rng| if written { *rng.pick(&PURPOSES) } else { "assistance" };
        Contact { purposes: (0..=rng.below(4)).map(|_| purpose(rng)).collect(), grain: world.grain, written }
    }

    pub(super) fn moments(&self) -> usize {
        self.purposes.len()
    }

    fn span(&self, rng: &mut Rng, most: i64) -> String {
        quoted(&format!("{}ms", self.grain * rng.between(1, most)))
    }

    /// What a moment says of policy.
    pub(super) fn write_moment(
        &self,
        rng: &mut Rng,
        number: usize,
        keys: &mut Vec<(String, String)>,
        place: Place<'_>,
    ) {
        let purpose = self.purposes[number];
        keys.push(entry("purpose", quoted(purpose)));
        if !self.written {
            return;
        }
        let mut channels = CHANNELS.to_vec();
        rng.shuffle(&mut channels);
        channels.truncate(rng.below(4));
        let channels: Vec<String> = channels.into_iter().map(quoted).collect();
        keys.push(entry("channels", format!("[{}]", channels.join(", "))));
        let small: Vec<Name> = place.names.iter().filter(|name| !name.huge).cloned().collect();
        let numbers = Place { names: &small, now: false, ..place };
        let ty = rng.pick(&[Ty::Int, Ty::Decimal(2), Ty::Float]).clone();
        let priority = if rng.chance(50) { numbers.value(rng, &ty, 1).map(|text| quoted(&text)) } else { None };
        if let Some(priority) = priority.or_else(|| rng.chance(40).then(|| rng.between(-2, 3).to_string())) {
            keys.push(entry("priority", priority));
        }
        if rng.chance(35) {
            keys.push(entry("valid_for", self.span(rng, 80)));
            keys.extend(rng.chance(60).then(|| entry("on_expiry", quoted("human"))));
        }
        if rng.chance(35) {
            keys.push(entry("cooldown", self.span(rng, 150)));
        }
        if rng.chance(50) {
            keys.push(entry("success", quoted(&place.condition(rng, 1))));
            keys.extend(rng.chance(80).then(|| entry("success_within", self.span(rng, 80))));
        }
        if rng.chance(25) {
            let conditions: Vec<String> = (0..=rng.below(2)).map(|_| quoted(&place.condition(rng, 1))).collect();
            keys.push(entry("evidence", format!("[{}]", conditions.join(", "))));
        }
        if rng.chance(12) && purpose != "safety" {
            keys.push(entry("holdout", (*rng.pick(&["0.1", "0.5", "0.9"])).to_owned()));
        }
        if rng.chance(75) {
            let mood = *rng.pick(&["defer", "cancel", "human", "human", "ignore"]);
            keys.push(entry("on_negative_mood", quoted(mood)));
        }
        keys.extend(rng.chance(15).then(|| entry("on_suppressed", quoted("drop"))));
        if rng.chance(20) {
            keys.extend(self.silence(rng, number));
        }
    }

    fn silence(&self, rng: &mut Rng, number: usize) -> Option<(String, String)> {
        let others: Vec<usize> = (0..self.purposes.len()).filter(|other| *other != number).collect();
        if others.is_empty() {
            return None;
        }
        let other = *rng.pick(&others);
        let mut parts = Vec::new();
        match rng.below(4) {
            0 => parts.push(format!("purposes = [\"{}\"]", self.purposes[other])),
            1 => parts.push(format!("moments = [\"m{other}\"]")),
            2 => parts.push(format!("moments = [\"m{other}\"], purposes = [\"{}\"]", self.purposes[other])),
            _ => {
                let except = PURPOSES.iter().find(|purpose| **purpose != self.purposes[other]).expect("another");
                parts.push(format!("except = [\"{except}\"]"));
            }
        }
        parts.extend(rng.chance(60).then(|| format!("after = {}", self.span(rng, 60))));
        Some(entry("silence", format!("{{ {} }}", parts.join(", "))))
    }

    /// What the policy says.
    pub(super) fn write(&self, rng: &mut Rng, pack: &mut PackText, world: &World, names: &[Vec<Name>]) {
        if !self.written {
            return;
        }
        let concerned = Concerned::of(pack);
        let adviser = rng.chance(60);
        for channel in CHANNELS {
            let mut keys = vec![entry("topic", quoted(&format!("t.{channel}")))];
            keys.extend((channel == "adviser" && adviser).then(|| entry("human", "true")));
            pack.keys(&format!("channel.{channel}"), None, keys);
        }
        let known: Vec<Name> = names[0].iter().cloned().chain(extras(world, 0)).collect();
        // `now` comes in through attributes.
        let place = Place { names: &known, now: false, grain: world.grain };
        let condition = |rng: &mut Rng, flag: &str| {
            quoted(&match rng.below(5) {
                0 => format!("people.{flag}"),
                1 => place.condition(rng, 1),
                _ => format!("coalesce(people.{flag}, {})", flag != "no"),
            })
        };
        let has = |name: &str| world.contact.iter().any(|input| input.name == name);
        let mut say = |name: &str, value: String| plain(pack, "policy", name, value);
        if rng.chance(30) {
            say("refusal", condition(rng, "no"));
        }
        if rng.chance(70) {
            say("zone", quoted("people.zone"));
        }
        let holidays = world.contact.iter().find(|input| input.name == "holidays");
        let rules = if rng.chance(60) || holidays.is_some() { 1 + rng.below(3) } else { 0 };
        // Holidays are of use to a rule only, and a rule about them only with holidays.
        let rule = |rng: &mut Rng, number| concerned.by(rng, &|rng| quiet(rng, number == 0, holidays.is_some()));
        let mut rules: Vec<String> = (0..rules).filter_map(|number| rule(rng, number)).collect();
        if rules.is_empty() && holidays.is_some() {
            rules.push("{ holidays = true }".to_owned());
        }
        if !rules.is_empty() {
            say("quiet", format!("[ {} ]", rules.join(", ")));
        }
        if let Some(holidays) = holidays {
            let region = if holidays.has("region") { ", region = \"region\"" } else { "" };
            say("holidays", format!("{{ table = \"holidays\", day = \"day\"{region} }}"));
            if holidays.has("region") {
                say("region", quoted("people.region"));
            }
        }
        let mut budgets: Vec<String> = Vec::new();
        if self.purposes.contains(&"sales") {
            budgets.push(format!(
                "{{ at_most = {}, per = {}, purpose = \"sales\" }}",
                rng.between(1, 2),
                self.per(rng)
            ));
        }
        for _ in 0..rng.below(3) {
            let budget = concerned.by(rng, &|rng| self.budget(rng));
            // Of two for the same the one that is used up first makes the other useless.
            let for_whom = |budget: &str| budget.split(", ").skip(2).collect::<Vec<_>>().join(", ");
            let is_new = |budget: &String| budgets.iter().all(|other| for_whom(other) != for_whom(budget));
            budgets.extend(budget.filter(is_new));
        }
        if !budgets.is_empty() {
            say("pressure", format!("[ {} ]", budgets.join(", ")));
        }
        match rng.below(6) {
            0 => {}
            1 => say("arbitration", quoted("0s")),
            2 => say(
                "arbitration",
                format!("{{ per = {}, except = [\"{}\"] }}", self.span(rng, 60), rng.pick(&PURPOSES)),
            ),
            _ => say("arbitration", self.span(rng, 40)),
        }
        if has("receipts") {
            self.write_receipts(rng, &mut say);
        }
        if rng.chance(30) || concerned.needs_person(adviser) {
            say("human", quoted(CHANNELS[rng.below(CHANNELS.len())]));
        }
        self.write_consent(rng, pack, world, names, &condition);
        self.write_mood(rng, pack, world, &condition);
    }

    fn write_receipts(&self, rng: &mut Rng, say: &mut dyn FnMut(&str, String)) {
        let keep = if rng.chance(25) { ", keep = \"500d\"" } else { "" };
        say("receipts", format!("{{ from = \"receipts\"{keep} }}"));
        if rng.chance(60) {
            let rule = |rng: &mut Rng| {
                let after = rng.between(1, 3);
                let within = if after > 1 && rng.chance(60) {
                    format!(", within = {}", self.span(rng, 60))
                } else {
                    String::new()
                };
                let kinds = *rng.pick(&["\"dismissed\"", "\"wrong\", \"dismissed\"", "\"seen\", \"delivered\""]);
                format!("{{ after = {after}, of = [{kinds}]{within}, for = {} }}", self.span(rng, 90))
            };
            let rules: Vec<String> = (0..=rng.below(2)).map(|_| rule(rng)).collect();
            say("rest", format!("[ {} ]", rules.join(", ")));
        }
        if rng.chance(70) {
            say("snooze", self.span(rng, 60));
        }
        if rng.chance(60) {
            say("rating", "{ useful = 2.0, not_useful = -2.0, dismissed = -1.0, wrong = -5.5, seen = 0.5 }".to_owned());
        }
    }

    fn write_consent(
        &self,
        rng: &mut Rng,
        pack: &mut PackText,
        world: &World,
        names: &[Vec<Name>],
        condition: &dyn Fn(&mut Rng, &str) -> String,
    ) {
        // What is sold is asked for where anything is.
        let asked = rng.chance(30) || self.purposes.contains(&"sales");
        if asked {
            let mut purposes = PURPOSES.to_vec();
            rng.shuffle(&mut purposes);
            purposes.truncate(1 + rng.below(3));
            if self.purposes.contains(&"sales") && !purposes.contains(&"sales") {
                purposes.push("sales");
            }
            let keys = purposes.into_iter().map(|purpose| entry(purpose, condition(rng, "sell"))).collect();
            pack.keys("policy.consent", Some("purposes"), keys);
        }
        for kind in ["location", "health"] {
            if !rng.chance(20) {
                continue;
            }
            let mut keys = vec![entry("allowed", condition(rng, "loc"))];
            let both = rng.chance(30);
            let features: Vec<String> = (names.iter().zip(&world.kinds).enumerate())
                .flat_map(|(number, (names, kind))| {
                    names.iter().map(
                        move |name| {
                            if number == 0 { name.text.clone() } else { format!("{kind}.{}", name.text) }
                        },
                    )
                })
                .collect();
            let by_feature = rng.chance(50) && !features.is_empty();
            if by_feature || (both && !features.is_empty()) {
                keys.push(entry("features", format!("[{}]", quoted(rng.pick(features.as_slice()).as_str()))));
            }
            if !by_feature || both {
                keys.push(entry("inputs", format!("[{}]", quoted(&rng.pick(&world.inputs).name))));
            }
            pack.keys(&format!("policy.consent.data.{kind}"), None, keys);
        }
    }

    fn write_mood(
        &self,
        rng: &mut Rng,
        pack: &mut PackText,
        world: &World,
        condition: &dyn Fn(&mut Rng, &str) -> String,
    ) {
        let sources: Vec<&Input> = world.contact.iter().filter(|input| input.name.starts_with("mood")).collect();
        if sources.is_empty() {
            return;
        }
        let mut keys = vec![entry("negative", "[\"anger\", \"anxiety\"]")];
        keys.extend(rng.chance(70).then(|| entry("positive", "[\"joy\", \"calm\"]")));
        keys.extend(rng.chance(60).then(|| entry("map", "{ furious = \"anger\" }")));
        let half_life = self.span(rng, 40);
        let of_feature = rng.chance(30);
        let decays = !of_feature || rng.chance(70);
        if decays && rng.chance(60) {
            // One signal weighs no more than 1.
            let most = if of_feature { 5 } else { 6 };
            let threshold = ["0.5", "0.3", "0.8", "0.05", "0.0", "1.2"][rng.below(most)];
            keys.push(entry("threshold", threshold.to_owned()));
        }
        if of_feature {
            let mut feature = vec![entry("from", quoted(&sources[0].name)), entry("last", quoted("label"))];
            feature.extend(rng.chance(30).then(|| entry("window", self.span(rng, 90))));
            pack.keys("customer.feature", Some("last_mood"), feature);
            keys.push(entry("from", quoted("last_mood")));
            keys.extend(decays.then(|| entry("half_life", half_life)));
        } else {
            keys.push(entry("half_life", half_life));
            let signals: Vec<String> = sources.iter().map(|input| signal(rng, input)).collect();
            if signals.iter().any(|signal| signal.contains("modality")) && rng.chance(60) {
                let voice = if rng.chance(30) { quoted("off") } else { condition(rng, "hear") };
                keys.push(entry("modalities", format!("{{ voice = {voice}, face = \"off\" }}")));
            }
            keys.push(entry("signals", format!("[ {} ]", signals.join(", "))));
        }
        pack.keys("policy.mood", None, keys);
    }

    fn per(&self, rng: &mut Rng) -> String {
        const PERIODS: [&str; 9] = ["day", "week", "month", "quarter", "year", "1d", "2d", "1w", "30d"];
        if rng.chance(50) { quoted(PERIODS[rng.below(PERIODS.len())]) } else { self.span(rng, 120) }
    }

    fn budget(&self, rng: &mut Rng) -> String {
        let mut whom = Vec::new();
        whom.extend(rng.chance(30).then(|| format!("purpose = \"{}\"", rng.pick(&PURPOSES))));
        whom.extend(rng.chance(40).then(|| format!("channel = \"{}\"", rng.pick(&CHANNELS))));
        whom.extend(rng.chance(25).then(|| format!("except = [\"{}\"]", rng.pick(&PURPOSES))));
        // One for all has more in it, so that the others are not used up after it.
        let at_most = if whom.is_empty() { rng.between(2, 3) } else { 1 };
        let parts = [format!("at_most = {at_most}"), format!("per = {}", self.per(rng))];
        format!("{{ {} }}", parts.into_iter().chain(whom).collect::<Vec<_>>().join(", "))
    }
}

fn plain(pack: &mut PackText, section: &str, name: &str, value: String) {
    let (section, name) = (section.to_owned(), Some(name.to_owned()));
    pack.declarations.push(Declaration { section, name, body: Body::Plain(value) });
}

/// Between half past ten and noon it is never quiet because of hours, so that it does not stay
/// quiet for ever.
const HOURS: [&str; 8] = [
    "20:00-08:00",
    "00:00-10:00",
    "13:00-14:00",
    "22:30-06:15",
    "12:00-12:30",
    "18:00-24:00",
    "09:00-10:30",
    "01:00-02:30",
];

fn quiet(rng: &mut Rng, first: bool, holidays: bool) -> String {
    let mut parts = Vec::new();
    if rng.chance(70) {
        let at = rng.below(HOURS.len());
        let hours = format!("\"{}\"", HOURS[at]);
        let more = format!("[{hours}, \"{}\"]", HOURS[(at + 1 + rng.below(HOURS.len() - 1)) % HOURS.len()]);
        parts.push(format!("hours = {}", if rng.chance(60) { hours } else { more }));
    }
    if parts.is_empty() || rng.chance(25) {
        parts.push(format!("days = [\"{}\"]", rng.pick(&["sunday", "saturday", "monday", "thursday"])));
    }
    parts.extend((holidays && (first || rng.chance(40))).then(|| "holidays = true".to_owned()));
    parts.extend(rng.chance(40).then(|| format!("channels = [\"{}\"]", rng.pick(&CHANNELS))));
    parts.extend(rng.chance(25).then(|| format!("purposes = [\"{}\"]", rng.pick(&PURPOSES))));
    parts.extend(rng.chance(25).then(|| format!("except = [\"{}\"]", rng.pick(&PURPOSES))));
    format!("{{ {} }}", parts.join(", "))
}

fn signal(rng: &mut Rng, input: &Input) -> String {
    let mut parts = vec![format!("from = \"{}\"", input.name), "label = \"label\"".to_owned()];
    for (key, name) in [("intensity", "i"), ("confidence", "q"), ("modality", "m"), ("source", "src")] {
        parts.extend((input.has(name) && rng.chance(80)).then(|| format!("{key} = \"{name}\"")));
    }
    if !input.has("m") && rng.chance(30) {
        parts.push("modality = \"'voice'\"".to_owned());
    }
    parts.extend((input.has("q") && rng.chance(40)).then(|| "where = \"q > 0.25\"".to_owned()));
    format!("{{ {} }}", parts.join(", "))
}
