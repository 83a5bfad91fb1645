//! The languages in which people are told things, and how numbers, days and lengths are written in
//! each. The words of both languages stand side by side, so that neither is forgotten.

use jiff::civil::Date;

const MONTHS: [[&str; 2]; 12] = [
    ["January", "janvier"],
    ["February", "février"],
    ["March", "mars"],
    ["April", "avril"],
    ["May", "mai"],
    ["June", "juin"],
    ["July", "juillet"],
    ["August", "août"],
    ["September", "septembre"],
    ["October", "octobre"],
    ["November", "novembre"],
    ["December", "décembre"],
];

/// A language that people are told things in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::English, Language::French];

    /// The language of a locale (`fr`, `fr-FR`, `fr_CA`), if it is known.
    pub fn of_locale(locale: &str) -> Option<Language> {
        let wanted = primary(locale);
        Language::ALL.into_iter().find(|language| language.code() == wanted)
    }

    /// Its code.
    pub fn code(self) -> &'static str {
        self.pick("en", "fr")
    }

    /// What is said in it.
    pub fn pick<T>(self, english: T, french: T) -> T {
        match self {
            Language::English => english,
            Language::French => french,
        }
    }

    /// A number that is written as `-1234.50`: `-1,234.50`, `-1 234,50`.
    pub fn number(self, plain: &str) -> String {
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        // French groups by a narrow space that does not break.
        let (group, point) = self.pick((',', '.'), ('\u{202f}', ','));
        let mut out = sign.to_owned();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                out.push(group);
            }
            out.push(digit);
        }
        if let Some(fraction) = fraction {
            out.push(point);
            out.push_str(fraction);
        }
        out
    }

    /// A count: `2,000,000`, `2 000 000`.
    pub fn count(self, count: u64) -> String {
        self.number(&count.to_string())
    }

    /// A share in percent: `54.5%`, `54,5 %`.
    pub fn percent(self, share: f64, decimals: usize) -> String {
        let number = self.number(&format!("{:.decimals$}", share * 100.0));
        format!("{number}{}", self.pick("%", "\u{202f}%"))
    }

    /// A day in words: `1 March 2026`, `1er mars 2026`.
    pub fn day(self, day: Date) -> String {
        let month = MONTHS[(day.month() - 1) as usize % 12];
        let first = self.pick("", if day.day() == 1 { "er" } else { "" });
        format!("{}{first} {} {}", day.day(), self.pick(month[0], month[1]), day.year())
    }

    /// The two greatest units of a length: `3d 4h`, `45m`; `3 j 4 h`, `45 min`. What is smaller is
    /// left out.
    pub fn length(self, length_ms: u64) -> String {
        const UNITS: [(u64, &str, &str); 5] =
            [(86_400_000, "d", "j"), (3_600_000, "h", "h"), (60_000, "m", "min"), (1_000, "s", "s"), (1, "ms", "ms")];
        // French has a space between a number and its unit, and a line does not end there.
        let written = |count: u64, (_, english, french): (u64, &str, &str)| {
            format!("{}{}", self.count(count), self.pick(english.to_owned(), format!("\u{a0}{french}")))
        };
        let Some(first) = UNITS.iter().position(|(size, ..)| length_ms >= *size) else {
            return written(0, UNITS[3]);
        };
        let size = UNITS[first].0;
        let whole = written(length_ms / size, UNITS[first]);
        match UNITS.get(first + 1) {
            Some(unit) if length_ms % size >= unit.0 => {
                format!("{whole}{}{}", self.pick(" ", "\u{a0}"), written(length_ms % size / unit.0, *unit))
            }
            _ => whole,
        }
    }
}

/// The language part of a locale: `fr-FR` is `fr`.
pub fn primary(locale: &str) -> String {
    locale.split(['-', '_']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;
    const FR: Language = Language::French;

    #[test]
    fn locales_name_languages() {
        for (locale, language) in [("fr", Some(FR)), ("fr_CA.UTF-8", Some(FR)), ("EN-gb", Some(EN)), ("cs", None)] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, en, fr) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1\u{202f}000"),
            (2_000_000, "2,000,000", "2\u{202f}000\u{202f}000"),
        ] {
            assert_eq!((EN.count(number), FR.count(number)), (en.to_owned(), fr.to_owned()));
        }
        assert_eq!(FR.number("-1234.50"), "-1\u{202f}234,50");
        assert_eq!((EN.percent(0.5454, 1), FR.percent(0.5454, 1)), ("54.5%".to_owned(), "54,5\u{202f}%".to_owned()));
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        let second = 1_000;
        for (ms, en, fr) in [
            (0, "0s", "0 s"),
            (999, "999ms", "999 ms"),
            (12 * second, "12s", "12 s"),
            (7_200 * second, "2h", "2 h"),
            (5_430 * second, "1h 30m", "1 h 30 min"),
            (90_061 * second, "1d 1h", "1 j 1 h"),
            (86_400 * 1_234 * second, "1,234d", "1\u{202f}234 j"),
            (86_459 * second, "1d", "1 j"),
        ] {
            assert_eq!((EN.length(ms), FR.length(ms).replace('\u{a0}', " ")), (en.to_owned(), fr.to_owned()));
        }
    }

    #[test]
    fn days_are_written_out() {
        let day = |text: &str| text.parse().expect("a day");
        assert_eq!(EN.day(day("2026-03-01")), "1 March 2026");
        assert_eq!(
            (FR.day(day("2026-03-01")), FR.day(day("2026-08-02"))),
            ("1er mars 2026".to_owned(), "2 août 2026".to_owned())
        );
    }
}
