//! Takes in the layers of an image: several at a time, each in one pass.
//!
//! A layer's bytes are stored, digested, decompressed, digested again and unpacked on their way, so that they are read
//! once. What a layer becomes is known only when both digests are: until then its tree has no name, and a tree
//! whose digests are wrong never gets one. Trees get their names from the lowest upwards, however they come.
//! OCI image spec, "Layer DiffID", "Layer ChainID"; book ch. 6.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};

use mini_layers::arriving::Arriving;
use mini_layers::blobs::BlobError;
use mini_layers::bounds::decompress_within;
use mini_layers::layers::LayerError;
use mini_layers::{Digest, Unpacked, chain_id};

use crate::store::Images;
use crate::unpack::UnpackError;

/// How many layers come at a time: Docker's number.
const AT_A_TIME: usize = 3;

/// A layer of an image that is to be taken in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coming {
    /// The digest of its bytes as they come.
    pub(crate) blob: Digest,
    /// How many there are.
    pub(crate) size: u64,
    /// The digest of its uncompressed tar.
    pub(crate) diff_id: Digest,
}

/// What happens while layers are taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These layers are wanted, lowest first, and those among them are here already.
    Layers(Vec<(Digest, bool)>),
    /// So much of a layer is here.
    Received {
        /// The layer.
        layer: Digest,
        /// How many bytes of it.
        bytes: u64,
        /// How many there are.
        of: u64,
    },
    /// All of it is here.
    Downloaded(Digest),
    /// It is unpacked.
    Complete(Digest),
}

/// Why a layer is not taken in.
pub(crate) enum IntakeError<E> {
    /// Its bytes cannot be had.
    Source(E),
    /// They are not the ones that were named, or broke off, or cannot be stored.
    Blob(Digest, BlobError),
    /// They cannot be unpacked.
    Unpack(Digest, UnpackError),
    /// Nobody has taken it in.
    Missing(Digest),
}

type Outcome<E> = (usize, Result<Option<Unpacked>, IntakeError<E>>);

/// One image's layers, and how to have them.
struct Intake<'a, O> {
    images: &'a Images,
    layers: &'a [Coming],
    chains: Vec<Digest>,
    open: O,
    tell: &'a (dyn Fn(Event) + Sync),
    /// The first layer that nobody has begun.
    next: AtomicUsize,
    /// Whether one has failed, so that the others are of no use.
    given_up: AtomicBool,
}

