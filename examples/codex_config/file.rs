//! Changes files completely or not at all.

use similar::TextDiff;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A change of a file.
pub(crate) struct Edit {
    /// The path for messages.
    path: PathBuf,
    /// The file itself: a configuration is often a link into a directory under version control.
    target: PathBuf,
    before: Option<String>,
    after: String,
}

/// Codex's files may hold keys.
const PRIVATE: u32 = 0o600;

impl Edit {
    /// Reads the file and changes its text. A missing file counts as empty.
    pub(crate) fn of(path: PathBuf, change: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        let wrong = |why: String| format!("{}: {why}\nIt was left as it is.", path.display());
        let before = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(error.to_string())),
        };
        let target = match before {
            Some(_) => fs::canonicalize(&path).map_err(|error| wrong(error.to_string()))?,
            None if path.is_symlink() => return Err(wrong("it is a link to nothing".to_owned())),
            None => path.clone(),
        };
        let text = before.as_deref().unwrap_or_default();
        let after = with_line_ends_of(text, change(text).map_err(wrong)?);
        Ok(Self { path, target, before, after })
    }

    pub(crate) fn changes(&self) -> bool {
        self.before.as_deref() != Some(&self.after)
    }

    /// Prints the lines that change and no others, because those around them may contain keys.
    pub(crate) fn show(&self) {
        if self.changes() {
            println!("{}:", self.path.display());
            let before = self.before.as_deref().unwrap_or_default();
            print!("{}", TextDiff::from_lines(before, &self.after).unified_diff().context_radius(0));
        }
    }

    /// Writes a new file next to the old one and renames it into place. The old one is kept as a backup.
    pub(crate) fn write(&self) -> Result<(), String> {
        if !self.changes() {
            return Ok(());
        }
        self.replace().map_err(|error| format!("{}: {error}\nIt was left as it is.", self.path.display()))
    }

    fn replace(&self) -> std::io::Result<()> {
        let directory = self.target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mode = match self.before {
            Some(_) => fs::metadata(&self.target)?.permissions().mode() & 0o7777,
            None => PRIVATE,
        };
        if self.before.is_some() {
            let backup = self.unused("backup");
            fs::copy(&self.target, &backup)?;
            println!("Kept what was there: {}", backup.display());
        }
        let new = self.unused("new");
        let written =
            OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&new).and_then(|mut file| {
                file.write_all(self.after.as_bytes())?;
                file.set_permissions(fs::Permissions::from_mode(mode))?;
                file.sync_all()
            });
        let placed = written.and_then(|()| fs::rename(&new, &self.target));
        if placed.is_err() {
            // The first error is reported, not this one.
            let _ = fs::remove_file(&new);
        }
        placed
    }

    /// An unused name next to the file.
    fn unused(&self, suffix: &str) -> PathBuf {
        let name = self.target.file_name().unwrap_or_default().to_string_lossy();
        let named = |number: usize| match number {
            1 => self.target.with_file_name(format!("{name}.{suffix}")),
            _ => self.target.with_file_name(format!("{name}.{suffix}.{number}")),
        };
        (1..).map(named).find(|path| !path.exists() && !path.is_symlink()).unwrap_or_else(|| named(1))
    }
}

/// TOML allows both line endings. A file keeps its own.
fn with_line_ends_of(text: &str, changed: String) -> String {
    if !text.contains("\r\n") {
        return changed;
    }
    changed.replace("\r\n", "\n").replace('\n', "\r\n")
}
