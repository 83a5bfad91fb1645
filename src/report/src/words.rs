//! How numbers and names are written for people, in English and in French.

use propice_model::Language;

/// What stands where there is nothing to say.
pub(super) const NOTHING: &str = "–";

/// Characters of a name that are shown.
const NAME_CHARS: usize = 60;

/// Writes in a language.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportWords(pub(super) Language);

/// What is counted: one of it, and several, in each language.
pub(super) struct Noun {
    english: [&'static str; 2],
    french: [&'static str; 2],
}

impl Noun {
    pub(super) const fn new(english: [&'static str; 2], french: [&'static str; 2]) -> Noun {
        Noun { english, french }
    }
}

impl ReportWords {
    /// What is said in the language.
    pub(super) fn pick<T>(self, english: T, french: T) -> T {
        self.0.pick(english, french)
    }

    /// What is said of one, or of several: in French also of none as of one.
    pub(super) fn of_many<T>(self, number: u64, [one, several]: [T; 2]) -> T {
        let is_one = match self.0 {
            Language::English => number == 1,
            Language::French => number <= 1,
        };
        if is_one { one } else { several }
    }

    /// A count in groups of three digits.
    pub(super) fn count(self, number: u64) -> String {
        self.0.count(number)
    }

    /// `1 release`, `2 releases`.
    pub(super) fn counted(self, number: u64, noun: &Noun) -> String {
        format!("{} {}", self.count(number), self.of_many(number, self.pick(noun.english, noun.french)))
    }

    /// A number with so many decimals.
    pub(super) fn fixed(self, number: f64, decimals: usize) -> String {
        self.0.number(&format!("{number:.decimals$}"))
    }

    /// A share in percent.
    pub(super) fn percent(self, share: f64) -> String {
        self.0.percent(share, 1)
    }

    /// A share of a whole, where there is one.
    pub(super) fn percent_of(self, count: u64, of: u64) -> String {
        if of == 0 { NOTHING.to_owned() } else { self.percent(count as f64 / of as f64) }
    }

    /// Whether a number, as it is written, is none or nothing.
    pub(super) fn is_nothing(self, cell: &str) -> bool {
        cell == "0" || cell == NOTHING || cell == self.percent(0.0)
    }

    /// A length.
    pub(super) fn length(self, length_ms: u64) -> String {
        self.0.length(length_ms)
    }

    /// A length, or that there is none.
    pub(super) fn some_length(self, length_ms: Option<u64>) -> String {
        length_ms.map_or_else(|| NOTHING.to_owned(), |length| self.length(length))
    }

    /// The colon behind a word: French sets it apart, and a line does not end there.
    pub(super) fn colon(self) -> &'static str {
        self.pick(":", "\u{a0}:")
    }

    /// The semicolon, likewise.
    pub(super) fn semicolon(self) -> &'static str {
        self.pick(";", "\u{202f};")
    }

    /// A name from the data: what would control a terminal or turn the direction of the text is
    /// shown, not sent, and what is very long is cut.
    pub(super) fn name(self, text: &str) -> String {
        if text.is_empty() {
            return self.pick("(empty)", "(vide)").to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for (at, c) in text.chars().enumerate() {
            if at == NAME_CHARS {
                out.push('…');
                break;
            }
            match c {
                c if c.is_control() || is_directional(c) => out.extend(c.escape_unicode()),
                c => out.push(c),
            }
        }
        out
    }

    /// How a channel is called.
    pub(super) fn channel(self, channel: Option<&str>) -> String {
        channel.map_or_else(|| self.pick("(no channel)", "(sans canal)").to_owned(), |channel| self.name(channel))
    }
}

/// Unicode's marks that turn the direction of what follows, and its separators of lines.
fn is_directional(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_told_as_several_in_english_and_as_one_in_french() {
        const CONTACT: Noun = Noun::new(["contact", "contacts"], ["contact", "contacts"]);
        let told = |language| [0, 1, 2_000].map(|number| ReportWords(language).counted(number, &CONTACT));
        assert_eq!(told(Language::English), ["0 contacts", "1 contact", "2,000 contacts"]);
        assert_eq!(told(Language::French), ["0 contact", "1 contact", "2\u{202f}000 contacts"]);
    }

    #[test]
    fn names_cannot_command() {
        let words = ReportWords(Language::French);
        assert_eq!(words.name("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(words.name("é <b>"), "é <b>");
        assert_eq!(words.name(""), "(vide)");
        assert_eq!(words.name(&"x".repeat(100)).chars().count(), 61);
    }
}
