//! The provinces, in pinyin as carriers write them, and which lie beside which.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A province, an autonomous region, a municipality or a special administrative region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Province(u8);

/// Pinyin (the two that sound alike as the standard tells them apart), name, neighbours over land or by the nearest ferry.
#[rustfmt::skip]
const ALL: [(&str, &str, &[&str]); 34] = [
    ("anhui", "安徽", &["henan", "hubei", "jiangsu", "jiangxi", "shandong", "zhejiang"]),
    ("aomen", "澳门", &["guangdong", "xianggang"]),
    ("beijing", "北京", &["hebei", "tianjin"]),
    ("chongqing", "重庆", &["guizhou", "hubei", "hunan", "shaanxi", "sichuan"]),
    ("fujian", "福建", &["guangdong", "jiangxi", "taiwan", "zhejiang"]),
    ("gansu", "甘肃", &["neimenggu", "ningxia", "qinghai", "shaanxi", "sichuan", "xinjiang"]),
    ("guangdong", "广东", &["aomen", "fujian", "guangxi", "hainan", "hunan", "jiangxi", "xianggang"]),
    ("guangxi", "广西", &["guangdong", "guizhou", "hunan", "yunnan"]),
    ("guizhou", "贵州", &["chongqing", "guangxi", "hunan", "sichuan", "yunnan"]),
    ("hainan", "海南", &["guangdong"]),
    ("hebei", "河北", &["beijing", "henan", "liaoning", "neimenggu", "shandong", "shanxi", "tianjin"]),
    ("heilongjiang", "黑龙江", &["jilin", "neimenggu"]),
    ("henan", "河南", &["anhui", "hebei", "hubei", "shaanxi", "shandong", "shanxi"]),
    ("hubei", "湖北", &["anhui", "chongqing", "henan", "hunan", "jiangxi", "shaanxi"]),
    ("hunan", "湖南", &["chongqing", "guangdong", "guangxi", "guizhou", "hubei", "jiangxi"]),
    ("jiangsu", "江苏", &["anhui", "shandong", "shanghai", "zhejiang"]),
    ("jiangxi", "江西", &["anhui", "fujian", "guangdong", "hubei", "hunan", "zhejiang"]),
    ("jilin", "吉林", &["heilongjiang", "liaoning", "neimenggu"]),
    ("liaoning", "辽宁", &["hebei", "jilin", "neimenggu"]),
    ("neimenggu", "内蒙古", &["gansu", "hebei", "heilongjiang", "jilin", "liaoning", "ningxia", "shaanxi", "shanxi"]),
    ("ningxia", "宁夏", &["gansu", "neimenggu", "shaanxi"]),
    ("qinghai", "青海", &["gansu", "sichuan", "xinjiang", "xizang"]),
    ("shaanxi", "陕西", &["chongqing", "gansu", "henan", "hubei", "neimenggu", "ningxia", "shanxi", "sichuan"]),
    ("shandong", "山东", &["anhui", "hebei", "henan", "jiangsu"]),
    ("shanghai", "上海", &["jiangsu", "zhejiang"]),
    ("shanxi", "山西", &["hebei", "henan", "neimenggu", "shaanxi"]),
    ("sichuan", "四川", &["chongqing", "gansu", "guizhou", "qinghai", "shaanxi", "xizang", "yunnan"]),
    ("taiwan", "台湾", &["fujian"]),
    ("tianjin", "天津", &["beijing", "hebei"]),
    ("xianggang", "香港", &["aomen", "guangdong"]),
    ("xinjiang", "新疆", &["gansu", "qinghai", "xizang"]),
    ("xizang", "西藏", &["qinghai", "sichuan", "xinjiang", "yunnan"]),
    ("yunnan", "云南", &["guangxi", "guizhou", "sichuan", "xizang"]),
    ("zhejiang", "浙江", &["anhui", "fujian", "jiangsu", "jiangxi", "shanghai"]),
];

impl Province {
    /// All of them, by pinyin.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ALL.len()).map(|at| Self(at as u8))
    }

    /// In pinyin, as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        ALL[usize::from(self.0)].0
    }

    /// For people.
    pub fn name(self) -> &'static str {
        ALL[usize::from(self.0)].1
    }

    /// Those beside it.
    pub fn neighbours(self) -> impl Iterator<Item = Self> {
        ALL[usize::from(self.0)].2.iter().filter_map(|name| name.parse().ok())
    }
}

impl FromStr for Province {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = ALL.binary_search_by(|(name, ..)| (*name).cmp(text));
        found.map(|at| Self(at as u8)).map_err(|_| {
            format!("{text:?} is no province; give it in pinyin, as hubei, shaanxi (陕西), shanxi (山西), neimenggu")
        })
    }
}

impl TryFrom<String> for Province {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Province> for String {
    fn from(province: Province) -> Self {
        province.as_str().to_owned()
    }
}

impl fmt::Display for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_know_each_other_and_names_are_in_order() {
        assert!(ALL.is_sorted_by(|(one, ..), (other, ..)| one < other));
        for province in Province::all() {
            let named = ALL[usize::from(province.0)].2.len();
            assert_eq!(province.neighbours().count(), named, "{province}: a neighbour is misspelt");
            assert!(
                named > 0
                    && province.neighbours().all(|other| other.neighbours().any(|back| back == province))
            );
            assert_eq!(province.as_str().parse(), Ok(province));
        }
        assert!("Hubei".parse::<Province>().is_err() && "xinjiangbingtuan".parse::<Province>().is_err());
    }
}
