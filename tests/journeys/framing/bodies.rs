//! Where a body ends: attacks 1 to 12.

use crate::{HIDDEN, Scene, post};

#[test]
fn attack_01_content_length_and_then_transfer_encoding() {
    let scene = Scene::new();
    let body = format!("0\r\n\r\n{HIDDEN}");
    scene.refuses(post(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", body.len()), &body));
    scene.refuses(post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
}

#[test]
fn attack_02_transfer_encoding_and_then_content_length() {
    let scene = Scene::new();
    let body = format!("0\r\n\r\n{HIDDEN}");
    scene.refuses(post(&format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", body.len()), &body));
    scene.refuses(post("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 5\r\n", "0\r\n\r\n"));
}

#[test]
fn attack_03_two_different_content_lengths() {
    let scene = Scene::new();
    scene.refuses(post("Content-Length: 5\r\nContent-Length: 6\r\n", "012345"));
    scene.refuses(post("Content-Length: 5, 6\r\n", "012345"));
    scene.refuses(post("Content-Length: 0\r\nContent-Length: 5\r\n", "01234"));
}

#[test]
fn attack_04_two_equal_content_lengths() {
    let scene = Scene::new();
    scene.refuses(post("Content-Length: 5\r\nContent-Length: 5\r\n", "01234"));
    scene.refuses(post("Content-Length: 5, 5\r\n", "01234"));
    scene.forwards(post("Content-Length: 5\r\n", "01234"), &["POST /x 01234"]);
}

#[test]
fn attack_05_a_content_length_that_is_no_number() {
    let scene = Scene::new();
    for value in [
        "+5",
        "-1",
        "0x10",
        "1_0",
        "",
        "5 5",
        "5;",
        "\"5\"",
        "5.0",
        "٥",
        "5\u{a0}",
        "5\u{b}",
        "18446744073709551616",
        "18446744073709551615",
        "99999999999999999999999",
    ] {
        scene.refuses(post(&format!("Content-Length: {value}\r\n"), "01234"));
    }
    // White space around a value is none of it.
    scene.forwards(post("Content-Length:  5\t\r\n", "01234"), &["POST /x 01234"]);
    scene.forwards(post("Content-Length: 005\r\n", "01234"), &["POST /x 01234"]);
}

#[test]
fn attack_06_a_transfer_encoding_that_is_not_chunked_alone() {
    let scene = Scene::new();
    for value in [
        "xchunked",
        ",chunked",
        "chunked,",
        "chunked,chunked",
        "chunked, identity",
        "identity",
        "gzip, chunked",
        "chunked;a=b",
        "\"chunked\"",
        "",
        "chunked\u{a0}",
        "\u{b}chunked",
        "ch\u{fc}nked",
    ] {
        scene.refuses(post(&format!("Transfer-Encoding: {value}\r\n"), "5\r\n01234\r\n0\r\n\r\n"));
    }
    scene.refuses(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
    scene.refuses(post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
    scene.refuses("POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    scene.forwards(post("Transfer-Encoding:\t CHUNKED \r\n", "5\r\n01234\r\n0\r\n\r\n"), &["POST /x 01234"]);
}

/// A chunked body that is wrong somewhere: the origin never hears the end of it.
fn breaks_off(scene: &Scene, body: &str) {
    let payload = post("Transfer-Encoding: chunked\r\n", body);
    let answers = journeys::raw::exchange(scene.edge.address(), &payload);
    // Refused, or cut where the answer had no chance any more; never taken for whole, and nothing after it.
    assert!(answers.iter().all(|answer| answer.status == 400) && answers.len() <= 1, "{body:?}: {answers:?}");
    assert_eq!(scene.origin.targets(), [""; 0], "{body:?}");
}

#[test]
fn attack_07_a_chunk_size_that_is_no_number() {
    let scene = Scene::new();
    for size in ["0x5", "+5", "-1", "", " 5", "5 5", "5 ", "\t5", "5_", "g", "٥", ";a=b"] {
        breaks_off(&scene, &format!("{size}\r\n01234\r\n0\r\n\r\n"));
    }
    for digits in ["00000000000000005", "10000000000000005", "fffffffffffffffff"] {
        breaks_off(&scene, &format!("{digits}\r\n01234\r\n0\r\n\r\n"));
    }
    scene.forwards(
        post("Transfer-Encoding: chunked\r\n", "0000000000000005\r\n01234\r\n00\r\n\r\n"),
        &["POST /x 01234"],
    );
}

#[test]
fn attack_08_chunk_lines_that_end_with_a_bare_lf() {
    let scene = Scene::new();
    for body in
        ["5\n01234\r\n0\r\n\r\n", "5\r\n01234\n0\r\n\r\n", "5\r\n01234\r\n0\n\r\n", "5\r\n01234\r\n0\r\n\n"]
    {
        breaks_off(&scene, body);
    }
}

#[test]
fn attack_09_a_cr_in_a_chunk_extension() {
    let scene = Scene::new();
    for body in [
        "5;a\rb\r\n01234\r\n0\r\n\r\n",
        "5;\r\r\n01234\r\n0\r\n\r\n",
        "5;a\nb\r\n01234\r\n0\r\n\r\n",
        "5\r;\n01234\r\n0\r\n\r\n",
    ] {
        breaks_off(&scene, body);
    }
}

#[test]
fn attack_10_a_chunk_that_goes_on_after_its_end() {
    let scene = Scene::new();
    for body in [
        "5\r\n01234XX\r\n0\r\n\r\n",
        "5\r\n012345\r\n0\r\n\r\n",
        "5\r\n0123\r\n0\r\n\r\n",
        "5\r\n01234\r\nXX\r\n0\r\n\r\n",
        "5\r\n012340\r\n\r\n",
    ] {
        breaks_off(&scene, body);
    }
}

#[test]
fn attack_11_a_huge_chunk_extension() {
    let scene = Scene::new();
    breaks_off(&scene, &format!("5;{}\r\n01234\r\n0\r\n\r\n", "a".repeat(300)));
    breaks_off(&scene, &format!("5;{}\r\n01234\r\n0\r\n\r\n", "a".repeat(100_000)));
    // Many small ones are bounded by what hyper bears for a whole body.
    breaks_off(&scene, &format!("{}0\r\n\r\n", format!("1;{}\r\nx\r\n", "a".repeat(200)).repeat(100)));
    scene.forwards(
        post("Transfer-Encoding: chunked\r\n", "5;a=\"b\"\r\n01234\r\n0\r\n\r\n"),
        &["POST /x 01234"],
    );
}

#[test]
fn attack_12_trailers_that_frame_or_route() {
    let scene = Scene::new();
    for field in
        ["Content-Length: 50", "Host: evil", "Transfer-Encoding: chunked", "Authorization: x", "x", " y: z"]
    {
        breaks_off(&scene, &format!("5\r\n01234\r\n0\r\n{field}\r\n\r\n"));
    }
    // An honest one goes on, where it was announced; what does not go before a body does not go behind it either.
    let payload = post(
        "Transfer-Encoding: chunked\r\nTrailer: x-sum, X-Forwarded-Host, x_host\r\n",
        "5\r\n01234\r\n0\r\nX-Forwarded-Host: evil\r\nX-Sum: 1\r\nX_Host: evil\r\nX-Other: 2\r\n\r\n",
    );
    journeys::raw::exchange(scene.edge.address(), payload);
    assert_eq!(scene.origin.take()[0].trailers, ["x-sum: 1"]);
}
