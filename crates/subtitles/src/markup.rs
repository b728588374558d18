//! What is kept of a text's markup: bold, italic, underlined. Everything else is text or nothing.

/// Markup as files have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// `<b>`, and now and then `{\an8}`, in SRT.
    Srt,
    /// `<b>`, `<c.red>`, `<v Name>`, `<00:00:01.000>`, and escapes such as `&amp;`.
    WebVtt,
    /// `{\b1}`, `\N`.
    Ass,
    /// None.
    Plain,
}

const KEPT: [char; 3] = ['b', 'i', 'u'];
const ESCAPES: [&str; 6] = ["amp", "lt", "gt", "nbsp", "lrm", "rlm"];

/// `raw` as WebVTT cue text: escaped, every tag closed, without empty lines. Empty when nothing is to be shown.
pub(crate) fn to_cue_text(raw: &str, markup: Markup) -> String {
    let mut out = Out { text: String::with_capacity(raw.len()), open: Vec::new() };
    let mut drawing = false;
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        rest = match (c, markup) {
            ('<', Markup::Srt | Markup::WebVtt) => out.tag(rest),
            ('{', Markup::Srt) if rest.starts_with("{\\") => out.override_block(rest, &mut false),
            ('{', Markup::Ass) => out.override_block(rest, &mut drawing),
            ('\\', Markup::Ass) => out.ass_escape(rest, drawing),
            ('&', Markup::WebVtt | Markup::Srt) => out.escape(rest),
            _ => {
                if !drawing {
                    out.plain(c);
                }
                &rest[c.len_utf8()..]
            }
        };
    }
    out.finish()
}

struct Out {
    text: String,
    /// Tags that are open, innermost last.
    open: Vec<char>,
}

impl Out {
    fn plain(&mut self, c: char) {
        match c {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            // So that no text can be an arrow.
            '>' => self.text.push_str("&gt;"),
            '\r' | '\0' => {}
            '\u{a0}' => self.text.push_str("&nbsp;"),
            c if c.is_control() && c != '\n' => self.text.push(' '),
            c => self.text.push(c),
        }
    }

    /// `<…>` at the start of `rest`; what follows it.
    fn tag<'a>(&mut self, rest: &'a str) -> &'a str {
        let inner = &rest[1..];
        let is_tag = inner.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
        let Some(end) = inner.find('>').filter(|_| is_tag) else {
            self.plain('<');
            return inner;
        };
        let name = inner[..end].trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let mut letters = name.chars().map(|c| c.to_ascii_lowercase());
        if let (Some(letter), None) = (letters.next(), letters.next())
            && KEPT.contains(&letter)
        {
            if inner.starts_with('/') { self.close(letter) } else { self.open(letter) }
        }
        &inner[end + 1..]
    }

    fn open(&mut self, letter: char) {
        if !self.open.contains(&letter) {
            self.open.push(letter);
            self.text.extend(['<', letter, '>']);
        }
    }

    /// Closes `letter` and reopens what was opened within it, so that tags stay nested.
    fn close(&mut self, letter: char) {
        let Some(place) = self.open.iter().position(|&open| open == letter) else { return };
        let within = self.open.split_off(place);
        within.iter().rev().for_each(|letter| self.text.extend(['<', '/', *letter, '>']));
        within[1..].iter().for_each(|&letter| self.open(letter));
    }

    /// `{…}` at the start of `rest`: its overrides, and what follows it.
    fn override_block<'a>(&mut self, rest: &'a str, drawing: &mut bool) -> &'a str {
        let Some(end) = rest.find('}') else {
            if !*drawing {
                self.plain('{');
            }
            return &rest[1..];
        };
        for tag in rest[1..end].split('\\').skip(1) {
            let mut letters = tag.chars();
            let (name, value) = (letters.next(), letters.as_str().trim());
            match (name, value.parse::<u32>()) {
                (Some(letter), Ok(on)) if KEPT.contains(&letter) => {
                    if on > 0 {
                        self.open(letter)
                    } else {
                        self.close(letter)
                    }
                }
                (Some('p'), Ok(on)) => *drawing = on > 0,
                _ => {}
            }
        }
        &rest[end + 1..]
    }

    /// `\N`, `\n`, `\h` of ASS; any other backslash is one.
    fn ass_escape<'a>(&mut self, rest: &'a str, drawing: bool) -> &'a str {
        let escaped = match rest.as_bytes().get(1) {
            Some(b'N') => '\n',
            Some(b'n') => ' ',
            Some(b'h') => '\u{a0}',
            _ => {
                if !drawing {
                    self.plain('\\');
                }
                return &rest[1..];
            }
        };
        if !drawing {
            self.plain(escaped);
        }
        &rest[2..]
    }

    /// `&amp;` and the like stay; any other ampersand becomes one.
    fn escape<'a>(&mut self, rest: &'a str) -> &'a str {
        for name in ESCAPES {
            if let Some(after) = rest[1..].strip_prefix(name).and_then(|after| after.strip_prefix(';')) {
                self.text.push('&');
                self.text.push_str(name);
                self.text.push(';');
                return after;
            }
        }
        self.plain('&');
        &rest[1..]
    }

    fn finish(mut self) -> String {
        while let Some(letter) = self.open.pop() {
            self.text.extend(['<', '/', letter, '>']);
        }
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        let text = lines.collect::<Vec<_>>().join("\n");
        if has_text(&text) { text } else { String::new() }
    }
}

