//! The program over a store and a signed plan: files, datagrams, SRT.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is a test that has failed")]

mod support;

use analyser::{Analyser, Report};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};
use support::{School, moment};

fn feed() -> Command {
    Command::new(env!("CARGO_BIN_EXE_airclass-feed"))
}

/// Runs it to its end.
fn run(school: &School, more: &[&str]) -> Output {
    feed().args(school.arguments()).args(more).output().unwrap()
}

fn write(school: &School, name: &str, at: &str, duration: &str) -> (Vec<u8>, String) {
    let file = school.path(name);
    let to = format!("file:{}", file.display());
    let at = moment(at).to_string();
    let done = run(school, &["--rate", "1Mbit/s", "--to", &to, "--at", &at, "--duration", duration]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    (fs::read(file).unwrap(), said)
}

/// The same where nothing is wrong.
fn whole(school: &School, name: &str, at: &str, duration: &str) -> Vec<u8> {
    let (bytes, said) = write(school, name, at, duration);
    assert!(!said.contains("slate"), "{said}");
    bytes
}

fn analyse(bytes: &[u8]) -> Report {
    let mut analyser = Analyser::new();
    analyser.read(bytes);
    analyser.report()
}

fn titles(report: &Report) -> Vec<&str> {
    report.tables.present.iter().map(|event| &event.title[..]).collect()
}

#[test]
fn a_morning_is_written_without_a_fault() {
    let school = School::new();
    let morning = whole(&school, "whole.ts", "08:29:45", "240s");
    let report = analyse(&morning);
    assert!(report.is_clean(), "{report}");
    assert_eq!(titles(&report), ["一元一次方程", "眼保健操", "Maths 2"]);
    assert_eq!(report.tables.present[0].text, "数学 人教版");
    let start = moment("08:30:00").as_second().unsigned_abs();
    assert_eq!((report.tables.present[0].start_s, report.tables.present[0].duration_s), (start, 48));
    assert_eq!(report.tables.services[&1], ("Airclass".to_owned(), "初中频道".to_owned()));
    assert!(
        (report.clock.rate_bps / 1e6 - 1.0).abs() < 0.001 && report.clock.max_interval_ms <= 40.0,
        "{report}"
    );
    assert_eq!(report.streams[&0x100].units, 50 * 120 - 1);

    // One that starts in the middle of a lesson sends what the other sends.
    let late = whole(&school, "late.ts", "08:30:31", "96s");
    assert_eq!(late.len() % 188, 0);
    let period = late.len() / 20;
    let at = morning
        .chunks(period)
        .position(|packets| packets == &late[..packets.len()])
        .expect("the same period");
    assert!(morning[at * period..].starts_with(&late));

    let told = feed().arg("check").arg(school.path("late.ts")).output().unwrap();
    assert!(told.status.success());
    assert!(String::from_utf8_lossy(&told.stdout).ends_with("no fault\n"));
}

#[test]
fn what_is_missing_or_makes_no_sense_is_the_slate() {
    let school = School::new();
    fs::remove_file(school.path(&School::pictures(1, 3))).unwrap();
    fs::write(school.path(&School::pictures(1, 5)), b"nonsense").unwrap();
    let (bytes, said) = write(&school, "whole.ts", "08:29:50", "72s");
    assert_eq!(said.matches("the slate is shown instead").count(), 2, "{said}");
    let report = analyse(&bytes);
    assert!(report.is_clean(), "{report}");
    assert_eq!(titles(&report), ["一元一次方程"]);
}

#[test]
fn a_decoder_takes_the_slate() {
    let school = School::new();
    write(&school, "grey.ts", "06:00:00", "24s");
    for (stream, frames) in [("v", "600"), ("a", "1125")] {
        let told = Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-select_streams", stream])
            .args(["-show_entries", "stream=nb_read_frames,width,height", "-of", "csv=p=0"])
            .arg(school.path("grey.ts"))
            .output()
            .unwrap();
        let (out, errors) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
        assert!(told.status.success() && errors.is_empty(), "{errors}");
        let line = out.lines().find(|line| !line.is_empty()).unwrap_or_default();
        let count: i64 =
            line.trim_end_matches(',').rsplit(',').next().unwrap_or_default().parse().unwrap_or(0);
        // The end of the file cuts the last second and a half of sound off.
        assert!((frames.parse::<i64>().unwrap() - count).abs() <= 75, "{stream}: {line}");
        assert!(stream == "a" || line.starts_with("960,540"), "{line}");
    }
}

#[test]
fn what_cannot_be_is_told_before_anything_is_sent() {
    let school = School::new();
    let folder = school.folder().to_str().unwrap();
    for (arguments, want) in [
        (
            &["--rate", "700kbit/s", "--rung", "s3", "--channel", "senior"][..],
            "FEED_PLAN: the plan knows no channel",
        ),
        (&["--rate", "1kbit/s"], "CONFIG_VALUE: `rate` 1000 bit/s is no rate of a multiplex"),
        (&["--rung", "a3"], "CONFIG_VALUE: `rung` `a3` is none of s0, s1, s2, s3, s4, s5"),
        (&["--from", "/nowhere"], "CONFIG_VALUE: `from` `/nowhere` is neither an address nor a directory"),
        (&["--plan", "/nowhere"], "FEED_PLAN: no plan is there for any day about 2026-09-0"),
        (&["--delay", "10min"], "CONFIG_VALUE: `delay` is more than 96 s"),
        (&["--language", "中"], "CONFIG_VALUE: `language` is three letters"),
    ] {
        let to = format!("file:{folder}/out.ts");
        let at = moment("08:30:00").to_string();
        let mut all = school.arguments();
        // The last one of an option that is given twice counts.
        for pair in arguments.chunks(2) {
            match all.iter().position(|word| word == pair[0]) {
                Some(place) => all[place + 1] = pair[1].to_owned(),
                None => all.extend(pair.iter().map(|word| (*word).to_owned())),
            }
        }
        let done = feed().args(all).args(["--to", &to, "--at", &at, "--duration", "5s"]).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(want), "{said}");
        assert!(!Path::new(&format!("{folder}/out.ts")).exists());
    }
}

