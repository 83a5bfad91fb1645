//! Texts that nobody sees who does not ask for them.

use std::fmt;

/// What stands where a secret is not shown.
pub const HIDDEN: &str = "<secret>";

/// A secret: `Debug` hides it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for whoever needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// A text that may be secret, because of where it came from.
#[derive(Clone, PartialEq, Eq)]
pub enum Setting {
    /// It may be shown.
    Plain(String),
    /// It may not.
    Secret(Secret),
}

impl Setting {
    /// The text itself, for whoever needs it.
    pub fn expose(&self) -> &str {
        match self {
            Setting::Plain(text) => text,
            Setting::Secret(secret) => secret.expose(),
        }
    }

    /// The text as it may be shown.
    pub fn shown(&self) -> &str {
        match self {
            Setting::Plain(text) => text,
            Setting::Secret(_) => HIDDEN,
        }
    }

    /// Whether it may not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Setting::Secret(_))
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Setting {
        Setting::Plain(text.to_owned())
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Plain(text) => fmt::Debug::fmt(text, f),
            Setting::Secret(secret) => fmt::Debug::fmt(secret, f),
        }
    }
}
