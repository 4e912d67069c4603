//! `string.pack`, `string.packsize` and `string.unpack`.

use crate::call::Call;
use crate::value::Value;
use crate::vm::{Raised, Result};

/// An item of a format.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Item {
    Int {
        bytes: usize,
        signed: bool,
    },
    Float,
    Double,
    /// A string of fixed size.
    Fixed(usize),
    /// A string with its length before it.
    Counted(usize),
    ZeroEnded,
    PadByte,
    /// Alignment as of the item behind.
    Align,
    Nothing,
}

struct Format<'a> {
    text: &'a [u8],
    at: usize,
    little: bool,
    max_align: usize,
}

/// Bytes that an item may take at most.
const MAX_SIZE: usize = i32::MAX as usize;
/// Bytes of an integer.
const MAX_INT: usize = 16;

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Format<'a> {
        Format { text, at: 0, little: cfg!(target_endian = "little"), max_align: 1 }
    }

    fn number(&mut self) -> Option<usize> {
        let mut value = None;
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.at) {
            value = Some(value.unwrap_or(0) * 10 + usize::from(digit - b'0'));
            self.at += 1;
            if value > Some((MAX_SIZE - 9) / 10) {
                break;
            }
        }
        value
    }

    fn int_size(&mut self, call: &Call, default: usize) -> Result<usize> {
        match self.number() {
            None => Ok(default),
            Some(bytes @ 1..=MAX_INT) => Ok(bytes),
            Some(bytes) => Err(call.fail(format!("integral size ({bytes}) out of limits [1,{MAX_INT}]"))),
        }
    }

    fn item(&mut self, call: &Call) -> Result<Item> {
        let option = self.text[self.at];
        self.at += 1;
        let int = |bytes, signed| Item::Int { bytes, signed };
        Ok(match option {
            b'b' => int(1, true),
            b'B' => int(1, false),
            b'h' => int(2, true),
            b'H' => int(2, false),
            b'i' => int(self.int_size(call, 4)?, true),
            b'I' => int(self.int_size(call, 4)?, false),
            b'l' | b'j' => int(8, true),
            b'L' | b'J' | b'T' => int(8, false),
            b'f' => Item::Float,
            b'd' | b'n' => Item::Double,
            b's' => Item::Counted(self.int_size(call, 8)?),
            b'c' => match self.number() {
                Some(bytes) => Item::Fixed(bytes),
                None => return Err(call.fail("missing size for format option 'c'")),
            },
            b'z' => Item::ZeroEnded,
            b'x' => Item::PadByte,
            b'X' => Item::Align,
            b' ' => Item::Nothing,
            b'<' => {
                self.little = true;
                Item::Nothing
            }
            b'>' => {
                self.little = false;
                Item::Nothing
            }
            b'=' => {
                self.little = cfg!(target_endian = "little");
                Item::Nothing
            }
            b'!' => {
                self.max_align = self.int_size(call, 8)?;
                Item::Nothing
            }
            other => return Err(call.fail(format!("invalid format option '{}'", other as char))),
        })
    }

    /// The next item, its size if that is fixed, and the padding before it.
    fn next(&mut self, call: &Call, total: usize) -> Result<Option<(Item, usize, usize)>> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let item = self.item(call)?;
        let mut align = 1;
        match item {
            Item::Align => {
                let next = if self.at < self.text.len() { self.item(call)? } else { Item::Nothing };
                align = aligned_size(next);
                if align == 0 {
                    return Err(call.bad(0, "invalid next option for option 'X'"));
                }
            }
            Item::Int { .. } | Item::Float | Item::Double | Item::Counted(_) => align = aligned_size(item),
            _ => {}
        }
        let align = align.min(self.max_align);
        let mut padding = 0;
        if align > 1 {
            if !align.is_power_of_two() {
                return Err(call.bad(0, "format asks for alignment not power of 2"));
            }
            padding = total.wrapping_neg() & (align - 1);
        }
        let size = match item {
            Item::Int { bytes, .. } | Item::Fixed(bytes) => bytes,
            Item::Float => 4,
            Item::Double => 8,
            Item::Counted(bytes) => bytes,
            Item::PadByte => 1,
            _ => 0,
        };
        Ok(Some((item, size, padding)))
    }
}

fn aligned_size(item: Item) -> usize {
    match item {
        Item::Int { bytes, .. } | Item::Counted(bytes) => bytes,
        Item::Float => 4,
        Item::Double => 8,
        _ => 0,
    }
}

fn push_int(out: &mut Vec<u8>, int: i64, bytes: usize, little: bool) {
    let start = out.len();
    let fill = if int < 0 { 0xFF } else { 0 };
    let all = int.to_le_bytes();
    out.extend((0..bytes).map(|index| all.get(index).copied().unwrap_or(fill)));
    if !little {
        out[start..].reverse();
    }
}

