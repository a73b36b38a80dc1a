//! Changed copies of sound files, to be judged by `careen corpus run`: `mutate FROM COUNT TO`.
//!
//! Three in four are changed field by field, with lengths and checksums right; see `careen::corpus::mutate`.

use careen::corpus::Kind;
use careen::corpus::mutate::{cross, mutate, scramble};
use careen::corpus::random::Random;
use careen::corpus::{pool, seed};
use std::io;
use std::path::Path;

/// No changed file is longer.
const LONGEST: usize = 64 << 10;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(count), Some(to)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(io::Error::other("expected: FROM COUNT TO"));
    };
    let mut seeds: Vec<Vec<u8>> = seed::all().into_iter().map(|seed| seed.bytes).collect();
    for path in pool::files(Path::new(&from))? {
        seeds.push(std::fs::read(path)?);
    }
    seeds.retain(|seed| seed.len() <= LONGEST);
    let mut random = Random::new(1);
    for number in 0..count.parse().map_err(io::Error::other)? {
        // There is a log for every command: kinds are chosen before files.
        let kind = [Kind::Image, Kind::Payload, Kind::Log].get(random.below(3)).copied().unwrap_or(Kind::Image);
        let of_kind = |random: &mut Random| {
            let mut tries = std::iter::repeat_with(|| seeds.get(random.below(seeds.len()))).take(10_000).flatten();
            tries.find(|seed| Kind::of(seed) == kind)
        };
        let (Some(one), Some(other)) = (of_kind(&mut random), of_kind(&mut random)) else { break };
        let mut inner = Random::new(random.number());
        let mut changed = if random.once_in(8) { cross(kind, one, other, &mut random) } else { one.clone() };
        for _ in 0..=random.below(3) {
            changed =
                mutate(kind, &changed, LONGEST, &mut random, &mut |bytes, most| scramble(&mut inner, bytes, most));
        }
        let folder = Path::new(&to).join(format!("{:03}", number / 1000));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{number:06}")), changed)?;
    }
    Ok(())
}
