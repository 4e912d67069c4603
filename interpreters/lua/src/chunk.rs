//! Functions as bytes, for `string.dump` and `load`.
//!
//! In: the code of a function. Out: bytes, and from bytes a [`Body`] that is sound: whatever the bytes are, reading them ends with
//! code that is safe to run or with an error.
//!
//! The bytes begin with the header of Lua 5.4, which says version, sizes and byte order. What follows is this machine's own: a
//! mark at which the reference implementation stops with an error, the length and a hash of the rest, the source's name, and the
//! function. Numbers are little-endian; lists begin with their length, 32 bits.

use std::rc::Rc;

use crate::compile::{Body, Constant, LocalName, UpvalueSource, verify};
use crate::function::Proto;
use crate::op::{Instr, Op};
use crate::value::Value;

/// How binary chunks begin.
pub const ESCAPE: u8 = 0x1B;

const SIGNATURE: &[u8] = b"\x1BLua";
const VERSION: u8 = 0x54;
const FORMAT: u8 = 0;
const DATA: &[u8] = b"\x19\x93\r\n\x1A\n";
/// Bytes of an instruction, integer and number in the reference implementation.
const SIZES: [(u8, &str); 3] = [(4, "Instruction"), (8, "lua_Integer"), (8, "lua_Number")];
const INTEGER: i64 = 0x5678;
const NUMBER: f64 = 370.5;
/// To be changed with the instructions and with the form of what follows.
const MARK: &[u8] = b"metatrace lua 1\n";
/// The name of a source that was left out.
const NO_SOURCE: &[u8] = b"=?";
/// Functions within functions.
const MAX_DEPTH: usize = 200;

/// A function as bytes; `strip` leaves out what only messages and debuggers use.
pub fn write(proto: &Proto, strip: bool) -> Vec<u8> {
    let mut rest = Vec::new();
    if strip {
        write_bytes(&mut rest, NO_SOURCE);
    } else {
        write_bytes(&mut rest, &proto.source);
    }
    write_function(&mut rest, proto, strip);
    let mut out = header();
    out.extend_from_slice(&(rest.len() as u64).to_le_bytes());
    out.extend_from_slice(&hash(&rest).to_le_bytes());
    out.extend_from_slice(&rest);
    out
}

fn header() -> Vec<u8> {
    let mut out = [SIGNATURE, &[VERSION, FORMAT], DATA].concat();
    out.extend(SIZES.map(|(size, _)| size));
    out.extend_from_slice(&INTEGER.to_le_bytes());
    out.extend_from_slice(&NUMBER.to_le_bytes());
    out.extend_from_slice(MARK);
    out
}

/// A hash that shows damage.
fn hash(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, mix)
}

