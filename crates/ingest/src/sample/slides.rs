//! Slides: text drawn by FFmpeg once each, marks drawn over them stroke by stroke.

use super::canvas::{self, PENS};
use super::chance::Chance;
use crate::ffmpeg::{FfmpegError, Graph, Picture};
use std::path::Path;

/// Where Debian and other systems keep a font with Chinese letters, and what drawtext calls it.
const FONTS: [(&str, &str); 5] = [
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "font='Noto Sans CJK SC'"),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "font='Noto Sans CJK SC'"),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "font='Noto Sans CJK SC'"),
    (
        "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
        "fontfile=/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    ),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", "fontfile=/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
];

/// The first of them that is there, as a drawtext option.
pub(super) fn font() -> Option<&'static str> {
    FONTS.iter().find(|(path, _)| Path::new(path).exists()).map(|(_, option)| *option)
}

/// Heading and lines. No character that means something in FFmpeg's graph language.
const SLIDES: [(&str, &[&str]); 10] = [
    (
        "第三单元 分数的初步认识",
        &[
            "人教版 小学数学 三年级上册",
            "学习目标",
            "1. 认识几分之一和几分之几",
            "2. 会比较同分母分数的大小",
            "3. 能解决简单的实际问题",
        ],
    ),
    (
        "一、什么是分数",
        &[
            "把一个月饼平均分成 2 份，",
            "每份是它的二分之一，写作 1/2。",
            "分数线表示平均分，",
            "分母表示平均分的份数，",
            "分子表示取了几份。",
        ],
    ),
    (
        "二、想一想",
        &[
            "把一张正方形纸平均折成 4 份，",
            "其中的 1 份是这张纸的 1/4，",
            "其中的 3 份是这张纸的 3/4。",
            "思考：不平均分，能用分数表示吗？",
        ],
    ),
    (
        "三、比一比",
        &[
            "3/8 和 5/8 哪个大？",
            "分母相同，看分子：",
            "3 份比 5 份少，所以 3/8 小于 5/8。",
            "结论：同分母分数，分子大的分数大。",
        ],
    ),
    (
        "古诗词赏析 《静夜思》",
        &[
            "唐 李白",
            "床前明月光，疑是地上霜。",
            "举头望明月，低头思故乡。",
            "字词：疑 举头 故乡",
            "诗人通过月光表达了怎样的感情？",
        ],
    ),
    (
        "四、例题讲解",
        &[
            "例 1  一根绳子长 1 米，平均剪成 5 段，",
            "每段是这根绳子的几分之几？",
            "解：1 ÷ 5 = 1/5",
            "答：每段是这根绳子的 1/5。",
        ],
    ),
    (
        "科学 水的三态变化",
        &[
            "冰（固态） 加热 水（液态） 加热 水蒸气（气态）",
            "熔化：固态变成液态，吸收热量",
            "汽化：液态变成气态，吸收热量",
            "凝固与液化：放出热量",
            "生活中的例子：露水、霜、云和雨",
        ],
    ),
    (
        "五、课堂练习",
        &[
            "1. 用分数表示下面各图的涂色部分",
            "2. 在括号里填上合适的数",
            "3. 小明吃了一个蛋糕的 2/6，",
            "   小红吃了 3/6，谁吃得多？多多少？",
        ],
    ),
    (
        "英语 Unit 4 At the farm",
        &[
            "tomato 西红柿   potato 土豆   carrot 胡萝卜",
            "Look at these. Are these carrots?",
            "Yes, they are.",
            "What are those? They are horses.",
        ],
    ),
    (
        "六、课堂小结",
        &[
            "今天我们学习了分数的初步认识",
            "平均分是分数的前提",
            "同分母分数比较大小看分子",
            "作业：课本第 93 页第 1、2、3 题",
            "同学们，休息十分钟，做做眼保健操！",
        ],
    ),
];

/// Paper of each slide in turn.
const PAPERS: [&str; 3] = ["0xFBF8EF", "0xF3F8FB", "0x16382E"];
/// A stroke grows for this long.
const STROKE_MS: u64 = 1_200;

/// The slide on the screen and the marks on it.
pub(super) struct Slides {
    width: u32,
    height: u32,
    font: &'static str,
    chance: Chance,
    number: usize,
    /// When the slide after this one comes.
    until: u64,
    strokes: Vec<Stroke>,
    page: Option<Picture>,
}

/// A line that is written by hand.
struct Stroke {
    begins: u64,
    /// Points already drawn.
    drawn: u64,
    kind: Kind,
    pen: usize,
    at: (f32, f32),
    size: f32,
}

enum Kind {
    Underline,
    Ring,
    Tick,
}

impl Slides {
    pub(super) fn new(width: u32, height: u32, font: &'static str) -> Self {
        let chance = Chance::new(3);
        Self { width, height, font, chance, number: 0, until: 0, strokes: Vec::new(), page: None }
    }

