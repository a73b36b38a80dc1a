//! Geo commands that write: `GEOADD`, and searches whose result is stored.

use super::args::{Words, from, is, word};
use super::geo::{Point, Search, Shape, unit};
use super::refusal::Refusal;
use super::state::{Args, State};
use super::zsets::{AddOptions, add, score, settle};
use crate::keyspace::Zset;
use crate::value::Blob;

type Done = Result<(), Refusal>;

pub(super) fn geoadd<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let mut options = AddOptions::default();
    let mut at = 2;
    while let Some(option) = args.get(at) {
        match option {
            _ if is(option, "NX") => options.absent = true,
            _ if is(option, "XX") => options.present = true,
            _ if is(option, "CH") => {}
            _ => break,
        }
        at += 1;
    }
    let (places, rest) = from(args, at).as_chunks::<3>();
    if places.is_empty() || !rest.is_empty() || options.absent && options.present {
        return Err(Refusal::SYNTAX);
    }
    let read = |[longitude, latitude, member]: &[&'a [u8]; 3]| {
        #[expect(clippy::cast_precision_loss, reason = "below 2^54 with the lowest bits clear")]
        let score = point(state, longitude, latitude)?.score() as f64;
        Ok((score, *member))
    };
    let pairs = places.iter().map(read).collect::<Result<Vec<_>, Refusal>>()?;
    add(state, word(args, 1)?, options, &pairs)
}

fn point(state: &State<'_>, longitude: &[u8], latitude: &[u8]) -> Result<Point, Refusal> {
    Point::new(score(state, longitude)?, score(state, latitude)?)
        .ok_or(Refusal::Invalid("invalid longitude or latitude"))
}

/// Where a search starts.
#[derive(Clone, Copy)]
enum Centre<'a> {
    Point(Point),
    Member(&'a [u8]),
}

/// A search as its words describe it.
struct Request<'a> {
    centre: Option<Centre<'a>>,
    shape: Option<Shape>,
    /// Metres in the unit of the stored distances.
    unit: f64,
    descending: bool,
    sorted: bool,
    count: Option<usize>,
    any: bool,
    target: Option<&'a [u8]>,
    distances: bool,
    /// An option that only makes sense for a reply.
    reply: bool,
}

impl<'a> Request<'a> {
    fn new(centre: Option<Centre<'a>>, target: Option<&'a [u8]>) -> Self {
        Self {
            centre,
            shape: None,
            unit: 1.0,
            descending: false,
            sorted: false,
            count: None,
            any: false,
            target,
            distances: false,
            reply: false,
        }
    }

    fn radius(&mut self, state: &State<'_>, radius: &[u8], name: &[u8]) -> Done {
        self.unit = unit_of(name)?;
        self.shape(Shape::Radius(length(state, radius)? * self.unit))
    }

    fn shape(&mut self, shape: Shape) -> Done {
        self.shape.replace(shape).map_or(Ok(()), |_| Err(Refusal::SYNTAX))
    }

    fn centre(&mut self, centre: Centre<'a>) -> Done {
        self.centre.replace(centre).map_or(Ok(()), |_| Err(Refusal::SYNTAX))
    }

    /// Options that all searches share; false for other words.
    fn option(&mut self, option: &[u8], words: &mut Words<'_, 'a>) -> Result<bool, Refusal> {
        match option {
            _ if is(option, "ASC") => (self.sorted, self.descending) = (true, false),
            _ if is(option, "DESC") => (self.sorted, self.descending) = (true, true),
            _ if is(option, "ANY") => self.any = true,
            _ if is(option, "COUNT") => {
                let count = usize::try_from(words.integer()?).ok().filter(|&count| count > 0);
                self.count = Some(count.ok_or(Refusal::Invalid("COUNT must be positive"))?);
            }
            _ if ["WITHDIST", "WITHHASH", "WITHCOORD"].iter().any(|word| is(option, word)) => self.reply = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(&self) -> Done {
        if self.any && self.count.is_none() {
            return Err(Refusal::Invalid("ANY needs COUNT"));
        }
        if self.reply && self.target.is_some() {
            return Err(Refusal::Invalid("a stored search does not reply distances, hashes or coordinates"));
        }
        Ok(())
    }
}

fn unit_of(name: &[u8]) -> Result<f64, Refusal> {
    unit(name).ok_or(Refusal::Invalid("a unit is one of m, km, ft, mi"))
}

/// A length, which must not be negative.
fn length(state: &State<'_>, text: &[u8]) -> Result<f64, Refusal> {
    Some(score(state, text)?).filter(|length| *length >= 0.0).ok_or(Refusal::Invalid("a length must not be negative"))
}

/// `key longitude latitude radius unit …`
pub(super) fn georadius<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let centre = Centre::Point(point(state, word(args, 2)?, word(args, 3)?)?);
    around(state, args, centre, 4)
}

/// `key member radius unit …`
pub(super) fn georadiusbymember<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let centre = Centre::Member(word(args, 2)?);
    around(state, args, centre, 3)
}

