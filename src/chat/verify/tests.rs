use super::*;
use crate::aof::writer::encode;
use crate::chat::{Schema, against, rebuild};
use crate::input::{Input, discover};
use crate::replay::whole::Options;

/// A log of commands, one a line, their words apart by `|`.
fn log(commands: &str) -> Input {
    let mut bytes = Vec::new();
    for command in commands.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match command.strip_prefix('#') {
            Some(annotation) => bytes.extend_from_slice(format!("#{annotation}\r\n").as_bytes()),
            None => encode(&command.split('|').collect::<Vec<_>>(), &mut bytes),
        }
    }
    discover::from_bytes("log", bytes).unwrap()
}

fn report(schema: &Schema, input: &Input) -> Report {
    let rebuilt = rebuild(input, schema, &Options::default(), None, &mut |_| {}).unwrap();
    assert_eq!(rebuilt.report.skipped.total, 0, "{:?}", rebuilt.report.skipped.first);
    let view = View::new(schema, &rebuilt.keyspace, &rebuilt.watch);
    verify(&view, "log", &["log".into()], 100, &mut |_| {})
}

fn codes_with(schema: &Schema, commands: &str) -> Vec<&'static str> {
    let mut codes: Vec<_> = report(schema, &log(commands)).findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes
}

fn codes(commands: &str) -> Vec<&'static str> {
    codes_with(&Schema::default(), commands)
}

/// A message as JSON.
fn json(sender: &str, recipient: &str, time: i64) -> String {
    format!("{{\"sender\":\"{sender}\",\"recipient\":\"{recipient}\",\"body\":\"b\",\"time\":{time}}}")
}

/// A message in the histories of both.
fn both(sender: &str, recipient: &str, time: i64) -> String {
    let message = json(sender, recipient, time);
    format!("RPUSH|chat_history:{sender}|{message}\nRPUSH|chat_history:{recipient}|{message}\n")
}

#[test]
fn a_sound_service_is_clean() {
    let log = format!(
        "SADD|online_users|1\nZADD|user_status|1|1|0|2\n{}{}RPUSH|chat_history:3|plain text\nRPUSH|other|{{\nSET|more|1",
        both("1", "2", 10),
        both("2", "1", 10)
    );
    let report = report(&Schema::default(), &super::tests::log(&log));
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.histories, report.messages, report.plain, report.online), (3, 5, 1, 1));
}

#[test]
fn a_key_of_another_type_is_found() {
    for command in ["SADD|chat_history:1|x", "SET|online_users|x", "RPUSH|user_status|x"] {
        assert_eq!(codes(command), ["chat-wrong-type"], "{command}");
    }
}

#[test]
fn an_online_user_needs_a_status_that_says_so() {
    assert_eq!(codes("SADD|online_users|1"), ["chat-online-without-status"]);
    assert_eq!(codes("SADD|online_users|1\nZADD|user_status|0|1"), ["chat-online-without-status"]);
}

#[test]
fn a_user_whose_status_is_online_must_be_online() {
    assert_eq!(codes("ZADD|user_status|1|1"), ["chat-status-without-online"]);
}

#[test]
fn a_score_that_is_no_state_is_found_unless_the_schema_has_it() {
    let commands = "SADD|online_users|1\nZADD|user_status|2|1|inf|2";
    assert_eq!(codes(commands), ["chat-unknown-score"; 2]);
    let schema = Schema::parse("[states]\noffline=0\nonline=1\nbusy=2\npresent=['online','busy']").unwrap();
    assert_eq!(codes_with(&schema, commands), ["chat-unknown-score"]);
}

#[test]
fn a_message_that_cannot_be_read_is_found() {
    assert_eq!(codes("RPUSH|chat_history:1|{\"sender\":"), ["chat-message-unparsable"]);
    let mut bytes = Vec::new();
    encode(&[&b"RPUSH"[..], b"chat_history:\xff", b"\xfe"], &mut bytes);
    let found = report(&Schema::default(), &discover::from_bytes("log", bytes).unwrap()).findings;
    assert_eq!((found[0].code, found[0].key.as_deref()), ("chat-message-unparsable", Some(&b"chat_history:\xff"[..])));
    let schema = Schema::parse("plain_text = false").unwrap();
    assert_eq!(codes_with(&schema, "RPUSH|chat_history:1|hello"), ["chat-message-unparsable"]);
}

#[test]
fn a_message_without_its_fields_is_found() {
    let found = codes("RPUSH|chat_history:1|{\"sender\":\"1\"}");
    assert_eq!(found, ["chat-message-incomplete"; 3]);
}

