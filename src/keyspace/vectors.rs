//! A vector set (Redis 8): what it holds, without the graph that finds neighbours.
//!
//! The graph is built by chance and cannot be had from a log; the vectors can, bit for bit: they are brought to
//! length 1 in binary32 and then stored in one of three ways.
//!
//! | quantisation | stored |
//! | --- | --- |
//! | none | the components, binary32, little-endian |
//! | Q8 | `round(x · 127 / max‖x‖)` as a signed byte each |
//! | BIN | bit *i* of little-endian 64-bit words: is component *i* above 0? |
//!
//! Source: Redis `modules/vector-sets/vset.c`, `hnsw.c`.

use super::map::Map;
use crate::rdb::object::{ModuleItem, ModuleRef};
use crate::rdb::{Buffers, Result};
use crate::value::Blob;

/// The name that the module gives its type.
pub(crate) const TYPE_NAME: &str = "vectorset";

/// A vector set.
#[derive(Clone, Debug)]
pub struct Vectors<'a> {
    /// Components of each vector.
    pub dimension: u64,
    /// How they are stored.
    pub quantisation: Quantisation,
    /// Vectors by element.
    pub elements: Map<'a, Vector<'a>>,
}

/// An element of a vector set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector<'a> {
    /// The vector as it is stored.
    pub stored: Blob<'a>,
    /// JSON that belongs to the element; empty when there is none.
    pub attributes: Blob<'a>,
}

/// How the vectors of a set are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Quantisation {
    /// As they are.
    None,
    /// A byte per component.
    #[default]
    Q8,
    /// A bit per component.
    Binary,
}

impl Quantisation {
    /// As `VINFO` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "f32",
            Self::Q8 => "int8",
            Self::Binary => "bin",
        }
    }

    /// The stored form of a vector.
    #[must_use]
    pub fn store(self, components: &[f32]) -> Vec<u8> {
        let unit = normalised(components);
        match self {
            Self::None => unit.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::Q8 => bytes(&unit),
            Self::Binary => bits(&unit),
        }
    }
}

fn normalised(components: &[f32]) -> Vec<f32> {
    let length = components.iter().fold(0f32, |sum, x| sum + x * x).sqrt();
    let scale = |&x: &f32| if length == 0.0 { x } else { x / length };
    components.iter().map(scale).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "within -127 and 127; casts of floats saturate")]
fn bytes(unit: &[f32]) -> Vec<u8> {
    let greatest = unit.iter().fold(0f32, |greatest, x| greatest.max(x.abs()));
    let scale = if greatest == 0.0 { 0.0 } else { 127.0 / greatest };
    unit.iter().map(|x| ((x * scale).round() as i8).to_le_bytes()[0]).collect()
}

fn bits(unit: &[f32]) -> Vec<u8> {
    let word = |sixty_four: &[f32]| {
        sixty_four.iter().zip(0u32..).fold(0u64, |word, (&x, bit)| word | u64::from(x > 0.0) << bit)
    };
    unit.chunks(64).flat_map(|chunk| word(chunk).to_le_bytes()).collect()
}

impl Vectors<'_> {
    /// The components that a stored vector stands for, up to its length.
    pub fn components(&self, stored: &[u8]) -> Vec<f32> {
        let dimension = usize::try_from(self.dimension).unwrap_or(usize::MAX);
        match self.quantisation {
            Quantisation::None => stored.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
            Quantisation::Q8 => stored.iter().map(|x| f32::from(x.cast_signed())).collect(),
            Quantisation::Binary => {
                let bit = |byte: u8, bit: u32| if byte >> bit & 1 == 1 { 1.0 } else { -1.0 };
                stored.iter().flat_map(|&byte| (0..8).map(move |n| bit(byte, n))).take(dimension).collect()
            }
        }
    }

    /// The same vector set with bytes of its own.
    #[must_use]
    pub fn to_owned_bytes<'b>(&self) -> Vectors<'b> {
        let own = |vector: &Vector<'_>| Vector {
            stored: Blob::copied(&vector.stored),
            attributes: Blob::copied(&vector.attributes),
        };
        let elements = self.elements.iter().map(|(element, vector)| (Blob::copied(element), own(vector))).collect();
        Vectors { dimension: self.dimension, quantisation: self.quantisation, elements }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let vector = |(_, vector): (&Blob<'_>, &Vector<'_>)| {
            vector.stored.heap_bytes().saturating_add(vector.attributes.heap_bytes())
        };
        self.elements.iter().map(vector).fold(self.elements.heap_bytes(), usize::saturating_add)
    }
}

