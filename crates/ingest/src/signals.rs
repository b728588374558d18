//! Ctrl-C and SIGTERM: stop cleanly. A second one ends the process at once.

use crate::cancel::Cancel;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Has a thread of its own listen for as long as the process lives.
///
/// # Errors
/// When the system gives no handler or no thread.
pub(crate) fn stop_on_interrupt(cancel: &Cancel) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let cancel = cancel.clone();
    let listen = move || {
        runtime.block_on(async {
            for _ in 0..2 {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if cancel.is_stopped() {
                    // Nothing visible depends on an orderly end: kill -9 is as good.
                    std::process::exit(130);
                }
                cancel.stop();
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop)
}
