//! The fields of an item, by all the names that they go by.

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Date,
    Start,
    End,
    Minutes,
    Grades,
    Kind,
    Title,
    Subject,
    Edition,
    Volume,
    Syllabus,
    Lesson,
    Channel,
}

/// The first name is that of TOML; sheets may use any.
const NAMES: [(Field, &[&str]); 14] = [
    (Field::Id, &["id", "标识"]),
    (Field::Date, &["date", "日期"]),
    (Field::Start, &["start", "开始", "开始时间", "上课时间", "时间", "时间段", "起止时间"]),
    (Field::End, &["end", "结束", "结束时间", "下课时间"]),
    (Field::Minutes, &["minutes", "分钟", "时长", "时长(分钟)", "时长（分钟）"]),
    (Field::Grades, &["grades", "grade", "年级"]),
    (Field::Kind, &["kind", "类型", "类别"]),
    (Field::Title, &["title", "课题", "标题", "名称", "课名"]),
    (Field::Subject, &["subject", "学科", "科目"]),
    (Field::Edition, &["edition", "版本", "教材版本"]),
    (Field::Volume, &["volume", "册次"]),
    (Field::Syllabus, &["syllabus", "课次", "章节"]),
    (Field::Lesson, &["lesson", "课程编号", "课程号", "编号"]),
    (Field::Channel, &["channel", "频道"]),
];

impl Field {
    /// By its name in TOML.
    pub(super) fn key(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.first() == Some(&name)).map(|(field, _)| *field)
    }

    /// By the heading of a column.
    pub(super) fn heading(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
    }

    /// Its name in TOML.
    pub(super) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(field, _)| *field == self)
            .and_then(|(_, names)| names.first())
            .copied()
            .unwrap_or("")
    }

    /// All names in TOML, for those who misspell one.
    pub(super) fn keys() -> String {
        NAMES.iter().filter_map(|(_, names)| names.first().copied()).collect::<Vec<_>>().join(", ")
    }
}
