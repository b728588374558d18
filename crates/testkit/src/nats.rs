//! A `nats-server` with JetStream, on a port of the system's choice, that can be killed and started again.

use crate::loopback;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Looks for the server's word that it listens; a bound, not a pace.
const LOOKS: u32 = 3_600;
const LOOK: Duration = Duration::from_millis(50);

/// A server that dies with this value.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl NatsServer {
    /// Starts it and waits until it says where it listens.
    ///
    /// # Panics
    /// When it is not installed, or does not come up.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let child = spawn(&folder, "-1");
        let mut server = Self { child, folder, port: 0 };
        server.port = server.wait();
        server
    }

    /// `nats://…/name`.
    pub fn address(&self, name: &str) -> String {
        format!("nats://{}:{}/{name}", loopback::own(), self.port)
    }

    /// Ends it by `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(ports) = self.ports_file() {
            let _ = fs::remove_file(ports);
        }
    }

    /// Starts it again over the same files and port.
    ///
    /// # Panics
    /// When it does not come up there.
    pub fn restart(&mut self) {
        self.child = spawn(&self.folder, &self.port.to_string());
        assert_eq!(self.wait(), self.port);
    }

    /// The server writes `<name>_<pid>.ports` once it listens.
    fn ports_file(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.folder.path()).ok()?.filter_map(|file| Some(file.ok()?.path()));
        files.into_iter().find(|path| path.extension().is_some_and(|end| end == "ports"))
    }

    fn wait(&mut self) -> u16 {
        for _ in 0..LOOKS {
            let text = self.ports_file().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
            // {"nats":["nats://127.64.1.2:4222"]}
            let port =
                text.split(&format!("{}:", loopback::own())).nth(1).and_then(|rest| rest.split('"').next());
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                return port;
            }
            let running = self.child.try_wait().is_ok_and(|ended| ended.is_none());
            assert!(running, "nats-server ended at once");
            std::thread::park_timeout(LOOK);
        }
        panic!("nats-server does not come up");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &tempfile::TempDir, port: &str) -> Child {
    let program = ["/usr/sbin/nats-server", "/usr/bin/nats-server"]
        .into_iter()
        .find(|path| fs::exists(path).unwrap_or(false))
        .unwrap_or("nats-server");
    Command::new(program)
        .args(["-js", "-a", &loopback::own().to_string(), "-p", port, "-sd"])
        .arg(folder.path().join("store"))
        .arg("--ports_file_dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server is installed by `make setup`")
}
