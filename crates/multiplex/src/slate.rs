//! Grey and silence, made by hand: what is on when nothing is there to be on.
//!
//! A slate that says something is a package like any other. This one is for when not even that can be had, and it needs no
//! encoder: a grey picture is the same eight bits for each macroblock, and "nothing has changed" is five bytes.

mod bits;

use crate::media::{Coded, Media};
use bits::Bits;
use grid::{AAC_FRAMES_PER_SEGMENT, FrameRate};
use mpegts::Frame;

/// Delimiter of an access unit (ITU-T H.264 7.3.2.4), which 2.14.1 asks for.
const DELIMITER: [u8; 6] = [0, 0, 0, 1, 9, 0xf0];
/// Silence in stereo, AAC-LC at 48 kHz, with its ADTS header (ISO/IEC 14496-3 1.A.2.2.1, 4.4.2): a channel pair whose
/// channels have no bands, and the end.
const SILENCE: [u8; 14] = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0xdf, 0xfc, 0x20, 0, 0, 0, 0, 0, 0x0e];

/// One segment of `width` by `height` pixels, 25 pictures a second. Every segment is the same.
///
/// Sizes are those of rungs: even, and at most 1920 by 1080.
pub fn slate(width: u32, height: u32) -> Media {
    let rate = FrameRate::Fps25;
    let ticks = 90_000 / u64::from(rate.per_second());
    let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
    let picture = |index: u32| {
        let mut bytes = DELIMITER.to_vec();
        if index == 0 {
            bytes.extend(sequence(width, height));
            bytes.extend(unit(0x68, parameters()));
            bytes.extend(unit(0x65, grey(columns * rows)));
        } else {
            bytes.extend(unit(0x41, unchanged(index, columns * rows)));
        }
        let shown = u64::from(index) * ticks;
        // Nothing is reordered, but times of all programmes are alike.
        Coded { decoded: shown, shown, idr: index == 0, bytes }
    };
    let frame = |index| Frame { shown: u64::from(index) * 1_920, bytes: SILENCE.to_vec() };
    Media {
        pictures: (0..rate.per_segment()).map(picture).collect(),
        sound: (0..AAC_FRAMES_PER_SEGMENT).map(frame).collect(),
    }
}

/// A NAL unit behind its start code.
fn unit(header: u8, payload: Bits) -> Vec<u8> {
    let mut unit = vec![0, 0, 0, 1, header];
    unit.extend(payload.escaped());
    unit
}

/// 7.3.2.1.1: constrained Baseline, level 4.0, order of decoding is order of showing (picture order type 2).
fn sequence(width: u32, height: u32) -> Vec<u8> {
    let mut set = Bits::default();
    set.u(8, 66).u(8, 0xc0).u(8, 40);
    set.ue(0); // seq_parameter_set_id
    set.ue(4); // log2_max_frame_num_minus4: eight bits, more than a segment's 120
    set.ue(2); // pic_order_cnt_type
    set.ue(1); // max_num_ref_frames
    set.u(1, 0); // gaps_in_frame_num_value_allowed_flag
    let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
    set.ue(columns - 1).ue(rows - 1);
    set.u(1, 1); // frame_mbs_only_flag
    set.u(1, 1); // direct_8x8_inference_flag
    let (right, bottom) = (columns * 16 - width, rows * 16 - height);
    if right + bottom > 0 {
        // In pairs of pixels.
        set.u(1, 1).ue(0).ue(right / 2).ue(0).ue(bottom / 2);
    } else {
        set.u(1, 0);
    }
    set.u(1, 0); // vui_parameters_present_flag
    unit(0x67, set)
}

/// 7.3.2.2: CAVLC, one slice group, filter controlled by slices.
fn parameters() -> Bits {
    let mut set = Bits::default();
    set.ue(0).ue(0); // both ids
    set.u(1, 0).u(1, 0); // entropy_coding_mode_flag, bottom_field_pic_order_in_frame_present_flag
    set.ue(0); // num_slice_groups_minus1
    set.ue(0).ue(0); // num_ref_idx_l0/l1_default_active_minus1
    set.u(1, 0).u(2, 0); // weighted_pred_flag, weighted_bipred_idc
    set.se(0).se(0).se(0); // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
    set.u(1, 1).u(1, 0).u(1, 0); // deblocking_filter_control_present_flag, constrained_intra_pred_flag, redundant_pic_cnt
    set
}

/// 7.3.3, 7.3.5: an IDR slice of macroblocks that are the mean of their neighbours, and the first of no neighbour: 128.
fn grey(macroblocks: u32) -> Bits {
    let mut slice = Bits::default();
    slice.ue(0).ue(7).ue(0); // first_mb_in_slice, slice_type I, pic_parameter_set_id
    slice.u(8, 0).ue(0); // frame_num, idr_pic_id
    slice.u(1, 0).u(1, 0); // no_output_of_prior_pics_flag, long_term_reference_flag
    slice.se(0).ue(1); // slice_qp_delta, disable_deblocking_filter_idc
    for _ in 0..macroblocks {
        // mb_type I_16x16_2_0_0, intra_chroma_pred_mode DC, mb_qp_delta 0, coeff_token: none.
        slice.ue(3).ue(0).se(0).u(1, 1);
    }
    slice
}

/// A P slice whose macroblocks are all skipped: picture `index` of the segment is the one before.
fn unchanged(index: u32, macroblocks: u32) -> Bits {
    let mut slice = Bits::default();
    slice.ue(0).ue(5).ue(0); // first_mb_in_slice, slice_type P, pic_parameter_set_id
    slice.u(8, index); // frame_num
    slice.u(1, 0).u(1, 0).u(1, 0); // num_ref_idx_override, ref_pic_list_modification, adaptive_ref_pic_marking
    slice.se(0).ue(1); // slice_qp_delta, disable_deblocking_filter_idc
    slice.ue(macroblocks); // mb_skip_run
    slice
}
