//! Sizes: `4096`, `512M`, `2GiB`, `1.5g`.

use std::str::FromStr;

/// A number of bytes. K, M, G, T are powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected a size such as 512M or 2G";
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match lower.get(digits.len()..).unwrap_or_default() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            _ => return Err(WRONG),
        };
        let (whole, fraction) = digits.trim().split_once('.').unwrap_or((digits.trim(), ""));
        let whole: u64 = whole.parse().map_err(|_| WRONG)?;
        let part = match fraction {
            "" => 0,
            some if some.len() <= 6 => {
                let tens = 10u64.checked_pow(u32::try_from(some.len()).unwrap_or(0)).unwrap_or(1);
                some.parse::<u64>().map_err(|_| WRONG)?.saturating_mul(unit).checked_div(tens).unwrap_or(0)
            }
            _ => return Err(WRONG),
        };
        whole.checked_mul(unit).and_then(|bytes| bytes.checked_add(part)).map(Self).ok_or(WRONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("512M", 512 << 20), ("2GiB", 2 << 30), ("1.5g", 3 << 29), ("1 k", 1024)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "M", "1x", "-1", "1.2.3", "99999999999T", "1.1234567G"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
