//! Where a rule holds: the nation, a province, a city, a school.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest name of a city or a school, in characters.
const MAX_NAME: usize = 40;

macro_rules! regions {
    ($($variant:ident $id:literal $name:literal),* $(,)?) => {
        /// A province, autonomous region, municipality or special administrative region, or the XPCC, which has schools of its own
        /// all over Xinjiang and is a region here, although no code of a region names it. The one list of the project.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Region {
            $(#[doc = $name] $variant,)*
        }

        impl Region {
            /// All 35, in the order of their codes (GB/T 2260), the XPCC last.
            pub const ALL: [Self; 35] = [$(Self::$variant),*];

            /// In pinyin, as files and metrics write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// In Chinese.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

regions! {
    Beijing "beijing" "北京",
    Tianjin "tianjin" "天津",
    Hebei "hebei" "河北",
    Shanxi "shanxi" "山西",
    Neimenggu "neimenggu" "内蒙古",
    Liaoning "liaoning" "辽宁",
    Jilin "jilin" "吉林",
    Heilongjiang "heilongjiang" "黑龙江",
    Shanghai "shanghai" "上海",
    Jiangsu "jiangsu" "江苏",
    Zhejiang "zhejiang" "浙江",
    Anhui "anhui" "安徽",
    Fujian "fujian" "福建",
    Jiangxi "jiangxi" "江西",
    Shandong "shandong" "山东",
    Henan "henan" "河南",
    Hubei "hubei" "湖北",
    Hunan "hunan" "湖南",
    Guangdong "guangdong" "广东",
    Guangxi "guangxi" "广西",
    Hainan "hainan" "海南",
    Chongqing "chongqing" "重庆",
    Sichuan "sichuan" "四川",
    Guizhou "guizhou" "贵州",
    Yunnan "yunnan" "云南",
    Xizang "xizang" "西藏",
    Shaanxi "shaanxi" "陕西",
    Gansu "gansu" "甘肃",
    Qinghai "qinghai" "青海",
    Ningxia "ningxia" "宁夏",
    Xinjiang "xinjiang" "新疆",
    Taiwan "taiwan" "台湾",
    Xianggang "xianggang" "香港",
    Aomen "aomen" "澳门",
    Xpcc "xpcc" "新疆生产建设兵团",
}

/// A place in the order nation > province > city > school. Written as a path: `nation`, `hubei`, `hubei/wuhan`,
/// `hubei/wuhan/no-1`; provinces are read by their Chinese names too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// Everywhere.
    Nation,
    /// A province.
    Region(Region),
    /// A city in it.
    City(Region, String),
    /// A school in that.
    School(Region, String, String),
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place; write nation, a province (hubei, xpcc), PROVINCE/CITY or PROVINCE/CITY/SCHOOL, names of letters, digits and -"
)]
pub struct InvalidPlace(String);

/// A text that names no province.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no province; write it in pinyin (hubei, shaanxi for 陕西, shanxi for 山西, neimenggu, xpcc) or as it is called in Chinese"
)]
pub struct InvalidRegion(String);

impl Place {
    /// 0 for the nation to 3 for a school: the deeper of two rules is the nearer.
    pub const fn depth(&self) -> u8 {
        match self {
            Self::Nation => 0,
            Self::Region(_) => 1,
            Self::City(..) => 2,
            Self::School(..) => 3,
        }
    }

    /// What it lies in; `None` for the nation.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Nation => None,
            Self::Region(_) => Some(Self::Nation),
            Self::City(region, _) => Some(Self::Region(*region)),
            Self::School(region, city, _) => Some(Self::City(*region, city.clone())),
        }
    }

    /// The place and all that it lies in, nearest first, the nation last.
    pub fn upwards(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// Whether `other` is this place or lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        match self {
            Self::Nation => true,
            Self::Region(region) => other.region() == Some(*region),
            Self::City(region, city) => match other {
                Self::City(other, name) | Self::School(other, name, _) => (region, city) == (other, name),
                Self::Nation | Self::Region(_) => false,
            },
            Self::School(..) => self == other,
        }
    }

    /// The province; `None` for the nation.
    pub const fn region(&self) -> Option<Region> {
        match self {
            Self::Nation => None,
            Self::Region(region) | Self::City(region, _) | Self::School(region, ..) => Some(*region),
        }
    }
}

impl Region {
    /// Whether the nation's rules for schools hold there; Taiwan, Hong Kong and Macao have their own.
    pub const fn has_the_nations_schools(self) -> bool {
        !matches!(self, Self::Taiwan | Self::Xianggang | Self::Aomen)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        let named = Self::ALL.into_iter().find(|region| text == region.as_str() || text == region.name());
        named.ok_or_else(|| InvalidRegion(shortened(text)))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let parts: Vec<&str> = text.split('/').collect();
        let name = |part: &str| is_name(part).then(|| part.to_owned()).ok_or_else(|| invalid(text));
        let region = |part: &str| part.parse().map_err(|InvalidRegion(_)| invalid(text));
        match parts[..] {
            ["nation" | "全国"] => Ok(Self::Nation),
            [province] => Ok(Self::Region(region(province)?)),
            [province, city] => Ok(Self::City(region(province)?, name(city)?)),
            [province, city, school] => Ok(Self::School(region(province)?, name(city)?, name(school)?)),
            _ => Err(invalid(text)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nation => f.write_str("nation"),
            Self::Region(region) => region.fmt(f),
            Self::City(region, city) => write!(f, "{region}/{city}"),
            Self::School(region, city, school) => write!(f, "{region}/{city}/{school}"),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = InvalidPlace;

    fn try_from(text: String) -> Result<Self, InvalidPlace> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

fn is_name(part: &str) -> bool {
    (1..=MAX_NAME).contains(&part.chars().count()) && part.chars().all(|c| c.is_alphanumeric() || c == '-')
}

fn invalid(text: &str) -> InvalidPlace {
    InvalidPlace(shortened(text))
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_paths() {
        for text in ["nation", "hubei", "hubei/wuhan", "hubei/wuhan/no-1", "xpcc"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!("湖北/武汉".parse::<Place>().unwrap().to_string(), "hubei/武汉");
        assert_eq!("新疆生产建设兵团".parse(), Ok(Place::Region(Region::Xpcc)));
        for text in ["", "hubei/", "/", "atlantis", "hubei/a b", "hubei/a/b/c", "hubei/..", "nation/hubei"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
        for region in Region::ALL {
            assert_eq!(serde_json::to_value(region).unwrap(), region.as_str());
        }
    }

    #[test]
    fn what_lies_in_what() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        for (outer, inner, covers) in [
            ("nation", "nation", true),
            ("nation", "xpcc", true),
            ("hubei", "hubei/wuhan/no-1", true),
            ("hubei", "hunan", false),
            ("hubei/wuhan", "hubei", false),
            ("xinjiang", "xpcc", false),
        ] {
            assert_eq!(place(outer).covers(&place(inner)), covers, "{outer} {inner}");
        }
        let up: Vec<_> = place("hubei/wuhan/no-1").upwards().map(|place| place.to_string()).collect();
        assert_eq!(up, ["hubei/wuhan/no-1", "hubei/wuhan", "hubei", "nation"]);
    }
}
