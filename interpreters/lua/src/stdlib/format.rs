//! `string.format`.

use crate::call::Call;
use crate::meta;
use crate::number;
use crate::value::Value;
use crate::vm::Result;

/// A conversion: flags, width and precision.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

pub fn format(call: Call) -> Result<usize> {
    let text = call.bytes(0)?;
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut at = 0;
    let mut arg = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        if text.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        let start = at;
        arg += 1;
        if arg >= call.count {
            return Err(call.bad(arg, "no value"));
        }
        let Some(spec) = parse_spec(text, &mut at) else {
            while text.get(at).is_some_and(|byte| byte.is_ascii_digit() || b"-+ #0.".contains(byte)) {
                at += 1;
            }
            return Err(misused(&call, &text[start..(at + 1).min(text.len())]));
        };
        let conversion = text.get(at).copied();
        at += 1;
        let Some(conversion) = conversion else { return Err(invalid(&call, &text[start..])) };
        convert(&call, &mut out, &spec, conversion, arg, &text[start..at])?;
    }
    call.text(&out)
}

fn invalid(call: &Call, spec: &[u8]) -> crate::vm::Raised {
    call.fail([b"invalid conversion '%", spec, b"' to 'format'"].concat())
}

fn misused(call: &Call, spec: &[u8]) -> crate::vm::Raised {
    call.fail([b"invalid conversion specification: '%", spec, b"'"].concat())
}

fn parse_spec(text: &[u8], at: &mut usize) -> Option<Spec> {
    let mut spec = Spec::default();
    let start = *at;
    while let Some(flag) = text.get(*at) {
        match flag {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            b'0' => spec.zero = true,
            _ => break,
        }
        *at += 1;
    }
    if *at - start > 5 {
        return None;
    }
    let digits = |at: &mut usize| {
        let mut value = 0;
        let first = *at;
        while let Some(digit @ b'0'..=b'9') = text.get(*at) {
            value = value * 10 + usize::from(digit - b'0');
            *at += 1;
            if *at - first > 2 {
                return None;
            }
        }
        Some(value)
    };
    spec.width = digits(at)?;
    if text.get(*at) == Some(&b'.') {
        *at += 1;
        spec.precision = Some(digits(at)?);
    }
    Some(spec)
}

fn convert(
    call: &Call,
    out: &mut Vec<u8>,
    spec: &Spec,
    conversion: u8,
    arg: usize,
    whole: &[u8],
) -> Result<()> {
    let only = |flags: &[u8], precision: bool| {
        let given = [
            (b'-', spec.left),
            (b'+', spec.plus),
            (b' ', spec.space),
            (b'#', spec.alternate),
            (b'0', spec.zero),
        ];
        given.iter().all(|(flag, is_given)| !is_given || flags.contains(flag))
            && (precision || spec.precision.is_none())
    };
    let is_right = match conversion {
        b'd' | b'i' => only(b"-+0 ", true),
        b'u' => only(b"-0", true),
        b'o' | b'x' | b'X' => only(b"-#0", true),
        b's' => only(b"-", true),
        b'c' | b'p' => only(b"-", false),
        _ => true,
    };
    if !is_right {
        return Err(misused(call, whole));
    }
    match conversion {
        b'c' => {
            let byte = call.int(arg)? as u8;
            pad(out, spec, b"", &[byte], false);
        }
        b'd' | b'i' => {
            let int = call.int(arg)?;
            let mut digits = Vec::new();
            number::push_int(&mut digits, int);
            let digits = digits.strip_prefix(b"-").unwrap_or(&digits);
            integer(out, spec, sign(spec, int < 0), digits);
        }
        b'u' => integer(out, spec, b"", std::format!("{}", call.int(arg)? as u64).as_bytes()),
        b'o' => {
            let text = std::format!("{:o}", call.int(arg)?);
            let zero = if spec.alternate && !text.starts_with('0') { "0" } else { "" };
            integer(out, spec, b"", [zero, &text].concat().as_bytes());
        }
        b'x' | b'X' => {
            let int = call.int(arg)?;
            let (text, prefix) = if conversion == b'x' {
                (std::format!("{int:x}"), "0x")
            } else {
                (std::format!("{int:X}"), "0X")
            };
            let prefix = if spec.alternate && int != 0 { prefix } else { "" };
            integer(out, spec, prefix.as_bytes(), text.as_bytes());
        }
        b'a' | b'A' => {
            let float = call.float(arg)?;
            float_text(out, spec, float, &hexadecimal(float, spec.precision, conversion == b'A'));
        }
        b'e' | b'E' | b'f' | b'g' | b'G' => {
            let float = call.float(arg)?;
            let mut text = Vec::new();
            push_float(&mut text, spec, float.abs(), conversion);
            float_text(out, spec, float, &text);
        }
        b'p' => {
            let value = call.arg(arg);
            let address = match value {
                Value::Str(text) => Some(text.address() as u64),
                value => value.address(),
            };
            let text = match address {
                Some(address) => std::format!("0x{address:014x}"),
                None => "(null)".into(),
            };
            pad(out, spec, b"", text.as_bytes(), false);
        }
        b'q' if whole.len() == 1 => quoted(call, out, arg)?,
        b'q' => return Err(call.fail("specifier '%q' cannot have modifiers")),
        b's' => {
            let Value::Str(text) = meta::to_text(call.vm, call.arg(arg))? else { return Ok(()) };
            // It may be new: the argument keeps it alive.
            call.place.put(arg + 1, Value::Str(text));
            let bytes = text.bytes();
            if whole.len() > 1 && bytes.contains(&0) {
                return Err(call.bad(arg, "string contains zeros"));
            }
            let shown = &bytes[..spec.precision.unwrap_or(bytes.len()).min(bytes.len())];
            pad(out, spec, b"", shown, false);
        }
        _ => return Err(invalid(call, whole)),
    }
    Ok(())
}

