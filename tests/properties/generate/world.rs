//! What a random pack is about: its inputs and kinds, before it is written.

use super::{Name, Rng, Ty};

/// Inputs and kinds.
pub(crate) struct World {
    /// How many ms all times and durations are multiples of.
    pub(crate) grain: i64,
    /// The least event time, in grains.
    pub(crate) base: i64,
    /// The customer first.
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) inputs: Vec<Input>,
    /// By kind (from 1): the input that relates it, and whether only role `O` relates.
    pub(crate) relations: Vec<(usize, bool)>,
    /// Whether the order of arrival must not matter.
    pub(crate) orderly: bool,
    /// What the policy reads; nothing without one.
    pub(crate) contact: Vec<Input>,
    /// The zone that the pack declares.
    pub(crate) zone: Option<&'static str>,
}

pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) is_table: bool,
    pub(crate) fields: Vec<Field>,
    /// The fields of the key of a table.
    pub(crate) key: Vec<&'static str>,
    pub(crate) about: Option<&'static str>,
    pub(crate) timed: bool,
    /// A record with this in `role` deletes its key.
    pub(crate) deletes: bool,
    /// How its delimited files are written, as TOML.
    pub(crate) format: Option<&'static str>,
}

impl Input {
    /// Its files are written in any way.
    fn in_a_format(self, rng: &mut Rng) -> Input {
        const FORMATS: [&str; 3] = ["{ delimiter = \";\" }", "{ delimiter = \"\\t\" }", "{ header = false }"];
        Input { format: rng.chance(40).then(|| *rng.pick(&FORMATS)), ..self }
    }
}

pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) ty: Ty,
    pub(crate) optional: bool,
    pub(crate) huge: bool,
    /// The key in the data.
    pub(crate) column: &'static str,
    /// Its values, as JSON, when they are not any of the type.
    pub(crate) among: &'static [&'static str],
    /// What its numbers count, of a time for which the pack says so.
    pub(crate) unit: Option<&'static str>,
}

pub(super) fn field(name: &'static str, ty: Ty, optional: bool) -> Field {
    Field { name, ty, optional, huge: false, column: name, among: &[], unit: None }
}

const ZONES: [&str; 4] = ["Europe/Paris", "America/New_York", "Asia/Kathmandu", "UTC"];
/// Names of the fields with ids, by kind.
pub(super) const IDS: [&str; 3] = ["c", "a", "k"];
/// A second field of the same kind.
pub(super) const OTHER_IDS: [&str; 3] = ["c_2", "a_2", "k_2"];
const BASES: [i64; 5] = [0, 0, 1_000, 1_772_442_000_123, 1_767_225_600_000];
/// Coarse grains let deadlines be days and years away. No duration is divided then.
const GRAINS: [i64; 4] = [86_400_000, 1 << 34, 30_000_000_000, 999_983];

impl World {
    pub(crate) fn new(rng: &mut Rng, orderly: bool, policy: bool) -> World {
        let coarse = rng.chance(15);
        let mut grain = if coarse { *rng.pick(&GRAINS) } else { 1 };
        let mut base = if coarse { *rng.pick(&BASES[..3]) } else { *rng.pick(&BASES) };
        if policy {
            (grain, base) = super::policy::times(rng);
        }
        let count = 1 + usize::from(rng.chance(75)) + usize::from(rng.chance(25));
        let mut kinds = ["customer", "account", "card"][..count].to_vec();
        // An insurer has entities that are called like a section of the pack.
        if let [_, .., last] = kinds.as_mut_slice()
            && rng.chance(20)
        {
            *last = "policy";
        }
        let zone = rng.chance(60).then(|| *rng.pick(&ZONES));
        let (inputs, contact) = (Vec::new(), Vec::new());
        let mut world = World { grain, base, kinds, inputs, relations: Vec::new(), orderly, contact, zone };
        for kind in 1..count {
            if kind == 2 && rng.chance(25) {
                // One input relates entities of both kinds.
                world.inputs[0].fields.push(field(IDS[kind], Ty::Id(kind), rng.chance(40)));
                world.relations.push((0, rng.chance(60)));
                continue;
            }
            let input = world.relating(rng, kind);
            world.inputs.push(input);
            world.relations.push((world.inputs.len() - 1, rng.chance(60)));
        }
        for number in 0..=rng.below(3) {
            let input = world.stream(rng, number);
            world.inputs.push(input);
        }
        for number in 0..rng.below(3) {
            let input = world.table(rng, number);
            world.inputs.push(input);
        }
        if policy {
            world.contact = super::policy::inputs(rng, orderly);
        } else {
            world.set_units(rng);
        }
        world.inputs = world.inputs.into_iter().map(|input| input.in_a_format(rng)).collect();
        world.contact = world.contact.into_iter().map(|input| input.in_a_format(rng)).collect();
        world
    }

    /// Some times are written in other units; not those by which tests put lines in order.
    fn set_units(&mut self, rng: &mut Rng) {
        // Nanoseconds of far times do not fit 64 bit.
        let units = if self.grain * self.latest() < i64::MAX / 1_000_000 { 4 } else { 3 };
        for field in self.inputs.iter_mut().flat_map(|input| &mut input.fields) {
            if field.ty == Ty::Time && !(self.orderly && field.name == "at") {
                field.unit = rng.chance(25).then(|| *rng.pick(&["s", "ms", "us", "ns"][..units]));
            }
        }
    }

