//! Reads and digests on a second thread while the first one makes files.
//!
//! Decompressing and digesting keep one core busy, creating files another, so a layer takes the time of the
//! slower of the two instead of their sum. The thread ends with the call that started it.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::digest::{Digest, Hashing};

/// How much is read before it is handed over, in bytes, and how many such pieces wait at most.
const PIECE: usize = 256 * 1024;
const PIECES: usize = 8;

/// Lets `consume` read `source` from another thread; returns what it returns, and the digest and size of all
/// that was read. The digest is of the whole source only if `consume` reads to the end.
pub(crate) fn digested<T>(
    source: impl Read + Send,
    consume: impl FnOnce(&mut Ahead) -> T,
) -> (T, Digest, u64) {
    let (filled, pieces) = sync_channel(PIECES);
    let (empty, used) = channel();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || fill(source, &filled, &used));
        let mut ahead = Ahead { pieces, empty, piece: Vec::new(), start: 0, end: false };
        let outcome = consume(&mut ahead);
        // The reader notices that nobody listens any more, and ends.
        drop(ahead);
        match reader.join() {
            Ok((digest, bytes)) => (outcome, digest, bytes),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn fill(
    source: impl Read,
    filled: &SyncSender<io::Result<Vec<u8>>>,
    used: &Receiver<Vec<u8>>,
) -> (Digest, u64) {
    let mut source = Hashing::new(source);
    loop {
        let mut piece = used.try_recv().unwrap_or_default();
        piece.clear();
        // An error that comes after some bytes is told after them.
        let outcome = source.by_ref().take(PIECE as u64).read_to_end(&mut piece);
        let last = piece.is_empty();
        if !last && filled.send(Ok(piece)).is_err() {
            break;
        }
        if let Err(error) = outcome {
            let _ = filled.send(Err(error));
            break;
        }
        if last {
            break;
        }
    }
    let (_, digest, bytes) = source.finish();
    (digest, bytes)
}

/// What the other thread has read.
pub(crate) struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    piece: Vec<u8>,
    start: usize,
    end: bool,
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.piece.len() && !self.end {
            match self.pieces.recv() {
                Ok(piece) => {
                    // The buffer goes back to be filled again; the reader may have ended by now.
                    let _ = self.empty.send(std::mem::replace(&mut self.piece, piece?));
                    self.start = 0;
                }
                Err(_) => self.end = true,
            }
        }
        Ok(&self.piece[self.start..])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order_and_is_digested() {
        let content: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
        let mut copy = Vec::new();
        let (result, digest, bytes) = digested(&content[..], |ahead| ahead.read_to_end(&mut copy));
        assert_eq!(
            (result.unwrap(), digest, bytes),
            (content.len(), Digest::of(&content), copy.len() as u64)
        );
        assert!(copy == content);
    }

    #[test]
    fn a_reader_that_stops_early_stops_the_thread() {
        let ((), _, bytes) = digested(io::repeat(7), |ahead| ahead.read_exact(&mut [0; 10]).unwrap());
        assert!(bytes >= 10);
    }

    #[test]
    fn an_error_arrives_after_the_bytes_before_it() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("connection reset"))
            }
        }
        let mut bytes = Vec::new();
        let (result, ..) = digested((&b"half"[..]).chain(Broken), |ahead| ahead.read_to_end(&mut bytes));
        assert_eq!(
            (bytes.as_slice(), result.unwrap_err().to_string().as_str()),
            (&b"half"[..], "connection reset")
        );
    }
}
