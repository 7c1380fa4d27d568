//! `driver LOWER UPPER WORK MERGED SALT`: ten commands in a container's file system, as the README has them. Not yours to
//! change. SALT goes into every name, so that no answer can be one of an earlier run.

use std::error::Error;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use mini_layers::{Overlay, Upper};
use mini_sys::mount::{MsFlags, mount};
use mini_sys::namespace::{CloneFlags, unshare};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [lower, upper, work, merged, salt] = &arguments[..] else {
        return Err("usage: driver LOWER UPPER WORK MERGED SALT".into());
    };
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    let upper = Some(Upper { tree: upper.clone(), work: work.clone() });
    Overlay { lower: vec![lower.clone()], upper, userxattr: false }.mount_at(merged)?;
    let at = |name: &str| merged.join(format!("{name}-{}", salt.display()));

    // cat read
    fs::read(at("read"))?;
    // chmod 600 mode
    fs::set_permissions(at("mode"), Permissions::from_mode(0o600))?;
    // : >> quiet
    drop(File::options().append(true).open(at("quiet"))?);
    // rm gone
    fs::remove_file(at("gone"))?;
    // echo x > new; rm new
    fs::write(at("new"), "x\n")?;
    fs::remove_file(at("new"))?;
    // rm -r fresh; mkdir fresh
    fs::remove_dir_all(at("fresh"))?;
    fs::create_dir(at("fresh"))?;
    // echo x > deep/down/added
    fs::write(at("deep").join("down/added"), "x\n")?;
    // mv dir moved: rename(2) says EXDEV, and so mv copies and removes
    if fs::rename(at("dir"), at("moved")).is_err() {
        fs::create_dir(at("moved"))?;
        fs::copy(at("dir").join("file"), at("moved").join("file"))?;
        fs::remove_dir_all(at("dir"))?;
    }
    // ln one two
    fs::hard_link(at("one"), at("two"))?;
    // rm back; echo x > back
    fs::remove_file(at("back"))?;
    writeln!(File::create(at("back"))?, "x")?;
    Ok(())
}
