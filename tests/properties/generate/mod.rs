//! Random packs and random streams that fit them, from a seed.
//!
//! Times are small whole numbers of a grain, mostly a millisecond, so that the oracle can look at
//! every one of them; values are few, so that things meet: equal times, equal keys, equal values.

mod answers;
mod concerned;
mod condition;
mod pack;
mod policy;
mod records;
mod rng;
mod world;

pub(crate) use rng::Rng;

/// A pack, what arrives, and how far the clock is moved.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) pack: PackText,
    pub(crate) lines: Vec<String>,
    pub(crate) until: Option<u64>,
    /// All times are multiples of so many ms.
    pub(crate) grain: u64,
    /// Before that nothing is published; 0: everything is.
    pub(crate) publish_from: u64,
    /// The lines come as files of each input, which follow from this (`crate::files`); `None`: as
    /// they are, in their order.
    pub(crate) files: Option<u64>,
    /// How many packs were drawn before this one that were refused.
    pub(crate) refused: u64,
}

/// A pack as declarations, from which a smaller one is easily made.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackText {
    pub(crate) declarations: Vec<Declaration>,
}

/// `[section]`, or one line `name = …` of it.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) section: String,
    /// Without a name, the section itself holds the keys.
    pub(crate) name: Option<String>,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Keys with values, as TOML.
    Keys(Vec<(String, String)>),
    /// A value, as TOML.
    Plain(String),
    /// A whole pack.
    Verbatim(String),
}

impl PackText {
    fn keys(&mut self, section: &str, name: Option<&str>, keys: Vec<(String, String)>) {
        let declaration =
            Declaration { section: section.to_owned(), name: name.map(str::to_owned), body: Body::Keys(keys) };
        self.declarations.push(declaration);
    }

    /// A pack that is there as text.
    pub(crate) fn verbatim(text: String) -> PackText {
        let body = Body::Verbatim(text);
        PackText { declarations: vec![Declaration { section: String::new(), name: None, body }] }
    }

    /// As TOML.
    pub(crate) fn text(&self) -> String {
        let mut sections: Vec<&str> = Vec::new();
        for declaration in &self.declarations {
            if !sections.contains(&declaration.section.as_str()) {
                sections.push(&declaration.section);
            }
        }
        if let [Declaration { body: Body::Verbatim(text), .. }] = self.declarations.as_slice() {
            return text.clone();
        }
        let mut text = String::new();
        for section in sections {
            text += &format!("[{section}]\n");
            for declaration in self.declarations.iter().filter(|declaration| declaration.section == section) {
                let line = |(key, value): &(String, String)| format!("{key} = {value}");
                text += &match (&declaration.name, &declaration.body) {
                    (None, Body::Keys(keys)) => keys.iter().map(line).collect::<Vec<_>>().join("\n"),
                    (Some(name), Body::Keys(keys)) => {
                        format!("{name} = {{ {} }}", keys.iter().map(line).collect::<Vec<_>>().join(", "))
                    }
                    (name, Body::Plain(value) | Body::Verbatim(value)) => {
                        format!("{} = {value}", name.as_deref().unwrap_or_default())
                    }
                };
                text.push('\n');
            }
        }
        text
    }
}

/// The type of a name, as far as the generator needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    Int,
    Float,
    Decimal(u8),
    Text,
    Time,
    Duration,
    Id(usize),
    List(Box<Ty>),
}

/// A name that an expression may use.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) ty: Ty,
    /// A count: comparing it with what is below zero is a mistake.
    pub(crate) never_negative: bool,
    /// Its values are near the limit of 64 bit: no arithmetic.
    pub(crate) huge: bool,
}

impl Name {
    fn of(text: &str, ty: Ty) -> Name {
        Name { text: text.to_owned(), ty, never_negative: false, huge: false }
    }
}

/// A random pack with a random stream; most have a policy.
pub(crate) fn case(seed: u64) -> Case {
    let case =
        if seed.is_multiple_of(4) { sound(&mut Rng::new(seed), &|rng| plain(rng, false)) } else { contact_case(seed) };
    let mut rng = Rng::new(!seed);
    let from =
        if rng.below(4) == 0 { case.lines.get(case.lines.len() / 2).and_then(|line| time_of(line)) } else { None };
    Case { publish_from: from.map_or(0, i64::unsigned_abs), ..case }
}

