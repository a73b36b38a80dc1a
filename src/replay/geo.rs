//! Places on the globe as scores of a sorted set, and searches around a centre.
//!
//! A score interleaves 26 bits of latitude (even bits) with 26 of longitude (odd bits).
//!
//! Source: Redis `src/geohash.c`, `src/geohash_helper.c`, `src/geo.c`.

const LATITUDE: Axis = Axis { min: -85.05112878, max: 85.05112878 };
const LONGITUDE: Axis = Axis { min: -180.0, max: 180.0 };
const STEPS: f64 = 67_108_864.0;
const EARTH_RADIUS: f64 = 6_372_797.560_856;
/// Scores from here on name no cell.
const CELLS: f64 = 4_503_599_627_370_496.0;

struct Axis {
    min: f64,
    max: f64,
}

impl Axis {
    fn holds(&self, degrees: f64) -> bool {
        (self.min..=self.max).contains(&degrees)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=2^26")]
    fn cell(&self, degrees: f64) -> u32 {
        ((degrees - self.min) / (self.max - self.min) * STEPS) as u32
    }

    /// The middle of a cell.
    fn degrees(&self, cell: u32) -> f64 {
        let border = |cell: f64| self.min + (cell / STEPS) * (self.max - self.min);
        let middle = f64::midpoint(border(f64::from(cell)), border(f64::from(cell) + 1.0));
        middle.clamp(self.min, self.max)
    }
}

/// A point in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    longitude: f64,
    latitude: f64,
}

impl Point {
    /// A point; `None` where servers say it is invalid.
    #[must_use]
    pub(crate) fn new(longitude: f64, latitude: f64) -> Option<Self> {
        (LONGITUDE.holds(longitude) && LATITUDE.holds(latitude)).then_some(Self { longitude, latitude })
    }

    /// The score that `GEOADD` gives it.
    #[must_use]
    pub(crate) fn score(self) -> u64 {
        spread(LATITUDE.cell(self.latitude)) | spread(LONGITUDE.cell(self.longitude)) << 1
    }

    /// The middle of the cell of a score; `None` when it names none.
    #[must_use]
    pub(crate) fn of_score(score: f64) -> Option<Self> {
        (0.0..CELLS).contains(&score).then(|| Self::of_any_score(score))
    }

    /// Where a member lies as the centre of a search, whatever its score: servers do not ask whether it names a cell.
    ///
    /// They convert it to an unsigned number, in which C leaves open what becomes of a negative or too great one: here
    /// as on x86-64.
    #[must_use]
    pub(crate) fn of_any_score(score: f64) -> Self {
        const TOO_GREAT: f64 = 18_446_744_073_709_551_616.0;
        const SIGN: f64 = -9_223_372_036_854_775_808.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the type by the arm; fractions are cut off"
        )]
        let bits = match score {
            0.0..TOO_GREAT => score as u64,
            SIGN..0.0 => (score as i64).cast_unsigned(),
            _ if score < 0.0 => 1 << 63,
            _ => 0,
        };
        Self { longitude: LONGITUDE.degrees(gather(bits >> 1)), latitude: LATITUDE.degrees(gather(bits)) }
    }

    /// Is it at longitude 180, which belongs to no cell?
    #[must_use]
    pub(crate) fn is_on_the_seam(self) -> bool {
        self.longitude >= LONGITUDE.max
    }

    /// Metres between two points on the sphere. `exact_meridian`: from Redis 7.0 on, points of one longitude are
    /// measured along it.
    #[must_use]
    pub(crate) fn distance(self, other: Self, exact_meridian: bool) -> f64 {
        let v = ((radians(other.longitude) - radians(self.longitude)) / 2.0).sin();
        if v == 0.0 && exact_meridian {
            return latitude_distance(self.latitude, other.latitude);
        }
        let (from, to) = (radians(self.latitude), radians(other.latitude));
        let u = ((to - from) / 2.0).sin();
        2.0 * EARTH_RADIUS * (u * u + from.cos() * to.cos() * v * v).sqrt().asin()
    }
}

fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

fn latitude_distance(one: f64, other: f64) -> f64 {
    EARTH_RADIUS * (radians(other) - radians(one)).abs()
}

/// Put a zero bit between the bits of a number.
fn spread(number: u32) -> u64 {
    const STEPS: [(u32, u64); 5] = [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ];
    STEPS.into_iter().fold(u64::from(number), |bits, (shift, mask)| (bits | bits << shift) & mask)
}

