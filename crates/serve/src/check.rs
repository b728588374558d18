//! What a start would refuse, looked for without one: nothing is bound, written or given up.
//!
//! Whether an address is free is not looked at: who checks a configuration runs a process with it.

use crate::clock;
use crate::handover::HandoverError;
use crate::listener::{self, ListenError, may_stand};
use crate::options::{Address, Config};
use crate::sandbox;
use crate::tls::Tls;
use faults::Findings;
use std::io;

/// Looks at everything that `config` names, and brings all that is wrong with it into `findings`.
pub fn check(config: &Config, findings: &mut Findings) {
    let listeners = &config.listeners;
    for number in 0..listeners.len() {
        findings.take(listener::check(listeners, number));
    }
    let admin = Address::from(config.admin);
    if listeners.iter().any(|listener| listener.address.excludes(&admin)) {
        let source = io::ErrorKind::AddrInUse.into();
        findings.take(Err::<(), _>(ListenError::Address { address: admin, source }));
    }
    for problem in config.tls.iter().flat_map(Tls::problems) {
        findings.take(Err::<(), _>(problem));
    }
    for note in config.tls.iter().flat_map(|files| Tls::notes(files, clock::unix_seconds())) {
        findings.note(note);
    }
    if let Some(path) = &config.handover {
        let unusable = |source| HandoverError::Path { path: path.clone(), source };
        findings.take(may_stand(path).map_err(unusable));
    }
    findings.take(sandbox::check(&config.sandbox));
    findings.count(config.tls.as_ref().map_or(0, |files| files.certificates.len()), "certificate");
    findings.count(listeners.len(), "listener");
}
