//! Whom people may ask for help: said wherever something goes wrong.

use serde::{Deserialize, Serialize};
use settings::SettingsError;

/// The longest of each, in characters.
const MAX_TEXT: usize = 100;

/// As typed: flags, environment or file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "support")]
#[command(next_help_heading = "Whom people may ask [support]")]
pub struct SupportOptions {
    /// The telephone number that error pages name [default: none]
    #[arg(
        id = "support_phone",
        long = "support-phone",
        env = "AIRCLASS_SUPPORT_PHONE",
        value_name = "NUMBER"
    )]
    pub phone: Option<String>,
    /// The page for help that error pages name: https://… [default: none]
    #[arg(id = "support_page", long = "support-page", env = "AIRCLASS_SUPPORT_PAGE", value_name = "URL")]
    pub page: Option<String>,
}

/// Checked: who is to be asked; nobody, as long as nobody is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Support {
    /// A telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// A page.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
}

impl Support {
    /// `options` checked.
    ///
    /// # Errors
    /// The first option that cannot be, by name.
    pub fn resolve(options: &SupportOptions) -> Result<Self, SettingsError> {
        let SupportOptions { phone, page } = options.clone();
        let fits = |text: &str| (1..=MAX_TEXT).contains(&text.chars().count());
        let is_phone = |text: &str| text.chars().all(|c| c.is_ascii_digit() || " +-()*#".contains(c));
        if phone.as_deref().is_some_and(|phone| !fits(phone) || !is_phone(phone)) {
            return Err(SettingsError::value(
                "support.phone",
                "must be a telephone number: digits, `+`, `-`, blanks",
            ));
        }
        let is_page = |text: &str| {
            let web = text.starts_with("https://") || text.starts_with("http://");
            web && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"'<>&".contains(c))
        };
        if page.as_deref().is_some_and(|page| !fits(page) || !is_page(page)) {
            let problem = "must be http:// or https://, at most 100 characters, without blanks, quotes, `&`, `<` and `>`";
            return Err(SettingsError::value("support.page", problem));
        }
        Ok(Self { phone, page })
    }

    /// Whether there is nobody.
    pub const fn is_empty(&self) -> bool {
        self.phone.is_none() && self.page.is_none()
    }

    /// Two lines, Chinese first; empty where there is nobody.
    pub fn text(&self) -> String {
        let said = |phone: &str, page: &str, comma: &str| {
            let phone = self.phone.as_ref().map(|number| format!("{phone}{number}"));
            let page = self.page.as_ref().map(|address| format!("{page}{address}"));
            phone.into_iter().chain(page).collect::<Vec<_>>().join(comma)
        };
        if self.is_empty() {
            return String::new();
        }
        format!("需要帮助：{}。\nHelp: {}\n", said("电话 ", "网页 ", "，"), said("telephone ", "", ", "))
    }

    /// The same as a paragraph of a page. What is in it was checked to be no markup.
    pub fn html(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let phone = |before: &str| {
            let link = |number: &String| {
                let dialled: String =
                    number.chars().filter(|c| c.is_ascii_digit() || "+*".contains(*c)).collect();
                format!("{before}<a href=\"tel:{dialled}\">{number}</a> ")
            };
            self.phone.as_ref().map(link).unwrap_or_default()
        };
        let page = |words: &str| {
            self.page.as_ref().map(|page| format!("<a href=\"{page}\">{words}</a>")).unwrap_or_default()
        };
        format!(
            "<p>需要帮助：{}{} <span lang=\"en\">Help: {}{}</span></p>\n",
            phone("电话 "),
            page("求助网页"),
            phone("telephone "),
            page("page")
        )
    }

    /// For programs; what is not set is not there.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("a plain struct");
        json.push(b'\n');
        json
    }
}