/// Of so many cases of a hundred the lines come as files.
const FILES: usize = 35;

/// A random pack with a policy.
pub(crate) fn contact_case(seed: u64) -> Case {
    accepted(seed, &|rng| plain(rng, true))
}

/// A random pack with a policy in whose text these words stand.
pub(crate) fn contact_case_with(seed: u64, words: &[&str]) -> Case {
    accepted(seed, &|rng| {
        let has_all = |case: &Case| {
            let text = case.pack.text();
            words.iter().all(|word| text.contains(word))
        };
        let mut case = plain(rng, true);
        for _ in 0..500 {
            if has_all(&case) {
                break;
            }
            case = plain(rng, true);
        }
        case
    })
}

/// The first of some cases that is accepted: the linter, and what is said of conditions that are
/// always the same, see more than is worth knowing here.
fn sound(rng: &mut Rng, generate: &dyn Fn(&mut Rng) -> Case) -> Case {
    let mut case = generate(rng);
    while case.refused < MOST_REFUSED && is_refused(&case) {
        case = Case { refused: case.refused + 1, ..generate(rng) };
    }
    case
}

/// Whoever draws so many packs that are refused gives up.
const MOST_REFUSED: u64 = 30;

fn is_refused(case: &Case) -> bool {
    let loaded = propice_define::load("random.toml", &case.pack.text());
    if let Err(problems) = &loaded
        && std::env::var_os("PROPICE_REFUSED").is_some()
    {
        eprintln!("refused: {problems:?}");
    }
    loaded.is_err()
}

/// One that is accepted, with receipts.
fn accepted(seed: u64, generate: &dyn Fn(&mut Rng) -> Case) -> Case {
    let mut rng = Rng::new(seed);
    let mut case = sound(&mut rng, generate);
    answers::answer(&mut rng, &mut case);
    case
}

/// A random pack with a policy, with lines in the order of their times, of which those of equal
/// times may come in any order.
pub(crate) fn timely_case(seed: u64) -> Case {
    accepted(seed, &|rng| {
        let world = world::World::new(rng, true, true);
        let pack = pack::write(rng, &world);
        let mut lines = records::lines(rng, &world);
        lines.sort_by_key(|line| time_of(line).unwrap_or(0));
        let until = Some(((world.latest() + rng.between(0, 60)) * world.grain) as u64);
        Case { pack, lines, until, grain: world.grain as u64, publish_from: 0, files: None, refused: 0 }
    })
}

/// The event time of a line.
pub(crate) fn time_of(line: &str) -> Option<i64> {
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    let at = &record["at"];
    let text = || at.as_str()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    at.as_i64().or_else(text)
}

fn plain(rng: &mut Rng, policy: bool) -> Case {
    let world = world::World::new(rng, false, policy);
    let pack = pack::write(rng, &world);
    let lines = records::lines(rng, &world);
    let files = rng.chance(FILES).then(|| rng.next());
    let until = match rng.below(100) {
        0..=11 => None,
        12..=18 => Some(world.base + rng.between(0, 300)),
        _ => Some(world.latest() + rng.between(0, 150)),
    };
    Case {
        pack,
        lines,
        until: until.map(|until| (until * world.grain) as u64),
        grain: world.grain as u64,
        publish_from: 0,
        files,
        refused: 0,
    }
}

/// A random pack with a stream of which any order of arrival must end in the same views: no two
/// records of a key are equal in time and order.
pub(crate) fn orderly_case(seed: u64) -> Case {
    let mut rng = Rng::new(seed);
    sound(&mut rng, &|rng| {
        let world = world::World::new(rng, true, false);
        let pack = pack::write(rng, &world);
        let lines = records::lines(rng, &world);
        let until = Some(((world.latest() + rng.between(0, 60)) * world.grain) as u64);
        Case { pack, lines, until, grain: world.grain as u64, publish_from: 0, files: None, refused: 0 }
    })
}
