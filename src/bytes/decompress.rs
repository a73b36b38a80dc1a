//! Compressed inputs, read through.
//!
//! | format | begins with   | holds                                                      |
//! | ------ | ------------- | ---------------------------------------------------------- |
//! | gzip   | `1f 8b 08`    | one or several members                                     |
//! | zstd   | `28 b5 2f fd` | one or several frames, `5? 2a 4d 18` frames are skipped    |
//! | LZ4    | `04 22 4d 18` | the same                                                   |
//!
//! Whatever checksums the frames carry are verified. A stream that ends inside a frame is an error:
//! a shortened archive must not pass for a shorter dump.
//!
//! Sources: RFC 1952, RFC 8878, `lz4_Frame_format.md`.

use std::io::{self, BufRead, Read};

/// A compression that is recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

impl Format {
    /// How many bytes [`Format::sniff`] wants to see.
    pub const SNIFF: usize = 4;

    /// What the first bytes of a file say.
    #[must_use]
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // pzstd puts a skippable frame first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

/// The decompressed bytes of `input`, as a stream.
///
/// # Errors
/// When this build cannot read the format. Damaged data is an error of the stream's reads.
pub fn reader<'r>(format: Format, input: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    match format {
        #[cfg(feature = "gzip")]
        Format::Gzip => Ok(Box::new(flate2::bufread::MultiGzDecoder::new(input))),
        #[cfg(feature = "zstd")]
        Format::Zstd => Ok(Box::new(frames::Frames::<_, zstd::Frame<_>>::new(input))),
        #[cfg(feature = "lz4")]
        Format::Lz4 => Ok(Box::new(frames::Frames::<_, lz4::Frame<_>>::new(input))),
        #[cfg(not(all(feature = "gzip", feature = "zstd", feature = "lz4")))]
        other => {
            drop(input);
            let text = format!("this build was made without the feature `{}`", other.name());
            Err(io::Error::new(io::ErrorKind::Unsupported, text))
        }
    }
}

/// Frames that follow each other, with skippable ones between them.
#[cfg(any(feature = "zstd", feature = "lz4"))]
mod frames {
    use std::io::{self, Cursor, Read};

    /// The input with the magic that was read ahead put back.
    pub(super) type Rewound<R> = io::Chain<Cursor<[u8; 4]>, R>;

    /// A decoder of one frame.
    pub(super) trait Decoder<R: Read>: Read + Sized {
        /// Read the frame's header.
        fn begin(input: Rewound<R>) -> io::Result<Self>;
        /// The input behind the frame, if the frame came to its proper end.
        fn finish(self) -> io::Result<R>;
    }

    pub(super) struct Frames<R, D> {
        between: Option<R>,
        inside: Option<D>,
    }

    impl<R: Read, D: Decoder<R>> Frames<R, D> {
        pub(super) fn new(input: R) -> Self {
            Self { between: Some(input), inside: None }
        }
    }

    impl<R: Read, D: Decoder<R>> Read for Frames<R, D> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if buf.is_empty() {
                return Ok(0);
            }
            loop {
                if let Some(mut frame) = self.inside.take() {
                    let got = frame.read(buf)?;
                    if got > 0 {
                        self.inside = Some(frame);
                        return Ok(got);
                    }
                    self.between = Some(frame.finish()?);
                }
                let Some(mut input) = self.between.take() else {
                    return Ok(0);
                };
                let Some(magic) = magic(&mut input)? else {
                    return Ok(0);
                };
                if let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = magic {
                    skip(&mut input)?;
                    self.between = Some(input);
                } else {
                    self.inside = Some(D::begin(Cursor::new(magic).chain(input))?);
                }
            }
        }
    }

    /// The next four bytes; nothing at the end of the input.
    fn magic(input: &mut impl Read) -> io::Result<Option<[u8; 4]>> {
        let mut magic = [0; 4];
        if input.read(magic.get_mut(..1).unwrap_or_default())? == 0 {
            return Ok(None);
        }
        input.read_exact(magic.get_mut(1..).unwrap_or_default())?;
        Ok(Some(magic))
    }

    /// Pass over the body of a skippable frame.
    fn skip(input: &mut impl Read) -> io::Result<()> {
        let mut len = [0; 4];
        input.read_exact(&mut len)?;
        let len = u64::from(u32::from_le_bytes(len));
        if io::copy(&mut input.by_ref().take(len), &mut io::sink())? < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

#[cfg(feature = "zstd")]
mod zstd {
    use super::frames::{Decoder, Rewound};
    use ruzstd::decoding::StreamingDecoder;
    use std::io::{self, Read};

    pub(super) struct Frame<R: Read>(StreamingDecoder<Rewound<R>, ruzstd::decoding::FrameDecoder>);

    impl<R: Read> Decoder<R> for Frame<R> {
        fn begin(input: Rewound<R>) -> io::Result<Self> {
            StreamingDecoder::new(input).map(Self).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
        }

        fn finish(self) -> io::Result<R> {
            let (input, decoder) = self.0.into_parts();
            match (decoder.get_checksum_from_data(), decoder.get_calculated_checksum()) {
                (Some(stored), Some(real)) if stored != real => {
                    Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of a zstd frame does not match"))
                }
                _ => Ok(input.into_inner().1),
            }
        }
    }

    impl<R: Read> Read for Frame<R> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }
}

