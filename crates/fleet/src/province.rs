//! Which provinces lie beside which. The list itself is `timetable`'s, as everywhere: places of a timetable, of an account and of a
//! node are the same.

use timetable::Region;

/// A province, as a token, a certificate and a network name it.
pub type Province = Region;

/// Those beside `province`, over land or by the nearest ferry; the XPCC lies in Xinjiang.
#[rustfmt::skip]
pub const fn neighbours(province: Province) -> &'static [Province] {
    use Region::*;
    match province {
        Beijing => &[Hebei, Tianjin],
        Tianjin => &[Beijing, Hebei],
        Hebei => &[Beijing, Henan, Liaoning, Neimenggu, Shandong, Shanxi, Tianjin],
        Shanxi => &[Hebei, Henan, Neimenggu, Shaanxi],
        Neimenggu => &[Gansu, Hebei, Heilongjiang, Jilin, Liaoning, Ningxia, Shaanxi, Shanxi],
        Liaoning => &[Hebei, Jilin, Neimenggu],
        Jilin => &[Heilongjiang, Liaoning, Neimenggu],
        Heilongjiang => &[Jilin, Neimenggu],
        Shanghai => &[Jiangsu, Zhejiang],
        Jiangsu => &[Anhui, Shandong, Shanghai, Zhejiang],
        Zhejiang => &[Anhui, Fujian, Jiangsu, Jiangxi, Shanghai],
        Anhui => &[Henan, Hubei, Jiangsu, Jiangxi, Shandong, Zhejiang],
        Fujian => &[Guangdong, Jiangxi, Taiwan, Zhejiang],
        Jiangxi => &[Anhui, Fujian, Guangdong, Hubei, Hunan, Zhejiang],
        Shandong => &[Anhui, Hebei, Henan, Jiangsu],
        Henan => &[Anhui, Hebei, Hubei, Shaanxi, Shandong, Shanxi],
        Hubei => &[Anhui, Chongqing, Henan, Hunan, Jiangxi, Shaanxi],
        Hunan => &[Chongqing, Guangdong, Guangxi, Guizhou, Hubei, Jiangxi],
        Guangdong => &[Aomen, Fujian, Guangxi, Hainan, Hunan, Jiangxi, Xianggang],
        Guangxi => &[Guangdong, Guizhou, Hunan, Yunnan],
        Hainan => &[Guangdong],
        Chongqing => &[Guizhou, Hubei, Hunan, Shaanxi, Sichuan],
        Sichuan => &[Chongqing, Gansu, Guizhou, Qinghai, Shaanxi, Xizang, Yunnan],
        Guizhou => &[Chongqing, Guangxi, Hunan, Sichuan, Yunnan],
        Yunnan => &[Guangxi, Guizhou, Sichuan, Xizang],
        Xizang => &[Qinghai, Sichuan, Xinjiang, Yunnan],
        Shaanxi => &[Chongqing, Gansu, Henan, Hubei, Neimenggu, Ningxia, Shanxi, Sichuan],
        Gansu => &[Neimenggu, Ningxia, Qinghai, Shaanxi, Sichuan, Xinjiang],
        Qinghai => &[Gansu, Sichuan, Xinjiang, Xizang],
        Ningxia => &[Gansu, Neimenggu, Shaanxi],
        Xinjiang => &[Gansu, Qinghai, Xizang, Xpcc],
        Taiwan => &[Fujian],
        Xianggang => &[Aomen, Guangdong],
        Aomen => &[Guangdong, Xianggang],
        Xpcc => &[Xinjiang],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_know_each_other() {
        for province in Province::ALL {
            let beside = neighbours(province);
            assert!(!beside.is_empty() && !beside.contains(&province), "{province}");
            assert!(beside.iter().all(|&other| neighbours(other).contains(&province)), "{province}");
        }
    }
}
