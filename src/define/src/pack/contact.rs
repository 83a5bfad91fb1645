//! Checking what the policy says of time and channels: quiet hours, holidays, budgets.

use super::features::{input_named, place_of};
use super::inputs::field_named;
use super::moments::channel_named;
use super::problem::{Problem, Problems};
use super::raw_policy as raw;
use super::scope::Ground;
use super::spot::Text;
use crate::plan::{Budget, Channel, Holidays, QuietRule};
use propice_model::{FieldId, InputId, Type};

/// The field of a name, which has to hold values of a type.
pub(super) fn field_of(
    ground: &Ground<'_>,
    input: InputId,
    (key, name): (&'static str, &Text),
    ty: &Type,
    problems: &mut Problems,
) -> Option<FieldId> {
    let shape = &ground.inputs[input.index()];
    let field = field_named(shape, &place_of(ground, input), name, problems)?;
    let found = &shape.input.fields[field.index()].ty;
    if found == ty {
        return Some(field);
    }
    let (expected, found) = (format!("`{}`", ground.type_name(ty)), ground.type_name(found));
    problems.add(Problem::FieldType { key, field: name.value.clone(), expected, found }, &name.span);
    None
}

/// The table of holidays.
pub(super) fn holidays(ground: &Ground<'_>, raw: &raw::Holidays, problems: &mut Problems) -> Option<Holidays> {
    let table = raw.table.as_ref()?;
    let input = input_named(ground, table, problems)?;
    if !ground.inputs[input.index()].input.is_table() {
        problems.add(Problem::NotATable { name: table.value.clone() }, &table.span);
        return None;
    }
    let day = raw.day.as_ref().and_then(|name| field_of(ground, input, ("day", name), &Type::Text, problems));
    let region = raw.region.as_ref().map(|name| field_of(ground, input, ("region", name), &Type::Text, problems));
    Some(Holidays { input, day: day?, region: region.map_or(Some(None), |region| region.map(Some))? })
}

/// An entry of `policy.quiet`.
pub(super) fn quiet(raw: &raw::Quiet, channels: &[Channel], problems: &mut Problems) -> QuietRule {
    QuietRule {
        hours: raw.hours.clone(),
        days: raw.days.clone(),
        holidays: raw.holidays.as_ref().is_some_and(|spot| spot.value),
        channels: raw.channels.iter().filter_map(|text| channel_named(text, channels, problems)).collect(),
        purposes: raw.purposes.clone(),
        except: raw.except.clone(),
    }
}

/// An entry of `policy.pressure`.
pub(super) fn budget(raw: &raw::Pressure, channels: &[Channel], problems: &mut Problems) -> Budget {
    Budget {
        purpose: raw.purpose,
        channel: raw.channel.as_ref().and_then(|text| channel_named(text, channels, problems)),
        at_most: raw.at_most.value,
        per: raw.per,
        except: raw.except.clone(),
    }
}