impl Images {
    /// Takes in `layers`, lowest first; `open` gives a layer's bytes from a position on. In [`Images::while_held`].
    ///
    /// # Errors
    /// That of the first layer that fails; the layers below it stay.
    pub(crate) fn take_layers<E, R, O>(
        &self,
        layers: &[Coming],
        open: O,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(), IntakeError<E>>
    where
        E: Send,
        R: Read + Send,
        O: Fn(&Coming, u64) -> Result<R, E> + Sync,
    {
        let mut chains: Vec<Digest> = Vec::new();
        for layer in layers {
            chains.push(chain_id(chains.last(), &layer.diff_id));
        }
        let (next, given_up) = (AtomicUsize::new(0), AtomicBool::new(false));
        let intake = Intake { images: self, layers, chains, open, tell, next, given_up };
        let known = layers.iter().zip(&intake.chains).map(|(layer, chain)| {
            (layer.blob, self.blobs.contains(&layer.blob) && self.layers.contains(chain))
        });
        tell(Event::Layers(known.collect()));
        let (done, outcomes) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME.min(layers.len()) {
                let (done, intake) = (done.clone(), &intake);
                scope.spawn(move || {
                    while let Some(index) = intake.begin() {
                        let outcome = intake.take(index);
                        if done.send((index, outcome)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(done);
            let placed = intake.place_in_order(&outcomes);
            intake.given_up.store(true, Ordering::Relaxed);
            placed
        })
    }
}

impl<E, R, O> Intake<'_, O>
where
    R: Read + Send,
    O: Fn(&Coming, u64) -> Result<R, E> + Sync,
{
    fn begin(&self) -> Option<usize> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < self.layers.len() && !self.given_up.load(Ordering::Relaxed)).then_some(index)
    }

    /// One layer: its tree, or none where that is here.
    fn take(&self, index: usize) -> Result<Option<Unpacked>, IntakeError<E>> {
        let (layer, images) = (&self.layers[index], self.images);
        let blob = |source| IntakeError::Blob(layer.blob, source);
        let is_placed = images.layers.contains(&self.chains[index]);
        let Some(mut arriving) = images.blobs.arriving(&layer.blob).map_err(blob)? else {
            (self.tell)(Event::Downloaded(layer.blob));
            let again = || self.unpack(layer, images.blobs.get(&layer.blob)?);
            return if is_placed { Ok(None) } else { again().map(Some).map_err(|error| error.of(layer)) };
        };
        // A part that is longer than the whole is of something else.
        if arriving.have() > layer.size {
            arriving.restart().map_err(blob)?;
        }
        let rest = (self.open)(layer, arriving.have()).map_err(IntakeError::Source)?;
        let rest = Rest { received: arriving.have(), rest, layer, intake: self };
        let unpacked = self.receive(layer, &mut arriving, rest, is_placed);
        unpacked.map_err(|error| error.of(layer))
    }

    // ANCHOR: receive
    fn receive(
        &self,
        layer: &Coming,
        arriving: &mut Arriving,
        rest: impl Read + Send,
        is_placed: bool,
    ) -> Result<Option<Unpacked>, Trouble> {
        let mut incoming = arriving.reader(rest)?;
        let unpacked = if is_placed { Ok(None) } else { self.unpack(layer, &mut incoming).map(Some) };
        // Other bytes than those asked for are the cause of whatever came of unpacking them.
        incoming.keep()?;
        (self.tell)(Event::Downloaded(layer.blob));
        unpacked
    }
    // ANCHOR_END: receive

    // ANCHOR: unpack
    fn unpack(&self, layer: &Coming, content: impl Read + Send) -> Result<Unpacked, Trouble> {
        let images = self.images;
        let tar = decompress_within(content, images.bounds).map_err(UnpackError::from)?;
        let unpacked = images.layers.unpack(tar, images.owners).map_err(UnpackError::from)?;
        let (expected, actual) = (layer.diff_id, unpacked.diff_id);
        if actual != expected {
            return Err(UnpackError::from(LayerError::Mismatch { expected, actual }).into());
        }
        Ok(unpacked)
    }
    // ANCHOR_END: unpack

    /// Names each tree once those below it have theirs.
    fn place_in_order(&self, outcomes: &Receiver<Outcome<E>>) -> Result<(), IntakeError<E>> {
        // ANCHOR: in-order
        let mut taken = HashMap::new();
        let mut parent = None;
        for (index, (layer, chain)) in self.layers.iter().zip(&self.chains).enumerate() {
            while !taken.contains_key(&index) {
                match outcomes.recv() {
                    Ok((index, outcome)) => drop(taken.insert(index, outcome?)),
                    // They end only after all are taken in, or after a failure was told.
                    Err(_) => return Err(IntakeError::Missing(layer.blob)),
                }
            }
            if let Some(unpacked) = taken.remove(&index).flatten() {
                let placed = self.images.layers.place(parent, unpacked);
                placed.map_err(|error| IntakeError::Unpack(layer.blob, error.into()))?;
            }
            (self.tell)(Event::Complete(layer.blob));
            parent = Some(chain);
        }
        Ok(())
        // ANCHOR_END: in-order
    }
}

/// What is wrong with a layer, before it is said with which.
enum Trouble {
    Blob(BlobError),
    Unpack(UnpackError),
}

impl Trouble {
    fn of<E>(self, layer: &Coming) -> IntakeError<E> {
        match self {
            Self::Blob(error) => IntakeError::Blob(layer.blob, error),
            Self::Unpack(error) => IntakeError::Unpack(layer.blob, error),
        }
    }
}

impl From<BlobError> for Trouble {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

impl From<UnpackError> for Trouble {
    fn from(error: UnpackError) -> Self {
        Self::Unpack(error)
    }
}

/// The rest of a layer. It tells how far it has come, ends when another layer has failed, and is never longer than it
/// was said to be by more than a byte: enough for its digest to be wrong.
struct Rest<'a, R, O> {
    rest: R,
    received: u64,
    layer: &'a Coming,
    intake: &'a Intake<'a, O>,
}

impl<R: Read, O> Read for Rest<'_, R, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.intake.given_up.load(Ordering::Relaxed) {
            return Err(io::Error::other("another layer has failed"));
        }
        let (layer, of) = (self.layer.blob, self.layer.size);
        let left = usize::try_from(of.saturating_add(1) - self.received).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = self.rest.read(&mut buffer[..length])?;
        self.received += count as u64;
        (self.intake.tell)(Event::Received { layer, bytes: self.received.min(of), of });
        Ok(count)
    }
}
