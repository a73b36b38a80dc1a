//! Messages and users online over time.

use super::verify::Horizons;
use super::view::View;
use crate::value::UnixMillis;

/// What happened in one step of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins.
    pub start: UnixMillis,
    /// Messages sent.
    pub messages: u64,
    /// The most users online at once, as far as the log tells.
    pub online: Option<u64>,
}

/// A service over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// Milliseconds from one bucket to the next.
    pub step: i64,
    /// Buckets without a gap between them, oldest first.
    pub buckets: Vec<Bucket>,
    /// Messages without a time.
    pub undated: u64,
    /// Messages so far from all others that the chart leaves them out.
    pub outside: u64,
}

/// Steps that people read with ease, in seconds.
const STEPS: [i64; 23] = [
    1, 5, 10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800,
    604_800, 2_592_000, 7_776_000, 31_536_000,
];

/// One message in so many at each end may be an outlier.
const OUTLIERS: usize = 200;
/// What is so many times longer than the span of all others is made so by outliers.
const STRETCHED: i64 = 10;

/// Divide what happened between `since` and `until` into at most `most` steps.
#[must_use]
pub fn timeline(view: &View<'_, '_>, since: Option<UnixMillis>, until: Option<UnixMillis>, most: usize) -> Timeline {
    let (mut times, undated) = times(view);
    let online = &view.recorder.online;
    let inside = |time: i64| since.is_none_or(|since| time >= since.0) && until.is_none_or(|until| time <= until.0);
    times.retain(|&time| inside(time));
    times.sort_unstable();
    let total = times.len();
    let mut span = without_outliers(&times);
    if let (Some(first), Some(last)) = (online.first(), view.recorder.span)
        && view.recorder.is_annotated()
    {
        let (from, to) =
            (since.map_or(first.0.0, |at| at.0.max(first.0.0)), until.map_or(last.1.0, |at| at.0.min(last.1.0)));
        let (a, b) = span.unwrap_or((from, to));
        span = (from <= to).then_some((a.min(from), b.max(to))).or(span);
    }
    let Some((from, to)) = span else { return Timeline { undated, ..Timeline::default() } };
    let step = step(to.saturating_sub(from), most);
    let mut timeline = Timeline { step, undated, ..Timeline::default() };
    let mut start = from.div_euclid(step).saturating_mul(step);
    let mut shown = 0usize;
    let mut rest = times.get(times.partition_point(|&time| time < start)..).unwrap_or_default();
    while start <= to && timeline.buckets.len() <= most {
        let end = start.saturating_add(step);
        let (now, later) = rest.split_at(rest.partition_point(|&time| time < end));
        rest = later;
        shown = shown.saturating_add(now.len());
        let online = most_online(online, start, end);
        timeline.buckets.push(Bucket { start: UnixMillis(start), messages: now.len() as u64, online });
        start = end;
    }
    timeline.outside = total.saturating_sub(shown) as u64;
    timeline
}

/// The times of all messages, each once as far as both sides have it; how many have none.
fn times(view: &View<'_, '_>) -> (Vec<i64>, u64) {
    let horizons = Horizons::new(view);
    let (mut times, mut undated) = (Vec::new(), 0u64);
    for history in &view.histories {
        // What cannot be read does not count; `verify` reports it.
        let _ = history.messages(view.schema, &mut view.recorder.buffers(), &mut |_, _, parsed| {
            let Some((fields, time)) = parsed.fields().and_then(|fields| Some((fields, fields.time?))) else {
                undated = undated.saturating_add(1);
                return;
            };
            let sender = fields.sender.as_deref().unwrap_or_default().as_bytes();
            let lost = || horizons.may_lack(sender, fields.time) || view.history(sender).is_none();
            if fields.is_from(history.user) || lost() {
                times.push(time.0);
            }
        });
    }
    (times, undated)
}

/// First and last of sorted times; where a few outliers stretch that, of all others.
fn without_outliers(times: &[i64]) -> Option<(i64, i64)> {
    let (&first, &last) = (times.first()?, times.last()?);
    let margin = times.len().div_ceil(OUTLIERS);
    let inner = times.get(margin..times.len().saturating_sub(margin)).unwrap_or_default();
    let (Some(&from), Some(&to)) = (inner.first(), inner.last()) else { return Some((first, last)) };
    let room = to.saturating_sub(from).max(1000).saturating_mul(STRETCHED);
    Some((first.max(from.saturating_sub(room)), last.min(to.saturating_add(room))))
}

/// The shortest readable step of which at most `most` cover a span.
fn step(span: i64, most: usize) -> i64 {
    let most = i64::try_from(most.max(2)).unwrap_or(i64::MAX).saturating_sub(1);
    let enough = |seconds: &i64| seconds.saturating_mul(1000).saturating_mul(most) >= span;
    match STEPS.into_iter().find(enough) {
        Some(seconds) => seconds.saturating_mul(1000),
        None => span.checked_div(most).unwrap_or(span).saturating_add(1),
    }
}

/// The most users online at once from `start` on, before `end`.
fn most_online(changes: &[(UnixMillis, u64)], start: i64, end: i64) -> Option<u64> {
    let begin = changes.partition_point(|(at, _)| at.0 <= start).saturating_sub(1);
    let during = changes.get(begin..)?.iter().take_while(|(at, _)| at.0 < end);
    during.map(|&(_, online)| online).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_messages_with_a_wrong_clock_do_not_flatten_the_chart() {
        let mut times: Vec<i64> = (0..1000).map(|n| 1_700_000_000_000 + n * 1000).collect();
        times.insert(0, 0);
        times.push(9_000_000_000_000);
        let (from, to) = without_outliers(&times).unwrap();
        assert!(from > 1_600_000_000_000 && to < 1_800_000_000_000, "{from} {to}");
        assert_eq!(without_outliers(&[5]), Some((5, 5)));
        assert_eq!(without_outliers(&[]), None);
        assert!(without_outliers(&[i64::MIN, 0, i64::MAX]).is_some());
    }

    #[test]
    fn steps_are_readable_and_few() {
        assert_eq!(step(0, 60), 1000);
        assert_eq!(step(86_400_000, 60), 1_800_000);
        for span in [1, 1_000_000, i64::MAX] {
            let step = step(span, 60);
            assert!(span / step < 60, "{span}");
        }
    }

    #[test]
    fn presence_lasts_until_it_changes() {
        let changes = [(UnixMillis(10), 3), (UnixMillis(20), 7), (UnixMillis(30), 1)];
        assert_eq!(most_online(&changes, 0, 5), None);
        assert_eq!(most_online(&changes, 0, 11), Some(3));
        assert_eq!(most_online(&changes, 15, 25), Some(7));
        assert_eq!(most_online(&changes, 30, 40), Some(1));
        assert_eq!(most_online(&changes, 90, 99), Some(1));
        assert_eq!(most_online(&[], 90, 99), None);
    }
}