#[cfg(feature = "lz4")]
mod lz4 {
    use super::frames::{Decoder, Rewound};
    use lz4_flex::frame::FrameDecoder;
    use std::io::{self, Read};

    pub(super) struct Frame<R: Read>(FrameDecoder<Watched<Rewound<R>>>);

    impl<R: Read> Decoder<R> for Frame<R> {
        fn begin(input: Rewound<R>) -> io::Result<Self> {
            Ok(Self(FrameDecoder::new(Watched { input, ended: false })))
        }

        fn finish(self) -> io::Result<R> {
            let Watched { input, ended } = self.0.into_inner();
            if ended {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the input ends inside an LZ4 frame"));
            }
            Ok(input.into_inner().1)
        }
    }

    impl<R: Read> Read for Frame<R> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }

    /// Notes that the end of the input was met. `lz4_flex` 0.14 takes an input that ends between two blocks
    /// for the end of the frame (`FrameDecoder::read_block`); a whole frame never reads past its end mark.
    pub(super) struct Watched<R> {
        input: R,
        ended: bool,
    }

    impl<R: Read> Read for Watched<R> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let got = self.input.read(buf)?;
            self.ended |= got == 0 && !buf.is_empty();
            Ok(got)
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "gzip", feature = "zstd", feature = "lz4"))]
mod tests {
    use super::*;
    use std::io::Write;

    fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
        let format = Format::sniff(packed).expect("a known magic");
        let mut out = Vec::new();
        reader(format, packed)?.read_to_end(&mut out)?;
        Ok(out)
    }

    fn packed(format: Format, data: &[u8]) -> Vec<u8> {
        match format {
            Format::Gzip => {
                let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gz.write_all(data).unwrap();
                gz.finish().unwrap()
            }
            Format::Zstd => ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest),
            Format::Lz4 => {
                let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
                lz4.write_all(data).unwrap();
                lz4.finish().unwrap()
            }
        }
    }

    const ALL: [Format; 3] = [Format::Gzip, Format::Zstd, Format::Lz4];

    #[test]
    fn every_format_gives_back_several_frames_in_order() {
        for format in ALL {
            let big = vec![b'x'; 300_000];
            let both = [packed(format, &big), packed(format, b""), packed(format, b"tail")].concat();
            assert_eq!(Format::sniff(&both), Some(format));
            assert_eq!(unpack(&both).unwrap(), [&big[..], b"tail"].concat(), "{}", format.name());
        }
    }

    #[test]
    fn an_archive_cut_anywhere_is_an_error() {
        for format in ALL {
            let whole = packed(format, b"some text, some text, some text, and more of it");
            for cut in Format::SNIFF..whole.len() {
                assert!(unpack(&whole[..cut]).is_err(), "{} cut at {cut} of {}", format.name(), whole.len());
            }
        }
    }

    #[test]
    fn skippable_frames_are_skipped_unless_they_are_cut() {
        let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        for format in [Format::Zstd, Format::Lz4] {
            let body = packed(format, b"body");
            let mixed = [&body[..], &skippable, &body].concat();
            assert_eq!(unpack(&mixed).unwrap(), b"bodybody");
            assert!(unpack(&[&body[..], &skippable[..9]].concat()).is_err());
        }
        assert_eq!(unpack(&[&skippable[..], &packed(Format::Zstd, b"z")].concat()).unwrap(), b"z");
    }

    #[test]
    fn flipped_bits_never_panic() {
        for format in ALL {
            let whole = packed(format, &b"0123456789abcdef".repeat(40));
            for at in Format::SNIFF..whole.len() {
                for bit in 0..8 {
                    let mut bad = whole.clone();
                    bad[at] ^= 1 << bit;
                    let _ = reader(format, &bad[..]).unwrap().take(1 << 20).read_to_end(&mut Vec::new());
                }
            }
        }
    }

    #[test]
    fn plain_files_are_not_taken_for_archives() {
        for head in [&b""[..], b"\x1f", b"\x1f\x8b", b"REDIS0011", b"*2\r\n", b"file x"] {
            assert_eq!(Format::sniff(head), None);
        }
    }
}
