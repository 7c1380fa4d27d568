//! The built book in a real browser: every page, as narrow as a phone, in light and in dark.
//!
//! Chromium is started without a window, opens each page from a server of our own, and is asked what it sees.
//! [`probe`] holds the questions, [`judge`] decides what of the answers is wrong, without a browser. [`devtools`] is
//! how one talks to Chromium and knows nothing of books. Nothing is fetched from the network.
//! <https://chromedevtools.github.io/devtools-protocol/>

pub mod devtools;
pub mod judge;
pub mod probe;
pub mod server;
