//! Plots with a row per thing: bars, lengths on a logarithmic scale, shares with intervals.
//!
//! Where there is room a row's name stands before it, otherwise above it.

use super::super::figures::Waits;
use super::super::stats::Share;
use super::super::words::ReportWords;
use super::svg::{Anchor, Picture, Said, Size, fitted, steps, text_width};

/// Room for the axis: its numbers, and what they are.
const AXIS: f64 = 40.0;

/// Where rows stand.
struct Grid {
    size: Size,
    left: f64,
    right: f64,
    /// Height of the name above a row, when it stands there.
    above: f64,
    row: f64,
    top: f64,
    rows: usize,
}

impl Grid {
    fn new(size: Size, names: &[String], row: f64, right: f64, top: f64) -> Grid {
        let longest = names.iter().map(|name| text_width(name)).fold(0.0, f64::max);
        let (left, above) = match size {
            Size::Broad | Size::Wide => (longest.min(190.0) + 12.0, 0.0),
            Size::Narrow => (14.0, 17.0),
        };
        Grid { size, left, right: size.width() - right, above, row, top, rows: names.len() }
    }

    /// The middle of a row.
    fn middle(&self, row: usize) -> f64 {
        self.top + (self.above + self.row) * row as f64 + self.above + self.row / 2.0
    }

    fn bottom(&self) -> f64 {
        self.top + (self.above + self.row) * self.rows as f64
    }

    fn height(&self) -> f64 {
        self.bottom() + AXIS
    }

    fn name(&self, picture: &mut Picture, row: usize, name: &str) {
        if self.size == Size::Narrow {
            let name = fitted(name, self.size.width() - 16.0);
            picture.text((self.left, self.middle(row) - self.row / 2.0 - 2.0), Anchor::Start, "label", &name);
        } else {
            let name = fitted(name, self.left - 12.0);
            picture.text((self.left - 8.0, self.middle(row) + 4.0), Anchor::End, "label", &name);
        }
    }

    /// Lines of the scale, with their numbers, and what these are.
    fn axis(&self, picture: &mut Picture, ticks: &[(f64, String)], title: &str) {
        let bottom = self.bottom();
        let mut free = f64::MIN;
        for (x, label) in ticks {
            picture.line((*x, self.top), (*x, bottom), "grid");
            let half = text_width(label) / 2.0;
            if x - half >= free {
                picture.text_within((*x, bottom + 16.0), self.size.width(), "tick", label);
                free = x + half + 8.0;
            }
        }
        picture.line((self.left, bottom), (self.right, bottom), "axis");
        let middle = f64::midpoint(self.left, self.right);
        picture.text_within((middle, bottom + 34.0), self.size.width(), "title", title);
    }
}

/// A bar of a row: its class in the style, and how long.
pub(super) type Bar<'a> = (&'a str, u64);

