//! What takes up room: images, the layers that they share, and what containers wrote. docker-system-df(1); book ch. 10.
//!
//! A layer is on the disk once, however many images have it, and beside it lies the blob that it came as, so the sizes
//! of images do not add up to what there is. What could be got back is what no container stands on.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use mini_images::{Image, StoreError};
use mini_layers::Digest;

use crate::find::{self, FindError};
use crate::guard::GuardError;
use crate::home::{Home, HomeError};
use crate::list;
use crate::record::{RECORD, Record, RecordError};

/// An image and its part of the disk, in bytes.
#[derive(Debug, Clone)]
pub struct ImageUsage {
    /// The image.
    pub image: Image,
    /// The files of all its layers.
    pub size: u64,
    /// Those of layers that another image has too.
    pub shared: u64,
    /// How many containers were made of it.
    pub containers: usize,
}

/// A container and its part.
#[derive(Debug, Clone)]
pub struct ContainerUsage {
    /// The container.
    pub record: Record,
    /// The files that it wrote, in bytes.
    pub written: u64,
}

/// What takes up room.
#[derive(Debug, Clone)]
pub struct Usage {
    /// Images, the last made first.
    pub images: Vec<ImageUsage>,
    /// All layers and blobs, in bytes.
    pub taken: u64,
    /// Those of them that containers stand on.
    pub taken_by_used: u64,
    /// Containers, the last made first.
    pub containers: Vec<ContainerUsage>,
}

