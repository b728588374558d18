//! An S3 server process, as tests see it. `scripts/test` builds it; its sources lie in `tests/s3`.

mod tap;

pub use tap::{Passed, Tap};

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The keys that it knows.
pub const ACCESS_KEY: &str = "test-key";
/// See [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "test-secret";

/// A running server; killed when this is dropped.
#[derive(Debug)]
pub struct S3Server {
    child: Child,
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
    folder: PathBuf,
}

impl S3Server {
    /// Starts it over `folder`, whose folders are the buckets.
    ///
    /// # Panics
    /// When it is not built or does not start.
    pub fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// One that passes over conditions, and asks for no signature.
    ///
    /// # Panics
    /// As [`S3Server::start`].
    pub fn without_conditions(folder: &Path) -> Self {
        Self::with(folder, &["--no-conditions"])
    }

    fn with(folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg(folder)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a built program starts");
        let mut endpoint = String::new();
        let stdout = child.stdout.take().expect("standard output is piped");
        BufReader::new(stdout).read_line(&mut endpoint).expect("a pipe can be read");
        let endpoint = endpoint.trim_end().to_owned();
        assert!(endpoint.starts_with("http://"), "the S3 server did not start: {endpoint:?}");
        Self { child, endpoint, folder: folder.to_owned() }
    }

    /// Makes a bucket.
    ///
    /// # Panics
    /// When the disk does not do its part.
    pub fn make_bucket(&self, name: &str) {
        std::fs::create_dir(self.bucket(name)).expect("a scratch folder takes folders");
    }

    /// The folder that is the bucket `name`.
    pub fn bucket(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The environment by which a program finds it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// Stops it at once.
    ///
    /// # Panics
    /// When the system cannot.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `scripts/test` builds it: `s3/` in the target folder of the test that runs.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let target = test.ancestors().nth(3).expect("tests lie in target/<profile>/deps");
    let program = target.join("s3/debug/s3-for-tests");
    assert!(program.is_file(), "{} is not built; run scripts/test, which builds it", program.display());
    program
}
