//! What this machine lets the drill have, and what the drill takes of it.

use crate::error::DrillError;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use std::time::Duration;

/// Descriptors beside the players' connections: standard streams, runtimes, reports, and some to spare.
const BESIDE: u64 = 64;

/// Two connections each.
const A_PLAYER: u64 = 2;

/// Sees to it that so many players can be connected at the same time, raising the soft limit as far as the hard one.
///
/// # Errors
/// When that is not enough.
pub(crate) fn allow(players: u64) -> Result<(), DrillError> {
    let needed = players.saturating_mul(A_PLAYER).saturating_add(BESIDE);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if needed <= soft {
        return Ok(());
    }
    if needed > hard {
        return Err(DrillError::Descriptors { players, needed, allowed: hard });
    }
    setrlimit(Resource::RLIMIT_NOFILE, needed, hard).map_err(std::io::Error::from)?;
    Ok(())
}

/// CPU time of this process so far.
pub(crate) fn cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let part = |seconds: i64, micros: i64| {
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
            + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    let (user, system) = (usage.user_time(), usage.system_time());
    part(user.tv_sec(), user.tv_usec()) + part(system.tv_sec(), system.tv_usec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_players_are_told_what_to_do() {
        assert!(allow(1).is_ok());
        let error = allow(1 << 40).unwrap_err().to_string();
        assert!(error.contains("1099511627776 players") && error.contains("ulimit -n"), "{error}");
    }
}