#[test]
fn a_message_of_other_people_is_found() {
    let commands = format!("{}RPUSH|chat_history:3|{}", both("1", "2", 5), json("1", "2", 5));
    assert_eq!(codes(&commands), ["chat-message-foreign"]);
    let room = format!("RPUSH|chat_history:3|{}", json("1", "room:tea", 5));
    assert_eq!(codes(&room), [""; 0]);
}

#[test]
fn a_time_that_runs_backwards_is_found() {
    let commands = format!("{}{}", both("1", "2", 20), both("1", "2", 10));
    assert_eq!(codes(&commands), ["chat-time-backwards"; 2]);
}

#[test]
fn a_message_that_occurs_twice_is_found() {
    let commands = format!("{}RPUSH|chat_history:1|{}", both("1", "2", 5), json("1", "2", 5));
    assert_eq!(codes(&commands), ["chat-message-duplicate"]);
    assert_eq!(codes(&both("1", "1", 5)), [""; 0], "what somebody wrote to himself");
}

#[test]
fn a_message_that_the_other_side_lacks_is_found() {
    let commands = format!("{}RPUSH|chat_history:1|{}", both("1", "2", 5), json("1", "2", 6));
    let found = report(&Schema::default(), &log(&commands)).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, "chat-message-one-sided");
    assert!(found[0].message.contains("element 1 (1 to 2") && found[0].message.contains("not in chat_history:2"));
    let schema = Schema::parse("both_sides = false").unwrap();
    assert_eq!(codes_with(&schema, &commands), [""; 0]);
}

#[test]
fn a_trimmed_history_lacks_what_is_old_and_nothing_else() {
    let talk: String = (1..=5).map(|time| both("1", "2", time)).collect();
    assert_eq!(codes(&format!("{talk}LTRIM|chat_history:2|-3|-1")), [""; 0]);
    let hole = format!("{talk}LTRIM|chat_history:2|-3|-1\nLREM|chat_history:2|1|{}", json("1", "2", 4));
    assert_eq!(codes(&hole), ["chat-message-one-sided"]);
    assert_eq!(codes(&format!("{talk}DEL|chat_history:2")), [""; 0]);
    // A snapshot does not tell, the schema's limit does.
    let cut: String = (1..=2).map(|time| format!("RPUSH|chat_history:1|{}\n", json("1", "2", time))).collect();
    let rest: String = (3..=5).map(|time| both("1", "2", time)).collect();
    assert_eq!(codes(&format!("{cut}{rest}")), ["chat-message-one-sided"; 2]);
    let schema = Schema::parse("history_limit = 3").unwrap();
    assert_eq!(codes_with(&schema, &format!("{cut}{rest}")), [""; 0]);
}

#[test]
fn pushes_and_histories_must_agree() {
    let push = |time| format!("PUBLISH|chat|{}\n", json("1", "2", time));
    let sound = format!("{}{}{}{}", both("1", "2", 1), push(2), both("1", "2", 2), "PUBLISH|elsewhere|x\n");
    assert_eq!(codes(&sound), [""; 0]);
    assert_eq!(codes(&format!("{sound}{}", push(3))), ["chat-push-not-stored"]);
    assert_eq!(codes(&format!("{sound}PUBLISH|room:tea|hello")), ["chat-push-not-stored"]);
    assert_eq!(codes(&format!("{sound}{}", both("1", "2", 3))), ["chat-message-not-pushed"]);
    let trimmed = format!("{sound}{}{}DEL|chat_history:1|chat_history:2", push(3), both("1", "2", 3));
    assert_eq!(codes(&trimmed), [""; 0]);
}

#[test]
fn findings_beyond_the_most_are_counted() {
    let schema = Schema::default();
    let input = log("SADD|online_users|1|2|3|4");
    let rebuilt = rebuild(&input, &schema, &Options::default(), None, &mut |_| {}).unwrap();
    let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
    let report = verify(&view, "log", &[], 3, &mut |_| {});
    assert_eq!((report.findings.len(), report.more), (3, 1));
}