/// Bytes of a packet, and of the seven that go together.
const PACKET: usize = 188;
const DATAGRAM: usize = 7 * PACKET;
/// The longest wait for the first of them. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether `part`, datagram by datagram, is in `whole`, in this order. The kernel throws away what a busy machine fetches too late,
/// and SRT what comes too late: some may be missing in between.
fn holds(whole: &[u8], part: &[u8]) -> bool {
    let mut rows = whole.windows(DATAGRAM).step_by(PACKET);
    part.chunks(DATAGRAM).all(|datagram| rows.any(|packets| packets == datagram))
}

/// Another implementation's program that writes what comes by SRT to its standard output.
fn receive(from: &str) -> Running {
    let mut program = Command::new("srt-live-transmit");
    let program = program.args(["-q", from, "file://con"]).stdout(Stdio::piped()).stderr(Stdio::null());
    Running(program.spawn().unwrap())
}

/// Places that nobody has, each another, and that nobody gets meanwhile: the address is of this process alone (a process's number has 22
/// bits).
fn free_places<const N: usize>() -> [SocketAddr; N] {
    let [_, upper, middle, lower] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, 64 | (upper & 0x3f), middle, lower);
    // All are held until the last is known.
    [(); N].map(|()| UdpSocket::bind((own, 0)).unwrap()).map(|held| held.local_addr().unwrap())
}

/// Seconds from the wall clock to a moment of the plan's day, some one and a half seconds before a period begins.
#[expect(clippy::disallowed_methods, reason = "the program asks the same clock")]
fn offset_to(time: &str) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let offset = (moment(time).as_millisecond() - now) / 1_000;
    (offset..offset + 5)
        .max_by_key(|offset| {
            let into = (now + offset * 1_000).rem_euclid(4_800);
            if into <= 3_300 { into } else { 0 }
        })
        .unwrap()
}

#[test]
fn datagrams_and_srt_carry_what_a_file_holds() {
    let school = School::new();
    // Two minutes and a half: so late the slowest machine may be with what takes seconds.
    let want = whole(&school, "want.ts", "08:30:09", "150s");
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(PATIENCE)).unwrap();
    let [place, other_place] = free_places();
    let mut called = receive(&format!("srt://{place}?mode=listener&passphrase=0123456789&latency=120"));
    let sender = feed()
        .args(school.arguments())
        .args(["--rate", "1Mbit/s", "--log", "warn", "--clock-offset", &offset_to("08:30:12").to_string()])
        .args(["--to", &format!("udp://{}", udp.local_addr().unwrap())])
        .args(["--to", &format!("srt://{place}?passphrase=0123456789")])
        .args(["--to", &format!("srt://{other_place}?mode=listener")])
        .spawn()
        .unwrap();
    let mut sender = Running(sender);

    // Two seconds of datagrams.
    let mut got = Vec::new();
    let mut datagram = [0; 2 * DATAGRAM];
    while got.len() < 250_000 {
        let length = udp.recv(&mut datagram).unwrap();
        assert_eq!(length, DATAGRAM);
        got.extend_from_slice(&datagram[..length]);
    }
    assert!(holds(&want, &got), "datagrams carry something else");

    let mut calls = receive(&format!("srt://{other_place}?mode=caller"));
    for receiver in [&mut called, &mut calls] {
        let mut by_srt = vec![0; 100 * DATAGRAM];
        receiver.0.stdout.take().unwrap().read_exact(&mut by_srt).unwrap();
        assert!(holds(&want, &by_srt), "SRT carries something else");
    }

    let terminate = Command::new("kill").arg(sender.0.id().to_string()).status().unwrap();
    assert!(terminate.success());
    assert!(sender.0.wait().unwrap().success());
}

