//! Decimals in `numeric`'s binary format: how many base-10,000 digits there are, the
//! weight of the first, the sign, how many decimal places are shown, then the digits.

use bytes::{BufMut, BytesMut};
use mainstay_core::{Decimal, Error, Type};

use super::{out_of_range, wrong};

const BASE: u64 = 10_000;
/// Decimal digits in one digit of the format.
const WIDTH: u8 = 4;
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;

/// Appends a decimal.
pub(super) fn write(value: Decimal, out: &mut BytesMut) {
    // The point falls between two digits of the format once the scale is a multiple
    // of four: 18 digits and three more still fit in 128 bits.
    let padding = (WIDTH - value.scale % WIDTH) % WIDTH;
    let mut rest = u128::from(value.units.unsigned_abs()) * 10_u128.pow(u32::from(padding));
    let mut digits: Vec<u16> = Vec::with_capacity(8);
    while rest > 0 {
        digits.push(u16::try_from(rest % u128::from(BASE)).unwrap_or(0));
        rest /= u128::from(BASE);
    }
    let places = i16::from((value.scale + padding) / WIDTH);
    let count = i16::try_from(digits.len()).unwrap_or(0);
    let weight = count - places - 1;
    out.put_i16(count);
    out.put_i16(if count == 0 { 0 } else { weight });
    out.put_u16(if value.units < 0 { NEGATIVE } else { POSITIVE });
    out.put_u16(u16::from(value.scale));
    for digit in digits.iter().rev() {
        out.put_u16(*digit);
    }
}

/// Reads a decimal at a scale; digits beyond it are rounded, halves away from zero.
pub(super) fn read(bytes: &[u8], scale: u8) -> Result<Decimal, Error> {
    let kind = Type::Decimal { precision: 18, scale };
    let word = |at: usize| -> Result<u16, Error> {
        let bytes = bytes.get(at * 2..at * 2 + 2).ok_or_else(|| wrong(kind))?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let count = usize::from(word(0)?);
    #[expect(clippy::cast_possible_wrap, reason = "the format's weight is signed")]
    let weight = i32::from(word(1)? as i16);
    let negative = match word(2)? {
        POSITIVE => false,
        NEGATIVE => true,
        _ => return Err(out_of_range(kind)),
    };
    // The value is the digits as one whole number × 10^exponent.
    let mut whole: i128 = 0;
    for at in 0..count {
        whole = whole
            .checked_mul(i128::from(BASE))
            .and_then(|whole| whole.checked_add(word(4 + at).ok()?.into()))
            .ok_or_else(|| out_of_range(kind))?;
    }
    let count = i32::try_from(count).map_err(|_| out_of_range(kind))?;
    let exponent = (weight + 1 - count) * i32::from(WIDTH) + i32::from(scale);
    let units = scaled(whole, exponent).ok_or_else(|| out_of_range(kind))?;
    let units = if negative { -units } else { units };
    let units = i64::try_from(units).map_err(|_| out_of_range(kind))?;
    Ok(Decimal { units, scale })
}

/// `whole × 10^exponent`, rounded to a whole number.
fn scaled(whole: i128, exponent: i32) -> Option<i128> {
    if whole == 0 {
        return Some(0);
    }
    let power = |digits: u32| 10_i128.checked_pow(digits);
    if exponent >= 0 {
        return whole.checked_mul(power(exponent.unsigned_abs())?);
    }
    match power(exponent.unsigned_abs()) {
        Some(divisor) => Some((whole + divisor / 2) / divisor),
        None => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for units in [0, 1, -1, 9_999, 10_000, -123_456_789, 999_999_999_999_999_999] {
            for scale in 0..=18 {
                let value = Decimal { units, scale };
                let mut out = BytesMut::new();
                write(value, &mut out);
                assert_eq!(read(&out, scale).unwrap(), value, "{units} at {scale}");
            }
        }
    }

    #[test]
    fn digits_beyond_the_scale_are_rounded_away_from_zero() {
        let mut out = BytesMut::new();
        write(Decimal { units: -12_345, scale: 3 }, &mut out);
        assert_eq!(read(&out, 2).unwrap(), Decimal { units: -1_235, scale: 2 });
        assert_eq!(read(&out, 0).unwrap(), Decimal { units: -12, scale: 0 });
    }
}
