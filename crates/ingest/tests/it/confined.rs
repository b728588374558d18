//! Workers: what they cannot do, how they end, that none is left behind.

use ingest::cancel::Cancel;
use ingest::fault::MediaError;
use ingest::worker::attempt::{self, Attempt, Told};
use ingest::worker::{Ending, Frame, Limits, Program, WorkerError, run_program};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use units::ByteCount;

const PROGRAM: &str = env!("CARGO_BIN_EXE_airclass-ingest");

/// What became of an attempt, and what it told before.
fn attempt_with(
    attempt: Attempt,
    limits: &Limits,
    on_frame: &mut dyn FnMut(Frame) -> Result<(), MediaError>,
) -> Result<(), WorkerError> {
    let task = serde_json::to_vec(&attempt).unwrap();
    let program = Program::at(Path::new(PROGRAM)).attempting();
    let source = File::open(PROGRAM).unwrap();
    let result = run_program(&program, &task, &source, limits, &Cancel::new(), on_frame).map(drop);
    assert_eq!(children(), Vec::<u32>::new(), "{attempt:?} left a process behind");
    result
}

fn attempt(attempt: Attempt, limits: &Limits) -> (Result<(), WorkerError>, Option<Told>) {
    let mut told = None;
    let result = attempt_with(attempt, limits, &mut |frame| {
        told = serde_json::from_slice(&frame.header).ok();
        Ok(())
    });
    (result, told)
}

/// Processes of this one, dead ones that nobody waited for among them.
fn children() -> Vec<u32> {
    let mine = |entry: &fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which may hold anything: state, parent.
        let parent: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        (parent == std::process::id()).then_some(id)
    };
    fs::read_dir("/proc").unwrap().filter_map(|entry| mine(&entry.ok()?)).collect()
}

fn small() -> Limits {
    Limits {
        memory: ByteCount(512 << 20),
        cpu: Duration::from_secs(1),
        wall: Duration::from_secs(60),
        output: ByteCount(64 << 20),
        ..Limits::default()
    }
}

#[test]
fn no_file_no_socket_no_process_no_power() {
    let refused: [(Attempt, &str); 15] = [
        (Attempt::OpenFile, "ENOSYS"),
        (Attempt::StatFile, "ENOSYS"),
        (Attempt::ListFolder, "ENOSYS"),
        (Attempt::WriteFile, "ENOSYS"),
        (Attempt::MoreDescriptors, "EMFILE"),
        (Attempt::ExecutableMemory, "ENOSYS"),
        (Attempt::SharedMemory, "ENOSYS"),
        (Attempt::Internet, "SIGSYS"),
        (Attempt::LocalSocket, "SIGSYS"),
        (Attempt::StartProgram, "SIGSYS"),
        (Attempt::BecomeProgram, "SIGSYS"),
        (Attempt::Debug, "SIGSYS"),
        (Attempt::SignalParent, "SIGSYS"),
        (Attempt::NewNamespace, "SIGSYS"),
        (Attempt::KernelQueue, "SIGSYS"),
    ];
    for (attempt, how) in refused {
        let (result, told) = self::attempt(attempt, &small());
        match (how, result, told) {
            ("ENOSYS", Ok(()), Some(Told::Refused(why))) => {
                assert!(why.contains("os error 38"), "{attempt:?}: {why}");
            }
            ("EMFILE", Ok(()), Some(Told::Refused(why))) => assert!(why.contains("os error 24"), "{why}"),
            ("SIGSYS", Err(WorkerError::Died { ending: Ending::Signal(libc::SIGSYS), .. }), None) => {}
            (_, result, told) => panic!("{attempt:?} should meet {how}: {result:?}, {told:?}"),
        }
    }
}

#[test]
fn what_it_is_for_works_and_gives_the_same_bytes_as_outside() {
    let (result, told) = attempt(Attempt::Encode, &Limits::default());
    result.unwrap();
    // This process is not confined: /proc and /sys are there to be asked for the number of processors.
    assert_eq!(told, Some(Told::Done(attempt::encode().unwrap().to_string())));
}

#[test]
fn memory_ends_and_the_parent_does_not() {
    let (result, told) = attempt(Attempt::TakeMemory, &Limits { cpu: Duration::from_secs(60), ..small() });
    result.unwrap();
    let Some(Told::Refused(at)) = told else { panic!("{told:?}") };
    let mebibytes: u64 = at.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!((256..512).contains(&mebibytes), "{at}");
}

#[test]
fn a_worker_that_spins_hangs_or_floods_is_ended() {
    let (result, _) = attempt(Attempt::Spin, &small());
    assert!(matches!(result, Err(WorkerError::Hung(_))), "{result:?}");
    let short = Limits { wall: Duration::from_millis(300), ..small() };
    let (result, _) = attempt(Attempt::Hang, &short);
    assert!(matches!(result, Err(WorkerError::Hung(limit)) if limit == short.wall), "{result:?}");
    // Nothing is heard of it and it uses no time: threads that wait for each other, as SVT-AV1's preset 5 had them.
    let impatient = Limits { still: Duration::from_millis(1_500), ..small() };
    let (result, _) = attempt(Attempt::Hang, &impatient);
    assert!(matches!(result, Err(WorkerError::Still(limit)) if limit == impatient.still), "{result:?}");
    let (result, _) = attempt(Attempt::Flood, &small());
    assert!(matches!(result, Err(WorkerError::Flooded(_))), "{result:?}");
}

#[test]
fn a_worker_that_crashes_or_is_killed_is_one_typed_error() {
    let (result, _) = attempt(Attempt::Crash, &small());
    let Err(error @ WorkerError::Died { ending: Ending::Signal(libc::SIGABRT), .. }) = result else {
        panic!("{result:?}")
    };
    assert!(error.may_retry());

    let killed = attempt_with(Attempt::Hang, &small(), &mut |_| {
        let [worker] = children()[..] else { panic!("one worker") };
        // What the kernel says of it, from outside: privileges, capabilities, filters.
        let status = fs::read_to_string(format!("/proc/{worker}/status")).unwrap();
        for line in
            ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000"]
        {
            assert!(status.lines().any(|found| found == line), "{line} in\n{status}");
        }
        assert!(Command::new("kill").args(["-9", &worker.to_string()]).status().unwrap().success());
        Ok(())
    });
    let Err(WorkerError::Died { ending: Ending::Signal(libc::SIGKILL), .. }) = killed else {
        panic!("{killed:?}")
    };
}

#[test]
fn an_error_of_the_listener_ends_the_worker() {
    let result = attempt_with(Attempt::Hang, &small(), &mut |_| Err(MediaError::Stopped));
    assert!(matches!(result, Err(WorkerError::Sink(MediaError::Stopped))), "{result:?}");
}

#[test]
fn what_a_library_prints_is_no_message() {
    let (result, told) = attempt(Attempt::Print, &small());
    result.unwrap();
    assert_eq!(told, Some(Told::Done(String::new())));
}

#[test]
fn the_doctor_has_seen_it_all_hold() {
    let output = Command::new(PROGRAM).args(["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &true.into()), "{report:#}");
    assert!(report["trials"].as_array().unwrap().iter().all(|trial| trial["holds"] == true), "{report:#}");
    assert!(report["libraries"]["x264"].is_string() && report["libraries"]["svt_av1"].is_string());
    let holes = report["known_vulnerabilities"].as_array().unwrap();
    assert!(
        holes.iter().any(|hole| hole["id"] == "CVE-2026-40962" && hole["reachable"] == false),
        "{report:#}"
    );
}