/// A row with one bar or several, from zero.
pub(super) fn bars(
    said: &Said<'_>,
    size: Size,
    rows: &[(String, Vec<Bar<'_>>)],
    unit: &str,
    words: ReportWords,
) -> String {
    let most = rows.iter().flat_map(|(_, bars)| bars.iter().map(|(_, count)| *count)).max().unwrap_or(0);
    let ticks = steps(most, if size == Size::Narrow { 4 } else { 5 });
    let of_row = rows.first().map_or(1, |(_, bars)| bars.len()) as f64;
    let (thick, between) = if of_row > 1.0 { (11.0, 10.0) } else { (18.0, 8.0) };
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    let room = text_width(&words.count(most)) + 14.0;
    let grid = Grid::new(size, &names, thick * of_row + between, room, 6.0);
    let last = ticks.last().copied().unwrap_or(1) as f64;
    let x = |count: u64| grid.left + (grid.right - grid.left) * count as f64 / last;
    let mut picture = Picture::new();
    let labels: Vec<(f64, String)> = ticks.iter().map(|tick| (x(*tick), words.count(*tick))).collect();
    grid.axis(&mut picture, &labels, unit);
    for (at, (name, bars)) in rows.iter().enumerate() {
        grid.name(&mut picture, at, name);
        // A row of several shows those that there are, in the middle.
        let there: Vec<&Bar<'_>> = bars.iter().filter(|(_, count)| bars.len() == 1 || *count > 0).collect();
        for (nth, (class, count)) in there.iter().enumerate() {
            let y = grid.middle(at) + thick * (nth as f64 - there.len() as f64 / 2.0);
            picture.bar((grid.left, y), (x(*count) - grid.left, thick - 1.0), class);
            picture.text((x(*count) + 5.0, y + thick / 2.0 + 3.5), Anchor::Start, "value", &words.count(*count));
        }
    }
    picture.line((grid.left, grid.top), (grid.left, grid.bottom()), "axis");
    picture.done(said, size, grid.height())
}

/// Lengths that are marked on a logarithmic scale.
const MARKS: [(u64, [&str; 2]); 13] = [
    (1, ["1 ms", "1 ms"]),
    (1_000, ["1 s", "1 s"]),
    (10_000, ["10 s", "10 s"]),
    (60_000, ["1 min", "1 min"]),
    (600_000, ["10 min", "10 min"]),
    (3_600_000, ["1 h", "1 h"]),
    (21_600_000, ["6 h", "6 h"]),
    (86_400_000, ["1 d", "1 j"]),
    (604_800_000, ["7 d", "7 j"]),
    (2_592_000_000, ["30 d", "30 j"]),
    (7_776_000_000, ["90 d", "90 j"]),
    (31_536_000_000, ["1 y", "1 an"]),
    (315_360_000_000, ["10 y", "10 ans"]),
];

/// How long things took: the median, nine in ten, the longest.
pub(super) fn lengths(said: &Said<'_>, size: Size, rows: &[(String, &Waits)], words: ReportWords) -> String {
    let rows: Vec<_> =
        rows.iter().filter_map(|(name, of)| Some((name, of.median_ms?, of.p90_ms?, of.longest_ms?))).collect();
    let least = rows.iter().map(|row| row.1).min().unwrap_or(1).max(1);
    let most = rows.iter().map(|row| row.3).max().unwrap_or(1).max(1);
    let from = MARKS.iter().rposition(|(mark, _)| *mark <= least).unwrap_or(0).min(MARKS.len() - 2);
    let to = MARKS.iter().position(|(mark, _)| *mark >= most).unwrap_or(MARKS.len() - 1).max(from + 1);
    let names: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
    let grid = Grid::new(size, &names, 22.0, 20.0, 6.0);
    let (low, high) = ((MARKS[from].0 as f64).ln(), (most.max(MARKS[to].0) as f64).ln());
    let x = |ms: u64| grid.left + (grid.right - grid.left) * ((ms.max(1) as f64).ln() - low).max(0.0) / (high - low);
    let mut picture = Picture::new();
    let labels: Vec<(f64, String)> = MARKS[from..=to]
        .iter()
        .map(|(mark, [english, french])| (x(*mark), words.pick(*english, *french).to_owned()))
        .collect();
    grid.axis(&mut picture, &labels, words.pick("length, logarithmic scale", "durée, échelle logarithmique"));
    for (at, (name, median, p90, longest)) in rows.iter().enumerate() {
        grid.name(&mut picture, at, name);
        let y = grid.middle(at);
        picture.line((x(*median), y), (x(*longest), y), "thin");
        picture.line((x(*longest), y - 5.0), (x(*longest), y + 5.0), "thin");
        picture.bar((x(*median), y - 3.0), (x(*p90) - x(*median), 6.0), "within");
        picture.dot((x(*median), y), 5.0, "median");
    }
    picture.done(said, size, grid.height())
}

/// A mark of a row: filled dots or open diamonds, with the share.
pub(super) type RowMark = (bool, Share);

/// Shares of a whole with their intervals.
pub(super) fn shares(
    said: &Said<'_>,
    size: Size,
    rows: &[(String, Vec<RowMark>)],
    unit: &str,
    words: ReportWords,
) -> String {
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    let of_row = rows.first().map_or(1, |(_, marks)| marks.len()) as f64;
    let grid = Grid::new(size, &names, 14.0 * of_row + 8.0, 22.0, 6.0);
    let x = |share: f64| grid.left + (grid.right - grid.left) * share;
    let mut picture = Picture::new();
    let quarters = [0.0, 0.25, 0.5, 0.75, 1.0];
    let labels: Vec<(f64, String)> = quarters.iter().map(|at| (x(*at), words.0.percent(*at, 0))).collect();
    grid.axis(&mut picture, &labels, unit);
    for (at, (name, marks)) in rows.iter().enumerate() {
        grid.name(&mut picture, at, name);
        let there: Vec<(bool, f64, f64, f64)> =
            marks.iter().filter_map(|(filled, of)| Some((*filled, of.rate?, of.low?, of.high?))).collect();
        for (nth, (filled, rate, low, high)) in there.iter().copied().enumerate() {
            let y = grid.middle(at) + 14.0 * (nth as f64 + 0.5 - there.len() as f64 / 2.0);
            let class = if filled { "treated" } else { "holdout" };
            picture.line((x(low), y), (x(high), y), class);
            for end in [low, high] {
                picture.line((x(end), y - 3.0), (x(end), y + 3.0), class);
            }
            if filled {
                picture.dot((x(rate), y), 4.5, class);
            } else {
                picture.diamond((x(rate), y), 5.0, class);
            }
        }
    }
    picture.done(said, size, grid.height())
}

/// What lengths say, in words.
pub(super) fn told_lengths(rows: &[(String, &Waits)], words: ReportWords) -> String {
    let told = rows.iter().filter_map(|(name, of)| {
        let [median, p90, longest] = [of.median_ms?, of.p90_ms?, of.longest_ms?].map(|length| words.length(length));
        Some(words.pick(
            format!("{name}: median {median}, nine in ten within {p90}, longest {longest}"),
            format!("{name}\u{a0}: médiane {median}, neuf sur dix en {p90}, la plus longue {longest}"),
        ))
    });
    told.collect::<Vec<_>>().join(&format!("{} ", words.semicolon()))
}

/// What shares say, in words.
pub(super) fn told_share(share: Share, words: ReportWords) -> String {
    let Some(rate) = share.rate else { return words.pick("none", "aucun").to_owned() };
    format!("{} {} {}", words.percent(rate), words.pick("of", "sur"), words.count(share.of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_model::Language;

    const WORDS: ReportWords = ReportWords(Language::English);

    /// The values of an attribute, in order.
    fn values(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
        let of = |tag: &str| tag.split(&format!(" {attribute}=\"")).nth(1)?.split('"').next()?.parse().ok();
        svg.split(&format!("<{element}")).skip(1).filter_map(of).collect()
    }

    fn said() -> Said<'static> {
        Said { id: "x", title: "x", describes: String::new() }
    }

    #[test]
    fn bars_are_as_long_as_what_they_stand_for_and_begin_at_zero() {
        for size in [Size::Broad, Size::Wide, Size::Narrow] {
            let row = |name: &str, count: u64| (name.to_owned(), vec![("one", count)]);
            let svg = bars(&said(), size, &[row("a", 100), row("b", 50), row("c", 0)], "things", WORDS);
            let widths = values(&svg, "rect", "width");
            assert_eq!(widths.len(), 2, "nothing has no bar");
            assert!((widths[0] / widths[1] - 2.0).abs() < 0.01, "{widths:?}");
            let from = values(&svg, "rect", "x");
            assert!((from[0] - from[1]).abs() < 0.01, "{from:?}");
            assert!(from[0] + widths[0] <= size.width());
        }
    }

    #[test]
    fn lengths_stand_in_order_within_the_scale() {
        let waits = |median_ms: u64, p90_ms: u64, longest_ms: u64| Waits {
            ended: 9,
            still_open: 0,
            median_ms: Some(median_ms),
            p90_ms: Some(p90_ms),
            longest_ms: Some(longest_ms),
        };
        let (short, long) = (waits(0, 0, 0), waits(1, 3_600_000, u64::MAX));
        for of in [&short, &long, &waits(60_000, 60_000, 60_000)] {
            let svg = lengths(&said(), Size::Wide, &[("a".to_owned(), of)], WORDS);
            let marks = values(&svg, "circle", "cx").into_iter().chain(values(&svg, "line", "x2"));
            assert!(marks.into_iter().all(|x| (0.0..=Size::Wide.width()).contains(&x)), "{svg}");
        }
    }

    #[test]
    fn a_share_that_is_not_known_has_no_mark() {
        let rows = [("a".to_owned(), vec![(true, Share::of(1, 2)), (false, Share::of(0, 0))])];
        let svg = shares(&said(), Size::Narrow, &rows, "share", WORDS);
        assert_eq!(svg.matches("<circle").count(), 1);
        assert_eq!(svg.matches("<path").count(), 0);
    }
}
