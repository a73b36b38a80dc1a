use super::*;
use crate::aof::writer::encode;
use proptest::prelude::*;

fn read(input: &[u8]) -> Result<(usize, Vec<&[u8]>), Error> {
    let mut argv = Vec::new();
    strict(input, 0, &mut argv).map(|end| (end, argv))
}

fn tolerate(input: &[u8]) -> Result<(Vec<&[u8]>, Tolerated), Error> {
    let mut argv = Vec::new();
    lenient(input, 0, &mut argv).map(|(end, liberties)| {
        assert_eq!(end, input.len(), "all of it is one command");
        (argv, liberties)
    })
}

fn refusal(input: &[u8]) -> (u64, Doing, ErrorKind) {
    let error = read(input).unwrap_err();
    (error.offset(), error.doing(), error.kind())
}

#[test]
fn a_command_is_its_arguments_and_the_offset_behind_them() {
    let input = b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n*1\r\n";
    assert_eq!(read(input).unwrap(), (27, vec![&b"SET"[..], b"", b"\r\n"]));
}

#[test]
fn lengths_of_one_to_nine_digits_are_read() {
    for len in [0, 9, 10, 99, 100, 999, 1000, 12_345, 1_000_000] {
        let argv = [b"SET".to_vec(), vec![b'v'; len]];
        let mut log = Vec::new();
        encode(&argv, &mut log);
        assert_eq!(read(&log).unwrap(), (log.len(), vec![&argv[0][..], &argv[1]]));
    }
    let many = vec![b"x"; 1234];
    let mut log = Vec::new();
    encode(&many, &mut log);
    assert_eq!(read(&log).unwrap().1.len(), 1234);
}

#[test]
fn each_fault_is_named_with_its_offset() {
    use Doing::*;
    use ErrorKind::*;
    assert_eq!(refusal(b"SET a 1\r\n"), (0, ReadRecord, NotARecord { found: b'S' }));
    assert_eq!(refusal(b"\r\n*1\r\n"), (0, ReadRecord, NotARecord { found: b'\r' }));
    assert_eq!(refusal(&[0; 64]), (0, ReadRecord, Zeros { run: 64 }));
    for bad in [&b"*0\r\n"[..], b"*-5\r\n", b"*03\r\n", b"*+3\r\n", b"* 3\r\n", b"*x\r\n", b"*99999999999999999999\r\n"]
    {
        assert_eq!(refusal(bad).1, ReadCount, "{}", bad.escape_ascii());
        assert_eq!(refusal(bad).2, BadCount, "{}", bad.escape_ascii());
    }
    assert_eq!(refusal(b"*1\n$4\r\nPING\r\n"), (2, ReadCount, BadLineEnd));
    assert_eq!(refusal(b"*1junk\r\n"), (2, ReadCount, BadLineEnd));
    assert_eq!(refusal(b"*1\r\nPING\r\n"), (4, ReadLength(0), NotAnArgument { found: b'P' }));
    assert_eq!(refusal(b"*2\r\n$3\r\nGET\r\n$-1\r\n"), (14, ReadLength(1), BadLength));
    assert_eq!(refusal(b"*1\r\n$04\r\nPING\r\n"), (5, ReadLength(0), BadLength));
    assert_eq!(refusal(b"*1\r\n$4\r\nPINGxy"), (12, ReadArgument(0), BadTrailer { found: *b"xy" }));
    assert_eq!(refusal(b"*1\r\n$4\r\nPINGx"), (12, ReadArgument(0), BadTrailer { found: *b"x\0" }));
    assert_eq!(refusal(b"*1\r\n$9\r\nPING\r\n"), (8, ReadArgument(0), Torn { missing: 5 }));
    let huge = refusal(b"*1\r\n$18446744073709551615\r\nPING\r\n");
    assert_eq!((huge.0, huge.1), (27, ReadArgument(0)));
    assert!(matches!(huge.2, Torn { missing } if missing > u64::MAX - 10));
}