    /// No record is later.
    pub(crate) fn latest(&self) -> i64 {
        self.base + 450
    }

    fn timeless(&self, rng: &mut Rng) -> bool {
        self.base <= 1_000 && rng.chance(25)
    }

    fn relating(&self, rng: &mut Rng, kind: usize) -> Input {
        let is_table = rng.chance(88);
        let timed = !is_table || !self.timeless(rng);
        let mut fields = vec![
            field("h", Self::key_type(rng), false),
            field("c", Ty::Id(0), rng.chance(15)),
            field(IDS[kind], Ty::Id(kind), rng.chance(15)),
            field("role", Ty::Text, rng.chance(50)),
        ];
        fields.extend(timed.then(|| field("at", Ty::Time, false)));
        fields.extend(self.order(rng, false));
        let mut key = if is_table { vec!["h"] } else { Vec::new() };
        if is_table && rng.chance(25) {
            fields[1].optional = false;
            fields[2].optional = false;
            key = vec!["c", IDS[kind]];
        }
        Input {
            name: format!("{}_of", IDS[kind]),
            is_table,
            fields,
            key,
            about: None,
            timed,
            deletes: is_table && rng.chance(30),
            format: None,
        }
    }

    fn key_type(rng: &mut Rng) -> Ty {
        rng.pick(&[Ty::Int, Ty::Int, Ty::Int, Ty::Decimal(1), Ty::Float, Ty::Text]).clone()
    }

    /// The field that orders records of equal time.
    fn order(&self, rng: &mut Rng, optional: bool) -> Option<Field> {
        if self.orderly {
            return Some(field("v", Ty::Int, false));
        }
        let ty = rng.pick(&[Ty::Int, Ty::Int, Ty::Text, Ty::Decimal(1), Ty::Time, Ty::Float, Ty::Bool]).clone();
        rng.chance(40).then(|| field("v", ty, optional))
    }

    fn values(&self, rng: &mut Rng) -> Vec<Field> {
        let scale = rng.below(4) as u8;
        let all = [
            ("n", Ty::Int),
            ("d", Ty::Decimal(scale)),
            ("f", Ty::Float),
            ("x", Ty::Text),
            ("b", Ty::Bool),
            ("t", Ty::Time),
            ("u", Ty::Duration),
            ("n2", Ty::Int),
            ("d2", Ty::Decimal(2)),
        ];
        let mut fields: Vec<Field> = Vec::new();
        for (name, ty) in all {
            if rng.chance(55) {
                let column = if rng.chance(6) { "Other Name" } else { name };
                let taken = fields.iter().any(|field: &Field| field.column == column);
                fields.push(Field { column: if taken { name } else { column }, ..field(name, ty, rng.chance(60)) });
            }
        }
        if rng.chance(15) {
            let ty = if rng.chance(50) { Ty::Int } else { Ty::Decimal(scale) };
            fields.push(Field { huge: true, ..field("huge", ty, true) });
        }
        fields
    }

    fn stream(&self, rng: &mut Rng, number: usize) -> Input {
        let kind = rng.below(self.kinds.len());
        let mut fields = vec![field(IDS[kind], Ty::Id(kind), rng.chance(10)), field("at", Ty::Time, false)];
        let other = rng.below(self.kinds.len());
        if other != kind && rng.chance(50) {
            fields.push(field(IDS[other], Ty::Id(other), rng.chance(50)));
        }
        if rng.chance(20) {
            fields.push(field(OTHER_IDS[kind], Ty::Id(kind), rng.chance(60)));
        }
        fields.extend(self.values(rng));
        let optional = !self.orderly && rng.chance(30);
        fields.extend(self.order(rng, optional));
        Input {
            name: format!("s{number}"),
            is_table: false,
            fields,
            key: Vec::new(),
            about: rng.chance(90).then_some(IDS[kind]),
            timed: true,
            deletes: false,
            format: None,
        }
    }

    fn table(&self, rng: &mut Rng, number: usize) -> Input {
        let kind = rng.below(self.kinds.len());
        let timed = !self.timeless(rng);
        let mut fields = vec![field(IDS[kind], Ty::Id(kind), false)];
        fields.extend(timed.then(|| field("at", Ty::Time, false)));
        let key = match rng.below(4) {
            0 | 1 => {
                fields.push(field("h", Self::key_type(rng), false));
                vec!["h"]
            }
            2 => vec![IDS[kind]],
            _ => {
                fields.push(field("h", Ty::Text, false));
                vec![IDS[kind], "h"]
            }
        };
        if !key.contains(&IDS[kind]) {
            fields[0].optional = rng.chance(15);
        }
        fields.extend(self.values(rng));
        fields.push(field("role", Ty::Text, rng.chance(50)));
        fields.extend(self.order(rng, false));
        Input {
            name: format!("t{number}"),
            is_table: true,
            fields,
            key,
            about: rng.chance(85).then_some(IDS[kind]),
            timed,
            deletes: rng.chance(30),
            format: None,
        }
    }
}

impl Input {
    pub(super) fn names(&self) -> Vec<Name> {
        let name = |field: &Field| Name { huge: field.huge, ..Name::of(field.name, field.ty.clone()) };
        self.fields.iter().map(name).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }
}