/// Whether anything is left when tags are taken away.
fn has_text(text: &str) -> bool {
    let mut within = false;
    text.chars().any(|c| {
        match c {
            '<' => within = true,
            '>' => within = false,
            c => return !within && !c.is_whitespace(),
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_by_table() {
        use Markup::{Ass, Plain, Srt, WebVtt};
        for (markup, raw, text) in [
            (Srt, "<i>茴香豆</i>的<b>茴</b>字", "<i>茴香豆</i>的<b>茴</b>字"),
            (Srt, "<font color=\"#fff\">a</font>", "a"),
            (Srt, "{\\an8}above", "above"),
            (Srt, "{a} set", "{a} set"),
            (Srt, "<B>a", "<b>a</b>"),
            (Srt, "</i>a", "a"),
            (Srt, "<b><i>a</b>c</i>", "<b><i>a</i></b><i>c</i>"),
            (Srt, "2 < 3 & 4 > 3", "2 &lt; 3 &amp; 4 &gt; 3"),
            (Srt, "a --> b", "a --&gt; b"),
            (Srt, "a <b", "a &lt;b"),
            (Srt, "a\r\n\r\n\r\nb", "a\nb"),
            (Srt, "<i> </i>", ""),
            (WebVtt, "<v 鲁迅>a</v> <c.red>b</c> <00:00:01.000>c", "a b c"),
            (WebVtt, "a &amp; b &copy; c", "a &amp; b &amp;copy; c"),
            (Ass, "{\\i1}a{\\i0}\\Nb\\hc\\nd", "<i>a</i>\nb&nbsp;c d"),
            (Ass, "{\\pos(1,2)\\b1\\fs20}a", "<b>a</b>"),
            (Ass, "{\\p1}m 0 0 l 1 1{\\p0}after", "after"),
            (Ass, "{open", "{open"),
            (Ass, "c:\\dir", "c:\\dir"),
            (Plain, "<b>{\\i1}&amp;", "&lt;b&gt;{\\i1}&amp;amp;"),
            (Plain, "a\u{7}b", "a b"),
        ] {
            assert_eq!(to_cue_text(raw, markup), text, "{markup:?} {raw}");
        }
    }

    proptest! {
        /// Whatever is in a file: no arrow, no empty line, no tag but ours, and each closed.
        #[test]
        fn a_text_cannot_break_out_of_its_cue(raw in "([<>/&{}\\\\biup01N;\n -]|amp|\\PC){0,40}", kind in 0..4usize) {
            let markup = [Markup::Srt, Markup::WebVtt, Markup::Ass, Markup::Plain][kind];
            let text = to_cue_text(&raw, markup);
            prop_assert!(!text.contains("-->") && !text.contains("\n\n") && !text.contains('\r'));
            let mut left = text;
            for letter in KEPT {
                let (open, close) = (format!("<{letter}>"), format!("</{letter}>"));
                prop_assert_eq!(left.matches(&open).count(), left.matches(&close).count());
                left = left.replace(&open, "").replace(&close, "");
            }
            prop_assert!(!left.contains(['<', '>']));
        }
    }
}
