//! The types of generated code, and values of them that need nothing else.
//!
//! Every type here is `Copy`, `PartialEq`, `PartialOrd` and `Debug`; that keeps moves out of the generator. Types that own
//! something stand in the hand-written part of the crate.

use crate::random::Random;

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Int {
    pub name: &'static str,
    pub bits: u32,
    pub signed: bool,
}

const fn int(name: &'static str, bits: u32, signed: bool) -> Int {
    Int { name, bits, signed }
}

/// All of them.
pub const INTS: &[Int] = &[
    int("i64", 64, true),
    int("u8", 8, false),
    int("i32", 32, true),
    int("usize", 64, false),
    int("u64", 64, false),
    int("i8", 8, true),
    int("u16", 16, false),
    int("i16", 16, true),
    int("u32", 32, false),
    int("isize", 64, true),
    int("i128", 128, true),
    int("u128", 128, false),
];

pub const I64: Ty = Ty::Int(INTS[0]);
pub const USIZE: Ty = Ty::Int(INTS[3]);
pub const U32: Ty = Ty::Int(INTS[8]);
pub const I32: Ty = Ty::Int(INTS[2]);
pub const U8: Ty = Ty::Int(INTS[1]);

/// A type of values.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    Unit,
    Bool,
    Char,
    Int(Int),
    F32,
    F64,
    Tuple(Vec<Ty>),
    Array(Box<Ty>, usize),
    Option(Box<Ty>),
    Result(Box<Ty>, Box<Ty>),
    /// `Wrap<T>` of the hand-written part.
    Wrap(Box<Ty>),
    /// A struct or enum of the case, by number.
    Named(usize),
}

/// The fields of a struct or variant.
#[derive(Clone, Debug)]
pub struct Fields {
    /// With names, in braces; otherwise in parentheses, or none at all.
    pub named: bool,
    pub tys: Vec<Ty>,
}

impl Fields {
    /// How a field is named in expressions.
    pub fn name(&self, n: usize) -> String {
        if self.named { format!("f{n}") } else { n.to_string() }
    }

    /// A value or pattern made of one text per field.
    pub fn with(&self, head: &str, fields: &[String]) -> String {
        match (self.tys.is_empty(), self.named) {
            (true, _) => head.to_string(),
            (_, true) => {
                let fields = fields.iter().enumerate().map(|(n, text)| format!("f{n}: {text}"));
                format!("{head} {{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            (_, false) => format!("{head}({})", fields.join(", ")),
        }
    }
}

/// A variant of an enum.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub fields: Fields,
    pub discriminant: Option<i64>,
}

/// A type of the case.
#[derive(Clone, Debug)]
pub enum TypeDef {
    Struct { name: String, fields: Fields },
    Enum { name: String, repr: Option<&'static str>, variants: Vec<Variant> },
}

impl TypeDef {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            TypeDef::Struct { name, .. } | TypeDef::Enum { name, .. } => name,
        }
    }

    /// Whether a value can be cast to an integer.
    pub fn is_fieldless(&self) -> bool {
        matches!(self, TypeDef::Enum { variants, .. } if variants.iter().all(|v| v.fields.tys.is_empty()))
    }
}

/// The types of a case.
#[derive(Clone, Debug, Default)]
pub struct Types(pub Vec<TypeDef>);

impl Types {
    /// The type as it is written.
    pub fn name(&self, ty: &Ty) -> String {
        match ty {
            Ty::Unit => "()".to_string(),
            Ty::Bool => "bool".to_string(),
            Ty::Char => "char".to_string(),
            Ty::Int(int) => int.name.to_string(),
            Ty::F32 => "f32".to_string(),
            Ty::F64 => "f64".to_string(),
            Ty::Tuple(tys) => {
                let names: Vec<String> = tys.iter().map(|ty| self.name(ty)).collect();
                format!("({}{})", names.join(", "), if tys.len() == 1 { "," } else { "" })
            }
            Ty::Array(ty, n) => format!("[{}; {n}]", self.name(ty)),
            Ty::Option(ty) => format!("Option<{}>", self.name(ty)),
            Ty::Result(ok, err) => format!("Result<{}, {}>", self.name(ok), self.name(err)),
            Ty::Wrap(ty) => format!("Wrap<{}>", self.name(ty)),
            Ty::Named(n) => self.0[*n].name().to_string(),
        }
    }