/// The end of libsrt and a call that came just then waited for each other, and the feed for both, for ever.
#[test]
fn a_feed_that_is_called_as_it_ends_ends() {
    const FEEDS: usize = 4;
    let school = School::new();
    let places = free_places::<{ 2 * FEEDS }>();
    let feeds: Vec<_> = places
        .chunks_exact(2)
        .map(|both| {
            let (place, nobody) = (both[0], both[1]);
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            udp.set_read_timeout(Some(PATIENCE)).unwrap();
            let child = feed()
                .args(school.arguments())
                .args(["--rate", "1Mbit/s", "--log", "warn", "--clock-offset"])
                .arg(offset_to("08:30:12").to_string())
                .args(["--to", &format!("udp://{}", udp.local_addr().unwrap())])
                .args(["--to", &format!("srt://{place}?mode=listener")])
                .args(["--to", &format!("srt://{nobody}")])
                .spawn()
                .unwrap();
            (Running(child), udp, format!("srt://{place}?mode=caller"))
        })
        .collect();
    for (mut sender, udp, place) in feeds {
        udp.recv(&mut [0; DATAGRAM]).unwrap();
        let _calls = [receive(&place), receive(&place)];
        assert!(Command::new("kill").arg(sender.0.id().to_string()).status().unwrap().success());
        assert!(sender.0.wait().unwrap().success());
    }
}

#[test]
fn a_plan_that_is_not_signed_by_a_known_key_is_not_followed() {
    let (school, other) = (School::new(), School::new());
    fs::copy(other.path("keys.toml"), school.path("keys.toml")).unwrap();
    let at = moment("08:30:00").to_string();
    let to = format!("file:{}", school.path("out.ts").display());
    let done = run(&school, &["--to", &to, "--at", &at, "--duration", "5s"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2));
    assert!(said.contains("FEED_PLAN: the plan for 2026-09-01 is refused: unknown_key"), "{said}");
}

#[test]
fn a_programme_larger_than_the_rate_is_told_with_what_it_needs() {
    let school = School::with_peak(2_000_000);
    let at = moment("08:30:00").to_string();
    let to = format!("file:{}", school.path("out.ts").display());
    let done = run(&school, &["--rate", "1Mbit/s", "--to", &to, "--at", &at, "--duration", "5s"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2));
    assert!(said.contains("FEED_RATE: maths-1 needs 2."), "{said}");
    // What it says would do does, and so does a smaller picture.
    let needed = said.split("--rate ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    for arguments in [["--rate", needed], ["--rung", "s1"]] {
        let done = run(&school, &[&arguments[..], &["--to", &to, "--at", &at, "--duration", "5s"]].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// Answers for the files below a folder, plans only to who shows the token, for as long as the test runs.
fn serve(folder: std::path::PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let mut stream = stream;
                while let Some(Ok(first)) = lines.next() {
                    let head: Vec<String> =
                        lines.by_ref().map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
                    let path = first.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
                    let shown = head
                        .iter()
                        .any(|line| line.eq_ignore_ascii_case("authorization: Bearer open-sesame"));
                    let (status, body) = match fs::read(folder.join(&path)) {
                        _ if path.starts_with("plans/") != shown => ("403 Forbidden", Vec::new()),
                        Ok(body) => ("200 OK", body),
                        Err(_) => ("404 Not Found", Vec::new()),
                    };
                    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
                }
            });
        }
    });
    address
}

#[test]
fn plans_and_segments_come_over_http_and_the_token_goes_to_plans_alone() {
    let school = School::new();
    let address = serve(school.folder().to_owned());
    let (keys, token) = (school.path("keys.toml"), school.path("token"));
    fs::write(&token, "open-sesame\n").unwrap();
    let at = moment("08:29:50").to_string();
    let file = |name: &str| school.path(name);
    let over_http = |name: &str, more: &[&str]| {
        feed()
            .args(["--channel", "junior", "--rate", "1Mbit/s", "--at", &at, "--duration", "40s"])
            .args(["--plan", &address, "--from", &address, "--keys", keys.to_str().unwrap()])
            .args(["--to", &format!("file:{}", file(name).display())])
            .args(more)
            .output()
            .unwrap()
    };
    let done = over_http("http.ts", &["--plan-token", token.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && !said.contains("slate"), "{said}");
    assert_eq!(fs::read(file("http.ts")).unwrap(), whole(&school, "folder.ts", "08:29:50", "40s"));
    let refused = over_http("refused.ts", &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("FEED_PLAN: the plan for 2026-08-31 status 403")
    );
}