#[test]
fn two_sources_are_compared() {
    let schema = Schema::default();
    let compared = |here: &str, there: &str| {
        let (here, there) = (log(here), log(there));
        let options = Options::default();
        let here = rebuild(&here, &schema, &options, None, &mut |_| {}).unwrap();
        let there = rebuild(&there, &schema, &options, None, &mut |_| {}).unwrap();
        let here_view = View::new(&schema, &here.keyspace, &here.watch);
        let there_view = View::new(&schema, &there.keyspace, &there.watch);
        let report = against::compare(&here_view, &there_view, ["a", "b"], 100);
        report.findings.into_iter().map(|finding| (finding.code, finding.message)).collect::<Vec<_>>()
    };
    let codes = |here: &str, there: &str| compared(here, there).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    let talk = both("1", "2", 1);
    assert_eq!(compared(&talk, &talk), []);
    let found = compared(&format!("{talk}RPUSH|chat_history:1|x"), &talk);
    assert_eq!(found, [("chat-message-only-here", "element 1 of a (no fields) is missing in b".to_owned())]);
    assert_eq!(codes("", &talk), ["chat-message-only-there"; 2]);
    assert_eq!(codes("SADD|online_users|1", "SADD|online_users|2"), ["chat-presence-differs"; 2]);
    assert_eq!(codes("ZADD|user_status|1|1", "ZADD|user_status|0|1"), ["chat-status-differs"]);
    assert_eq!(codes("RPUSH|chat_history:1|a|b", "RPUSH|chat_history:1|b|a"), ["chat-order-differs"]);
}

#[test]
fn presence_is_known_at_any_time_of_the_log() {
    let schema = Schema::default();
    let at = |commands: &str, seconds: i64| {
        let input = log(commands);
        let at = Some(crate::value::UnixMillis(seconds * 1000));
        let rebuilt = rebuild(&input, &schema, &Options::default(), at, &mut |_| {}).unwrap();
        rebuilt
            .watch
            .then
            .map(|then| then.online.into_iter().map(|user| String::from_utf8(user).unwrap()).collect::<Vec<_>>())
    };
    let annotated = "#TS:10\nSADD|online_users|1\n#TS:20\nSADD|online_users|2\n#TS:30\nSREM|online_users|1\n";
    assert_eq!(at(annotated, 9), None);
    assert_eq!(at(annotated, 10), Some(vec!["1".into()]));
    assert_eq!(at(annotated, 25), Some(vec!["1".into(), "2".into()]));
    assert_eq!(at(annotated, 99), Some(vec!["2".into()]));
    let message = |time| format!("RPUSH|chat_history:1|{}\n", json("1", "2", time));
    let dated = format!("SADD|online_users|1\n{}SADD|online_users|2\n{}SREM|online_users|1", message(10), message(20));
    assert_eq!(at(&dated, 15), Some(vec!["1".into(), "2".into()]));
    assert_eq!(at(&dated, 25), Some(vec!["2".into()]));
}

#[test]
fn a_history_of_very_many_messages_is_no_problem() {
    let mut bytes = Vec::new();
    for time in 1..=100_000 {
        encode(&["RPUSH", "chat_history:1", &json("1", "room:a", time)], &mut bytes);
    }
    let report = report(&Schema::default(), &discover::from_bytes("log", bytes).unwrap());
    assert!(report.is_clean() && report.messages == 100_000);
}

#[test]
fn where_no_log_reaches_back_recent_senders_count_as_online() {
    use crate::chat::online::{Basis, online};
    let schema = Schema::default();
    let minutes = |minutes: i64| 1_700_000_000_000 + minutes * 60_000;
    let online_at = |commands: &str, at: Option<i64>| {
        let input = log(commands);
        let at = at.map(|at| UnixMillis(minutes(at)));
        let rebuilt = rebuild(&input, &schema, &Options::default(), at, &mut |_| {}).unwrap();
        let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
        let found = online(&view, at);
        let users = found.users.iter().map(|user| String::from_utf8(user.user.clone()).unwrap()).collect::<Vec<_>>();
        (found.basis, users.join(" "))
    };
    let talk: String =
        [("10", "2", 0), ("2", "10", 5), ("3", "2", 30)].map(|(from, to, at)| both(from, to, minutes(at))).concat();
    let annotated = format!("#TS:{}\n{talk}SADD|online_users|10|9", minutes(60) / 1000);
    assert_eq!(online_at(&annotated, Some(6)), (Basis::Messages, "2 10".into()));
    assert_eq!(online_at(&annotated, Some(16)), (Basis::Messages, "2".into()));
    assert_eq!(online_at(&annotated, Some(60)), (Basis::Log, "9 10".into()));
    assert_eq!(online_at(&annotated, None), (Basis::End, "9 10".into()));
}

#[test]
fn a_history_that_cannot_be_read_to_its_end_is_found() {
    // A quicklist of one listpack, whose only element begins with a byte that begins none.
    let history = b"\x12\x0echat_history:1\x01\x02\x09\x09\x00\x00\x00\x01\x00\xf5\x01\xff";
    let image = [&b"REDIS0010"[..], history, b"\xff\0\0\0\0\0\0\0\0"].concat();
    let report = report(&Schema::default(), &discover::from_bytes("dump", image).unwrap());
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.code, finding.key.as_deref())).collect();
    assert_eq!(found, [("chat-value-damaged", Some(&b"chat_history:1"[..]))]);
}
