use super::{Manifest, Reader};

/// Read any bytes as a log, strictly and leniently, from the start and from the middle.
pub fn aof_reader(data: &[u8]) {
    let middle = (data.len() as u64).checked_div(2).unwrap_or_default();
    for start in [0, middle] {
        for mut reader in [Reader::starting_at(data, start), Reader::starting_at(data, start).lenient()] {
            let mut at = start;
            while let Ok(Some(record)) = reader.next_record() {
                assert_eq!(record.offset(), at, "records touch");
                assert!(record.end() > at, "records take room");
                at = record.end();
            }
            assert!(at <= data.len() as u64, "records end within the input");
        }
    }
}

/// Read any bytes as a manifest; what is accepted is written, and read again as the same.
pub fn manifest(data: &[u8]) {
    let Ok(read) = Manifest::parse(data) else { return };
    // Quoting can make a line longer than is allowed.
    let Ok(text) = read.encode() else { return };
    let again = Manifest::parse(&text).and_then(|manifest| manifest.encode());
    assert_eq!(again, Ok(text), "a written manifest is read as it was");
}
