//! What people write. All pieces are fit to stand in a JSON string as they are.

use super::dice::Dice;

const PIECES: [&str; 64] = [
    "hey, are you around?",
    "yes, just came back 🙂",
    "lunch at 12:30?",
    "I'll be five minutes late, sorry!",
    "👍",
    "👍👍👍",
    "😂😂",
    "the build is green again ✅",
    "can you look at my change when you have a moment?",
    "looks good to me, one question about the retry loop though",
    "Grüße aus Köln – schönes Wetter hier ☀️",
    "ça marche, à demain !",
    "¿a qué hora llegas?",
    "Привет! Как дела?",
    "今日の会議は何時からですか？",
    "午後三時です。よろしくお願いします 🙇",
    "만나서 반가워요",
    "مرحبا، كيف حالك؟",
    "שלום",
    "नमस्ते 🙏",
    "สวัสดีครับ",
    "🇪🇺🇯🇵🇧🇷",
    "👩‍👩‍👧‍👦 are all here",
    "🤷🏽‍♀️",
    "https://example.com/tickets/4711?view=full#comment-3",
    "he said \\\"no way\\\" and hung up",
    "C:\\\\temp\\\\dump.rdb is where I put it",
    "first line\\nsecond line\\n\\tindented",
    "100 % sure? I read 99,9 % somewhere",
    "ok",
    "OK!",
    "thanks",
    "thank you so much, that saved my day 💙",
    "np",
    "brb",
    "see you tomorrow 👋",
    "good night 🌙",
    "good morning ☕",
    "did anybody restart the staging server?",
    "it was me, the disk was full 😬",
    "how much memory does it take?",
    "about 3.2 GB, mostly chat_history keys",
    "happy birthday 🎂🎉🎈",
    "where are you?",
    "at the station, platform 7",
    "the train is delayed, what a surprise",
    "I can't find the keys 🔑 – did you take them?",
    "they are on the kitchen table",
    "let me check",
    "hm",
    "that makes no sense",
    "it does if you count from zero",
    "are we still on for Saturday?",
    "of course! I'll bring the game 🎲",
    "don't forget the charger",
    "x < y && y > z, so <b>no</b>",
    "ｆｕｌｌ ｗｉｄｔｈ",
    "e\u{301}tude, naïve, Ångström",
    "𝕞𝕒𝕥𝕙 𝕞𝕠𝕕𝕖",
    "1️⃣ 2️⃣ 3️⃣",
    "wait for it…",
    "… done",
    "no, the other one",
    "call me when you are free, it is nothing urgent but I would rather not write it down here",
];

/// Append what a message says: one piece or a few.
#[inline]
pub(crate) fn write(dice: &mut Dice, out: &mut Vec<u8>) {
    let bits = dice.bits();
    // One to four pieces, fewer more often.
    let pieces = (bits >> 60).trailing_ones().min(3);
    for piece in 0..=pieces {
        if piece > 0 {
            out.push(b' ');
        }
        let index = usize::try_from(bits.wrapping_shr(piece.wrapping_mul(6)) & 63).unwrap_or(0);
        out.extend_from_slice(PIECES.get(index).copied().unwrap_or_default().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_the_inside_of_a_json_string() {
        for piece in PIECES {
            serde_json::from_str::<String>(&format!("\"{piece}\"")).unwrap();
        }
    }
}
