//! A timeline as a chart of bars, an eighth of a line high at the finest.

use super::text::{BOLD, CYAN, FAINT, GREEN, Paint, counted, number, time};
use anstyle::Style;
use careen::chat::timeline::{Bucket, Timeline};
use careen::value::UnixMillis;

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Left of the bars: a number and an axis.
const MARGIN: usize = 10;
/// From one label of the time axis to the next.
const TICK: usize = 16;

/// Columns of the terminal.
pub(crate) fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80);
    columns.clamp(40, 400)
}

/// How many bars there is room for.
pub(crate) fn room(columns: usize) -> usize {
    columns.saturating_sub(MARGIN + 1)
}

/// The chart, of as many columns as there is room for.
pub(crate) fn chart(timeline: &Timeline, room: usize, paint: Paint) -> String {
    let mut out = String::new();
    if timeline.buckets.is_empty() {
        out.push_str("nothing here has a time\n");
    } else {
        let wide = room.checked_div(timeline.buckets.len()).unwrap_or(1).clamp(1, 4);
        let messages: Vec<u64> = timeline.buckets.iter().map(|bucket| bucket.messages).collect();
        let title = format!("messages per {}", span(timeline.step));
        panel(&title, &messages, timeline, 8, wide, (CYAN, paint), &mut out);
        let online: Vec<u64> = timeline.buckets.iter().map(|bucket| bucket.online.unwrap_or(0)).collect();
        if timeline.buckets.iter().any(|bucket| bucket.online.is_some()) {
            panel("users online", &online, timeline, 4, wide, (GREEN, paint), &mut out);
        }
        axis(timeline, wide, paint, &mut out);
    }
    if timeline.undated > 0 {
        out.push_str(&format!("{} without a time\n", counted(timeline.undated, "message")));
    }
    if timeline.outside > 0 {
        out.push_str(&format!("{} far away from all others, not shown\n", counted(timeline.outside, "message")));
    }
    out
}

fn panel(
    title: &str,
    values: &[u64],
    timeline: &Timeline,
    height: u64,
    wide: usize,
    (style, paint): (Style, Paint),
    out: &mut String,
) {
    let peak = values.iter().copied().max().unwrap_or(0);
    let total: u64 = values.iter().sum();
    let when = values.iter().position(|&value| value == peak).and_then(|at| timeline.buckets.get(at));
    let when = when.map_or_else(String::new, |bucket| short(bucket.start));
    let sum = if title.starts_with("messages") { format!(", {} in all", number(total)) } else { String::new() };
    let facts = format!("peak {} at {when}{sum}", number(peak));
    out.push_str(&format!("{:MARGIN$}{}  {}\n", "", paint.paint(BOLD, title), paint.paint(FAINT, &facts)));
    for row in (0..height).rev() {
        let label = match row {
            _ if row.saturating_add(1) == height => number(peak),
            0 => "0".into(),
            _ => String::new(),
        };
        let bars: String =
            values.iter().flat_map(|&value| std::iter::repeat_n(cell(value, peak, height, row), wide)).collect();
        let axis = if label.is_empty() { '│' } else { '┤' };
        out.push_str(&format!("{label:>8} {axis}{}\n", paint.paint(style, bars.trim_end())));
    }
}

/// What a bar shows in a row. The smallest value that is not zero can be seen.
fn cell(value: u64, peak: u64, height: u64, row: u64) -> char {
    let eighths = u128::from(height) * 8 * u128::from(value);
    let filled = eighths.checked_div(u128::from(peak)).unwrap_or(0).max(u128::from(value > 0));
    let here = filled.saturating_sub(u128::from(row) * 8).min(8);
    usize::try_from(here).ok().and_then(|here| EIGHTHS.get(here)).copied().unwrap_or(' ')
}

/// The time axis: a tick now and then, and below it when that is.
fn axis(timeline: &Timeline, wide: usize, paint: Paint, out: &mut String) {
    let width = timeline.buckets.len().saturating_mul(wide);
    let (mut ticks, mut labels) = (String::new(), String::new());
    for at in 0..width {
        let tick = at % TICK == 0;
        ticks.push(if tick { '┬' } else { '─' });
        let bucket: Option<&Bucket> = timeline.buckets.get(at.checked_div(wide).unwrap_or(0));
        if let (true, Some(bucket)) = (tick, bucket) {
            let label = short(bucket.start);
            labels.push_str(&format!("{label:TICK$}"));
        }
    }
    out.push_str(&format!("{:9}└{ticks}\n", ""));
    out.push_str(&format!("{:MARGIN$}{}\n", "", paint.paint(FAINT, labels.trim_end())));
    if let Some(last) = timeline.buckets.last() {
        let text = format!("until {}, UTC", short(UnixMillis(last.start.0.saturating_add(timeline.step))));
        out.push_str(&format!("{:MARGIN$}{}\n", "", paint.paint(FAINT, &text)));
    }
}

/// Month, day, hour and minute; with seconds where they matter.
fn short(at: UnixMillis) -> String {
    let long = time(at);
    match long.get(5..16).filter(|_| long.len() == 24) {
        Some(minutes) => {
            let seconds = long.get(16..19).filter(|seconds| *seconds != ":00").unwrap_or_default();
            format!("{}{seconds}", minutes.replace('T', " "))
        }
        None => long,
    }
}

/// A step of time in its largest unit.
fn span(millis: i64) -> String {
    let units = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second")];
    let unit = units.iter().find(|(unit, _)| millis % unit == 0 && millis >= *unit);
    let (size, name) = unit.copied().unwrap_or((1, "millisecond"));
    match millis / size {
        1 => name.into(),
        n => format!("{n} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_values() {
        let buckets = [0u64, 1, 50, 100]
            .into_iter()
            .zip(0i64..)
            .map(|(messages, n)| Bucket { start: UnixMillis(n * 60_000), messages, online: Some(messages / 50) })
            .collect();
        let timeline = Timeline { step: 60_000, buckets, undated: 2, outside: 0 };
        let text = chart(&timeline, 4, Paint(false));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].trim(), "messages per minute  peak 100 at 01-01 00:03, 151 in all");
        assert_eq!(lines[1], "     100 ┤   █");
        assert_eq!(lines[5], "         │  ██");
        assert_eq!(lines[8], "       0 ┤ ▁██");
        assert_eq!(lines[9].trim(), "users online  peak 2 at 01-01 00:03");
        assert_eq!(lines[14], "         └┬───");
        assert_eq!(lines.last().unwrap(), &"2 messages without a time");
        assert!(chart(&Timeline::default(), 4, Paint(false)).contains("nothing"));
    }

    #[test]
    fn spans_are_said_in_their_largest_unit() {
        assert_eq!(
            [1000, 300_000, 3_600_000, 172_800_000, 5].map(span),
            ["second", "5 minutes", "hour", "2 days", "5 milliseconds"]
        );
    }
}