fn around<'a>(state: &mut State<'a>, args: Args<'_, 'a>, centre: Centre<'a>, at: usize) -> Done {
    let mut request = Request::new(Some(centre), None);
    let mut words = Words::new(args, at);
    request.radius(state, words.need()?, words.need()?)?;
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "STORE") => (request.target, request.distances) = (Some(words.need()?), false),
            _ if is(option, "STOREDIST") => (request.target, request.distances) = (Some(words.need()?), true),
            _ if request.option(option, &mut words)? => {}
            _ => return Err(Refusal::SYNTAX),
        }
    }
    let source = word(args, 1)?;
    // Up to 6.0 a search in a key that is missing leaves the target alone.
    if !state.like.at_least_redis(6, 2) && !state.db().contains(source) {
        return Ok(());
    }
    run(state, source, &request)
}

/// `target source FROM… BY… …`
pub(super) fn geosearchstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let mut request = Request::new(None, Some(word(args, 1)?));
    let mut words = Words::new(args, 3);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "FROMMEMBER") => request.centre(Centre::Member(words.need()?))?,
            _ if is(option, "FROMLONLAT") => {
                request.centre(Centre::Point(point(state, words.need()?, words.need()?)?))?;
            }
            _ if is(option, "BYRADIUS") => request.radius(state, words.need()?, words.need()?)?,
            _ if is(option, "BYBOX") => {
                let (width, height) = (length(state, words.need()?)?, length(state, words.need()?)?);
                request.unit = unit_of(words.need()?)?;
                request.shape(Shape::Box(width * request.unit, height * request.unit))?;
            }
            _ if is(option, "BYPOLYGON") => {
                return Err(Refusal::NotReplayable("searches in a polygon (Valkey 9) are not known well enough"));
            }
            _ if is(option, "STOREDIST") => request.distances = true,
            _ if request.option(option, &mut words)? => {}
            _ => return Err(Refusal::SYNTAX),
        }
    }
    run(state, word(args, 2)?, &request)
}

fn run<'a>(state: &mut State<'a>, source: &'a [u8], request: &Request<'a>) -> Done {
    request.check()?;
    let (Some(centre), Some(shape)) = (request.centre, request.shape) else { return Err(Refusal::SYNTAX) };
    let like = state.like;
    let zset = state.db().get::<Zset<'a>>(source)?;
    let Some(target) = request.target else { return Ok(()) };
    let mut result = Zset::default();
    let (mut open, mut derived) = (false, false);
    if let Some(zset) = zset {
        let centre = match centre {
            Centre::Point(point) => Some(point),
            Centre::Member(member) => zset.score(member).map(Point::of_any_score),
        };
        let centre = centre.ok_or(Refusal::Invalid("could not decode requested zset member"))?;
        derived = centre.is_on_the_seam();
        let search = Search { centre, shape, exact_meridian: like.at_least_redis(7, 0) };
        let mut found = Found::all(&search, zset);
        open = found.cut(request);
        found.collect(request, &mut result);
    }
    if open {
        state.remark("which members COUNT ANY takes depends on how a server walks the map");
    }
    if derived {
        state.remark("a server overlooks some members around a centre at longitude 180");
    }
    settle(&mut result, like);
    state.charge(result.heap_bytes())?;
    state.db().replace(target, result);
    Ok(())
}

/// Members within the shape.
struct Found<'k, 'a>(Vec<Match<'k, 'a>>);

struct Match<'k, 'a> {
    member: &'k Blob<'a>,
    score: f64,
    distance: f64,
}

impl<'k, 'a> Found<'k, 'a> {
    fn all(search: &Search, zset: &'k Zset<'a>) -> Self {
        let find = |(member, score)| search.find(score).map(|distance| Match { member, score, distance });
        Self(zset.iter().filter_map(find).collect())
    }

    /// Keep as many as are asked for; true when a server might have kept others.
    fn cut(&mut self, request: &Request<'a>) -> bool {
        let Some(count) = request.count.filter(|&count| count < self.0.len()) else { return false };
        if !request.any {
            let order = |one: &Match<'_, '_>, other: &Match<'_, '_>| one.distance.total_cmp(&other.distance);
            match request.sorted && request.descending {
                true => self.0.sort_by(|one, other| order(other, one)),
                false => self.0.sort_by(order),
            }
        }
        self.0.truncate(count);
        request.any
    }

    fn collect(self, request: &Request<'a>, result: &mut Zset<'a>) {
        for Match { member, score, distance } in self.0 {
            result.set(member.clone(), if request.distances { distance / request.unit } else { score });
        }
    }
}
