//! The jitcode image: a [`Program`] as bytes in a section of the binary, and back.
//!
//! In: bytes of a section, possibly of several interpreters, cut off, or of another origin. Out: records, or an
//! [`ImageError`] that says what is wrong; never a panic, whatever the bytes.
//!
//! A section is a sequence of records. A record is self-delimiting, so that linkers may put several one after the
//! other, with zero bytes between them:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 4 | [`VERSION`] |
//! | 4 | a number that tells byte order apart, [`ORDER`] |
//! | 8 | length of the record in bytes, a multiple of [`ALIGN`] |
//! | 8 | hash of the translator's input |
//! | 8 | checksum of the payload |
//! | 8 | length of the payload in bytes |
//! | … | the payload, then zeros up to the record's length |
//!
//! Numbers are little-endian. The payload is the program's fields in the order of their declaration; lists and
//! strings are preceded by their length (4 bytes). Adding or changing a field means raising [`VERSION`].
//!
//! Decoding proves that the bytes are whole, not that indices are in range: that is [`verify`](crate::verify)'s.

use crate::alloc::{Alloc, Elements, Memory};
use crate::descr::{Access, CallDescr, Class, ClassId, ClassSet, LoadTime, Reach, Scalar};
use crate::jitcode::{
    Constant, JitCode, JitCodeId, Live, Portal, PortalParam, Position, Program, Slot, SwitchTable,
};
use crate::{CallId, Kind};

/// The first bytes of every record.
pub const MAGIC: [u8; 8] = *b"\x89MTJIT\r\n";
/// The version of the format.
pub const VERSION: u32 = 2;
/// Reads as another number on a machine of the other byte order.
pub const ORDER: u32 = 0x0403_0201;
/// Records start and end at multiples of this many bytes.
pub const ALIGN: usize = 16;
/// The length of a record's header, in bytes.
pub const HEADER: usize = 48;

/// The section's name in ELF files.
pub const SECTION_ELF: &str = ".mtjit";
/// The section's segment and name in Mach-O files.
pub const SECTION_MACHO: (&str, &str) = ("__DATA", "__mtjit");
/// The section's name in COFF files.
pub const SECTION_COFF: &str = ".mtjit";

/// Why bytes are not a jitcode image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// There is no record at all.
    Empty,
    /// They are something else.
    NotAnImage,
    /// They were written by another version of the tools.
    Version {
        /// The version that wrote them.
        found: u32,
    },
    /// They were written for a machine of the other byte order.
    ByteOrder,
    /// They end too early.
    Truncated,
    /// They were changed after they were written.
    Damaged(&'static str),
    /// No record carries the hash asked for.
    OtherInput {
        /// The hash asked for.
        wanted: u64,
    },
}

impl core::fmt::Display for ImageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ImageError::Empty => f.write_str("there is no jitcode image"),
            ImageError::NotAnImage => f.write_str("this is not a jitcode image"),
            ImageError::Version { found } => write!(
                f,
                "the jitcode image has version {found}, these tools read version {VERSION}: translate the \
                 interpreter again"
            ),
            ImageError::ByteOrder => {
                f.write_str("the jitcode image is for a machine of the other byte order")
            }
            ImageError::Truncated => f.write_str("the jitcode image is truncated"),
            ImageError::Damaged(what) => write!(f, "the jitcode image is damaged: {what}"),
            ImageError::OtherInput { wanted } => write!(
                f,
                "no jitcode image belongs to the glue with hash {wanted:#018x}: the binary was linked from parts \
                 of different translations, build it again from clean"
            ),
        }
    }
}

impl std::error::Error for ImageError {}

/// One record of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The hash of the translator's input.
    pub hash: u64,
    /// The payload; its checksum is right.
    pub payload: &'a [u8],
}