fn write_word(out: &mut Vec<u8>, word: u32) {
    out.extend_from_slice(&word.to_le_bytes());
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn write_function(out: &mut Vec<u8>, proto: &Proto, strip: bool) {
    out.extend([proto.params, u8::from(proto.is_vararg), proto.registers]);
    for word in [proto.caches.len() as u32, proto.first_line, proto.last_line] {
        write_word(out, word);
    }
    write_word(out, proto.code.len() as u32);
    for instr in &proto.code {
        out.extend([instr.op as u8, instr.a]);
        out.extend_from_slice(&instr.b.to_le_bytes());
        write_word(out, instr.c);
    }
    write_word(out, proto.constants.len() as u32);
    for constant in &proto.constants {
        write_constant(out, *constant);
    }
    write_word(out, proto.upvalues.len() as u32);
    for upvalue in &proto.upvalues {
        out.extend([u8::from(upvalue.in_register), upvalue.index]);
        write_bytes(out, if strip { b"" } else { &upvalue.name });
    }
    let lines: &[u32] = if strip { &[] } else { &proto.lines };
    write_word(out, lines.len() as u32);
    lines.iter().for_each(|line| write_word(out, *line));
    let locals: &[LocalName] = if strip { &[] } else { &proto.locals };
    write_word(out, locals.len() as u32);
    for local in locals {
        out.push(local.register);
        write_word(out, local.start);
        write_word(out, local.end);
        write_bytes(out, &local.name);
    }
    write_word(out, proto.functions.len() as u32);
    for function in &proto.functions {
        write_function(out, function.traced(), strip);
    }
}

// The first bytes of constants.
const NIL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const STRING: u8 = 5;

fn write_constant(out: &mut Vec<u8>, constant: Value) {
    match constant {
        Value::Int(int) => {
            out.push(INT);
            out.extend_from_slice(&int.to_le_bytes());
        }
        Value::Float(float) => {
            out.push(FLOAT);
            out.extend_from_slice(&float.get().to_bits().to_le_bytes());
        }
        Value::Str(text) => {
            out.push(STRING);
            write_bytes(out, text.bytes());
        }
        Value::False => out.push(FALSE),
        Value::True => out.push(TRUE),
        // The compiler makes no others.
        _ => out.push(NIL),
    }
}

/// Why bytes are no function.
pub type Reason = String;

const TRUNCATED: &str = "truncated chunk";
const CORRUPTED: &str = "corrupted chunk";

/// The function that bytes say, and the name of its source.
///
/// # Errors
/// If they are not what [`write`] has made, or not all of it.
pub fn read(bytes: &[u8]) -> Result<(Body, Rc<[u8]>), Reason> {
    let mut reader = Reader { rest: bytes };
    reader.literal(SIGNATURE, "not a binary chunk")?;
    reader.literal(&[VERSION], "version mismatch")?;
    reader.literal(&[FORMAT], "format mismatch")?;
    reader.literal(DATA, CORRUPTED)?;
    for (size, name) in SIZES {
        reader.literal(&[size], &format!("{name} size mismatch"))?;
    }
    reader.literal(&INTEGER.to_le_bytes(), "integer format mismatch")?;
    reader.literal(&NUMBER.to_le_bytes(), "float format mismatch")?;
    reader.literal(MARK, "not of this implementation")?;
    let length = usize::try_from(reader.long()?).map_err(|_| TRUNCATED)?;
    let expected = reader.long()?;
    // Bytes behind the function do not matter.
    let rest = reader.take(length)?;
    if hash(rest) != expected {
        return Err(CORRUPTED.into());
    }
    let mut reader = Reader { rest };
    let source = Rc::from(reader.bytes()?);
    let body = reader.function(MAX_DEPTH)?;
    if !reader.rest.is_empty() || verify(&body).is_err() {
        return Err(CORRUPTED.into());
    }
    Ok((body, source))
}

/// Bytes that are left.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Reason> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(taken)
    }

    fn literal(&mut self, expected: &[u8], otherwise: &str) -> Result<(), Reason> {
        if self.take(expected.len())? == expected { Ok(()) } else { Err(otherwise.into()) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        self.take(N)?.try_into().map_err(|_| TRUNCATED.into())
    }

    fn byte(&mut self) -> Result<u8, Reason> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Result<bool, Reason> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CORRUPTED.into()),
        }
    }

    fn word(&mut self) -> Result<u32, Reason> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64, Reason> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Result<&'b [u8], Reason> {
        let length = usize::try_from(self.long()?).map_err(|_| TRUNCATED)?;
        self.take(length)
    }

    /// A list; what it says of its length is believed only as far as there are elements.
    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Result<T, Reason>) -> Result<Vec<T>, Reason> {
        let count = self.word()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(element(self)?);
        }
        Ok(list)
    }

    fn instruction(&mut self) -> Result<Instr, Reason> {
        let op = *Op::ALL.get(usize::from(self.byte()?)).ok_or(CORRUPTED)?;
        let a = self.byte()?;
        let b = u16::from_le_bytes(self.array()?);
        Ok(Instr::new(op, a, b, self.word()?))
    }

    fn constant(&mut self) -> Result<Constant, Reason> {
        Ok(match self.byte()? {
            NIL => Constant::Nil,
            FALSE => Constant::Bool(false),
            TRUE => Constant::Bool(true),
            INT => Constant::Int(self.long()?.cast_signed()),
            FLOAT => Constant::Float(f64::from_bits(self.long()?)),
            STRING => Constant::String(self.bytes()?.into()),
            _ => return Err(CORRUPTED.into()),
        })
    }

    fn function(&mut self, depth: usize) -> Result<Body, Reason> {
        if depth == 0 {
            return Err(CORRUPTED.into());
        }
        Ok(Body {
            params: self.byte()?,
            is_vararg: self.flag()?,
            registers: self.byte()?,
            caches: self.word()?,
            first_line: self.word()?,
            last_line: self.word()?,
            code: self.list(Self::instruction)?,
            constants: self.list(Self::constant)?,
            upvalues: self.list(|reader| {
                let (in_register, index) = (reader.flag()?, reader.byte()?);
                Ok(UpvalueSource { in_register, index, name: reader.bytes()?.into() })
            })?,
            lines: self.list(Self::word)?,
            locals: self.list(|reader| {
                let (register, start, end) = (reader.byte()?, reader.word()?, reader.word()?);
                Ok(LocalName { name: reader.bytes()?.into(), register, start, end })
            })?,
            functions: self.list(|reader| reader.function(depth - 1))?,
        })
    }
}
