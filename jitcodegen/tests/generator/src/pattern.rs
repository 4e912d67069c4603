//! Patterns for values of a type, and what they bind.

use crate::gen_state::{Content, Gen};
use crate::tree::Id;
use crate::types::{Fields, Ty, TypeDef, number};

/// How a pattern meets the value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mode {
    /// Bindings copy.
    Value,
    /// The value is behind `&`: bindings are references.
    Shared,
    /// The value is behind `&mut`.
    Unique,
}

/// What a pattern bound.
#[derive(Clone, Debug, Default)]
pub struct Bound(pub Vec<Id>);

impl Gen {
    /// A pattern; refutable only if allowed.
    pub fn pattern(
        &mut self,
        ty: &Ty,
        mode: Mode,
        refutable: bool,
        depth: usize,
        bound: &mut Bound,
    ) -> String {
        if depth == 0 || self.random.chance(25) {
            return match self.random.below(3) {
                0 => "_".to_string(),
                _ => self.binding(ty, mode, bound),
            };
        }
        if refutable && self.random.chance(8) {
            // Bindings on both sides of `@` are all right for what is copied or shared.
            let name = self.binding(ty, mode, bound);
            if mode == Mode::Unique {
                return name;
            }
            let (count, mut inner) = (self.vars.len(), Bound::default());
            let pattern = self.pattern(ty, mode, refutable, depth - 1, &mut inner);
            if inner.0.is_empty() {
                return format!("{name} @ {pattern}");
            }
            self.vars.truncate(count);
            return name;
        }
        let named: Vec<&str> =
            self.consts.iter().filter(|(_, of, _)| of == ty).map(|(name, ..)| name.as_str()).collect();
        if refutable && mode == Mode::Value && !named.is_empty() && self.random.chance(25) {
            return self.random.pick(&named).to_string();
        }
        match ty {
            Ty::Bool | Ty::Char | Ty::Int(_) if refutable => self.scalar_pattern(ty, mode, bound),
            Ty::Tuple(tys) if tys.len() > 1 && self.random.chance(15) => {
                let first = self.pattern(&tys[0], mode, refutable, depth - 1, bound);
                format!("({first}, ..)")
            }
            Ty::Tuple(tys) => {
                let all: Vec<String> =
                    tys.iter().map(|ty| self.pattern(ty, mode, refutable, depth - 1, bound)).collect();
                format!("({}{})", all.join(", "), if tys.len() == 1 { "," } else { "" })
            }
            Ty::Array(ty, n) => self.array_pattern(ty, *n, mode, refutable, depth, bound),
            Ty::Option(inner) if refutable => {
                if self.random.chance(25) {
                    return "None".to_string();
                }
                format!("Some({})", self.pattern(inner, mode, refutable, depth - 1, bound))
            }
            Ty::Result(ok, err) if refutable => {
                if ok == err && self.random.chance(30) {
                    let name = self.binding(ok, mode, bound);
                    return format!("(Ok({name}) | Err({name}))");
                }
                let (head, ty) = if self.random.chance(50) { ("Ok", ok) } else { ("Err", err) };
                format!("{head}({})", self.pattern(ty, mode, refutable, depth - 1, bound))
            }
            Ty::Wrap(inner) => {
                format!("Wrap {{ inner: {}, .. }}", self.pattern(inner, mode, refutable, depth - 1, bound))
            }
            Ty::Named(n) => match self.types.0[*n].clone() {
                TypeDef::Struct { name, fields } => {
                    self.fields_pattern(&name, &fields, mode, refutable, depth, bound)
                }
                TypeDef::Enum { name, variants, .. } if refutable || variants.len() == 1 => {
                    let v = &variants[self.random.below(variants.len())];
                    let head = format!("{name}::{}", v.name);
                    self.fields_pattern(&head, &v.fields, mode, refutable, depth, bound)
                }
                TypeDef::Enum { .. } => self.binding(ty, mode, bound),
            },
            _ => self.binding(ty, mode, bound),
        }
    }

