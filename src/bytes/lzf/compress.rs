/// Entries of the hash table.
const TABLE_BITS: u32 = 14;
/// Back-references reach less far than this.
const WINDOW: usize = 8191;
/// The longest back-reference.
const LONGEST_RUN: usize = 264;
/// The longest literal run.
const LONGEST_LITERAL: usize = 32;
/// A compressed string must save this many bytes, or a server writes it plain.
const LEAST_SAVING: usize = 4;

/// An LZF compressor. Its table is used again from call to call without being cleared.
#[derive(Debug, Clone)]
pub struct Compressor {
    /// By the hash of three bytes: where they stood last, plus `base`.
    table: Box<[u32]>,
    /// What the position 0 of the present input counts as: entries below are of earlier inputs.
    pub(super) base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self::new()
    }
}

impl Compressor {
    /// A compressor with an empty table.
    #[must_use]
    pub fn new() -> Self {
        Self { table: vec![0; 1 << TABLE_BITS].into_boxed_slice(), base: 1 }
    }

    /// Append the compressed form of `input` and give its length; `None`, with `out` as before, when it is not at
    /// least four bytes shorter than the input: the condition of every server. Servers try only strings of more than
    /// 20 bytes.
    pub fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let limit = input.len().checked_sub(LEAST_SAVING).filter(|&limit| limit > 0)?;
        let base = self.claim(input.len())?;
        let start = out.len();
        let mut writer = Writer { input, out, start, limit };
        let written = writer.run(&mut self.table, base);
        if written.is_none() {
            out.truncate(start);
        }
        written
    }

    /// A range of `len` positions that no entry of the table lies in.
    fn claim(&mut self, len: usize) -> Option<u32> {
        let len = u32::try_from(len).ok()?;
        if let Some(next) = self.base.checked_add(len) {
            return Some(std::mem::replace(&mut self.base, next));
        }
        self.table.fill(0);
        self.base = len.checked_add(1)?;
        Some(1)
    }
}

/// [`Compressor::compress`] with a table of its own.
pub fn compress(input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    Compressor::new().compress(input, out)
}

struct Writer<'i, 'o> {
    input: &'i [u8],
    out: &'o mut Vec<u8>,
    start: usize,
    /// The most bytes worth writing.
    limit: usize,
}

impl Writer<'_, '_> {
    fn run(&mut self, table: &mut [u32], base: u32) -> Option<usize> {
        let mut literals = 0; // where the literals begin that are not written yet
        let mut at = 0;
        while let Some(key) = self.key(at) {
            let place = base.wrapping_add(u32::try_from(at).ok()?);
            let slot = table.get_mut(slot_of(key))?;
            let seen = std::mem::replace(slot, place);
            let matched = seen.checked_sub(base).and_then(|from| self.match_at(usize::try_from(from).ok()?, at));
            let Some((back, len)) = matched else {
                // The longer nothing matches, the faster we go on: incompressible data costs little.
                at = at.wrapping_add(1).wrapping_add(at.wrapping_sub(literals) >> 5);
                continue;
            };
            self.literals(literals, at)?;
            self.reference(back, len)?;
            at = at.wrapping_add(len);
            literals = at;
            // One place inside the match is enough for what continues from its end.
            let inside = at.wrapping_sub(2);
            if let (Some(key), Ok(inside)) = (self.key(inside), u32::try_from(inside))
                && let Some(slot) = table.get_mut(slot_of(key))
            {
                *slot = base.wrapping_add(inside);
            }
        }
        self.literals(literals, self.input.len())?;
        let written = self.out.len().wrapping_sub(self.start);
        (written <= self.limit).then_some(written)
    }

    /// Three bytes at `at`.
    #[inline]
    fn key(&self, at: usize) -> Option<u32> {
        let &[a, b, c] = self.input.get(at..)?.first_chunk::<3>()?;
        Some(u32::from_le_bytes([a, b, c, 0]))
    }

    /// How far back and how long, when what stands at `from` stands at `at` again.
    #[inline]
    fn match_at(&self, from: usize, at: usize) -> Option<(usize, usize)> {
        let back = at.checked_sub(from).filter(|&back| back <= WINDOW)?;
        let len = common_prefix(self.input.get(from..)?, self.input.get(at..)?);
        (len >= 3).then_some((back, len))
    }

    /// Write `input[from..to]` as literal runs.
    fn literals(&mut self, from: usize, to: usize) -> Option<()> {
        for run in self.input.get(from..to)?.chunks(LONGEST_LITERAL) {
            self.out.push(u8::try_from(run.len().checked_sub(1)?).ok()?);
            self.out.extend_from_slice(run);
        }
        (self.out.len().wrapping_sub(self.start) <= self.limit).then_some(())
    }

    /// Write a back-reference.
    #[inline]
    fn reference(&mut self, back: usize, len: usize) -> Option<()> {
        let [high, low] = u16::try_from(back.checked_sub(1)?).ok()?.to_be_bytes();
        let units = u8::try_from(len.checked_sub(2)?.min(7)).ok()?;
        self.out.push(units << 5 | high);
        if units == 7 {
            self.out.push(u8::try_from(len.checked_sub(9)?).ok()?);
        }
        self.out.push(low);
        Some(())
    }
}

#[inline]
fn slot_of(key: u32) -> usize {
    usize::try_from(key.wrapping_mul(0x9E37_79B1) >> 32_u32.wrapping_sub(TABLE_BITS)).unwrap_or(0)
}

/// How many bytes two slices begin with alike, at most a run.
#[inline]
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut len = 0_usize;
    while let (Some(x), Some(y)) =
        (a.get(len..).and_then(|a| a.first_chunk::<8>()), b.get(len..).and_then(|b| b.first_chunk::<8>()))
    {
        let differing = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differing != 0 {
            let same = usize::try_from(differing.trailing_zeros() >> 3).unwrap_or(0);
            return len.wrapping_add(same).min(LONGEST_RUN);
        }
        len = len.wrapping_add(8);
        if len >= LONGEST_RUN {
            return LONGEST_RUN;
        }
    }
    let tail = a.iter().skip(len).zip(b.iter().skip(len)).take_while(|(x, y)| x == y).count();
    len.wrapping_add(tail).min(LONGEST_RUN)
}
