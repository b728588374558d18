//! A wall clock that can be set under a running program.

use crate::process::Environment;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The clock of one program; it is right until it is set.
#[derive(Debug)]
pub struct WallClock {
    folder: TempDir,
    ahead: File,
}

impl WallClock {
    /// Compiles what stands between a program and its clock.
    ///
    /// # Panics
    /// Where there is no C compiler.
    pub fn make() -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/clock.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(folder.path().join("clock.so"))
            .arg(source)
            .arg("-ldl")
            .status();
        assert!(compiled.expect("a C compiler is there").success());
        let ahead = File::create(folder.path().join("ahead")).expect("a scratch folder takes files");
        let clock = Self { folder, ahead };
        clock.set_ahead(0);
        clock
    }

    /// What a program is started with.
    pub fn environment(&self) -> Box<Environment> {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        Box::new([("LD_PRELOAD", path("clock.so")), ("AIRCLASS_CLOCK", path("ahead"))])
    }

    /// From now on it is this many seconds ahead of the time, or behind it.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead.write_all_at(&seconds.to_ne_bytes(), 0).expect("eight bytes");
    }
}
