//! What a log takes in, a reader gives out.

use proptest::prelude::*;
use tempfile::TempDir;

use super::read::Reader;
use super::*;

/// A log in a directory of its own.
struct Kept {
    directory: TempDir,
    options: Options,
}

impl Kept {
    fn new(rotation: Rotation) -> Self {
        let options = Options { to: Target::Files(rotation), attributes: Vec::new() };
        Self { directory: tempfile::tempdir().unwrap(), options }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("log.json")
    }

    fn log(&self) -> Log {
        Log::open(&self.path(), &self.options).unwrap()
    }

    fn reader(&self, tail: Option<usize>) -> Reader {
        Reader::open(&self.path(), tail).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// All that there is to read now.
fn rest(reader: &mut Reader) -> Vec<(Stream, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        all.push((entry.stream, entry.text.to_vec()));
    }
    all
}

fn texts(reader: &mut Reader) -> Vec<String> {
    rest(reader).into_iter().map(|(_, text)| String::from_utf8(text).unwrap().trim_end().to_owned()).collect()
}

fn written(parts: &[(Stream, &[u8])]) -> Vec<(Stream, Vec<u8>)> {
    let kept = Kept::new(Rotation::default());
    let mut log = kept.log();
    parts.iter().for_each(|(stream, bytes)| log.write(*stream, bytes).unwrap());
    log.finish().unwrap();
    rest(&mut kept.reader(None))
}

fn small(max_files: u32) -> Rotation {
    Rotation { max_size: Some(1000), max_files, compress: false }
}

fn write_numbers(log: &mut Log, numbers: std::ops::Range<u32>) {
    numbers.for_each(|number| log.write(Stream::Stdout, format!("{number}\n").as_bytes()).unwrap());
}

fn numbers(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[test]
fn a_line_is_one_record_however_it_arrives() {
    let parts: [(Stream, &[u8]); 3] =
        [(Stream::Stdout, b"he"), (Stream::Stderr, b"e\n"), (Stream::Stdout, b"llo\nx")];
    let expected = [(Stream::Stderr, "e\n"), (Stream::Stdout, "hello\n"), (Stream::Stdout, "x")];
    assert_eq!(written(&parts), expected.map(|(stream, text)| (stream, text.as_bytes().to_vec())));
}

#[test]
fn no_letter_is_cut_in_two() {
    let long = format!("{}€\n", "a".repeat(LONGEST - 1));
    let records = written(&[(Stream::Stdout, long.as_bytes())]);
    assert_eq!(records.concat_texts(), long.as_bytes());
}

trait Concat {
    fn concat_texts(&self) -> Vec<u8>;
}

impl Concat for [(Stream, Vec<u8>)] {
    fn concat_texts(&self) -> Vec<u8> {
        self.iter().flat_map(|(_, text)| text.clone()).collect()
    }
}

#[test]
fn a_long_line_is_cut_and_nothing_is_lost() {
    let long = vec![b'a'; LONGEST * 2 + 5];
    let records = written(&[(Stream::Stdout, &long), (Stream::Stdout, b"\n")]);
    assert_eq!(records.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), [LONGEST, LONGEST, 6]);
}

#[test]
fn the_pieces_of_a_line_have_the_time_of_the_first() {
    let kept = Kept::new(Rotation::default());
    let mut log = kept.log();
    log.write(Stream::Stdout, &[b'a'; LONGEST]).unwrap();
    log.write(Stream::Stdout, b"end\nnext\n").unwrap();
    let mut reader = kept.reader(None);
    let mut time = || reader.next_entry().unwrap().unwrap().timestamp();
    let (first, second, next) = (time(), time(), time());
    assert_eq!(first, second);
    assert!(next > second);
}

#[test]
fn a_full_file_makes_room_for_a_new_one_and_the_oldest_goes() {
    let kept = Kept::new(small(3));
    let mut log = kept.log();
    write_numbers(&mut log, 0..100);
    assert_eq!(kept.files(), ["log.json", "log.json.1", "log.json.2"]);
    for name in kept.files() {
        let length = std::fs::metadata(kept.directory.path().join(name)).unwrap().len();
        assert!(length < 1100, "{length}");
    }
    let read = texts(&mut kept.reader(None));
    let first = read[0].parse().unwrap();
    assert!(first > 50);
    assert_eq!(read, numbers(first..100));
    assert_eq!(texts(&mut kept.reader(Some(20))), numbers(80..100));
    // Another log goes on where this one ended.
    drop(log);
    write_numbers(&mut kept.log(), 100..105);
    assert_eq!(texts(&mut kept.reader(Some(30))), numbers(75..105));
}

#[test]
fn one_file_that_is_full_is_replaced() {
    let kept = Kept::new(small(1));
    let mut log = kept.log();
    write_numbers(&mut log, 0..100);
    assert_eq!(kept.files(), ["log.json"]);
    assert!(texts(&mut kept.reader(None)).ends_with(&numbers(98..100)));
}

#[test]
fn compressed_files_are_read_like_others() {
    let kept = Kept::new(Rotation { compress: true, ..small(4) });
    let mut log = kept.log();
    write_numbers(&mut log, 0..40);
    let mut reader = kept.reader(None);
    assert_eq!(texts(&mut reader), numbers(0..40));
    write_numbers(&mut log, 40..45);
    drop(log);
    assert_eq!(texts(&mut reader), numbers(40..45));
    assert_eq!(kept.files(), ["log.json", "log.json.1.gz", "log.json.2.gz", "log.json.3.gz"]);
    assert_eq!(texts(&mut kept.reader(Some(30))), numbers(15..45));
}

#[test]
fn a_reader_that_keeps_up_loses_and_doubles_nothing_over_rotations() {
    for compress in [false, true] {
        let kept = Kept::new(Rotation { compress, ..small(3) });
        let mut log = kept.log();
        let mut reader = kept.reader(None);
        let mut read = Vec::new();
        for start in (0..600).step_by(7) {
            write_numbers(&mut log, start..start + 7);
            read.extend(texts(&mut reader));
        }
        assert_eq!(read.len(), 602);
        assert_eq!(read, numbers(0..602));
    }
}

#[test]
fn a_reader_beside_a_writer_loses_and_doubles_nothing() {
    const LINES: u32 = 20_000;
    let kept = Kept::new(Rotation { max_size: Some(5_000), max_files: 10_000, compress: false });
    let mut log = kept.log();
    let mut reader = kept.reader(None);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || write_numbers(&mut log, 0..LINES));
        let mut read = Vec::new();
        loop {
            let ended = writer.is_finished();
            read.extend(texts(&mut reader));
            if ended {
                break;
            }
        }
        assert_eq!(read, numbers(0..LINES));
    });
}

