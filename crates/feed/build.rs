//! Links libsrt, the reference implementation, which is what head-ends run (Debian: libsrt-gnutls-dev).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Err(error) = pkg_config::Config::new().atleast_version("1.4.2").probe("srt") {
        eprintln!(
            "airclass-feed needs libsrt (Debian: libsrt-gnutls-dev; `scripts/setup` installs it): {error}"
        );
        std::process::exit(1);
    }
}