/// The record of `program`.
pub fn encode(program: &Program) -> Vec<u8> {
    let mut w = Writer { out: Vec::new() };
    w.program(program);
    let payload = w.out;
    let length = (HEADER + payload.len()).next_multiple_of(ALIGN);
    let mut out = Vec::with_capacity(length);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend(ORDER.to_le_bytes());
    out.extend((length as u64).to_le_bytes());
    out.extend(program.hash.to_le_bytes());
    out.extend(checksum(&payload).to_le_bytes());
    out.extend((payload.len() as u64).to_le_bytes());
    out.extend(payload);
    out.resize(length, 0);
    out
}

/// The records of a section.
///
/// # Errors
/// See [`ImageError`]; [`ImageError::Empty`] if there are only zeros.
pub fn records(section: &[u8]) -> Result<Vec<Record<'_>>, ImageError> {
    let mut out = Vec::new();
    let mut rest = section;
    loop {
        let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
        rest = &rest[zeros..];
        if rest.is_empty() {
            break;
        }
        let (record, length) = record(rest)?;
        out.push(record);
        rest = &rest[length..];
    }
    if out.is_empty() { Err(ImageError::Empty) } else { Ok(out) }
}

/// The program whose input had this hash.
///
/// # Errors
/// See [`ImageError`].
pub fn find(section: &[u8], hash: u64) -> Result<Program, ImageError> {
    let records = records(section)?;
    let record = records.iter().find(|r| r.hash == hash).ok_or(ImageError::OtherInput { wanted: hash })?;
    decode(record)
}

/// The program in a record.
///
/// # Errors
/// [`ImageError::Damaged`] or [`ImageError::Truncated`].
pub fn decode(record: &Record<'_>) -> Result<Program, ImageError> {
    let mut r = Reader { rest: record.payload };
    let program = r.program()?;
    if !r.rest.is_empty() {
        return Err(ImageError::Damaged("bytes after the end"));
    }
    if program.hash != record.hash {
        return Err(ImageError::Damaged("hash"));
    }
    Ok(program)
}

/// Reads the record at the start of `bytes`: also its length.
fn record(bytes: &[u8]) -> Result<(Record<'_>, usize), ImageError> {
    let shown = bytes.len().min(MAGIC.len());
    if bytes[..shown] != MAGIC[..shown] {
        return Err(ImageError::NotAnImage);
    }
    let mut r = Reader { rest: bytes.get(MAGIC.len()..).ok_or(ImageError::Truncated)? };
    let version = r.u32()?;
    if r.u32()? != ORDER {
        return Err(ImageError::ByteOrder);
    }
    if version != VERSION {
        return Err(ImageError::Version { found: version });
    }
    let length = usize::try_from(r.u64()?).map_err(|_| ImageError::Damaged("length"))?;
    let hash = r.u64()?;
    let sum = r.u64()?;
    let payload = usize::try_from(r.u64()?).map_err(|_| ImageError::Damaged("length"))?;
    let fits = payload.checked_add(HEADER).and_then(|n| n.checked_next_multiple_of(ALIGN));
    if fits != Some(length) {
        return Err(ImageError::Damaged("length"));
    }
    let record = bytes.get(..length).ok_or(ImageError::Truncated)?;
    let payload = &record[HEADER..HEADER + payload];
    if checksum(payload) != sum {
        return Err(ImageError::Damaged("checksum"));
    }
    Ok((Record { hash, payload }, length))
}