#[test]
fn a_command_cut_anywhere_is_torn_and_leaves_no_arguments() {
    let mut whole = Vec::new();
    encode(&[&b"SET"[..], &[b'v'; 120], b"*1\r\n"], &mut whole);
    for cut in 0..whole.len() {
        let mut argv: Vec<&[u8]> = vec![b"kept"];
        let strictly = strict(&whole[..cut], 0, &mut argv).unwrap_err();
        assert!(strictly.is_torn(), "cut at {cut}: {strictly}");
        let tolerantly = lenient(&whole[..cut], 0, &mut argv).unwrap_err();
        assert!(tolerantly.is_torn(), "cut at {cut}: {tolerantly}");
        assert_eq!(argv, [b"kept"]);
    }
}

#[test]
fn a_count_makes_nothing_be_reserved() {
    assert!(read(b"*9223372036854775807\r\n$1\r\na\r\n").unwrap_err().is_torn());
    assert!(tolerate(b"*2147483647\r\n$1\r\na\r\n").unwrap_err().is_torn());
    assert_eq!(tolerate(b"*4294967297\r\n$1\r\na\r\n").unwrap_err().kind(), ErrorKind::BadCount);
}

#[test]
fn what_servers_accept_is_accepted_and_named() {
    // Three servers were seen to take this for SET a 1.
    let (argv, liberties) = tolerate(b"*3junk\n$3\r\nSET\r\n$1xyz\na??$ +1\r\n1\r\n").unwrap();
    assert_eq!(argv, [&b"SET"[..], b"a", b"1"]);
    for liberty in [Tolerated::JUNK, Tolerated::PADDING, Tolerated::TRAILER] {
        assert!(liberties.contains(liberty));
    }
    assert!(!liberties.contains(Tolerated::LINE_END));
    assert_eq!(tolerate(b"*1\n$4\nPING\r\n").unwrap().1, Tolerated::LINE_END);
    assert_eq!(tolerate(b"*01\r\n$004\r\nPING\r\n").unwrap().1, Tolerated::PADDING);
    assert_eq!(tolerate(b"*1\r\n$4\r\nPING\r\n").unwrap().1, Tolerated::NOTHING);
    assert_eq!(tolerate(&[&b"*1\r\n$4\r\nPING"[..], &[0, 0]].concat()).unwrap().1, Tolerated::TRAILER);
    assert_eq!(Tolerated::LINE_END.to_string(), "a line ends in \\n alone");
    let long = [&b"*1"[..], &[b'j'; LINE_MAX - 2], b"$4\r\nPING\r\n"].concat();
    assert_eq!(tolerate(&long).unwrap().0, [b"PING"], "a line is cut after 1023 bytes");
}

#[test]
fn what_servers_refuse_is_refused() {
    for (bad, kind) in [
        (&b"*0\r\n"[..], ErrorKind::BadCount),
        (b"*-5\r\n", ErrorKind::BadCount),
        (b"*\r\n", ErrorKind::BadCount),
        (b"PING\r\n", ErrorKind::NotARecord { found: b'P' }),
        (b"*1\r\n$-1\r\n", ErrorKind::BadLength),
        (b"*1\r\n:4\r\nPING\r\n", ErrorKind::NotAnArgument { found: b':' }),
        (&[0; 12], ErrorKind::Zeros { run: 12 }),
    ] {
        assert_eq!(tolerate(bad).unwrap_err().kind(), kind, "{}", bad.escape_ascii());
    }
}

proptest! {
    #[test]
    fn the_hot_path_and_the_diagnosis_agree(
        argv in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..4),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"*$\r\n0123456789-+ ".to_vec())],
    ) {
        let mut log = Vec::new();
        encode(&argv, &mut log);
        let at = at.index(log.len());
        log[at] = byte;
        match read(&log) {
            Ok((end, args)) => {
                prop_assert_eq!(tolerate(&log[..end]).unwrap(), (args, Tolerated::NOTHING));
            }
            // The kind for "not reached" carries offset 0 and read-record, which no genuine bad count does.
            Err(error) => prop_assert!((error.doing(), error.kind()) != (Doing::ReadRecord, ErrorKind::BadCount)),
        }
    }

    #[test]
    fn no_bytes_make_either_reading_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(),
        prop::sample::select(b"*$\r\n019-+ #".to_vec())], 0..80)) {
        crate::aof::attack::aof_reader(&bytes);
    }
}
