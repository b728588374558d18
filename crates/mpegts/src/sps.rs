//! The one number of a sequence parameter set that a transport stream needs (ITU-T H.264 7.3.2.1.1, E.1.1).

use crate::error::RemuxError;

/// A set longer than this is none: with scaling lists and HRD parameters it takes a few hundred bytes.
const MAX_SET: usize = 4_096;
/// No decoder holds more pictures (ITU-T H.264 A.3.1).
const MAX_REORDERED: u32 = 16;

/// How many pictures may be decoded before one that is shown earlier: `max_num_reorder_frames`.
///
/// Where the set does not tell it, it follows where nothing can be reordered: in the Baseline profile, with picture
/// order type 2, and in all-intra profiles (E.2.1).
pub(crate) fn reordered(set: &[u8]) -> Result<u32, RemuxError> {
    if set.len() > MAX_SET || set.first().map(|header| header & 0x1f) != Some(7) {
        return Err(RemuxError::Configuration("no sequence parameter set where one should be"));
    }
    let payload = unescaped(&set[1..]);
    let told = read(&mut Bits { bytes: &payload, at: 0 })
        .ok_or(RemuxError::Configuration("a sequence parameter set that ends too early"))?;
    match told {
        Told::Reordered(count) if count <= MAX_REORDERED => Ok(count),
        Told::Reordered(_) => Err(RemuxError::Configuration("more reordered pictures than a decoder holds")),
        Told::Nothing => Err(RemuxError::Reordering),
    }
}

enum Told {
    Reordered(u32),
    Nothing,
}

/// Without the bytes that keep start codes from appearing inside (7.4.1.1).
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

/// `None`: the set ends too early, or counts what cannot be.
fn read(bits: &mut Bits<'_>) -> Option<Told> {
    let profile = bits.u(8)?;
    let constraints = bits.u(8)?;
    bits.u(8)?; // level
    bits.ue()?; // seq_parameter_set_id
    if matches!(profile, 44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244) {
        chroma(bits)?;
    }
    bits.ue()?; // log2_max_frame_num_minus4
    let order_type = picture_order(bits)?;
    bits.ue()?; // max_num_ref_frames
    bits.u(1)?; // gaps_in_frame_num_value_allowed_flag
    bits.ue()?; // pic_width_in_mbs_minus1
    bits.ue()?; // pic_height_in_map_units_minus1
    if bits.u(1)? == 0 {
        bits.u(1)?; // mb_adaptive_frame_field_flag
    }
    bits.u(1)?; // direct_8x8_inference_flag
    if bits.u(1)? == 1 {
        for _ in 0..4 {
            bits.ue()?; // frame_crop_*_offset
        }
    }
    if bits.u(1)? == 1
        && let Some(count) = usability(bits)?
    {
        return Some(Told::Reordered(count));
    }
    let intra_only = constraints & 0x10 != 0 && matches!(profile, 44 | 86 | 100 | 110 | 122 | 244);
    Some(if profile == 66 || order_type == 2 || intra_only { Told::Reordered(0) } else { Told::Nothing })
}