fn sign(spec: &Spec, negative: bool) -> &'static [u8] {
    match (negative, spec.plus, spec.space) {
        (true, ..) => b"-",
        (false, true, _) => b"+",
        (false, false, true) => b" ",
        _ => b"",
    }
}

/// Appends a text with what it is to be filled up with.
fn pad(out: &mut Vec<u8>, spec: &Spec, prefix: &[u8], text: &[u8], zeros: bool) {
    let fill = spec.width.saturating_sub(prefix.len() + text.len());
    if !spec.left && !zeros {
        out.resize(out.len() + fill, b' ');
    }
    out.extend_from_slice(prefix);
    if !spec.left && zeros {
        out.resize(out.len() + fill, b'0');
    }
    out.extend_from_slice(text);
    if spec.left {
        out.resize(out.len() + fill, b' ');
    }
}

fn integer(out: &mut Vec<u8>, spec: &Spec, prefix: &[u8], digits: &[u8]) {
    let digits = match spec.precision {
        Some(0) if digits == b"0" => Vec::new(),
        Some(precision) if precision > digits.len() => {
            let mut filled = vec![b'0'; precision - digits.len()];
            filled.extend_from_slice(digits);
            filled
        }
        _ => digits.to_vec(),
    };
    pad(out, spec, prefix, &digits, spec.zero && spec.precision.is_none());
}

fn float_text(out: &mut Vec<u8>, spec: &Spec, float: f64, text: &[u8]) {
    pad(out, spec, sign(spec, float.is_sign_negative()), text, spec.zero && float.is_finite());
}

/// Appends a float that is not negative.
fn push_float(out: &mut Vec<u8>, spec: &Spec, float: f64, conversion: u8) {
    let upper = conversion.is_ascii_uppercase();
    let precision = spec.precision.unwrap_or(6);
    if !float.is_finite() {
        return number::push_special(out, float, upper);
    }
    match conversion.to_ascii_lowercase() {
        b'f' => {
            out.extend_from_slice(std::format!("{float:.precision$}").as_bytes());
            if spec.alternate && precision == 0 {
                out.push(b'.');
            }
        }
        b'e' => {
            let text = std::format!("{float:.precision$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            out.extend_from_slice(mantissa.as_bytes());
            if spec.alternate && precision == 0 {
                out.push(b'.');
            }
            number::push_exponent(out, exponent.parse().unwrap_or(0), upper);
        }
        _ => number::push_general(out, float, precision, spec.alternate, upper),
    }
}

/// A float's magnitude in hexadecimal.
fn hexadecimal(float: f64, precision: Option<usize>, upper: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if !float.is_finite() {
        number::push_special(&mut out, float.abs(), upper);
        return out;
    }
    let bits = float.abs().to_bits();
    let (mut exponent, mut fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
    let mut lead = u64::from(exponent != 0);
    exponent = if bits == 0 { 0 } else { exponent.max(1) - 1023 };
    let mut digits = 13;
    if let Some(precision) = precision
        && precision < 13
    {
        let drop = 4 * (13 - precision) as u32;
        let mut whole = lead << 52 | fraction;
        let half = 1u64 << (drop - 1);
        let rest = whole & ((1 << drop) - 1);
        whole >>= drop;
        if rest > half || rest == half && whole & 1 == 1 {
            whole += 1;
        }
        whole <<= drop;
        (lead, fraction) = (whole >> 52, whole & ((1 << 52) - 1));
        digits = precision;
    }
    let mut text = std::format!("{fraction:013x}");
    text.truncate(digits);
    match precision {
        None => text.truncate(text.trim_end_matches('0').len()),
        Some(precision) => text.extend(std::iter::repeat_n('0', precision.saturating_sub(13))),
    }
    let point = if text.is_empty() { "" } else { "." };
    let text = std::format!("0x{lead:x}{point}{text}p{exponent:+}");
    out.extend_from_slice(if upper { text.to_ascii_uppercase() } else { text }.as_bytes());
    out
}

/// Appends a value as the language writes it.
fn quoted(call: &Call, out: &mut Vec<u8>, arg: usize) -> Result<()> {
    match call.arg(arg) {
        Value::Str(text) => {
            let bytes = text.bytes();
            out.push(b'"');
            for (index, byte) in bytes.iter().enumerate() {
                match byte {
                    b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', *byte]),
                    0..32 | 127 => {
                        let wide = bytes.get(index + 1).is_some_and(u8::is_ascii_digit);
                        let text = if wide { std::format!("\\{byte:03}") } else { std::format!("\\{byte}") };
                        out.extend_from_slice(text.as_bytes());
                    }
                    _ => out.push(*byte),
                }
            }
            out.push(b'"');
        }
        Value::Int(i64::MIN) => out.extend_from_slice(b"0x8000000000000000"),
        Value::Float(float) => {
            let float = float.get();
            let text = if float == f64::INFINITY {
                b"1e9999".to_vec()
            } else if float == f64::NEG_INFINITY {
                b"-1e9999".to_vec()
            } else if float.is_nan() {
                b"(0/0)".to_vec()
            } else {
                let mut text = if float.is_sign_negative() { b"-".to_vec() } else { Vec::new() };
                text.extend(hexadecimal(float, None, false));
                text
            };
            out.extend_from_slice(&text);
        }
        value @ (Value::Int(_) | Value::Nil | Value::True | Value::False) => {
            out.extend_from_slice(&meta::plain_text(call.vm, value));
        }
        _ => return Err(call.bad(arg, "value has no literal form")),
    }
    Ok(())
}