    /// A value of the type, as simple as can be.
    pub fn default(&self, ty: &Ty) -> String {
        match ty {
            Ty::Unit => "()".to_string(),
            Ty::Bool => "false".to_string(),
            Ty::Char => "'a'".to_string(),
            Ty::Int(int) => format!("0{}", int.name),
            Ty::F32 => "0.0f32".to_string(),
            Ty::F64 => "0.0f64".to_string(),
            Ty::Tuple(tys) => {
                let all: Vec<String> = tys.iter().map(|ty| self.default(ty)).collect();
                format!("({}{})", all.join(", "), if tys.len() == 1 { "," } else { "" })
            }
            Ty::Array(ty, n) => format!("[{}; {n}]", self.default(ty)),
            Ty::Option(ty) => format!("None::<{}>", self.name(ty)),
            Ty::Result(ok, err) => {
                format!("Ok::<{}, {}>({})", self.name(ok), self.name(err), self.default(ok))
            }
            Ty::Wrap(ty) => format!("Wrap {{ inner: {}, n: 0 }}", self.default(ty)),
            Ty::Named(n) => {
                let (head, fields) = match &self.0[*n] {
                    TypeDef::Struct { name, fields } => (name.clone(), fields),
                    TypeDef::Enum { name, variants, .. } => {
                        (format!("{name}::{}", variants[0].name), &variants[0].fields)
                    }
                };
                let all: Vec<String> = fields.tys.iter().map(|ty| self.default(ty)).collect();
                fields.with(&head, &all)
            }
        }
    }

    /// How many scalars a value has at most.
    pub fn words(&self, ty: &Ty) -> usize {
        match ty {
            Ty::Unit => 0,
            Ty::Int(Int { bits: 128, .. }) => 2,
            Ty::Bool | Ty::Char | Ty::Int(_) | Ty::F32 | Ty::F64 => 1,
            Ty::Tuple(tys) => tys.iter().map(|ty| self.words(ty)).sum(),
            Ty::Array(ty, n) => self.words(ty) * n,
            Ty::Option(ty) | Ty::Wrap(ty) => 1 + self.words(ty),
            Ty::Result(ok, err) => 1 + self.words(ok) + self.words(err),
            Ty::Named(n) => match &self.0[*n] {
                TypeDef::Struct { fields, .. } => fields.tys.iter().map(|ty| self.words(ty)).sum(),
                TypeDef::Enum { variants, .. } => {
                    let words = |v: &Variant| v.fields.tys.iter().map(|ty| self.words(ty)).sum::<usize>();
                    1 + variants.iter().map(words).max().unwrap_or(0)
                }
            },
        }
    }

    /// The item.
    pub fn define(&self, def: &TypeDef) -> String {
        let body = |fields: &Fields, public: &str| {
            let all: Vec<String> = (fields.tys.iter().enumerate())
                .map(|(n, ty)| {
                    let name = if fields.named { format!("f{n}: ") } else { String::new() };
                    format!("{public}{name}{}", self.name(ty))
                })
                .collect();
            match (fields.tys.is_empty(), fields.named) {
                (true, _) => String::new(),
                (_, true) => format!(" {{ {} }}", all.join(", ")),
                (_, false) => format!("({})", all.join(", ")),
            }
        };
        match def {
            TypeDef::Struct { name, fields } => {
                let end = if fields.named && !fields.tys.is_empty() { "" } else { ";" };
                format!("{DERIVES}\npub struct {name}{}{end}\n", body(fields, "pub "))
            }
            TypeDef::Enum { name, repr, variants } => {
                let repr = repr.map_or(String::new(), |repr| format!("#[repr({repr})]\n"));
                let all: Vec<String> = (variants.iter())
                    .map(|v| {
                        let tag = v.discriminant.map_or(String::new(), |d| format!(" = {d}"));
                        format!("    {}{}{tag},\n", v.name, body(&v.fields, ""))
                    })
                    .collect();
                format!("{DERIVES}\n{repr}pub enum {name} {{\n{}}}\n", all.concat())
            }
        }
    }
}

const DERIVES: &str = "#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]";

/// A number of the type: whether it is negative, and its digits. Often one at which something changes.
pub fn number(int: Int, random: &mut Random) -> (bool, String) {
    let (min, max): (i128, i128) = match (int.bits, int.signed) {
        // One of the numbers beyond those of `i128`.
        (128, false) if random.chance(8) => return (false, u128::MAX.to_string()),
        (128, false) => (0, i128::MAX),
        (128, true) => (i128::MIN, i128::MAX),
        (bits, true) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        (bits, false) => (0, (1 << bits) - 1),
    };
    let value: i128 = match random.below(12) {
        0..=5 => random.below(12) as i128,
        6 => -(random.below(5) as i128) - 1,
        7 => max - random.below(2) as i128,
        8 => min + random.below(2) as i128,
        9 => 1 << random.below(int.bits as usize),
        10 => (1i128 << random.below(int.bits as usize)).wrapping_sub(1),
        _ => random.word() as i64 as i128,
    };
    let value = if value < min || value > max { value & (max >> 1) } else { value };
    (value < 0, value.unsigned_abs().to_string())
}

/// A float: whether it is negative, and its digits.
pub fn float(random: &mut Random) -> (bool, String) {
    let all = ["0.0", "1.0", "0.5", "2.0", "3.25", "10.0", "100.0", "1e10", "0.1", "65536.0", "1e30"];
    let text = match random.below(12) {
        n if n < all.len() => all[n].to_string(),
        _ => format!("{}.5", random.below(1000)),
    };
    (random.chance(20), text)
}
