//! `keygen` and `sign`.

use super::fault::PackageFault;
use super::text::say;
use super::{Keygen, Sign};
use faults::AnyFault;
use signing::SigningKey;

/// `airclass package keygen`
pub(super) fn keygen(options: &Keygen) -> Result<(), AnyFault> {
    let key = SigningKey::generate()?;
    let public = key.write(&options.out)?;
    say(&format!("# private key: {} (keep it), public key: {}", options.out.display(), public.display()));
    say("# for the file that `plan.keys`, `purge.keys` or --trust names:");
    say("[[key]]");
    say(&format!("id = \"{}\"", key.id()));
    say(&format!("public = \"{}\"", key.public()));
    if let Some(name) = &options.name {
        // JSON's strings are TOML's basic strings.
        say(&format!("name = {}", serde_json::Value::from(name.as_str())));
    }
    Ok(())
}

/// `airclass package sign`
pub(super) fn sign(options: &Sign) -> Result<(), AnyFault> {
    let key = SigningKey::read(&options.key)?;
    let (runtime, store) = options.place.open()?;
    let (mut signed, mut passed) = (0, 0);
    for package in options.which.packages(&runtime, &store)? {
        let found = runtime.block_on(store.package(package))?;
        let manifest = match found.manifest {
            Ok(manifest) => manifest,
            // One that is being published is signed by who publishes it.
            Err(storage::NotWhole::NoManifest) if options.which.all => {
                passed += 1;
                continue;
            }
            Err(problem) => {
                return Err(PackageFault::NotWhole { package, problem: problem.to_string() }.into());
            }
        };
        let signature = key.sign(manifest.bytes());
        signed += usize::from(runtime.block_on(storage::sign(&store, package, signature))?);
    }
    say(&format!("{signed} manifests signed by {}, {passed} without a manifest passed over", key.id()));
    Ok(())
}