    /// What is on the screen at `millis`, which never goes back.
    pub(super) fn at(&mut self, millis: u64) -> Result<&Picture, FfmpegError> {
        if self.page.is_none() || millis >= self.until {
            self.page = Some(self.turn(millis)?);
        }
        self.write(millis)?;
        self.page.as_ref().ok_or_else(|| FfmpegError::Missing("page".to_owned()))
    }

    /// The next slide, and when it will be written on.
    fn turn(&mut self, millis: u64) -> Result<Picture, FfmpegError> {
        let page = self.draw(self.number)?;
        let lines = SLIDES[self.number % SLIDES.len()].1.len() as u64;
        let stands = self.chance.between(20_000, 40_000);
        self.until = millis + stands;
        self.strokes.clear();
        let mut begins = millis + self.chance.between(2_000, 5_000);
        while begins + STROKE_MS < self.until {
            let line = self.chance.between(0, lines) as f32;
            let kind = match self.chance.between(0, 4) {
                0 | 1 => Kind::Underline,
                2 => Kind::Ring,
                _ => Kind::Tick,
            };
            self.strokes.push(Stroke {
                begins,
                drawn: 0,
                kind,
                pen: usize::try_from(self.chance.between(0, 3)).unwrap_or(0),
                at: (0.08 + 0.45 * self.chance.part(), 0.268 + 0.115 * line),
                size: 0.05 + 0.15 * self.chance.part(),
            });
            begins += self.chance.between(3_000, 7_000);
        }
        self.number += 1;
        Ok(page)
    }

    fn draw(&self, number: usize) -> Result<Picture, FfmpegError> {
        let (heading, lines) = SLIDES[number % SLIDES.len()];
        let (width, height, font) = (self.width, self.height, self.font);
        let paper = PAPERS[number % PAPERS.len()];
        let (ink, accent) =
            if number % PAPERS.len() == 2 { ("0xF4F4E8", "0xFFE27A") } else { ("0x222222", "0x8C1D18") };
        let at = |part: f32| (part * height as f32) as u32;
        let mut spec = format!("color=c={paper}:s={width}x{height}:r=1:d=1");
        spec.push_str(&format!(
            ",drawbox=x=0:y={}:w=iw:h={}:color={accent}:t=fill",
            at(0.19),
            at(0.006).max(2)
        ));
        spec.push_str(&text(font, heading, accent, at(0.075), at(0.06), at(0.07)));
        for (line, y) in lines.iter().zip(0u8..) {
            spec.push_str(&text(font, line, ink, at(0.05), at(0.09), at(0.26 + 0.115 * f32::from(y))));
        }
        let page = format!("第 {} 页", number + 1);
        spec.push_str(&text(font, &page, ink, at(0.025), at(0.06), at(0.95)));
        // Through RGB to BT.709, which is what the file says it is.
        spec.push_str(",scale=out_color_matrix=bt709:out_range=limited,format=yuv420p[out0]");
        Graph::generator(&spec)
    }

    /// Lets every stroke grow to where it is at `millis`.
    fn write(&mut self, millis: u64) -> Result<(), FfmpegError> {
        const POINTS: u64 = 240;
        let size = (self.width, self.height);
        let radius = (self.height / 240).max(1).cast_signed();
        let Some(page) = &mut self.page else { return Ok(()) };
        for stroke in &mut self.strokes {
            let grown = millis.saturating_sub(stroke.begins).min(STROKE_MS) * POINTS / STROKE_MS;
            while stroke.drawn < grown {
                let part = stroke.drawn as f32 / POINTS as f32;
                let (x, y) = stroke.point(part);
                let at = ((x * size.0 as f32) as i32, (y * size.1 as f32) as i32);
                canvas::dot(page, size, at, radius, PENS[stroke.pen])?;
                stroke.drawn += 1;
            }
        }
        Ok(())
    }
}

impl Stroke {
    /// Where the pen is when `part` of the stroke is done, in parts of the picture.
    fn point(&self, part: f32) -> (f32, f32) {
        let (x, y) = self.at;
        let shake = (part * 40.0).sin() * 0.0015;
        match self.kind {
            Kind::Underline => (x + self.size * part, y + 0.055 + shake),
            Kind::Ring => {
                let angle = part * std::f32::consts::TAU * 1.05;
                (x + self.size * (0.5 + 0.5 * angle.cos()), y + 0.02 + 0.05 * angle.sin() + shake)
            }
            Kind::Tick if part < 0.35 => (x + 0.04 * part, y + 0.08 * part + shake),
            Kind::Tick => (x + 0.014 + 0.06 * (part - 0.35), y + 0.028 - 0.11 * (part - 0.35)),
        }
    }
}

/// One line of text as a filter.
fn text(font: &str, text: &str, colour: &str, size: u32, x: u32, y: u32) -> String {
    format!(",drawtext={font}:expansion=none:text='{text}':fontcolor={colour}:fontsize={size}:x={x}:y={y}")
}
