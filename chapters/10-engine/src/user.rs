//! Who a container's program runs as: `--user` and the image's own `/etc/passwd` and `/etc/group`.
//! passwd(5), group(5); book ch. 10.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use mini_layers::Stack;
use mini_layers::stack::StackError;
use mini_sys::file::{self, Mode, OFlags, ResolveFlags};
use mini_sys::{Errno, Error};

/// A user of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Its home directory.
    pub home: String,
}

/// A user that is none.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Docker's words for a name that the image does not have.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoUser(String),
    /// The same for a group.
    #[error("unable to find group {0}: no matching entries in group file")]
    NoGroup(String),
    /// A number that no user can have: the largest means "leave it as it is" to the kernel.
    #[error("uids and gids must be in range 0-{LARGEST}: {0}")]
    Range(String),
    /// The image's files cannot be looked into.
    #[error(transparent)]
    Image(#[from] StackError),
    /// One of them cannot be read.
    #[error("read the image's {0}")]
    Read(&'static str, #[source] io::Error),
    /// The files of a container that runs cannot be looked into.
    #[error("look for the container's users")]
    Inside(#[source] Error),
}

/// The largest number that Docker gives to a user or group.
const LARGEST: u32 = i32::MAX as u32;

/// The user that `text` (`name`, `uid`, `name:group`, `uid:gid`, or nothing for root) means in the image.
///
/// # Errors
/// A name that the image does not have.
pub fn resolve(text: &str, image: &Stack) -> Result<User, UserError> {
    let passwd = read(image, "/etc/passwd")?;
    let group = read(image, "/etc/group")?;
    parse(text, &passwd, &group)
}

/// As [`resolve`], in a container that runs, whose root directory is open: its users may be others by now.
///
/// # Errors
/// A name that it does not have.
pub fn resolve_inside(text: &str, root: &OwnedFd) -> Result<User, UserError> {
    parse(text, &read_inside(root, "/etc/passwd")?, &read_inside(root, "/etc/group")?)
}

fn read(image: &Stack, path: &'static str) -> Result<String, UserError> {
    let Some(file) = image.open_file(Path::new(path))? else {
        return Ok(String::new());
    };
    text(file, path)
}

/// The container's files are its own to arrange: a link in them ends below its root, and a fifo is not waited for.
fn read_inside(root: &OwnedFd, path: &'static str) -> Result<String, UserError> {
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let below = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = match file::openat2(root, Path::new(path), how, Mode::empty(), below) {
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ENOTDIR) => return Ok(String::new()),
        other => File::from(other.map_err(UserError::Inside)?),
    };
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => text(file, path),
        _ => Ok(String::new()),
    }
}

fn text(file: File, path: &'static str) -> Result<String, UserError> {
    let mut content = Vec::new();
    // Nobody's list of users is longer; a device or an endless file is no list.
    file.take(16 << 20).read_to_end(&mut content).map_err(|source| UserError::Read(path, source))?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

fn parse(text: &str, passwd: &str, group: &str) -> Result<User, UserError> {
    let (name, group_name) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let name = if name.is_empty() { "0" } else { name };
    let lines = || passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let number = |fields: &[&str], index: usize| fields.get(index).and_then(|text| text.parse::<u32>().ok());
    let by_number = id(name)?;
    let entry = lines().find(|fields| {
        fields.first() == Some(&name) || (by_number.is_some() && number(fields, 2) == by_number)
    });
    let uid = match (entry.as_ref().and_then(|fields| number(fields, 2)), by_number) {
        (Some(uid), _) | (None, Some(uid)) => uid,
        (None, None) => return Err(UserError::NoUser(name.to_owned())),
    };
    let login = entry.as_ref().map_or(name, |fields| fields[0]);
    let home = entry.as_ref().and_then(|fields| fields.get(5)).filter(|home| !home.is_empty());
    let home = home.map_or("/", |home| home).to_owned();
    let Some(group_name) = group_name.filter(|name| !name.is_empty()) else {
        let gid = entry.as_ref().and_then(|fields| number(fields, 3)).unwrap_or(0);
        return Ok(User { uid, gid, groups: memberships(group, login, gid), home });
    };
    let group_entry = group
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&group_name));
    let gid = match (group_entry.and_then(|fields| number(&fields, 2)), id(group_name)?) {
        (Some(gid), _) | (None, Some(gid)) => gid,
        (None, None) => return Err(UserError::NoGroup(group_name.to_owned())),
    };
    Ok(User { uid, gid, groups: Vec::new(), home })
}

/// The number that the text is; none for a name.
fn id(text: &str) -> Result<Option<u32>, UserError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| *number <= LARGEST);
    number.map(Some).ok_or_else(|| UserError::Range(text.to_owned()))
}

/// The groups that list the user as a member.
fn memberships(group: &str, login: &str, primary: u32) -> Vec<u32> {
    let mut groups: Vec<u32> = group
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let member = fields.get(3)?.split(',').any(|member| member == login);
            member.then(|| fields.get(2)?.parse().ok()).flatten()
        })
        .collect();
    groups.retain(|gid| *gid != primary);
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\nbad line\n";
    const GROUP: &str = "root:x:0:\nweb:x:33:\naudio:x:29:web,root\n";

    fn user(text: &str) -> Result<(u32, u32, Vec<u32>, String), String> {
        let user = parse(text, PASSWD, GROUP).map_err(|error| error.to_string())?;
        Ok((user.uid, user.gid, user.groups, user.home))
    }

    #[test]
    fn names_and_numbers_mean_the_images_users() {
        assert_eq!(user("web"), Ok((33, 33, vec![29], "/var/www".to_owned())));
        assert_eq!(user("33"), user("web"));
        assert_eq!(user(""), Ok((0, 0, vec![29], "/root".to_owned())));
        assert_eq!(user("web:audio"), Ok((33, 29, vec![], "/var/www".to_owned())));
        assert_eq!(user("1000:7"), Ok((1000, 7, vec![], "/".to_owned())));
    }

    #[test]
    fn names_that_the_image_does_not_have_are_refused() {
        assert_eq!(
            user("who"),
            Err("unable to find user who: no matching entries in passwd file".to_owned())
        );
        assert!(user("4294967295").is_err_and(|error| error.starts_with("uids and gids")));
        assert_eq!(
            user("web:who"),
            Err("unable to find group who: no matching entries in group file".to_owned())
        );
    }
}