    fn binding(&mut self, ty: &Ty, mode: Mode, bound: &mut Bound) -> String {
        let name = format!("v{}", self.next + 1);
        let content = Content::Value(ty.clone());
        let (path, writable, text) = match mode {
            Mode::Value if self.random.chance(50) => (name.clone(), true, format!("mut {name}")),
            Mode::Value => (name.clone(), false, name.clone()),
            Mode::Shared => (format!("(*{name})"), false, name.clone()),
            Mode::Unique => (format!("(*{name})"), true, name.clone()),
        };
        bound.0.push(self.declare(path, content, writable));
        text
    }

    fn scalar_pattern(&mut self, ty: &Ty, mode: Mode, bound: &mut Bound) -> String {
        let Ty::Int(int) = ty else {
            return match ty {
                Ty::Bool => self.random.pick(&["true", "false"]).to_string(),
                _ => self.random.pick(&["'a'", "'a'..='z'", "('0'..='9' | 'é')", "('b'..)"]).to_string(),
            };
        };
        let one = |g: &mut Gen| {
            let (negative, digits) = number(*int, &mut g.random);
            (if negative { format!("-{digits}") } else { digits.clone() }, {
                // Of 128 bits, some are beyond.
                let value: i128 = digits.parse().unwrap_or(i128::MAX);
                if negative { (-value).min(value.wrapping_neg()) } else { value }
            })
        };
        let (a, b) = (one(self), one(self));
        let (low, high) = if a.1 <= b.1 { (a, b) } else { (b, a) };
        let text = match self.random.below(7) {
            0 | 1 => return low.0,
            2 if low.1 != high.1 => format!("{}..{}", low.0, high.0),
            2 | 3 => format!("{}..={}", low.0, high.0),
            4 => format!("{}..", high.0),
            5 => format!("..={}", low.0),
            _ if mode == Mode::Value => {
                let name = self.binding(ty, mode, bound);
                return format!("{name} @ ({} | {})", low.0, high.0);
            }
            _ => format!("{} | {}", low.0, high.0),
        };
        format!("({text})")
    }

    fn array_pattern(
        &mut self,
        ty: &Ty,
        n: usize,
        mode: Mode,
        refutable: bool,
        depth: usize,
        bound: &mut Bound,
    ) -> String {
        if n > 1 && self.random.chance(50) {
            let first = self.pattern(ty, mode, refutable, depth - 1, bound);
            if self.random.chance(40) {
                return format!("[{first}, ..]");
            }
            let last = self.pattern(ty, mode, refutable, depth - 1, bound);
            return match n > 2 && self.random.chance(30) {
                true => {
                    let rest = Ty::Array(Box::new(ty.clone()), n - 2);
                    let name = self.binding(&rest, mode, bound);
                    format!("[{first}, {name} @ .., {last}]")
                }
                false => format!("[{first}, .., {last}]"),
            };
        }
        let all: Vec<String> = (0..n).map(|_| self.pattern(ty, mode, refutable, depth - 1, bound)).collect();
        format!("[{}]", all.join(", "))
    }

    /// A pattern of a struct or a variant.
    pub fn fields_pattern(
        &mut self,
        head: &str,
        fields: &Fields,
        mode: Mode,
        refutable: bool,
        depth: usize,
        bound: &mut Bound,
    ) -> String {
        let depth = depth.saturating_sub(1);
        if fields.named && fields.tys.len() > 1 && self.random.chance(30) {
            let n = self.random.below(fields.tys.len());
            let pattern = self.pattern(&fields.tys[n], mode, refutable, depth, bound);
            return format!("{head} {{ f{n}: {pattern}, .. }}");
        }
        let all: Vec<String> =
            fields.tys.iter().map(|ty| self.pattern(ty, mode, refutable, depth, bound)).collect();
        fields.with(head, &all)
    }
}