/// The even bits of a number.
fn gather(bits: u64) -> u32 {
    const STEPS: [(u32, u64); 6] = [
        (0, 0x5555_5555_5555_5555),
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ];
    let packed = STEPS.into_iter().fold(bits, |bits, (shift, mask)| (bits | bits >> shift) & mask);
    u32::try_from(packed).unwrap_or(0)
}

/// Metres in a unit of length.
#[must_use]
pub(crate) fn unit(name: &[u8]) -> Option<f64> {
    let known = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
    known.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word.as_bytes())).map(|(_, metres)| metres)
}

/// What to search in, in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// Within a distance.
    Radius(f64),
    /// Within a box of this width and height.
    Box(f64, f64),
}

/// A search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Search {
    /// Its centre.
    pub centre: Point,
    /// Around it.
    pub shape: Shape,
    /// See [`Point::distance`].
    pub exact_meridian: bool,
}

impl Search {
    /// The distance in metres of a member with this score, if it is found.
    #[must_use]
    pub(crate) fn find(&self, score: f64) -> Option<f64> {
        let point = Point::of_score(score)?;
        if let Shape::Box(width, height) = self.shape {
            if latitude_distance(point.latitude, self.centre.latitude) > height / 2.0 {
                return None;
            }
            let level = Point { latitude: point.latitude, ..self.centre };
            if point.distance(level, self.exact_meridian) > width / 2.0 {
                return None;
            }
        }
        let distance = self.centre.distance(point, self.exact_meridian);
        match self.shape {
            Shape::Radius(radius) if distance > radius => None,
            _ => Some(distance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From Redis 7.0.15.
    #[test]
    fn places_have_the_scores_of_the_servers() {
        let cases = [
            (13.361389, 38.115556, 3479099956230698),
            (15.087269, 37.502669, 3479447370796909),
            (13.5, 38.115556, 3479100629809192),
        ];
        for (longitude, latitude, score) in cases {
            assert_eq!(Point::new(longitude, latitude).unwrap().score(), score);
        }
        assert_eq!(Point::new(180.1, 0.0), None);
        assert_eq!(Point::new(0.0, 85.06), None);
        assert_eq!(Point::new(0.0, f64::NAN), None);
        assert!(Point::new(180.0, 0.0).unwrap().score() >= 1 << 52);
    }

    #[test]
    fn a_search_finds_what_is_near() {
        let centre = Point::new(15.0, 37.0).unwrap();
        let (palermo, catania) = (3479099956230698.0, 3479447370796909.0);
        let within = |shape| Search { centre, shape, exact_meridian: true };
        // GEORADIUS Sicily 15 37 200 km WITHDIST: Palermo 190.4424, Catania 56.4413
        assert!((within(Shape::Radius(200e3)).find(palermo).unwrap() - 190442.4).abs() < 0.1);
        assert_eq!(within(Shape::Radius(100e3)).find(palermo), None);
        assert!((within(Shape::Box(400e3, 400e3)).find(catania).unwrap() - 56441.3).abs() < 0.1);
        assert_eq!(within(Shape::Box(200e3, 400e3)).find(palermo), None);
        for score in [-1.0, CELLS, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(within(Shape::Radius(1e9)).find(score), None);
        }
        assert_eq!(unit(b"KM"), Some(1000.0));
        assert_eq!(unit(b"cm"), None);
    }

    /// From Redis 7.0.15: a set that `ZADD` made, and distances from its members that `GEOSEARCH` tells.
    #[test]
    fn any_score_is_a_centre() {
        for score in [-5.0, -0.5, 1e16, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 1e19] {
            let point = Point::of_any_score(score);
            assert!(Point::new(point.longitude, point.latitude).is_some(), "{score}");
        }
        let corner = Point { longitude: 180.0, latitude: 85.05112878 };
        assert_eq!(Point::of_any_score(-5.0), corner);
        assert_eq!(Point::of_any_score(f64::INFINITY), Point::of_any_score(0.0));
        assert_eq!(Point::of_any_score(f64::NEG_INFINITY).longitude, 180.0);
    }

    proptest! {
        #[test]
        fn the_middle_of_a_cell_is_in_the_cell(longitude in -180.0..179.99, latitude in -85.05..85.05) {
            let point = Point::new(longitude, latitude).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "below 2^52")]
            let middle = Point::of_score(point.score() as f64).unwrap();
            prop_assert_eq!(middle.score(), point.score());
            prop_assert!(point.distance(middle, true) < 1.0);
        }
    }
}
