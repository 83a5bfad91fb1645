//! Plots with a column per number or period, stacked where there are parts, from zero.

use super::super::words::ReportWords;
use super::svg::{Anchor, Picture, Said, Size, steps, text_width};

/// The area in which columns stand.
const HEIGHT: f64 = 200.0;
const TOP: f64 = 26.0;
const AXIS: f64 = 40.0;

/// A column: what stands below it, and its parts from below, each with its class in the style.
pub(super) type StackedColumn<'a> = (String, Vec<(&'a str, u64)>);

/// What is on the two axes.
pub(super) struct Axes<'a> {
    pub(super) across: &'a str,
    pub(super) upwards: &'a str,
}

/// Columns side by side.
pub(super) fn columns(
    said: &Said<'_>,
    size: Size,
    axes: &Axes<'_>,
    columns: &[StackedColumn<'_>],
    words: ReportWords,
) -> String {
    let sum = |column: &StackedColumn<'_>| column.1.iter().map(|(_, count)| count).sum::<u64>();
    let most = columns.iter().map(sum).max().unwrap_or(0);
    let ticks = steps(most, 4);
    let last = ticks.last().copied().unwrap_or(1);
    let left = text_width(&words.count(last)) + 14.0;
    let (right, bottom) = (size.width() - 10.0, TOP + HEIGHT);
    let y = |count: u64| bottom - HEIGHT * count as f64 / last as f64;
    let mut picture = Picture::new();
    for tick in &ticks {
        picture.line((left, y(*tick)), (right, y(*tick)), "grid");
        picture.text((left - 6.0, y(*tick) + 4.0), Anchor::End, "tick", &words.count(*tick));
    }
    picture.text((4.0, 12.0), Anchor::Start, "title", axes.upwards);
    let step = (right - left) / columns.len().max(1) as f64;
    let thick = (step * 0.8).min(46.0);
    let mut free = f64::MIN;
    for (at, column) in columns.iter().enumerate() {
        let x = left + step * (at as f64 + 0.5);
        let mut below = 0;
        for (class, count) in &column.1 {
            let from = y(below);
            below += count;
            picture.bar((x - thick / 2.0, y(below)), (thick, from - y(below)), class);
        }
        let half = text_width(&column.0) / 2.0;
        if x - half >= free && x + half <= size.width() {
            picture.text((x, bottom + 16.0), Anchor::Middle, "tick", &column.0);
            free = x + half + 8.0;
        }
    }
    picture.line((left, bottom), (right, bottom), "axis");
    picture.text((f64::midpoint(left, right), bottom + 34.0), Anchor::Middle, "title", axes.across);
    picture.done(said, size, bottom + AXIS)
}