/// Read a module's value, if it is a vector set that is put together as we know it.
///
/// # Errors
/// When a string in it cannot be read.
pub(crate) fn decode<'a>(module: &ModuleRef<'a>, buffers: &mut Buffers) -> Result<Option<Vectors<'a>>> {
    if module.id.name() != TYPE_NAME {
        return Ok(None);
    }
    let mut items = Items { items: module.items(), buffers };
    items.vectors().transpose()
}

struct Items<'b, I> {
    items: I,
    buffers: &'b mut Buffers,
}

impl<'a, I: Iterator<Item = ModuleItem<'a>>> Items<'_, I> {
    fn number(&mut self) -> Option<u64> {
        if let ModuleItem::Unsigned(number) = self.items.next()? { Some(number) } else { None }
    }

    fn text(&mut self) -> Option<Result<Blob<'a>>> {
        let ModuleItem::Bytes(text) = self.items.next()? else { return None };
        Some(text.to_blob(&mut self.buffers.first))
    }

    fn vectors(&mut self) -> Option<Result<Vectors<'a>>> {
        let (dimension, count, config, flags) = (self.number()?, self.number()?, self.number()?, self.number()?);
        let quantisation = match config & 0xff {
            0 => Quantisation::None,
            1 => Quantisation::Q8,
            2 => Quantisation::Binary,
            _ => return None,
        };
        if flags & 1 != 0 {
            self.number()?;
            self.text()?.ok()?;
        }
        let mut vectors = Vectors { dimension, quantisation, elements: Map::default() };
        for _ in 0..count {
            match self.element(flags & 2 != 0)? {
                Ok((element, vector)) => drop(vectors.elements.insert(element, vector)),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(vectors))
    }

    fn element(&mut self, with_attributes: bool) -> Option<Result<(Blob<'a>, Vector<'a>)>> {
        let element = self.text()?;
        let attributes = if with_attributes { self.text()? } else { Ok(Blob::default()) };
        let stored = self.text()?;
        for _ in 0..self.number()? {
            self.number()?;
        }
        Some(element.and_then(|element| Ok((element, Vector { stored: stored?, attributes: attributes? }))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_stored_as_servers_store_them() {
        assert_eq!(Quantisation::Q8.store(&[1.0, 0.0, 0.0]), [127, 0, 0]);
        assert_eq!(Quantisation::Q8.store(&[0.0, 0.0]), [0, 0]);
        assert_eq!(Quantisation::Q8.store(&[-2.0, 1.1]), [129, 70]);
        assert_eq!(Quantisation::None.store(&[3.0, 4.0]), [0.6f32.to_le_bytes(), 0.8f32.to_le_bytes()].concat());
        let mut many = vec![-1.0; 65];
        many[1] = 1.0;
        many[64] = 1.0;
        let set = |quantisation, dimension| Vectors { dimension, quantisation, elements: Map::default() };
        let again = |q: Quantisation, x: &[f32]| q.store(&set(q, x.len() as u64).components(&q.store(x))) == q.store(x);
        assert!(again(Quantisation::Q8, &[-2.0, 1.1, 0.3]) && again(Quantisation::Binary, &many));
        assert!(again(Quantisation::None, &[3.0, 4.0]) && again(Quantisation::Q8, &[0.0, 0.0]));
        assert_eq!(Quantisation::Binary.store(&many), [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
