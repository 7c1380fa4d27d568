//! The places in the life of a container at which a process may be killed: a test walks all of them.
//!
//! Each is between two changes on the disk, and named after the one before it. See [`mini_sys::fault`].

use mini_sys::fault;

macro_rules! places {
    ($($name:ident $text:literal)*) => {
        $(pub(crate) const $name: Place = Place($text);)*

        /// The names of all places.
        pub const PLACES: &[&str] = &[$($text),*];
    };
}

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Place(&'static str);

impl Place {
    pub(crate) fn pass(self) {
        fault::point(self.0);
    }
}

places! {
    CREATE_DIRECTORY "create:directory"
    CREATE_FILES "create:files"
    CREATE_RECORD "create:record"
    CREATE_RENAMED "create:renamed"
    CREATE_NAMED "create:named"
    CREATE_SAVED "create:saved"
    START_BUNDLE "start:bundle"
    START_FORKED "start:forked"
    START_LOCKED "start:locked"
    START_DOOR "start:door"
    START_CLONED "start:cloned"
    START_SAVED "start:saved"
    START_TOLD "start:told"
    END_SEEN "end:seen"
    END_GROUP "end:group"
    END_SAVED "end:saved"
    END_TOLD "end:told"
    END_UNMOUNTED "end:unmounted"
    RENAME_RESERVED "rename:reserved"
    RENAME_SAVED "rename:saved"
    RENAME_RELEASED "rename:released"
    PAUSE_SAVED "pause:saved"
    PAUSE_FROZEN "pause:frozen"
    UNPAUSE_THAWED "unpause:thawed"
    UNPAUSE_SAVED "unpause:saved"
    UPDATE_APPLIED "update:applied"
    UPDATE_SAVED "update:saved"
    REMOVE_KILLED "remove:killed"
    REMOVE_LOCKED "remove:locked"
    REMOVE_HIDDEN "remove:hidden"
    REMOVE_UNNAMED "remove:unnamed"
    REMOVE_DELETED "remove:deleted"
    REPAIR_LOCKED "repair:locked"
    REPAIR_ENDED "repair:ended"
    REPAIR_HIDDEN "repair:hidden"
    REPAIR_SAVED "repair:saved"
    REPAIR_GROUP "repair:group"
}