#[test]
fn a_reader_that_was_overtaken_goes_on_with_the_oldest_file() {
    let kept = Kept::new(small(2));
    let mut log = kept.log();
    write_numbers(&mut log, 0..3);
    let mut reader = kept.reader(None);
    write_numbers(&mut log, 3..200);
    let read: Vec<u32> = texts(&mut reader).iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!((read[0], read.last()), (0, Some(&199)));
    assert!(read.is_sorted_by(|a, b| a < b), "{read:?}");
}

#[test]
fn a_record_after_half_a_record_is_whole() {
    let kept = Kept::new(Rotation::default());
    std::fs::write(kept.path(), "{\"log\":\"half").unwrap();
    write_numbers(&mut kept.log(), 0..2);
    assert_eq!(texts(&mut kept.reader(None)), numbers(0..2));
    assert_eq!(texts(&mut kept.reader(Some(1))), numbers(1..2));
}

#[test]
fn a_log_that_somebody_emptied_is_read_from_its_start() {
    let kept = Kept::new(Rotation::default());
    let mut log = kept.log();
    let mut reader = kept.reader(None);
    write_numbers(&mut log, 0..9);
    assert_eq!(texts(&mut reader), numbers(0..9));
    std::fs::write(kept.path(), "").unwrap();
    write_numbers(&mut log, 9..12);
    assert_eq!(texts(&mut reader), numbers(9..12));
}

#[test]
fn attributes_stand_in_every_record() {
    let mut kept = Kept::new(Rotation::default());
    kept.options.attributes = vec![("env".to_owned(), "a \"b\"&".to_owned())];
    kept.log().write(Stream::Stderr, b"x\n").unwrap();
    let text = std::fs::read_to_string(kept.path()).unwrap();
    let start = r#"{"log":"x\n","stream":"stderr","attrs":{"env":"a \"b\"\u0026"},"time":""#;
    assert!(text.starts_with(start), "{text}");
    let mut reader = kept.reader(None);
    let entry = reader.next_entry().unwrap().unwrap();
    assert_eq!(*entry.attributes, kept.options.attributes.into_iter().collect());
}

/// Each byte that is no UTF-8 as Docker's readers get it.
fn as_go_reads(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for chunk in bytes.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        chunk.invalid().iter().for_each(|_| text.extend_from_slice("\u{fffd}".as_bytes()));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn what_goes_in_comes_out(
        parts in proptest::collection::vec(
            (any::<bool>(), prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..60),
                "[a-z\"\\\\\n<é€😀\u{2028}\t\r]{0,40}".prop_map(String::into_bytes),
                (0..40_000usize, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
            ]),
            0..12,
        ),
        max_size in proptest::option::of(3_000..100_000u64),
    ) {
        let kept = Kept::new(Rotation { max_size, max_files: 100_000, compress: false });
        let mut log = kept.log();
        let mut expected = [Vec::new(), Vec::new()];
        for (is_error, bytes) in &parts {
            let stream = if *is_error { Stream::Stderr } else { Stream::Stdout };
            log.write(stream, bytes).unwrap();
            expected[stream as usize].extend_from_slice(bytes);
        }
        log.finish().unwrap();
        let read = rest(&mut kept.reader(None));
        for stream in [Stream::Stdout, Stream::Stderr] {
            let own: Vec<_> = read.iter().filter(|(of, _)| *of == stream).cloned().collect();
            prop_assert_eq!(own.concat_texts(), as_go_reads(&expected[stream as usize]));
        }
    }
}
