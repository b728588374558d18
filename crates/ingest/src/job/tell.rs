//! What the teacher should know about the file, besides its quality.

use crate::decode::Damage;
use crate::progress::{Report, counted};
use crate::quality::Lengths;
use crate::survey::Survey;

/// Pictures and sound that begin this far from each other may belong elsewhere; recorders take a second to open both.
const APART_MS: u64 = 2_000;

/// What was found in the file and is not as it should be.
pub(super) fn source(survey: &Survey, report: &mut dyn Report) {
    survey.source.notes.iter().for_each(|note| report.note(note));
    if let Some(note) = apart(&survey.measures.lengths) {
        report.note(&note);
    }
    let Damage { unreadable, undecodable, guessed, jumps, strays } = survey.damage;
    let damaged = [(unreadable, "unreadable stretch", "es"), (undecodable, "undecodable packet", "s")];
    let damaged = damaged.into_iter().chain([(guessed, "incomplete picture", "s")]);
    let damaged = damaged.filter(|(count, ..)| *count > 0);
    let damaged =
        damaged.map(|(count, what, more)| format!("{count} {what}{}", if count == 1 { "" } else { more }));
    if survey.damage.is_visible() {
        let damaged = damaged.collect::<Vec<_>>().join(", ");
        report.note(&format!("the file is damaged: {damaged}; the lesson shows what is left"));
    }
    if jumps > 0 {
        let jumps = counted(jumps, "time");
        report.note(&format!("the file's clock jumps {jumps}; the lesson runs on without gaps"));
    }
    match strays {
        0 => {}
        1 => report.note("1 time stamp in the file is wrong; what it belongs to is where it should be"),
        _ => report.note(&format!(
            "{strays} time stamps in the file are wrong; what they belong to is where it should be"
        )),
    }
}

/// Where one of both begins late, which nobody hears who looks at the middle of the lesson.
fn apart(lengths: &Lengths) -> Option<String> {
    let Lengths { pictures_from_ms: pictures, sound_from_ms: sound, .. } = *lengths;
    lengths.sound_ms?;
    let (late, until) = match sound >= pictures {
        true => ("sound begins", "it is silent until then"),
        false => ("pictures begin", "the first one stands until then"),
    };
    let apart = sound.abs_diff(pictures);
    (apart >= APART_MS).then(|| {
        let seconds = apart as f64 / 1_000.0;
        format!(
            "the {late} {seconds:.1} s late, and {until}; if voice and pictures are not together (音画不同步), export the file again"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_late_is_told() {
        for (pictures_from_ms, sound_from_ms, sound_ms, told) in [
            (0, 0, Some(60_000), None),
            (0, 1_999, Some(60_000), None),
            (0, 5_000, Some(60_000), Some("the sound begins 5.0 s late, and it is silent until then")),
            (
                5_000,
                0,
                Some(60_000),
                Some("the pictures begin 5.0 s late, and the first one stands until then"),
            ),
            (5_000, 0, None, None),
        ] {
            let lengths = Lengths { pictures_from_ms, sound_from_ms, sound_ms, ..Lengths::default() };
            let note = apart(&lengths);
            assert_eq!(note.as_deref().and_then(|note| note.split(';').next()), told);
        }
    }
}
