//! The image `hello-world`: the first thing that anybody runs, for those who have no network.
//!
//! It is made when it is asked for and nobody has pulled or loaded one; after that it is an image like any other,
//! which `rmi` removes and another `hello-world` replaces. The one file in it is put together in `program`, and
//! the same every time, so two who make it at once make the same image. Book ch. 6.

mod program;

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mini_layers::blobs::BlobError;
use mini_layers::compression::Compression;
use mini_layers::layers::LayerError;
use mini_sys::file::{self, Lock};
use tar::{EntryType, Header};

use self::program::program;
use crate::config::{History, ImageConfig, RootFs, RunConfig, architecture};
use crate::reference::Reference;
use crate::reserved::{LOCK, WORK};
use crate::store::{Image, Images, NewLayer, StoreError};

/// Its name.
pub const HELLO: &str = "hello-world";

/// What it says.
const TEXT: &str = "
Hello from mini-docker!
You can read this, so containers run on this machine.

On the way here:
 1. mini-docker looked for an image named `hello-world`. Nobody had brought one,
    so it made one itself: a layer with a single file, most of it this text.
 2. It made a container of it: a directory with a record, and an empty tree
    that takes the writes, on top of the image's layer.
 3. It forked a small process to stay with the container. There is no daemon.
 4. That process made another one in namespaces of its own, with the layers as
    its root and few of root's powers, and let it execute the file.
 5. The file has eight instructions: write this text, and end. The text went
    through a pipe to the process that stays, into the log, and to you.

To see every step with its system call:
 mini-docker run --explain hello-world

To look around in a container made of this machine's own programs:
 mini-docker run -it host sh

";

/// The image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HelloError {
    /// There are no instructions for this processor.
    #[error("`hello-world` is not here, and cannot be made for the processor {0}")]
    Processor(&'static str),
    /// Its layer's blob.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Its layer's tree.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two first uses at once: the second one waits.
    #[error("wait for the image `hello-world`")]
    Lock(#[source] mini_sys::Error),
    /// Its layer or configuration cannot be written down.
    #[error("make the image `hello-world`")]
    Write(#[source] io::Error),
}

/// Whether `name` means this image.
pub fn is_hello(name: &str) -> bool {
    matches!(name, "hello-world" | "hello-world:latest")
}

impl Images {
    /// The image `hello-world`: the one that is here, or else our own.
    ///
    /// # Errors
    /// What [`HelloError`] lists. Nothing is left then.
    pub fn hello_world(&self) -> Result<Image, HelloError> {
        match self.find(HELLO) {
            Err(StoreError::NotFound { .. }) => {}
            other => return Ok(other?),
        }
        // Under the lock of the image `host`, whose place to work in this is: nobody clears it away meanwhile.
        let _alone = file::lock(&self.layout().join(LOCK), Lock::Exclusive).map_err(HelloError::Lock)?;
        match self.find(HELLO) {
            Err(StoreError::NotFound { .. }) => self.while_held(|| self.make_hello()),
            other => Ok(other?),
        }
    }

    fn make_hello(&self) -> Result<Image, HelloError> {
        let program = program(architecture(), TEXT).ok_or(HelloError::Processor(std::env::consts::ARCH))?;
        let tar = tar(&program).map_err(HelloError::Write)?;
        let work = tempfile::Builder::new().prefix(WORK).tempdir_in(self.layout());
        let work = work.map_err(HelloError::Write)?;
        let tree = tree(work.path(), &program).map_err(HelloError::Write)?;
        // A tar that is not compressed has the same digest as blob and as layer.
        let blob = self.blobs.put_bytes(&tar)?;
        // As the image `host` is taken in: unpacking would take a thread, and a container is to be started next.
        let layer = self.layers.adopt(None, &tree, &blob, program.len() as u64)?;
        let new = NewLayer { blob, size: tar.len() as u64, compression: Compression::Plain };
        let config = ImageConfig {
            architecture: architecture().to_owned(),
            os: "linux".to_owned(),
            config: RunConfig { cmd: Some(vec!["/hello".to_owned()]), ..RunConfig::default() },
            rootfs: RootFs { diff_ids: vec![layer.diff_id], ..RootFs::default() },
            history: vec![History {
                created_by: Some("mini-docker: a program of eight instructions".to_owned()),
                ..History::default()
            }],
            ..ImageConfig::default()
        };
        let text = serde_json::to_vec(&config).map_err(|error| HelloError::Write(error.into()))?;
        let name: Vec<Reference> = HELLO.parse().into_iter().collect();
        Ok(self.add(&text, &[new], &name)?)
    }
}

/// A directory with one file, `hello`, as the tar would be unpacked.
fn tree(work: &Path, program: &[u8]) -> io::Result<PathBuf> {
    let tree = work.join("tree");
    fs::create_dir(&tree)?;
    fs::set_permissions(&tree, Permissions::from_mode(0o755))?;
    let path = tree.join("hello");
    fs::write(&path, program)?;
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    File::options().write(true).open(&path)?.set_modified(SystemTime::UNIX_EPOCH)?;
    Ok(tree)
}

/// The same as a tar.
fn tar(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(program.len() as u64);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, "hello", program)?;
    tar.into_inner()
}
