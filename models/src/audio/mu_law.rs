//! μ-law: 16-bit samples as 256 codes, fine near silence and coarse where it is loud.
//!
//! `f(x) = sign(x)·ln(1 + μ|x|)/ln(1 + μ)` of x in −1..1 with μ = 255; the code is `round((f + 1)/2·μ)`. A code is played as the middle
//! of what it was made of by the inverse, `sign(y)·((1 + μ)^|y| − 1)/μ` with `y = 2c/μ − 1`. This is the continuous formula that
//! WaveNet and the audio libraries use, not the segments of telephony (ITU-T G.711).
//!
//! Source: van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, section 2.2.

/// μ.
const MU: f64 = 255.0;

/// Codes: 0 to 255, silence between 127 and 128.
pub const CODES: usize = 256;

/// The code of a 16-bit sample. −32,768 is −1.
pub fn code(sample: i16) -> u8 {
    let x = f64::from(sample) / 32_768.0;
    let y = (MU * x.abs()).ln_1p() / MU.ln_1p();
    ((y.copysign(x) + 1.0) / 2.0 * MU).round() as u8
}

/// The value that a code is played as, from −1 to 1.
pub fn value(code: u8) -> f64 {
    let y = 2.0 * f64::from(code) / MU - 1.0;
    ((y.abs() * MU.ln_1p()).exp_m1() / MU).copysign(y)
}

/// The 16-bit sample that a code is played as.
pub fn sample(code: u8) -> i16 {
    (value(code) * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_that_of_what_it_is_played_as() {
        for c in 0..=255 {
            assert_eq!(code(sample(c)), c);
        }
    }

    #[test]
    fn louder_has_a_larger_code_and_silence_is_in_the_middle() {
        let codes: Vec<u8> = (i16::MIN..=i16::MAX).map(code).collect();
        assert!(codes.is_sorted());
        assert_eq!((codes[0], codes[65_535], code(0)), (0, 255, 128));
        assert_eq!([code(-1), code(1), code(1000), code(-1000)], [127, 128, 177, 78]);
    }

    #[test]
    fn no_sample_lies_so_near_a_border_that_another_logarithm_could_move_it() {
        for sample in i16::MIN..=i16::MAX {
            let x = f64::from(sample) / 32_768.0;
            let y = ((MU * x.abs()).ln_1p() / MU.ln_1p()).copysign(x);
            let exact = (y + 1.0) / 2.0 * MU;
            let border = (exact - exact.floor() - 0.5).abs();
            assert!(border > 1e-9 || sample == 0, "{sample}: {exact}");
        }
    }

    #[test]
    fn what_is_lost_is_at_most_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let x = f64::from(sample) / 32_768.0;
            // A step at x is 2·ln(256)/255² · (1 + 255|x|).
            let step = 2.0 * 256f64.ln() / (255.0 * 255.0) * (1.0 + 255.0 * x.abs());
            assert!((value(code(sample)) - x).abs() < 0.51 * step + 1e-4, "{sample}");
        }
    }
}