fn chroma(bits: &mut Bits<'_>) -> Option<()> {
    let format = bits.ue()?;
    if format == 3 {
        bits.u(1)?; // separate_colour_plane_flag
    }
    bits.ue()?; // bit_depth_luma_minus8
    bits.ue()?; // bit_depth_chroma_minus8
    bits.u(1)?; // qpprime_y_zero_transform_bypass_flag
    if bits.u(1)? == 1 {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.u(1)? == 1 {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(())
}

/// 7.3.2.1.1.1.
fn scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.se()? + 256).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

fn picture_order(bits: &mut Bits<'_>) -> Option<u32> {
    let order_type = bits.ue()?;
    match order_type {
        0 => {
            bits.ue()?; // log2_max_pic_order_cnt_lsb_minus4
        }
        1 => {
            bits.u(1)?; // delta_pic_order_always_zero_flag
            bits.se()?; // offset_for_non_ref_pic
            bits.se()?; // offset_for_top_to_bottom_field
            // num_ref_frames_in_pic_order_cnt_cycle is at most 255 (7.4.2.1.1).
            for _ in 0..Some(bits.ue()?).filter(|&frames| frames <= 255)? {
                bits.se()?;
            }
        }
        _ => {}
    }
    Some(order_type)
}

/// Video usability information (E.1.1) up to `max_num_reorder_frames`; `None` inside when it is not told.
fn usability(bits: &mut Bits<'_>) -> Option<Option<u32>> {
    if bits.u(1)? == 1 && bits.u(8)? == 255 {
        bits.u(32)?; // sar_width, sar_height
    }
    if bits.u(1)? == 1 {
        bits.u(1)?; // overscan_appropriate_flag
    }
    if bits.u(1)? == 1 {
        bits.u(4)?; // video_format, video_full_range_flag
        if bits.u(1)? == 1 {
            bits.u(24)?; // colour_primaries, transfer_characteristics, matrix_coefficients
        }
    }
    if bits.u(1)? == 1 {
        bits.ue()?; // chroma_sample_loc_type_top_field
        bits.ue()?; // chroma_sample_loc_type_bottom_field
    }
    if bits.u(1)? == 1 {
        bits.u(32)?; // num_units_in_tick
        bits.u(32)?; // time_scale
        bits.u(1)?; // fixed_frame_rate_flag
    }
    let nal = hypothetical_decoder(bits)?;
    let vcl = hypothetical_decoder(bits)?;
    if nal || vcl {
        bits.u(1)?; // low_delay_hrd_flag
    }
    bits.u(1)?; // pic_struct_present_flag
    if bits.u(1)? == 0 {
        return Some(None);
    }
    bits.u(1)?; // motion_vectors_over_pic_boundaries_flag
    for _ in 0..4 {
        bits.ue()?; // max_bytes_per_pic_denom to log2_max_mv_length_vertical
    }
    Some(Some(bits.ue()?))
}

/// HRD parameters (E.1.2); whether they are there.
fn hypothetical_decoder(bits: &mut Bits<'_>) -> Option<bool> {
    if bits.u(1)? == 0 {
        return Some(false);
    }
    // cpb_cnt_minus1 is at most 31 (E.2.2).
    let buffers = Some(bits.ue()?).filter(|&count| count <= 31)? + 1;
    bits.u(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..buffers {
        bits.ue()?; // bit_rate_value_minus1
        bits.ue()?; // cpb_size_value_minus1
        bits.u(1)?; // cbr_flag
    }
    bits.u(20)?; // three lengths of delays, time_offset_length
    Some(true)
}

/// Bits from the most significant on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn u(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// Exp-Golomb (9.1).
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.u(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        // At most 2³² − 2 with 31 zeros in front.
        Some(((1_u64 << zeros) - 1 + u64::from(self.u(zeros)?)) as u32)
    }

    fn se(&mut self) -> Option<i64> {
        let code = i64::from(self.ue()?);
        Some(if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x264_says_how_many_pictures_it_reorders() {
        for (set, want) in [
            // High, three B pictures with one of them a reference.
            ("6764001facd9405005bb011000000300100000030320f1831960", Ok(2)),
            ("67", Err(RemuxError::Configuration("a sequence parameter set that ends too early"))),
            ("68ebe3cb22c0", Err(RemuxError::Configuration("no sequence parameter set where one should be"))),
            ("", Err(RemuxError::Configuration("no sequence parameter set where one should be"))),
        ] {
            let bytes: Vec<u8> = (0..set.len() / 2)
                .map(|at| u8::from_str_radix(&set[at * 2..at * 2 + 2], 16).unwrap())
                .collect();
            assert_eq!(reordered(&bytes), want, "{set}");
        }
    }
}
