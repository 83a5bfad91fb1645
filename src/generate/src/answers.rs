//! What is not life but what surrounds it: what detectors hear between the lines, and whom other
//! systems have been in touch with.

use super::desk::Desk;
use super::life::Today;
use super::line::DayTime;
use super::person::Person;
use super::random::{End, Random};

/// The words that detectors use for moods.
const EMOTIONS: [&str; 5] = ["furious", "frustrated", "worried", "relieved", "happy"];
/// Detectors, each with the modality of what it hears.
const DETECTORS: [(&str, &str); 3] = [("voice_assistant", "voice"), ("web", "behaviour"), ("mobile", "text")];
/// Other systems that get in touch: by which channel, for which purpose.
const CAMPAIGNS: [(&str, &str); 4] =
    [("email", "sales"), ("email", "relationship"), ("letter", "service"), ("call_back", "sales")];

/// A day of one customer.
pub(super) fn day(desk: &mut Desk<'_>, person: &Person, today: &Today) {
    let mut random = Random::of(today.seed, End::Answers, u64::from(person.number), today.day);
    if random.happens(60_000) {
        let (source, modality) = *random.one_of(&DETECTORS);
        let emotion = *random.one_of(&EMOTIONS);
        let at = DayTime::new(today.day, 6, 30).plus(random.within(0, 56_000));
        let (strength, confidence) = (random.within(20, 99), random.within(40, 99));
        desk.mood(person.number, at, emotion, (strength, confidence), (modality, source));
    }
    if random.happens(15_000) {
        let (channel, purpose) = *random.one_of(&CAMPAIGNS);
        let at = DayTime::new(today.day, 9, 0).plus(random.within(0, 28_000));
        desk.contacted(person.paper(today.day, 3), person.number, at, channel, purpose);
    }
}