pub fn pack(call: Call) -> Result<usize> {
    let mut format = Format::new(call.bytes(0)?);
    let mut out = Vec::new();
    let mut arg = 0;
    while let Some((item, size, padding)) = format.next(&call, out.len())? {
        out.resize(out.len() + padding, 0);
        match item {
            Item::PadByte => {
                out.push(0);
                continue;
            }
            Item::Align | Item::Nothing => continue,
            _ => arg += 1,
        }
        if arg >= call.count {
            let kind = if let Item::Fixed(_) | Item::Counted(_) | Item::ZeroEnded = item {
                "string"
            } else {
                "number"
            };
            return Err(call.bad(arg, format!("{kind} expected, got nil")));
        }
        match item {
            Item::Int { bytes, signed } => {
                let int = call.int(arg)?;
                if bytes < 8 {
                    let limit = 1i64 << (bytes * 8 - 1);
                    if signed && !(-limit..limit).contains(&int) {
                        return Err(call.bad(arg, "integer overflow"));
                    }
                    if !signed && int as u64 >= (limit as u64) << 1 {
                        return Err(call.bad(arg, "unsigned overflow"));
                    }
                }
                push_int(&mut out, int, bytes, format.little);
            }
            Item::Float => {
                let float = call.float(arg)? as f32;
                out.extend(if format.little { float.to_le_bytes() } else { float.to_be_bytes() });
            }
            Item::Double => {
                let float = call.float(arg)?;
                out.extend(if format.little { float.to_le_bytes() } else { float.to_be_bytes() });
            }
            Item::Fixed(bytes) => {
                let text = call.bytes(arg)?;
                if text.len() > bytes {
                    return Err(call.bad(arg, "string longer than given size"));
                }
                out.extend_from_slice(text);
                out.resize(out.len() + bytes - text.len(), 0);
            }
            Item::Counted(_) => {
                let text = call.bytes(arg)?;
                if size < 8 && text.len() >> (size * 8) != 0 {
                    return Err(call.bad(arg, "string length does not fit in given size"));
                }
                push_int(&mut out, text.len() as i64, size, format.little);
                out.extend_from_slice(text);
            }
            Item::ZeroEnded => {
                let text = call.bytes(arg)?;
                if text.contains(&0) {
                    return Err(call.bad(arg, "string contains zeros"));
                }
                out.extend_from_slice(text);
                out.push(0);
            }
            Item::PadByte | Item::Align | Item::Nothing => {}
        }
    }
    call.text(&out)
}

pub fn pack_size(call: Call) -> Result<usize> {
    let mut format = Format::new(call.bytes(0)?);
    let mut total = 0usize;
    while let Some((item, size, padding)) = format.next(&call, total)? {
        if let Item::Counted(_) | Item::ZeroEnded = item {
            return Err(call.bad(0, "variable-length format"));
        }
        total = match total.checked_add(size + padding) {
            Some(total) if total <= 0x7FFF_FFFF => total,
            _ => return Err(call.bad(0, "format result too large")),
        };
    }
    call.one(Value::Int(total as i64))
}

/// Reads an integer of up to 16 bytes.
fn read_int(call: &Call, bytes: &[u8], little: bool, signed: bool) -> Result<i64> {
    let at = |index: usize| if little { bytes[index] } else { bytes[bytes.len() - 1 - index] };
    let mut value: u64 = 0;
    for index in (0..bytes.len().min(8)).rev() {
        value = value << 8 | u64::from(at(index));
    }
    if bytes.len() < 8 {
        if signed {
            let shift = 64 - bytes.len() * 8;
            return Ok((value << shift) as i64 >> shift);
        }
        return Ok(value as i64);
    }
    let fill = if signed && (value as i64) < 0 { 0xFF } else { 0 };
    if (8..bytes.len()).any(|index| at(index) != fill) {
        return Err(call.fail(format!("{}-byte integer does not fit into Lua Integer", bytes.len())));
    }
    Ok(value as i64)
}

pub fn unpack(call: Call) -> Result<usize> {
    let mut format = Format::new(call.bytes(0)?);
    let data = call.bytes(1)?;
    let init = call.int_or(2, 1)?;
    let init = if init < 0 { (data.len() as i64 + init + 1).max(0) } else { init };
    let Some(mut at) = usize::try_from(init - 1).ok().filter(|at| *at <= data.len()) else {
        return Err(call.bad(2, "initial position out of string"));
    };
    let too_short = |call: &Call| -> Raised { call.bad(1, "data string too short") };
    // Results go behind the arguments until all are there.
    let mut count = 0;
    while let Some((item, size, padding)) = format.next(&call, at)? {
        if data.len() - at < padding.saturating_add(size) {
            return Err(too_short(&call));
        }
        at += padding;
        let field = &data[at..at + size];
        at += size;
        let value = match item {
            Item::Int { signed, .. } => Value::Int(read_int(&call, field, format.little, signed)?),
            Item::Float => {
                let mut bytes = [field[0], field[1], field[2], field[3]];
                if !format.little {
                    bytes.reverse();
                }
                Value::float(f64::from(f32::from_le_bytes(bytes)))
            }
            Item::Double => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(field);
                if !format.little {
                    bytes.reverse();
                }
                Value::float(f64::from_le_bytes(bytes))
            }
            Item::Fixed(_) => call.vm.string(field)?,
            Item::Counted(_) => {
                let length = read_int(&call, field, format.little, false)? as usize;
                if data.len() - at < length {
                    return Err(too_short(&call));
                }
                at += length;
                call.vm.string(&data[at - length..at])?
            }
            Item::ZeroEnded => {
                let Some(length) = data[at..].iter().position(|byte| *byte == 0) else {
                    return Err(call.bad(1, "unfinished string for format 'z'"));
                };
                at += length + 1;
                call.vm.string(&data[at - length - 1..at - 1])?
            }
            Item::PadByte | Item::Align | Item::Nothing => continue,
        };
        if !call.reserve(call.count + count + 2) {
            return Err(call.fail("too many results"));
        }
        call.place.put(call.count + 1 + count, value);
        count += 1;
    }
    call.place.copy_from(call.place.up(call.count + 1), count);
    call.place.put(count, Value::Int(at as i64 + 1));
    Ok(count + 1)
}