/// 64-bit FNV-1a, by words of 8 bytes so that start-up stays quick.
fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
    sum ^ bytes.len() as u64
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn u8(&mut self, n: u8) {
        self.out.push(n);
    }

    fn u16(&mut self, n: u16) {
        self.out.extend(n.to_le_bytes());
    }

    fn u32(&mut self, n: u32) {
        self.out.extend(n.to_le_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.out.extend(n.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).expect("a list of more than 2^32 elements"));
        self.out.extend(bytes);
    }

    fn string(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn list<T>(&mut self, list: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.u32(u32::try_from(list.len()).expect("a list of more than 2^32 elements"));
        list.iter().for_each(|item| each(self, item));
    }

    fn kinds(&mut self, kinds: &[Kind]) {
        self.list(kinds, |w, kind| w.u8(*kind as u8));
    }

    fn load_time(&mut self, value: LoadTime) {
        match value {
            LoadTime::Literal(n) => {
                self.u8(0);
                self.u64(n);
            }
            LoadTime::Glue(n) => {
                self.u8(1);
                self.u32(n);
            }
        }
    }

    fn program(&mut self, p: &Program) {
        self.string(&p.name);
        self.u64(p.hash);
        self.list(&p.jitcodes, Self::jitcode);
        self.list(&p.portals, Self::portal);
        self.list(&p.accesses, Self::access);
        self.list(&p.classes, |w, class| {
            w.string(&class.name);
            w.u32(class.leaf);
        });
        self.list(&p.calls, Self::call);
        self.list(&p.allocs, Self::alloc);
        self.list(&p.files, |w, s| w.string(s));
        self.list(&p.glue_values, |w, s| w.string(s));
        self.list(&p.glue_shims, |w, s| w.string(s));
    }

    fn jitcode(&mut self, j: &JitCode) {
        self.string(&j.name);
        self.kinds(&j.params);
        self.kinds(&j.results);
        self.u16(j.words);
        self.u16(j.floats);
        self.list(&j.constants, |w, c| {
            w.load_time(c.value);
            w.string(&c.name);
            w.u8(u8::from(c.frozen));
        });
        self.list(&j.slots, |w, s| {
            w.string(&s.name);
            w.load_time(s.size);
            w.load_time(s.align);
        });
        self.bytes(&j.code);
        self.list(&j.switches, |w, s| {
            w.list(&s.cases, |w, &(value, pc)| {
                w.u64(value);
                w.u32(pc);
            });
            w.u32(s.default);
        });
        self.list(&j.live, |w, l| {
            w.u32(l.pc);
            w.list(&l.words, |w, &n| w.u16(n));
            w.list(&l.floats, |w, &n| w.u16(n));
        });
        self.list(&j.positions, |w, p| {
            w.u32(p.pc);
            w.u32(p.file);
            w.u32(p.line);
            w.u32(p.column);
        });
    }

    fn portal(&mut self, p: &Portal) {
        self.string(&p.name);
        self.u32(p.jitcode.0);
        self.u32(p.merge_point);
        self.u32(p.call.0);
        self.list(&p.params, |w, p| {
            w.string(&p.name);
            w.kinds(&p.kinds);
            w.u8(u8::from(p.green) | u8::from(p.owner) << 1);
        });
        self.kinds(&p.results);
    }

    fn access(&mut self, a: &Access) {
        self.string(&a.name);
        self.load_time(a.offset);
        self.list(a.stride.as_slice(), |w, &s| w.load_time(s));
        self.u8(a.scalar as u8);
        self.u32(a.class.0);
        self.u8(a.reach as u8);
        self.u16(a.flags);
    }

    fn alloc(&mut self, a: &Alloc) {
        self.string(&a.name);
        let (kind, number) = match a.memory {
            Memory::Collected { header } => (0, header),
            Memory::Plain { align } => (1, align),
        };
        self.u8(kind);
        self.load_time(number);
        self.load_time(a.size);
        self.list(a.elements.as_slice(), |w, e| {
            w.load_time(e.stride);
            w.list(e.length.as_slice(), |w, &length| w.load_time(length));
        });
    }

    fn call(&mut self, c: &CallDescr) {
        self.string(&c.name);
        self.u32(c.shim);
        self.kinds(&c.args);
        self.kinds(&c.results);
        for set in [&c.reads, &c.writes] {
            match set {
                ClassSet::All => self.u8(0),
                ClassSet::Some(classes) => {
                    self.u8(1);
                    self.list(classes, |w, class| w.u32(class.0));
                }
            }
        }
        self.u16(c.flags);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

type Read<T> = Result<T, ImageError>;

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Read<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(ImageError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(ImageError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Read<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn flag(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ImageError::Damaged("flag")),
        }
    }

    fn bytes(&mut self) -> Read<&'a [u8]> {
        let n = self.u32()? as usize;
        self.take(n)
    }

    fn string(&mut self) -> Read<String> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|_| ImageError::Damaged("text"))?;
        Ok(text.to_string())
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let n = self.u32()? as usize;
        // Every element takes at least a byte, so a count beyond the bytes left is a lie: allocate no memory for it.
        if n > self.rest.len() {
            return Err(ImageError::Truncated);
        }
        let mut out = Vec::with_capacity(n.min(1 << 16));
        for _ in 0..n {
            out.push(each(self)?);
        }
        Ok(out)
    }

    fn kind(&mut self) -> Read<Kind> {
        match self.u8()? {
            0 => Ok(Kind::Word),
            1 => Ok(Kind::Float),
            _ => Err(ImageError::Damaged("kind")),
        }
    }

    fn at_most_one<T>(&mut self, each: impl FnMut(&mut Self) -> Read<T>) -> Read<Option<T>> {
        let mut list = self.list(each)?;
        let first = list.pop();
        if list.is_empty() { Ok(first) } else { Err(ImageError::Damaged("option")) }
    }

    fn load_time(&mut self) -> Read<LoadTime> {
        if self.flag()? { Ok(LoadTime::Glue(self.u32()?)) } else { Ok(LoadTime::Literal(self.u64()?)) }
    }

    fn program(&mut self) -> Read<Program> {
        Ok(Program {
            name: self.string()?,
            hash: self.u64()?,
            jitcodes: self.list(Self::jitcode)?,
            portals: self.list(Self::portal)?,
            accesses: self.list(Self::access)?,
            classes: self.list(|r| Ok(Class { name: r.string()?, leaf: r.u32()? }))?,
            calls: self.list(Self::call)?,
            allocs: self.list(Self::alloc)?,
            files: self.list(Self::string)?,
            glue_values: self.list(Self::string)?,
            glue_shims: self.list(Self::string)?,
        })
    }

    fn jitcode(&mut self) -> Read<JitCode> {
        Ok(JitCode {
            name: self.string()?,
            params: self.list(Self::kind)?,
            results: self.list(Self::kind)?,
            words: self.u16()?,
            floats: self.u16()?,
            constants: self
                .list(|r| Ok(Constant { value: r.load_time()?, name: r.string()?, frozen: r.flag()? }))?,
            slots: self
                .list(|r| Ok(Slot { name: r.string()?, size: r.load_time()?, align: r.load_time()? }))?,
            code: self.bytes()?.to_vec(),
            switches: self.list(|r| {
                Ok(SwitchTable { cases: r.list(|r| Ok((r.u64()?, r.u32()?)))?, default: r.u32()? })
            })?,
            live: self
                .list(|r| Ok(Live { pc: r.u32()?, words: r.list(Self::u16)?, floats: r.list(Self::u16)? }))?,
            positions: self
                .list(|r| Ok(Position { pc: r.u32()?, file: r.u32()?, line: r.u32()?, column: r.u32()? }))?,
        })
    }

    fn portal(&mut self) -> Read<Portal> {
        Ok(Portal {
            name: self.string()?,
            jitcode: JitCodeId(self.u32()?),
            merge_point: self.u32()?,
            call: CallId(self.u32()?),
            params: self.list(|r| {
                let (name, kinds) = (r.string()?, r.list(Self::kind)?);
                match r.u8()? {
                    bits @ 0..4 => {
                        Ok(PortalParam { name, kinds, green: bits & 1 != 0, owner: bits & 2 != 0 })
                    }
                    _ => Err(ImageError::Damaged("flag")),
                }
            })?,
            results: self.list(Self::kind)?,
        })
    }

    fn access(&mut self) -> Read<Access> {
        Ok(Access {
            name: self.string()?,
            offset: self.load_time()?,
            stride: self.at_most_one(Self::load_time)?,
            scalar: *Scalar::ALL.get(usize::from(self.u8()?)).ok_or(ImageError::Damaged("scalar"))?,
            class: ClassId(self.u32()?),
            reach: match self.u8()? {
                0 => Reach::Class,
                1 => Reach::Leaf,
                2 => Reach::Anything,
                _ => return Err(ImageError::Damaged("reach")),
            },
            flags: self.u16()?,
        })
    }

    fn alloc(&mut self) -> Read<Alloc> {
        Ok(Alloc {
            name: self.string()?,
            memory: match self.u8()? {
                0 => Memory::Collected { header: self.load_time()? },
                1 => Memory::Plain { align: self.load_time()? },
                _ => return Err(ImageError::Damaged("memory")),
            },
            size: self.load_time()?,
            elements: self.at_most_one(|r| {
                let stride = r.load_time()?;
                Ok(Elements { stride, length: r.at_most_one(Self::load_time)? })
            })?,
        })
    }

    fn call(&mut self) -> Read<CallDescr> {
        Ok(CallDescr {
            name: self.string()?,
            shim: self.u32()?,
            args: self.list(Self::kind)?,
            results: self.list(Self::kind)?,
            reads: self.class_set()?,
            writes: self.class_set()?,
            flags: self.u16()?,
        })
    }

    fn class_set(&mut self) -> Read<ClassSet> {
        Ok(if self.flag()? { ClassSet::Some(self.list(|r| Ok(ClassId(r.u32()?)))?) } else { ClassSet::All })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn sample() -> Program {
        text::parse(text::SAMPLE).unwrap_or_else(|e| panic!("{e}"))
    }

    /// A reproducible sequence of numbers.
    struct Random(u64);

    impl Random {
        fn next(&mut self, below: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % below
        }
    }

    #[test]
    fn programs_round_trip() {
        let program = sample();
        let bytes = encode(&program);
        assert_eq!(bytes.len() % ALIGN, 0);
        assert_eq!(find(&bytes, program.hash), Ok(program));
    }

    #[test]
    fn several_records_share_a_section() {
        let (a, mut b) = (sample(), sample());
        b.hash = 77;
        b.name = "other".into();
        let mut section = encode(&a);
        section.extend([0; 32]);
        section.extend(encode(&b));
        assert_eq!(records(&section).unwrap().len(), 2);
        assert_eq!(find(&section, 77).unwrap().name, "other");
        assert_eq!(find(&section, 1), Err(ImageError::OtherInput { wanted: 1 }));
    }

    #[test]
    fn foreign_bytes_are_told_apart() {
        let good = encode(&sample());
        let check = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            records(&bytes).unwrap_err()
        };
        assert_eq!(records(&[]), Err(ImageError::Empty));
        assert_eq!(records(&[0; 64]), Err(ImageError::Empty));
        assert_eq!(records(b"\x7fELF and so on"), Err(ImageError::NotAnImage));
        assert_eq!(check(8, 9), ImageError::Version { found: 9 });
        assert_eq!(check(12, 4), ImageError::ByteOrder);
        assert_eq!(check(HEADER + 5, 0xff), ImageError::Damaged("checksum"));
        for cut in 1..good.len() {
            assert_eq!(records(&good[..cut]), Err(ImageError::Truncated), "{cut}");
        }
    }

    #[test]
    fn damaged_payloads_never_panic() {
        let program = sample();
        let mut w = Writer { out: Vec::new() };
        w.program(&program);
        let payload = w.out;
        let mut random = Random(1);
        for _ in 0..20_000 {
            let mut bytes = payload.clone();
            for _ in 0..1 + random.next(4) {
                let at = random.next(bytes.len());
                bytes[at] = random.next(256) as u8;
            }
            bytes.truncate(bytes.len() - random.next(2) * random.next(bytes.len()));
            let record = Record { hash: program.hash, payload: &bytes };
            if let Ok(decoded) = decode(&record) {
                // Reading on must not panic either, whatever the verifier thinks of it.
                if crate::verify::verify(&decoded).is_ok() {
                    text::print(&decoded);
                }
            }
        }
    }
}
