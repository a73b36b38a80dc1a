//! `SORT … STORE`.
//!
//! Weights are the elements, or what the `BY` pattern leads to: its first `*` is replaced by the element, and
//! `->field` behind that asks a hash. Numbers are compared first, then elements as bytes; texts as bytes only,
//! since a stored result must not depend on a locale. Source: Redis `src/sort.c`, `sortCommandGeneric`.

use super::args::{Words, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::keyspace::{Hash, List, Value};
use crate::value::Blob;
use crate::value::number::{WeightRules, parse_sort_weight};
use std::cmp::Ordering;

#[derive(Debug, Default)]
struct Options<'a> {
    by: Option<&'a [u8]>,
    limit: Option<(i64, i64)>,
    get: Vec<&'a [u8]>,
    descending: bool,
    alpha: bool,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'_, 'a>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let mut words = Words::new(args, 2);
        while let Some(word) = words.next() {
            match word.to_ascii_uppercase().as_slice() {
                b"ASC" => options.descending = false,
                b"DESC" => options.descending = true,
                b"ALPHA" => options.alpha = true,
                b"LIMIT" => options.limit = Some((words.integer()?, words.integer()?)),
                b"STORE" => options.store = Some(words.need()?),
                b"BY" => options.by = Some(words.need()?),
                b"GET" => options.get.push(words.need()?),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(options)
    }

    /// Without a `*` in its pattern, `BY` asks for no sorting at all.
    fn sorts(&self) -> bool {
        self.by.is_none_or(|pattern| pattern.contains(&b'*'))
    }
}

pub(super) fn sort<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Result<(), Refusal> {
    let source = word(args, 1)?;
    let mut options = Options::parse(args)?;
    if let Some(Value::Zset(zset)) = state.db().entry_mut(source).map(|entry| &mut entry.value) {
        // For good, even if the command fails then or only replies. What of that is not in the log stays unknown.
        zset.skiplist = true;
    }
    let Some(target) = options.store else { return Ok(()) };
    let (mut elements, is_set) = elements(state, source, &options)?;
    if is_set && !options.sorts() {
        // A set has no order of its own: what is stored is sorted as text, so that replicas agree.
        (options.by, options.alpha) = (None, true);
    }
    if options.sorts() {
        elements = sorted(state, elements, &options)?;
    }
    let elements = limited(elements, options.limit);
    let mut list = List::default();
    for element in elements {
        if options.get.is_empty() {
            list.0.push_back(element);
            continue;
        }
        for pattern in &options.get {
            let found = if *pattern == b"#" { Some(element.clone()) } else { lookup(state, pattern, &element)? };
            list.0.push_back(found.unwrap_or_default());
        }
    }
    state.charge(list.0.len().saturating_mul(size_of::<Blob<'_>>()))?;
    state.db().replace(target, list);
    Ok(())
}

/// The elements in the order in which they are taken when nothing is sorted. And: is it a set?
fn elements<'a>(
    state: &mut State<'a>,
    source: &'a [u8],
    options: &Options<'_>,
) -> Result<(Vec<Blob<'a>>, bool), Refusal> {
    let reversed = options.descending && !options.sorts();
    let turns_lists = state.like.at_least_redis(3, 2);
    let Some(entry) = state.db().entry_mut(source) else { return Ok((Vec::new(), false)) };
    let mut elements: Vec<Blob<'a>> = match &mut entry.value {
        Value::List(list) => list.0.iter().cloned().collect(),
        Value::Set(set) => return Ok((set.0.keys().cloned().collect(), true)),
        Value::Zset(zset) => {
            let all = zset.len();
            zset.by_rank(0..all).map(|(member, _)| member.clone()).collect()
        }
        _ => return Err(Refusal::WrongType),
    };
    if reversed && turns_lists {
        elements.reverse();
    }
    Ok((elements, false))
}

/// What an element is sorted by.
enum Weight<'a> {
    Number(f64),
    Text(Option<Blob<'a>>),
}

impl Weight<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) | (Self::Text(_), Self::Number(_)) => Ordering::Equal,
        }
    }
}

fn weight_rules(state: &State<'_>) -> WeightRules {
    if state.like.at_least_valkey(9, 0) {
        WeightRules::DecimalOnly
    } else if state.like.at_least_redis(8, 0) {
        WeightRules::Saturating
    } else {
        WeightRules::Strtod
    }
}

fn sorted<'a>(state: &mut State<'a>, elements: Vec<Blob<'a>>, options: &Options<'_>) -> Result<Vec<Blob<'a>>, Refusal> {
    let rules = weight_rules(state);
    let mut weighted = Vec::with_capacity(elements.len());
    for element in elements {
        let text = match options.by {
            None => Some(element.clone()),
            Some(pattern) => lookup(state, pattern, &element)?,
        };
        let number = |text: Blob<'_>| parse_sort_weight(&text, rules).ok_or(NOT_A_WEIGHT);
        let weight = if options.alpha { Weight::Text(text) } else { Weight::Number(text.map_or(Ok(0.0), number)?) };
        weighted.push((weight, element));
    }
    let compare = |(a, one): &(Weight<'_>, Blob<'_>), (b, other): &(Weight<'_>, Blob<'_>)| {
        let order = a.compare(b).then_with(|| if options.alpha { Ordering::Equal } else { one.cmp(other) });
        if options.descending { order.reverse() } else { order }
    };
    weighted.sort_by(compare);
    let tied = |pair: &[(Weight<'_>, Blob<'_>)]| matches!(pair, [one, other] if compare(one, other).is_eq() && one.1 != other.1);
    if weighted.windows(2).any(tied) {
        state.remark("elements of equal weight: their order is not determined");
    }
    Ok(weighted.into_iter().map(|(_, element)| element).collect())
}

const NOT_A_WEIGHT: Refusal = Refusal::Invalid("one or more scores can't be converted into double");

fn limited(elements: Vec<Blob<'_>>, limit: Option<(i64, i64)>) -> Vec<Blob<'_>> {
    let Some((offset, count)) = limit else { return elements };
    let skip = usize::try_from(offset.max(0)).unwrap_or(usize::MAX);
    let take = usize::try_from(count).unwrap_or(usize::MAX);
    elements.into_iter().skip(skip).take(take).collect()
}

/// What a pattern leads to for an element. Keys that are missing or of another type lead nowhere.
fn lookup<'a>(state: &mut State<'a>, pattern: &[u8], element: &[u8]) -> Result<Option<Blob<'a>>, Refusal> {
    let Some(star) = pattern.iter().position(|&byte| byte == b'*') else { return Ok(None) };
    let (head, tail) = pattern.split_at(star);
    let tail = tail.get(1..).unwrap_or_default();
    let arrow = tail.windows(2).position(|pair| pair == b"->").filter(|at| tail.len() > at.saturating_add(2));
    let (tail, field) = match arrow {
        Some(at) => (tail.get(..at).unwrap_or_default(), tail.get(at.saturating_add(2)..)),
        None => (tail, None),
    };
    let key = [head, element, tail].concat();
    state.touch(&key)?;
    let Some(entry) = state.db().entry(&key) else { return Ok(None) };
    Ok(match (field, &entry.value) {
        (Some(field), Value::Hash(hash)) => Hash::get(hash, field).cloned(),
        (None, Value::String(text)) => Some(text.clone()),
        (None, Value::Buffer(buffer)) => Some(Blob::copied(&buffer.0)),
        _ => None,
    })
}