/// It cannot be found out.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The directories.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The images.
    #[error(transparent)]
    Images(#[from] StoreError),
    /// The containers.
    #[error(transparent)]
    Containers(#[from] FindError),
    /// Containers are being made.
    #[error(transparent)]
    Guard(#[from] GuardError),
}

/// The images that containers need, running or not.
#[derive(Debug, Default)]
pub struct Used {
    /// How many containers were made of an image.
    pub images: HashMap<Digest, usize>,
    /// Containers whose records do not tell their image: they may need any.
    pub unknown: Vec<UnknownImage>,
}

/// A container whose record is damaged, so that nobody knows what it was made of.
#[derive(Debug, thiserror::Error)]
#[error("container {container} may need any image")]
pub struct UnknownImage {
    /// Its id.
    pub container: String,
    /// What is wrong with its record.
    pub source: RecordError,
}

/// The images that containers, running or not, were made of. What is left of a damaged record may still name its image:
/// every image that is named there counts.
///
/// # Errors
/// A directory that cannot be read; the images cannot be listed.
pub fn used_images(home: &Home) -> Result<Used, UsageError> {
    let mut used = Used::default();
    for id in find::ids(home).map_err(FindError::List)? {
        match Record::load(home, &id) {
            Ok(record) => record.into_iter().for_each(|record| used.count(record.image)),
            Err(source) => {
                let images = home.images()?.list()?;
                let named = named(home, &id);
                let mut told = images.iter().map(|image| image.id).filter(|id| named.contains(id)).peekable();
                if told.peek().is_none() {
                    used.unknown.push(UnknownImage { container: id, source });
                }
                told.for_each(|image| used.count(image));
            }
        }
    }
    Ok(used)
}

impl Used {
    fn count(&mut self, image: Digest) {
        *self.images.entry(image).or_default() += 1;
    }
}

/// The digests that the record of the container `id` names, whatever else is wrong with it.
fn named(home: &Home, id: &str) -> Vec<Digest> {
    let text = fs::read(home.container(id).join(RECORD)).unwrap_or_default();
    String::from_utf8_lossy(&text).split('"').filter_map(|word| word.parse().ok()).collect()
}

/// What takes up room now.
///
/// # Errors
/// Images or containers that cannot be listed.
pub fn usage(home: &Home) -> Result<Usage, UsageError> {
    let images = home.images()?;
    let used = used_images(home)?;
    let all = images.list()?;
    let mut holders: HashMap<Digest, usize> = HashMap::new();
    for chain in all.iter().flat_map(Image::chain_ids) {
        *holders.entry(chain).or_default() += 1;
    }
    let sizes: HashMap<Digest, u64> = holders
        .keys()
        .map(|chain| (*chain, images.layers.get(chain).map_or(0, |layer| layer.size)))
        .collect();
    let sum = |chains: &mut dyn Iterator<Item = Digest>| -> u64 {
        chains.filter_map(|chain| sizes.get(&chain)).sum()
    };
    let of_image = |image: Image| {
        let chains = image.chain_ids();
        let shared = chains.iter().filter(|chain| holders.get(chain).is_some_and(|count| *count > 1));
        ImageUsage {
            size: sum(&mut chains.iter().copied()),
            shared: sum(&mut shared.copied()),
            containers: used.images.get(&image.id).copied().unwrap_or(0),
            image,
        }
    };
    Ok(Usage {
        images: all.into_iter().map(of_image).collect(),
        taken: images.taken()?,
        taken_by_used: images.taken_by(&used.images.keys().copied().collect())?,
        containers: containers(home)?,
    })
}

/// How large containers are: what each wrote, and all that it sees.
#[derive(Debug)]
pub struct Sizes {
    images: HashMap<Digest, u64>,
}

impl Sizes {
    /// Looks at the images, once for all containers.
    ///
    /// # Errors
    /// Images that cannot be listed.
    pub fn new(home: &Home) -> Result<Self, UsageError> {
        let images = home.images()?;
        let size = |image: &Image| {
            let layers = image.chain_ids().into_iter().filter_map(|chain| images.layers.get(&chain).ok());
            layers.map(|layer| layer.size).sum()
        };
        Ok(Self { images: images.list()?.iter().map(|image| (image.id, size(image))).collect() })
    }

    /// The bytes that the container wrote, and those together with its image's.
    pub fn of(&self, home: &Home, record: &Record) -> (u64, u64) {
        let written = written_by(home, record);
        (written, written + self.images.get(&record.image).copied().unwrap_or(0))
    }
}

fn containers(home: &Home) -> Result<Vec<ContainerUsage>, FindError> {
    let (records, _) = list::list(home, true, &[])?;
    let of_record = |record: Record| ContainerUsage { written: written_by(home, &record), record };
    Ok(records.into_iter().map(of_record).collect())
}

/// The bytes that the container wrote.
pub(crate) fn written_by(home: &Home, record: &Record) -> u64 {
    written(&home.container(&record.id).join("upper"))
}

/// The bytes of the files below `directory`; a file with several names counts once. A running container changes them
/// meanwhile: what has gone in between is not counted.
fn written(directory: &Path) -> u64 {
    let mut bytes = 0;
    let mut seen = HashSet::new();
    let mut rest = vec![directory.to_owned()];
    while let Some(directory) = rest.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                rest.push(entry.path());
            } else if metadata.nlink() < 2 || seen.insert((metadata.dev(), metadata.ino())) {
                bytes += metadata.len();
            }
        }
    }
    bytes
}

impl Usage {
    /// How many images containers stand on.
    pub fn images_active(&self) -> usize {
        self.images.iter().filter(|usage| usage.containers > 0).count()
    }

    /// The bytes that removing all unused images would free.
    pub fn images_reclaimable(&self) -> u64 {
        self.taken.saturating_sub(self.taken_by_used)
    }

    /// How many containers run.
    pub fn containers_active(&self) -> usize {
        self.containers.iter().filter(|usage| usage.record.state.status.is_active()).count()
    }

    /// The bytes of what containers wrote.
    pub fn written(&self) -> u64 {
        self.containers.iter().map(|usage| usage.written).sum()
    }

    /// The bytes that removing all containers that do not run would free.
    pub fn containers_reclaimable(&self) -> u64 {
        let ended = self.containers.iter().filter(|usage| !usage.record.state.status.is_active());
        ended.map(|usage| usage.written).sum()
    }
}
