//! The ground that plots stand on: escaped text, marks, scales, axes. No plot knows a colour:
//! classes name them, the page's style has them.

use std::fmt::Write as _;

use super::metrics::{char_ems, text_ems};

/// A text as it stands in HTML, in an element or a quoted attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What XML does not know; names have been through `words::name`, so that this is a
            // second lock.
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Each plot is drawn more than once, and the page shows the one that fits: text that shrinks with
/// a picture is not read on a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// For a section whose table is so broad that it stands below.
    Broad,
    Wide,
    Narrow,
}

impl Size {
    pub(super) fn width(self) -> f64 {
        match self {
            Size::Broad => 1_080.0,
            Size::Wide => 620.0,
            Size::Narrow => 340.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Size::Broad => "broad",
            Size::Wide => "wide",
            Size::Narrow => "narrow",
        }
    }
}

/// What a plot is called, and what it shows in words.
pub(super) struct Said<'a> {
    /// Part of the ids of its elements.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) describes: String,
}

/// The size of labels, as the style has it.
const FONT: f64 = 12.5;

/// About how wide a text is, at the size of labels.
pub(super) fn text_width(text: &str) -> f64 {
    text_ems(text) * FONT
}

/// A text that is cut to be about so wide.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut room = width - text_width("…");
    let within = |c: &char| {
        room -= char_ems(*c) * FONT;
        room >= 0.0
    };
    let mut cut: String = text.chars().take_while(within).collect();
    cut.push('…');
    cut
}

/// A picture that is being drawn.
pub(super) struct Picture {
    marks: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Picture {
    pub(super) fn new() -> Picture {
        Picture { marks: String::new() }
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        let _ = write!(
            self.marks,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        );
    }

    /// A text around its point, or as near to that as there is room between the edges.
    pub(super) fn text_within(&mut self, (x, y): (f64, f64), width: f64, class: &str, text: &str) {
        let half = text_width(text) / 2.0;
        match () {
            () if x - half < 0.0 => self.text((0.0, y), Anchor::Start, class, text),
            () if x + half > width => self.text((width, y), Anchor::End, class, text),
            () => self.text((x, y), Anchor::Middle, class, text),
        }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ =
            write!(self.marks, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>");
    }

    /// A bar; nothing when it has no size.
    pub(super) fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        if width > 0.0 && height > 0.0 {
            let _ = write!(
                self.marks,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
            );
        }
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, class: &str) {
        let _ = write!(self.marks, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" class=\"{class}\"/>");
    }

    /// A square that stands on a corner, so that it differs from a dot without colour.
    pub(super) fn diamond(&mut self, (x, y): (f64, f64), radius: f64, class: &str) {
        let (left, right, top, bottom) = (x - radius, x + radius, y - radius, y + radius);
        let _ = write!(
            self.marks,
            "<path d=\"M{left:.1} {y:.1}L{x:.1} {top:.1}L{right:.1} {y:.1}L{x:.1} {bottom:.1}Z\" class=\"{class}\"/>"
        );
    }

    /// The picture with its name, its description and its size.
    pub(super) fn done(self, said: &Said<'_>, size: Size, height: f64) -> String {
        let (width, name) = (size.width(), size.name());
        let id = format!("{}-{name}", said.id);
        format!(
            "<svg class=\"{name}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{}</svg>\n",
            escaped(said.title),
            escaped(&said.describes),
            self.marks
        )
    }
}

/// Steps from 0 to at least `most`, at most so many, each a round number.
pub(super) fn steps(most: u64, at_most: u64) -> Vec<u64> {
    let most = most.max(1);
    let sizes = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let step = sizes.into_iter().find(|step| most.div_ceil(*step) <= at_most).unwrap_or(u64::MAX);
    (0..=most.div_ceil(step)).map(|number| number.saturating_mul(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach_the_greatest() {
        assert_eq!(steps(0, 5), [0, 1]);
        assert_eq!(steps(3, 5), [0, 1, 2, 3]);
        assert_eq!(steps(11, 5), [0, 5, 10, 15]);
        assert_eq!(steps(1_001, 4), [0, 500, 1_000, 1_500]);
        assert_eq!(*steps(u64::MAX, 5).last().expect("a step"), u64::MAX);
    }

    #[test]
    fn what_is_cut_fits() {
        for text in ["a name", "WWWWWWWWWWWWWWWWWWWW", "漢字漢字漢字漢字漢字", "iiiiiiiiiiiiiiiiiiiiiiiiiiiii"]
        {
            let cut = fitted(text, 100.0);
            assert!(text_width(&cut) <= 100.0, "{cut}");
            assert_eq!(cut == text, text_width(text) <= 100.0, "{cut}");
        }
    }

    #[test]
    fn what_is_markup_is_no_markup() {
        assert_eq!(escaped("<b a=\"'&\u{1b}"), "&lt;b a=&quot;&#39;&amp;\u{fffd}");
    }
}
